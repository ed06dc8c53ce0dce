"""A store with very many mails: how soon the daemon answers after a start, and what it costs while nobody is there. The
bars are those of 05-mail-protocols 5.4. By hand, not in CI; a million mails need about 6 GB below the folder for
temporary files, and some minutes.

    cmake --build --preset release --target peerpost imap_load
    python3 tests/bench/many_mails.py build/release/peerpost build/release/imap_load [--mails 1000000] [--box 10000]

The mails lie in mailboxes of --box mails each. "cold": as root the page cache was dropped before. From the start of the
process to the answer to LOGIN; memory is RSS, which counts pages of the store that the system may take back, and
without those ("own", RssAnon)."""

import argparse
import contextlib
import imaplib
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from node import nodes  # noqa: E402

MAIL_BYTES = 2000
START_SECONDS_MAX, RSS_MB_MAX = 0.5, 60
IDLE_SECONDS = 60


def memory_mb(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no {field} of {pid}")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_to_login(node):
    """Without anything else in between: asked again each millisecond until the listener is there."""
    begun = time.perf_counter()
    node.process = subprocess.Popen([node.binary, "--home", str(node.home), "serve"], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
    while True:
        with contextlib.suppress(OSError):
            client = imaplib.IMAP4("127.0.0.1", node.imap)
            break
        time.sleep(0.001)
    client.login(node.address, node.password)
    took = time.perf_counter() - begun
    client.logout()
    return took


def drop_caches():
    os.sync()
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")


def verdict(name, got, bar, unit):
    print(f"{name:44} {got:10.3f} {unit:4} {'  ' if got < bar else '> '} bar {bar} {unit}", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("load")
    arguments.add_argument("--mails", type=int, default=1_000_000)
    arguments.add_argument("--box", type=int, default=10_000)
    given = arguments.parse_args()
    with nodes(given.binary, "bench") as (node,):
        node.start()
        where = ["127.0.0.1", str(node.imap), node.address, node.password]
        begun = time.perf_counter()
        client = node.imap_client()
        for n in range(given.mails // given.box):
            client.create(f"Box{n}")
            subprocess.run([given.load, *where, "append", f"Box{n}", "4", "16", str(given.box), str(MAIL_BYTES)],
                           check=True, stdout=subprocess.DEVNULL)
            if n % 10 == 9:
                print(f"{(n + 1) * given.box} mails after {time.perf_counter() - begun:.0f} s, "
                      f"RSS {memory_mb(node.process.pid, 'VmRSS'):.0f} MB", flush=True)
        client.logout()
        node.stop()
        size = sum(path.stat().st_blocks * 512 for path in node.home.rglob("*") if path.is_file())
        print(f"{size / given.mails / MAIL_BYTES:.2f} bytes on disk for each of the mails")
        for which in ("cold", "cold", "warm", "warm"):
            if which == "cold":
                drop_caches()
            took = start_to_login(node)
            verdict(f"start to first login, {which}", took, START_SECONDS_MAX, "s")
            if which == "warm":
                node.stop()
                continue
            time.sleep(2)
            verdict("memory, nobody there", memory_mb(node.process.pid, "VmRSS"), RSS_MB_MAX, "MB")
            print(f"{'  of it own':44} {memory_mb(node.process.pid, 'RssAnon'):10.3f} MB")
            node.stop()
        node.start()
        time.sleep(5)
        before = cpu_seconds(node.process.pid)
        time.sleep(IDLE_SECONDS)
        print(f"{f'processor in {IDLE_SECONDS} s with nobody there':44} "
              f"{cpu_seconds(node.process.pid) - before:10.3f} s")
        verdict("memory after it", memory_mb(node.process.pid, "VmRSS"), RSS_MB_MAX, "MB")


if __name__ == "__main__":
    main()
