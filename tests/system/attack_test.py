"""A running daemon under attack from its listeners and its control socket: after each attack it lives, a right login
works at once, memory stays bounded and the CPU comes to rest (06-security 6.1.2 and 6.1.3)."""

import contextlib
import imaplib
import json
import os
import pathlib
import smtplib
import socket
import ssl
import struct
import sys
import time

from node import mail_from, nodes, patience, wait_until
from process import check_memory, cpu_seconds, resident_bytes

GROWTH_BYTES_MAX = 64 << 20          # of any attack here
LOGIN_SECONDS_MAX = 8                # of a right login beside an attack: a hang, not a busy machine
NOOP_SECONDS_MAX = 1                 # of a client that asks for nothing beside one that asks for much
REST_SECONDS = 0.5
REST_CPU_SHARE_MAX = 0.5             # of one core, while nobody asks for anything

# A certificate of the right kind that nobody knows, and one of the wrong kind. They guard nothing.
STRANGER = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICrDZmT3i2hjcBPeytofx8oGnIYf/72ft8pXFZUDNEh8
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBODCB66ADAgECAhRWTVJClwF4OialUe2fY7wIIWv89DAFBgMrZXAwETEPMA0G
A1UEAwwGYXR0YWNrMCAXDTI2MTEyMjA4MTM0MloYDzIxMjYxMDI5MDgxMzQyWjAR
MQ8wDQYDVQQDDAZhdHRhY2swKjAFBgMrZXADIQAKooP3PR22bVAxThN3gW/iXS8/
GZmfEmCGGdjFv4affKNTMFEwHQYDVR0OBBYEFB/lPzXd0/vwwvpmT9v6VZKBSlTB
MB8GA1UdIwQYMBaAFB/lPzXd0/vwwvpmT9v6VZKBSlTBMA8GA1UdEwEB/wQFMAMB
Af8wBQYDK2VwA0EAsVXYGAy+Ybkzr0ri7tXrt6hIiXLQy6iCuzttYAORVbQG7PDK
MlWpIJJG8SonNrn1UjWJXeuY4U8zmKEq1+n1DQ==
-----END CERTIFICATE-----
"""
WRONG_KIND = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgeoAGKwSRnWg5rDwJ
Y+qwU3daHXazuObp6oUcI+mqFYShRANCAAR2ws+qQ0FkIM6ZTGXiJNeNJr6NHByM
8ImmoMwJvyeRmlhbdJKzYIA2m0xNDXPllzRYxciD86C3JgBUXF0XYn1Y
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBeDCCAR+gAwIBAgIUB66GFMKRt3zamYmGOaOH9dR0bocwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGYXR0YWNrMCAXDTI2MTEyMjA4MTM0MloYDzIxMjYxMDI5MDgx
MzQyWjARMQ8wDQYDVQQDDAZhdHRhY2swWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAR2ws+qQ0FkIM6ZTGXiJNeNJr6NHByM8ImmoMwJvyeRmlhbdJKzYIA2m0xNDXPl
lzRYxciD86C3JgBUXF0XYn1Yo1MwUTAdBgNVHQ4EFgQUuX18t/jpGxg8Ncm1QQej
yWlQnlEwHwYDVR0jBBgwFoAUuX18t/jpGxg8Ncm1QQejyWlQnlEwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBEdHX8fkBWTZo+xnhFmodZn1DE1tiz
x8boGlp4rdKRvwIgfNTCp2DYmM+RdzU3q5pyx4FJRvGwxBHmuyK4hyg6eMw=
-----END CERTIFICATE-----
"""


