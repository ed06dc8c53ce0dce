"""Relays when things go wrong: no room at hers, no room anywhere, strangers, somebody blocked, an address that was made
up, and kills of all three at random moments. Every mail arrives exactly once,
or its sender gets exactly one report that says why."""

import contextlib
import json
import os
import random
import signal
import sys
import time

from node import befriend, mail_from, nodes, wait_until
from relay_delivery_test import TIMES, add_config, body_of, empties, has_mail, link_of, nobody_is_in, queue, \
    relay_status, report_text, reports, states

FROZEN_SECONDS_MAX = 45      # 20 until its silence ends the link, and time for a busy machine
KILLS_MAILS_MIN = 8          # also where a round takes long


def serve(relay, more=""):
    add_config(relay, '[relay]\nserve = "invited"\n' + more)
    relay.start()


@contextlib.contextmanager
def bob_is_off(binary, times, more=""):
    """A relay that serves, Bob who uses it and is off, Alice who knows him and is there."""
    with nodes(binary, "relay", "alice", "bob", extra_toml=times) as (relay, alice, bob):
        serve(relay, more)
        bob.start()
        bob.command("relay", "use", link_of(relay))
        alice.start()
        befriend(bob, alice)
        bob.stop()
        yield relay, alice, bob


def no_room_at_hers(binary):
    """Her relay takes notifications only: the mail waits at the sender's own relay."""
    with nodes(binary, "relay", "second", "alice", "bob", extra_toml=TIMES) as (relay, second, alice, bob):
        serve(relay, "slot_bytes_max = 0\n")
        serve(second)
        alice.start()
        bob.start()
        bob.command("relay", "use", link_of(relay))
        alice.command("relay", "use", link_of(second))
        befriend(bob, alice)
        bob.stop()
        mail = mail_from(alice, bob.address, "no room at hers", body_of(300_000, 1))
        alice.submit(mail, [bob.address])
        wait_until(lambda: states(alice) == ["seeded"], 60, lambda: f"not left at the own relay: {queue(alice)}")
        why = json.loads(alice.command("queue", "why", queue(alice)[0]["id"], "--json"))["why"]
        assert any("your own relay" in sentence for sentence in why), why
        assert relay_status(relay)["blobs"] == 0 and relay_status(second)["blobs"] == 1
        alice.stop()
        bob.start()
        wait_until(lambda: has_mail(bob, mail), 60, "it does not arrive")
        wait_until(lambda: relay_status(second)["blobs"] == 0, 60, "the seed stays")
        wait_until(lambda: relay_status(second)["notifications"] == 1, 60, "no receipt is left")
        bob.stop()
        alice.start()
        wait_until(lambda: states(alice) == ["delivered"], 60, "no receipt")
        empties(relay)
        empties(second)
    print("without room at her relay the mail waits at ours")


def no_room_anywhere(binary):
    """The relay is full: one delay report, then one failure report, and it says so."""
    times = TIMES + "delayed_after_s = 4\nfail_after_s = 9\n"
    with bob_is_off(binary, times, "storage_bytes_max = 1\n") as (_, alice, bob):
        mail = mail_from(alice, bob.address, "relay full", body_of(2000, 1))
        alice.submit(mail, [bob.address])
        wait_until(lambda: queue(alice)[0]["attempts"] > 0, 30, "no attempt")
        wait_until(lambda: len(reports(alice, "delayed")) == 1, 30, "no report of the delay")
        wait_until(lambda: states(alice) == ["failed"], 40, "it is not given up")
        text = " ".join(report_text(alice).split())
        assert "the recipient's relay has no room left" in text, text
        assert "has room" in text and "a relay helps" not in text, text   # she has one: nobody is told to get one
        time.sleep(3)
        assert len(reports(alice, "failed")) == 1 and len(reports(alice, "delayed")) == 1
        bob.start()
        time.sleep(3)
        assert not has_mail(bob, mail), "it arrived although its sender was told that it failed"
    print("a full relay: one report of the delay, one of the failure, in words")


