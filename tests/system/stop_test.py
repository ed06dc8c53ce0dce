"""SIGTERM ends the daemon in less than two seconds whatever is going on, with status 0; clients are told, and what was
under way is done after the next start."""

import json
import socket
import sys
import time

from node import befriend, mail_from, nodes, wait_until
from process import has_sanitizer
from stream_client import PIECE, Imap, LargeMail, Smtp

SECONDS_MAX = 2
SECONDS_MAX_SANITIZED = 10     # unoptimised, and leaks are looked for at the end
MIB = 1 << 20


def drain(client):
    """What the server still said before it closed."""
    client.socket.settimeout(5)
    said = b""
    try:
        while data := client.socket.recv(PIECE):
            said += data
    except (ConnectionError, socket.timeout) as error:
        assert not isinstance(error, socket.timeout), "the connection was left open"
    return said


def stop(node, what):
    at_most = SECONDS_MAX_SANITIZED if has_sanitizer(node.process.pid) else SECONDS_MAX
    code, took = node.stop()
    print(f"{what}: {took:.2f} s", flush=True)
    assert code == 0 and took < at_most, f"{what}: ended with {code} after {took:.2f} s"


def arrived(node, mail):
    with Imap(node) as client:
        client.command(b"EXAMINE INBOX")
        return [uid for uid, size in client.sizes().items() if mail.size <= size < mail.size + 4096]


def main(binary):
    with nodes(binary, "alice", "bob") as (alice, bob):
        for node in (alice, bob):
            node.start()
        befriend(alice, bob)

        # clients in every state a client can be in, among them an upload and a fetch nobody reads
        own = LargeMail(alice, alice.address, 24 * MIB, "own")
        with Smtp(alice) as client:
            client.submit(own, alice.address)
        idle = [Imap(alice) for _ in range(20)]
        for client in idle:
            client.command(b"SELECT INBOX")
            client.say(b"t IDLE")
            assert client.file.readline().startswith(b"+")
        quiet = [Imap(alice) for _ in range(5)]
        silent = [socket.create_connection(("127.0.0.1", port))
                  for port in (alice.imap, alice.imaps, alice.smtp, alice.smtps, alice.peer)]
        upload = Smtp(alice)
        upload.begin(bob.address)
        for _, piece in zip(range(6), own.pieces()):
            upload.socket.sendall(piece)
        append = Imap(alice)
        append.say(b"t APPEND Drafts {%d}" % own.size)
        append.file.readline()
        for _, piece in zip(range(6), own.pieces()):
            append.socket.sendall(piece)
        unread = Imap(alice)
        unread.command(b"SELECT INBOX")
        unread.say(b"t UID FETCH %d (BODY.PEEK[])" % arrived(alice, own)[0])
        time.sleep(0.3)
        stop(alice, "clients in IDLE, uploads and a fetch nobody reads")
        for client in idle + quiet:
            assert b"* BYE" in drain(client), "a client was not told"
        for client in silent:
            client.close()
        assert b"250" not in drain(upload), "an upload that was cut was acknowledged"
        assert b"OK" not in drain(append), "an APPEND that was cut was acknowledged"
        alice.start()
        assert not arrived(bob, own) and len(arrived(alice, own)) == 1
        assert not list(alice.home.glob("accounts/*/tmp/*")), "a cut upload left something behind"

        # in the middle of a transfer between the nodes, on either side
        mail = LargeMail(alice, bob.address, 64 * MIB, "transfer")
        with Smtp(alice) as client:
            client.submit(mail, bob.address)
        begun = lambda: sum(path.stat().st_size for path in bob.home.glob("accounts/*/incoming/*"))
        wait_until(lambda: begun() > 4 * MIB, 30, "no transfer has begun")
        stop(bob, "the recipient of a transfer")
        kept = begun()
        bob.start()
        wait_until(lambda: begun() > kept, 30, "the transfer does not go on")
        stop(alice, "the sender of a transfer")
        alice.start()
        wait_until(lambda: arrived(bob, mail), 120, "the mail did not arrive")
        uids = arrived(bob, mail)
        assert len(uids) == 1
        with Imap(bob) as client:
            client.command(b"EXAMINE INBOX")
            assert client.body_sha256(uids[0], mail.size) == mail.sha256()
        for node in (alice, bob):
            stop(node, "at rest")
    work_for_a_relay(binary)
    print("stopping: all right")


def work_for_a_relay(binary):
    """A mail of somebody who has no token of hers costs seconds of work for her relay,
    without an end that could be told."""
    with nodes(binary, "relay", "alice", "bob", extra_toml="\n[delivery]\nreach_timeout_s = 1\n") \
            as (relay, alice, bob):
        toml = relay.home / "peerpost.toml"
        toml.write_text(toml.read_text() + '[relay]\nserve = "invited"\n')
        for node in (relay, bob, alice):
            node.start()
        bob.command("relay", "use", json.loads(relay.command("relay", "link", "--json"))["link"])
        invite = json.loads(bob.command("invite", "--uses", "2", "--json"))["link"]   # of many uses: without tokens
        bob.stop()
        alice.command("contact", "add", invite)
        alice.submit(mail_from(alice, bob.address, "work", b"for a relay\r\n"), [bob.address])
        wait_until(lambda: "event=relay_work_begun" in alice.log_text(), 60, "no work is begun")
        code, took = alice.stop()
        print(f"in the middle of work for a relay: {took:.2f} s", flush=True)
        assert code == 0 and took < 1.5, f"the work holds up the end: {code} after {took:.2f} s"


if __name__ == "__main__":
    main(sys.argv[1])
