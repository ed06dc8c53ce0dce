"""Nothing of a mail or of the people stands readable on disk or in a log, not even at trace level: a word that is put
everywhere a client can put one is looked for in every file, while the daemons run and after they have stopped."""

import base64
import imaplib
import json
import mmap
import os
import smtplib
import sys

from node import mail_from, nodes, wait_until

WORD = "xylophonequasar"
# As UTF-8, in the three places of base64, in modified UTF-7 (the same letters), in UTF-16.
SHAPES = [WORD.encode(), WORD.upper().encode(), WORD.encode("utf-16-le")]
SHAPES += [base64.b64encode(b"~" * shift + WORD.encode())[4 if shift else 0:][:16].rstrip(b"=") for shift in (0, 1, 2)]


def places(folder, shapes):
    found = []
    for root, folders, files in os.walk(folder):
        found += [os.path.join(root, name) for name in folders + files if WORD in name]
        for name in files:
            path = os.path.join(root, name)
            if os.path.getsize(path) == 0:
                continue
            with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found += [path for shape in shapes if content.find(shape) >= 0]
    return found


def attachment(node, to):
    body = (b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello " + WORD.encode() + b"\r\n--b\r\n"
            b"Content-Type: application/pdf; name=\"" + WORD.encode() +
            b".pdf\"\r\nContent-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=\"" + WORD.encode() + b".pdf\"\r\n\r\n"
            + base64.encodebytes(WORD.encode() * 9000).replace(b"\n", b"\r\n") + b"\r\n--b--\r\n")
    return mail_from(node, f"{WORD} <{to}>", f"about {WORD}", body, MIME_Version="1.0",
                     Content_Type='multipart/mixed; boundary="b"', X_Word=WORD, In_Reply_To=f"<{WORD}@example.org>")


def main(binary):
    with nodes(binary, "alice", "bob", extra_toml='[log]\nlevel = "trace"\n') as (alice, bob):
        for node in (alice, bob):
            node.start()
        link = json.loads(alice.command("invite", "--json"))["link"]
        bob.command("contact", "add", link, "--name", f"{WORD} of the office")
        wait_until(lambda: bob.account in alice.command("contact", "list", "--json"), 20, "no contact")
        alice.command("password", "new", "--name", WORD, check=False)

        small = mail_from(alice, bob.address, f"about {WORD}", f"body {WORD}\r\n".encode())
        large = attachment(alice, bob.address)
        alice.submit(small, [bob.address])
        alice.submit(large, [bob.address])
        wait_until(lambda: len(bob.bodies()) == 3, 20, "the mails did not arrive")

        client = bob.imap_client()
        for name in (WORD, f"{WORD}/below", f"Work/{WORD}"):
            assert client.create(name)[0] == "OK"
        client.subscribe(f"{WORD}/gone")
        client.rename(f"{WORD}/below", f"{WORD}/renamed")
        assert client.append(WORD, f"({WORD}key)", None, small)[0] == "OK"
        client.select(WORD)
        client.uid("STORE", "1", "+FLAGS", f"({WORD}flag)")
        for criteria in (("SUBJECT", WORD), ("BODY", WORD), ("TEXT", WORD), ("HEADER", "X-Word", WORD),
                         ("KEYWORD", WORD + "flag")):
            client.uid("SEARCH", *criteria)
        client.uid("FETCH", "1", "(ENVELOPE BODYSTRUCTURE BODY[HEADER] BODY[TEXT])")
        client.status(WORD, "(MESSAGES)")
        client.list(WORD, "*")
        client.select("INBOX")
        client.uid("COPY", "1:*", f"Work/{WORD}")
        # what goes wrong is logged too
        for wrong in (lambda: client.select(WORD + "nowhere"), lambda: client.xatom("X" + WORD),
                      lambda: client.append(WORD + "nowhere", None, None, small),
                      lambda: imaplib.IMAP4("127.0.0.1", bob.imap).login(bob.address, WORD),
                      lambda: imaplib.IMAP4("127.0.0.1", bob.imap).login(WORD, WORD),
                      lambda: bob.submit(small, [f"{WORD}@example.org"]),
                      lambda: bob.submit(small, [f"{WORD}@{bob.account}.peerpost.alt"]),
                      lambda: bob.submit(small, [bob.address], sender=f"{WORD}@example.org")):
            try:
                wrong()
            except (imaplib.IMAP4.error, smtplib.SMTPException):
                pass
        # a mail that cannot go out: its row is in the queue
        bob.kill()
        alice.submit(attachment(alice, bob.address), [bob.address])
        bob.start()

        folder = alice.home.parent
        planted = folder / "planted"
        planted.write_bytes(b"..." + SHAPES[4] + b"...")
        assert places(folder, SHAPES) == [str(planted)], f"while running: {places(folder, SHAPES)}"   # and it does look
        planted.unlink()
        wait_until(lambda: len(bob.bodies()) >= 4, 30, "the last mail did not arrive")
        logs = alice.log_text() + bob.log_text()
        assert " trace " in logs or " debug " in logs, "the log is not at trace level"
        for node in (alice, bob):
            for secret in (node.password, node.words if isinstance(node.words, str) else " ".join(node.words)):
                assert secret not in logs, "a secret stands in a log"
            assert node.stop()[0] == 0
        found = places(folder, SHAPES)
        assert not found, f"after the stop: {found}"
    print("canary: all right")


if __name__ == "__main__":
    main(sys.argv[1])
