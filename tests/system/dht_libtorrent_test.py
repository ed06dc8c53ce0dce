"""Our DHT node among nodes of libtorrent (Debian's python3-libtorrent), on loopback: ours stores and libtorrent reads,
libtorrent stores and ours reads, our nodes store for libtorrent, and half of the nodes dead. 127.0.1.x, one address per
node: libtorrent limits rates per address. argv[1]: the program of the build; its folder has dht_driver."""

import contextlib
import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import time

try:
    import libtorrent as lt
except ImportError:
    # Debian's module belongs to Debian's Python, which need not be the first on the path.
    debian = "/usr/bin/python3"
    if os.path.realpath(sys.executable) != os.path.realpath(debian) and os.path.exists(debian):
        os.execv(debian, [debian, *sys.argv])
    print("no python3-libtorrent here")
    sys.exit(77)

SETTINGS = {
    "alert_mask": lt.alert.category_t.dht_notification | lt.alert.category_t.error_notification,
    "enable_dht": True, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_outgoing_utp": False, "enable_incoming_utp": False,
    # What makes a swarm on one machine work: many nodes of one network, addresses no id is bound to, no limits.
    "dht_restrict_routing_ips": False, "dht_restrict_search_ips": False, "dht_prefer_verified_node_ids": False,
    "dht_enforce_node_id": False, "dht_ignore_dark_internet": False,
    "dht_block_ratelimit": 1000, "dht_upload_rate_limit": 1_000_000,
}


