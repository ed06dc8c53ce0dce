"""peerpost and Dovecot on the same work in the same run, row by row in turn, printed as ratios (05-mail-protocols 5.4).
By hand, not in CI:

    cmake --build --preset release --target peerpost imap_load
    python3 tests/bench/beside_dovecot.py build/release/peerpost build/release/imap_load [--mails 10000] [--only WORDS]

Dovecot: sdbox, fsync as shipped, no encryption. Both speak plain IMAP on loopback and keep their mail in one temporary
folder. "cold": the first time after the daemon was started again and, as root, the page cache was dropped. A ratio
above 1 is in our favour. Other work on the machine disturbs single rows; ratios of rows that were measured in turn hold
better than their figures. --only picks the rows whose name contains one of the words."""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from dovecot import PASSWORD, USER, dovecot, missing  # noqa: E402
from node import nodes  # noqa: E402

MAIL_BYTES = 3100
FILL_CONNECTIONS, FILL_DEPTH = 4, 16
IDLERS = 500
HEADER_LIST = ("BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority X-Priority References "
               "Newsgroups In-Reply-To Content-Type Reply-To Received)]")


class Side:
    """One of the two servers, with the load driver pointed at it."""

    def __init__(self, name, server, user, password, load):
        self.name, self.server, self.load = name, server, load
        self.where = ["127.0.0.1", str(server.imap), user, password]

    def run(self, *task):
        done = subprocess.run([self.load, *self.where, *map(str, task)], capture_output=True, text=True, timeout=1800)
        if done.returncode != 0:
            raise SystemExit(f"{self.name}: {task}: {done.stderr}")
        return {key: float(value) for key, value in (pair.split("=") for pair in done.stdout.split())}

    def restart(self):
        self.server.stop()
        os.sync()
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("3\n")
        begun = time.perf_counter()
        self.server.start()
        self.run("login", 1)
        return time.perf_counter() - begun

    def pids(self):
        return self.server.pids() if hasattr(self.server, "pids") else [self.server.process.pid]

    def memory(self, field="Pss"):
        """Of all its processes, in KiB."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith(field + ":"):
                        total += int(line.split()[1])
        return total


def row(name, ours, theirs, unit, bar, higher_is_better=True):
    ratio = (ours / theirs if higher_is_better else theirs / ours) if ours and theirs else 0
    short = "  " if ratio >= bar else "< "
    print(f"{name:46} {ours:12.2f} {theirs:12.2f} {unit:8} {ratio:7.2f} x {short} bar {bar} x", flush=True)


class Bench:
    def __init__(self, ours, theirs, mails, only):
        self.ours, self.theirs, self.mails, self.only = ours, theirs, mails, only

    def wanted(self, name):
        return not self.only or any(word.lower() in name.lower() for word in self.only)

    def pair(self, name, task, field, unit, bar, higher=True, rounds=3):
        """The median of a few runs, the two in turn."""
        if not self.wanted(name):
            return
        got = {self.ours: [], self.theirs: []}
        for _ in range(rounds):
            for side in got:
                got[side].append(side.run(*task)[field])
        row(name, statistics.median(got[self.ours]), statistics.median(got[self.theirs]), unit, bar, higher)

    def appends(self):
        for depth, bar in ((1, 1.5), (16, 3)):
            self.pair(f"APPEND 2 kB, 4 connections, {depth} deep", ("append", f"Append{depth}", 4, depth, 2000, 2000),
                      "per_s", "msg/s", bar)
        self.pair("APPEND 1 MB", ("append", "Large", 1, 1, 100, 1_000_000), "mb_per_s", "MB/s", 0.9)

    def cold_and_warm(self):
        """The first answer after a start, then with caches warm; the bar is Dovecot's warm figure for both."""
        for name, items, bar in (("FETCH FLAGS", "(FLAGS)", 1), ("FETCH header list", f"({HEADER_LIST})", 1),
                                 ("FETCH ENVELOPE", "(ENVELOPE)", 1), ("FETCH BODYSTRUCTURE", "(BODYSTRUCTURE)", 1)):
            if not self.wanted(name):
                continue
            command = f"UID FETCH 1:* {items}"
            cold = {}
            for side in (self.ours, self.theirs):
                side.restart()
                cold[side] = side.run("all", "Mails", 1, command)["first_per_s"]
            warm = {self.ours: [], self.theirs: []}
            for _ in range(3):
                for side in warm:
                    warm[side].append(side.run("all", "Mails", 3, command)["per_s"])
            theirs = statistics.median(warm[self.theirs])
            row(f"{name}, cold (Dovecot: {cold[self.theirs]:.0f}/s)", cold[self.ours], theirs, "msg/s", bar)
            row(f"{name}, warm", statistics.median(warm[self.ours]), theirs, "msg/s", bar)

    def reads_and_stores(self):
        self.pair("SELECT, fresh connection", ("select", "Mails", 30), "p50_ms", "ms", 1, higher=False)
        self.pair("FETCH BODY[], all", ("all", "Mails", 1, "UID FETCH 1:* (BODY.PEEK[])"), "mb_per_s", "MB/s", 1)
        self.pair("single FETCH of a body", ("each", "Mails", 3000, "UID FETCH % (BODY.PEEK[])"), "per_s", "per s", 1.5)
        self.pair("single FETCH of FLAGS", ("each", "Mails", 3000, "UID FETCH % (FLAGS)"), "per_s", "per s", 1.5)
        for name, task, bar in (("single STORE", ("each", "Mails", 1000, "UID STORE % ?FLAGS (\\Flagged)"), 1),
                                ("STORE 1:* silent", ("all", "Mails", 1, "UID STORE 1:* ?FLAGS.SILENT (\\Seen)"), 0.1)):
            if self.wanted(name):
                got = {self.ours: [], self.theirs: []}
                for sign in "+-+-":   # each round has something to change
                    for side in got:
                        got[side].append(side.run(*task[:-1], task[-1].replace("?", sign))["per_s"])
                row(name, statistics.median(got[self.ours]), statistics.median(got[self.theirs]), "msg/s", bar)
        for key in ('SUBJECT "river"', 'FROM "garden"', 'HEADER Message-ID "<77.bench@example.org>"'):
            self.pair(f"SEARCH {key[:20]}", ("all", "Mails", 3, f"UID SEARCH {key}"), "p50_ms", "ms", 1, higher=False)
        for key in ('BODY "kitchen budget"', 'TEXT "no such text anywhere"'):
            self.pair(f"SEARCH {key[:20]}", ("all", "Mails", 1, f"UID SEARCH {key}"), "p50_ms", "ms", 1, higher=False)

    def sessions(self):
        self.pair("login + logout", ("login", 30), "p50_ms", "ms", 1, higher=False)
        if self.wanted("start to first login"):
            begun = {side: statistics.median(side.restart() for _ in range(3)) * 1e3
                     for side in (self.ours, self.theirs)}
            row("start to first login, cold", begun[self.ours], begun[self.theirs], "ms", 1, False)
        if self.wanted("RSS, no clients"):
            for side in (self.ours, self.theirs):
                side.restart()
            row("RSS, no clients", self.ours.memory("Rss"), self.theirs.memory("Rss"), "KiB", 1, False)
        if self.wanted("memory per idle connection"):
            each = {}
            for side in (self.ours, self.theirs):
                side.run("login", 20)
                before = side.memory()
                holder = subprocess.Popen([side.load, *side.where, "hold", "Idle", str(IDLERS)], stdin=subprocess.PIPE,
                                          stdout=subprocess.PIPE, text=True)
                assert holder.stdout.readline().startswith("holding"), "the idlers were not let in"
                each[side] = (side.memory() - before) / IDLERS
                holder.communicate("\n")
            row("memory per idle connection (PSS)", each[self.ours], each[self.theirs], "KiB", 1, False)
        if self.wanted("IDLE told to all"):
            got = {side: side.run("idle", "Idle", IDLERS, 5) for side in (self.ours, self.theirs)}
            for field in ("p50_ms", "max_ms"):
                row(f"IDLE told to all {IDLERS}, {field[:3]}", got[self.ours][field], got[self.theirs][field], "ms", 1,
                    False)

    def run(self):
        begun = {}
        for side in (self.ours, self.theirs):
            client = side.server.imap_client()
            for box in ("Mails", "Append1", "Append16", "Large", "Idle"):
                client.create(box)
            client.logout()
            begun[side] = side.run("append", "Mails", FILL_CONNECTIONS, FILL_DEPTH, self.mails, MAIL_BYTES)["per_s"]
        print(f"{self.mails} mails of {MAIL_BYTES} B, {os.cpu_count()} cores")
        print(f"{'':46} {'peerpost':>12} {'Dovecot':>12}")
        row("filling (APPEND, 4 connections, 16 deep)", begun[self.ours], begun[self.theirs], "msg/s", 3)
        self.cold_and_warm()
        self.reads_and_stores()
        self.sessions()
        self.appends()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("load")
    arguments.add_argument("--mails", type=int, default=10000)
    arguments.add_argument("--only", nargs="*", default=[])
    given = arguments.parse_args()
    if why := missing():
        raise SystemExit(why)
    with nodes(given.binary, "bench") as (node,), dovecot(connections=2 * IDLERS) as theirs:
        node.start()
        Bench(Side("peerpost", node, node.address, node.password, given.load),
              Side("Dovecot", theirs, USER, PASSWORD, given.load), given.mails, given.only).run()


if __name__ == "__main__":
    main()
