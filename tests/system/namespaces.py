"""A small internet of Linux network namespaces for tests: one public segment, hosts on it, homes behind NAT. Needs
root, `ip` and `nft`; where they are missing or namespaces are not allowed the test is skipped (exit code 77,
with the reason).

    public  5.5.0.0/16: addresses that are global to peerpost; nothing here can reach the real ones
    home n  192.168.n.0/24 behind a router with 5.5.0.n; the host of the home is 192.168.n.2"""

import contextlib
import ctypes
import os
import shutil
import subprocess
import sys
import threading

SKIPPED = 77
CLONE_NEWNET = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def run(*command, check=True, stdin=None):
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, timeout=60)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def skip_unless_possible():
    why = None
    if sys.platform != "linux":
        why = "network namespaces are a thing of Linux"
    elif os.geteuid() != 0:
        why = "network namespaces need root"
    else:
        for tool in ("ip", "nft"):
            if not shutil.which(tool):
                why = f"there is no {tool} (packaging/setup installs it)"
        if not why:
            name = f"pp{os.getpid()}probe"
            made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if made.returncode != 0:
                why = "network namespaces are not allowed here: " + made.stderr.strip()
            else:
                tried = subprocess.run(["ip", "netns", "exec", name, "nft", "add", "table", "ip", "probe"],
                                       capture_output=True, text=True)
                run("ip", "netns", "del", name)
                if tried.returncode != 0:
                    why = "nftables is not allowed here: " + tried.stderr.strip()
    if why:
        print("SKIPPED:", why)
        sys.exit(SKIPPED)


class Host:
    """One namespace."""

    def __init__(self, world, name):
        self.world, self.name, self.netns = world, name, f"pp{os.getpid()}{name}"
        run("ip", "netns", "add", self.netns)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments, check=True):
        return run("ip", "-n", self.netns, *arguments, check=check)

    def run(self, *command, check=True, stdin=None):
        return run("ip", "netns", "exec", self.netns, *command, check=check, stdin=stdin)

    def popen(self, *command, **options):
        return subprocess.Popen(["ip", "netns", "exec", self.netns, *command], **options)

    @contextlib.contextmanager
    def inside(self):
        """This thread in here: sockets and processes made meanwhile stay here."""
        before = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
        here = os.open(f"/run/netns/{self.netns}", os.O_RDONLY)
        try:
            if libc.setns(here, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            yield self
        finally:
            libc.setns(before, CLONE_NEWNET)
            os.close(here)
            os.close(before)


class World:
    def __init__(self):
        self.hosts = []
        self.public = self.add("wan")
        self.public.ip("link", "add", "br0", "type", "bridge")
        self.public.ip("link", "set", "br0", "up")

    def add(self, name):
        host = Host(self, name)
        self.hosts.append(host)
        return host

    def connect(self, host, interface, number):
        """A cable from the host to the public segment."""
        run("ip", "link", "add", f"p{os.getpid() % 100000}x{number}", "netns", self.public.netns, "type", "veth",
            "peer", "name", interface, "netns", host.netns)
        end = f"p{os.getpid() % 100000}x{number}"
        self.public.ip("link", "set", end, "master", "br0")
        self.public.ip("link", "set", end, "up")
        host.ip("addr", "add", f"5.5.0.{number}/16", "dev", interface)
        host.ip("link", "set", interface, "up")

    def public_host(self, name, number):
        host = self.add(name)
        self.connect(host, "eth0", number)
        host.address = f"5.5.0.{number}"
        return host

    def home(self, name, number, masquerade="masquerade"):
        """(router, host). The router lets nothing in that was not asked for, and drops it silently."""
        router, host = self.add(name + "r"), self.add(name)
        self.connect(router, "wan0", number)
        run("ip", "link", "add", "lan0", "netns", router.netns, "type", "veth", "peer", "name", "eth0", "netns",
            host.netns)
        router.ip("addr", "add", f"192.168.{number}.1/24", "dev", "lan0")
        router.ip("link", "set", "lan0", "up")
        host.ip("addr", "add", f"192.168.{number}.2/24", "dev", "eth0")
        host.ip("link", "set", "eth0", "up")
        host.ip("route", "add", "default", "via", f"192.168.{number}.1")
        router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        self.translate(router, masquerade)
        host.address, router.address = f"192.168.{number}.2", f"5.5.0.{number}"
        return router, host

    @staticmethod
    def translate(router, masquerade):
        router.run("nft", "-f", "-", stdin=f"""
table ip home
delete table ip home
table ip home {{
  chain out {{ type nat hook postrouting priority 100; oifname "wan0" {masquerade}; }}
  chain through {{ type filter hook forward priority 0; policy drop;
    iifname "lan0" accept; ct state established,related accept; ct status dnat accept; }}
  chain to_me {{ type filter hook input priority 0; policy accept; iifname "wan0" ct state new drop; }}
}}
""")

    def end(self):
        for host in reversed(self.hosts):
            subprocess.run(["ip", "netns", "del", host.netns], capture_output=True)


@contextlib.contextmanager
def world():
    skip_unless_possible()
    made = World()
    try:
        yield made
    finally:
        made.end()
