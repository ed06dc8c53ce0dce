"""One peerpost node for tests: its own home, listeners on free loopback ports, started and killed at will."""

import contextlib
import fcntl
import imaplib
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time


# Ports for listeners lie below those the system gives to outgoing connections, which would take one while its node is
# off; and tests that run at the same time, each in its own process, have blocks of their own.
PORTS_FIRST, PORTS_IN_BLOCK, BLOCKS = 10000, 100, 220
port_blocks = []                 # locked files; they are let go of at the end of the process
port_numbers = iter(())


def lock_block_of_ports():
    folder = pathlib.Path(tempfile.gettempdir(), f"peerpost-test-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    for n in range(BLOCKS):
        file = open(folder / str(n), "wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            continue
        port_blocks.append(file)
        first = PORTS_FIRST + n * PORTS_IN_BLOCK
        return iter(range(first, first + PORTS_IN_BLOCK))
    raise AssertionError("no block of ports is left")


def free_port():
    """Never the same twice."""
    global port_numbers
    while True:
        port = next(port_numbers, None)
        if port is None:
            port_numbers = lock_block_of_ports()
            continue
        with socket.socket() as s, contextlib.suppress(OSError):   # else something else listens there
            s.bind(("127.0.0.1", port))
            return port


class Node:
    def __init__(self, binary, folder, name, extra_toml="", peer_listen="127.0.0.1", peer_port=None, extra_peer="",
                 lan=False):
        self.binary, self.home, self.name = binary, pathlib.Path(folder) / name, name
        self.home.mkdir(parents=True)
        self.imap, self.imaps, self.smtp, self.smtps, self.peer = (free_port() for _ in range(5))
        self.imap_starttls, self.smtp_starttls = free_port(), free_port()
        self.peer = peer_port or self.peer
        peer_listeners = f'{{ address = "{peer_listen}", port = {self.peer} }}' if peer_listen else ""
        (self.home / "peerpost.toml").write_text(f"""
[imap]
listen = [{{ address = "127.0.0.1", port = {self.imap}, tls = "none" }},
          {{ address = "127.0.0.1", port = {self.imaps}, tls = "implicit" }},
          {{ address = "127.0.0.1", port = {self.imap_starttls}, tls = "starttls" }}]
[smtp]
listen = [{{ address = "127.0.0.1", port = {self.smtp}, tls = "none" }},
          {{ address = "127.0.0.1", port = {self.smtps}, tls = "implicit" }},
          {{ address = "127.0.0.1", port = {self.smtp_starttls}, tls = "starttls" }}]
[peer]
listen = [{peer_listeners}]
{extra_peer}
[lan]
enabled = {str(lan).lower()}
{extra_toml}
""" + "".join(f"[{table}]\n{line}\n" for table, line in (("dht", 'mode = "off"'), ("requests", "work_bits = 2"))
               if f"[{table}]" not in extra_toml))
        made = json.loads(self.command("init", "--name", name, "--json"))
        self.address, self.account, self.password = made["address"], made["account"], made["password"]
        self.words, self.ca_file = made["recovery_words"], made["ca_file"]
        self.process = None
        self.was_ended = False   # by the test; a daemon that is gone else has died
        self.log = None

    def command(self, *arguments, check=True):
        done = subprocess.run([self.binary, "--home", str(self.home), *arguments], capture_output=True, text=True,
                              timeout=120)
        if check and done.returncode != 0:
            raise AssertionError(f"{arguments}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def start(self):
        self.log = open(self.home.parent / f"{self.name}.log", "ab")
        self.process = subprocess.Popen([self.binary, "--home", str(self.home), "serve"], stdout=self.log,
                                        stderr=self.log)
        self.was_ended = False
        wait_until(lambda: self.answers(), 30, f"{self.name} does not listen")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended with {self.process.returncode}:\n{self.log_text()[-2000:]}")
        with contextlib.suppress(OSError):
            with socket.create_connection(("127.0.0.1", self.imap), 1):
                return True
        return False

    def kill(self):
        self.was_ended = True
        self.process.kill()
        self.process.wait()

    def stop(self):
        begun = time.monotonic()
        self.was_ended = True
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        return code, time.monotonic() - begun

    def log_text(self):
        return (self.home.parent / f"{self.name}.log").read_text(errors="replace")

    def imap_client(self):
        client = imaplib.IMAP4("127.0.0.1", self.imap, timeout=60)
        client.login(self.address, self.password)
        return client

    def submit(self, mail, to, sender=None):
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=120) as client:
            client.login(self.address, self.password)
            return client.sendmail(sender or self.address, to, mail)

    def bodies(self, mailbox="INBOX"):
        """Every mail of a mailbox as {uid: bytes}."""
        client = self.imap_client()
        try:
            client.select(mailbox, readonly=True)
            _, data = client.uid("SEARCH", "ALL")
            found = {}
            for uid in (data[0] or b"").split():
                _, parts = client.uid("FETCH", uid, "(BODY.PEEK[])")
                found[int(uid)] = parts[0][1]
            return found
        finally:
            client.logout()


PATIENCE_MAX = 10


def patience():
    """How many times longer than on an idle machine something may take here: by how much more than its processors are
    wanted. For bounds that only end a test that hangs; what is promised in seconds is measured, not waited for."""
    return min(PATIENCE_MAX, max(1.0, 1.5 * os.getloadavg()[0] / (os.cpu_count() or 1)))


def wait_until(condition, seconds, what, pause=0.05):
    begun = time.monotonic()
    while time.monotonic() - begun < seconds * patience():
        value = condition()
        if value:
            return value
        time.sleep(pause)
    # a function: what is wrong at the end, not at the beginning
    raise AssertionError(what() if callable(what) else what)


def befriend(a, b):
    """b uses an invite of a; afterwards each is a contact of the other (both daemons run)."""
    link = json.loads(a.command("invite", "--json"))["link"]
    b.command("contact", "add", link)
    wait_until(lambda: b.account in a.command("contact", "list", "--json"), 20, "the invite was not noticed")


def threads_of(node):
    """What each thread is doing: its state, where it waits in the system, how much processor it has had. Of a daemon
    that does not answer this is what tells a loop from a lock from a disk."""
    if not node.process or node.process.poll() is not None:
        return "it does not run" if not node.process or node.was_ended else f"it ended with {node.process.returncode}"
    lines = []
    for task in sorted(pathlib.Path(f"/proc/{node.process.pid}/task").iterdir()):
        with contextlib.suppress(OSError):
            fields = (task / "stat").read_text().rpartition(")")[2].split()
            lines.append(f"{(task / 'comm').read_text().strip()} {fields[0]} "
                         f"{(int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK'):.2f} s "
                         f"{(task / 'wchan').read_text()} syscall {(task / 'syscall').read_text().strip()}")
    return "\n".join(lines)


@contextlib.contextmanager
def watched(made):
    """Prints the logs of these nodes when something goes wrong, and ends those that run."""
    try:
        yield
    except BaseException:
        for node in made:
            print(f"---- log of {node.name}\n{node.log_text()[-4000:] if node.log else ''}")
        for node in made:
            print(f"---- threads of {node.name}\n{threads_of(node)}")
        raise
    finally:
        for node in made:
            if node.process and node.process.poll() is None:
                node.kill()


@contextlib.contextmanager
def nodes(binary, *names, extra_toml=""):
    folder = tempfile.mkdtemp(prefix="peerpost-test-")
    try:
        made = [Node(binary, folder, name, extra_toml) for name in names]
        with watched(made):
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def mail_from(node, to, subject, body, **headers):
    lines = [f"From: {node.name} <{node.address}>", f"To: {to}", f"Subject: {subject}",
             f"Message-ID: <{os.urandom(8).hex()}@{node.account}.peerpost.alt>",
             "Date: Sun, 22 Nov 2026 10:00:00 +0000"]
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
