"""Mails with everything odd about them, always the same ones: the dice are the caller's, with a fixed seed. Broken
MIME, odd charsets, RFC 2231, groups, 8-bit headers, empty parts, missing boundaries, deep nesting, weird dates."""

import base64


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
               b"Content-Transfer-Encoding: base64\r\n\r\n" + \
               base64.encodebytes(dice.randbytes(200)).replace(b"\n", b"\r\n")
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
        yield multipart(b, [b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
                            b"Action: failed\r\n",
                            b"Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"],
                        b"report; report-type=delivery-status")
        yield multipart(b, [leaf(dice) for _ in range(2)], b"digest")
        yield b"Content-Type: text/plain; charset=\"a\\\"b\\\\c\"; x=(comment) y\r\n" \
            b"Content-Language: de,\r\n en\r\n\r\nq\r\n"
        yield b"Content-Type: ;;;\r\nContent-Disposition: ;\r\nContent-Transfer-Encoding: \r\n\r\nx\r\n"
        yield b"\r\n.\r\n..\r\n.leading dots\r\n.\r\n\r\n.\r\n"
        yield b"\r\n\r\n\r\n\r\n"
        yield b"Subject: =?utf-8?q?a=20b?= =?x?y?z?=\r\nTo: \"a b\" (c) <>, group: a@b, c@d;, @\r\n\r\nx\r\n"
        yield b"\r\n" + bytes(range(1, 10)) + bytes(range(14, 256)) + b"\r\n"


NAMES = [b"alice", b'"Alice A."', b"=?utf-8?q?J=C3=BCrgen?=", b"=?iso-8859-1?Q?Andr=E9?= Pirard",
         b'"quo\\"ted \\\\ name"', b"=?utf-8?B?5pel5pys6Kqe?=", b'"comma, inside"', b"dotted. name", b"", b'""',
         b"(only a comment)", b"=?x-none?q?unknown_charset?=", b"tab\tinside", b'"\xc3\xbc raw utf-8"',
         b"\xfc raw latin", b"=?utf-8?q?broken"]
BOXES = [b"a@example.org", b"b.c+d@sub.example.org", b'"quoted local"@example.org', b"no-at-sign", b"x@[192.0.2.1]",
         b"a @ example . org", b"(c)a(d)@(e)example.org(f)", b"@route.example,@two.example:a@example.org", b"@",
         b"a@b@c", b"\xc3\xbc@example.org", b"very" + b"long" * 30 + b"@example.org"]
DATES = [b"Sun, 22 Nov 2026 10:00:00 +0000", b"22 Nov 26 10:00 GMT", b"Mon, 1 Jan 2001 00:00:00 -0800 (PST)",
         b"Thu, 30 Feb 2023 25:61:61 +0100", b"yesterday", b"", b"Fri, 31 Dec 1999 23:59:60 +0000",
         b"1 Jan 1970 00:00:00 +0000", b"Sun , 22 Nov 2026\r\n 10:00:00\r\n +1400", b"Sunday, 22-Nov-26 10:00:00 UT",
         b"Sun Nov 22 10:00:00 2026", b"Tue, 15 Mar 1994 08:12:31 EST", b"22 November 2026 10:00:00 +0000"]
SUBJECTS = [b"plain", b"Re: plain", b"Re: Re[2]: Fwd: [list] plain", b"=?utf-8?q?Gr=C3=BC=C3=9Fe?=", b"",
            b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", b"=?koi8-r?B?0NLJ18XU?= =?koi8-r?B?INfBzQ==?=",
            b"\xe4\xf6\xfc latin", b"=?utf-8?q?split=C3?= =?utf-8?q?=BC?=", b"folded\r\n over\r\n\tlines",
            b"=?utf-8?q?a?= plain =?utf-8?q?b?=", "рус 日本 \U0001f600".encode(), b"(fwd) plain (fwd)", b"trailing   ",
            b"a\\b \"c\" {3}", b"=?gb2312?B?xOO6ww==?="]


def address(dice):
    name, box = dice.choice(NAMES), dice.choice(BOXES)
    return box if not name and dice.random() < 0.7 else name + b" <" + box + b">"


def address_list(dice):
    kind = dice.randrange(10)
    if kind == 0:
        return b"group: " + b", ".join(address(dice) for _ in range(dice.randrange(3))) + b";"
    if kind == 1:
        return b"undisclosed-recipients:;"
    if kind == 2:
        return address(dice) + b",\r\n " + b"friends: a@example.org, " + address(dice) + b";, " + address(dice)
    if kind == 3:
        return b", ,, " + address(dice) + b" ,"
    return b", ".join(address(dice) for _ in range(dice.randint(1, 4)))


def header(dice, number):
    """Fields of a mail without the Content-* ones, each of which may be missing, doubled, empty or oddly folded."""
    fields = [(b"Message-ID", b"<%d.odd@example.org>" % number)]
    if dice.random() < 0.95:
        fields.append((b"From", address_list(dice)))
    for name in (b"To", b"Cc", b"Bcc", b"Reply-To", b"Sender"):
        if dice.random() < 0.4:
            fields.append((name, address_list(dice)))
    if dice.random() < 0.95:
        fields.append((b"Subject", dice.choice(SUBJECTS)))
    if dice.random() < 0.9:
        fields.append((b"Date", dice.choice(DATES)))
    if number > 2 and dice.random() < 0.5:
        parent = b"<%d.odd@example.org>" % dice.randrange(number)
        fields.append((b"In-Reply-To", parent))
        fields.append((b"References", parent + b"\r\n <%d.odd@example.org>" % dice.randrange(number)))
    if dice.random() < 0.1:
        fields.append(dice.choice(fields))
    dice.shuffle(fields)
    out = b""
    for name, value in fields:
        name = dice.choice([name, name, name, name.upper(), name.lower()])
        out += name + dice.choice([b": ", b": ", b": ", b":", b":\t", b" : ", b":\r\n "]) + value + b"\r\n"
    return out


def odd_mails(dice):
    """Whole mails, endlessly: an odd header before an odd shape."""
    source = shapes(dice)
    number = 0
    while True:
        number += 1
        yield header(dice, number) + next(source)
