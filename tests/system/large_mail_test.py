"""A mail far larger than the memory a daemon may take: submitted, carried over the link, appended, fetched, all in
pieces. Then a large transfer is cut in the middle by killing the sender: it goes on where it was and arrives once.

    large_mail_test.py BINARY [MEBIBYTES]"""

import sys
import time

from node import befriend, nodes, wait_until
from process import check_memory
from stream_client import Imap, LargeMail, Smtp, rss_peak_kib

RSS_BYTES_MAX = 64 << 20
MEBIBYTES = 192


def find(node, mail, mailbox):
    """UIDs of mails that are at least as large: the receiving node puts a block before a mail."""
    with Imap(node) as client:
        client.command(b"EXAMINE " + mailbox.encode())
        return [uid for uid, size in client.sizes().items() if mail.size <= size < mail.size + 4096]


def fetch_is_right(node, mailbox, uid, mail):
    with Imap(node) as client:
        client.command(b"EXAMINE " + mailbox.encode())
        assert client.body_sha256(uid, mail.size) == mail.sha256(), f"{mailbox} of {node.name}: the mail is altered"


def partial_bytes(node):
    return sum(path.stat().st_size for path in node.home.glob("accounts/*/incoming/*"))


class Clock:
    def __init__(self):
        self.begun = time.monotonic()

    def lap(self, what, *nodes_):
        now = time.monotonic()
        peaks = ", ".join(f"{node.name} {rss_peak_kib(node) // 1024} MiB" for node in nodes_)
        print(f"{what}: {now - self.begun:.1f} s; peak memory: {peaks}", flush=True)
        self.begun = now


def main(binary, mebibytes):
    with nodes(binary, "alice", "bob") as (alice, bob):
        for node in (alice, bob):
            node.start()
        befriend(alice, bob)
        clock = Clock()

        # all the way
        mail = LargeMail(alice, bob.address, mebibytes << 20, "large1")
        with Smtp(alice) as client:
            client.submit(mail, bob.address)
        clock.lap("submitted", alice, bob)
        uid = wait_until(lambda: find(bob, mail, "INBOX"), 300, "the large mail did not arrive")[0]
        clock.lap("arrived", alice, bob)
        fetch_is_right(bob, "INBOX", uid, mail)
        clock.lap("fetched", alice, bob)

        # into a mailbox by APPEND, and out again
        draft = LargeMail(bob, alice.address, mebibytes << 20, "large2")
        with Imap(bob) as client:
            uid = client.append(draft, "Drafts")
        clock.lap("appended", alice, bob)
        fetch_is_right(bob, "Drafts", uid, draft)
        clock.lap("fetched", alice, bob)
        for node in (alice, bob):
            check_memory(node.process.pid, rss_peak_kib(node) << 10, RSS_BYTES_MAX, node.name)

        # cut in the middle
        mail = LargeMail(alice, bob.address, mebibytes << 20, "large3")
        with Smtp(alice) as client:
            client.submit(mail, bob.address)
        wait_until(lambda: partial_bytes(bob) > mail.size // 4, 60, "no transfer has begun")
        alice.kill()
        time.sleep(0.2)   # what has been received is appended
        kept = partial_bytes(bob)
        assert kept < mail.size, "the transfer was over before it could be cut"
        least = kept

        def goes_on():
            nonlocal least
            least = min(least, partial_bytes(bob))
            return partial_bytes(bob) > kept

        alice.start()
        wait_until(goes_on, 60, "the transfer does not go on")
        assert least == kept, f"of {kept} bytes {least} were left: the transfer began again"
        clock.lap(f"cut after {kept >> 20} MiB and taken up", alice, bob)
        bob.kill()   # the recipient, too
        kept = partial_bytes(bob)
        bob.start()
        wait_until(lambda: len(find(bob, mail, "INBOX")) > 1, 300, "the mail that was cut did not arrive")
        uids = [uid for uid in find(bob, mail, "INBOX")]
        assert len(uids) == 2, f"{len(uids)} mails of this size, not 2"
        fetch_is_right(bob, "INBOX", max(uids), mail)
        clock.lap("arrived and fetched", alice, bob)
        for node in (alice, bob):
            check_memory(node.process.pid, rss_peak_kib(node) << 10, RSS_BYTES_MAX, node.name)
    print("a large mail: all right")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else MEBIBYTES)
