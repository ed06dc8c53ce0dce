"""`relay use|list|drop` on real nodes: slots are opened and closed, contacts and invites learn of them,
what cannot be is said."""

import base64
import email
import json
import sys
import time

from node import befriend, mail_from, nodes, wait_until

GONE_S = 15    # the upkeep is each minute
REFUSED_S = 40   # five tries, with what is between them
REFUSED, NO_SLOT = 1, 2    # in the log
RETRY_S = 600  # of Alice: what she has been refused waits for so long, if nothing wakes it


def status(relay):
    return json.loads(relay.command("relay", "status", "--json"))


def trouble(node):
    return json.loads(node.command("relay", "list", "--json"))["trouble"]


def told(node):
    """The texts of the mails in INBOX about a relay."""
    mails = [email.message_from_bytes(body) for body in node.bodies("INBOX").values()]
    return [mail.get_payload(decode=True).decode().replace("\r\n", "\n") for mail in mails
            if mail["From"] == "peerpost <peerpost@localhost>" and "relay" in mail["Subject"]]


def refused(node, *arguments):
    import subprocess
    done = subprocess.run([node.binary, "--home", str(node.home), *arguments], capture_output=True, text=True,
                          timeout=120)
    assert done.returncode != 0, f"{arguments} succeeded: {done.stdout}"
    return done.stderr


def invite_record(node):
    """The raw bytes of an invite: the account record is in there as it is."""
    link = json.loads(node.command("invite", "--json"))["link"].removeprefix("peerpost:invite/")
    return base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))


def states(node):
    return [row["state"] for row in json.loads(node.command("queue", "--json"))["queue"]]


def append(node, text):
    path = node.home / "peerpost.toml"
    path.write_text(path.read_text() + text)


def relay_link(relay):
    return json.loads(relay.command("relay", "link", "--json"))["link"]


def tell_those_who_are_away(binary):
    """Bob goes to another relay while Alice is away, and the two are never on at the same time from then on: she is
    told by a letter at her own relay, once, also when he is killed before he could; her mail, which the old one has
    refused, goes to the new one at once."""
    with nodes(binary, "first", "second", "alice", "bob") as (first, second, alice, bob):
        for relay in (first, second):
            append(relay, '\n[relay]\nserve = "invited"\n')
            relay.start()
        append(bob, "\n[delivery]\nreach_timeout_s = 1\nretry_max_s = 5\n")
        append(alice, "\n[delivery]\nreach_timeout_s = 1\nretry_max_s = 2\n")
        alice.start()
        bob.start()
        alice.command("relay", "use", relay_link(first))
        bob.command("relay", "use", relay_link(first))
        befriend(alice, bob)
        wait_until(lambda: all(json.loads(one.command("contact", "show", other.address, "--json"))["relays"]
                               for one, other in ((alice, bob), (bob, alice))), 30, "their relays are not known")
        time.sleep(2)    # the tokens that each gives the other
        alice.stop()

        bob.command("relay", "use", relay_link(second))
        bob.command("relay", "drop", first.account[:8])
        bob.kill()
        assert status(first)["notifications"] == 0, "she was told before he was killed: nothing is shown of the debt"
        alice.start()
        mail = mail_from(alice, bob.address, "by the new one", b"a line\r\n")
        alice.submit(mail, [bob.address])
        def why():
            row = json.loads(alice.command("queue", "--json"))["queue"][0]
            return json.loads(alice.command("queue", "why", row["id"], "--json"))["why"]
        def refusals():
            return alice.log_text().count(f"how={REFUSED} status={NO_SLOT}")
        wait_until(lambda: refusals() >= 6, 60, lambda: f"the old relay does not refuse: {why()}")
        assert any("does not know the recipient" in sentence for sentence in why()), why()
        # From now on her pauses are long.
        alice.stop()
        config = alice.home / "peerpost.toml"
        config.write_text(config.read_text().replace("retry_max_s = 2", f"retry_max_s = {RETRY_S}"))
        refused_before = refusals()
        alice.start()
        wait_until(lambda: refusals() > refused_before, 30, "the mail was not tried after the start")
        time.sleep(0.5)    # until it is written
        alice.stop()

        bob.start()
        wait_until(lambda: status(first)["notifications"] == 1, 60, "no letter is left for her")
        time.sleep(8)
        assert status(first)["notifications"] == 1, "she is told more than once"
        bob.kill()
        bob.start()
        time.sleep(8)
        assert status(first)["notifications"] == 1, "she is told again after a restart"
        bob.stop()

        alice.start()
        wait_until(lambda: states(alice) == ["seeded"], 60, lambda: f"not left at the new relay: {why()}")
        assert "relay_work_begun" not in alice.log_text(), "a contact had to work"
        alice.stop()
        bob.start()
        wait_until(lambda: any(body.endswith(mail) for body in bob.bodies().values()), 60, "it does not arrive")
        wait_until(lambda: status(first)["notifications"] == 1, 60, "no receipt is left at her relay")
        bob.stop()
        alice.start()
        wait_until(lambda: states(alice) == [], 60, lambda: f"no receipt: {states(alice)}")
        for relay in (first, second):
            wait_until(lambda: (status(relay)["notifications"], status(relay)["blobs"]) == (0, 0), 60,
                       lambda: f"{relay.name} does not become empty: {status(relay)}")
    print("a contact who is never on at the same time learns of another relay")


