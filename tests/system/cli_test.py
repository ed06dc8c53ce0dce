"""The real program by its command line: init, refusals, configuration errors, commands with and without the daemon."""

import fcntl
import json
import os
import pathlib
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import termios
import time

PROGRAM = sys.argv[1]
START_LIMIT_S, STOP_LIMIT_S = 30, 2.0


def run(home, *arguments, code=0):
    done = subprocess.run([PROGRAM, "--home", str(home), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"{arguments}: exit {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
    return done


def ask(home, *arguments):
    return json.loads(run(home, *arguments, "--json").stdout)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configure(home):
    home.mkdir(exist_ok=True)
    one = '[{{ address = "127.0.0.1", port = {} }}]\n'
    (home / "peerpost.toml").write_text("[imap]\nlisten = " + one.format(free_port()) + "[smtp]\nlisten = " +
                                        one.format(free_port()) + "[peer]\nlisten = []\n[lan]\nenabled = false\n" +
                                        "[dht]\nmode = \"off\"\n")


def snapshot(home):
    return {str(p): p.read_bytes() for p in sorted(home.rglob("*")) if p.is_file()}


def serve(home, *arguments):
    child = subprocess.Popen([PROGRAM, "--home", str(home), "serve", *arguments], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        assert child.poll() is None, "serve ended: " + child.stdout.read().decode()
        if (home / "control.sock").exists():
            return child
        time.sleep(0.02)
    child.kill()
    raise AssertionError("serve did not start")


def stop(child, number):
    begun = time.monotonic()
    child.send_signal(number)
    child.wait(timeout=10)
    assert child.returncode == 0, child.returncode
    assert time.monotonic() - begun < STOP_LIMIT_S, "the end took too long"


def on_terminal(home, columns, *arguments):
    """What a terminal of that width is given."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([PROGRAM, "--home", str(home), *arguments], stdout=theirs)
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:   # EIO: nobody writes any more
            piece = b""
        if not piece:
            break
        said += piece
    os.close(ours)
    assert child.wait(timeout=60) == 0
    return said.decode()


def pictures(home):
    """A QR code is whole or not there."""
    wide = on_terminal(home, 200, "invite")
    assert "\u2588" in wide and "peerpost:invite/" in wide
    columns = wide.splitlines()[0].count("\u2588")   # the quiet zone: light everywhere
    for width in columns - 1, 80:
        narrow = on_terminal(home, width, "invite")
        assert "\u2588" not in narrow and "peerpost:invite/" in narrow, narrow
        assert f"this terminal has {width}." in narrow, narrow
    assert "\u2588" not in run(home, "invite").stdout, "a picture in a file or a pipe"


def rename(home, made):
    """The name changes, and what shows it; the key and what reaches the account do not."""
    for name, local in ("Zo\u00eb  Miller", "zoe.miller"), ("Alice", "alice"):
        now = ask(home, "account", "name", name, "--account", made["account"])
        assert now["changed"] and now["account"] == made["account"], now
        assert now["address"] == f"{local}@{made['account']}.peerpost.alt", now
        for shown in ask(home, "account", "list")["accounts"][0], ask(home, "status")["accounts"][0]:
            assert shown["name"] == name and shown["address"] == now["address"], shown
    assert not ask(home, "account", "name", "Alice")["changed"]
    assert "nothing to change" in run(home, "account", "name", "Alice").stdout
    for name in "", "  ", "two\nlines", "x" * 300:
        assert "name" in run(home, "account", "name", name, code=64).stderr
    run(home, "account", "name", "Alice", "--account", "nobody", code=67)
    assert ask(home, "status")["accounts"][0]["name"] == "Alice"


def commands(home, made, running):
    status = ask(home, "status")
    assert status["running"] is running, status
    assert status["accounts"][0]["account"] == made["account"]
    assert ask(home, "queue")["queue"] == []
    assert ask(home, "account", "list")["accounts"][0]["address"] == made["address"]
    password = ask(home, "password", "new", "--name", "phone")["password"]
    assert password not in run(home, "password", "list").stdout
    run(home, "password", "new", "--name", "phone", code=73)
    assert "phone" in [p["name"] for p in ask(home, "password", "list")["passwords"]]
    run(home, "password", "revoke", "phone")
    run(home, "password", "revoke", "phone", code=65)
    rename(home, made)
    link = ask(home, "invite")["link"]
    assert link.startswith("peerpost:")
    assert "your own invite" in run(home, "contact", "add", link, code=65).stderr
    run(home, "contact", "add", link[:-3], code=65)
    assert ask(home, "check")["sound"] is True


def main(root):
    home = root / "home"
    run(home, "status", code=66)
    assert not home.exists(), "a reading command made a home"
    configure(home)
    made = ask(home, "init", "--name", "Alice")
    # It says what will leave the machine, and this home's configuration leaves one thing of it.
    assert len(made["network"]) == 5 and [use["what"][:5] for use in made["network"] if use["on"]] == ["Links"], \
        made["network"]
    assert set(made) == {"address", "account", "password", "recovery_words", "imap", "smtp", "ca_file", "network"}, made
    assert len(made["account"]) == 56 and made["address"].endswith("@" + made["account"] + ".peerpost.alt")
    assert len(made["recovery_words"].split()) == 24
    assert made["imap"][0]["tls"] == "implicit" and made["imap"][0]["address"] == "127.0.0.1"
    assert pathlib.Path(made["ca_file"]).read_text().startswith("-----BEGIN CERTIFICATE-----")
    for path in home.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        if path.name not in ("ca.pem", "peerpost.toml"):
            assert mode & 0o077 == 0 or path == home, f"{path} has mode {mode:o}"

    named = root / "named"
    configure(named)
    assert ask(named, "init", "--name", "J\u00fcrgen Wei\u00df")["address"].startswith("jurgen.weiss@")

    before = snapshot(home)
    assert "already" in run(home, "init", code=73).stderr
    assert snapshot(home) == before, "a refused init changed something"

    commands(home, made, running=False)
    pictures(home)
    child = serve(home)
    try:
        commands(home, made, running=True)
        assert stat.S_IMODE((home / "control.sock").stat().st_mode) == 0o600
        assert "already" in run(home, "serve", code=75).stderr
        run(home, "init", code=73)
    finally:
        stop(child, signal.SIGTERM)
    assert not (home / "control.sock").exists()
    child = serve(home)
    stop(child, signal.SIGINT)

    # serve in an empty home makes the account with that name; afterwards the name says nothing.
    first = root / "first"
    configure(first)
    for name in "Anna Berg", "Somebody Else":
        child = serve(first, "--name", name)
        accounts = ask(first, "account", "list")["accounts"]
        assert [(a["address"].split("@")[0], a["name"]) for a in accounts] == [("anna.berg", "Anna Berg")], accounts
        stop(child, signal.SIGTERM)

    # A DHT in which there is nobody: status does not say that anything stands there.
    lonely = root / "lonely"
    configure(lonely)
    toml = lonely / "peerpost.toml"
    toml.write_text(toml.read_text().replace('mode = "off"', 'mode = "private"\nlisten = '
                                             '[{ address = "127.0.0.1", port = 0 }]'))
    child = serve(lonely)
    until = time.monotonic() + START_LIMIT_S
    while "the record of" not in (said := run(lonely, "status").stdout) and time.monotonic() < until:
        time.sleep(0.1)
    assert "was taken by no node" in said and "stands at" not in said, said
    stop(child, signal.SIGTERM)

    taken = root / "taken"
    configure(taken)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        (taken / "peerpost.toml").write_text('[imap]\nlisten = [{ address = "127.0.0.1", port = %d }]\n'
                                             "[peer]\nlisten = []\n[smtp]\nlisten = []\n" % s.getsockname()[1])
        assert str(s.getsockname()[1]) in run(taken, "serve", code=69).stderr

    # The journal must not get a password: no account is made when standard output is the journal's.
    journal = root / "journal"
    configure(journal)
    with open(root / "journal.log", "wb") as log:
        where = os.fstat(log.fileno())
        done = subprocess.run([PROGRAM, "--home", str(journal), "serve"], stdout=log, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "JOURNAL_STREAM": f"{where.st_dev}:{where.st_ino}"}, timeout=60)
    assert done.returncode == 78 and "init" in done.stderr, done
    assert (root / "journal.log").read_bytes() == b"" and not (journal / "keyring.a").exists()

    (home / "peerpost.toml").write_text("[imap]\n\nlistne = []\n")
    for command in ("serve", "status", "config"):
        sentence = run(home, command, code=78).stderr
        assert "line 3" in sentence and "imap.listne" in sentence, sentence
    run(home, "no-such-command", code=64)
    run(home, "config", "--explain")
    empty = root / "empty"
    configure(empty)
    recovered = subprocess.run([PROGRAM, "--home", str(empty), "recover", "--json"],
                               input=made["recovery_words"] + "\n", capture_output=True, text=True, timeout=60)
    assert recovered.returncode == 0, recovered.stderr
    assert json.loads(recovered.stdout)["account"] == made["account"]


with tempfile.TemporaryDirectory(prefix="peerpost-cli-") as folder:
    main(pathlib.Path(folder))
