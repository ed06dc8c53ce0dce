"""Programs as users have them, unmodified: mbsync, curl and swaks. A program that is missing is a failure
(packaging/setup installs them). mbsync takes only a DNS name of the certificate, so all connect to `localhost`."""

import imaplib
import os
import pathlib
import shutil
import subprocess
import sys

from node import befriend, mail_from, nodes, wait_until

MAILS = 40        # each way through mbsync
TIMEOUT_S = 120


def run(*command, expect=0, text=None):
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, input=text,
                          env={**os.environ, "HOME": "/nonexistent", "LC_ALL": "C"})
    assert done.returncode == expect, (
        f"{command[0]}: exit {done.returncode}, not {expect}\n"
        f"{done.stdout.decode(errors='replace')[-3000:]}{done.stderr.decode(errors='replace')[-3000:]}")
    return done.stdout


# ---------------------------------------------------------------- mbsync

def mbsync_settings(node, folder, port, tls):
    (folder / "mails").mkdir(exist_ok=True)
    (folder / "state").mkdir(exist_ok=True)
    file = folder / f"mbsyncrc-{port}"
    certificate = "" if tls == "None" else f"CertificateFile {node.ca_file}"
    file.write_text(f"""
IMAPAccount node
Host localhost
Port {port}
User {node.address}
Pass {node.password}
SSLType {tls}
{certificate}

IMAPStore far
Account node

MaildirStore near
Path {folder}/mails/
Inbox {folder}/mails/INBOX
SubFolders Verbatim

Channel both
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState {folder}/state/
CopyArrivalDate yes
""")
    return file


def near_state(folder):
    """Every file of the Maildirs, with its flags, except what mbsync writes for itself."""
    return sorted(str(p.relative_to(folder)) for p in (folder / "mails").rglob("*")
                  if p.is_file() and not p.name.startswith("."))


def far_state(node, mailbox):
    client = node.imap_client()
    answer, _ = client.select(mailbox, readonly=True)
    assert answer == "OK", mailbox
    rows = {}
    for row in client.fetch("1:*", "(UID FLAGS INTERNALDATE)")[1]:
        if row:
            uid = int(row.split(b"UID ")[1].split()[0].rstrip(b")"))
            rows[uid] = frozenset(imaplib.ParseFlags(row)) - {b"\\Recent"}
    client.logout()
    return rows


def mbsync(node, folder):
    settings = mbsync_settings(node, folder, node.imaps, "IMAPS")
    client = node.imap_client()
    client.create("Far/box")
    flags = [None, r"(\Seen)", r"(\Flagged \Answered)", r"(\Seen custom)"]
    for n in range(MAILS):
        mail = mail_from(node, "x@example.org", f"far {n}", b"line\r\n" * n)
        assert client.append("Far/box" if n % 4 == 0 else "INBOX", flags[n % 4], None, mail)[0] == "OK"

    local = folder / "mails" / "Near"
    for part in ("cur", "new", "tmp"):
        (local / part).mkdir(parents=True)
    for n in range(MAILS):
        suffix = ["", "S", "FS", "RS"][n % 4]
        (local / "cur" / f"17000{n:05}.{n}.host:2,{suffix}").write_bytes(
            b"From: a@example.org\nSubject: near %d\nDate: Sun, 22 Nov 2026 10:00:00 +0000\n\n" % n + b"hello\n" * n)

    def sync(file=settings):
        run("mbsync", "-q", "-c", str(file), "both")
        boxes = ("INBOX", "Far/box", "Near")
        return near_state(folder), [far_state(node, box) for box in boxes if client.status(box, "(UIDNEXT)")[0] == "OK"]

    def settled(what, *files):
        first = sync()
        for file in (settings, *files):
            assert sync(file) == first, f"mbsync: {what}: a second run moved something"
        return first

    near, far = settled("first", mbsync_settings(node, folder, node.imap, "None"),
                        mbsync_settings(node, folder, node.imap_starttls, "STARTTLS"))
    assert len(far[2]) == MAILS, len(far[2])
    assert sum(name.startswith("mails/Far/box/") for name in near) == MAILS // 4
    assert sum(name.startswith("mails/INBOX/") for name in near) == len(far[0]) == MAILS - MAILS // 4 + 1

    # flags and deletions on both sides
    client.select("INBOX")
    client.store("1:5", "+FLAGS", r"(\Flagged)")
    client.store("6:9", "+FLAGS", r"(\Deleted)")
    client.expunge()
    client.select("Far/box")
    files = sorted((local / "cur").iterdir())
    for file in files[:5]:
        file.rename(file.with_name(file.name.split(":2,")[0] + ":2,FR"))
    for file in files[5:9]:
        file.unlink()
    near, far = settled("changes")
    assert len(far[2]) == MAILS - 4 and sum({rb"\Flagged", rb"\Answered"} <= f for f in far[2].values()) >= 5
    assert sum("/INBOX/" in name for name in near) == len(far[0]) == MAILS - MAILS // 4 + 1 - 4
    assert sum("/INBOX/" in name and "F" in name.rsplit(":2,", 1)[-1] for name in near) == sum(
        rb"\Flagged" in f for f in far[0].values())
    client.logout()


# ---------------------------------------------------------------- curl

