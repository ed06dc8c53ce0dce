"""Strangers through real links (06-security 6.1.4): one account may send so many mails a day and no more, what is too
much waits at its sender and says why, and a contact's mail passes all the same. The large crowd is
tests/engine/strangers_test.cpp."""

import json
import sys

from node import befriend, mail_from, nodes, wait_until

PER_KEY = 20   # daemon/engine/strangers.hpp


def send(frm, to, subject):
    frm.submit(mail_from(frm, to.address, subject, b"hello\r\n"), [to.address])


def subjects(node, mailbox="INBOX"):
    return [body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for body in node.bodies(mailbox).values()]


def queue(node):
    return json.loads(node.command("queue", "--all", "--json"))["queue"]


def main(binary):
    with nodes(binary, "bob", "friend", "stranger", extra_toml="[requests]\nwork_bits = 1\n") \
            as (bob, friend, stranger):
        for node in (bob, friend, stranger):
            node.start()
        befriend(bob, friend)
        befriend(bob, stranger)   # she knows where Bob is, and becomes a stranger when he removes her
        bob.command("contact", "remove", stranger.account)

        for i in range(PER_KEY + 3):
            send(stranger, bob, f"request {i}")
        wait_until(lambda: sum(row["state"] == "delivered" for row in queue(stranger)) == PER_KEY, 180,
                   "not as many as may")
        waiting = [row for row in queue(stranger) if row["state"] != "delivered"]
        assert len(waiting) == 3, waiting
        wait_until(lambda: all("as a stranger may in a day" in row["last_error"]
                               for row in queue(stranger) if row["state"] != "delivered"), 60, "the limit is not told")
        assert len(subjects(bob, "Requests")) == PER_KEY
        send(friend, bob, "from a friend")
        wait_until(lambda: "from a friend" in subjects(bob), 30, "a contact's mail waits for strangers")

        # Accepted, nothing is asked any more: what waited comes with the next attempt.
        bob.command("contact", "accept", stranger.account)
        send(stranger, bob, "accepted now")
        wait_until(lambda: "accepted now" in subjects(bob), 60, "an accepted contact is still held back")
    print("strangers: all right")


if __name__ == "__main__":
    main(sys.argv[1])
