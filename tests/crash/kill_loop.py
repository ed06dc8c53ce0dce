"""Two daemons under load, killed with SIGKILL at random moments; afterwards nothing acknowledged is lost, doubled or
altered. Clients keep a ledger: what was acknowledged must hold, what was in doubt when the connection broke must hold
wholly or not at all. After every reconnect and at the end the mailboxes are compared with the ledger.

    kill_loop.py BINARY [--kills N] [--seed N] [--lose-one]

--lose-one puts a mail into the ledger that was never submitted: the run must fail (the negative control)."""

import argparse
import hashlib
import imaplib
import json
import os
import pathlib
import random
import re
import smtplib
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from node import befriend, nodes, wait_until  # noqa: E402

GONE = (imaplib.IMAP4.abort, OSError, EOFError, smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError)
ROWS_MAX = 14                  # mails an IMAP worker keeps per mailbox: enough for sets, few enough to compare often
# in the log, at its edge, in a file of its own; ridden along or fetched
SIZES = (300, 2000, 2000, 30000, 90000, 300000)
TOKEN = re.compile(rb"Message-ID: <([0-9a-z]+)@kill\.test>", re.IGNORECASE)
HEADER_FETCH = "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])"
FLAGS = (r"\Seen", r"\Flagged", r"\Answered", "$Forwarded", "blue")
DRAIN_TIMEOUT_S = 120


class Broken(Exception):
    """A promise was not kept."""


