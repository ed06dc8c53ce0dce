"""The octets of a mail are nobody's to change: odd mails go in by APPEND and by submission, and every way to read them
gives the same octets back and sizes that agree. The sample is made from a fixed seed;
a second argument sets its size."""

import hashlib
import imaplib
import random
import re
import smtplib
import sys

from imap_values import parse
from node import befriend, nodes, wait_until
from odd_mail import shapes

SAMPLE = 60            # mails of the usual run
SEED = 20261122
PARTS_PER_MAIL = 12    # leaves that are fetched one by one and compared with BODYSTRUCTURE

IDENTITY = re.compile(rb"Message-ID: <(\d+)\.identity@example\.org>")

imaplib._MAXLINE = 10_000_000   # a line of a FETCH answer may be long: many parts, long parameters


def mail_of(number, sender, rest):
    return b"From: <%s>\r\nMessage-ID: <%d.identity@example.org>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n" % (
        sender.encode(), number) + rest


def leaves(structure):
    """(section, octets) of every leaf of a parsed BODYSTRUCTURE, numbered as RFC 9051 section 6.4.5 says."""
    def walk(node, prefix):
        if isinstance(node[0], list):
            for i, child in enumerate(c for c in node if isinstance(c, list) and c and is_body(c)):
                yield from walk(child, prefix + [i + 1])
            return
        yield ".".join(map(str, prefix or [1])), int(node[6])
        if (node[0].lower(), node[1].lower()) in ((b"message", b"rfc822"), (b"message", b"global")) and \
                len(node) > 8 and isinstance(node[8], list):
            inner = node[8]
            if isinstance(inner[0], list):
                yield from walk(inner, prefix or [1])
            else:
                yield from walk(inner, (prefix or [1]) + [1])

    def is_body(c):
        return isinstance(c[0], list) or (len(c) >= 7 and isinstance(c[0], bytes) and isinstance(c[1], bytes)
                                          and isinstance(c[6], (bytes, int)))

    def children_first(node):
        # of a multipart only the lists before the subtype are bodies
        if isinstance(node[0], list):
            end = next(i for i, c in enumerate(node) if not isinstance(c, list))
            return [children_first(c) for c in node[:end]] + [node[end]]
        if len(node) > 8 and node[0].lower() == b"message" and isinstance(node[8], list):
            return node[:8] + [children_first(node[8])]
        return node

    yield from walk(children_first(structure), [])


def whole(parts):
    """imaplib's answer to a FETCH of one mail as the bytes between the outermost parentheses, literals in place."""
    out = b""
    for part in parts:
        out += part[0] + b"\r\n" + part[1] if isinstance(part, tuple) else part
    return parse(out[out.index(b"("):])


def items(parts):
    values = whole(parts)
    return {values[i].upper(): values[i + 1] for i in range(0, len(values), 2)}


def fetch(client, uid, what):
    answer, parts = client.uid("FETCH", str(uid), what)
    assert answer == "OK" and parts[0] is not None, (uid, what, parts)
    return items([p for p in parts if p is not None])


def check_views(client, uid, name):
    """All sizes and parts of one mail agree; gives its octets."""
    got = fetch(client, uid, "(RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
    body, header, rest = got[b"BODY[]"], got[b"BODY[HEADER]"], got[b"BODY[TEXT]"]
    assert int(got[b"RFC822.SIZE"]) == len(body) == len(header) + len(rest), (
        name, got[b"RFC822.SIZE"], len(body), len(header), len(rest))
    assert header + rest == body, (name, "HEADER and TEXT are not BODY[]")
    middle = len(body) // 2
    parted = fetch(client, uid, f"(BODY.PEEK[]<0.{max(middle, 1)}>)")
    assert parted[b"BODY[]<0>"] == body[:max(middle, 1)], (name, "the first half")
    parted = fetch(client, uid, f"(BODY.PEEK[]<{middle}.{len(body)}>)")
    assert parted[b"BODY[]<%d>" % middle] == body[middle:], (name, "the second half")
    structure = fetch(client, uid, "(BODYSTRUCTURE)")[b"BODYSTRUCTURE"]
    for section, octets in list(leaves(structure))[:PARTS_PER_MAIL]:
        part = fetch(client, uid, f"(BODY.PEEK[{section}])")[f"BODY[{section}]".encode()]
        assert part != b"NIL" or octets == 3, (name, section, "NIL, but it stands in BODYSTRUCTURE")
        assert len(part) == octets, (name, section, f"BODYSTRUCTURE says {octets}, fetched {len(part)}")
        assert part in body, (name, section, "the octets of a part do not stand in the mail")
    fetch(client, uid, "(ENVELOPE)")
    return body


def by_append(node, mails):
    client = node.imap_client()
    client.create("Odd")
    for number, mail in enumerate(mails):
        # imaplib rewrites line ends of what it appends; these are CRLF or on purpose, so the octets go as they are
        client.literal = mail
        answer, data = client._simple_command("APPEND", "Odd", "()")
        assert answer == "OK", (number, data)
    client.select("Odd", readonly=True)
    for number, mail in enumerate(mails):
        got = check_views(client, number + 1, f"append {number}")
        assert hashlib.sha256(got).digest() == hashlib.sha256(mail).digest(), f"APPEND {number} came back changed"
    client.logout()


def by_submission(sender, recipient, mails):
    before = len(recipient.bodies())
    with smtplib.SMTP("127.0.0.1", sender.smtp, timeout=60) as client:
        client.login(sender.address, sender.password)
        for number, mail in enumerate(mails):
            client.mail(sender.address, ["BODY=8BITMIME", f"SIZE={len(mail)}"])
            client.rcpt(recipient.address)
            code, text_ = client.data(mail)
            assert code == 250, (number, code, text_)
    reader = recipient.imap_client()

    def count():
        reader.select("INBOX", readonly=True)
        return int(reader.untagged_responses["EXISTS"][-1]) - before if "EXISTS" in reader.untagged_responses else \
            len(reader.search(None, "ALL")[1][0].split()) - before
    wait_until(lambda: count() >= len(mails), 60, "not every mail arrived")
    _, uids = reader.uid("SEARCH", "ALL")
    arrived = {}
    for uid in uids[0].split():
        got = check_views(reader, int(uid), f"submission, uid {int(uid)}")
        found = IDENTITY.search(got)
        if found:
            arrived.setdefault(int(found.group(1)), []).append(got)
    for mail in mails:
        number = int(IDENTITY.search(mail).group(1))
        copies = arrived.get(number, [])
        assert len(copies) == 1, f"mail {number} stands {len(copies)} times in the INBOX"
        assert copies[0].endswith(mail), f"mail {number} arrived changed"
    reader.logout()


def submittable(mail):
    """What smtplib's data() passes unchanged: it ends with a line end, and CR and LF come in pairs only."""
    return mail.endswith(b"\r\n") and not re.search(rb"\r(?!\n)|(?<!\r)\n", mail)


def main(binary, sample=SAMPLE):
    dice = random.Random(SEED)
    with nodes(binary, "alice", "bob") as (alice, bob):
        alice.start()
        bob.start()
        befriend(alice, bob)
        source = shapes(dice)
        mails = [mail_of(n, alice.address, next(source)) for n in range(sample)]
        by_append(alice, mails + [b"\r\n", b"x", b"Subject: bare LF\n\nbody\n", b"Subject: bare CR\r\n\r\na\rb\r\n",
                                  b"\r\n\r\nno header at all"])
        by_submission(alice, bob, [m for m in mails if submittable(m)])
    print(f"byte identity: {sample} shapes, all right")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE)
