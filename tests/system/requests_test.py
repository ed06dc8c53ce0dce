"""Strangers and the mailbox Requests (01-product 1.5): the mail client alone says who may write. Strangers here hold an
invite of Bob's whose only use somebody else has had: where he is stands in it, but he does not know them."""

import json
import sys

from node import mail_from, nodes, wait_until


def contact(node, account):
    rows = json.loads(node.command("contact", "list", "--json"))["contacts"]
    return next((row for row in rows if row["account"] == account), None)


def send(frm, to, subject):
    frm.submit(mail_from(frm, to.address, subject, b"hello\r\n"), [to.address])


def subjects(node, mailbox):
    return [body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for body in node.bodies(mailbox).values()]


def arrived(node, mailbox, subject):
    wait_until(lambda: subject in subjects(node, mailbox), 30, f"{subject!r} is not in {mailbox}")


def move(node, mailbox, to, how):
    """Everything, in the ways clients have."""
    client = node.imap_client()
    try:
        client.select(mailbox)
        if how == "MOVE":
            assert client._simple_command("MOVE", "1:*", to)[0] == "OK"
        else:
            assert client.copy("1:*", to)[0] == "OK"
            client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
            client.expunge()
    finally:
        client.logout()


def judge(carol, bob, how):
    assert contact(bob, carol.account) is None
    send(carol, bob, "first")
    arrived(bob, "Requests", "first")
    assert not contact(bob, carol.account)["accepted"], "a stranger was accepted unasked"
    assert subjects(bob, "INBOX") == ["Welcome to peerpost"]

    move(bob, "Requests", "Trash", how)                     # thrown away: says nothing
    assert not contact(bob, carol.account)["accepted"]
    move(bob, "Trash", "Requests", how)

    move(bob, "Requests", "INBOX", how)
    assert contact(bob, carol.account)["accepted"], "moving to INBOX did not accept"
    send(carol, bob, "second")
    arrived(bob, "INBOX", "second")

    client = bob.imap_client()                              # back: undone
    client.select("INBOX")
    uid = client.uid("SEARCH", "SUBJECT", "first")[1][0]
    assert client.uid("MOVE", uid.decode(), "Requests")[0] == "OK"
    client.logout()
    assert not contact(bob, carol.account)["accepted"], "moving back did not undo it"
    send(carol, bob, "third")
    arrived(bob, "Requests", "third")

    move(bob, "Requests", "Junk", how)
    assert contact(bob, carol.account)["blocked"], "moving to Junk did not block"
    send(carol, bob, "fourth")
    wait_until(lambda: any("takes no mail" in (row["last_error"] or "") for row in
                           json.loads(carol.command("queue", "--all", "--json"))["queue"]), 30,
                           "the block was not told")
    wait_until(lambda: any(b"multipart/report" in body for body in carol.bodies().values()), 30,
               "no report of the refusal")
    assert "fourth" not in subjects(bob, "Requests") + subjects(bob, "INBOX") + subjects(bob, "Junk")

    move(bob, "Junk", "Requests", how)                      # the block is lifted, no more
    row = contact(bob, carol.account)
    assert not row["blocked"] and not row["accepted"]
    send(carol, bob, "fifth")
    arrived(bob, "Requests", "fifth")


def empty(node):
    """As if nobody had written yet, for the next round."""
    client = node.imap_client()
    for mailbox in ("Requests", "Junk", "Trash", "Archive", "INBOX"):
        client.select(mailbox)
        client.uid("STORE", "1:*" if mailbox != "INBOX" else "2:*", "+FLAGS.SILENT", r"(\Deleted)")
        client.expunge()
    client.logout()


def answer(dave, bob):
    send(dave, bob, "may I")
    arrived(bob, "Requests", "may I")
    send(dave, bob, "and this")
    arrived(bob, "Requests", "and this")
    asked = next(body for body in bob.bodies("Requests").values() if b"Subject: may I" in body)
    message_id = asked.split(b"Message-ID: ")[1].split(b"\r\n")[0].decode()
    bob.submit(mail_from(bob, dave.address, "you may", b"yes\r\n", In_Reply_To=message_id), [dave.address])
    assert contact(bob, dave.account)["accepted"], "answering did not accept"
    assert sorted(subjects(bob, "INBOX")[1:]) == ["and this", "may I"] and subjects(bob, "Requests") == []
    assert r"\Answered" in flags_of(bob, "INBOX", "may I"), "the client can no longer mark it where it was"
    assert r"\Answered" not in flags_of(bob, "INBOX", "and this")
    arrived(dave, "INBOX", "you may")
    send(dave, bob, "thank you")
    arrived(bob, "INBOX", "thank you")


def works_first(erin_link, gina, bob):
    """A stranger's node does the work that Bob asks, and the mail arrives. (What `queue` says meanwhile:
    engine tests.)"""
    gina.command("contact", "add", erin_link)
    send(gina, bob, "after some work")
    wait_until(lambda: all(row["state"] == "delivered"
                           for row in json.loads(gina.command("queue", "--all", "--json"))["queue"]),
               120, "the work was not done")
    arrived(bob, "Requests", "after some work")
    assert "event=work_begun bits=4" in gina.log_text() and "event=work_done" in gina.log_text()


def flags_of(node, mailbox, subject):
    client = node.imap_client()
    try:
        client.select(mailbox, readonly=True)
        uid = client.uid("SEARCH", "SUBJECT", f'"{subject}"')[1][0]
        return client.uid("FETCH", uid.decode(), "(FLAGS)")[1][0].decode() if uid else None
    finally:
        client.logout()


