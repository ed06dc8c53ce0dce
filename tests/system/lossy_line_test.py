"""Mails over lines that lose packets, are long, are slow, or are silent for a while (tests/system/wire.py): directly,
through a relay while the recipient is off, and through a circuit. Each arrives exactly once, the sender's queue says
what is true, and the relay is empty at the end.

Arguments: the program, then names of cases (all without). PEERPOST_LONG=1: all lines, all ways, all sizes."""

import contextlib
import json
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

from namespaces import skip_unless_possible, world
from nat_test import Placed
from node import mail_from, wait_until
from relay_delivery_test import body_of
from wire import Wire

SMALL, MEDIUM, LARGE = 1000, 1_000_000, 20_000_000
LINES = {
    "loss5": dict(loss=0.05),
    "loss15": dict(loss=0.15),
    "far": dict(delay=0.15),                            # 300 ms from one to the other
    "slow": dict(rate=64_000, delay=0.02),
    "slower": dict(rate=8_000, delay=0.05),             # sixteen seconds of queue as well
    "slow_deep": dict(rate=64_000, delay=0.02, queue=1_000_000),   # sixteen seconds of queue
}
SILENT_S = 40


class Scene:
    """A relay and two people, each on a line of its own."""

    def __init__(self, binary, relay=True, circuit=False, seed=None):
        self.binary, self.with_relay, self.circuit = binary, relay, circuit
        self.seed = seed if seed is not None else random.randrange(1 << 30)
        self.placed = []

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            made = self.stack.enter_context(world())
            self.folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-lossy-"))
            if not os.environ.get("PEERPOST_KEEP"):
                self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.wire = Wire(self.seed)
            self.stack.callback(self.wire.stop)
            self.ends = {}
            for number, name in ((10, "relay"), (1, "alice"), (2, "bob")):
                host = made.add(name)
                self.ends[name] = self.wire.attach(host, f"5.5.0.{number}")
            hosts = {host.address: host for host in made.hosts if hasattr(host, "address")}
            if self.circuit:
                self.wire.block(hosts["5.5.0.1"], hosts["5.5.0.2"])
            self.wire.start()
            self.stack.callback(self.kill_all)
            if self.with_relay:
                self.relay = self.node(hosts["5.5.0.10"], "relay",
                                       '[relay]\nserve = "invited"\ncircuit_rate_bytes_per_s = 2000000\n')
            self.alice = self.node(hosts["5.5.0.1"], "alice")
            self.bob = self.node(hosts["5.5.0.2"], "bob")
            if self.with_relay:
                for person in (self.alice, self.bob):
                    person.command("relay", "use", self.relay.json("relay", "link")["link"])
                wait_until(lambda: self.relay.json("relay", "status")["slots"] == 2 and
                           self.relay.json("relay", "status")["reservations"] == 2, 60, "no slot at the relay")
            self.bob.command("contact", "add", self.alice.json("invite")["link"])
            wait_until(lambda: self.bob.account in self.alice.command("contact", "list", "--json"), 60,
                       "the invite was not noticed")
        except BaseException:
            self.stack.close()
            raise
        return self

    def node(self, host, name, more=""):
        if os.environ.get("PEERPOST_KEEP"):
            more += '[log]\nlevel = "debug"\n'
        options = dict(extra_peer="port_mapping = false",
                       extra_toml=more + "[delivery]\nreach_timeout_s = 2\nretry_max_s = 5\n")
        made = Placed(host, self.binary, self.folder, name, **options)
        self.placed.append(made)
        return made

    def lines(self, **what):
        """From now on, for the two people. The relay stands at a good line."""
        for name in ("alice", "bob"):
            self.ends[name].set(**what)

    def kill_all(self):
        for p in self.placed:
            p.kill()

    def __exit__(self, kind, value, trace):
        if kind:
            self.lines(loss=0, delay=0, rate=0, dead=False)
            print(f"seed of the wire: {self.seed}")
            for p in self.placed:
                print(f"---- log of {p.node.name}\n{p.node.log_text()[-6000:]}")
                with contextlib.suppress(Exception):
                    print(p.command("queue", "--all", check=False)[-1500:])
        self.stack.close()
        return False


def states_of(person):
    return [row["state"] for row in json.loads(person.command("queue", "--all", "--json"))["queue"]]


def copies_of(person, mails):
    """How often each is in INBOX."""
    with person.host.inside():
        bodies = list(person.node.bodies().values())
    return [sum(body.endswith(mail) for body in bodies) for mail in mails]


def mails_of(s, sizes, word):
    return [mail_from(s.alice.node, s.bob.address, f"{word} {n}", body_of(size, n)) for n, size in enumerate(sizes)]


def arrive(s, mails, seconds):
    """All of them, once; the states true; nothing left at the relay."""
    last = {}

    def there():
        last["copies"] = copies_of(s.bob, mails)
        return all(n >= 1 for n in last["copies"])
    wait_until(there, seconds, lambda: f"{last['copies'].count(0)} of {len(mails)} have not arrived: "
               f"{states_of(s.alice)}", pause=0.5)