class Victim:
    """The node with what the checks between attacks need."""

    def __init__(self, node):
        self.node, self.pid = node, node.process.pid
        self.attacks = 0
        self.settled = resident_bytes(self.pid)

    def right_login(self):
        begun = time.monotonic()
        for attempts_left in (2, 1, 0):     # in the middle of a flood who has not logged in may be cut to make room
            try:
                with imaplib.IMAP4("127.0.0.1", self.node.imap, timeout=20) as client:
                    client.login(self.node.address, self.node.password)
                break
            except imaplib.IMAP4.abort:
                if not attempts_left:
                    raise
        took = time.monotonic() - begun
        assert took < LOGIN_SECONDS_MAX * patience(), f"a right login took {took:.1f} s"

    def survived(self, what):
        assert self.node.process.poll() is None, f"{what}: the daemon ended with {self.node.process.returncode}"
        self.right_login()
        grown = resident_bytes(self.pid) - self.settled
        check_memory(self.pid, grown, GROWTH_BYTES_MAX, what)

    def rests(self, what):
        before = cpu_seconds(self.pid)
        time.sleep(REST_SECONDS)
        share = (cpu_seconds(self.pid) - before) / REST_SECONDS
        assert share < REST_CPU_SHARE_MAX, f"{what}: the CPU does not rest ({share:.0%})"

    @contextlib.contextmanager
    def attack(self, what):
        begun = time.monotonic()
        try:
            yield
        except Exception as failed:
            ended = self.node.process.poll()
            raise AssertionError(f"{what}: {failed!r}; the daemon has ended with {ended}") from failed
        self.survived(what)
        self.rests(what)
        self.attacks += 1
        print(f"{what}: {time.monotonic() - begun:.1f} s, memory "
              f"{(resident_bytes(self.pid) - self.settled) / (1 << 20):+.1f} MiB", flush=True)


def talk(port, data, seconds=5, keep_open=False):
    """Sends everything, as far as the other side takes it; returns what it said until it closed or fell silent."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), 5) as s:
        s.settimeout(seconds)
        with contextlib.suppress(OSError):
            s.sendall(data)
            if not keep_open:
                s.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            while piece := s.recv(65536):
                said += piece
    return said


def closed(s, seconds):
    """True when the other side ends the connection in time; what it says is thrown away."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        s.settimeout(max(0.01, end - time.monotonic()))
        try:
            if not s.recv(65536):
                return True
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
    return False


def login_line(node, tag=b"a"):
    return tag + b" LOGIN " + node.address.encode() + b" " + node.password.encode() + b"\r\n"


# ---------------------------------------------------------------- bytes that make no sense

def nonsense(victim):
    node = victim.node
    requests = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\na1 LOGIN x y\r\nMAIL FROM:<a@b.alt>\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
        os.urandom(100000), bytes(100000), b"\r\n" * 50000, b"\n" * 50000, b"\xff\xf4\xff\xfd\x06" * 1000,
        b"x" * (8 << 20), b"a " + b"(" * 1000000 + b"\r\n", b"a LOGIN {9223372036854775807}\r\n",
        b"a LOGIN {18446744073709551615+}\r\n", b"a LOGIN {18446744073709551616+}\r\nx",
        b"a LOGIN {" + b"9" * 100000 + b"+}\r\n", b"a LOGIN {4294967296+}\r\n" + b"x" * 100000,
        b"a AUTHENTICATE PLAIN " + b"A" * 1000000 + b"\r\n", b"a LOGIN \"" + b"\\\"" * 500000,
        b"EHLO x\r\nAUTH PLAIN " + b"=" * 100000 + b"\r\n", b"EHLO " + b"x" * 100000 + b"\r\n",
        b"EHLO x\r\nBDAT 18446744073709551615 LAST\r\n" + b"x" * 100000, b"AUTH LOGIN\r\n" + b"\r\n" * 100,
    ]
    for port in (node.imap, node.imaps, node.smtp, node.smtps, node.peer):
        for request in requests:
            talk(port, request)
    for port in (node.imap, node.smtp):
        said = talk(port, requests[1])
        assert b"a1 OK" not in said and b"250" not in said, said[:200]


def nonsense_after_login(victim):
    node = victim.node
    start = login_line(node) + b"b SELECT INBOX\r\n"
    for command in (b"c SEARCH " + b"(" * 1000000 + b"\r\n", b"c SEARCH " + b"NOT " * 20000 + b"ALL\r\n",
                    b"c SEARCH " + b"OR ALL " * 9000 + b"ALL\r\n", b"c FETCH 1 (" + b"BODY[] " * 9000 + b"UID)\r\n",
                    b"c FETCH 1:* BODY[" + b"1." * 30000 + b"1]\r\n", b"c FETCH " + b"1," * 30000 + b"1 UID\r\n",
                    b"c STORE 1 +FLAGS (" + b"x " * 30000 + b"x)\r\n", b"c LIST \"\" " + b"*%" * 30000 + b"x\r\n",
                    b"c LIST \"\" " + b"%*" * 400 + b"x\r\n", b"c CREATE " + b"a/" * 30000 + b"a\r\n",
                    b"c APPEND INBOX {9223372036854775807}\r\n",
                    b"c APPEND INBOX {18446744073709551615+}\r\n" + b"x" * 10000,
                    b"c APPEND INBOX {18446744073709551616+}\r\n",
                    b"c SELECT INBOX (QRESYNC (1 1 " + b"1:4294967295," * 5000 + b"1))\r\n",
                    b"c FETCH 1:4294967295 (BODY.PEEK[]<18446744073709551615.18446744073709551615>)\r\n",
                    b"c UID FETCH 4294967295:1 (UID) (CHANGEDSINCE 18446744073709551615 VANISHED)\r\n",
                    b"c ID (" + b"\"a\" \"b\" " * 8000 + b")\r\n", b"c IDLE\r\n" + b"x" * 1000000,
                    b"c UID EXPUNGE " + b"*:*," * 10000 + b"*\r\n"):
        begun = time.monotonic()
        said = talk(node.imap, start + command + b"\r\nz LOGOUT\r\n", 10)
        assert b"a OK" in said, said[:200]
        assert time.monotonic() - begun < 10, command[:40]


