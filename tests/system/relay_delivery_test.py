"""Mail reaches its recipient although the two daemons never run at the same time, with only a relay between.

Three real nodes. In each case sender and recipient take turns; what arrives is compared byte for byte, states and
reports are read, and the relay's store is looked at: empty afterwards, and at no moment a word,
an address or a key of anybody."""

import email
import json
import os
import pathlib
import random
import sys
import time

from node import mail_from, nodes, wait_until

TIMES = "\n[delivery]\nreach_timeout_s = 1\nretry_max_s = 2\n"
WORD = b"Rhabarberbarbara"                       # stands in every mail; nowhere else


def add_config(node, text):
    path = node.home / "peerpost.toml"
    path.write_text(path.read_text() + text)


def relay_status(relay):
    return json.loads(relay.command("relay", "status", "--json"))


def link_of(relay):
    return json.loads(relay.command("relay", "link", "--json"))["link"]


def queue(node, *more):
    return json.loads(node.command("queue", "--all", "--json", *more))["queue"]


def traced(node, mail):
    message_id = email.message_from_bytes(mail)["Message-ID"]
    return [hop["what"] for hop in json.loads(node.command("trace", message_id, "--json"))["hops"]]


def told_still_where_it_was(alice, mails):
    """Of what has been delivered, too: trace names each hop, in their order."""
    for mail in mails:
        hops = traced(alice, mail)
        order = [next((i for i, hop in enumerate(hops) if hop.startswith(what)), -1) for what in
                 ("submitted", "seeded: left at a relay", "stored by the recipient's device", "delivered")]
        assert -1 not in order and order == sorted(order), hops
        assert not any("1 failed attempts" in hop for hop in hops), hops


def states(node):
    return sorted(row["state"] for row in queue(node))


