"""The mailbox Outgoing (01-product 1.4): what is under way stands there with its state, what is deleted there is not
sent; `queue why` and `trace` say the same in words."""

import json
import re
import smtplib
import sys
import time

from node import befriend, mail_from, nodes, wait_until


WORDS = {"Held": "Held back", "Queued": "Waiting on this computer", "Seeded": "Waiting at a relay",
         "Notified": "Being fetched", "Cancelled": "Cancelled"}


def outgoing(node, mailbox="Outgoing"):
    """{subject of the mail: keywords} of the mailbox; what a note's Subject says has to be what its keyword says."""
    client = node.imap_client()
    try:
        assert client.select(mailbox, readonly=True)[0] == "OK"
        _, rows = client.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        found = {}
        for row in rows:
            if isinstance(row, tuple):
                subject = row[1].split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                flags = re.search(rb"FLAGS \(([^)]*)\)", row[0]).group(1).decode().split()
                words = sorted(flag for flag in flags if not flag.startswith("\\"))
                if words:
                    assert subject.startswith(WORDS[words[0]] + ": "), (subject, words)
                    subject = subject.split(": ", 1)[1]
                found[subject] = words
        return found
    finally:
        client.logout()


def delete(node, subject, by_moving, by_copying=False):
    client = node.imap_client()
    try:
        client.select("Outgoing")
        uid = client.uid("SEARCH", "SUBJECT", f'"{subject}"')[1][0].decode()
        if by_moving:
            assert client.uid("MOVE", uid, "Trash")[0] == "OK"
        else:
            if by_copying:
                assert client.uid("COPY", uid, "Trash")[0] == "OK"
            client.uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
            client.expunge()
    finally:
        client.logout()


def queue(node, *more):
    return json.loads(node.command("queue", "--json", *more))["queue"]


def submit(node, to, subject, hold_s=None):
    mail = mail_from(node, to[0].address, subject, b"on its way\r\n")
    with smtplib.SMTP("127.0.0.1", node.smtp, timeout=60) as client:
        client.login(node.address, node.password)
        client.sendmail(node.address, [one.address for one in to], mail, [f"HOLDFOR={hold_s}"] if hold_s else [])
    return re.search(rb"Message-ID: (\S+)", mail).group(1).decode()


def subjects(node, mailbox="INBOX"):
    return [body.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for body in node.bodies(mailbox).values()]


def main(binary):
    with nodes(binary, "alice", "bob", "carol") as (alice, bob, carol):
        for node in (alice, bob, carol):
            node.start()
        befriend(bob, alice)
        befriend(carol, alice)
        submit(alice, [bob], "at once")
        wait_until(lambda: "at once" in subjects(bob), 30, "the first mail did not arrive")
        wait_until(lambda: not queue(alice), 5, "the queue is not empty")
        assert outgoing(alice) == {}

        bob.stop()
        stays = submit(alice, [bob], "stays")
        submit(alice, [bob], "deleted")
        submit(alice, [bob], "moved away")
        submit(alice, [bob], "copied away")
        submit(alice, [carol, bob], "to two")
        waiting = {subject: ["Queued"] for subject in ("stays", "deleted", "moved away", "copied away", "to two")}
        wait_until(lambda: outgoing(alice) == waiting, 30, lambda: f"Outgoing is {outgoing(alice)}")
        wait_until(lambda: "to two" in subjects(carol), 30, "the one who is there did not get it")
        row = next(row for row in queue(alice) if row["message_id"] == stays)
        why = alice.command("queue", "why", row["id"][:8])
        assert "last attempt" in why and "tried again at" in why and "Outgoing" in why, why
        note = next(body for body in alice.bodies("Outgoing").values() if b": stays\r\n" in body).decode()
        assert bob.address in note.replace("=\r\n", ""), note
        assert "delete its note from the mailbox Outgoing" in note.replace("\r\n", " "), note
        assert "submitted" in alice.command("trace", stays) and "filed in Sent" in alice.command("trace", stays)

        # held back on request: there at once, and cancelled in time
        submit(alice, [carol], "held", hold_s=6)
        submit(alice, [carol], "held and cancelled", hold_s=6)
        released = time.monotonic() + 6
        wait_until(lambda: outgoing(alice).get("held") == ["Held"], 5, "a held mail does not stand in Outgoing")
        delete(alice, "held and cancelled", by_moving=False)

        alice.kill()                                       # what is cancelled stays so, what waits waits on
        alice.start()
        delete(alice, "deleted", by_moving=False)
        delete(alice, "moved away", by_moving=True)
        delete(alice, "copied away", by_moving=False, by_copying=True)
        cancelled = lambda: [row for row in queue(alice, "--all") if row["state"] == "failed"]
        wait_until(lambda: len(cancelled()) == 4, 20, "deleting has not cancelled")
        over = cancelled()
        assert len(over) == 4 and all("cancelled" in row["last_error"] for row in over), over
        assert "Nothing more is tried" in alice.command("queue", "why", over[0]["id"])

        # what lies in Trash then says what has become of the mail, not what it waited for
        assert sorted(subjects(alice, "Trash")) == ["Cancelled: copied away", "Cancelled: moved away"]
        for note in alice.bodies("Trash").values():
            text = note.decode().replace("=\r\n", "").replace("\r\n", " ")
            assert "This mail was cancelled" in text and "Nothing more is tried" in text, text
            assert "waits" not in text and "under way" not in text and "tried again" not in text, text
        assert outgoing(alice, "Trash") == {"moved away": ["Cancelled"], "copied away": ["Cancelled"]}

        wait_until(lambda: "held" in subjects(carol), 30, "the held mail did not come")
        assert time.monotonic() >= released - 1
        bob.start()
        wait_until(lambda: {"stays", "to two"} <= set(subjects(bob)), 60, "what waited did not arrive")
        wait_until(lambda: outgoing(alice) == {}, 10, lambda: f"Outgoing is {outgoing(alice)}")
        wait_until(lambda: "signed a receipt" in alice.command("trace", stays), 5, "trace does not tell of the receipt")
        assert "filed in INBOX" in bob.command("trace", stays)
        time.sleep(1)
        assert not {"deleted", "moved away", "copied away"} & set(subjects(bob)), "a cancelled mail was sent"
        assert "held and cancelled" not in subjects(carol)
        assert subjects(alice) == ["Welcome to peerpost"], "cancelling was reported as a failure"

        # a mail of the user's own in that mailbox is nobody's business
        client = alice.imap_client()
        assert client.append("Outgoing", None, None, b"Subject: my own\r\n\r\nbody\r\n")[0] == "OK"
        client.logout()
        submit(alice, [bob], "one more")
        wait_until(lambda: "one more" in subjects(bob), 30, "mail stopped")
        assert outgoing(alice) == {"my own": []}
    print("outgoing: all right")


if __name__ == "__main__":
    main(sys.argv[1])
