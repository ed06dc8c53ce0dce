"""A relay whose index was damaged while it was off: it starts, says what has happened, keeps the damaged file, and
serves what is left. What is not left its senders bring again: every mail arrives exactly once, although sender and
recipient are never there at the same time."""

import json
import os
import shutil
import subprocess
import sys
import time

from node import befriend, mail_from, nodes, wait_until
from relay_delivery_test import add_config, body_of, empties, has_mail, link_of, queue, relay_status, states

LOOKS = "\n[delivery]\nreach_timeout_s = 1\nretry_max_s = 2\nlook_after_s = 3\n"
ITEM_PAGE = 2
MAILS = 5
LARGE_BYTES = 1_000_000
WRONG_SEED_SECONDS, WRONG_SEED_FETCHES_MAX = 16, 5   # after 2, 4 and 8 s, not every 2 s: daemon/net/relay_inbox.hpp


def spoil_all(index):
    index.write_bytes(os.urandom(index.stat().st_size))


def spoil_leaf_pages(index):
    """The header of every second leaf page: rows are gone, others are left."""
    raw = bytearray(index.read_bytes())
    leaves = [at for at in range(2 * 4096, len(raw), 4096) if raw[at + 10] == ITEM_PAGE]
    for at in leaves[::2]:
        raw[at + 12] ^= 0x55
    index.write_bytes(raw)


def check(relay, *more):
    return json.loads(relay.command("check", "--json", *more, check=False))


def waits_at(relay, alice, bob, first):
    mails = [mail_from(alice, bob.address, f"mail {n}", body_of(size, n))
             for n, size in enumerate([2000] * (MAILS - 1) + [200_000], first)]
    for mail in mails:
        alice.submit(mail, [bob.address])
    wait_until(lambda: states(alice).count("seeded") == MAILS, 60,
               lambda: f"not left at the relay: {queue(alice)}")
    return mails


def brought_again(binary, spoil, everything):
    """Bob is off when the relay is damaged, Alice is off when he comes."""
    with nodes(binary, "relay", "alice", "bob", extra_toml=LOOKS) as (relay, alice, bob):
        add_config(relay, '[relay]\nserve = "open"\nopen_bits = 2\n')
        relay.start()
        bob.start()
        bob.command("relay", "use", link_of(relay))
        wait_until(lambda: relay_status(relay)["slots"] == 1, 30, "Bob has no slot")
        alice.start()
        befriend(bob, alice)
        time.sleep(1)
        bob.stop()
        mails = waits_at(relay, alice, bob, 0)
        relay.stop()
        index = relay.home / "relay" / "index"
        spoil(index)
        damaged = index.read_bytes()
        relay.start()
        status = relay_status(relay)
        assert (relay.home / "relay" / "index.damaged-1").read_bytes() == damaged, "the damaged index is not kept"
        assert any("index.damaged-1" in note for note in status["notes"]), status
        assert "event=relay_recovered" in relay.log_text(), "the log says nothing"
        report = check(relay)
        assert not report["sound"] and report["relay"]["warnings"] and not report["relay"]["lost"], report
        if everything:
            assert status["slots"] == 0 and status["notifications"] == 0, status
            # Bob's slot is not there: nobody says that the mails wait.
            wait_until(lambda: states(alice) == ["queued"] * MAILS, 60,
                       lambda: f"not noticed: {queue(alice)}")
            why = json.loads(alice.command("queue", "why", queue(alice)[0]["id"], "--json"))["why"]
            assert any("relay" in sentence for sentence in why), why
            alice.stop()
            bob.start()
            wait_until(lambda: relay_status(relay)["slots"] == 1, 60, "Bob's slot is not opened again")
            assert not any(has_mail(bob, mail) for mail in mails)
            bob.stop()
            alice.start()
        wait_until(lambda: states(alice) == ["seeded"] * MAILS and relay_status(relay)["blobs"] == MAILS and
                   relay_status(relay)["notifications"] == MAILS, 90,
                   lambda: f"not brought again: {relay_status(relay)} {queue(alice)}")
        alice.stop()
        bob.start()
        wait_until(lambda: all(has_mail(bob, mail) for mail in mails), 60, "mails are lost")
        alice.start()
        wait_until(lambda: states(alice) == ["delivered"] * MAILS, 60,
                   lambda: f"no receipts: {queue(alice)}")
        empties(relay)
        assert [len(has_mail(bob, mail)) for mail in mails] == [1] * MAILS, "a mail arrived twice"
        relay.stop()
        report = check(relay)
        assert report["sound"] and len(report["relay"]["warnings"]) == 1, report
        assert relay.start() and not relay_status(relay)["notes"], "what is mended is said for ever"
    print(f"{'everything' if everything else 'half of the rows'} lost at the relay: brought again, arrived once")