# ---------------------------------------------------------------- many, slow and silent clients

def idle_crowd(victim):
    node = victim.node
    with contextlib.ExitStack() as open_sockets:
        for port in (node.imap, node.smtp):
            for _ in range(1000):
                with contextlib.suppress(OSError):
                    open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            victim.survived("idle connections")
            node.submit(mail_from(node, node.address, "beside a crowd", b"x\r\n"), [node.address])


def half_handshakes(victim):
    node = victim.node
    with contextlib.ExitStack() as open_sockets:
        for port in (node.imaps, node.smtps, node.peer):
            for number in range(700):
                with contextlib.suppress(OSError):
                    s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                    if number % 2:
                        s.send(b"\x16\x03\x01\x02\x00\x01")
            victim.survived("half handshakes")
        trusting = ssl.create_default_context(cafile=node.ca_file)
        with imaplib.IMAP4_SSL("localhost", node.imaps, ssl_context=trusting, timeout=10) as client:
            client.login(node.address, node.password)
        with smtplib.SMTP_SSL("localhost", node.smtps, context=trusting, timeout=10) as client:
            client.login(node.address, node.password)


def never_reads(victim):
    """Clients that ask and never read: each may hold one output buffer, not what it asks for."""
    node = victim.node
    with contextlib.ExitStack() as open_sockets:
        fetches = login_line(node) + b"b SELECT INBOX\r\n" + b"c FETCH 1:* (BODY.PEEK[])\r\n" * 1000
        for port, lines in ((node.imap, fetches), (node.imap, b"a CAPABILITY\r\n" * 10000),
                            (node.smtp, b"EHLO x\r\n" * 10000)):
            for _ in range(5):
                s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", port), 5))
                s.settimeout(0.1)
                with contextlib.suppress(OSError):
                    s.sendall(lines)
        victim.survived("clients that never read")
        # They take the places of strangers: a stranger that does not even read must make room all the same.
        for _ in range(130):
            s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", node.smtp), 5))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.settimeout(0.05)
            with contextlib.suppress(OSError):
                s.sendall(b"EHLO x\r\n" * 600)
        node.submit(mail_from(node, node.address, "beside silence", b"x\r\n"), [node.address])
        victim.survived("strangers that never read")


def unfinished_appends(victim):
    """Clients that send mail after mail in one APPEND (RFC 3502) and never end it:
    what waits may not fill the memory."""
    node, mail = victim.node, b"Subject: x\r\n\r\n" + b"y" * 60000 + b"\r\n"
    with contextlib.ExitStack() as open_sockets:
        for _ in range(6):
            s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", node.imap), 5))
            s.settimeout(60)
            s.sendall(login_line(node) + b"b APPEND INBOX" + (b" {%d+}\r\n" % len(mail) + mail) * 250)
        time.sleep(1)
        victim.survived("mails without an end")


def large_structure(victim):
    """A mail of ten thousand parts with long names, as anybody may send one, and clients that ask for its structure and
    do not read the answers."""
    node = victim.node
    part = b'--b\r\nContent-Type: text/plain; name="' + b"n" * 900 + b'"\r\nContent-Description: ' + b"d" * 600 + \
        b"\r\n\r\nx\r\n"
    mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 9900 + b"--b--\r\n"
    with imaplib.IMAP4("127.0.0.1", node.imap, timeout=60) as client:
        client.login(node.address, node.password)
        client.create("Parts")
        assert client.append("Parts", "", "", mail)[0] == "OK"
    with contextlib.ExitStack() as open_sockets:
        for _ in range(4):
            s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", node.imap), 5))
            s.sendall(login_line(node) + b"b SELECT Parts\r\n" + b"c FETCH 1 (BODYSTRUCTURE)\r\n" * 5)
        time.sleep(3)
        victim.survived("structures that nobody reads")


