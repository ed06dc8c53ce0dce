"""How long a mail takes, as ratios to what the disk alone allows in the same run. By hand, not in CI:

    python3 tests/bench/journey.py build/release/peerpost [mails]

Raw limit: overwriting 4 KiB of a zero-written file with fdatasync, in the same directory. A submission costs the sender
two such syncs and the recipient two more (log and view on either side).

The bars: submission to the recipient's EXISTS p50 <= 5 ms and p99 <= 15 ms,
an idle node <= 20 MB of resident memory."""

import os
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from node import befriend, mail_from, nodes  # noqa: E402


IDLE_SECONDS = 3


def percentiles(samples):
    ordered = sorted(samples)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def raw_sync(folder, rounds=400):
    path = folder / "raw"
    with open(path, "wb") as file:
        file.write(bytes(4 << 20))
        os.fsync(file.fileno())
    fd = os.open(path, os.O_RDWR)
    times = []
    for i in range(rounds):
        begun = time.perf_counter()
        os.pwrite(fd, os.urandom(4096), 4096 * (i % 1024))
        os.fdatasync(fd)
        times.append(time.perf_counter() - begun)
    os.close(fd)
    path.unlink()
    return percentiles(times)


def line_until(client, wanted):
    while True:
        line = client.readline()
        if not line:
            raise SystemExit("the connection was closed")
        if line.strip() == wanted:
            return


def journey(alice, bob, count):
    """Submission (MAIL to 250) and submission to the recipient's EXISTS in IDLE, each mail by itself."""
    import smtplib
    watcher = bob.imap_client()
    watcher.select("INBOX")
    exists = int(watcher.untagged_responses["EXISTS"][-1] if "EXISTS" in watcher.untagged_responses else 1)
    watcher.send(b"i IDLE\r\n")
    watcher.readline()
    submitted, told = [], []
    with smtplib.SMTP("127.0.0.1", alice.smtp, timeout=60) as client:
        client.login(alice.address, alice.password)
        for i in range(count):
            mail = mail_from(alice, bob.address, f"mail {i}", b"x" * 2000 + b"\r\n")
            begun = time.perf_counter()
            client.sendmail(alice.address, [bob.address], mail)
            submitted.append(time.perf_counter() - begun)
            exists += 1
            line_until(watcher, b"* %d EXISTS" % exists)
            told.append(time.perf_counter() - begun)
    return percentiles(submitted), percentiles(told)


def resident_mb(node):
    """Of a node that has nothing to do: all of it, and what is its own rather than of shared files and libraries."""
    fields = {}
    for line in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in ("VmRSS", "RssAnon"):
            fields[key] = int(value.split()[0]) * 1024 / 1e6
    return fields["VmRSS"], fields["RssAnon"]


def appends(node, count):
    client = node.imap_client()
    mail = mail_from(node, node.address, "append", b"x" * 1500 + b"\r\n")
    begun = time.perf_counter()
    for _ in range(count):
        client.append("Archive", None, None, mail)
    took = time.perf_counter() - begun
    client.logout()
    return count / took


def main(binary, count):
    with nodes(binary, "alice", "bob") as (alice, bob):
        raw_p50, raw_p99 = raw_sync(alice.home.parent)
        print(f"raw sync              p50 {raw_p50 * 1e3:7.2f} ms   p99 {raw_p99 * 1e3:7.2f} ms")
        alice.start()
        bob.start()
        time.sleep(IDLE_SECONDS)
        resident, own = resident_mb(alice)
        print(f"idle node             {resident:7.1f} MB resident   {own:.1f} MB of them its own")
        befriend(alice, bob)
        sent, told = journey(alice, bob, count)
        print(f"submission to 250     p50 {sent[0] * 1e3:7.2f} ms   p99 {sent[1] * 1e3:7.2f} ms   "
              f"{sent[0] / (2 * raw_p50):5.2f} x its two syncs")
        print(f"submission to EXISTS  p50 {told[0] * 1e3:7.2f} ms   p99 {told[1] * 1e3:7.2f} ms   "
              f"{told[0] / (4 * raw_p50):5.2f} x its four syncs")
        rate = appends(alice, count)
        print(f"APPEND, one client    {rate:7.0f} mails/s                 {rate * 2 * raw_p50:5.2f} "
              f"of the raw rate of two syncs")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300)