def made_up_address(binary):
    """An address whose checksum fits, of somebody who never was: one report, and it says what may be wrong."""
    with nodes(binary, "relay", "alice", "nobody", extra_toml=TIMES + "fail_after_s = 5\n") as (relay, alice, nobody):
        serve(relay)
        alice.start()
        alice.command("relay", "use", link_of(relay))
        alice.submit(mail_from(alice, nobody.address, "made up", body_of(2000, 1)), [nobody.address])
        wait_until(lambda: states(alice) == ["failed"], 40, "it is not given up")
        text = " ".join(report_text(alice).split())
        assert "perhaps the address is wrong" in text and "whether the address is right" in text, text
        time.sleep(2)
        assert len(reports(alice, "failed")) == 1
        empties(relay)
    print("a made-up address: one report, in words")


def several_away(binary):
    """A mail to three people who are not there: one report says that it is late, and one for each that it failed."""
    times = TIMES + "delayed_after_s = 4\nfail_after_s = 8\n"
    with nodes(binary, "alice", "ann", "ben", "cleo", extra_toml=times) as (alice, *away):
        alice.start()
        people = [node.address for node in away]
        alice.submit(mail_from(alice, people[0], "to three", body_of(2000, 1)), people)
        wait_until(lambda: states(alice) == ["failed"] * 3, 60, lambda: f"they are not given up: {queue(alice)}")

        def told(kind):
            groups = [report.get_payload()[1].get_payload() for report in reports(alice, kind)]
            return [[part["Final-Recipient"] for part in group if part["Final-Recipient"]] for group in groups]
        each = [f"rfc822; {person}" for person in people]
        wait_until(lambda: len(told("failed")) == 3, 20, lambda: f"not each failure is told: {told('failed')}")
        time.sleep(2)
        assert sorted(told("failed")) == [[one] for one in each], told("failed")
        assert [sorted(one) for one in told("delayed")] == [each], told("delayed")
    print("a mail to three: one report of its delay, one of each failure")


def too_late(binary):
    """The mail waited at the relay until it was given up: it must not arrive any more,
    and nothing of it stays there."""
    with bob_is_off(binary, TIMES + "fail_after_s = 8\n") as (relay, alice, bob):
        mail = mail_from(alice, bob.address, "too late", body_of(50_000, 1))
        alice.submit(mail, [bob.address])
        wait_until(lambda: states(alice) == ["seeded"], 60, "not left at the relay")
        wait_until(lambda: states(alice) == ["failed"], 40, "it is not given up")
        wait_until(lambda: len(reports(alice, "failed")) == 1, 10, "no report")
        assert relay_status(relay)["blobs"] == 0, "its ciphertext stays at the relay"
        alice.stop()
        bob.start()
        time.sleep(4)
        assert not has_mail(bob, mail), "it arrived although its sender was told that it failed"
    print("a mail that is given up is taken back")


def relay_away_when_given_up(binary):
    """The time for delivery ends while the relay cannot be reached. When it comes back in time, the mail is taken back
    and the report is what it always is. When it stays away, nobody is told that the mail was not delivered:
    it may have been."""
    for comes_back, fail_after in ((True, 20), (False, 8)):
        with bob_is_off(binary, TIMES + f"fail_after_s = {fail_after}\n") as (relay, alice, bob):
            mail = mail_from(alice, bob.address, "relay away", body_of(50_000, 1))
            submitted = time.monotonic()
            alice.submit(mail, [bob.address])
            wait_until(lambda: states(alice) == ["seeded"], 60, "not left at the relay")
            relay.kill()
            time.sleep(submitted + fail_after + 3 - time.monotonic())
            assert states(alice) == ["seeded"] and not reports(alice, "failed"), \
                "said to have failed while Bob may fetch it"
            why = json.loads(alice.command("queue", "why", queue(alice)[0]["id"], "--json"))["why"]
            assert any("taken back" in sentence for sentence in why), why
            if comes_back:
                relay.start()
                wait_until(lambda: states(alice) == ["failed"], 20, "it is not given up")
                assert relay_status(relay)["blobs"] == 0, "its ciphertext stays at the relay"
            else:
                wait_until(lambda: states(alice) == ["failed"], 3 * fail_after + 15, "it is never given up")
                assert time.monotonic() - submitted >= 3 * fail_after
            text = report_text(alice)
            assert ("was not delivered" in text) == comes_back, text
            assert ("not known whether" in text) != comes_back, text
            time.sleep(3)
            assert len(reports(alice, "failed")) == 1
            if comes_back:
                bob.start()                      # and Alice is there: the item at the relay leads to her drive
                time.sleep(4)
                assert not has_mail(bob, mail), "it arrived although its sender was told that it failed"
    print("a relay that is away when a mail is given up: taken back when it returns; "
          "else the report says what is not known")


