"""A first mail to somebody of whom nothing is known but the address, and who is off: her record in a private DHT names
her relay and her slot there. The sender works for the mail, leaves it at the relay and goes; she comes,
and finds it in Requests.

1. The two never run at the same time, only the relay and the nodes of the DHT are there.
2. Who works less than she asks by now does not get in by the relay: the mail waits until the two meet,
   and is worked for then.
3. What stands in the DHT and at the relay names nobody."""

import contextlib
import re
import sys
import tempfile
import time

from dht_finding_test import dht, free_udp_port, nodes, status
from node import Node, mail_from, wait_until
from relay_delivery_test import TIMES, body_of, has_mail, link_of, nobody_is_in, queue, relay_status, states

WORK_BITS = 3


def published(bob, crowd):
    """Bob's record with his relay in it is at the nodes of the DHT:
    it was put after he had taken the relay into use."""
    wait_until(lambda: sum(status(c)["dht"]["stored_items"] > 0 for c in crowd) >= 3, 60,
               "nothing is stored in the DHT")
    time.sleep(7)   # a record that found no nodes at the start, or that changed, is put again within five seconds


def asks_for(bob, bits):
    toml = bob.home / "peerpost.toml"
    toml.write_text(re.sub(r"work_bits = \d+", f"work_bits = {bits}", toml.read_text()))


def main(binary):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        ports = [free_udp_port() for _ in range(6)]
        entries = ports[:2]
        work = f"\n[requests]\nwork_bits = {WORK_BITS}\n"
        crowd = [Node(binary, folder, f"crowd{i}", dht(ports[i], entries)) for i in range(4)]
        relay = Node(binary, folder, "relay", TIMES + '[relay]\nserve = "invited"\n')
        alice = Node(binary, folder, "alice", dht(ports[4], entries) + TIMES)
        bob = Node(binary, folder, "bob", dht(ports[5], entries) + TIMES + work)
        for node in (*crowd, relay, bob):
            node.start()
        for node in (*crowd, relay, alice, bob):
            stack.callback(lambda n=node: n.process and n.process.poll() is None and n.kill())
        for node in (*crowd, bob):
            wait_until(lambda: nodes(node) >= 3, 60, f"{node.name} finds no nodes of the DHT")
        bob.command("relay", "use", link_of(relay))
        bob.stop()
        bob.start()   # with the relay in its record from the first publication on
        published(bob, crowd)
        bob.stop()

        # 1. Alice has never heard of Bob.
        alice.start()
        wait_until(lambda: nodes(alice) >= 3, 60, "alice finds no nodes of the DHT")
        assert bob.account not in alice.command("contact", "list", "--json")
        first = mail_from(alice, bob.address, "first contact", body_of(30_000, 1))
        alice.submit(first, [bob.address])
        wait_until(lambda: states(alice) == ["seeded"], 120,
                   lambda: f"not left at his relay: {queue(alice)}\n{alice.log_text()[-3000:]}")
        assert "event=dht_found_relays" in alice.log_text()
        assert f"event=work_begun bits={WORK_BITS}" in alice.log_text(), "no work is done for the first mail"
        assert relay_status(relay)["notifications"] == 1 and relay_status(relay)["blobs"] == 1
        nobody_is_in(relay, [alice, bob])
        alice.stop()
        bob.start()
        wait_until(lambda: has_mail(bob, first, "Requests"), 60, lambda: f"not in Requests\n{bob.log_text()[-3000:]}")
        assert len(has_mail(bob, first, "Requests")) == 1 and not has_mail(bob, first)
        wait_until(lambda: relay_status(relay)["notifications"] == 0 and relay_status(relay)["blobs"] == 0, 60,
                   "the relay keeps it")
        bob.stop()

        # 2. By the time he comes, he asks for more.
        alice.start()
        second = mail_from(alice, bob.address, "too little work", body_of(3000, 2))
        alice.submit(second, [bob.address])
        # The receipt for the first waits for a link: she has no relay where it could be left.
        wait_until(lambda: states(alice) == ["seeded", "seeded"], 120, lambda: f"not left at his relay: {queue(alice)}")
        alice.stop()
        asks_for(bob, WORK_BITS + 4)
        bob.start()
        wait_until(lambda: "event=request_without_work" in bob.log_text(), 60, "nobody looks at the work")
        time.sleep(2)
        assert not has_mail(bob, second, "Requests") and not has_mail(bob, second), "the relay is a way around the work"
        alice.start()
        wait_until(lambda: has_mail(bob, second, "Requests"), 120,
                   lambda: f"it does not come by the link either: {queue(alice)}")
        wait_until(lambda: states(alice) == ["delivered", "delivered"], 60, "no receipts")
        assert f"event=work_begun bits={WORK_BITS + 4}" in alice.log_text()

        # 3.
        nobody_is_in(relay, [alice, bob])
        for node in crowd:
            table = node.home / "dht-nodes"
            for needle in (alice.account, bob.account, relay.account):
                assert needle not in node.log_text(), f"{node.name} knows a name"
                assert not table.exists() or needle.encode() not in table.read_bytes(), f"{node.name} keeps a name"
    print("first contact: by address, DHT and relay, never together; work is asked for as over a link")


if __name__ == "__main__":
    main(sys.argv[1])
