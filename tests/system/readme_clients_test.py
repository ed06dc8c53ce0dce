"""The settings for mutt and mbsync as README.md prints them, word for word but for address, ports and paths: a mail is
sent with mutt and fetched with mbsync. mutt is left out where it is not installed; mbsync is in packaging/setup."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from node import nodes, wait_until

README = pathlib.Path(__file__).parents[2] / "README.md"


def block(beginning):
    """The indented lines from the first that begins so, without the indent."""
    lines = README.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("    " + beginning))
    kept = []
    for line in lines[first:]:
        if line and not line.startswith("    "):
            break
        kept.append(line[4:])
    return "\n".join(kept).rstrip() + "\n"


def filled_in(text, node, home, ports):
    """The reader's own values; each has to be there to be replaced."""
    values = {"alice@LABEL.peerpost.alt": node.address, "alice%40LABEL.peerpost.alt": node.address.replace("@", "%40"),
              "~/.peerpost-password": str(home / "password"), "~/.local/share/peerpost/ca.pem": str(node.ca_file),
              "~/Mail/": f"{home}/Mail/"} | ports
    for theirs, ours in values.items():
        text = text.replace(theirs, ours)
    assert "LABEL" not in text and "~/" not in text, text
    return text


def run(home, *command, text=None):
    done = subprocess.run(command, capture_output=True, timeout=120, input=text,
                          env={**os.environ, "HOME": str(home), "TERM": "dumb", "LC_ALL": "C"})
    assert done.returncode == 0, f"{command[0]}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def by_mutt(alice, bob, home):
    muttrc = home / "muttrc"
    muttrc.write_text(filled_in(block('set realname = "Alice"'), alice, home,
                                {"localhost:1993": f"localhost:{alice.imaps}",
                                 "localhost:1465": f"localhost:{alice.smtps}"}))
    for person, subject in ((alice, "to myself"), (bob, "to Bob")):
        run(home, "mutt", "-n", "-F", str(muttrc), "-s", subject, person.address, text=b"written in mutt\n")
        wait_until(lambda: any(f"Subject: {subject}".encode() in body for body in person.bodies().values()), 30,
                   f"{subject}: not there")
    sent = [body for body in alice.bodies("Sent").values() if b"written in mutt" in body]
    assert len(sent) == 2, "each mail is in Sent once"
    # Reading: it opens INBOX and ends.
    run(home, "script", "-qec", f"mutt -n -F {muttrc} -e 'push <quit>y'", "/dev/null")
    print("mutt sends and reads with the settings of README")


def by_mbsync(alice, home):
    (home / "Mail").mkdir()
    mbsyncrc = home / "mbsyncrc"
    mbsyncrc.write_text(filled_in(block("IMAPAccount peerpost"), alice, home, {"Port 1993": f"Port {alice.imaps}"}))
    run(home, "mbsync", "-c", str(mbsyncrc), "-a")
    fetched = [path for path in (home / "Mail" / "INBOX").rglob("*") if path.is_file()
               and path.parent.name in ("new", "cur")]
    assert len(fetched) == len(alice.bodies()), fetched
    print("mbsync fetches with the settings of README")


def main(binary):
    home = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-readme-"))
    try:
        with nodes(binary, "alice", "bob") as (alice, bob):
            alice.start()
            bob.start()
            bob.command("contact", "add", alice.command("invite", "--json").split('"link":"')[1].split('"')[0])
            wait_until(lambda: bob.account in alice.command("contact", "list", "--json"), 20,
                       "the invite was not noticed")
            (home / "password").write_text(alice.password + "\n")
            if shutil.which("mutt") and shutil.which("script"):
                by_mutt(alice, bob, home)
            else:
                print("mutt: left out, it is not installed")
            by_mbsync(alice, home)
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
