"""People who moved are found through the DHT: a private one of some nodes on loopback, no LAN discovery, no relay.

1. Bob's node comes back at another port while Alice's does not run: her next mail still reaches him.
2. Nobody answers for an address that was never published; the mail waits.
3. Off as shipped: no UDP socket is open.
4. The tables survive: with all bootstrap nodes gone a restarted node still finds the others.
5. A clock that was three days behind, as that of a machine without a battery: who published by it is found as soon as
   it is put right."""

import contextlib
import email.message
import email.policy
import json
import pathlib
import re
import socket
import sys
import tempfile
import time

from clock_test import DAY, set_clock, start_with_clock
from node import Node, befriend, wait_until


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dht(port, entries):
    listed = ", ".join(f'"127.0.0.1:{p}"' for p in entries if p != port)
    return f"""
[dht]
mode = "private"
listen = [{{ address = "127.0.0.1", port = {port} }}]
bootstrap = [{listed}]
"""


def status(node):
    return json.loads(node.command("status", "--json"))


def nodes(node):
    return status(node)["dht"]["nodes_ipv4"]


def mail(sender, recipient, subject):
    m = email.message.EmailMessage()
    m["From"], m["To"], m["Subject"] = sender, recipient, subject
    m.set_content("body of " + subject)
    return m.as_bytes(policy=email.policy.SMTP)


def has_mail(node, subject):
    return any(b"Subject: " + subject.encode() in body for body in node.bodies().values())


def move_to_another_port(node):
    """The peer listener of a stopped node."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    toml = node.home / "peerpost.toml"
    text = re.sub(r'(\[peer\]\nlisten = \[\{ address = "127\.0\.0\.1", port = )\d+', rf"\g<1>{port}", toml.read_text())
    assert str(port) in text
    toml.write_text(text)
    node.peer = port


def published_s_ago(node):
    return max((p["age_s"] for p in status(node)["dht"]["published"]), default=0)


def clock_put_right(alice, bob, library):
    alice.stop()
    bob.stop()
    move_to_another_port(bob)
    start_with_clock(bob, library, -3 * DAY)
    wait_until(lambda: published_s_ago(bob) >= 10, 60, "bob publishes nothing")
    set_clock(bob, 0)
    wait_until(lambda: published_s_ago(bob) < 10, 60, "what bob published stands under another day")
    time.sleep(2)
    move_to_another_port(alice)
    alice.start()
    alice.submit(mail(alice.address, bob.address, "of another day"), bob.address)
    wait_until(lambda: has_mail(bob, "of another day"), 60, "bob is not found")


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ports = [free_udp_port() for _ in range(7)]
        entries = ports[:2]
        crowd = [Node(binary, folder, f"crowd{i}", dht(ports[i], entries)) for i in range(5)]
        alice = Node(binary, folder, "alice", dht(ports[5], entries))
        bob = Node(binary, folder, "bob", dht(ports[6], entries))
        quiet = Node(binary, folder, "quiet")
        everybody = [*crowd, alice, bob, quiet]
        for node in everybody:
            node.start()
            stack.callback(lambda n=node: n.process.poll() is None and n.kill())
        assert status(quiet)["dht"] is None
        quiet.stop()

        for node in (*crowd, alice, bob):
            wait_until(lambda: nodes(node) >= 4, 60, f"{node.name} finds no nodes of the DHT")
        befriend(alice, bob)
        alice.submit(mail(alice.address, bob.address, "first"), bob.address)
        wait_until(lambda: has_mail(bob, "first"), 30, "the first mail does not arrive")

        # 1. She is away while he moves; nobody who knows his new address tells her but the DHT.
        alice.stop()
        bob.stop()
        move_to_another_port(bob)
        bob.start()
        wait_until(lambda: sum(status(c)["dht"]["stored_items"] > 0 for c in crowd) >= 4 and nodes(bob) >= 4, 60,
                   "nothing is stored")
        wait_until(lambda: "event=dht_joined" in bob.log_text(), 30, "bob does not join")
        time.sleep(7)   # a record that found no nodes at the start is put again after five seconds
        # Bob would dial her on his own: her port is closed to him, so that she has to find him.
        move_to_another_port(alice)
        alice.start()
        alice.submit(mail(alice.address, bob.address, "moved"), bob.address)
        wait_until(lambda: has_mail(bob, "moved"), 60, "the mail to who moved does not arrive")
        found_by_her = re.search(r"event=dht_searched found=[1-9]", alice.log_text())
        found_by_him = re.search(r"event=dht_searched found=[1-9]", bob.log_text())
        assert found_by_her or found_by_him, "it arrived, but not through the DHT"

        # 2. An address nobody published.
        nobody = quiet.address   # not running, never in the DHT
        alice.submit(mail(alice.address, nobody, "nobody"), nobody)
        wait_until(lambda: "event=dht_searched found=0 reached=true" in alice.log_text(), 60,
                   "no search for the unknown")

        # 4. The nodes everybody began with are gone.
        alice.stop()
        assert (alice.home / "dht-nodes").stat().st_mode & 0o777 == 0o600
        for c in crowd[:2]:
            c.kill()
        bob.stop()
        move_to_another_port(bob)
        bob.start()
        wait_until(lambda: nodes(bob) >= 2, 60, "bob's saved table is of no use")
        time.sleep(7)
        move_to_another_port(alice)
        alice.start()
        alice.submit(mail(alice.address, bob.address, "again"), bob.address)
        wait_until(lambda: has_mail(bob, "again"), 60, "without the bootstrap nodes nobody is found")

        library = pathlib.Path(binary).resolve().parent / "libset_clock.so"
        if library.exists():                # not beside sanitizers, which want to be loaded first
            clock_put_right(alice, bob, library)

        # What is in the DHT and on its disks names nobody: neither address, name nor key.
        for node in (*crowd, alice, bob):
            table = pathlib.Path(node.home / "dht-nodes")
            if table.exists():
                assert bob.account.encode() not in table.read_bytes()
        for node in (alice, bob, *crowd[2:]):
            code, took = node.stop()
            assert code == 0 and took < 2.5, (node.name, code, took)
    print("ok")


if __name__ == "__main__":
    main()
