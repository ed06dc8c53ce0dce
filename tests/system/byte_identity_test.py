"""The octets of a mail are nobody's to change: odd mails go in by APPEND and by submission, and every way to read them
gives the same octets back and sizes that agree. The sample is made from a fixed seed; a second argument sets its size."""

import base64
import hashlib
import imaplib
import random
import re
import smtplib
import sys

from node import befriend, nodes, wait_until

SAMPLE = 60            # mails of the usual run
SEED = 20261122
PARTS_PER_MAIL = 12    # leaves that are fetched one by one and compared with BODYSTRUCTURE

IDENTITY = re.compile(rb"Message-ID: <(\d+)\.identity@example\.org>")

imaplib._MAXLINE = 10_000_000   # a line of a FETCH answer may be long: many parts, long parameters


def multipart(boundary, parts, kind=b"mixed", last=True, preamble=b"", epilogue=b""):
    out = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\n' % (kind, boundary) + preamble
    for part in parts:
        out += b"\r\n--" + boundary + b"\r\n" + part
    return out + (b"\r\n--" + boundary + b"--\r\n" + epilogue if last else b"")


def text(dice, lines):
    return b"".join(b"%d %s\r\n" % (i, dice.randbytes(dice.randint(0, 30)).hex().encode()) for i in range(lines))


def leaf(dice):
    kind = dice.randrange(6)
    if kind == 0:
        return b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + \
               "Grüße\r\n".encode() * dice.randint(0, 5)
    if kind == 1:
        return b"Content-Type: application/octet-stream; name*0*=utf-8''a%C3%BC; name*1=\"b c\"\r\n" \
               b"Content-Disposition: attachment;\r\n filename*=iso-8859-1'de'%FC.bin\r\n" \
               b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(dice.randbytes(200)).replace(b"\n", b"\r\n")
    if kind == 2:
        return b"\r\n" + text(dice, dice.randint(0, 4))
    if kind == 3:
        return b"Content-Type: text/html\r\nContent-ID: <x@y>\r\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n\r\n<p>" + \
               text(dice, 2) + b"</p>"
    if kind == 4:
        return b"Content-Type: message/rfc822\r\n\r\nFrom: in@example.org\r\nSubject: inner\r\n" + \
               (multipart(b"in%d" % dice.randrange(99), [leaf(dice), leaf(dice)]) if dice.random() < 0.5
                else b"\r\n" + text(dice, 3))
    return b"Content-Type: text/plain\r\n\r\n"   # an empty body


def shapes(dice):
    """The rest of a mail (fields after the addresses, blank line, body), endlessly, every odd shape in turn."""
    n = 0
    while True:
        n += 1
        b = b"b%d_%s" % (n, dice.randbytes(4).hex().encode())
        yield b"\r\n" + text(dice, dice.randint(1, 20))
        yield b""                                                               # the header only, no blank line
        yield b"\r\n"                                                           # an empty body
        yield b"\r\nno line break at the end"
        yield b"X-Eight-Bit: \xfc\xff\xe9 raw\r\nX-Utf8: " + "ünïcödé".encode() + b"\r\n\r\n\xe4\xf6\xfc\r\n"
        yield b"\r\n" + b"x" * 100_000 + b"\r\nend\r\n"                         # one line far too long
        yield b"X-Long: " + b"y" * 20_000 + b"\r\n\r\nbody\r\n"
        yield b"X-Fold:\r\n \r\n\t\r\n  odd\r\n\tfolding \r\nX-Empty:\r\nNoColonHere\r\n\r\nbody\r\n"
        yield multipart(b, [leaf(dice) for _ in range(3)])
        yield multipart(b, [leaf(dice) for _ in range(2)], last=False)           # never closed
        yield b'Content-Type: multipart/mixed; boundary="missing"\r\n\r\nthere is no such line\r\n'
        yield b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nno parameter\r\n--x--\r\n"
        yield multipart(b, [leaf(dice) for _ in range(120)])
        yield multipart(b, [], last=True)
        yield multipart(b, [multipart(b + b"x", [leaf(dice), leaf(dice)], b"alternative"), leaf(dice)])
        yield multipart(b, [multipart(b, [leaf(dice)]), leaf(dice)])             # one boundary on two levels
        yield multipart(b, [multipart(b + b"inner", [leaf(dice)], last=False), leaf(dice)])
        yield multipart(b, [leaf(dice)], preamble=b"preamble " * 30, epilogue=b"epilogue\r\n" * 3)
        yield multipart(b, [b"\r\n" + b"--" + b + b"not the boundary\r\n", leaf(dice)])
        yield b"Content-Type: message/rfc822\r\n\r\n" * 8 + b"Subject: deep\r\n\r\ndeep\r\n"
        yield b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeA0KDQp4DQo=\r\n"
        yield multipart(b, [b"Content-Type: text/plain\r\n\r\nsigned\r\n",
                            b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n"
                            b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQ==\r\n-----END PGP SIGNATURE-----\r\n"],
                        b'signed; micalg=pgp-sha512; protocol="application/pgp-signature"')
        yield b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n' \
              b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(dice.randbytes(3000)) + b"\r\n"
        yield multipart(b, [b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n", leaf(dice)], b"encrypted")
        yield multipart(b, [b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nAction: failed\r\n",
                            b"Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"], b"report; report-type=delivery-status")
        yield multipart(b, [leaf(dice) for _ in range(2)], b"digest")
        yield b"Content-Type: text/plain; charset=\"a\\\"b\\\\c\"; x=(comment) y\r\nContent-Language: de,\r\n en\r\n\r\nq\r\n"
        yield b"Content-Type: ;;;\r\nContent-Disposition: ;\r\nContent-Transfer-Encoding: \r\n\r\nx\r\n"
        yield b"\r\n.\r\n..\r\n.leading dots\r\n.\r\n\r\n.\r\n"
        yield b"\r\n\r\n\r\n\r\n"
        yield b"Subject: =?utf-8?q?a=20b?= =?x?y?z?=\r\nTo: \"a b\" (c) <>, group: a@b, c@d;, @\r\n\r\nx\r\n"
        yield b"\r\n" + bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n"


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


def parse(data):
    """One parenthesised IMAP value (bytes with literals in place) as nested lists of bytes."""
    at = 0

    def value():
        nonlocal at
        c = data[at:at + 1]
        if c == b"(":
            at += 1
            out = []
            while data[at:at + 1] != b")":
                if data[at:at + 1] == b" ":
                    at += 1
                else:
                    out.append(value())
            at += 1
            return out
        if c == b'"':
            end = at + 1
            while data[end:end + 1] != b'"':
                end += 2 if data[end:end + 1] == b"\\" else 1
            got = re.sub(rb"\\(.)", rb"\1", data[at + 1:end])
            at = end + 1
            return got
        if c == b"{":
            end = data.index(b"}\r\n", at)
            size = int(data[at + 1:end])
            at = end + 3 + size
            return data[end + 3:at]
        end = re.compile(rb"[ ()]|$").search(data, at).start()
        assert end > at, f"cannot read {data[at:at + 40]!r}"
        got = data[at:end]
        at = end
        return got

    got = value()
    assert at == len(data), f"after the value stands {data[at:at + 40]!r}"
    return got


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