def walk_broken_off(binary):
    """The relay goes while a mail is brought there, and the mail comes over a link: what lies at the relay, of which
    nobody has told Bob, is taken back by Alice, also when she was restarted meanwhile."""
    for restarted in (False, True):
        with bob_is_off(binary, TIMES) as (relay, alice, bob):
            mail = mail_from(alice, bob.address, "broken off", body_of(60_000_000, 1))
            alice.submit(mail, [bob.address])
            wait_until(lambda: relay_status(relay)["blobs"] == 1, 60, "it is not brought to the relay", 0.005)
            relay.kill()
            assert states(alice) == ["queued"], f"the relay had all of it before it was killed: {queue(alice)}"
            bob.start()
            wait_until(lambda: states(alice) == ["delivered"], 120,
                       lambda: f"it does not come over the link: {queue(alice)}")
            if restarted:
                alice.kill()
                alice.start()
            relay.start()
            assert relay_status(relay)["blobs"] == 1, "the relay has forgotten what it had: nothing is shown"
            empties(relay)
            assert len(has_mail(bob, mail)) == 1
    print("a walk that broke off: what lies at the relay is taken back when the mail has come another way")


def frozen_relay(binary):
    """The first of Bob's two relays stops in the middle of a mail, and its system goes on acknowledging: what waits for
    it goes on at the second within half a minute, Bob gets it there, and the first keeps nothing when it goes on."""
    with nodes(binary, "first", "second", "alice", "bob", extra_toml=TIMES) as (first, second, alice, bob):
        serve(first)
        serve(second)
        bob.start()
        bob.command("relay", "use", link_of(first))
        bob.command("relay", "use", link_of(second))
        alice.start()
        befriend(bob, alice)
        bob.stop()
        mail = mail_from(alice, bob.address, "frozen", body_of(60_000_000, 1))
        alice.submit(mail, [bob.address])
        used = wait_until(lambda: next((r for r in (first, second) if relay_status(r)["blobs"]), None), 60,
                          "it is not brought to a relay", 0.005)
        used.process.send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        try:
            assert states(alice) == ["queued"], f"the relay had all of it before it was frozen: {queue(alice)}"
            wait_until(lambda: states(alice) == ["seeded"], 40, lambda: f"not left at the other relay: {queue(alice)}")
            took = time.monotonic() - begun
            print(f"the other relay has it {took:.0f} s after the first has frozen")
            assert took < FROZEN_SECONDS_MAX, f"{took:.0f} s are spent on a relay that is frozen"
            alice.stop()
            bob.start()
            wait_until(lambda: has_mail(bob, mail), 60, "it does not arrive by the other relay")
            alice.start()
            wait_until(lambda: states(alice) == ["delivered"], 60, lambda: f"no receipt: {queue(alice)}")
        finally:
            used.process.send_signal(signal.SIGCONT)
        empties(first)
        empties(second)
        assert len(has_mail(bob, mail)) == 1
    print("a relay that freezes in the middle of a mail holds nothing up that another one can do")


