"""The list of contacts (01-product 1.3, 1.6): how each key became known, verifying, blocking and removing at once, and
that no key takes the place of another in silence."""

import base64
import json
import smtplib
import subprocess
import sys

from node import befriend, mail_from, nodes, wait_until


def show(node, who):
    return json.loads(node.command("contact", "show", who, "--json"))


def links_to(node, account):
    return [l for l in json.loads(node.command("status", "--json"))["links"] if l["peer"] == account]


def subjects(node, mailbox="INBOX"):
    return [body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for body in node.bodies(mailbox).values()]


def send(frm, to, subject):
    frm.submit(mail_from(frm, to.address, subject, b"hello\r\n"), [to.address])


def arrived(node, mailbox, subject):
    wait_until(lambda: subject in subjects(node, mailbox), 30, f"{subject!r} is not in {mailbox}")


def fails(node, *arguments):
    done = subprocess.run([node.binary, "--home", str(node.home), *arguments], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode != 0, f"{arguments} should have been refused"
    return done.stderr


def refused_at_rcpt(node, to, sender=None, password=None):
    """The command that the refusal names, as its arguments; the others of a mail are taken."""
    with smtplib.SMTP("127.0.0.1", node.smtp, timeout=60) as client:
        client.login(sender or node.address, password or node.password)
        assert client.mail(sender or node.address)[0] == 250
        code, text = client.rcpt(to)
        assert code == 550 and text.startswith(b"5.7.1 you have blocked"), (code, text)
        assert client.rcpt(sender or node.address)[0] == 250
    return text.decode().split("peerpost ")[1].split()


def verify(alice, bob):
    a = json.loads(alice.command("contact", "verify", "bob", "--json"))
    b = json.loads(bob.command("contact", "verify", alice.address, "--json"))
    assert a["code"] == b["code"] and len(a["code"].split()) == 8 and not a["verified"], a
    digits = "9" + a["code"][1:] if a["code"][0] != "9" else "0" + a["code"][1:]
    assert "DIFFER" in fails(alice, "contact", "verify", "bob", digits)
    assert "neither" in fails(alice, "contact", "verify", "bob", "12345")
    assert not show(alice, "bob")["verified"]
    alice.command("contact", "verify", "bob", b["code"])              # read aloud
    assert show(alice, "bob")["verified"] and show(alice, "bob")["verified_at"]
    bob.command("contact", "verify", alice.account[:10], a["link"])   # scanned
    assert show(bob, "alice")["verified"]
    assert "code to compare" in alice.command("contact", "show", "bob")


def block(alice, bob):
    send(bob, alice, "before the block")
    arrived(alice, "INBOX", "before the block")
    assert links_to(alice, bob.account)
    alice.command("contact", "block", "bob")
    wait_until(lambda: "contact_blocked_or_removed" in alice.log_text(), 5, "the live link was not cut")
    assert show(alice, "bob")["blocked"]
    send(bob, alice, "while blocked")
    reports = lambda: [b for b in bob.bodies().values() if b"multipart/report" in b]
    wait_until(lambda: len(reports()) == 1, 30, "no report of the refusal")
    assert b"takes no mail from this account" in reports()[0].replace(b"=\r\n", b"")
    assert "lift the" in fails(alice, "contact", "remove", "bob")     # it would let him write again
    # Alice writes to him all the same: refused in the compose window, with the command that mends it.
    before = len(json.loads(alice.command("queue", "--all", "--json"))["queue"])
    command = refused_at_rcpt(alice, "any.word@" + bob.account + ".peerpost.alt")
    assert len(json.loads(alice.command("queue", "--all", "--json"))["queue"]) == before
    alice.command(*command)
    row = show(alice, "bob")
    assert row["accepted"] and not row["blocked"] and row["verified"]
    send(alice, bob, "after lifting the block")
    arrived(bob, "INBOX", "after lifting the block")
    alice.command("contact", "block", "bob")
    alice.command("contact", "block", "--undo", "bob")
    row = show(alice, "bob")
    assert row["accepted"] and not row["blocked"] and row["verified"] and row["how"] in ("invite_given", "invite_used")
    send(bob, alice, "after the block")
    arrived(alice, "INBOX", "after the block")
    assert "while blocked" not in subjects(alice) and len(reports()) == 1


def remove(alice, bob):
    cuts = lambda: alice.log_text().count("contact_blocked_or_removed")
    before = cuts()
    alice.command("contact", "remove", "bob")
    wait_until(lambda: cuts() == before + 1, 5, "the live link was not cut")
    assert bob.account not in alice.command("contact", "list", "--json")
    assert bob.account in alice.command("contact", "list", "--all", "--json")
    alice.command("contact", "remove", "--undo", "bob")
    assert show(alice, "bob")["accepted"] and show(alice, "bob")["verified"]
    alice.command("contact", "remove", "bob")
    send(bob, alice, "from a stranger again")
    arrived(alice, "Requests", "from a stranger again")
    row = show(alice, "bob")
    assert row["how"] == "request" and not row["accepted"] and not row["removed"]
    alice.command("contact", "accept", "bob")
    send(bob, alice, "accepted again")
    arrived(alice, "INBOX", "accepted again")


def invite_over_the_link(alice, bob):
    """An invite that is used while the link is up: it is presented over that link,
    and the mails that wait for it go."""
    wait_until(lambda: links_to(bob, alice.account), 30, "no link")
    count = lambda event: bob.log_text().count(f"event={event}")
    accepted, ups = count("invite_accepted"), count("up")
    bob.command("contact", "add", json.loads(alice.command("invite", "--json"))["link"])
    send(bob, alice, "after the second invite")
    wait_until(lambda: count("invite_accepted") == accepted + 1, 20,
               "the invite is not presented over the link that is up")
    arrived(alice, "INBOX", "after the second invite")
    assert count("up") == ups, "presented over another link"


def second_key(alice, bob, eve):
    """Eve calls herself Bob."""
    link = json.loads(eve.command("invite", "--json"))["link"]
    assert "another key" in fails(alice, "contact", "add", link)
    assert eve.account not in alice.command("contact", "list", "--json")
    assert subjects(alice).count("Two contacts call themselves bob") == 0
    # With an invite of Alice's nobody asks her first: she is told by a mail, once.
    invite = json.loads(alice.command("invite", "--json"))["link"]
    eve.command("contact", "add", invite)
    arrived(alice, "INBOX", "Two contacts call themselves bob")
    alice.command("contact", "show", eve.account)
    alice.stop()
    alice.start()
    send(bob, alice, "after the restart")
    arrived(alice, "INBOX", "after the restart")
    assert subjects(alice).count("Two contacts call themselves bob") == 1
    assert "may mean several" in fails(alice, "contact", "show", "bob")
    alice.command("contact", "block", eve.account)
    alice.command("contact", "accept", eve.account)   # Alice has been told of the two, and means this one
    assert show(alice, eve.account)["blocked"] is False


def card(alice, carol, folder):
    """The card of Carol's welcome mail, as a file."""
    import email
    welcome = next(b for b in carol.bodies().values() if b"Welcome to peerpost" in b)
    part = next(p for p in email.message_from_bytes(welcome).walk() if p.get_content_type() == "text/vcard")
    path = folder / "carol.vcf"
    path.write_bytes(part.get_payload(decode=True))
    row = json.loads(alice.command("contact", "add", str(path), "--json"))
    assert row["how"] == "card" and row["account"] == carol.account and row["name"] == "carol", row


def another_name(alice, bob, carol):
    """Carol calls herself otherwise: whom she is linked with sees it at once, others with the next link; under the same
    key, and not where Alice has given her a name."""
    named = lambda name: show(alice, carol.account)["name"] == name
    send(alice, carol, "a link")
    arrived(carol, "INBOX", "a link")
    wait_until(lambda: links_to(carol, alice.account), 30, "no link")
    before = show(alice, carol.account)
    carol.command("account", "name", "Caroline Wei\u00df")
    wait_until(lambda: named("Caroline Wei\u00df"), 20, "her new name does not come over the link that is up")
    after = show(alice, "caroline wei\u00df")
    assert after["code"] == before["code"] and after["account"] == carol.account
    assert after["verified"] == before["verified"] and after["accepted"]
    assert after["address"] == f"caroline.weiss@{carol.account}.peerpost.alt", after
    carol.stop()
    carol.command("account", "name", "Lina")                # its daemon does not run
    carol.start()
    wait_until(lambda: named("Lina"), 60, "her new name does not come with the next link")
    link = json.loads(carol.command("invite", "--json"))["link"].split("invite/")[1]
    assert b"Lina" in base64.urlsafe_b64decode(link + "=" * (-len(link) % 4)), "not in the invites she gives"

    notices = lambda: subjects(alice).count("Two contacts call themselves bob")
    told = notices()
    carol.command("account", "name", "bob")                 # as another contact of Alice's is called
    wait_until(lambda: notices() == told + 1, 20, "nobody says that two keys have one name now")

    alice.command("contact", "add", carol.address, "--name", "Sister")
    carol.command("account", "name", "carol")
    send(carol, alice, "under my old name")
    arrived(alice, "INBOX", "under my old name")
    assert named("Sister"), "the name that Alice gave is gone"
    wait_until(lambda: show(alice, "sister")["address"] == carol.address, 20, "the address is not what carol announces")


def same_home(alice):
    """Two accounts of one home: a block holds there as well."""
    made = json.loads(alice.command("account", "add", "--name", "zoe", "--json"))
    zoe, password = made["address"], made["password"]
    import imaplib
    import smtplib

    def zoe_mails(mailbox):
        client = imaplib.IMAP4("127.0.0.1", alice.imap, timeout=60)
        client.login(zoe, password)
        if client.select(mailbox)[0] != "OK":
            return []
        found = client.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1] or []
        client.logout()
        return [p[1].decode().strip() for p in found if isinstance(p, tuple)]

    def to_zoe(subject):
        with smtplib.SMTP("127.0.0.1", alice.smtp, timeout=60) as client:
            client.login(alice.address, alice.password)
            client.sendmail(alice.address, [zoe], mail_from(alice, zoe, subject, b"x\r\n"))

    to_zoe("one")
    wait_until(lambda: "Subject: one" in zoe_mails("Requests"), 20, "no request within the home")
    alice.command("contact", "block", "--account", zoe, alice.address)
    to_zoe("two")
    wait_until(lambda: any(b"multipart/report" in b and b"takes no mail" in b.replace(b"=\r\n", b"")
                           for b in alice.bodies().values()), 20, "no report of the refusal within the home")
    assert zoe_mails("Junk") == ["Subject: one"] and zoe_mails("Requests") == [], "what waits follows the block"
    assert "Subject: two" not in zoe_mails("INBOX")
    command = refused_at_rcpt(alice, alice.address, zoe, password)   # not the first account: the command names it
    assert json.loads(alice.command(*command, "--json"))["accepted"]
    assert zoe_mails("INBOX")[1:] == ["Subject: one"] and zoe_mails("Junk") == [], "accepted, it comes out of Junk"