def large_headers(victim):
    """Mails with headers as large as they may be, as anybody may send them: clients that ask for those of a whole
    mailbox, or for the same one hundreds of times, and do not read the answers."""
    node = victim.node
    mail = b"".join(b"X-%d: %s\r\n" % (i, b"y" * 100) for i in range(9000)) + b"\r\nbody\r\n"
    with imaplib.IMAP4("127.0.0.1", node.imap, timeout=60) as client:
        client.login(node.address, node.password)
        client.create("Headers")
        assert client.append("Headers", "", "", mail)[0] == "OK"
        client.select("Headers")
        for _ in range(6):
            assert client.copy("1:*", "Headers")[0] == "OK"
    same = b" ".join(b"BODY.PEEK[HEADER]<%d.9999999>" % i for i in range(250))
    for lines in (b"c FETCH 1:* (BODY.PEEK[HEADER])\r\n", b"c FETCH 1:* (PREVIEW BODY.PEEK[HEADER])\r\n",
                  b"c FETCH 1 (" + same + b")\r\n"):
        with contextlib.ExitStack() as open_sockets:
            for _ in range(8):
                s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", node.imap), 5))
                s.sendall(login_line(node) + b"b SELECT Headers\r\n" + lines)
            time.sleep(2)
            victim.survived("headers that nobody reads")


def long_patterns(victim):
    """LIST with as many and as long patterns as it takes, none of which matches in the end: others are answered
    meanwhile."""
    node = victim.node
    patterns = " ".join(f'"{"%a" * 480}x{i}"' for i in range(60))
    with imaplib.IMAP4("127.0.0.1", node.imap, timeout=60) as client:
        client.login(node.address, node.password)
        for i in range(100):
            assert client.create(f'"{i:03}{"a" * 990}"')[0] == "OK"
    with socket.create_connection(("127.0.0.1", node.imap), 5) as s:
        s.settimeout(120)
        s.sendall(login_line(node) + f'b LIST "" ({patterns})\r\n'.encode())
        victim.survived("patterns")
        said = b""
        while b"b OK" not in said:
            said += s.recv(65536)
        assert b"* LIST" not in said, said


def references_to_nothing(victim):
    """Mails that answer thousands of mails that never were, as anybody may send them, and clients that want to see
    threads: others are answered meanwhile."""
    node = victim.node
    with imaplib.IMAP4("127.0.0.1", node.imap, timeout=60) as client:
        client.login(node.address, node.password)
        client.create("Threads")
        for i in range(300):
            above = b"\r\n ".join(b"<%d.%d.%s@x>" % (i, j, os.urandom(4).hex().encode()) for j in range(1400))
            mail = b"Message-ID: <%d@x>\r\nReferences: %s\r\nSubject: %d\r\n\r\nx\r\n" % (i, above, i)
            assert client.append("Threads", "", "", mail)[0] == "OK"
    with contextlib.ExitStack() as open_sockets:
        asked = []
        for _ in range(4):
            s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", node.imap), 5))
            s.settimeout(120)
            s.sendall(login_line(node) + b"b SELECT Threads\r\nc THREAD REFERENCES UTF-8 ALL\r\n")
            asked.append(s)
        client = open_sockets.enter_context(imaplib.IMAP4("127.0.0.1", node.imap, timeout=60))
        client.login(node.address, node.password)
        longest, end = 0, time.monotonic() + 4
        while time.monotonic() < end:
            begun = time.monotonic()
            client.noop()
            longest = max(longest, time.monotonic() - begun)
        assert longest < NOOP_SECONDS_MAX * patience(), f"a NOOP beside THREAD took {longest:.1f} s"
        for s in asked:
            said = b""
            while b"c OK" not in said:
                said += s.recv(65536)
            assert said.count(b"(") >= 300, said[-200:]


def slow_client(victim):
    node = victim.node
    with socket.create_connection(("127.0.0.1", node.imap), 5) as s:
        s.settimeout(5)
        for byte in b"a NOOP\r\n":
            s.send(bytes([byte]))
            time.sleep(0.02)
        said = b""
        while b"a OK" not in said:
            said += s.recv(4096)


