"""The full-text index: how fast it is made, how large it is, and what it spares a search (03-storage 3.8). By hand:

    cmake --build --preset release --target peerpost
    python3 tests/bench/text_index.py build/release/peerpost --text FOLDER [--mails 10000] [--bytes 3100] [--cjk]

FOLDER holds text files, from which mails are cut; --cjk makes Chinese text up instead. "scan" is the same search with a
one-byte string as an alternative that no mail has: the index cannot help with that, so every mail is read."""

import argparse
import json
import pathlib
import random
import socket
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from node import nodes  # noqa: E402

NEEDLES = ["segfault", "mailbox", "uidvalidity", "the", "zq", "performance regression", "restore from backup",
           "nowhere-at-all"]
CJK_NEEDLES = ["的一", "是在不", "中国", "鬱鬱"]
REPEAT = 9
DEPTH = 50


def english(folder, count, size):
    pieces = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes()
        pieces += [text[i:i + size] for i in range(0, len(text) - size, size)]
    random.Random(1).shuffle(pieces)
    if len(pieces) < count:
        raise SystemExit(f"{folder} has text for {len(pieces)} mails only")
    return [p.replace(b"\r", b"").replace(b"\n", b"\r\n").replace(b"\0", b"") for p in pieces[:count]]


def chinese(count, size):
    dice = random.Random(2)
    common = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    signs = list(common) + [chr(c) for c in range(0x4e00, 0x4e00 + 3000)]
    weights = [1 / (n + 3) for n in range(len(signs))]
    return ["".join(dice.choices(signs, weights, k=size // 3)).encode() for _ in range(count)]


class Client:
    """Pipelines APPEND and times SEARCH; imaplib is too slow for either."""

    def __init__(self, node):
        self.socket = socket.create_connection(("127.0.0.1", node.imap))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.run(f"LOGIN {node.address} {node.password}".encode())

    def run(self, command):
        self.socket.sendall(b"a " + command + b"\r\n")
        lines = []
        while True:
            line = self.file.readline()
            if line.startswith(b"a "):
                if not line.startswith(b"a OK"):
                    raise SystemExit(line)
                return lines
            lines.append(line)

    def append(self, mails):
        for i in range(0, len(mails), DEPTH):
            some = mails[i:i + DEPTH]
            self.socket.sendall(b"".join(b"t APPEND INBOX {%d+}\r\n%s\r\n" % (len(m), m) for m in some))
            left = len(some)
            while left:
                line = self.file.readline()
                if line.startswith(b"t "):
                    if not line.startswith(b"t OK"):
                        raise SystemExit(line)
                    left -= 1

    def search(self, keys):
        times, hits = [], 0
        for _ in range(REPEAT):
            begun = time.perf_counter()
            lines = self.run(b"SEARCH CHARSET UTF-8 " + keys)
            times.append((time.perf_counter() - begun) * 1000)
            hits = sum(len(line.split()) - 2 for line in lines if line.startswith(b"* SEARCH"))
        return statistics.median(times), hits


def literal(text):
    raw = text.encode()
    return b"{%d+}\r\n%s" % (len(raw), raw)


def status(node):
    return json.loads(node.command("status", "--json"))["accounts"][0]["index"]


def peak_kib(node):
    for line in pathlib.Path(f"/proc/{node.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("binary")
    options.add_argument("--text")
    options.add_argument("--mails", type=int, default=10000)
    options.add_argument("--bytes", type=int, default=3100)
    options.add_argument("--cjk", action="store_true")
    given = options.parse_args()
    if not given.cjk and not given.text:
        options.error("--text FOLDER or --cjk")
    bodies = chinese(given.mails, given.bytes) if given.cjk else english(given.text, given.mails, given.bytes)
    charset = "utf-8" if given.cjk else "iso-8859-1"
    head = "From: Somebody <s@example.org>\r\nTo: me@example.org\r\nSubject: number {}\r\n" \
           "Date: Mon, 2 Mar 2026 10:00:00 +0000\r\n" \
           "Message-ID: <{}@example.org>\r\nContent-Type: text/plain; charset=" + charset + "\r\n\r\n"
    mails = [head.format(n, n).encode() + body + b"\r\n" for n, body in enumerate(bodies)]
    text_bytes = sum(map(len, mails))
    with nodes(given.binary, "bench") as (node,):
        node.start()
        client = Client(node)
        begun = time.perf_counter()
        client.append(mails)
        filled = time.perf_counter() - begun
        print(f"append while indexing: {given.mails / filled:9.0f} mails/s", flush=True)
        while status(node)["waiting"]:
            time.sleep(0.2)
        print(f"complete {time.perf_counter() - begun - filled:6.1f} s after the last mail", flush=True)
        print(f"peak memory of the program: {peak_kib(node) / 1024:.1f} MiB", flush=True)
        node.stop()
        node.start()
        client = Client(node)
        index = status(node)
        print(f"index {index['bytes'] / 1e6:8.2f} MB of {text_bytes / 1e6:.2f} MB text: "
              f"{index['bytes'] / text_bytes:.3f} x", flush=True)
        client.run(b"SELECT INBOX")
        print(f"{'':32} {'hits':>7} {'index ms':>10} {'scan ms':>10} {'ratio':>8}")
        for needle in CJK_NEEDLES if given.cjk else NEEDLES:
            for key in (b"BODY ", b"TEXT "):
                with_index, hits = client.search(key + literal(needle))
                scan, same = client.search(b"OR " + key + literal(needle) + b" BODY " + literal("\x7f"))
                if hits != same:
                    raise SystemExit(f"{needle}: {hits} hits with the index, {same} without")
                print(f"{key.decode()}{needle:27} {hits:7} {with_index:10.2f} {scan:10.2f} {scan / with_index:8.1f}",
                      flush=True)
        print(f"peak memory after a new start and the searches: {peak_kib(node) / 1024:.1f} MiB")
        node.stop()


if __name__ == "__main__":
    main()
