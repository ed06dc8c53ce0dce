"""What an IMAP server answers, as nested lists of bytes; and a client that gives FETCH answers so."""

import re
import socket


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
        end = re.compile(rb"[ ()\[]|$").search(data, at).start()
        if data[end:end + 1] == b"[":   # BODY[HEADER.FIELDS (..)]<0>: one word, whatever stands between the brackets
            end = re.compile(rb"[ ()]|$").search(data, data.index(b"]", end)).start()
        assert end > at, f"cannot read {data[at:at + 40]!r}"
        got = data[at:end]
        at = end
        return got

    got = value()
    assert at == len(data), f"after the value stands {data[at:at + 40]!r}"
    return got



class Wire:
    """A plain connection: commands with LITERAL+, answers split at line ends outside of literals."""

    def __init__(self, port, user, password, timeout=120):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.socket.makefile("rb")
        self.tags = 0
        self.file.readline()
        self.run(b'LOGIN "%s" "%s"' % (user.encode(), password.encode()))

    def send(self, command):
        self.tags += 1
        tag = b"t%d" % self.tags
        self.socket.sendall(tag + b" " + command + b"\r\n")
        return tag

    def line(self):
        out = b""
        while True:
            got = self.file.readline()
            assert got, "the connection was closed"
            out += got
            literal = re.search(rb"\{(\d+)\}\r\n$", got)
            if not literal:
                return out[:-2]
            out += self.file.read(int(literal.group(1)))

    def wait(self, tag, accept=(b"OK",)):
        """Untagged lines and the tagged one."""
        untagged = []
        while True:
            line = self.line()
            if line.startswith(tag + b" "):
                assert line.split(b" ", 2)[1] in accept, line[:300]
                return untagged, line
            untagged.append(line)

    def run(self, command, accept=(b"OK",)):
        return self.wait(self.send(command), accept)

    def append(self, mailbox, mail, flags=b"", date=None):
        when = b'"%s" ' % date if date else b""
        return self.send(b"APPEND %s (%s) %s{%d+}\r\n" % (mailbox, flags, when, len(mail)) + mail)

    def fetch(self, uids, what):
        """{uid: {item: value}} of one UID FETCH."""
        out = {}
        for line in self.run(b"UID FETCH %s %s" % (uids, what))[0]:
            found = re.match(rb"\* \d+ FETCH ", line)
            if found:
                values = parse(line[found.end():])
                got = {values[i].upper(): values[i + 1] for i in range(0, len(values), 2)}
                out.setdefault(int(got.pop(b"UID")), {}).update(got)
        return out

    def search(self, keys, returning=b"SEARCH"):
        """The numbers of an untagged SEARCH or SORT answer; None when the server refuses."""
        untagged, tagged = self.run(keys, (b"OK", b"NO", b"BAD"))
        if tagged.split(b" ", 2)[1] != b"OK":
            return None
        return [int(n) for line in untagged if line.startswith(b"* " + returning) for n in line.split()[2:]
                if n.isdigit()]
