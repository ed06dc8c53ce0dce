"""A LAN without internet, without the DHT and without any relay: two nodes in network namespaces on one segment, no
route to anywhere. Both are at addresses that stand in no record: their beacons alone tell where they are."""

import json
import pathlib
import shutil
import sys
import tempfile
import time

from clock_test import HOUR, set_clock, start_with_clock
from namespaces import world
from node import Node, mail_from, wait_until

PEER_PORT = 41443


def has_mail(node, subject):
    return any(b"Subject: " + subject in body for body in node.bodies().values())


class Computer:
    """A node on a host with one cable."""

    def __init__(self, binary, folder, name, host):
        self.host = host
        with host.inside():
            self.node = Node(binary, folder, name, peer_listen="0.0.0.0", peer_port=PEER_PORT,
                             extra_peer="port_mapping = false", lan=True)
        toml = self.node.home / "peerpost.toml"
        v4 = f'{{ address = "0.0.0.0", port = {PEER_PORT} }}'
        assert toml.read_text().count(v4) == 1
        toml.write_text(toml.read_text().replace(v4, f"{v4}, {v4.replace('0.0.0.0', '::')}"))
        self.start()

    def start(self):
        with self.host.inside():
            self.node.start()

    def unplug(self):
        self.host.ip("link", "set", "eth0", "down")
        self.host.ip("addr", "flush", "dev", "eth0")

    def plug_in(self, address):
        self.host.ip("link", "set", "eth0", "up")
        if ":" in address:
            self.host.ip("addr", "add", f"{address}/64", "dev", "eth0", "nodad")
        else:
            self.host.ip("addr", "add", f"{address}/16", "dev", "eth0")

    def gets(self, subject):
        with self.host.inside():
            wait_until(lambda: has_mail(self.node, subject), 90, f"{subject} was not found in the LAN")


def submit(sender, to, subject):
    with sender.host.inside():
        sender.node.submit(mail_from(sender.node, to.node.address, subject.decode(), b"hello\r\n"), [to.node.address])


def moved_while_off(alice, bob):
    """The record that each knows of the other names an old address."""
    alice.node.stop()
    alice.unplug()
    alice.plug_in("5.5.0.77")
    submit(bob, alice, b"over the LAN")     # nobody is there: the mail waits
    bob.node.stop()
    bob.unplug()
    bob.plug_in("5.5.0.88")
    alice.start()
    bob.start()
    alice.gets(b"over the LAN")
    links = json.loads(alice.node.command("status", "--json"))["links"]
    assert any("5.5.0.88" in l["remote"] for l in links), links


def plugged_in_later(alice, bob):
    """Both begin before they have a network, as a computer does that is switched on, or comes to another place."""
    for computer in (alice, bob):
        computer.node.stop()
        computer.unplug()
    for computer in (alice, bob):
        computer.start()
    submit(bob, alice, b"plugged in")
    alice.plug_in("5.5.0.101")
    bob.plug_in("5.5.0.102")
    alice.gets(b"plugged in")


def only_ipv6(alice, bob):
    """And another network, which is not the one they share, comes first."""
    for number, computer in enumerate((alice, bob)):
        computer.node.stop()
        computer.unplug()
        computer.host.ip("link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1")
        for end in ("vpn0", "vpn1"):
            computer.host.ip("link", "set", end, "up")
        computer.host.ip("addr", "add", f"fd77:{number}::1/64", "dev", "vpn0", "nodad")
    alice.start()
    alice.plug_in("fd51::101")
    bob.plug_in("fd51::102")
    bob.start()
    submit(bob, alice, b"by IPv6")
    alice.gets(b"by IPv6")


def clock_put_right(alice, bob, library):
    """What she said by a clock that was ahead does not outlast what she says by the right one."""
    alice.node.stop()
    with alice.host.inside():
        start_with_clock(alice.node, library, 20 * HOUR)
    submit(alice, bob, b"of tomorrow")
    bob.gets(b"of tomorrow")
    time.sleep(4)                           # her first beacon comes within two seconds
    alice.node.stop()
    for computer, address in ((alice, "5.5.0.111"), (bob, "5.5.0.112")):
        computer.unplug()
        computer.plug_in(address)
    submit(bob, alice, b"of today")
    set_clock(alice.node, 0)
    alice.start()
    alice.gets(b"of today")


def main(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-lan-"))
    computers = []
    try:
        with world() as w:
            hosts = w.public_host("a", 10), w.public_host("b", 11)
            for name, host in zip(("alice", "bob"), hosts):
                computers.append(Computer(binary, folder, name, host))
            alice, bob = computers
            with alice.host.inside():
                link = json.loads(alice.node.command("invite", "--json"))["link"]
            with bob.host.inside():
                bob.node.command("contact", "add", link)
            wait_until(lambda: bob.node.account in alice.node.command("contact", "list", "--json"), 30,
                       "the invite was not noticed")
            assert json.loads(bob.node.command("status", "--json"))["dht"] is None
            assert alice.host.ip("route").count("default") == 0, "the test wants no internet"
            moved_while_off(alice, bob)
            plugged_in_later(alice, bob)
            library = pathlib.Path(binary).resolve().parent / "libset_clock.so"
            if library.exists():               # not beside sanitizers, which want to be loaded first
                clock_put_right(alice, bob, library)
            only_ipv6(alice, bob)
    except BaseException:
        for computer in computers:
            print(f"---- log of {computer.node.name}\n{computer.node.log_text()[-4000:]}")
        raise
    finally:
        for computer in computers:
            if computer.node.process.poll() is None:
                computer.node.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print("LAN: all right")


if __name__ == "__main__":
    main(sys.argv[1])
