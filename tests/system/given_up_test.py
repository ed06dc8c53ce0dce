"""Mails that are given up while they are being fetched, and mails that never come: each ends once, on both sides.

1. The sender gives up while the recipient has half of it. When she comes back she is refused the rest, and forgets it:
   what was reported as failed does not arrive.
2. The recipient has half of it and the sender does not come back: she stops waiting, and tells him when he does."""

import contextlib
import sys
import time

from large_mail_test import find, partial_bytes
from node import befriend, nodes, wait_until
from relay_delivery_test import TIMES, queue, report_text, reports, states
from stream_client import LargeMail, Smtp

MEBIBYTES = 160


@contextlib.contextmanager
def half_of_it(binary, impatient, seconds):
    """Alice and Bob, of whom one gives up after so long, and a mail of hers in the middle of which he was killed."""
    with nodes(binary, "alice", "bob", extra_toml=TIMES) as (alice, bob):
        toml = (alice if impatient == "alice" else bob).home / "peerpost.toml"
        toml.write_text(toml.read_text().replace("[delivery]\n", f"[delivery]\nfail_after_s = {seconds}\n"))
        for node in (alice, bob):
            node.start()
        befriend(alice, bob)
        mail = LargeMail(alice, bob.address, MEBIBYTES << 20, "half")
        with Smtp(alice) as client:
            client.submit(mail, bob.address)
        wait_until(lambda: partial_bytes(bob) > 0, 60, "the fetch does not begin")
        bob.kill()
        assert 0 < partial_bytes(bob) < mail.size, "the fetch was over: nothing is cut"
        yield alice, bob, mail


def only_report(alice, words):
    text = " ".join(report_text(alice, 20).split())
    assert words in text, text


def sender_gives_up(binary):
    with half_of_it(binary, "alice", 8) as (alice, bob, mail):
        wait_until(lambda: states(alice) == ["failed"], 60, lambda: f"it is not given up: {queue(alice)}")
        only_report(alice, "was not delivered")
        bob.start()
        wait_until(lambda: "event=not_waited_for" in bob.log_text(), 60, "he goes on asking for what was given up")
        assert partial_bytes(bob) == 0, "the half of it stays on his disk"
        time.sleep(3)
        assert not find(bob, mail, "INBOX"), "it arrived although its sender was told that it failed"
        assert states(alice) == ["failed"] and len(reports(alice, "failed")) == 1
        assert bob.log_text().count("event=fetch_stopped") == 1, "he asked again"
    print("what was given up is refused, and forgotten")


def sender_stays_away(binary):
    with half_of_it(binary, "bob", 4) as (alice, bob, mail):
        alice.kill()
        bob.start()
        wait_until(lambda: "event=not_waited_for" in bob.log_text(), 90, "he waits for ever")
        assert partial_bytes(bob) == 0, "the half of it stays on his disk"
        assert not reports(bob, "failed") and not reports(bob, "delayed"), "the recipient is troubled with it"
        alice.start()
        wait_until(lambda: states(alice) == ["failed"], 60, lambda: f"she is not told: {queue(alice)}")
        only_report(alice, "could not fetch the mail for 12 seconds")
        time.sleep(3)
        assert not find(bob, mail, "INBOX") and len(reports(alice, "failed")) == 1
    print("what never comes is waited for no more, and its sender is told")


def main(binary):
    sender_gives_up(binary)
    sender_stays_away(binary)


if __name__ == "__main__":
    main(sys.argv[1])