def floods(victim):
    node = victim.node
    said = talk(node.imap, login_line(node) + b"b SELECT INBOX\r\n" + b"c NOOP\r\n" * 20000 + b"d LOGOUT\r\n", 30)
    assert said.count(b"c OK") == 20000 and b"d OK" in said, (said.count(b"c OK"), said[-100:])
    said = talk(node.smtp, b"EHLO x\r\n" + b"NOOP\r\n" * 20000 + b"QUIT\r\n", 30)
    assert said.count(b"\r\n250 2.0.0") == 20000 or b"421" in said[-200:], said[-200:]


# ---------------------------------------------------------------- logins, injection, smuggling

def guesses(victim):
    node = victim.node
    with contextlib.ExitStack() as open_sockets:
        for _ in range(20):
            s = open_sockets.enter_context(socket.create_connection(("127.0.0.1", node.imap), 5))
            s.sendall(b"".join(b"a LOGIN " + node.address.encode() + b" guess%d\r\n" % n for n in range(100)))
        time.sleep(0.2)
        for _ in range(5):
            victim.right_login()
        begun = time.monotonic()
        node.submit(mail_from(node, node.address, "beside guesses", b"x\r\n"), [node.address])
        assert time.monotonic() - begun < LOGIN_SECONDS_MAX * patience()
    said = talk(node.imap, b"a LOGIN x y\r\n" * 3, 3)
    assert said.count(b"AUTHENTICATIONFAILED") <= 2, "wrong logins are not slowed down"


def starttls_injection(victim):
    node = victim.node
    imap_port, smtp_port = node.imap_starttls, node.smtp_starttls
    trusting = ssl.create_default_context(cafile=node.ca_file)
    for port, before, go, after in ((imap_port, b"a STARTTLS\r\n", b"a OK", b"b LOGIN x y\r\n"),
                                    (imap_port, b"a STARTTLS\r\n", b"a OK", b"b NOOP\r\n"),
                                    (smtp_port, b"EHLO x\r\nSTARTTLS\r\n", b"220 ", b"MAIL FROM:<a@b.alt>\r\n"),
                                    (smtp_port, b"EHLO x\r\nSTARTTLS\r\n", b"220 ", b"NOOP\r\n")):
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.settimeout(5)
            s.recv(4096)
            s.sendall(before + after)
            assert closed(s, 5), "bytes behind STARTTLS did not end the connection"
    # the honest way works, and a password in the clear does not
    with imaplib.IMAP4("127.0.0.1", imap_port, timeout=10) as client:
        try:
            client.login(node.address, node.password)
            raise AssertionError("a login in the clear")
        except imaplib.IMAP4.error:
            pass
    with imaplib.IMAP4("localhost", imap_port, timeout=10) as client:
        client.starttls(trusting)
        client.login(node.address, node.password)
    with smtplib.SMTP("localhost", smtp_port, timeout=10) as client:
        client.starttls(context=trusting)
        client.login(node.address, node.password)


def smuggling(victim):
    node = victim.node
    before = len(node.bodies())
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\r\r\n.\r\r\n", b"\r\n\0.\r\n"):
        with smtplib.SMTP("127.0.0.1", node.smtp, timeout=10) as client:
            client.login(node.address, node.password)
            client.mail(node.address)
            client.rcpt(node.address)
            client.putcmd("DATA")
            client.getreply()
            second = (f"MAIL FROM:<{node.address}>\r\nRCPT TO:<{node.address}>\r\nDATA\r\n").encode()
            client.send(mail_from(node, node.address, "one", b"first") + end + second +
                        mail_from(node, node.address, "two", b"second") + b"\r\n.\r\n")
            code, _ = client.getreply()
            assert code in (250, 550), code
            assert client.noop()[0] == 250
    after = node.bodies()
    assert len(after) - before <= 1, f"{len(after) - before} mails of 8 attempts"
    assert not any(b"Subject: two" in b.split(b"\r\n\r\n")[0] for b in after.values()), "a smuggled mail has arrived"


# ---------------------------------------------------------------- the peer port

