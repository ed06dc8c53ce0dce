"""A client that believes what it is told: one IMAP connection, and what of the selected mailbox follows from the
server's lines alone (RFC 9051 section 5.2, RFC 7162 sections 3.2.5 and 6)."""

import re
import socket


class Session:
    def __init__(self, node, enable=""):
        self.socket = socket.create_connection(("127.0.0.1", node.imap), 60)
        self.input = self.socket.makefile("rb")
        self.counter, self.running = 0, ""
        self.view, self.validity, self.modseq = [], 0, 0      # view: [uid or 0, flags or None]
        self.qresync = "QRESYNC" in enable
        self._code, self._seen, self.resync = None, 0, None
        self.line()
        self.ok(f'LOGIN "{node.address}" "{node.password}"')
        if enable:
            self.ok(f"ENABLE {enable}")

    def close(self):
        self.socket.close()

    def line(self):
        """One response with its literals, without the last CRLF."""
        text = b""
        while True:
            part = self.input.readline()
            assert part.endswith(b"\r\n"), f"the connection ended after {text + part!r}"
            text += part
            literal = re.search(rb"\{(\d+)\}\r\n$", part)
            if not literal:
                return text[:-2].decode("latin-1")   # bytes as they are
            text += self.input.read(int(literal.group(1)))

    def command(self, text):
        """(lines, the tagged one without its tag)"""
        self.counter += 1
        tag, self.running = f"t{self.counter}", text
        self.socket.sendall(f"{tag} {text}\r\n".encode("latin-1"))
        lines = []
        while True:
            line = self.line()
            if line.startswith(tag + " "):
                break
            lines.append(line)
            self.take(line)
        answer = line[len(tag) + 1:]
        self._note_code(answer)
        self.modseq = self._code if self._code is not None else max(self.modseq, self._seen)
        self._code, self._seen = None, 0
        if self.resync is not None:
            self._place()
            self.resync = None
        self.running = ""
        return lines, answer

    def ok(self, text):
        lines, answer = self.command(text)
        assert answer.startswith("OK"), f"{text}: {answer}"
        return lines

    def next_told(self, seconds=20):
        """What comes while no command runs (NOTIFY), or in IDLE."""
        self.socket.settimeout(seconds)
        line = self.line()
        self.socket.settimeout(60)
        self.take(line)
        return line

    # ---- what is believed

    def select(self, box, cache=None):
        self.view = []
        parameters = ""
        if cache:
            self.resync = dict(cache["mails"])
            self.placed = False
            parameters = f" (QRESYNC ({cache['validity']} {cache['modseq']}))"
        lines = self.ok(f"SELECT {box}{parameters}")
        if not cache:
            self.ok("UID FETCH 1:* (FLAGS)")
        return lines

    def cache(self):
        assert all(uid and flags is not None for uid, flags in self.view)
        return {"validity": self.validity, "modseq": self.modseq, "mails": dict(map(tuple, self.view))}

    def take(self, line):
        self._note_code(line)
        if match := re.match(r"\* OK \[UIDVALIDITY (\d+)\]", line):
            self.validity = int(match.group(1))
        elif match := re.match(r"\* (\d+) EXISTS", line):
            count = int(match.group(1))
            if self.running.startswith("SELECT"):
                self.view = []
            else:
                assert count > len(self.view), f"EXISTS does not grow: {line}"
            self.view += [[0, None] for _ in range(count - len(self.view))]
        elif match := re.match(r"\* (\d+) EXPUNGE", line):
            assert not self.qresync, "EXPUNGE with QRESYNC"
            assert not re.match("FETCH|STORE|SEARCH", self.running), f"{line} during {self.running}"
            del self.view[int(match.group(1)) - 1]
        elif match := re.match(r"\* VANISHED( \(EARLIER\))? (\S+)", line):
            assert self.qresync, "VANISHED without QRESYNC"
            for uid in numbers(match.group(2)):
                if match.group(1):
                    assert all(uid != one for one, _ in self.view), f"{line}: {uid} is there"
                    if self.resync is not None:
                        self.resync.pop(uid, None)
                else:
                    assert not re.match("FETCH|STORE|SEARCH", self.running), f"{line} during {self.running}"
                    at = [i for i, mail in enumerate(self.view) if mail[0] == uid]
                    if not at:   # its UID was never told: it stands below the first greater one
                        above = [i for i, mail in enumerate(self.view) if mail[0] > uid] or [len(self.view)]
                        at = [i for i in (above[0] - 1,) if i >= 0 and self.view[i][0] == 0]
                    assert at, f"{line}: never told of {uid}"
                    del self.view[at[0]]
        elif match := re.match(r"\* (\d+) FETCH \((.*)\)$", line, re.S):
            self._place()
            mail = self.view[int(match.group(1)) - 1]
            if uid := re.search(r"UID (\d+)", match.group(2)):
                assert mail[0] in (0, int(uid.group(1))), f"{line}: the UID was {mail[0]}"
                mail[0] = int(uid.group(1))
            if flags := re.search(r"FLAGS \(([^)]*)\)", match.group(2)):
                mail[1] = set(flags.group(1).split()) - {"\\Recent"}
            if modseq := re.search(r"MODSEQ \((\d+)\)", match.group(2)):
                self._seen = max(self._seen, int(modseq.group(1)))

    def _note_code(self, line):
        if match := re.search(r"\[HIGHESTMODSEQ (\d+)\]", line):
            self._code = int(match.group(1))

    def _place(self):
        """After VANISHED (EARLIER) what was kept is what comes first in the mailbox."""
        if self.resync is None or self.placed:
            return
        self.placed = True
        for at, uid in enumerate(sorted(self.resync)):
            self.view[at] = [uid, self.resync[uid]]


def numbers(text):
    for part in text.split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)