def no_room_in_same_home(alice):
    """Another account of the home takes nothing more of strangers: that is seen, and can be cancelled."""
    made = json.loads(alice.command("account", "add", "--name", "full", "--json"))
    import imaplib
    client = imaplib.IMAP4("127.0.0.1", alice.imap, timeout=60)
    client.login(made["address"], made["password"])
    client.append("Requests", None, None, b"Subject: one of many\r\n\r\nx\r\n")
    client.select("Requests")
    for _ in range(11):                                     # 2048: more than are kept of strangers
        assert client.copy("1:*", "Requests")[0] == "OK"
    client.logout()
    alice.submit(mail_from(alice, made["address"], "no room", b"x\r\n"), [made["address"]])
    row = lambda: next(r for r in json.loads(alice.command("queue", "--all", "--json"))["queue"]
                       if r["recipient"] == made["address"])
    wait_until(lambda: row()["attempts"] > 0, 20, lambda: f"it is not told that it waits: {row()}")
    why = alice.command("queue", "why", row()["id"])
    assert "last attempt" in why and "is full" in why and "tried again at" in why, why
    wait_until(lambda: any(b": no room" in body for body in alice.bodies("Outgoing").values()), 20, "not in Outgoing")
    client = alice.imap_client()
    client.select("Outgoing")
    client.store("1:*", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
    wait_until(lambda: row()["state"] == "failed" and "cancelled" in row()["last_error"], 20,
               lambda: f"it was not cancelled: {row()}")


def main(binary):
    with nodes(binary, "alice", "bob", "carol") as (alice, bob, carol):
        from node import Node
        eve = Node(binary, alice.home.parent / "eve", "bob")
        for node in (alice, bob, carol, eve):
            node.start()
        try:
            befriend(alice, bob)
            assert show(alice, "bob")["how"] == "invite_given" and show(bob, "alice")["how"] == "invite_used"
            # the addresses are those that the two call themselves by
            assert show(alice, "bob")["address"] == bob.address and show(bob, "alice")["address"] == alice.address
            assert bob.address in alice.command("contact", "list") and "mail@" not in alice.command("contact", "list")
            verify(alice, bob)
            invite_over_the_link(alice, bob)
            block(alice, bob)
            remove(alice, bob)
            second_key(alice, bob, eve)
            card(alice, carol, alice.home.parent)
            another_name(alice, bob, carol)
            same_home(alice)
            no_room_in_same_home(alice)
        finally:
            if eve.process.poll() is None:
                eve.kill()
    print("contacts: all right")


if __name__ == "__main__":
    main(sys.argv[1])