def peer_tls(folder, identity, alpn="peerpost/1"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols([alpn])
    if identity:
        file = pathlib.Path(folder) / "identity.pem"
        file.write_text(identity)
        context.load_cert_chain(file)
    return context


def frame(kind, payload, stream=0, flags=0, length=None):
    return struct.pack(">BB", kind, flags) + struct.pack(">I", stream)[1:] + \
        struct.pack(">I", len(payload) if length is None else length)[1:] + payload


def peers(victim):
    node = victim.node
    folder = node.home.parent
    for identity, alpn, why in ((None, "peerpost/1", "no certificate"),
                                (WRONG_KIND, "peerpost/1", "a P-256 certificate"), (STRANGER, "h2", "a wrong ALPN")):
        with socket.create_connection(("127.0.0.1", node.peer), 5) as raw:
            try:
                with peer_tls(folder, identity, alpn).wrap_socket(raw) as s:
                    s.sendall(frame(0, bytes(100)))
                    assert closed(s, 5), f"{why} was taken"
            except (ssl.SSLError, ConnectionError):
                pass
    hello = frame(0, os.urandom(600))
    for data in (os.urandom(4096), b"GET / HTTP/1.1\r\n\r\n", frame(1, b"ping"), frame(9, b""), frame(0, b""), hello,
                 hello * 50, frame(0, b"", length=65536), frame(0, b"", flags=1), frame(200, b"", flags=0x80),
                 frame(3, bytes(8), stream=1), frame(0, bytes(65535)), bytes(1 << 20), frame(100, bytes(1000)) * 1000):
        cuts = victim.node.log_text().count("event=cut")
        with socket.create_connection(("127.0.0.1", node.peer), 5) as raw:
            with peer_tls(folder, STRANGER).wrap_socket(raw) as s:
                with contextlib.suppress(OSError):
                    s.sendall(data)
                assert closed(s, 5), f"a link with {data[:12].hex()} first is not cut"
        wait_until(lambda: node.log_text().count("event=cut") == cuts + 1, 5,
                   lambda: f"not one line about a cut peer ({data[:12].hex()}): {node.log_text()[-500:]}")
    with contextlib.ExitStack() as stack:       # links that never say HELLO are cut, and do not keep others out
        silent = []
        for _ in range(30):
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", node.peer), 5))
            silent.append(stack.enter_context(peer_tls(folder, STRANGER).wrap_socket(raw)))
        victim.survived("links without HELLO")
        assert all(closed(s, 10) for s in silent), "a link without HELLO lives on"


# ---------------------------------------------------------------- the control socket

def control(victim):
    node = victim.node
    path = json.loads(node.command("status", "--json")).get("control") or next(
        str(p) for p in node.home.rglob("*") if p.is_socket())

    def say(data):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(path)
            with contextlib.suppress(OSError):
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            said = b""
            with contextlib.suppress(OSError):
                while piece := s.recv(65536):
                    said += piece
            return said

    for data in (b"", b"\n", os.urandom(5000) + b"\n", b"[" * 100000 + b"\n", b'{"a":' * 100000 + b"\n",
                 b"x" * (4 << 20), b'{"command":1}\n', b'{"command":"no such thing"}\n',
                 b'{"command":"status","arguments":[]}\n', b'{"command":"contact add","arguments":{"link":5}}\n',
                 b'{"command":"contact add","arguments":{"link":"' + b"a" * 500000 + b'"}}\n',
                 b'{"command":"status","arguments":{"' + b"\\u0000" * 1000 + b'":1}}\n', b'{"command":"\xff\xfe"}\n'):
        said = say(data)
        assert b'"result"' not in said or data.startswith(b'{"command":"status"'), (data[:60], said[:200])
    with contextlib.ExitStack() as stack:       # full of silent ones: others are refused, the mail goes on
        for _ in range(40):
            s = stack.enter_context(socket.socket(socket.AF_UNIX))
            s.settimeout(1)
            with contextlib.suppress(OSError):
                s.connect(path)
        victim.survived("silent control connections")
    node.command("status")


def main(binary):
    begun = time.monotonic()
    only = sys.argv[2:]
    with nodes(binary, "alice") as (alice,):
        # The last for itself: what a search has read is kept, and would be held against the bound of those before it.
        for attacks in ((nonsense, nonsense_after_login, slow_client, idle_crowd, half_handshakes, never_reads,
                         unfinished_appends, large_structure, large_headers, long_patterns, floods, guesses,
                         smuggling, peers, control, starttls_injection), (references_to_nothing,)):
            alice.start()
            for _ in range(3):
                alice.imap_client().logout()
            victim = Victim(alice)
            for what in attacks:
                if only and what.__name__ not in only:
                    continue
                with victim.attack(what.__name__):
                    what(victim)
            code, took = alice.stop()
            assert code == 0 and took < 2, (code, took)
    print(f"attacks: all survived in {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1])
