"""A running relay under attack from outside (06-security 6.1.4, proto/relay/SPEC.md): after each attack it lives, its
memory and disk are bounded, nothing exceeds what it has announced,
and a client that has every right was served all the while."""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

from node import mail_from, nodes, patience, wait_until
from process import check_memory, cpu_seconds, resident_bytes

GROWTH_BYTES_MAX = 64 << 20          # of any attack here
ROUND_MS_MAX = 10000                 # of the good client beside an attack: a hang, not a busy machine
REST_SECONDS = 0.5
REST_CPU_SHARE_MAX = 0.5             # of one core, while nobody asks for anything
ATTACK_SECONDS_MAX = 180

SLOTS_MAX = 24
SLOT_BYTES_MAX = 8 << 20
STORAGE_BYTES_MAX = 64 << 20
INDEX_BYTES_MAX = 16 << 20           # of rows and free pages beside what is counted
CONNECTIONS_MAX = 160
CIRCUITS_MAX = 6
CIRCUITS_PER_CLIENT_MAX = 3
RELAY_TOML = f"""
[relay]
serve = "open"
open_bits = 2
slots_max = {SLOTS_MAX}
slot_bytes_max = {SLOT_BYTES_MAX}
storage_bytes_max = {STORAGE_BYTES_MAX}
circuits_max = {CIRCUITS_MAX}
circuits_per_client_max = {CIRCUITS_PER_CLIENT_MAX}
"""


ATTACKS = (
    ("frames",), ("payment",), ("seeds",), ("wrong_work", 5), ("storm", 24, 5),
    ("circuits", CIRCUITS_MAX, CIRCUITS_PER_CLIENT_MAX), ("pipe_limit",), ("unfinished", 100), ("slow_readers", 60),
    ("crowd", CONNECTIONS_MAX + 60), ("quota", SLOTS_MAX + 4),
)


