"""A clock that was wrong and is put right, and the hours in between: what it may cost is a little time, no mail, and no
report that is not true. Real nodes; the wall clock of one of them is set by the test (set_clock.cpp).

1. Submitted by a clock that is ahead: delivered, and left at a relay, as soon as it is right.
2. Submitted by a clock that is behind: not given up as if it had waited for all that time.
3. The letter with the receipt was lost at a relay: another one is asked for, although the two are never on together.
4. A machine that is on for a few minutes a day forgets what is over, as others do.
"""

import os
import pathlib
import shutil
import struct
import sys
import time

from node import mail_from, nodes, wait_until
from relay_delivery_test import TIMES, add_config, has_mail, link_of, queue, relay_status, reports, states

HOUR, DAY = 3600, 86400


def set_clock(node, ahead_s):
    path = node.home.parent / f"{node.name}.clock"
    with open(path, "r+b" if path.exists() else "xb") as file:   # the same file: it is mapped
        file.write(struct.pack("<q", ahead_s))
    return path


def start_with_clock(node, library, ahead_s=0):
    """Its clock can be set from then on."""
    os.environ.update(LD_PRELOAD=str(library), CLOCK_AHEAD=str(set_clock(node, ahead_s)))
    try:
        return node.start()
    finally:
        del os.environ["LD_PRELOAD"], os.environ["CLOCK_AHEAD"]


def serves(relay):
    add_config(relay, '\n[relay]\nserve = "open"\n')
    return relay.start()


def invite_of(node):
    return next(word for word in node.command("invite").split() if word.startswith("peerpost:"))


def submitted_ahead(binary, library):
    with nodes(binary, "relay", "alice", "bob", "carol", extra_toml=TIMES) as (relay, alice, bob, carol):
        serves(relay)
        carol.start()
        carol.command("relay", "use", link_of(relay))
        carol.stop()
        for node in (bob, carol):
            alice.command("contact", "add", invite_of(node))
        start_with_clock(alice, library, 40 * DAY)
        mail = mail_from(alice, bob.address, "ahead", b"to two people\r\n")
        alice.submit(mail, [bob.address, carol.address])
        time.sleep(1)
        set_clock(alice, 0)
        bob.start()
        wait_until(lambda: states(alice) == ["delivered", "seeded"], 20,
                   lambda: f"it waits for that time: {queue(alice)}")
        assert len(has_mail(bob, mail)) == 1
        alice.stop()
        carol.start()
        wait_until(lambda: has_mail(carol, mail), 20, "it lies at the relay and nobody takes it")
    print("submitted by a clock that is ahead: it does not wait for that time")


def submitted_behind(binary, library):
    with nodes(binary, "alice", "bob", extra_toml=TIMES) as (alice, bob):
        alice.command("contact", "add", invite_of(bob))
        start_with_clock(alice, library, -6 * DAY)
        mail = mail_from(alice, bob.address, "behind", b"x\r\n")
        alice.submit(mail, [bob.address])
        wait_until(lambda: queue(alice)[0]["attempts"] > 0, 20, "nothing is tried")
        set_clock(alice, 0)
        time.sleep(12)                     # twice the time to reach somebody, and five seconds
        assert states(alice) == ["queued"], queue(alice)
        assert not reports(alice, "failed") and not reports(alice, "delayed")
        bob.start()
        wait_until(lambda: has_mail(bob, mail), 20, "it does not arrive")
        wait_until(lambda: states(alice) == ["delivered"], 20, lambda: f"no receipt: {queue(alice)}")
    print("submitted by a clock that is behind: not given up")


def receipt_was_lost(binary, library):
    with nodes(binary, "hers", "his", "gone", "alice", "bob", extra_toml=TIMES) as (hers, his, gone, alice, bob):
        for relay in (hers, his, gone):
            serves(relay)
        bob.start()
        for relay in (his, gone):
            bob.command("relay", "use", link_of(relay))
        bob.stop()
        gone.kill()
        start_with_clock(alice, library)
        alice.command("relay", "use", link_of(hers))
        alice.command("contact", "add", invite_of(bob))
        mail = mail_from(alice, bob.address, "lost", b"x\r\n")
        alice.submit(mail, [bob.address])
        wait_until(lambda: states(alice) == ["seeded"], 20, lambda: f"not left at his relay: {queue(alice)}")
        alice.stop()
        bob.start()
        wait_until(lambda: has_mail(bob, mail), 20, "it does not arrive")
        wait_until(lambda: relay_status(hers)["notifications"] == 1, 20, "no receipt is left")
        bob.stop()
        hers.stop()
        shutil.rmtree(hers.home / "relay")
        hers.start()

        start_with_clock(alice, library)
        wait_until(lambda: relay_status(hers)["slots"] == 1, 20, "she has not opened her slot again")
        deposits = lambda: alice.log_text().count("event=deposit")
        for hours in (2, 5):               # the first look finds that he took it, the next one asks him again
            before = deposits()
            set_clock(alice, hours * HOUR)
            wait_until(lambda: deposits() > before, 30, "what waits at a relay is not looked after")
            why = lambda: alice.command("queue", "why", queue(alice)[0]["id"])
            wait_until(lambda: "has taken it from there" in why(), 10, lambda: f"it says that it waits: {why()}")
        wait_until(lambda: relay_status(his)["notifications"] == 1, 20, "he is not asked for another receipt")
        alice.stop()
        bob.start()
        wait_until(lambda: relay_status(hers)["notifications"] == 1, 20, "he does not answer again")
        time.sleep(8)                      # one of his relays cannot be asked what lies there: that is tried again
        assert relay_status(hers)["notifications"] == 1, "he answers again and again"
        bob.stop()
        start_with_clock(alice, library, 5 * HOUR)
        wait_until(lambda: states(alice) == ["delivered"], 20, lambda: f"no receipt: {queue(alice)}")
        for relay in (hers, his):
            wait_until(lambda: relay_status(relay)["bytes"] == 0, 20, lambda: f"left over: {relay_status(relay)}")
        assert not reports(alice, "failed")
        bob.start()
        assert len(has_mail(bob, mail)) == 1
    print("a receipt that was lost is given again")


def evenings_only(binary, library):
    with nodes(binary, "alice", "bob", extra_toml=TIMES) as (alice, bob):
        bob.start()
        start_with_clock(alice, library)
        alice.command("contact", "add", invite_of(bob))
        alice.submit(mail_from(alice, bob.address, "of last week", b"x\r\n"), [bob.address])
        wait_until(lambda: states(alice) == ["delivered"], 20, lambda: f"not delivered: {queue(alice)}")
        alice.stop()
        start_with_clock(alice, library, 8 * DAY)
        alice.submit(mail_from(alice, bob.address, "of today", b"x\r\n"), [bob.address])
        wait_until(lambda: len(queue(alice)) == 1, 90, lambda: f"what is over stays for ever: {queue(alice)}")
    print("what is over is forgotten on a machine that is never on for an hour")


def main(binary):
    library = pathlib.Path(binary).resolve().parent / "libset_clock.so"
    if not library.exists():               # beside sanitizers, which want to be loaded first
        sys.exit(77)
    submitted_ahead(binary, library)
    submitted_behind(binary, library)
    receipt_was_lost(binary, library)
    evenings_only(binary, library)


if __name__ == "__main__":
    main(sys.argv[1])