def make_mail(dice, node, to):
    token = "%024x" % dice.getrandbits(96)
    head = (f"From: {node.name} <{node.address}>\r\nTo: {to}\r\nSubject: {token[:8]}\r\n"
            f"Message-ID: <{token}@kill.test>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n").encode()
    size = dice.choice(SIZES)
    line = b"".join(b"%016x" % dice.getrandbits(64) for _ in range(4)) + b"\r\n"
    body = b"".join(b"%d." % n + line for n in range(size // len(line) + 1))
    return token, head + body


class Ledger:
    """What everybody knows: contents by token, and which mail stood under which UID, for ever."""

    def __init__(self):
        self.lock = threading.Lock()
        self.contents = {}                    # token -> bytes
        self.uids = {}                        # (node, mailbox, uid) -> token
        self.validity = {}                    # (node, mailbox) -> UIDVALIDITY
        self.modseq = {}
        self.counts = {}
        self.broken = []

    def learn(self, token, mail):
        with self.lock:
            self.contents[token] = mail

    def count(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def stands(self, node, mailbox, uid, token):
        with self.lock:
            before = self.uids.setdefault((node.name, mailbox, uid), token)
        if before != token:
            raise Broken(f"{node.name} {mailbox}: UID {uid} was reused")

    def selected(self, node, mailbox, client):
        validity = int(client.response("UIDVALIDITY")[1][0])
        modseq = int(client.response("HIGHESTMODSEQ")[1][0])
        uid_next = int(client.response("UIDNEXT")[1][0])
        with self.lock:
            before = self.validity.setdefault((node.name, mailbox), validity)
            known = [uid for (name, box, uid) in self.uids if name == node.name and box == mailbox]
            modseq_before = self.modseq.get((node.name, mailbox), 0)
            self.modseq[node.name, mailbox] = max(modseq, modseq_before)
        if before != validity:
            raise Broken(f"{node.name} {mailbox}: UIDVALIDITY was {before} and is {validity}")
        if known and max(known) >= uid_next:
            raise Broken(f"{node.name} {mailbox}: UIDNEXT {uid_next} although UID {max(known)} was given")
        if modseq < modseq_before:
            raise Broken(f"{node.name} {mailbox}: HIGHESTMODSEQ fell from {modseq_before} to {modseq}")


def listing(client):
    """{uid: (token, flags)} of the selected mailbox."""
    found = {}
    typ, data = client.uid("FETCH", "1:*", HEADER_FETCH)
    if typ != "OK":
        raise Broken(f"FETCH answered {typ}")
    for part in data:
        if isinstance(part, tuple):
            uid = int(re.search(rb"UID (\d+)", part[0]).group(1))
            flags = re.search(rb"FLAGS \(([^)]*)\)", part[0]).group(1).decode().split()
            token = TOKEN.search(part[1])
            found[uid] = (token.group(1).decode() if token else "?", frozenset(flags) - {r"\Recent"})
    return found


class Worker(threading.Thread):
    """A client that comes back after every broken connection, until it is told to stop."""

    def __init__(self, node, ledger, stop, name, seed):
        super().__init__(name=f"{node.name}-{name}", daemon=True)
        self.node, self.ledger, self.stop_event = node, ledger, stop
        self.dice = random.Random(f"{seed} {node.name} {name}")

    def run(self):
        while not self.stop_event.is_set():
            try:
                self.session()
            except GONE:
                time.sleep(0.03)
            except Exception as error:   # a promise was broken, or this program is wrong: both end the run
                with self.ledger.lock:
                    self.ledger.broken.append(f"{self.name}: {type(error).__name__}: {error}")
                self.stop_event.set()

    def pause(self):
        return self.stop_event.wait(self.dice.random() * 0.02)


class Filer(Worker):
    """APPEND, STORE, COPY, MOVE and EXPUNGE in two mailboxes nobody else touches: their state is known exactly, except
    for the one operation that was on its way when the connection broke."""

    def __init__(self, node, ledger, stop, number, seed):
        super().__init__(node, ledger, stop, f"filer{number}", seed)
        self.boxes = (f"from{number}", f"to{number}")
        self.state = {box: {} for box in self.boxes}        # box -> {uid: (token, flags)}
        self.after = None                                   # the state if the operation in doubt has happened

    def session(self):
        client = self.node.imap_client()
        try:
            for box in self.boxes:
                client.create(box)
            self.settle(client)
            while not self.pause():
                self.step(client)
        finally:
            client.shutdown()

    def settle(self, client):
        found = {}
        for box in self.boxes:
            if client.select(box)[0] != "OK":
                raise Broken(f"{box} cannot be selected")
            found[box] = listing(client)
            self.ledger.selected(self.node, box, client)
            for uid, (token, _) in found[box].items():
                self.ledger.stands(self.node, box, uid, token)

        def shape(state):   # the UIDs an unanswered operation gave are not known: what stands there counts
            return {box: sorted((token, sorted(flags)) for token, flags in rows.values())
                    for box, rows in state.items()}

        if found == self.state:
            pass
        elif self.after is not None and shape(found) == shape(self.after) and self.agrees(found):
            self.ledger.count("in doubt and done")
        else:
            raise Broken(f"{self.node.name}: found {shape(found)}, known {shape(self.state)}, in doubt "
                         f"{shape(self.after) if self.after else 'nothing'}")
        self.state, self.after = found, None

    def agrees(self, found):   # UIDs that were known before the operation have not changed
        return all(found[box].get(uid, row)[0] == row[0] for box in self.boxes for uid, row in self.state[box].items())

    def changed(self):
        return {box: dict(rows) for box, rows in self.state.items()}

    def fresh(self, state, box):   # a key for a row whose UID is not known yet
        return 10**9 + len(state[box])

    def do(self, after, what, call):
        self.after = after
        typ, data = call()
        if typ != "OK":
            raise Broken(f"{what} answered {typ} {data}")
        self.ledger.count(what)
        self.state, self.after = after, None
        return data

    def place(self, box, token, flags, uid):
        self.ledger.stands(self.node, box, uid, token)
        self.state[box][uid] = (token, flags)

    def step(self, client):
        source, target = self.dice.sample(self.boxes, 2)
        rows = self.state[source]
        what = self.dice.choice(("APPEND", "APPEND", "STORE", "STORE", "COPY", "MOVE", "EXPUNGE"))
        if len(rows) > ROWS_MAX:
            what = "EXPUNGE"
        elif not rows or (what in ("COPY", "MOVE") and len(self.state[target]) > ROWS_MAX):
            what = "APPEND" if not rows else "STORE"
        if what == "APPEND":
            return self.append(client, source)
        client.select(source)
        chosen = sorted(self.dice.sample(sorted(rows), self.dice.randint(1, min(4, len(rows)))))
        uids = ",".join(map(str, chosen))
        after = self.changed()
        if what == "STORE":
            flag, sign = self.dice.choice(FLAGS), self.dice.choice("+-")
            for uid in chosen:
                token, flags = rows[uid]
                after[source][uid] = (token, flags | {flag} if sign == "+" else flags - {flag})
            self.do(after, "STORE", lambda: client.uid("STORE", uids, sign + "FLAGS", f"({flag})"))
        elif what == "EXPUNGE":
            if len(rows) > ROWS_MAX:
                uids = ",".join(map(str, chosen := sorted(rows)[:ROWS_MAX // 2]))
            for uid in chosen:
                after[source][uid] = (rows[uid][0], rows[uid][1] | {r"\Deleted"})
            self.do(after, "STORE", lambda: client.uid("STORE", uids, "+FLAGS", r"(\Deleted)"))
            after = self.changed()
            for uid in chosen:
                del after[source][uid]
            self.do(after, "EXPUNGE", lambda: client.uid("EXPUNGE", uids))
        else:
            moved = []
            for uid in chosen:
                key = self.fresh(after, target)
                after[target][key] = rows[uid]
                moved.append((key, rows[uid]))
                if what == "MOVE":
                    del after[source][uid]
            data = self.do(after, what, lambda: client.uid(what, uids, target))
            code = re.search(rb"COPYUID (\d+) (\S+) ([\d:,]+)", data[0] or b"")
            code = code.group(3) if code else client.response("COPYUID")[1][0].split()[2].rstrip(b"]")
            given = [n for part in code.split(b",")
                     for n in range(int(part.split(b":")[0]), int(part.split(b":")[-1]) + 1)]
            if len(given) != len(moved):
                raise Broken(f"COPYUID names {len(given)} of {len(moved)}")
            for (key, (token, flags)), uid in zip(moved, given):
                del self.state[target][key]
                self.place(target, token, flags, uid)

    def append(self, client, box):
        token, mail = make_mail(self.dice, self.node, self.node.address)
        self.ledger.learn(token, mail)
        flag = self.dice.choice(FLAGS)
        after = self.changed()
        key = self.fresh(after, box)
        after[box][key] = (token, frozenset([flag]))
        data = self.do(after, "APPEND", lambda: client.append(box, f"({flag})", None, mail))
        uid = int(re.search(rb"APPENDUID \d+ (\d+)", data[0]).group(1))
        del self.state[box][key]
        self.place(box, token, frozenset([flag]), uid)


class Sender(Worker):
    def __init__(self, node, other, ledger, stop, number, seed):
        super().__init__(node, ledger, stop, f"sender{number}", seed)
        self.other, self.acknowledged, self.in_doubt = other, set(), set()

    def session(self):
        with smtplib.SMTP("127.0.0.1", self.node.smtp, timeout=60) as client:
            client.login(self.node.address, self.node.password)
            while not self.pause():
                token, mail = make_mail(self.dice, self.node, self.other.address)
                self.ledger.learn(token, mail)
                self.in_doubt.add(token)
                client.sendmail(self.node.address, [self.other.address], mail)
                self.in_doubt.discard(token)
                self.acknowledged.add(token)
                self.ledger.count("SUBMIT")


class Reader(Worker):
    """Moves what has come from INBOX to Read, while more is coming."""

    def session(self):
        client = self.node.imap_client()
        try:
            client.create("Read")
            while not self.pause():
                for box in ("Read", "INBOX"):
                    client.select(box)
                    found = listing(client)
                    self.ledger.selected(self.node, box, client)
                    for uid, (token, _) in found.items():
                        self.ledger.stands(self.node, box, uid, token)
                if len(found) < 4:
                    continue
                chosen = sorted(self.dice.sample(sorted(found), len(found) // 2))
                typ, _ = client.uid("MOVE", ",".join(map(str, chosen)), "Read")
                if typ != "OK":
                    raise Broken(f"MOVE out of INBOX answered {typ}")
                self.ledger.count("MOVE")
        finally:
            client.shutdown()


class Shredder(Worker):
    """Moves the store to a new generation under fresh keys now and then, while the others work and the daemon dies."""

    def session(self):
        while not self.stop_event.wait(0.5 + 2 * self.dice.random()):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(60)
                connection.connect(str(self.node.home / "control.sock"))
                connection.sendall(b'{"command": "shred", "arguments": {}}\n')
                answer = b""
                while b"\n" not in answer:
                    piece = connection.recv(65536)
                    if not piece:
                        raise EOFError
                    answer += piece
            if "result" not in json.loads(answer.splitlines()[0]):
                raise Broken(f"shred answered {answer[:200]}")
            self.ledger.count("SHRED")


def launch(node):
    node.process = subprocess.Popen([node.binary, "--home", str(node.home), "serve"], stdout=node.log, stderr=node.log)


def kill_and_restart(node, dice):
    """Returns how often it was killed."""
    node.kill()
    kills = 1
    while dice.random() < 0.3:        # again before it has come up: in the middle of its recovery
        launch(node)
        time.sleep(dice.random() * 0.25)
        node.kill()
        kills += 1
    launch(node)
    wait_until(node.answers, 60, f"{node.name} does not come back")
    return kills


def whole(node, client, box):
    """[(token, bytes)] of everything in a mailbox."""
    client.select(box, readonly=True)
    found = []
    for uid, (token, _) in listing(client).items():
        _, parts = client.uid("FETCH", str(uid), "(BODY.PEEK[])")
        found.append((token, parts[0][1]))
    return found


def verify(nodes_, filers, senders, ledger):
    wrong = []
    for node in nodes_:
        other = nodes_[1] if node is nodes_[0] else nodes_[0]
        client = node.imap_client()
        for filer in filers:
            if filer.node is not node:
                continue
            filer.settle(client)
            for box in filer.boxes:
                for token, mail in whole(node, client, box):
                    if ledger.contents.get(token) != mail:
                        wrong.append(f"{node.name} {box}: a mail is not what was appended")
        came = whole(node, client, "INBOX") + whole(node, client, "Read")
        kept = whole(other, other_client := other.imap_client(), "Sent")
        other_client.logout()
        seen, sent_copies = {}, {}
        for token, mail in came:
            if token == "?":
                continue              # the welcome mail
            seen[token] = seen.get(token, 0) + 1
            original = ledger.contents.get(token)
            if original is None or not mail.endswith(original):
                wrong.append(f"{node.name}: {token} came altered")
            elif b"\r\n\r\n" in mail[:-len(original)] or not mail[:-len(original)].endswith(b"\r\n"):
                wrong.append(f"{node.name}: {token} has a strange block before it")
        for token, mail in kept:
            sent_copies[token] = sent_copies.get(token, 0) + 1
            if ledger.contents.get(token) != mail:
                wrong.append(f"{other.name}: the copy in Sent of {token} is altered")
        for sender in senders:
            if sender.node is not other:
                continue
            for token in sender.acknowledged:
                if seen.get(token, 0) != 1 or sent_copies.get(token, 0) != 1:
                    wrong.append(f"acknowledged {token} from {other.name}: {seen.get(token, 0)} times at the "
                                 f"recipient, {sent_copies.get(token, 0)} in Sent")
            for token in sender.in_doubt:
                if seen.get(token, 0) > 1 or seen.get(token, 0) != sent_copies.get(token, 0):
                    wrong.append(f"in doubt {token} from {other.name}: {seen.get(token, 0)} times at the recipient, "
                                 f"{sent_copies.get(token, 0)} in Sent")
        client.logout()
    return wrong


def deliver_everything(node):
    """Waits until nothing is under way; an error when nothing has arrived for DRAIN_TIMEOUT_S."""
    left, moved = None, time.monotonic()
    while left != 0:
        now = sum(row["state"] != "delivered" for row in json.loads(node.command("queue", "--json"))["queue"])
        if now != left:
            left, moved = now, time.monotonic()
        if time.monotonic() - moved > DRAIN_TIMEOUT_S:
            raise SystemExit(f"{node.name} still has {left} mails in its queue")
        time.sleep(0.2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--lose-one", action="store_true")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(3), "big")
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    with nodes(options.binary, "alice", "bob") as pair:
        alice, bob = pair
        for node in pair:
            node.start()
        befriend(alice, bob)
        wait_until(lambda: alice.account in bob.command("contact", "list", "--json"), 20, "no contact")
        ledger, stop = Ledger(), threading.Event()
        filers = [Filer(node, ledger, stop, n, seed) for node in pair for n in (1, 2)]
        senders = [Sender(node, other, ledger, stop, n, seed)
                   for node, other in ((alice, bob), (bob, alice)) for n in (1, 2)]
        readers = [Reader(node, ledger, stop, "reader", seed) for node in pair]
        shredders = [Shredder(node, ledger, stop, "shredder", seed) for node in pair]
        for worker in filers + senders + readers + shredders:
            worker.start()
        if options.lose_one:
            senders[0].acknowledged.add("0" * 24)
            ledger.learn("0" * 24, b"never submitted")
        kills = 0
        begun = time.monotonic()
        while kills < options.kills and not stop.is_set():
            stop.wait(dice.choice((0.1, 0.3, 0.8, 2.0)) * (0.2 + dice.random()))
            for node in dice.choice(([alice], [bob], [alice], [bob], [alice, bob])):
                kills += kill_and_restart(node, dice)
        stop.wait(0.5)
        stop.set()
        for worker in filers + senders + readers + shredders:
            worker.join(60)
            if worker.is_alive():
                raise SystemExit(f"{worker.name} hangs")
        if ledger.broken:
            raise SystemExit("\n".join(ledger.broken))
        for node in pair:
            deliver_everything(node)
        wrong = verify(pair, filers, senders, ledger)
        for node in pair:
            code, took = node.stop()
            if code != 0:
                wrong.append(f"{node.name} ended with {code}")
            report = json.loads(node.command("check", "--json", check=False))
            if not report.get("sound"):
                wrong.append(f"check of {node.name}: {report}")
            for leftover in ("log.new", "view.attempt", "damaged-*", "view.damaged-*"):
                for path in node.home.glob(f"accounts/*/{leftover}"):
                    wrong.append(f"{node.name}: {path.name} is there although nothing was damaged")
            if any(len(list(path.iterdir())) != 1 for path in node.home.glob("accounts/*/log")):
                wrong.append(f"{node.name}: more than one generation of the log is left")
            for folder in ("tmp", "incoming"):
                for path in node.home.glob(f"accounts/*/{folder}/*"):
                    wrong.append(f"{node.name}: {folder} is not empty after everything has arrived: {path.name}")
        if wrong:
            raise SystemExit("\n".join(wrong))
        doubts = sum(len(sender.in_doubt) for sender in senders)
        digest = hashlib.sha256("".join(sorted(ledger.contents)).encode()).hexdigest()[:8]
        print(f"{kills} kills in {time.monotonic() - begun:.0f} s, {ledger.counts}, {doubts} submissions in doubt, "
              f"ledger {digest}: all right")


if __name__ == "__main__":
    main()
