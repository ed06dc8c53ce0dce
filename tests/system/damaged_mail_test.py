"""One mail of many is damaged on the disk: searching and fetching the others goes on, with a word about it; a mail
whose damage was found in its middle is refused at its beginning the next time, not cut again."""

import imaplib
import poplib
import sys

from node import free_port, nodes

SMALL, LARGE_LINES = 5, 60_000   # lines: a mail that is given in several pieces


def add(node, client, mail):
    """The blob file of its own that the mail has."""
    before = set(node.home.rglob("blobs/*/*"))
    assert client.append("INBOX", None, None, mail)[0] == "OK"
    return (set(node.home.rglob("blobs/*/*")) - before).pop()


def damage(file, where):
    data = bytearray(file.read_bytes())
    data[int(len(data) * where)] ^= 1
    file.chmod(0o600)
    file.write_bytes(data)


def hits(client, *criteria):
    client.untagged_responses.clear()
    kind, data = client.uid("SEARCH", *criteria)
    assert kind == "OK", data
    warned = any(b"CORRUPTION" in line for line in client.untagged_responses.get("NO", []))
    return [int(uid) for uid in data[0].split()], warned


def fetched(client, uids):
    """{uid: body}, and how the command ended. imaplib throws away what came before a NO."""
    tag = client._new_tag().decode()
    client.send(f"{tag} UID FETCH {uids} (UID BODY.PEEK[])\r\n".encode())
    found = {}
    while not (line := client.readline().decode()).startswith(tag):
        if not line:
            raise imaplib.IMAP4.abort("cut")
        if line.endswith("}\r\n"):
            found[int(line.split("UID ")[1].split()[0])] = client.read(int(line.rpartition("{")[2][:-3]))
            client.readline()
    return found, line[len(tag) + 1:]


def main(binary):
    pop3 = free_port()
    listener = f'[pop3]\nlisten = [{{ address = "127.0.0.1", port = {pop3}, tls = "none" }}]\n'
    with nodes(binary, "a", extra_toml=listener) as (a,):
        a.start()
        client = a.imap_client()
        client.select("INBOX")
        mail = b"Subject: large\r\n\r\nneedle\r\n" + b"a line of it\r\n" * LARGE_LINES
        early, late = add(a, client, mail), add(a, client, mail)
        for n in range(SMALL):
            client.append("INBOX", None, None, b"Subject: small %d\r\n\r\nneedle number %d\r\n" % (n, n))
        small = list(range(4, 4 + SMALL))
        assert hits(client, "BODY", "needle") == ([2, 3, *small], False)
        damage(early, 0.001)
        damage(late, 0.9)

        # The first cannot be read; of the second no more than is needed is.
        assert hits(client, "BODY", "needle") == ([3, *small], True)
        assert hits(client, "NOT", "BODY", "nowhere", "UID", "2:100") == (small, True)
        assert hits(client, "UID", "4:100", "BODY", "number") == (small, False)

        bodies, end = fetched(client, f"2,{small[0]}:{small[-1]}")
        assert sorted(bodies) == small and end.startswith("NO [CORRUPTION]"), (sorted(bodies), end)

        # A literal that has begun can only be cut; the next time it does not begin, and what lies behind it is given.
        a.stop()
        a.start()
        for attempt in "cut", "told":
            client = a.imap_client()
            client.select("INBOX")
            try:
                bodies, end = fetched(client, f"3:{small[-1]}")
                assert attempt == "told" and sorted(bodies) == small and end.startswith("NO [CORRUPTION]"), end
            except imaplib.IMAP4.abort:
                assert attempt == "cut"
        assert client.uid("FETCH", "3", "(BODY.PEEK[]<0.300000>)")[1][0][1] == mail[:300_000]

        # The same over POP3, whose place of the damage is another: it reads in smaller pieces.
        a.stop()
        a.start()
        for attempt in "cut", "told":
            session = poplib.POP3("127.0.0.1", pop3, timeout=60)
            session.user(a.address)
            session.pass_(a.password)
            try:
                session.retr(3)
                raise AssertionError("a damaged mail was given")
            except poplib.error_proto as error:
                assert ("SYS/PERM" in str(error)) == (attempt == "told"), (attempt, error)
            if attempt == "told":
                assert b"needle number 0" in session.retr(4)[1] and b"Subject: large" in session.top(3, 1)[1]
                session.quit()


main(sys.argv[1])
