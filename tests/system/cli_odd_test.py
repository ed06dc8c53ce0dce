"""The command line where something is odd: text that is no UTF-8, in arguments, names and mails; root in a home that
belongs to another user, and that user's home as others see it; output that goes nowhere; nohup; with PEERPOST_LONG=1 an
answer that takes long."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import time

from node import free_port, nodes, wait_until

NAME_BYTES_MAX = 128
NOBODY = 65534
ANSWER_TIMEOUT_S = 60   # control_answer_timeout
RELAY = """[relay]
serve = "open"
[imap]
listen = [{ address = "127.0.0.1", port = %d }]
[smtp]
listen = [{ address = "127.0.0.1", port = %d }]
[peer]
listen = [{ address = "127.0.0.1", port = %d }]
port_mapping = false
[lan]
enabled = false
[dht]
mode = "off"
"""


def run(node, *arguments, code=0):
    done = subprocess.run([node.binary, "--home", str(node.home), *arguments], capture_output=True, timeout=60)
    assert done.returncode == code, (arguments, done)
    return done


def answer(node, *arguments):
    """Whatever stands in it, it is JSON: Python's decoder takes nothing but UTF-8."""
    return json.loads(run(node, *arguments, "--json").stdout.decode("utf-8", "strict"))


def strange_names(a, b):
    """A name that others could not read is refused, with and without the daemon; a long one is cut between letters."""
    for name in b"J\xfcrgen", b"two\nlines", b"\x1b[2J", b"x" * (NAME_BYTES_MAX + 1):
        for command in (("account", "name"), ("account", "add", "--name"), ("contact", "add", b.address, "--name"),
                        ("password", "new", "--name")):
            run(a, *command, name, code=64)
        empty = a.home.parent / "refused"
        for command in ("init", "recover", "serve"):
            done = subprocess.run([a.binary, "--home", str(empty), command, "--name", name], capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=60)
            assert done.returncode == 64 and b"UTF-8" in done.stderr and not (empty / "keyring.a").exists(), done
    run(a, "trace", b"<h\xe4llo@x>", code=64)
    assert [account["name"] for account in answer(a, "account", "list")["accounts"]] == ["a"]


def card_with_a_long_name(a, b):
    card = a.home.parent / "long.vcf"
    card.write_text(f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:{'漢' * 60}\r\nEMAIL:{b.address}\r\nEND:VCARD\r\n", "utf-8")
    assert answer(a, "contact", "add", str(card))["name"] == "漢" * (NAME_BYTES_MAX // 3)
    assert answer(a, "contact", "list")["contacts"][0]["name"] == "漢" * (NAME_BYTES_MAX // 3)


def mail_of_old_software(a, b):
    """Its Message-ID is in Latin-1: the queue is told all the same."""
    with smtplib.SMTP("127.0.0.1", a.smtp, timeout=60) as client:
        client.login(a.address, a.password)
        mail = b"From: <%s>\r\nSubject: x\r\nMessage-ID: <h\xe4llo@x>\r\n\r\nbody\r\n" % a.address.encode()
        assert client.sendmail(a.address, [b.address], mail) == {}
    rows = answer(a, "queue")["queue"]
    assert [row["message_id"] for row in rows] == ["<h\ufffdllo@x>"], rows
    assert run(a, "queue").stdout.decode().count("message <h\ufffdllo@x>") == 1
    assert "why" in answer(a, "queue", "why", rows[0]["id"])


def output_that_goes_nowhere(a):
    """What is shown once is never lost in silence, and never written where it does not belong."""
    home = a.home.parent / "unseen"

    def shell(command, where):
        return subprocess.run(["sh", "-c", f'exec "$0" --home "$1" {command} {where}', a.binary, str(home)],
                              capture_output=True, timeout=60)
    for where in ">/dev/null", ">&-":
        done = shell("serve", where)
        assert done.returncode == 78 and b" init" in done.stderr and not (home / "keyring.a").exists(), (where, done)
    # A relay is nobody's mailbox: it is started as one starts a service.
    relay = a.home.parent / "unseen relay"
    relay.mkdir(mode=0o700)
    (relay / "peerpost.toml").write_text(RELAY % (free_port(), free_port(), free_port()))
    with subprocess.Popen([a.binary, "--home", str(relay), "serve"], stdout=subprocess.DEVNULL) as child:
        wait_until(lambda: (relay / "control.sock").exists() or child.poll() is not None, 30, "serve does not start")
        assert (relay / "keyring.a").exists() and child.poll() is None
        child.send_signal(signal.SIGTERM)
    assert child.returncode == 0, child
    for where in ">/dev/full", ">&-", ">&- 2>&-", "0<&- >&-":
        for command in "init", "init --json":
            shutil.rmtree(home)
            done = shell(command, where)
            told = b"recovery words" in done.stderr or "2>" in where
            assert done.returncode == 74 and told, (command, where, done)
            assert (home / "home.lock").read_bytes() == b"", (command, where)
    done = shell("check", ">/dev/full")
    assert done.returncode == 74 and b"could not be written" in done.stderr, done


def nohup(a):
    """A terminal that is closed ends it, unless nohup says that it shall not."""
    for command, ends in ([], True), (["nohup"], False):
        child = subprocess.Popen([*command, a.binary, "--home", str(a.home), "serve"], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))
        wait_until(lambda: (a.home / "control.sock").exists(), 30, "serve does not start")
        child.send_signal(signal.SIGHUP)
        if not ends:
            time.sleep(2)   # as long as it may take to end
            assert child.poll() is None and answer(a, "status")["running"]
            child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=30)[0]
        assert child.returncode == 0, said


@contextlib.contextmanager
def served(program, home):
    """As systemd starts it: by a user of its own, who finds the way to its home."""
    home.parent.chmod(0o711)
    child = subprocess.Popen([program, "--home", str(home), "serve"], user=NOBODY, group=NOBODY, extra_groups=[],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: (home / "control.sock").exists() or child.poll() is not None, 30, "serve does not start")
        assert child.poll() is None, child.stdout.read().decode()
        yield
    finally:
        child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=30)[0].decode()
        home.parent.chmod(0o700)
    assert child.returncode == 0, said


