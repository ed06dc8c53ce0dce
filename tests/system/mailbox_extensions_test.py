"""The mailbox, message and transport side of IMAP over real sockets: what APPEND, REPLACE, METADATA, QUOTA, OBJECTID,
PREVIEW, BINARY and COMPRESS promise must hold between client, daemon and disk, also after a restart and a rebuild."""

import re
import socket
import ssl
import sys
import time
import zlib

from node import nodes
from process import check_memory, resident_bytes


class Line:
    """A client that says exactly what it is told to: bytes out, whole responses in; deflated when asked."""

    def __init__(self, node, login=True, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", node.imaps if tls else node.imap), 30)
        if tls:
            context = ssl.create_default_context(cafile=node.ca_file)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer, self.tags, self.deflate, self.inflate = b"", 0, None, None
        assert self.line().startswith(b"* OK")
        if login:
            self.ok(f'LOGIN "{node.address}" "{node.password}"')

    def send(self, data):
        if self.deflate:
            data = self.deflate.compress(data) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        self.socket.sendall(data)

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the connection is closed")
        self.buffer += self.inflate.decompress(data) if self.inflate else data

    def take(self, n):
        while len(self.buffer) < n:
            self.more()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def line(self):
        """One response, its literals included."""
        whole = b""
        while True:
            while b"\r\n" not in self.buffer:
                self.more()
            line, self.buffer = self.buffer.split(b"\r\n", 1)
            whole += line
            mark = re.search(rb"\{(\d+)\}$", line)
            if not mark:
                return whole
            whole += b"\r\n" + self.take(int(mark.group(1)))

    def command(self, *pieces):
        """Pieces are text or bytes; neighbours are what a synchronising literal separates. Gives (tagged, untagged)."""
        self.tags += 1
        tag = b"t%d" % self.tags
        pieces = [p.encode() if isinstance(p, str) else p for p in pieces]
        self.send(tag + b" " + pieces[0] + b"\r\n")
        untagged = []
        for piece in pieces[1:]:
            while not (got := self.line()).startswith(b"+"):
                if got.startswith(tag + b" "):
                    return got[len(tag) + 1:], untagged
                untagged.append(got)
            self.send(piece)
        while not (got := self.line()).startswith(tag + b" "):
            untagged.append(got)
        return got[len(tag) + 1:], untagged

    def ok(self, *pieces):
        tagged, untagged = self.command(*pieces)
        assert tagged.startswith(b"OK"), (pieces, tagged)
        return tagged, untagged

    def no(self, *pieces):
        tagged, untagged = self.command(*pieces)
        assert tagged.startswith(b"NO"), (pieces, tagged)
        return tagged, untagged

    def one(self, *pieces):
        return b"\n".join(self.ok(*pieces)[1])


def appended(client, mailbox, mail, flags=""):
    tagged, _ = client.ok(f"APPEND {mailbox} {flags}{' ' if flags else ''}~{{{len(mail)}}}", mail + b"\r\n")
    return int(re.search(rb"APPENDUID \d+ (\d+)", tagged).group(1))


def messages(client, mailbox):
    return int(re.search(rb"MESSAGES (\d+)", client.one(f"STATUS {mailbox} (MESSAGES)")).group(1))


def appending(client):
    a, b, c = b"Subject: a\r\n\r\na\r\n", b"Subject: b\r\n\r\n" + b"b" * 200000 + b"\r\n", b"Subject: c\r\n\r\nc\0c\r\n"
    tagged, _ = client.ok(f"APPEND Archive (\\Seen) {{{len(a)}}}", a + f" {{{len(b)}}}\r\n".encode(),
                          b + f" ~{{{len(c)}}}\r\n".encode(), c + b"\r\n")
    first, last = map(int, re.search(rb"APPENDUID \d+ (\d+):(\d+)", tagged).groups())
    assert last - first == 2, tagged
    client.ok("SELECT Archive")
    for uid, mail in zip((first, first + 1, last), (a, b, c)):
        assert mail in client.one(f"UID FETCH {uid} BODY.PEEK[]"), uid
    before = messages(client, "Archive")
    client.no(f"APPEND Archive {{{len(a)}}}", a + b" {0}\r\n", b"\r\n")             # RFC 3502: cancelled
    client.no(f"APPEND Archive {{{len(a)}}}", a + f" {{{len(c)}}}\r\n".encode(), c + b"\r\n")   # NUL in a literal
    assert messages(client, "Archive") == before, "a part of a refused APPEND was kept"

    tagged, _ = client.ok('APPEND Drafts CATENATE (TEXT {13}', b'Subject: cat\n URL "/Archive/;UID=%d/;SECTION=TEXT" '
                          b'TEXT {2}\r\n' % first, b"!\n)\r\n")
    uid = int(re.search(rb"APPENDUID \d+ (\d+)", tagged).group(1))
    client.ok("SELECT Drafts")
    assert b"Subject: cat\na\r\n!\n" in client.one(f"UID FETCH {uid} BODY.PEEK[]")
    before = messages(client, "Drafts")
    tagged, _ = client.no('APPEND Drafts CATENATE (URL "/Archive/;UID=99999")')
    assert b"[BADURL /Archive/;UID=99999]" in tagged, tagged

    tagged, untagged = client.ok(f"UID REPLACE {uid} Drafts (\\Draft) {{{len(a)}}}", a + b"\r\n")
    assert any(b"APPENDUID" in line for line in untagged) and any(b"EXPUNGE" in line for line in untagged), untagged
    assert messages(client, "Drafts") == before
    assert a in client.one("UID FETCH * BODY.PEEK[]")
    client.no(f"UID REPLACE {uid} Drafts {{{len(a)}+}}\r\n".encode().rstrip() + b"\r\n" + a)   # gone: nothing added
    assert messages(client, "Drafts") == before


def reading(client):
    uid = appended(client, "Archive", b"Subject: html\r\nContent-Type: text/html; charset=iso-8859-1\r\n"
                   b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                   b"<head><style>p{}</style></head><p>Gr=FC=DFe &amp;=20K=FCsse</p>=00\r\n")
    client.ok("SELECT Archive")
    told = client.one(f"UID FETCH {uid} (PREVIEW SAVEDATE)")
    assert "Grüße & Küsse".encode() in told and b'SAVEDATE "' in told, told
    assert "Grüße".encode() in client.one(f"UID FETCH {uid} PREVIEW (LAZY)")
    assert b"BINARY[1] ~{" in client.one(f"UID FETCH {uid} BINARY.PEEK[1]")
    assert b"\xfc\xdfe" in client.one(f"UID FETCH {uid} BINARY.PEEK[1]<36.3>")
    odd = appended(client, "Archive", b"Subject: odd\r\nContent-Transfer-Encoding: x-odd\r\n\r\nodd\r\n")
    assert b"UNKNOWN-CTE" in client.no(f"UID FETCH {odd} BINARY[1]")[0]


def identities(client):
    made, _ = client.ok("CREATE Ids/below")
    mailbox = re.search(rb"MAILBOXID \((F\d+)\)", made).group(1)
    assert mailbox in client.one("STATUS Ids/below (MAILBOXID)")
    client.ok("RENAME Ids/below Ids/renamed")
    assert mailbox in client.one("SELECT Ids/renamed")
    root = appended(client, "Ids/renamed", b"Message-ID: <root@x>\r\nSubject: s\r\n\r\nroot\r\n")
    answer = appended(client, "Ids/renamed",
                      b"Message-ID: <a@x>\r\nReferences: <root@x>\r\nSubject: s\r\n\r\nanswer\r\n")
    apart = appended(client, "Ids/renamed", b"Message-ID: <b@x>\r\nSubject: s\r\n\r\napart\r\n")
    client.ok(f"UID COPY {root} Archive")
    ids = {}
    for uid in (root, answer, apart):
        told = client.one(f"UID FETCH {uid} (EMAILID THREADID)")
        ids[uid] = tuple(re.search(name + rb" \(([A-Za-z0-9]+)\)", told).group(1) for name in (b"EMAILID", b"THREADID"))
    assert ids[root][1] == ids[answer][1] != ids[apart][1], ids
    found = client.one(f"UID SEARCH THREADID {ids[root][1].decode()}")
    assert str(root).encode() in found and str(answer).encode() in found, found
    assert str(apart).encode() not in found.split(), found
    assert client.one(f"UID SEARCH EMAILID {ids[apart][0].decode()}").split()[-1] == str(apart).encode()
    return mailbox, {uid: ids[uid] for uid in ids}


def annotations(client, other):
    other.ok("ENABLE METADATA")
    client.ok('SETMETADATA "" (/shared/comment "of all")')
    client.ok('SETMETADATA Archive (/private/comment {9}', b'two\r\nrows /shared/comment "x")\r\n')
    assert b"two\r\nrows" in client.one("GETMETADATA Archive (/private/comment)")
    told = other.one("NOOP")
    assert b'* METADATA "" /shared/comment' in told, told
    assert b"* METADATA Archive /private/comment /shared/comment" in told, told
    assert b"METADATA" not in client.one("NOOP") and b"METADATA" not in other.one("NOOP"), "told twice, or to oneself"
    assert b'"x"' in other.one('LIST "" Archive RETURN (METADATA (/shared/comment) MYRIGHTS)')
    tagged, _ = client.no("SETMETADATA Archive (/private/big {20000}", b"x" * 20000 + b")\r\n")
    assert b"[METADATA MAXSIZE 16384]" in tagged, tagged
    for start in range(0, 300, 50):
        pairs = " ".join(f'/private/n/{i} "{i}"' for i in range(start, start + 50))
        tagged, _ = client.command(f"SETMETADATA Trash ({pairs})")
    assert b"[METADATA TOOMANY]" in tagged, tagged
    assert client.one("GETMETADATA (DEPTH infinity) Trash /private/n").count(b"/private/n/") == 250


def limits(client):
    assert re.search(rb'QUOTA "" \(STORAGE \d+ \d+ MESSAGE \d+ \d+\)', client.one("GETQUOTAROOT INBOX"))
    assert b"RIGHTS=" in client.one("CAPABILITY")
    client.ok("SELECT Archive")
    client.ok("STORE 1 +FLAGS (\\Deleted)")
    told = client.one("STATUS Archive (DELETED DELETED-STORAGE)")
    assert b"DELETED 1 " in told and b"DELETED-STORAGE 0" not in told, told
    client.ok("STORE 1 -FLAGS (\\Deleted)")


def compressed(node, tls):
    client = Line(node, tls=tls)
    mail = b"Subject: squeezed\r\n\r\n" + b"the same again and again\r\n" * 20000
    client.ok("COMPRESS DEFLATE")
    client.deflate, client.inflate = zlib.compressobj(9, zlib.DEFLATED, -15), zlib.decompressobj(-15)
    client.no("COMPRESS DEFLATE")
    uid = appended(client, "Junk", mail)
    client.ok("SELECT Junk")
    assert mail in client.one(f"UID FETCH {uid} BODY.PEEK[]")
    for n in range(200):                       # in pieces that no command fits in
        self_made = client.deflate.compress(b"p%d NOOP\r\n" % n) + client.deflate.flush(zlib.Z_SYNC_FLUSH)
        for at in range(0, len(self_made), 3):
            client.socket.sendall(self_made[at:at + 3])
        assert client.line().startswith(b"p%d OK" % n)
    # A bomb is only input: 256 MiB of "x" in one line end where 64 KiB would, and the daemon does not grow.
    before = resident_bytes(node.process.pid)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    try:
        for _ in range(256):
            client.socket.sendall(bomb.compress(b"x" * (1 << 20)))
        client.socket.sendall(bomb.compress(b"\r\n") + bomb.flush(zlib.Z_SYNC_FLUSH))
        while b"BAD" not in client.line():
            pass
    except (EOFError, ConnectionError, zlib.error):
        pass
    time.sleep(0.2)
    check_memory(node.process.pid, resident_bytes(node.process.pid) - before, 16 << 20, "the daemon")
    client.socket.close()
    broken = Line(node, tls=tls)
    broken.ok("COMPRESS DEFLATE")
    try:
        broken.socket.sendall(b"b1 NOOP\r\n" * 100)   # no deflate stream
        while broken.socket.recv(4096):
            pass
    except ConnectionError:
        pass
    early = Line(node, tls=tls)
    early.send(b"c1 COMPRESS DEFLATE\r\nc2 NOOP\r\n")
    try:
        assert early.line().startswith(b"* BYE")
    except AssertionError:
        pass                                   # both lines may come apart: then the second one is no deflate stream
    assert Line(node, tls=tls).ok("NOOP")


def utf8_names(client):
    client.ok("ENABLE UTF8=ACCEPT")
    client.ok('CREATE "Entwürfe & Co"')
    assert "Entwürfe & Co".encode() in client.one('LIST "" "Entw*"')
    mail = "Subject: Grüße\r\n\r\nx\r\n".encode()
    client.ok(f'APPEND "Entwürfe & Co" UTF8 (~{{{len(mail)}}}', mail + b")\r\n")
    assert messages(client, '"Entwürfe & Co"') == 1
    tagged, _ = client.command(b'STATUS "\xff" (MESSAGES)')
    assert tagged.startswith(b"BAD"), tagged


def deleted_meanwhile(node, client, other):
    """Another session deletes the mailbox that this one fills, or the one it has selected."""
    client.ok("CREATE Passing")
    client.send(b"late APPEND Passing {3}\r\n")
    assert client.line().startswith(b"+")
    other.ok("DELETE Passing")
    client.send(b"abc\r\n")
    told = client.line()
    assert told.startswith(b"late NO [TRYCREATE]"), told   # RFC 9051 section 6.3.12

    other.ok("CREATE Passing")
    client.ok("SELECT Passing")
    other.ok("DELETE Passing")
    client.ok("CLOSE")

    for command, answer in ((("APPEND Archive {3}", b"abc\r\n"), rb"OK \[APPENDUID "),
                            (("COPY 1 Archive",), rb"NO \[NONEXISTENT\]"), (("NOOP",), b"OK")):
        other.ok("CREATE Passing")
        appended(other, "Passing", b"Subject: x\r\n\r\nx\r\n")
        leaving = Line(node)
        leaving.ok("SELECT Passing")
        other.ok("DELETE Passing")
        tagged, untagged = leaving.command(*command)
        assert re.match(answer, tagged) and b"* BYE" in b"\n".join(untagged), (command, tagged, untagged)
        try:
            leaving.line()
            raise AssertionError("the session goes on")
        except EOFError:
            pass


def main(binary):
    with nodes(binary, "alice") as (alice,):
        alice.start()
        client, other = Line(alice), Line(alice)
        appending(client)
        reading(client)
        mailbox, ids = identities(client)
        annotations(client, other)
        limits(client)
        for tls in (False, True):
            compressed(alice, tls)
        utf8_names(client)
        deleted_meanwhile(alice, client, other)

        for rebuild in (False, True):
            assert alice.stop()[0] == 0
            if rebuild:
                for view in alice.home.glob("accounts/*/view"):
                    view.unlink()
            alice.start()
            client = Line(alice)
            assert mailbox in client.one("SELECT Ids/renamed")
            for uid, (email, thread) in ids.items():
                told = client.one(f"UID FETCH {uid} (EMAILID THREADID)")
                assert email in told and thread in told, (rebuild, told)
            assert b"two\r\nrows" in client.one("GETMETADATA Archive (/private/comment)")
            assert b"of all" in client.one('GETMETADATA "" /shared/comment')
        assert alice.stop()[0] == 0
        alice.command("check")
    with nodes(binary, "bob", extra_toml="[limits]\nmessages_max = 5\nstorage_bytes_max = 1000000\n") as (bob,):
        bob.start()
        client = Line(bob)
        assert b"MESSAGE 1 5)" in client.one('GETQUOTA ""'), "the welcome mail and the limit"
        for _ in range(4):
            appended(client, "Archive", b"Subject: x\r\n\r\nx\r\n")
        assert b"[OVERQUOTA]" in client.no("APPEND Archive {3}", b"abc\r\n")[0]
        client.ok("SELECT Archive")
        # RFC 8508 section 3.4: only what comes on top of the replaced mail counts
        client.ok("REPLACE 1 Archive {18}", b"Subject: newer\r\n\r\n\r\n")
        client.ok("REPLACE 1 Archive CATENATE (TEXT {16}", b"Subject: cat\r\n\r\n)\r\n")
        assert b"[OVERQUOTA]" in client.no("REPLACE 1 Archive {1000000}", b"abc\r\n")[0]
        client.ok("STORE 1 +FLAGS (\\Deleted)")
        client.ok("EXPUNGE")
        assert b"[OVERQUOTA]" in client.no("APPEND Archive {2000000}", b"abc\r\n")[0]
        appended(client, "Archive", b"Subject: x\r\n\r\nx\r\n")
        assert bob.stop()[0] == 0
    print("mailbox extensions: all right")


if __name__ == "__main__":
    main(sys.argv[1])
