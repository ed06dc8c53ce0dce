"""A mail costs the same however many are open: counted in rows of the store that are read, not in seconds.

Alice's mails wait for Bob, who is off: first some, then many. What she reads for each further mail, and while nothing
happens, must not grow with the number of open rows. Then Bob comes: each mail arrives once, and what he and she read
for each mail is bounded. Mails of two sizes: those that ride along with their notification, and those that are fetched
and answered with a receipt."""

import json
import sys
import time

from node import befriend, mail_from, nodes, wait_until

TIMES = "\n[delivery]\nreach_timeout_s = 1\nretry_max_s = 20\n"
FEW, MANY, PROBE = 40, 240, 20
# Rows read for one mail. Measured: about 90 for one that waits, most of them for its copy in Sent and its note in
# Outgoing; with a look at all open rows for each it is more than 1000 at MANY.
PER_MAIL_MAX = 400
# While nothing changes: the mails are looked at when an attempt to reach Bob has failed, the first 64 of them.
IDLE_SECONDS, PER_IDLE_SECOND_MAX = 5, 64 * 60


def rows_read(node):
    return json.loads(node.command("status", "--json"))["accounts"][0]["rows_read"]


def queue(node):
    return json.loads(node.command("queue", "--all", "--json"))["queue"]


def states(node):
    return [row["state"] for row in queue(node)]


def settled(node):
    """Until what the last mails brought about is done: each has seen an attempt to reach Bob fail, which is noted in
    its row the first time, and reading goes on at the pace of further attempts."""
    wait_until(lambda: all(row["attempts"] > 0 for row in queue(node)), 60, "mails wait without an attempt")
    last = rows_read(node)
    for _ in range(60):
        time.sleep(1)
        now = rows_read(node)
        if now - last < PER_IDLE_SECOND_MAX:
            return
        last = now
    raise AssertionError("rows are read all the time although nothing happens")


def submit(alice, bob, count, size):
    for n in range(count):
        alice.submit(mail_from(alice, bob.address, f"burst {size} {n}", body(size)),
                     [bob.address])


def body(size):
    line = b"all work and no play makes jack a dull boy, says the proverb\r\n"
    return (line * (size // len(line) + 1))[:size - 2] + b"\r\n"


def per_mail(alice, bob, size):
    """Rows that alice reads for one mail more, attempts to reach Bob meanwhile counted along."""
    settled(alice)
    before = rows_read(alice)
    submit(alice, bob, PROBE, size)
    time.sleep(2)
    return (rows_read(alice) - before) / PROBE


def main(binary):
    with nodes(binary, "alice", "bob", extra_toml=TIMES) as (alice, bob):
        alice.start()
        bob.start()
        befriend(alice, bob)
        bob.stop()
        small, large = 1000, 100 * 1000
        submit(alice, bob, FEW, small)
        at_few = per_mail(alice, bob, small)
        submit(alice, bob, MANY, small)
        submit(alice, bob, FEW, large)
        at_many = per_mail(alice, bob, small)
        print(f"rows read for a mail that waits: {at_few:.0f} with few open ones, {at_many:.0f} with many")
        assert at_many < PER_MAIL_MAX, f"{at_many:.0f} rows are read for one mail"
        assert at_many < 2 * at_few + 100, f"a mail costs {at_few:.0f} rows with few open ones, {at_many:.0f} with many"

        settled(alice)
        before = rows_read(alice)
        time.sleep(IDLE_SECONDS)
        idle = (rows_read(alice) - before) / IDLE_SECONDS
        print(f"rows read in a second in which nothing happens: {idle:.0f}")
        assert idle < PER_IDLE_SECOND_MAX, f"{idle:.0f} rows are read in each second although nothing happens"

        count = 2 * FEW + MANY + 2 * PROBE
        bob.start()
        wait_until(lambda: states(alice).count("delivered") == count, 120,
                   lambda: f"not all arrive: {states(alice).count('delivered')} of {count}")
        print(f"rows read by the recipient: {rows_read(bob) / count:.0f} for a mail")
        assert rows_read(bob) < PER_MAIL_MAX * count, f"{rows_read(bob)} rows are read for {count} mails"
        client = bob.imap_client()
        _, there = client.select("INBOX", readonly=True)
        client.logout()
        assert int(there[0]) == count + 1, f"{there[0]} mails in INBOX instead of {count} and the welcome"
        wait_until(lambda: not outgoing(alice), 20, "messages stay in Outgoing")


def outgoing(node):
    client = node.imap_client()
    try:
        client.select("Outgoing", readonly=True)
        return client.uid("SEARCH", "ALL")[1][0].split()
    finally:
        client.logout()


if __name__ == "__main__":
    main(sys.argv[1])