def body_of(size, seed):
    """Lines of base64 alphabet, with the word."""
    rng = random.Random(seed)
    line = WORD + b" " + bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=59)) + b"\r\n"
    return (line * (size // len(line) + 1))[:size - 2] + b"\r\n"


def has_mail(node, mail, mailbox="INBOX"):
    """The mail is there, whole, below the block that the node puts in front."""
    return [body for body in node.bodies(mailbox).values() if body.endswith(mail)]


def reports(node, wanted):
    found = []
    for body in node.bodies("INBOX").values():
        message = email.message_from_bytes(body)
        if message.get_content_type() == "multipart/report":
            action = [part.get("Action") for part in message.get_payload()[1].get_payload() if part.get("Action")]
            if action and set(action) == {wanted}:
                found.append(message)
    return found


def report_text(node, seconds=10):
    """What the only report of a failure says to people."""
    wait_until(lambda: len(reports(node, "failed")) == 1, seconds, "no report of the failure")
    return reports(node, "failed")[0].get_payload()[0].get_payload(decode=True).decode()


def all_bytes(folder):
    return {path: path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def nobody_is_in(relay, people, extra=()):
    """Keys of accounts in every usual form, addresses, words of the mails: not in the relay's store, not in its log."""
    needles = {WORD: "words of a mail"}
    for node in people:
        label = node.account
        raw = __import__("base64").b32decode(label.upper() + "=" * (-len(label) % 8))[:32]
        for form in (raw, raw.hex().encode(), raw.hex().upper().encode(), label.encode(), node.address.encode()):
            needles[form] = f"a key or address of {node.name}"
    for form in extra:
        needles[form] = "something of a mail"
    places = all_bytes(relay.home / "relay")
    assert places, "the relay has no store: the search finds nothing by looking nowhere"
    log = relay.home.parent / "relay.log"
    places[log] = log.read_bytes()
    for path, data in places.items():
        for needle, what in needles.items():
            assert needle not in data, f"{what} in {path}"


def empties(relay, seconds=60):
    def is_empty():
        now = relay_status(relay)
        return now["notifications"] == 0 and now["blobs"] == 0 and now["bytes"] == 0
    wait_until(is_empty, seconds, lambda: f"the relay does not become empty: {relay_status(relay)}")


def deliver_in_turns(relay, alice, bob, mails, seconds=120):
    """Alice sends and goes, Bob comes, fetches and goes, Alice comes and hears of it.
    Bob is not running at the beginning."""
    for mail in mails:
        alice.submit(mail, [bob.address])
    wait_until(lambda: all(row["state"] in ("seeded", "delivered") for row in queue(alice)), seconds,
               "the mails are not left at a relay")
    assert states(alice).count("seeded") == len(mails), queue(alice)
    seeded = next(row["id"] for row in queue(alice) if row["state"] == "seeded")
    why = json.loads(alice.command("queue", "why", seeded, "--json"))["why"]
    assert any("relay" in sentence for sentence in why), why
    client = alice.imap_client()
    client.select("Outgoing", readonly=True)
    assert client.uid("SEARCH", "KEYWORD", "Seeded")[1][0].split(), "Outgoing does not say that it waits at a relay"
    client.logout()
    alice.stop()

    bob.start()
    wait_until(lambda: all(has_mail(bob, mail) for mail in mails), seconds, "the mails do not arrive")
    for mail in mails:
        assert len(has_mail(bob, mail)) == 1
    return why


def never_together(binary, long):
    """Bob makes an invite and goes. Alice uses it, sends and goes. Both have a relay, or only Bob has."""
    for alice_too in (True, False):
        with nodes(binary, "relay", "alice", "bob", extra_toml=TIMES) as (relay, alice, bob):
            add_config(relay, '[relay]\nserve = "invited"\n')
            relay.start()
            bob.start()
            bob.command("relay", "use", link_of(relay))
            invite = json.loads(bob.command("invite", "--json"))["link"]
            bob.stop()

            alice.start()
            if alice_too:
                alice.command("relay", "use", link_of(relay))
            alice.command("contact", "add", invite)
            sizes = [1000, 1000 * 1000] + ([100 * 1000 * 1000] if long else [])
            mails = [mail_from(alice, bob.address, f"in turns {size}", body_of(size, size)) for size in sizes]
            deliver_in_turns(relay, alice, bob, mails, 600 if long else 120)
            nobody_is_in(relay, [alice, bob])
            if alice_too:
                empties_of_seeds = lambda: relay_status(relay)["blobs"] == 0
                wait_until(empties_of_seeds, 60, "the seeds are not deleted")
                wait_until(lambda: relay_status(relay)["notifications"] >= len(mails), 60,
                           "no receipts are left at the relay")
                bob.stop()
                alice.start()
                wait_until(lambda: states(alice) == ["delivered"] * len(mails), 60, "no receipts")
                told_still_where_it_was(alice, mails)
                empties(relay)
                # Bob answers, never having seen a record of Alice: he writes back, and again they take turns.
                alice.stop()
                bob.start()
                answer = mail_from(bob, alice.address, "answer", body_of(3000, 7))
                bob.submit(answer, [alice.address])
                wait_until(lambda: "seeded" in states(bob), 60,
                           lambda: f"the answer is not left at a relay: {queue(bob)}")
                bob.stop()
                alice.start()
                wait_until(lambda: has_mail(alice, answer), 60, "the answer does not arrive")
                time.sleep(0.5)
                alice.stop()
                bob.start()
                wait_until(lambda: states(bob) == ["delivered"], 60, "no receipt for the answer")
                empties(relay)
            else:
                # Nowhere to leave a receipt: it waits for a link, and comes with it.
                alice.start()
                wait_until(lambda: states(alice) == ["delivered"] * len(mails), 60, "no receipts")
                told_still_where_it_was(alice, mails)
                empties(relay)
            nobody_is_in(relay, [alice, bob])
        print(f"in turns, {'both have' if alice_too else 'only the recipient has'} a relay: arrived, acknowledged, "
              f"nothing left")


def main(binary):
    never_together(binary, os.environ.get("PEERPOST_LONG") == "1")


if __name__ == "__main__":
    main(sys.argv[1])