def root_helps_a_service(binary):
    """What root does while the service is off leaves nothing that the service cannot open, and needs no way to the home
    that its owner would have: /var/lib/private is closed to it (DynamicUser=)."""
    with tempfile.TemporaryDirectory(prefix="peerpost-test-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        program, home = pathlib.Path(folder, "peerpost"), pathlib.Path(folder, "private", "home")
        shutil.copy(binary, program)
        home.mkdir(parents=True)
        home.parent.chmod(0o700)
        one = '[{ address = "127.0.0.1", port = %d }]'
        (home / "peerpost.toml").write_text(f"[imap]\nlisten = {one % free_port()}\n[smtp]\nlisten = "
                                            f"{one % free_port()}\n[peer]\nlisten = []\n[lan]\nenabled = false\n"
                                            '[dht]\nmode = "off"\n')
        for path in home, home / "peerpost.toml":
            os.chown(path, NOBODY, NOBODY)

        def command(*arguments):
            done = subprocess.run([program, "--home", str(home), *arguments], capture_output=True, text=True,
                                  timeout=60)
            assert done.returncode == 0, (arguments, done)
            foreign = [str(path) for path in home.rglob("*") if path.lstat().st_uid != NOBODY]
            assert not foreign, (arguments, foreign)
            return done.stdout

        command("init", "--name", "a")
        with served(program, home):
            assert json.loads(command("status", "--json"))["running"]
        for work in (("account", "add"), ("account", "name", "b"), ("shred",), ("check", "--repair"), ("invite",)):
            command(*work)
        with served(program, home):
            assert json.loads(command("check", "--json"))["sound"]
        # A container's root, in a folder of the host's: what is in it already is root's, and stays usable.
        mounted = pathlib.Path(folder, "mounted")
        mounted.mkdir()
        for more in ("init",), ("password", "new", "--name", "phone"), ("check",):
            done = subprocess.run([program, "--home", str(mounted), *more], capture_output=True, timeout=60)
            assert done.returncode == 0, done
            os.chown(mounted, NOBODY, NOBODY)
        # To a third user the home is closed, not empty.
        done = subprocess.run([program, "--home", str(home), "status"], capture_output=True, text=True, timeout=60,
                              user=NOBODY - 1, group=NOBODY - 1, extra_groups=[])
        assert done.returncode == 71 and "belong to the user" in done.stderr and "init" not in done.stderr, done


def answer_after_a_minute(binary):
    """Shredding 100 000 mails takes longer than any other command may: it is waited for."""
    with tempfile.TemporaryDirectory(prefix="peerpost-test-") as home, socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(home + "/control.sock")
        daemon.listen()
        commands = {name: subprocess.Popen([binary, "--home", home, name, "--json"], stdout=subprocess.PIPE,
                                           stderr=subprocess.PIPE) for name in ("shred", "status")}
        asked = [daemon.accept()[0] for _ in commands]
        time.sleep(ANSWER_TIMEOUT_S + 2)
        for connection in asked:
            with contextlib.suppress(OSError):
                connection.sendall(b'{"result":{}}\n')
            connection.close()
        ends = {name: (child.wait(30), child.communicate()) for name, child in commands.items()}
        assert ends["shred"][0] == 0 and ends["status"][0] == 75, ends
        assert b"has not answered" in ends["status"][1][1], ends


def main(binary):
    with nodes(binary, "a", "b") as (a, b):   # b never runs: what is for her waits
        a.start()
        strange_names(a, b)
        card_with_a_long_name(a, b)
        mail_of_old_software(a, b)
        a.stop()
        output_that_goes_nowhere(a)
        nohup(a)
        strange_names(a, b)
        assert len(answer(a, "queue")["queue"]) == 1 and len(answer(a, "contact", "list")["contacts"]) == 1
    if os.environ.get("PEERPOST_LONG"):
        answer_after_a_minute(binary)
    if os.geteuid() == 0:
        root_helps_a_service(binary)
    else:
        print("not root: what root does to a service's home was not tried")


main(sys.argv[1])
