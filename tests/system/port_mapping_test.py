"""A node behind a router is let in: by PCP, by NAT-PMP alone, by UPnP alone, against miniupnpd in a network namespace.
The address outside is told by `status` and by the account record, the door works, and it is shut after a stop."""

import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

from namespaces import SKIPPED, skip_unless_possible, world
from node import Node, patience, wait_until

PEER_PORT = 41443


def miniupnpd(router, folder, pcp, nat_pmp, upnp):
    """The gateway's daemon in the router's namespace. NAT-PMP without PCP is what it does not do: see OldGateway."""
    (folder / "upnpd.conf").write_text(f"""
ext_ifname=wan0
listening_ip=lan0
port=5000
enable_natpmp={"yes" if nat_pmp or pcp else "no"}
enable_upnp={"yes" if upnp else "no"}
secure_mode=yes
min_lifetime=120
max_lifetime=86400
system_uptime=yes
uuid=1a6045c7-ddb6-4c51-9526-954bdc98d974
upnp_table_name=upnp
upnp_nat_table_name=upnp
upnp_forward_chain=forwards
upnp_nat_chain=doors
upnp_nat_postrouting_chain=after
allow 1024-65535 192.168.0.0/16 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
""")
    router.run("nft", "-f", "-", stdin="""
table inet upnp {
  chain forwards { type filter hook forward priority -10; policy accept; }
  chain doors { type nat hook prerouting priority -100; }
  chain after { type nat hook postrouting priority 90; }
}
""")
    log = open(folder / "upnpd.log", "ab")
    return router.popen(shutil.which("miniupnpd"), "-d", "-f", str(folder / "upnpd.conf"), "-P",
                        str(folder / "upnpd.pid"), stdout=log, stderr=log)


def doors(router):
    return router.run("nft", "list", "chain", "inet", "upnp", "doors").count("dnat")


DHT = '[dht]\nmode = "private"\nlisten = [{ address = "0.0.0.0", port = 41443 }]\n'


def one_way(binary, how, dht=False, **gateway):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-map-"))
    node = daemon = None
    try:
        with world() as w:
            router, home = w.home("a", 1)
            stranger = w.public_host("s", 10)
            daemon = miniupnpd(router, folder, **gateway)
            with home.inside():
                node = Node(binary, folder, "alice", DHT if dht else "", peer_listen="0.0.0.0", peer_port=PEER_PORT)
                node.start()
                status = lambda: json.loads(node.command("status", "--json"))
                mapping = wait_until(lambda: status()["port_mapping"], 15, f"{how}: nothing was mapped")
                assert mapping["by"] == how, mapping
                host, port = mapping["address"].rsplit(":", 1)
                assert host == router.address, mapping
            with stranger.inside():
                with socket.create_connection((host, int(port)), 5):
                    pass
            wait_until(lambda: doors(router) == 1 + dht, 5, lambda: f"{how}: {doors(router)} doors")
            with home.inside():
                code, seconds = node.stop()
            assert code == 0 and seconds < 3 * patience(), (code, seconds)
            wait_until(lambda: doors(router) == 0, 5, f"{how}: the door is still open after the stop")
            print(f"{how}: mapped at {mapping['address']}, taken away")
    except BaseException:
        if node and node.log:
            print(node.log_text()[-3000:])
        if (folder / "upnpd.log").exists():
            print((folder / "upnpd.log").read_text(errors="replace")[-3000:])
        raise
    finally:
        for process in (node and node.process, daemon):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def switched_off(binary):
    """[peer] port_mapping = false: not one datagram to the router."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-map-"))
    node = None
    try:
        with world() as w:
            router, home = w.home("a", 1)
            router.run("nft", "add", "rule", "ip", "home", "to_me", "iifname", "lan0", "meta", "l4proto",
                       "{ tcp, udp }", "counter", "accept")
            count = lambda: "packets 0 " in router.run("nft", "list", "chain", "ip", "home", "to_me")
            for on in (False, True):
                with home.inside():
                    node = Node(binary, folder, f"alice{on}", peer_listen="0.0.0.0", peer_port=PEER_PORT,
                                extra_peer=f"port_mapping = {str(on).lower()}")
                    node.start()
                    if on:
                        wait_until(lambda: not count(), 5, "the router was not asked although it should have been")
                    else:
                        subprocess.run(["sleep", "2"])
                        assert count(), "the router was asked although that is switched off"
                    node.stop()
            print("switched off: nothing is asked")
    finally:
        if node and node.process and node.process.poll() is None:
            node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def main(binary):
    skip_unless_possible()
    if not shutil.which("miniupnpd"):
        print("SKIPPED: there is no miniupnpd (packaging/setup installs it)")
        return SKIPPED
    one_way(binary, "pcp", pcp=True, nat_pmp=True, upnp=False)
    one_way(binary, "pcp", dht=True, pcp=True, nat_pmp=True, upnp=False)
    one_way(binary, "upnp", dht=True, pcp=False, nat_pmp=False, upnp=True)
    one_way(binary, "upnp", pcp=False, nat_pmp=False, upnp=True)
    switched_off(binary)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
