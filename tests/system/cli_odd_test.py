"""The command line where something is odd: text that is no UTF-8, in arguments, names and mails."""

import json
import smtplib
import subprocess
import sys

from node import nodes

NAME_BYTES_MAX = 128


def run(node, *arguments, code=0):
    done = subprocess.run([node.binary, "--home", str(node.home), *arguments], capture_output=True, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done


def answer(node, *arguments):
    """Whatever stands in it, it is JSON: Python's decoder takes nothing but UTF-8."""
    return json.loads(run(node, *arguments, "--json").stdout.decode("utf-8", "strict"))


def strange_names(a, b):
    """A name that others could not read is refused, with and without the daemon; a long one is cut between letters."""
    for name in b"J\xfcrgen", b"two\nlines", b"\x1b[2J", b"x" * (NAME_BYTES_MAX + 1):
        for command in (("account", "name"), ("account", "add", "--name"), ("contact", "add", b.address, "--name"),
                        ("password", "new", "--name")):
            run(a, *command, name, code=64)
        empty = a.home.parent / "refused"
        for command in ("init", "recover", "serve"):
            done = subprocess.run([a.binary, "--home", str(empty), command, "--name", name], capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=60)
            assert done.returncode == 64 and b"UTF-8" in done.stderr and not (empty / "keyring.a").exists(), done
    run(a, "trace", b"<h\xe4llo@x>", code=64)
    assert [account["name"] for account in answer(a, "account", "list")["accounts"]] == ["a"]


def card_with_a_long_name(a, b):
    card = a.home.parent / "long.vcf"
    card.write_text(f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:{'漢' * 60}\r\nEMAIL:{b.address}\r\nEND:VCARD\r\n", "utf-8")
    assert answer(a, "contact", "add", str(card))["name"] == "漢" * (NAME_BYTES_MAX // 3)
    assert answer(a, "contact", "list")["contacts"][0]["name"] == "漢" * (NAME_BYTES_MAX // 3)


def mail_of_old_software(a, b):
    """Its Message-ID is in Latin-1: the queue is told all the same."""
    with smtplib.SMTP("127.0.0.1", a.smtp, timeout=60) as client:
        client.login(a.address, a.password)
        mail = b"From: <%s>\r\nSubject: x\r\nMessage-ID: <h\xe4llo@x>\r\n\r\nbody\r\n" % a.address.encode()
        assert client.sendmail(a.address, [b.address], mail) == {}
    rows = answer(a, "queue")["queue"]
    assert [row["message_id"] for row in rows] == ["<h\ufffdllo@x>"], rows
    assert run(a, "queue").stdout.decode().count("message <h\ufffdllo@x>") == 1
    assert "why" in answer(a, "queue", "why", rows[0]["id"])


def main(binary):
    with nodes(binary, "a", "b") as (a, b):   # b never runs: what is for her waits
        a.start()
        strange_names(a, b)
        card_with_a_long_name(a, b)
        mail_of_old_software(a, b)
        a.stop()
        strange_names(a, b)
        assert len(answer(a, "queue")["queue"]) == 1 and len(answer(a, "contact", "list")["contacts"]) == 1


main(sys.argv[1])
