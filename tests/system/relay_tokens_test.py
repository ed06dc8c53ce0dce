"""A contact never has to work for a place at a relay: she gets new delivery tokens when those of one hand are spent,
and when the recipient uses another relay."""

import json
import sys

from node import befriend, mail_from, nodes, wait_until

TIMES = "\n[delivery]\nreach_timeout_s = 1\nretry_max_s = 2\n"
HAND = 16                      # proto/peer/return_path.hpp, granted_tokens_max


def link_of(relay):
    return json.loads(relay.command("relay", "link", "--json"))["link"]


def waiting(node):
    return [row["state"] for row in json.loads(node.command("queue", "--json"))["queue"]]


def relays_of(node, contact):
    return json.loads(node.command("contact", "show", contact.address, "--json"))["relays"]


def leave_and_fetch(alice, bob, tag, mails):
    """Bob is off when Alice writes, and both are on when he fetches: his receipts go over the link and bring none."""
    bob.stop()
    sent = [mail_from(alice, bob.address, f"{tag} {n}", b"a line\r\n") for n in range(mails)]
    for mail in sent:
        alice.submit(mail, [bob.address])
    wait_until(lambda: waiting(alice) == ["seeded"] * mails, 120, lambda: f"not at the relay: {waiting(alice)}")
    bob.start()
    wait_until(lambda: waiting(alice) == [], 30, lambda: f"no receipts: {waiting(alice)}")
    arrived = list(bob.bodies().values())
    assert all(sum(body.endswith(mail) for body in arrived) == 1 for mail in sent), f"{tag}: not one of each"
    assert "relay_work_begun" not in alice.log_text(), f"{tag}: a contact had to work"


def main(binary):
    with nodes(binary, "alice", "bob", "first", "second", extra_toml=TIMES) as (alice, bob, first, second):
        for relay in (first, second):
            path = relay.home / "peerpost.toml"
            path.write_text(path.read_text() + '\n[relay]\nserve = "invited"\n')
        for node in (alice, bob, first, second):
            node.start()
        bob.command("relay", "use", link_of(first))
        befriend(alice, bob)
        for n in range(4):
            leave_and_fetch(alice, bob, f"round {n}", HAND // 2)

        before = relays_of(alice, bob)
        bob.command("relay", "use", link_of(second))
        bob.command("relay", "drop", first.account[:8])
        wait_until(lambda: len(relays_of(alice, bob)) == 1 and relays_of(alice, bob) != before, 10,
                   "the new relay was not told")
        leave_and_fetch(alice, bob, "after the change", 2)
    print("contacts have tokens")


if __name__ == "__main__":
    main(sys.argv[1])
