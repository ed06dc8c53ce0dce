"""Two homes behind NAT and a relay on the public segment, in network namespaces: how they reach each other, and what
happens when a way ends in the middle of a mail. Cases (04-network 4.4.2, 4.5.6):

a  both routers keep ports           -> direct, within a second of the circuit being up
b  both routers use random ports     -> the circuit; mail arrives, and what crawls there is left at the relay as well
c  one side is public                -> direct, whoever sends
d  the relay in use dies in a large mail  -> it goes on over the other relay
e  the address of a home changes in a large mail, twice in a row -> it goes on, each time within seconds
g  connections through a router are silently dropped from one moment on -> it goes on over new ones
f  a gateway with PCP at one side    -> mapped; the other dials in

Arguments: the program, then letters of cases (all without)."""

import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

from namespaces import skip_unless_possible, world
from node import Node, mail_from, patience, wait_until
from port_mapping_test import miniupnpd

RANDOM = "masquerade random,fully-random"
PORT = 41443


class Placed:
    """A node and the host it runs on."""

    def __init__(self, host, binary, folder, name, **options):
        self.host = host
        with host.inside():
            self.node = Node(binary, folder, name, peer_listen="0.0.0.0", peer_port=PORT, **options)
            self.node.start()
        self.address, self.account = self.node.address, self.node.account

    def command(self, *arguments, **options):
        with self.host.inside():
            return self.node.command(*arguments, **options)

    def json(self, *arguments):
        return json.loads(self.command(*arguments, "--json"))

    def submit(self, mail, to):
        with self.host.inside():
            return self.node.submit(mail, to)

    def has(self, mail):
        with self.host.inside():
            return any(body.endswith(mail) for body in self.node.bodies().values())

    def path_to(self, other):
        paths = [link["path"] for link in self.json("status")["links"] if link["peer"] == other.account]
        return paths[0] if len(paths) == 1 else None

    def kill(self):
        if self.node.process and self.node.process.poll() is None:
            self.node.kill()