def move_one(node, mailbox, subject, to, how="MOVE"):
    client = node.imap_client()
    try:
        client.select(mailbox)
        uid = client.uid("SEARCH", "SUBJECT", f'"{subject}"')[1][0].decode()
        assert client.uid(how, uid, to)[0] == "OK", subject
        if how == "COPY":
            client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
            client.uid("EXPUNGE", uid)
    finally:
        client.logout()


def follow(heidi, ivan, bob, how):
    """Who is judged by one mail is judged whole: her other mails in Requests follow, and come back with her."""
    large = "large " + how
    for subject in ("one", "two", "three", "thrown away"):
        send(heidi, bob, subject)
        arrived(bob, "Requests", subject)
    heidi.submit(mail_from(heidi, bob.address, large, b"0123456789abcdef" * 30000 + b"\r\n"), [bob.address])
    arrived(bob, "Requests", large)
    send(ivan, bob, "of another")
    arrived(bob, "Requests", "of another")
    client = bob.imap_client()
    client.select("Requests")
    uid = client.uid("SEARCH", "SUBJECT", '"thrown away"')[1][0].decode()
    client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
    client.logout()
    mails = sorted(["one", "two", "three", large])

    watcher = bob.imap_client()                             # sees them come as new mail
    before = int(watcher.select("INBOX")[1][0])
    move_one(bob, "Requests", "one", "Archive", how)        # accepted; what she moved herself stays where she put it
    assert contact(bob, heidi.account)["accepted"]
    assert subjects(bob, "Archive") == ["one"]
    assert sorted(subjects(bob, "INBOX")[1:]) == sorted(["two", "three", large])
    assert sorted(subjects(bob, "Requests")) == ["of another", "thrown away"], "not hers, or marked as deleted"
    watcher.noop()
    assert int(watcher.response("EXISTS")[1][-1]) == before + 3
    assert r"\Seen" not in flags_of(bob, "INBOX", "two")
    watcher.logout()
    assert sum(b"0123456789abcdef" * 30000 in body for body in bob.bodies("INBOX").values()) == 1

    bob.kill()                                              # known after a restart as well
    bob.start()
    move_one(bob, "Archive", "one", "Requests", how)        # undone: all that followed come back
    assert not contact(bob, heidi.account)["accepted"]
    assert subjects(bob, "INBOX") == ["Welcome to peerpost"]
    assert sorted(subjects(bob, "Requests")) == sorted(mails + ["of another", "thrown away"])

    move_one(bob, "Requests", "two", "Junk", how)           # blocked: the others go there, too
    assert contact(bob, heidi.account)["blocked"]
    assert sorted(subjects(bob, "Junk")) == mails
    move_one(bob, "Junk", "three", "Requests", how)
    assert not contact(bob, heidi.account)["blocked"]
    assert subjects(bob, "Junk") == ["two"], "that one the user moved herself"
    move_one(bob, "Junk", "two", "Requests", how)

    move_one(bob, "Requests", "two", "Junk", how)           # the command line says the same
    bob.command("contact", "accept", heidi.account)
    assert sorted(subjects(bob, "INBOX")[1:]) == sorted(["one", "three", large]) and subjects(bob, "Junk") == ["two"]
    bob.command("contact", "remove", heidi.account)         # a stranger from now on: what she wrote stays
    assert len(subjects(bob, "INBOX")) == 4


def forged(bob, carol):
    """A mail that the user's own client puts into Requests judges nobody, whatever it says."""
    was = contact(bob, carol.account)
    client = bob.imap_client()
    fields = (f"X-First: no\r\nAuthentication-Results: {bob.account}.peerpost.alt;\r\n peerpost=pass\r\n"
              f" header.from={carol.account}.peerpost.alt\r\n").encode()
    assert client.append("Requests", None, None, fields + b"\r\nbody\r\n")[0] == "OK"
    client.select("Requests")
    uid = client.uid("SEARCH", "HEADER", "X-First", "no")[1][0].decode()
    assert client.uid("MOVE", uid, "INBOX")[0] == "OK"
    client.logout()
    assert contact(bob, carol.account) == was


def main(binary):
    with nodes(binary, "bob", "erin", "carol", "dave", "frank", "gina", "heidi",
               "ivan") as (bob, erin, carol, dave, frank, gina, heidi, ivan):
        toml = bob.home / "peerpost.toml"
        toml.write_text(toml.read_text().replace("work_bits = 2", "work_bits = 4"))
        for node in (bob, erin, carol, dave, frank, gina, heidi, ivan):
            node.start()
        link = json.loads(bob.command("invite", "--json"))["link"]
        erin.command("contact", "add", link)
        wait_until(lambda: contact(bob, erin.account), 20, "the invite was not noticed")
        for node in (carol, dave, frank, heidi, ivan):   # its only use is gone: they know Bob, he does not know them
            node.command("contact", "add", link)
        judge(carol, bob, "MOVE")
        forged(bob, carol)
        empty(bob)
        judge(frank, bob, "COPY")
        empty(bob)
        answer(dave, bob)
        works_first(link, gina, bob)
        empty(bob)
        follow(heidi, ivan, bob, "MOVE")
        empty(bob)
        follow(ivan, heidi, bob, "COPY")
    print("requests: all right")


if __name__ == "__main__":
    main(sys.argv[1])
