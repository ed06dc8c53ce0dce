"""A disk that is full: nothing is taken that cannot be kept, what is there is read on, and when there is room again all
goes on without a restart. The home lies on a small file system of its own, inside a mount namespace; where that cannot
be had the test says so and is skipped."""

import contextlib
import imaplib
import json
import os
import pathlib
import smtplib
import subprocess
import sys
import tempfile
import time

from node import Node, befriend, mail_from, wait_until, watched
from stream_client import Imap, LargeMail, Smtp

SKIPPED = 77
MIB = 1 << 20
LOG_CHANGES_MAX = 100000
DISK_BYTES, RESERVE_BYTES = 256 * MIB, 32 * MIB


def free_bytes(folder):
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


class Ballast:
    """A file beside the home that takes room away."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "ballast"

    def leave(self, left):
        self.remove()
        size = free_bytes(self.path.parent) - left
        with open(self.path, "wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, max(size, 1))
            file.seek(0, 2)
            if left == 0:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 4096)

    def remove(self):
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


def smtp_says(node, mail, to):
    try:
        node.submit(mail, [to])
        return 250
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))[0]


def append_says(client, mail):
    try:
        typ, data = client.append("Drafts", None, None, mail)
    except imaplib.IMAP4.error as error:
        return str(error)
    return f"{typ} {data[0].decode()}"


def reads(node, mail):
    client = node.imap_client()
    client.select("INBOX", readonly=True)
    _, parts = client.uid("FETCH", "1:*", "(BODY.PEEK[])")
    client.logout()
    return any(isinstance(part, tuple) and part[1].endswith(mail) for part in parts)


def count(node, mail):
    return sum(body.endswith(mail) for body in node.bodies().values())


def queue_states(node):
    return [row["state"] for row in json.loads(node.command("queue", "--json"))["queue"] if row["state"] != "delivered"]


def has_size(node, mail):
    with Imap(node) as client:
        client.command(b"EXAMINE INBOX")
        return [uid for uid, size in client.sizes().items() if mail.size <= size < mail.size + 4096]


def fill_log(node, ballast):
    """No change can be written any more: what was prepared for the log is used up."""
    ballast.leave(0)
    client = node.imap_client()
    client.select("INBOX")
    refused = 0
    for i in range(LOG_CHANGES_MAX):
        flag = f"f{i % 7}"
        change = "+FLAGS" if i // 7 % 2 == 0 else "-FLAGS"
        refused = refused + 1 if client.uid("STORE", "1:*", change, flag)[0] == "NO" else 0
        if refused == 3:
            break
    client.logout()
    assert refused == 3, "the log takes changes without room"


def in_folder(node, name):
    return sum(path.stat().st_size for path in node.home.glob(f"accounts/*/{name}/*"))


def sender_without_room(ballast, alice, bob):
    """What the recipient answers could not be written down: the mail is not sent again with every look at the queue."""
    alice.stop()
    mail = mail_from(bob, alice.address, "answered on a full disk", b"once\r\n")
    assert smtp_says(bob, mail, alice.address) == 250
    wait_until(lambda: "queued" in queue_states(bob), 20, "the mail is not queued")
    fill_log(bob, ballast)
    before, links = bob.log_text().count("event=answered"), bob.log_text().count("event=up")
    alice.start()
    wait_until(lambda: bob.log_text().count("event=up") > links, 60, "no link")
    time.sleep(2)
    offered = bob.log_text().count("event=answered") - before
    assert offered <= 1, f"a mail whose answer cannot be written was offered {offered} times"
    ballast.remove()
    wait_until(lambda: count(alice, mail) == 1, 60, "not sent although there is room again")
    wait_until(lambda: not queue_states(bob), 60, "not booked although there is room again")


def test(binary, folder, alice, bob):
    ballast = Ballast(folder)
    first = mail_from(alice, bob.address, "first", b"while there is room\r\n")
    alice.submit(first, [bob.address])
    wait_until(lambda: count(bob, first) == 1, 20, "the first mail did not arrive")
    draft = mail_from(bob, alice.address, "draft", b"draft " * 2000 + b"\r\n")

    for left in (RESERVE_BYTES - 2 * MIB, 0):
        ballast.leave(left)
        assert smtp_says(bob, draft, alice.address) == 452, f"SMTP with {left} bytes left"
        client = bob.imap_client()
        said = append_says(client, draft)
        assert said.startswith("NO [OVERQUOTA]"), f"APPEND with {left} bytes left: {said}"
        assert reads(bob, first), "what is there cannot be read"
        client.select("INBOX")
        client.uid("STORE", "1:*", "+FLAGS", r"(\Flagged)")     # may be refused; must not hurt
        client.logout()
        small = mail_from(alice, bob.address, "small", b"for a full disk %d\r\n" % left)
        assert smtp_says(alice, small, bob.address) == 250
        wait_until(lambda: "queued" in queue_states(alice), 20, "the mail is not queued")
        assert count(bob, small) == 0
        ballast.remove()
        said = append_says(bob.imap_client(), draft)
        assert said.startswith("OK"), f"there is room again, but: {said}"
        assert smtp_says(bob, draft, alice.address) == 250
        alice.kill()    # a new link: without it the next try is half a minute away
        alice.start()
        wait_until(lambda: count(bob, small) == 1, 60, "the mail that waited for room did not arrive")
        wait_until(lambda: not queue_states(alice), 20, "no receipt")

    # The room ends in the middle of an upload whose size was not told, and of one by APPEND.
    ballast.leave(RESERVE_BYTES + 24 * MIB)
    mail = LargeMail(bob, alice.address, 48 * MIB, "upload")
    with Smtp(bob) as client:
        client.begin(alice.address)
        for piece in mail.pieces():
            client.socket.sendall(piece)
        client.command(b".", b"452")
        client.command(b"NOOP", b"250")
    assert in_folder(bob, "tmp") == 0, "a refused mail left something behind"
    with Imap(bob) as client:
        client.say(b"t APPEND Drafts {%d}" % mail.size)
        answer = client.file.readline()
        assert answer.startswith(b"t NO [OVERQUOTA]"), answer

    # The room ends in the middle of a fetch.
    ballast.leave(RESERVE_BYTES + 150 * MIB)
    mail = LargeMail(alice, bob.address, 48 * MIB, "fetch")
    with Smtp(alice) as client:
        client.submit(mail, bob.address)
    wait_until(lambda: in_folder(bob, "incoming") > 4 * MIB, 30, "no transfer has begun")
    ballast.leave(RESERVE_BYTES - 1 * MIB)
    left = free_bytes(folder)
    wait_until(lambda: "fetch_stopped" in bob.log_text(), 30, "the fetch did not stop")
    kept = in_folder(bob, "incoming")
    assert free_bytes(folder) > left - 4 * MIB, \
        f"a fetch went on into the reserve: {left} bytes, now {free_bytes(folder)}"
    assert reads(bob, first), "what is there cannot be read"
    assert not has_size(bob, mail) and queue_states(alice), "delivered without room?"
    ballast.remove()
    wait_until(lambda: has_size(bob, mail), 90, "the transfer did not go on by itself")
    uids = has_size(bob, mail)
    assert len(uids) == 1
    with Imap(bob) as client:
        client.command(b"EXAMINE INBOX")
        assert client.body_sha256(uids[0], mail.size) == mail.sha256()
    wait_until(lambda: not queue_states(alice), 20, "no receipt")
    assert in_folder(bob, "incoming") == 0 and in_folder(bob, "tmp") == 0

    sender_without_room(ballast, alice, bob)

    # A start without any room: reading goes on, and room heals.
    assert bob.stop()[0] == 0
    ballast.leave(0)
    bob.start()
    assert reads(bob, first), "what is there cannot be read after a start on a full disk"
    assert append_says(bob.imap_client(), draft).startswith("NO ")
    ballast.remove()
    said = append_says(bob.imap_client(), draft)
    assert said.startswith("OK"), said
    for node in (alice, bob):
        assert node.stop()[0] == 0
        report = json.loads(node.command("check", "--json"))
        assert report["sound"], report
    print(f"kept {kept >> 20} MiB of a transfer over the full disk")


def main(binary):
    if os.environ.get("PEERPOST_OWN_MOUNTS") != "1":
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode != 0:
            print("no mount namespace can be made here: skipped")
            sys.exit(SKIPPED)
        os.environ["PEERPOST_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "-rm", sys.executable, *sys.argv])
    folder = tempfile.mkdtemp(prefix="peerpost-disk-")
    other = tempfile.mkdtemp(prefix="peerpost-disk-")
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "peerpost", folder], check=True)
        made = [Node(binary, other, "alice"),
                Node(binary, folder, "bob", f"[limits]\nreserve_bytes = {RESERVE_BYTES}\n")]
        alice, bob = made
        with watched(made):
            for node in made:
                node.start()
            befriend(alice, bob)
            test(binary, folder, alice, bob)
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True)
        subprocess.run(["rm", "-rf", folder, other])
    print("a full disk: all right")


if __name__ == "__main__":
    main(sys.argv[1])
