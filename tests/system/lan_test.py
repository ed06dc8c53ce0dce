"""A LAN without internet, without the DHT and without any relay: two nodes in network namespaces on one segment, no
route to anywhere. One of them has moved to an address that stands in no record; its beacon alone tells where it is."""

import json
import pathlib
import shutil
import sys
import tempfile

from namespaces import world
from node import Node, mail_from, wait_until

PEER_PORT = 41443


def has_mail(node, subject):
    return any(b"Subject: " + subject in body for body in node.bodies().values())


def main(binary):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-lan-"))
    started = []
    try:
        with world() as w:
            a, b = w.public_host("a", 10), w.public_host("b", 11)
            options = dict(peer_listen="0.0.0.0", peer_port=PEER_PORT, extra_peer="port_mapping = false", lan=True)
            with a.inside():
                alice = Node(binary, folder, "alice", **options)
                started.append(alice.start())
                link = json.loads(alice.command("invite", "--json"))["link"]
            with b.inside():
                bob = Node(binary, folder, "bob", **options)
                started.append(bob.start())
                bob.command("contact", "add", link)
            wait_until(lambda: bob.account in alice.command("contact", "list", "--json"), 30,
                       "the invite was not noticed")
            assert json.loads(bob.command("status", "--json"))["dht"] is None
            assert a.ip("route").count("default") == 0, "the test wants no internet"

            alice.stop()
            a.ip("addr", "del", "5.5.0.10/16", "dev", "eth0")
            a.ip("addr", "add", "5.5.0.77/16", "dev", "eth0")
            with b.inside():   # nobody is there: the mail waits
                bob.submit(mail_from(bob, alice.address, "over the LAN", b"hello\r\n"), [alice.address])
            bob.stop()
            # The record that Bob knows names the old address only, and Alice's start is not to greet him: she has no
            # record of where he is beyond his own beacon.
            b.ip("addr", "del", "5.5.0.11/16", "dev", "eth0")
            b.ip("addr", "add", "5.5.0.88/16", "dev", "eth0")
            with a.inside():
                alice.start()
            with b.inside():
                bob.start()
            with a.inside():
                wait_until(lambda: has_mail(alice, b"over the LAN"), 90, "they do not find each other in the LAN")
            links = json.loads(alice.command("status", "--json"))["links"]
            assert any("5.5.0.88" in l["remote"] for l in links), links
    except BaseException:
        for node in started:
            print(f"---- log of {node.name}\n{node.log_text()[-4000:]}")
        raise
    finally:
        for node in started:
            if node.process.poll() is None:
                node.kill()
        shutil.rmtree(folder, ignore_errors=True)
    print("LAN: all right")


if __name__ == "__main__":
    main(sys.argv[1])
