"""Mails too large to hold: generated, submitted, appended and fetched in pieces."""

import base64
import hashlib
import re
import socket

PIECE = 1 << 20
LINE = b"peerpost carries this line without holding the mail, %08d %s\r\n"


class LargeMail:
    """The same bytes every time it is walked through."""

    def __init__(self, node, to, size, tag):
        self.head = (f"From: {node.name} <{node.address}>\r\nTo: {to}\r\nSubject: {tag}\r\n"
                     f"Message-ID: <{tag}@{node.account}.peerpost.alt>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
                     "\r\n").encode()
        self.body_pieces = size // PIECE
        line = LINE % (0, tag.encode())
        lines = b"".join(LINE % (n, tag.encode()) for n in range((PIECE - 14) // len(line)))
        self.filler = lines + b"x" * (PIECE - len(lines) - 14) + b"\r\n"
        self.size = len(self.head) + self.body_pieces * PIECE

    def pieces(self):
        yield self.head
        for n in range(self.body_pieces):
            yield b"%010d\r\n" % n + self.filler

    def sha256(self):
        digest = hashlib.sha256()
        for piece in self.pieces():
            digest.update(piece)
        return digest.hexdigest()


class Lines:
    def __init__(self, port, timeout):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb", PIECE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def say(self, line):
        self.socket.sendall(line + b"\r\n")


class Smtp(Lines):
    def __init__(self, node, timeout=120):
        super().__init__(node.smtp, timeout)
        self.reply(b"220")
        self.command(b"EHLO test", b"250")
        secret = base64.b64encode(f"\0{node.address}\0{node.password}".encode())
        self.command(b"AUTH PLAIN " + secret, b"235")
        self.sender = node.address

    def reply(self, expected):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                break
        assert line.startswith(expected), line
        return line

    def command(self, line, expected):
        self.say(line)
        return self.reply(expected)

    def begin(self, to):
        self.command(f"MAIL FROM:<{self.sender}>".encode(), b"250")
        self.command(f"RCPT TO:<{to}>".encode(), b"250")
        self.command(b"DATA", b"354")

    def submit(self, mail, to):
        self.begin(to)
        for piece in mail.pieces():
            self.socket.sendall(piece)
        self.command(b".", b"250")


class Imap(Lines):
    def __init__(self, node, timeout=120):
        super().__init__(node.imap, timeout)
        self.file.readline()
        self.command(f'LOGIN "{node.address}" "{node.password}"'.encode())

    def command(self, line):
        self.say(b"t " + line)
        return self.tagged()

    def tagged(self):
        lines = []
        while True:
            line = self.file.readline()
            assert line, "the connection was closed"
            lines.append(line)
            if line.startswith(b"t "):
                assert line.startswith(b"t OK"), lines
                return lines

    def append(self, mail, mailbox):
        self.say(b"t APPEND %s {%d}" % (mailbox.encode(), mail.size))
        line = self.file.readline()
        assert line.startswith(b"+"), line
        for piece in mail.pieces():
            self.socket.sendall(piece)
        self.socket.sendall(b"\r\n")
        return int(re.search(rb"APPENDUID \d+ (\d+)", self.tagged()[-1]).group(1))

    def sizes(self):
        """{uid: RFC822.SIZE} of the selected mailbox."""
        found = {}
        for line in self.command(b"UID FETCH 1:* (RFC822.SIZE)"):
            uid, size = re.search(rb"UID (\d+)", line), re.search(rb"RFC822.SIZE (\d+)", line)
            if uid and size:
                found[int(uid.group(1))] = int(size.group(1))
        return found

    def body_sha256(self, uid, last_bytes):
        """The hash of the last so many bytes of a mail, which is read in pieces and dropped."""
        self.say(b"t UID FETCH %d (BODY.PEEK[])" % uid)
        left = int(re.search(rb"\{(\d+)\}", self.file.readline()).group(1))
        skip, digest = left - last_bytes, hashlib.sha256()
        while left:
            data = self.file.read(min(PIECE, left))
            assert data, "the connection was closed in the middle of a mail"
            left -= len(data)
            dropped = min(skip, len(data))
            skip -= dropped
            digest.update(data[dropped:])
        self.tagged()
        return digest.hexdigest()


def rss_peak_kib(node):
    with open(f"/proc/{node.process.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))