def curl(node, folder):
    mail = folder / "curl.eml"
    mail.write_bytes(mail_from(node, node.address, "by curl", "Grüße\r\n".encode()))
    imaps, login = f"imaps://localhost:{node.imaps}", f"{node.address}:{node.password}"

    def get(url, *more, expect=0, user=login):
        return run("curl", "-q", "-s", "-S", "--cacert", node.ca_file, "-u", user, url, *more, expect=expect)

    assert b'* LIST (\\HasNoChildren) "/" INBOX\r\n' in get(imaps + "/")
    get(imaps + "/Archive", "-T", str(mail))
    assert get(imaps + "/Archive;UID=1") == mail.read_bytes()
    assert get(imaps + "/Archive;MAILINDEX=1;SECTION=HEADER.FIELDS%20(SUBJECT)") == b"Subject: by curl\r\n\r\n"
    assert get(imaps + "/Archive;UID=1;SECTION=TEXT") == "Grüße\r\n".encode()
    assert get(imaps + "/Archive?SUBJECT%20curl") == b"* SEARCH 1\r\n"
    assert get(imaps + "/Archive?SUBJECT%20wget") == b"* SEARCH\r\n"
    assert b"MESSAGES 1 " in get(imaps + "/", "-X", "STATUS Archive (MESSAGES UIDNEXT)")
    assert b"* 1 EXISTS" in get(imaps + "/", "-X", "EXAMINE Archive")
    get(imaps + "/Archive;UID=999", expect=78)                  # remote file not found
    get(imaps + "/Archive;UIDVALIDITY=5;UID=1", expect=78)
    get(imaps + "/NoSuchBox", "-T", str(mail), expect=25)       # upload refused
    for url in (imaps + "/", f"smtps://localhost:{node.smtps}"):
        get(url, user=f"{node.address}:wrong", expect=67)       # login denied
        get(url, user=f"{node.address}:{node.password[:-1]}", expect=67)
    get(f"imap://localhost:{node.imap_starttls}/", "--ssl-reqd")
    get(f"imap://localhost:{node.imap_starttls}/", expect=67)   # no login in the clear
    get(f"imap://localhost:{node.imap}/", "--ssl-reqd", expect=64)
    for mechanism in ("PLAIN", "LOGIN"):
        get(imaps + "/", "--login-options", f"AUTH={mechanism}", "--sasl-ir", "-X", "NOOP")

    def send(url, *more, to=node.address, expect=0):
        get(url, "--mail-from", node.address, "--mail-rcpt", to, "-T", str(mail), *more, expect=expect)

    before = len(node.bodies())
    send(f"smtps://localhost:{node.smtps}")
    send(f"smtp://localhost:{node.smtp}")
    send(f"smtp://localhost:{node.smtp_starttls}", "--ssl-reqd")
    send(f"smtp://localhost:{node.smtp_starttls}", expect=55)   # log in first; there is no AUTH in the clear
    send(f"smtps://localhost:{node.smtps}", to="someone@example.org", expect=55)
    wait_until(lambda: len(node.bodies()) == before + 3, 20, "curl's three mails did not arrive")


# ---------------------------------------------------------------- swaks

def swaks(alice, bob):
    login = ("-au", alice.address, "-ap", alice.password)
    before = len(bob.bodies())
    sent = 0

    def send(*more, to=bob.address, expect=0, delivered=1):
        nonlocal sent
        out = run("swaks", "--protocol", "ESMTP", "--server", "localhost", "--from", alice.address, "--h-From",
                  alice.address, "--to", to, *more, expect=expect)
        sent += delivered if expect == 0 else 0
        return out

    plain, starttls = ("-p", str(alice.smtp)), ("-p", str(alice.smtp_starttls), "-tls")
    implicit = ("-p", str(alice.smtps), "--tls-on-connect", "--tls-verify", "--tls-ca-path", alice.ca_file)
    for mechanism in ("PLAIN", "LOGIN"):
        for where in (plain, implicit, starttls):
            send(*where, "-a", mechanism, *login)
    for where in (plain, implicit):
        send(*where, "-a", "PLAIN", *login, "--pipeline")
    # one good recipient of three is enough; none is a refusal
    send(*plain, "-a", "PLAIN", *login, "--pipeline", to=f"{bob.address},someone@example.org")
    send(*plain, "-a", "PLAIN", *login, "--pipeline", to="someone@example.org", expect=24)
    out = send(*plain, "-a", "PLAIN", *login, to=f"bob@{bob.account[1:]}x.peerpost.alt", expect=24)
    assert b"550 5.1.1" in out and b"mistyped" in out, out
    out = send(*plain, expect=23)
    assert b"530 5.7.0" in out, out
    out = send(*implicit, "-a", "PLAIN", "-au", alice.address, "-ap", "wrong", expect=28)
    assert b"535 5.7.8" in out, out
    send("-p", str(alice.smtp_starttls), "-a", "PLAIN", *login, expect=28)     # no AUTH before STARTTLS
    send(*plain, "-a", "CRAM-MD5", *login, expect=28)                         # never offered
    wait_until(lambda: len(bob.bodies()) == before + sent, 30, f"not every one of swaks' {sent} mails arrived")


def main(binary):
    missing = [p for p in ("mbsync", "curl", "swaks") if not shutil.which(p)]
    assert not missing, f"not installed (packaging/setup does it): {' '.join(missing)}"
    with nodes(binary, "alice", "bob") as (alice, bob):
        alice.start()
        bob.start()
        befriend(alice, bob)
        folder = pathlib.Path(alice.home).parent
        mbsync(alice, folder)
        curl(alice, folder)
        swaks(alice, bob)
        for node in (alice, bob):
            code, _ = node.stop()
            assert code == 0, (node.name, code)
    print("mbsync, curl, swaks: all right")


if __name__ == "__main__":
    main(sys.argv[1])