class GoodClient:
    """Rounds of deposit, list, erase, seed and fetch in a process of its own; every line says how one went."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")),
                                       daemon=True)
        self.reader.start()
        wait_until(lambda: self.lines, 30, "the good client does not begin")

    def served(self, what, since):
        count = len(self.lines)
        # One whole round that was begun after the attack had reached its peak.
        wait_until(lambda: len(self.lines) >= count + 2, 3 * ROUND_MS_MAX / 1000,
                   f"{what}: the good client is not served any more")
        rounds = self.lines[since:]
        failed = [line.strip() for line in rounds if not line.startswith("round ")]
        assert not failed, f"{what}: the good client was not served: {failed}"
        took = [int(line.split()[1]) for line in rounds]
        assert max(took) < ROUND_MS_MAX, f"{what}: a round of the good client took {max(took)} ms"
        return took

    def end(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0, "the good client has failed"


class Victim:
    def __init__(self, relay, attacker):
        self.relay, self.attacker = relay, attacker
        self.pid = relay.process.pid
        self.good = None
        self.settled = resident_bytes(self.pid)

    def disk(self):
        return sum(f.stat().st_blocks * 512 for f in self.relay.home.rglob("*") if f.is_file())

    def status(self):
        return json.loads(self.relay.command("relay", "status", "--json"))

    def link(self):
        return json.loads(self.relay.command("relay", "link", "--json"))["link"]

    def command(self, name, *arguments):
        return [self.attacker, str(self.relay.peer), self.link(), name, *map(str, arguments)]

    def start_good(self):
        self.good = GoodClient(self.command("good"))

    def attack(self, name, *arguments, at_peak=lambda said: None, what=None):
        """Runs one attack; at its peak, and after it, everything must be as it should."""
        what = what or " ".join([name, *map(str, arguments)])
        begun, since, cpu = time.monotonic(), len(self.good.lines) if self.good else 0, cpu_seconds(self.pid)
        highest = [resident_bytes(self.pid)]
        attacker = subprocess.Popen(self.command(name, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
        watching = threading.Event()

        def watch():
            while not watching.wait(0.05):
                with contextlib.suppress(OSError):
                    highest[0] = max(highest[0], resident_bytes(self.pid))
                if time.monotonic() - begun > ATTACK_SECONDS_MAX * patience():   # it hangs
                    attacker.kill()
        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        said, took = [], []
        try:
            for line in iter(attacker.stdout.readline, ""):
                said.append(line.strip())
                if line.strip() == "peak":
                    at_peak(said)
                    if self.good:
                        took = self.good.served(what, since)
                    attacker.stdin.write("\n")
                    attacker.stdin.flush()
            code = attacker.wait()
            complaint = attacker.stderr.read().strip()
        finally:
            watching.set()
            attacker.kill()
        assert self.relay.process.poll() is None, f"{what}: the relay ended with {self.relay.process.returncode}"
        assert code == 0, f"{what}: {complaint or code}"
        if self.good:
            took = self.good.served(what, since)
        grown = highest[0] - self.settled
        print(f"{what}: {time.monotonic() - begun:.1f} s, CPU {cpu_seconds(self.pid) - cpu:.1f} s, memory "
              f"{grown / (1 << 20):+.1f} MiB"
              + (f", good rounds {statistics.median(took):.0f} ms, at most {max(took)} ms" if took else ""), flush=True)
        check_memory(self.pid, grown, GROWTH_BYTES_MAX, what)
        return said


def bounded(victim):
    def check(_):
        now = victim.status()
        assert now["slots"] <= SLOTS_MAX, now
        assert now["bytes"] <= STORAGE_BYTES_MAX, now
        assert victim.disk() - victim.disk_before < STORAGE_BYTES_MAX + INDEX_BYTES_MAX, victim.disk()
        disk = (victim.disk() - victim.disk_before) >> 20
        print(f"  {now['slots']} slots, {now['bytes'] >> 20} MiB, disk {disk} MiB", flush=True)
    return check


def circuits_bounded(victim):
    def check(_):
        assert victim.status()["circuits"] <= CIRCUITS_MAX, victim.status()
    return check


def rests(victim):
    before = cpu_seconds(victim.pid)
    time.sleep(REST_SECONDS)
    share = (cpu_seconds(victim.pid) - before) / REST_SECONDS
    assert share < REST_CPU_SHARE_MAX, f"the CPU does not rest ({share:.0%})"


def set_policy(relay, toml):
    relay.stop()
    config = relay.home / "peerpost.toml"
    config.write_text(config.read_text().split("[relay]")[0] + toml)
    relay.start()


def main(binary, *only):
    attacker = str(pathlib.Path(binary).resolve().parent / "relay_attacker")
    if not os.path.exists(attacker):
        print("relay_attacker is not built")
        sys.exit(77)
    with nodes(binary, "relay", extra_toml='[requests]\nwork_bits = 2\n[dht]\nmode = "off"\n' + RELAY_TOML) as (relay,):
        config = relay.home / "peerpost.toml"
        config.write_text(config.read_text().replace("[peer]\n", f"[peer]\nconnections_max = {CONNECTIONS_MAX}\n"))
        relay.start()
        victim = Victim(relay, attacker)
        victim.disk_before = victim.disk()
        victim.start_good()
        victim.settled = resident_bytes(victim.pid)

        at_peak = {"circuits": circuits_bounded(victim), "quota": bounded(victim)}
        for name, *arguments in ATTACKS:
            if not only or name in only:
                victim.attack(name, *arguments, at_peak=at_peak.get(name, lambda said: None))
        after = victim.status()
        assert after["slots"] == 1 and after["bytes"] < 1 << 20, f"closed slots leave something: {after}"
        assert len(relay.bodies()) >= 1        # the owner's own mail is served as ever
        relay.submit(mail_from(relay, relay.address, "after it all", b"x\r\n"), [relay.address])
        victim.good.end()
        rests(victim)

        victim.good = None
        victim.attack("replay", "before")
        set_policy(relay, RELAY_TOML)          # a restart
        victim.pid, victim.settled = relay.process.pid, victim.settled
        victim.attack("replay", "after")

        fresh = victim.link()                  # an invite of before: what it is worth depends on the policy
        for policy in ("self", "contacts", "invited", "off"):
            set_policy(relay, f'[relay]\nserve = "{policy}"\n')
            victim.pid = relay.process.pid
            victim.link = lambda: fresh
            victim.attack("policy", policy)
    print("the relay stands all of it")


if __name__ == "__main__":
    main(*sys.argv[1:])
