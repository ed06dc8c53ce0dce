"""Two daemons, real clients of the standard library: a mail goes all the way, byte for byte, pushed by IDLE; also when
the recipient is away, and with an attachment that is fetched in ranges. Nothing readable is left on disk or in logs."""

import hashlib
import json
import os
import sys
import time

from node import befriend, mail_from, nodes, wait_until

CANARY = "xylophonequasar"


def idle_until_exists(client, count):
    client.send(b"i1 IDLE\r\n")
    assert client.readline().startswith(b"+"), "IDLE was not accepted"
    while True:
        line = client.readline()
        assert line, "the connection was closed in IDLE"
        if line.strip() == b"* %d EXISTS" % count:
            break
    client.send(b"DONE\r\n")
    while not client.readline().startswith(b"i1 OK"):
        pass


def arrived(node, mail, mailbox="INBOX"):
    return any(body.endswith(mail) for body in node.bodies(mailbox).values())


def main(binary):
    with nodes(binary, "alice", "bob", "carol") as (alice, bob, carol):
        for node in (alice, bob, carol):
            node.start()
            welcome = list(node.bodies().values())
            assert len(welcome) == 1 and node.address.encode() in welcome[0], "no welcome mail"
        befriend(alice, bob)

        # pushed to a client in IDLE, and byte for byte what was submitted
        client = bob.imap_client()
        client.select("INBOX")
        mail = mail_from(alice, bob.address, f"about {CANARY}", f"Hello {CANARY}, this is ours.\r\n".encode())
        begun = time.monotonic()
        alice.submit(mail, [bob.address])
        idle_until_exists(client, 2)
        print(f"submission to EXISTS: {(time.monotonic() - begun) * 1000:.1f} ms")
        client.logout()
        assert arrived(bob, mail), "what arrived is not what was submitted"
        received = [b for b in bob.bodies().values() if b.endswith(mail)][0]
        assert received.startswith(b"Delivered-To:") or received.startswith(b"Authentication-Results:"), received[:80]
        assert arrived(alice, mail, "Sent"), "no copy in Sent"
        # the client's own copy is that one; another mail with its Message-ID is not
        client = alice.imap_client()
        client.append("Sent", r"(\Seen)", None, mail)
        assert len(alice.bodies("Sent")) == 1, "the client's copy was filed beside ours"
        client.append("Sent", r"(\Seen)", None, mail + b"and more\r\n")
        assert len(alice.bodies("Sent")) == 2, "another mail was taken for the copy"
        client.logout()
        wait_until(lambda: all(r["state"] == "delivered"
                               for r in json.loads(alice.command("queue", "--json"))["queue"]),
                   10, "no receipt")

        # what is fetched, as larger mails are, has not failed before that
        fetched = mail_from(alice, bob.address, "fetched", b"".join(os.urandom(36).hex().encode() + b"\r\n"
                                                                   for _ in range(2000)))
        alice.submit(fetched, [bob.address])
        name = next(line.split()[1] for line in fetched.decode().splitlines() if line.startswith("Message-ID:"))
        wait_until(lambda: "delivered (to" in alice.command("trace", name), 20, "the mail to be fetched did not arrive")
        assert "failed" not in alice.command("trace", name), alice.command("trace", name)

        # Bcc is taken out, for everybody
        secret = b"Bcc: hidden <" + bob.address.encode() + b">\r\n"
        plain = mail_from(alice, bob.address, "bcc", b"body\r\n")
        head, body = plain.split(b"\r\n\r\n", 1)
        alice.submit(head + b"\r\n" + secret + b"\r\n" + body, [bob.address])
        wait_until(lambda: arrived(bob, plain), 20, "the mail without Bcc did not arrive")
        assert not any(b"hidden" in b for b in bob.bodies().values())

        # a large one goes in ranges; the recipient is away, then comes back; so do mails of one chunk that are too
        # large to come with their notification, more than are asked for at a time
        bob.kill()
        lines = [b"".join(os.urandom(36).hex().encode() + b"\r\n" for _ in range(840)) for _ in range(40)]
        chunks = [mail_from(alice, bob.address, f"chunk {n}", text) for n, text in enumerate(lines)]
        for chunk in chunks:
            alice.submit(chunk, [bob.address])
        large = mail_from(alice, bob.address, "large", b"")
        large += b"".join(os.urandom(36).hex().encode() + b"\r\n" for _ in range(80000))
        alice.submit(large, [bob.address])
        rows = json.loads(alice.command("queue", "--json"))["queue"]
        assert any(r["state"] == "queued" for r in rows), rows
        alice.kill()
        alice.start()
        bob.start()
        wait_until(lambda: arrived(bob, large), 60, "the large mail did not arrive after both came back")
        assert 57336 < len(chunks[0]) <= 65528, "not fetched, or in ranges"
        wait_until(lambda: sum(body.endswith(tuple(chunks)) for body in bob.bodies().values()) == len(chunks), 60,
                   "not every mail of one chunk arrived")
        digest = hashlib.sha256(large).hexdigest()
        got = [b for b in bob.bodies().values() if b.endswith(large)]
        assert len(got) == 1 and hashlib.sha256(got[0][-len(large):]).hexdigest() == digest

        # a stranger's mail is a request
        link = json.loads(bob.command("invite", "--json"))["link"]
        carol.command("contact", "add", link)
        wait_until(lambda: carol.account in bob.command("contact", "list", "--json"), 20,
                   "carol's invite was not noticed")
        hello = mail_from(carol, bob.address, "hello", b"from carol\r\n")
        carol.submit(hello, [bob.address])
        wait_until(lambda: arrived(bob, hello), 20, "carol's mail did not arrive")

        # to oneself, and to nobody
        me = mail_from(alice, alice.address, "note", b"to myself\r\n")
        alice.submit(me, [alice.address])
        assert arrived(alice, me), "a mail to oneself is there at once"
        import smtplib
        for wrong in ("x@" + bob.account[:-1] + "a.peerpost.alt" if bob.account[-1] != "a" else "x@b.peerpost.alt",
                      "someone@example.org"):
            try:
                alice.submit(me, [wrong])
                raise SystemExit(f"{wrong} was accepted")
            except smtplib.SMTPRecipientsRefused as refused:
                assert list(refused.recipients.values())[0][0] == 550

        for node in (alice, bob, carol):
            code, took = node.stop()
            assert code == 0 and took < 2, (node.name, code, took)
        for root, _, files in os.walk(alice.home.parent):
            for name in files:
                path = os.path.join(root, name)
                with open(path, "rb") as file:
                    assert CANARY.encode() not in file.read(), f"the canary word stands in {path}"
    print("two nodes: all right")


if __name__ == "__main__":
    main(sys.argv[1])