def strangers_and_blocked(binary):
    """A stranger's mail comes to Requests; whom Bob has blocked is told so, once."""
    with nodes(binary, "relay", "alice", "bob", "carol", extra_toml=TIMES) as (relay, alice, bob, carol):
        serve(relay)
        bob.start()
        bob.command("relay", "use", link_of(relay))
        alice.start()
        alice.command("relay", "use", link_of(relay))
        carol.start()
        link = json.loads(bob.command("invite", "--json"))["link"]
        carol.command("contact", "add", link)
        wait_until(lambda: carol.account in bob.command("contact", "list", "--json"), 20, "the invite was not noticed")
        carol.stop()
        bob.stop()
        alice.command("contact", "add", link)    # used up: she knows where Bob is, he does not know her
        first = mail_from(alice, bob.address, "from a stranger", body_of(2000, 1))
        alice.submit(first, [bob.address])
        wait_until(lambda: states(alice) == ["seeded"], 120, "not left at the relay")
        alice.stop()
        bob.start()
        wait_until(lambda: has_mail(bob, first, "Requests"), 60, "not in Requests")
        assert not has_mail(bob, first)
        wait_until(lambda: relay_status(relay)["blobs"] == 0, 60, "the seed stays")
        client = bob.imap_client()
        client.create("Junk")
        client.select("Requests")
        assert client.uid("MOVE", "1:*", "Junk")[0] == "OK"
        client.logout()
        wait_until(lambda: any(c["blocked"] for c in json.loads(bob.command("contact", "list", "--json"))["contacts"]),
                   20, "not blocked")
        time.sleep(1)
        bob.stop()
        alice.start()
        wait_until(lambda: states(alice) == ["delivered"], 60, "no receipt")
        second = mail_from(alice, bob.address, "again", body_of(2000, 2))
        alice.submit(second, [bob.address])
        wait_until(lambda: states(alice) == ["delivered", "seeded"], 120, "not left at the relay")
        alice.stop()
        bob.start()
        wait_until(lambda: relay_status(relay)["blobs"] == 0, 60, "the refused mail stays at the relay")
        time.sleep(1)
        bob.stop()
        alice.start()
        wait_until(lambda: states(alice) == ["delivered", "failed"], 60, lambda: f"not told: {queue(alice)}")
        wait_until(lambda: len(reports(alice, "failed")) == 1, 10, "no report")
        nobody_is_in(relay, [alice, bob, carol])
        empties(relay)
    print("strangers come to Requests, the blocked are told")


def kills(binary, seconds, seed):
    rng = random.Random(seed)
    with nodes(binary, "relay", "alice", "bob", extra_toml=TIMES) as (relay, alice, bob):
        serve(relay)
        bob.start()
        bob.command("relay", "use", link_of(relay))
        alice.start()
        alice.command("relay", "use", link_of(relay))
        befriend(bob, alice)
        time.sleep(0.5)
        bob.stop()
        mails = []
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(mails) < KILLS_MAILS_MIN:
            for _ in range(2):
                mails.append(mail_from(alice, bob.address, f"mail {len(mails)}",
                                       body_of(rng.choice([500, 80_000, 400_000]), len(mails))))
                alice.submit(mails[-1], [bob.address])
            for first, second in ((alice, bob), (bob, alice)):
                time.sleep(rng.uniform(0.2, 3.0))
                if rng.random() < 0.4:
                    relay.kill()
                    time.sleep(rng.uniform(0, 0.3))
                    relay.start()
                first.kill()
                second.start()
            time.sleep(rng.uniform(0, 1))
            bob.kill()
        bob.start()
        for mail in mails:
            wait_until(lambda: has_mail(bob, mail), 90, lambda: f"a mail is lost (seed {seed}): {queue(alice)}")
        wait_until(lambda: set(states(alice)) == {"delivered"}, 90,
                   lambda: f"receipts are lost (seed {seed}): {queue(alice)}")
        for mail in mails:
            assert len(has_mail(bob, mail)) == 1, f"a mail arrived twice (seed {seed})"
        empties(relay, 90)
    print(f"{len(mails)} mails under kills: each arrived once (seed {seed})")


def main(binary):
    long = os.environ.get("PEERPOST_LONG") == "1"
    no_room_at_hers(binary)
    no_room_anywhere(binary)
    made_up_address(binary)
    several_away(binary)
    too_late(binary)
    relay_away_when_given_up(binary)
    walk_broken_off(binary)
    frozen_relay(binary)
    strangers_and_blocked(binary)
    kills(binary, 300 if long else 15, int(os.environ.get("PEERPOST_SEED", random.randrange(1 << 30))))


if __name__ == "__main__":
    main(sys.argv[1])
