"""What submission offers beyond the daily work: BINARYMIME byte for byte to the recipient's BODY[] (RFC 3030), mails
that are held (RFC 4865) over a restart, VRFY, LIMITS."""

import datetime
import email
import json
import os
import smtplib
import sys
import time

from node import befriend, mail_from, nodes, wait_until

HOLD_S = 12   # long enough for a restart


def session(node):
    client = smtplib.SMTP("127.0.0.1", node.smtp, timeout=60)
    client.ehlo()
    client.login(node.address, node.password)
    return client


def said(client, *command, expect):
    code, text = client.docmd(*command)
    assert code == expect, (command, code, text)
    return text


def chunks(client, mail, sizes):
    at = 0
    for size in sizes:
        client.send(f"BDAT {size}\r\n".encode() + mail[at:at + size])
        assert client.getreply()[0] == 250
        at += size
    client.send(f"BDAT {len(mail) - at} LAST\r\n".encode() + mail[at:])
    return client.getreply()


def binary(alice, bob):
    """NUL, lone CR and LF, dots, no line end at the end; the header must be lines nonetheless."""
    part = bytes(range(256)) + b"\r\n.\r\n\n.\n\r\r\n\0" + os.urandom(100000) + b"\r"
    mail = mail_from(alice, bob.address, "binary", part, Mime_Version="1.0", Content_Type="application/octet-stream",
                     Content_Transfer_Encoding="binary")
    with session(alice) as client:
        assert "binarymime" in client.esmtp_features and "chunking" in client.esmtp_features
        assert client.esmtp_features["limits"] == "RCPTMAX=100", client.esmtp_features
        said(client, "VRFY", bob.address, expect=252)
        said(client, f"MAIL FROM:<{alice.address}>", "BODY=BINARYMIME", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", expect=250)
        said(client, "DATA", expect=503)
        said(client, "RSET", expect=250)
        said(client, f"MAIL FROM:<{alice.address}>", f"BODY=BINARYMIME SIZE={len(mail)}", expect=250)
        for to in (bob.address, alice.address):
            said(client, f"RCPT TO:<{to}>", expect=250)
        code, text = chunks(client, mail, [1, 70, 65536, 0])
        assert code == 250, text
        # the same without the parameter is refused, and so is a header that is not made of lines
        said(client, f"MAIL FROM:<{alice.address}>", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", expect=250)
        assert chunks(client, mail, [])[0] == 550
        said(client, f"MAIL FROM:<{alice.address}>", "BODY=BINARYMIME", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", expect=250)
        assert chunks(client, mail.replace(b"Subject: ", b"X: y\nSubject: ", 1), [])[0] == 550
    assert mail in alice.bodies("Sent").values()
    assert mail in alice.bodies().values()
    wait_until(lambda: any(b.endswith(mail) for b in bob.bodies().values()), 30,
               "the binary mail did not arrive as it was")


def held(alice, bob):
    mails = [mail_from(alice, bob.address, f"held {n}", b"later\r\n") for n in range(2)]
    before = len(bob.bodies()), len(alice.bodies()), len(alice.bodies("Sent"))
    begun = time.time()
    until = datetime.datetime.fromtimestamp(int(begun) + HOLD_S, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    with session(alice) as client:
        seconds, moment = client.esmtp_features["futurerelease"].split()
        assert int(seconds) == 90 * 86400 and len(moment) == 20, (seconds, moment)
        said(client, f"MAIL FROM:<{alice.address}>", "HOLDFOR=7776001", expect=501)
        said(client, f"MAIL FROM:<{alice.address}>", f"HOLDFOR=1 HOLDUNTIL={until}", expect=501)
        for mail, how in zip(mails, (f"HOLDFOR={HOLD_S}", f"HOLDUNTIL={until}")):
            said(client, f"MAIL FROM:<{alice.address}>", how, expect=250)
            for to in (bob.address, alice.address):
                said(client, f"RCPT TO:<{to}>", expect=250)
            assert client.data(mail)[0] == 250
        # a moment that is past holds nothing
        said(client, f"MAIL FROM:<{alice.address}>", "HOLDUNTIL=2001-01-01T00:00:00Z", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", expect=250)
        assert client.data(mail_from(alice, bob.address, "at once", b"now\r\n"))[0] == 250
    wait_until(lambda: len(bob.bodies()) == before[0] + 1, 10, "the mail that is not held did not come")
    assert len(alice.bodies("Sent")) == before[2] + 3   # the copies in Sent are there at once
    def queue():
        return json.loads(alice.command("queue", "--json"))["queue"]

    wait_until(lambda: len(queue()) == 4, 2, "the receipt was not booked")   # with the next commit, or 200 ms later
    rows = queue()
    assert len(rows) == 4 and all(r["held_until"] and r["attempts"] == 0 for r in rows), rows
    assert "held until 20" in alice.command("queue")
    alice.kill()
    alice.start()
    assert time.time() < begun + HOLD_S - 2, "the machine is too slow for this test"
    time.sleep(max(0, begun + HOLD_S - 2 - time.time()))
    assert len(bob.bodies()) == before[0] + 1 and len(alice.bodies()) == before[1], "a held mail came too early"
    wait_until(lambda: len(bob.bodies()) == before[0] + 3, 40, "the held mails did not come")
    wait_until(lambda: len(alice.bodies()) == before[1] + 2, 10, "the held mails to oneself did not come")
    wait_until(lambda: not json.loads(alice.command("queue", "--json"))["queue"], 20, "the queue is not empty")
    assert time.time() >= begun + HOLD_S - 1
    time.sleep(1)
    assert len(bob.bodies()) == before[0] + 3 and len(alice.bodies()) == before[1] + 2, "a held mail came twice"


def reports(alice, bob):
    """Delivery status notifications (RFC 3461): of success when it is asked for, as one mail for each recipient."""
    mail = mail_from(alice, bob.address, "reported", b"hello\r\n")
    before = set(alice.bodies())
    with session(alice) as client:
        assert "dsn" in client.esmtp_features
        said(client, f"MAIL FROM:<{alice.address}>", "RET=FULL ENVID=mine+2B1", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", f"NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{bob.address}", expect=250)
        # another address of the same account: one mail, and what is asked for either of them counts
        other = "other@" + alice.address.partition("@")[2]
        said(client, f"RCPT TO:<{other}>", "NOTIFY=NEVER", expect=250)
        said(client, f"RCPT TO:<{alice.address}>", "NOTIFY=SUCCESS", expect=250)
        assert client.data(mail)[0] == 250
        # nobody is told of a mail without a sender, nor of one with NOTIFY=NEVER
        said(client, "MAIL FROM:<>", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", "NOTIFY=SUCCESS", expect=250)
        assert client.data(mail_from(alice, bob.address, "silent 1", b"x\r\n"))[0] == 250
        said(client, f"MAIL FROM:<{alice.address}>", expect=250)
        said(client, f"RCPT TO:<{bob.address}>", "NOTIFY=NEVER", expect=250)
        assert client.data(mail_from(alice, bob.address, "silent 2", b"x\r\n"))[0] == 250

    def three_new():
        new = {uid: mail for uid, mail in alice.bodies().items() if uid not in before}
        return new if len(new) == 3 else None

    new = wait_until(three_new, 30, "the reports did not come")
    texts = list(new.values())
    assert texts.count(mail) == 1
    found = set()
    for text in texts:
        if text == mail:
            continue
        report = email.message_from_bytes(text)
        assert report.get_content_type() == "multipart/report" and report.get_param("report-type") == "delivery-status"
        people, status, header = report.get_payload()
        assert people.get_content_type() == "text/plain"
        assert header.get_content_type() == "text/rfc822-headers" and "Subject: reported" in header.get_payload()
        whole, one = status.get_payload()
        assert whole["Original-Envelope-Id"] == "mine+1" and whole["Reporting-MTA"].startswith("dns; ")
        assert one["Action"] == "delivered" and one["Status"].startswith("2.")
        found.add(one["Final-Recipient"])
        words = people.get_payload(decode=True).decode()
        signed = bob.address in one["Final-Recipient"]   # nobody signs for what stays on this computer
        assert ("signed for it" in words) == signed and ("filed on this computer" in words) != signed, words
    assert found == {f"rfc822; {bob.address}", f"rfc822; {alice.address}"}, found
    time.sleep(1)
    assert len(set(alice.bodies()) - before) == 3, "somebody was told who should not be"


def main(binary_file):
    with nodes(binary_file, "alice", "bob") as (alice, bob):
        alice.start()
        bob.start()
        befriend(alice, bob)
        binary(alice, bob)
        reports(alice, bob)
        held(alice, bob)
        for node in (alice, bob):
            code, _ = node.stop()
            assert code == 0
    print("submission: all right")


if __name__ == "__main__":
    main(sys.argv[1])