def main(binary):
    tell_those_who_are_away(binary)
    with nodes(binary, "relay", "friend") as (relay, friend):
        config = relay.home / "peerpost.toml"
        config.write_text(config.read_text() + '\n[relay]\nserve = "invited"\n')
        relay.start()
        link = json.loads(relay.command("relay", "link", "--json"))["link"]
        friend.start()

        # What is no link, what is none of a relay, what is not there.
        assert "no link to a relay" in refused(friend, "relay", "use", "hello")
        assert "peerpost contact add" in refused(friend, "relay", "use",
                                                 json.loads(relay.command("invite", "--json"))["link"])
        assert json.loads(friend.command("relay", "list", "--json"))["relays"] == []

        used = json.loads(friend.command("relay", "use", link, "--json"))
        assert used["state"] == "opened" and used["opened"], used
        assert status(relay)["slots"] == 1
        listed = json.loads(friend.command("relay", "list", "--json"))["relays"]
        assert [r["relay"] for r in listed] == [relay.account] and listed[0]["slot"] == used["slot"], listed
        assert b"peerpost:slot/" in invite_record(friend)

        # Again is no error and no second slot; an invite is used up by one account.
        friend.command("relay", "use", link)
        assert status(relay)["slots"] == 1

        # Who is there counts once, also while it can be called as well; who is gone is gone, not only after a minute.
        def there():
            return status(relay)["clients"], status(relay)["reservations"]
        wait_until(lambda: there() == (1, 1), 60, lambda: f"not there: {there()}")
        friend.stop()
        gone = time.monotonic()
        wait_until(lambda: there() == (0, 0), 90, lambda: f"still there: {there()}")
        assert time.monotonic() - gone < GONE_S, "noticed by the upkeep only"
        friend.start()

        # A contact whose link is up learns of a relay at once: its record of her is a newer one.
        befriend(friend, relay)

        # It is there after a restart, also after a kill, and after it was read from the log alone.
        friend.kill()
        friend.start()
        assert json.loads(friend.command("relay", "list", "--json"))["relays"] == listed
        assert b"peerpost:slot/" in invite_record(friend)

        # Not reachable, and refused by its policy.
        assert trouble(friend) == {}, trouble(friend)
        relay.stop()
        wait_until(lambda: "cannot be reached" in trouble(friend).get(relay.account, ""), 20,
                   lambda: f"a relay that is off is no trouble: {trouble(friend)}")
        assert "cannot be reached" in friend.command("relay", "list")
        assert "cannot be reached" in refused(friend, "relay", "use", link)
        config.write_text(config.read_text().replace('serve = "invited"', 'serve = "self"'))
        relay.start()
        fresh = json.loads(relay.command("relay", "link", "--json"))["link"]
        # hers already: policy does not matter
        assert json.loads(friend.command("relay", "use", fresh, "--json"))["state"] == "opened"

        dropped = json.loads(friend.command("relay", "drop", relay.account[:8], "--json"))
        assert dropped["closed"], dropped
        assert status(relay)["slots"] == 0
        assert json.loads(friend.command("relay", "list", "--json"))["relays"] == []
        assert b"peerpost:slot/" not in invite_record(friend)
        assert "does not serve this account" in refused(friend, "relay", "use", fresh)
        assert status(relay)["slots"] == 0
        assert trouble(friend) == {}

        # Contacts may when the policy says so, and only then is it told who they are.
        relay.stop()
        config.write_text(config.read_text().replace('serve = "self"', 'serve = "contacts"'))
        relay.start()
        wait_until(lambda: json.loads(friend.command("relay", "use", fresh, "--json", check=False) or "{}")
                   .get("opened"), 20,
                   "a contact may not use the relay")
        assert status(relay)["slots"] == 1

        # Her owner is no relay any more: she learns of it where she looks for her relays.
        relay.stop()
        config.write_text(config.read_text().replace('serve = "contacts"', 'serve = "off"'))
        relay.start()
        wait_until(lambda: "no relay" in trouble(friend).get(relay.account, ""), 20,
                   lambda: f"a relay that serves nobody is no trouble: {trouble(friend)}")
        # And in INBOX, once, also when she starts anew. She starts first: whether a try fell into the moment when the
        # relay was off would decide whether the pause of a minute comes before the fifth refusal.
        friend.stop()
        friend.start()
        wait_until(lambda: told(friend), 60, "no mail about the relay came")
        mail = told(friend)[0]
        assert "does not serve you: " in mail and "no relay" in mail, mail
        for command in ("relay list", "relay use LINK", f"relay drop {relay.account}"):
            assert f"\npeerpost {command}\n" in mail, mail
        friend.kill()
        friend.start()
        wait_until(lambda: "no relay" in trouble(friend).get(relay.account, ""), 20,
                   lambda: f"the relay is no trouble: {trouble(friend)}")
        time.sleep(REFUSED_S)
        assert len(told(friend)) == 1, told(friend)

        # Without a daemon it is noted, and opened when it runs.
        friend.command("relay", "drop", relay.account[:8])
        friend.stop()
        waits = json.loads(friend.command("relay", "use", fresh, "--json"))
        assert waits["state"] == "waits" and not waits["opened"], waits
    print("relay use, list and drop do what they say")


if __name__ == "__main__":
    main(sys.argv[1])