def free_port():
    """One port that is free at every address of loopback we use."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 0))
        return s.getsockname()[1]


class Torrent:
    """A node of libtorrent."""

    def __init__(self, address, port):
        self.address = (address, port)
        self.session = lt.session({**SETTINGS, "listen_interfaces": f"{address}:{port}", "dht_bootstrap_nodes": ""})

    def meet(self, others):
        """libtorrent keeps its bootstrap nodes out of its table, and asks a silent one again only minutes later: so
        each is told of some ordinary nodes instead."""
        for other in others:
            self.session.add_dht_node(other)

    def nodes(self):
        self.session.post_dht_stats()
        return self.wait(lambda a: len(a.routing_table) and sum(b["num_nodes"] for b in a.routing_table)
                         if isinstance(a, lt.dht_stats_alert) else None, 10)

    def get(self, key, salt, seconds=20):
        self.session.pop_alerts()
        self.session.dht_get_mutable_item(key, salt)
        def wanted(a):
            return isinstance(a, lt.dht_mutable_item_alert) and a.authoritative and a.key == key
        return self.wait(lambda a: a if wanted(a) else None, seconds)

    def put(self, seed, value, salt):
        public, secret = expanded(seed)
        self.session.pop_alerts()
        self.session.dht_put_mutable_item(secret, public, value, salt)
        return self.wait(lambda a: a.num_success if isinstance(a, lt.dht_put_alert) else None, 30)

    def wait(self, pick, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.session.wait_for_alert(100)
            for alert in self.session.pop_alerts():
                found = pick(alert)
                if found is not None:
                    return found
        raise AssertionError("libtorrent does not answer")


def expanded(seed):
    """Public key and libtorrent's form of the secret one: the clamped SHA-512 of the seed. The public key is told by
    our own program, so that this file needs no curve."""
    h = bytearray(hashlib.sha512(seed).digest())
    h[0] &= 248
    h[31] &= 63
    h[31] |= 64
    return PUBLIC[seed], bytes(h)


class Ours:
    def __init__(self, program, endpoint, entries, reachable):
        self.endpoint = endpoint
        self.process = subprocess.Popen(
            [program, endpoint, *(["reachable"] if reachable else []), *(e for e in entries if e != endpoint)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        return self.process.stdout.readline().split()

    def nodes(self):
        return int(self.ask("status")[1])

    def stored(self):
        return int(self.ask("status")[3])

    def get(self, key, salt="-"):
        answer = self.ask("get", key.hex(), salt)
        return (int(answer[1]), bytes.fromhex(answer[3])) if answer[0] == "got" else None

    def put(self, seed, salt, sequence, value):
        answer = self.ask("put", seed.hex(), salt, sequence, value)
        assert answer[0] == "put", answer
        return int(answer[1]), answer[2] == "1"

    def public_key(self, seed):
        return bytes.fromhex(self.ask("key", seed.hex(), "-")[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.2)
    raise AssertionError(what)


PUBLIC = {}


def seed(number):
    return bytes([number]) * 32


def among_libtorrent(program, port, stack):
    entries = [f"127.0.1.{i}:{port}" for i in (1, 2, 3)]
    torrents = [Torrent(f"127.0.1.{i}", port) for i in range(1, 17)]
    time.sleep(1)
    for i, t in enumerate(torrents):
        t.meet(torrents[(i + step) % 16].address for step in range(1, 6))
    client = Ours(program, f"127.0.1.100:{port}", entries, reachable=False)
    full = Ours(program, f"127.0.1.101:{port}", entries, reachable=True)
    stack.callback(client.close)
    stack.callback(full.close)
    for number in range(1, 40):
        PUBLIC[seed(number)] = client.public_key(seed(number))
    wait_until(lambda: min(t.nodes() for t in torrents) >= 6, 60, "the nodes of libtorrent do not find each other")
    wait_until(lambda: client.nodes() >= 8 and full.nodes() >= 8, 30, "ours do not find the nodes of libtorrent")

    # Ours stores, libtorrent reads: the value, its number and its signature are what was written.
    for number, salt in ((1, "-"), (2, "device")):
        replicas, outdated = client.put(seed(number), salt, 1000 + number, f"value{number}")
        assert replicas >= 6 and not outdated, f"{replicas} replicas"
        plain_salt = b"" if salt == "-" else salt.encode()
        item = torrents[9].get(PUBLIC[seed(number)], plain_salt)
        assert item.item["value"] == f"value{number}".encode() and item.seq == 1000 + number, item.item

    # libtorrent stores, ours reads.
    for number, salt in ((11, b""), (12, b"salt")):
        assert torrents[4].put(seed(number), f"theirs{number}".encode(), salt) >= 4
        for reader in (client, full):
            sequence, value = reader.get(PUBLIC[seed(number)], salt.decode() or "-")
            expected = f"theirs{number}".encode()
            assert value == b"%d:%s" % (len(expected), expected) and sequence == 1, (sequence, value)

    # A newer value replaces the older one; an older one is refused, by both sides' rules.
    assert client.put(seed(1), "-", 2000, "newer")[0] >= 6
    assert torrents[2].get(PUBLIC[seed(1)], b"").item["value"] == b"newer"
    assert client.put(seed(1), "-", 1500, "older") == (0, True)
    assert client.get(PUBLIC[seed(39)]) is None   # what nobody stored is not found

    # Half of the nodes go without a word.
    for number in range(21, 31):
        assert client.put(seed(number), "-", 1, f"v{number}")[0] >= 6
    for t in torrents[1::2]:
        t.session.pause()
        t.session.apply_settings({"enable_dht": False})
    time.sleep(0.5)
    slowest = 0.0
    for number in range(21, 31):
        begun = time.monotonic()
        found = full.get(PUBLIC[seed(number)])
        slowest = max(slowest, time.monotonic() - begun)
        assert found is not None and found[1] == b"3:v%d" % number, f"item {number}: {found}"
    assert slowest < 2.5, f"a lookup took {slowest:.2f} s"
    print(f"among libtorrent: half dead, slowest lookup {slowest:.2f} s")
    replicas, _ = full.put(seed(31), "-", 1, "after")
    assert replicas >= 4, f"{replicas} replicas with half of the nodes dead"
    for t in torrents:
        t.session.pause()


def libtorrent_among_ours(program, port, stack):
    entries = [f"127.0.2.{i}:{port}" for i in (1, 2, 3)]
    ours = [Ours(program, f"127.0.2.{i}:{port}", entries, reachable=True) for i in range(1, 13)]
    for o in ours:
        stack.callback(o.close)
    torrents = [Torrent(f"127.0.2.{i}", port) for i in (50, 51)]
    time.sleep(1)
    for t in torrents:
        t.meet((f"127.0.2.{i}", port) for i in range(1, 6))
    wait_until(lambda: min(o.nodes() for o in ours) >= 8, 60, "ours do not find each other")
    wait_until(lambda: min(t.nodes() for t in torrents) >= 4, 60, "libtorrent does not find ours")

    assert torrents[0].put(seed(5), b"on our nodes", b"s") >= 4
    holders = sum(o.stored() > 0 for o in ours)
    assert holders >= 4, f"{holders} of our nodes store"
    item = torrents[1].get(PUBLIC[seed(5)], b"s")
    assert item.item["value"] == b"on our nodes" and item.seq == 1
    assert ours[7].get(PUBLIC[seed(5)], "s") == (1, b"12:on our nodes")
    # It writes again: its next number is taken from what our nodes told it.
    assert torrents[1].put(seed(5), b"again", b"s") >= 4
    assert ours[3].get(PUBLIC[seed(5)], "s") == (2, b"5:again")
    # Immutable items too.
    target = torrents[0].session.dht_put_immutable_item("immutable")
    time.sleep(1)
    torrents[1].session.pop_alerts()
    torrents[1].session.dht_get_immutable_item(target)
    found = torrents[1].wait(lambda a: a if isinstance(a, lt.dht_immutable_item_alert) else None, 20)
    assert found.item["value"] == b"immutable"
    print(f"libtorrent among ours: {holders} of ours store")


def main():
    program = str(pathlib.Path(sys.argv[1]).with_name("dht_driver"))
    with contextlib.ExitStack() as stack:
        among_libtorrent(program, free_port(), stack)
        libtorrent_among_ours(program, free_port(), stack)
    print("ok")


if __name__ == "__main__":
    main()