class Scene:
    """Relays, homes and what runs there; everything ends with it."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-nat-"))
        self.placed, self.others = [], []

    def __enter__(self):
        self.opened = world()
        self.world = self.opened.__enter__()
        return self

    def node(self, host, name, **options):
        options.setdefault("extra_peer", "port_mapping = false")
        made = Placed(host, self.binary, self.folder, name, **options)
        self.placed.append(made)
        return made

    def relay(self, name, number, limits=""):
        host = self.world.public_host(name, number)
        return self.node(host, name, extra_toml='[relay]\nserve = "invited"\n' + limits)

    def use(self, person, relay):
        person.command("relay", "use", relay.json("relay", "link")["link"])

    def befriend(self, a, b):
        """By invite, over whatever way there is."""
        b.command("contact", "add", a.json("invite")["link"])
        wait_until(lambda: b.account in a.command("contact", "list", "--json"), 40, "the invite was not noticed")

    def __exit__(self, kind, value, trace):
        if kind:
            for p in self.placed:
                print(f"---- log of {p.node.name}\n{p.node.log_text()[-5000:]}")
                try:
                    print(p.command("status", check=False)[:2000])
                    print(p.command("queue", check=False)[:1000])
                except Exception as failed:
                    print(failed)
        for p in self.placed:
            p.kill()
        for process in self.others:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.opened.__exit__(kind, value, trace)
        shutil.rmtree(self.folder, ignore_errors=True)
        return False


def send_and_wait(a, b, subject, seconds, body=b"body\r\n"):
    mail = mail_from(a.node, b.address, subject, body)
    begun = time.monotonic()
    a.submit(mail, [b.address])
    wait_until(lambda: b.has(mail), seconds, f"the mail \"{subject}\" did not arrive")
    return time.monotonic() - begun


def joined_by(a, b, path, seconds=15):
    """Both say so. For a moment there may be two links, or none: when both dial at once,
    and when a better way takes over."""
    ways = lambda: (a.path_to(b), b.path_to(a))
    wait_until(lambda: ways() == (path, path), seconds, lambda: f"not joined by {path}: {ways()}")


def large_body(megabytes):
    return b"".join(os.urandom(36).hex().encode() + b"\r\n" for _ in range(megabytes * 1024 * 1024 // 74))


def two_homes(s, masquerade="masquerade", relays=1, limits="", name_a="alice", name_b="bob"):
    """Two people behind routers of one kind who know each other; each uses all relays."""
    made = [s.relay(f"relay{n}", 10 + n, limits) for n in range(relays)]
    s.routers = []
    people = []
    for number, name in ((1, name_a), (2, name_b)):
        router, host = s.world.home(name[:3], number, masquerade)
        s.routers.append(router)
        people.append(s.node(host, name))
    for person in people:
        for relay in made:
            s.use(person, relay)
    wait_until(lambda: all(r.json("relay", "status")["reservations"] == 2 for r in made), 30,
               "nobody reserved at the relay")
    s.befriend(*people)
    return people[0], people[1], made


def ports_kept(s):
    """(a)"""
    alice, bob, _ = two_homes(s)
    # The invite has made a link already; how long after the circuit did it become a direct one?
    joined_by(alice, bob, "punched")
    times = {}
    for person in (alice, bob):
        for line in person.node.log_text().splitlines():
            for path in ("relay", "punched"):
                if "event=up" in line and f"path={path}" in line:
                    times.setdefault(path, []).append(clock_of(line))
    took = min(times["punched"]) - min(times["relay"])
    assert 0 <= took <= 1.0 * patience(), f"{took:.3f} s from the circuit to the direct link"
    seconds = send_and_wait(alice, bob, "through the hole", 20)
    print(f"a: direct {took * 1000:.0f} ms after the circuit, mail in {seconds * 1000:.0f} ms")


def clock_of(line):
    """Seconds of the day out of a log line (2026-11-22T17:00:00.123Z ...)."""
    stamp = line.split("T", 1)[1][:12]
    hours, minutes, seconds = stamp.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds.rstrip("Z"))


def ports_random(s):
    """(b)"""
    alice, bob, relays = two_homes(s, RANDOM)
    seconds = send_and_wait(alice, bob, "through the circuit", 20)
    back = send_and_wait(bob, alice, "and back", 20)
    joined_by(alice, bob, "relay")
    for _ in range(14):     # a whole round of punching
        time.sleep(0.5)
        assert alice.path_to(bob) in ("relay", None), alice.path_to(bob)
    joined_by(alice, bob, "relay")
    assert relays[0].json("relay", "status")["circuits"] >= 1
    log = relays[0].node.log_text()
    for person in (alice, bob):
        assert person.account not in log and person.host.address not in log, "the relay's log tells who was joined"
    megabytes = 16
    crawls = (megabytes - 4) * 8   # 4 MiB at once, then 128 KiB a second
    large = send_and_wait(alice, bob, "large", crawls / 2, large_body(megabytes))
    assert "event=fetch_goes_on_at_relay" in bob.node.log_text()
    left = lambda: [relays[0].json("relay", "status")[what] for what in ("notifications", "blobs")]
    wait_until(lambda: left() == [0, 0], 30, lambda: f"the relay does not become empty: {left()}")
    wait_until(lambda: bob.path_to(alice) == "relay", 15, "the circuit is gone")
    with bob.host.inside():
        assert len(bob.node.bodies()) == 3, "welcome, one mail and the large one"
    print(f"b: mail through the circuit in {seconds * 1000:.0f} and {back * 1000:.0f} ms, "
          f"{megabytes} MiB in {large:.1f} s")


def one_public(s):
    """(c)"""
    relay = s.relay("relay0", 10)
    _, home = s.world.home("ali", 1, RANDOM)
    alice = s.node(home, "alice")
    bob = s.node(s.world.public_host("bob", 20), "bob")
    for person in (alice, bob):
        s.use(person, relay)
    wait_until(lambda: relay.json("relay", "status")["reservations"] == 2, 30, "nobody reserved at the relay")
    s.befriend(alice, bob)
    joined_by(alice, bob, "direct")
    print(f"c: direct, mail in {send_and_wait(alice, bob, 'there', 20) * 1000:.0f} and "
          f"{send_and_wait(bob, alice, 'back', 20) * 1000:.0f} ms")


def relay_dies(s):
    """(d)"""
    alice, bob, relays = two_homes(s, RANDOM, relays=2, limits="circuit_rate_bytes_per_s = 2000000\n")
    joined_by(alice, bob, "relay")
    mail = mail_from(alice.node, bob.address, "large", large_body(24))
    alice.submit(mail, [bob.address])
    in_use = wait_until(lambda: next((r for r in relays if r.json("relay", "status")["circuits"] > 0), None), 10,
                        "no circuit")
    time.sleep(3)
    assert not bob.has(mail), "the mail was too quick for this test"
    in_use.kill()
    begun = time.monotonic()
    relays.remove(in_use)
    wait_until(lambda: relays[0].json("relay", "status")["circuits"] > 0, 30, "no circuit at the other relay")
    switched = time.monotonic() - begun
    wait_until(lambda: bob.has(mail), 120, "the large mail did not arrive")
    print(f"d: on the other relay after {switched:.1f} s, arrived after {time.monotonic() - begun:.1f} s")


class Coming:
    """How much of a large mail has come to a node: looked at ten times a second, until it is there."""

    def __init__(self, node, mail):
        self.node, self.mail, self.sizes = node, mail, []

    def look(self):
        folders = self.node.node.home.glob("accounts/*/incoming")
        sizes = [part.stat().st_size for folder in folders for part in folder.iterdir() if part.is_file()]
        if sizes and (not self.sizes or sizes[0] != self.sizes[-1][1]):
            self.sizes.append((time.monotonic(), sizes[0]))
        return sizes[0] if sizes else 0

    def until(self, condition, seconds, what):
        wait_until(lambda: self.look() < 0 or condition(), seconds, what)

    def longest_pause(self):
        assert all(a[1] < b[1] for a, b in zip(self.sizes, self.sizes[1:])), "it began anew"
        return max(b[0] - a[0] for a, b in zip(self.sizes, self.sizes[1:]))


def begin_large(alice, bob, megabytes):
    """A mail that is under way, and how it comes."""
    mail = mail_from(alice.node, bob.address, "large", large_body(megabytes))
    alice.submit(mail, [bob.address])
    coming = Coming(bob, mail)
    coming.until(lambda: coming.sizes, 20, "nothing comes")
    return coming


def ends_well(coming, letter, what, pause_max):
    coming.until(lambda: coming.node.has(coming.mail), 60, "the large mail did not arrive")
    pause = coming.longest_pause()
    assert pause < pause_max * patience(), f"it stood still for {pause:.1f} s"
    print(f"{letter}: {what}: nothing came for {pause:.1f} s")


def address_changes(s):
    """(e)"""
    alice, bob, relays = two_homes(s, RANDOM, limits="circuit_rate_bytes_per_s = 2000000\n")
    coming = begin_large(alice, bob, 16)
    before = 2
    # The second comes while the link that the first has led to is young.
    for number, pause in ((77, 0.5), (78, 1.5)):
        end = time.monotonic() + pause
        coming.until(lambda: time.monotonic() > end, 10, "")
        assert not bob.has(coming.mail), "the mail was too quick for this test"
        alice.host.ip("addr", "del", f"192.168.1.{before}/24", "dev", "eth0")
        alice.host.ip("addr", "add", f"192.168.1.{number}/24", "dev", "eth0")
        alice.host.ip("route", "replace", "default", "via", "192.168.1.1")
        before = number
    ends_well(coming, "e", "two other addresses in a row", 10)


def connections_die(s):
    """(g)"""
    alice, bob, relays = two_homes(s, RANDOM, limits="circuit_rate_bytes_per_s = 2000000\n")
    coming = begin_large(alice, bob, 16)
    assert not bob.has(coming.mail), "the mail was too quick for this test"
    s.routers[0].run("nft", "-f", "-", stdin="""