def end_well(s, mails, seconds=90):
    wait_until(lambda: set(states_of(s.alice)) == {"delivered"}, seconds,
               lambda: f"the queue is not true: {states_of(s.alice)}", pause=0.5)
    if s.with_relay:
        def empty():
            now = s.relay.json("relay", "status")
            return now["notifications"] == 0 and now["blobs"] == 0 and now["bytes"] == 0
        wait_until(empty, seconds, lambda: f"the relay does not become empty: {s.relay.json('relay', 'status')}")
    assert copies_of(s.bob, mails) == [1] * len(mails), copies_of(s.bob, mails)


def links_made(person):
    return person.node.log_text().count("event=up")


def be_silent(s, after, is_under_way):
    time.sleep(after)
    assert is_under_way(), "all was there before the line went silent"
    s.lines(dead=True)
    time.sleep(SILENT_S)
    s.lines(dead=False)


def over(s, line, sizes, seconds, way, silent_after=None):
    """Sends and waits, over the one link there is."""
    mails = mails_of(s, sizes, f"{way} {line}")
    s.lines(**LINES.get(line, {}))
    before = links_made(s.alice)
    begun = time.monotonic()
    for mail in mails:
        s.alice.submit(mail, [s.bob.address])
    if silent_after is not None:
        be_silent(s, silent_after, lambda: 0 in copies_of(s.bob, mails))
    arrive(s, mails, seconds)
    took = time.monotonic() - begun
    links = links_made(s.alice) - before
    end_well(s, mails)
    # A line is not gone because it is slow: what is acknowledged late is acknowledged.
    assert silent_after is not None or links == 0, f"{links} more links were made for it"
    kilobytes = sum(sizes) / 1000
    print(f"{way}, {line}{', silent for %d s' % SILENT_S if silent_after is not None else ''}: {len(sizes)} mails, "
          f"{kilobytes:.0f} kB in {took:.1f} s ({kilobytes / took:.0f} kB/s), {links} new links", flush=True)


def through_relay(s, line, sizes, seconds, silent_after=None):
    """Alice leaves them while Bob is off; then he comes, and she is off."""
    mails = mails_of(s, sizes, f"relay {line}")
    with s.bob.host.inside():
        s.bob.node.stop()
    s.lines(**LINES.get(line, {}))
    begun = time.monotonic()
    for mail in mails:
        s.alice.submit(mail, [s.bob.address])
    if silent_after is not None:
        be_silent(s, silent_after, lambda: set(states_of(s.alice)) != {"seeded"})
    wait_until(lambda: states_of(s.alice).count("seeded") == len(mails), seconds,
               lambda: f"not left at the relay: {states_of(s.alice)}", pause=0.5)
    left = time.monotonic() - begun
    with s.alice.host.inside():
        s.alice.node.stop()
    begun = time.monotonic()
    with s.bob.host.inside():
        s.bob.node.start()
    if silent_after is not None:
        be_silent(s, silent_after, lambda: 0 in copies_of(s.bob, mails))
    arrive(s, mails, seconds)
    fetched = time.monotonic() - begun
    with s.alice.host.inside():
        s.alice.node.start()
    end_well(s, mails)
    print(f"relay, {line}: {len(sizes)} mails, {sum(sizes) / 1000:.0f} kB left in {left:.1f} s, fetched in "
          f"{fetched:.1f} s", flush=True)


def case_direct(binary, line, sizes, seconds, **more):
    with Scene(binary, relay=False) as s:
        over(s, line, sizes, seconds, "direct", **more)


def case_circuit(binary, line, sizes, seconds, **more):
    with Scene(binary, circuit=True) as s:
        over(s, line, sizes, seconds, "circuit", **more)


def case_relay(binary, line, sizes, seconds, **more):
    with Scene(binary) as s:
        through_relay(s, line, sizes, seconds, **more)


# What takes less than a minute in all.
SHORT = {
    "direct-loss5": lambda b: case_direct(b, "loss5", [SMALL] * 10 + [300_000], 60),
    "circuit-far": lambda b: case_circuit(b, "far", [SMALL] * 5, 60),
    "relay-loss5": lambda b: case_relay(b, "loss5", [SMALL] * 5 + [100_000], 60),
    "circuit-slower": lambda b: case_circuit(b, "slower", [200_000] + [SMALL] * 2, 120),
}
LONG = {}
for way, case in (("direct", case_direct), ("relay", case_relay), ("circuit", case_circuit)):
    for name in ("loss5", "loss15", "far"):
        LONG[f"{way}-{name}-all"] = lambda b, case=case, name=name: case(b, name, [SMALL] * 30 + [MEDIUM, LARGE], 900)
    for name in ("slow", "slow_deep"):     # the large one first: the others come while it fills the line
        LONG[f"{way}-{name}-all"] = lambda b, case=case, name=name: case(b, name, [MEDIUM] + [SMALL] * 10, 240)
    if way != "circuit":
        LONG[f"{way}-slower"] = lambda b, case=case: case(b, "slower", [200_000] + [SMALL] * 3, 300)
    LONG[f"{way}-silent"] = lambda b, case=case: case(b, "slow", [MEDIUM] + [SMALL] * 5, 240, silent_after=6)


def main(binary, names):
    skip_unless_possible()
    if not os.path.exists("/dev/net/tun"):
        print("SKIPPED: there is no /dev/net/tun")
        sys.exit(77)
    wanted = SHORT | LONG if os.environ.get("PEERPOST_LONG") == "1" else SHORT
    for name in names or wanted:
        (SHORT | LONG)[name](binary)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