def repaired(binary):
    """`check --repair` of a relay's home, and what it says; a relay that cannot be opened leaves the accounts alone."""
    with nodes(binary, "relay", "alice", "bob", extra_toml=LOOKS) as (relay, alice, bob):
        add_config(relay, '[relay]\nserve = "invited"\n')
        relay.start()
        bob.start()
        bob.command("relay", "use", link_of(relay))
        alice.start()
        befriend(bob, alice)
        time.sleep(1)
        bob.stop()
        waits_at(relay, alice, bob, 0)
        alice.stop()
        relay.stop()
        folder = relay.home / "relay"
        whole = check(relay, "--repair")
        assert whole["sound"] and all(r["account"] != "relay" for r in whole["repaired"]), whole
        assert whole["relay"]["notifications"] == MAILS, whole
        spoil_leaf_pages(folder / "index")
        mended = check(relay, "--repair")
        (what,) = [r for r in mended["repaired"] if r["account"] == "relay"]
        assert what["kept_in"] == str(folder / "index.damaged-1") and len(what["done"]) >= 2, what
        assert mended["sound"], mended
        text = subprocess.run([binary, "--home", str(relay.home), "check"], capture_output=True, text=True).stdout
        assert "relay: " in text and "index.damaged-1" in text, text
        # Nothing can be made of it, and nothing is thrown away: the accounts of the home serve.
        shutil.rmtree(folder)
        folder.write_text("no folder")
        relay.start()
        refused = subprocess.run([binary, "--home", str(relay.home), "relay", "status"], capture_output=True, text=True)
        assert refused.returncode != 0 and "cannot be opened" in refused.stderr, refused
        assert not check(relay)["sound"]
        assert relay.bodies() is not None
    print("check and check --repair of a relay's home")


def wrong_seed(binary):
    """What lies at the relay is not the mail, as a disk or the relay's owner may have it: all of it is fetched less and
    less often. The sender still has it, and brings it when she is there."""
    quick = "\n[delivery]\nreach_timeout_s = 1\n"
    with nodes(binary, "relay", "alice", "bob", extra_toml=quick) as (relay, alice, bob):
        add_config(relay, '[relay]\nserve = "open"\nopen_bits = 2\n')
        relay.start()
        bob.start()
        bob.command("relay", "use", link_of(relay))
        wait_until(lambda: relay_status(relay)["slots"] == 1, 30, "Bob has no slot")
        alice.start()
        befriend(bob, alice)
        time.sleep(1)
        bob.stop()
        mail = mail_from(alice, bob.address, "wrong at the relay", body_of(LARGE_BYTES, 0))
        alice.submit(mail, [bob.address])
        wait_until(lambda: states(alice) == ["seeded"], 60, lambda: f"not left at the relay: {queue(alice)}")
        alice.stop()
        relay.stop()
        (seed,) = [p for p in (relay.home / "relay" / "seeds").rglob("*") if p.is_file()]
        raw = bytearray(seed.read_bytes())
        raw[len(raw) // 3] ^= 1
        seed.write_bytes(raw)
        relay.start()
        bob.start()
        wait_until(lambda: "event=seed_not_fetched" in bob.log_text(), 30, "nothing was fetched")
        time.sleep(WRONG_SEED_SECONDS)
        fetched = bob.log_text().count("event=seed_not_fetched")
        assert fetched <= WRONG_SEED_FETCHES_MAX, f"the wrong mail was fetched {fetched} times"
        assert not has_mail(bob, mail)
        alice.start()
        wait_until(lambda: has_mail(bob, mail), 60, "the mail of a sender who is there does not come")
    print(f"a wrong mail at the relay: fetched {fetched} times in {WRONG_SEED_SECONDS} s")


def main(binary):
    wrong_seed(binary)
    repaired(binary)
    brought_again(binary, spoil_leaf_pages, everything=False)
    brought_again(binary, spoil_all, everything=True)


if __name__ == "__main__":
    main(sys.argv[1])