table ip marks {
  chain through { type filter hook forward priority -10; ct state new ct mark set 1; ct mark 0 drop; }
}
""")
    ends_well(coming, "g", "what flowed through a router is dropped", 20)


def gateway_maps(s):
    """(f)"""
    router, home = s.world.home("ali", 1, RANDOM)
    s.others.append(miniupnpd(router, s.folder, pcp=True, nat_pmp=True, upnp=False))
    alice = s.node(home, "alice", extra_peer="")
    wait_until(lambda: alice.json("status")["port_mapping"], 15, "nothing was mapped")
    _, other = s.world.home("bob", 2, RANDOM)
    bob = s.node(other, "bob")
    s.befriend(alice, bob)
    seconds = send_and_wait(bob, alice, "in by the gateway's door", 20)
    wait_until(lambda: alice.path_to(bob) == "mapped", 10, lambda: f"not mapped: {alice.path_to(bob)}")
    print(f"f: mapped, mail in {seconds * 1000:.0f} ms")


CASES = {"a": ports_kept, "b": ports_random, "c": one_public, "d": relay_dies, "e": address_changes, "f": gateway_maps,
         "g": connections_die}


def main(binary, letters):
    skip_unless_possible()
    for letter in letters or CASES:
        if letter == "f" and not shutil.which("miniupnpd"):
            print("f: left out, there is no miniupnpd (packaging/setup installs it)")
            continue
        with Scene(binary) as s:
            CASES[letter](s)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
