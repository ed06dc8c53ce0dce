"""Change tracking on the real store: clients that come back (RFC 7162), several sessions at once, other mailboxes
(RFC 5465). What a client believes is worked out from the server's lines alone (imap_session.py) and compared with a new
connection."""

import imaplib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

from imap_session import Session
from node import nodes

OPERATIONS = 600
FLAGS = ["\\Seen", "\\Flagged", "\\Deleted", "\\Answered", "$Label"]


def append(session, box, flags="", text="new"):
    mail = f"Subject: {text}\r\n\r\n{text}\r\n"
    session.ok(f"APPEND {box}{' (' + flags + ')' if flags else ''} {{{len(mail)}+}}\r\n{mail}")


def truth(node, box):
    session = Session(node)
    session.select(box)
    session.close()
    return session.view


def agrees(session, node, box):
    session.ok("NOOP")
    there = truth(node, box)
    assert len(session.view) == len(there), f"{len(session.view)} mails believed, {len(there)} there"
    for believed, real in zip(session.view, there):
        assert believed[0] in (0, real[0]), f"UID {believed[0]} believed, {real[0]} there"
        assert believed[1] in (None, real[1]), f"UID {real[0]}: {believed[1]} believed, {real[1]} there"


# ---------------------------------------------------------------- coming back

def comes_back(node, interrupt):
    first, other = Session(node, "QRESYNC"), Session(node)
    for i in range(12):
        append(first, "INBOX")
    first.select("INBOX")
    cache = first.cache()
    uids = sorted(cache["mails"])
    first.close()

    other.select("INBOX")
    other.ok(f"UID STORE {uids[2]} +FLAGS (\\Flagged $Kept)")
    other.ok(f"UID STORE {uids[4]}:{uids[6]} +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    append(other, "INBOX", "\\Seen", "late")
    other.close()
    interrupt()

    again = Session(node, "QRESYNC")
    lines = again.select("INBOX", cache)
    gone = [line for line in lines if "VANISHED" in line]
    assert gone == [f"* VANISHED (EARLIER) {uids[4]}:{uids[6]}"], gone
    told = [int(re.search(r"UID (\d+)", line).group(1)) for line in lines if " FETCH " in line]
    assert told == [uids[2], uids[-1] + 1], told
    agrees(again, node, "INBOX")
    # Nothing has happened since: nothing is told.
    lines = again.select("INBOX", again.cache())
    assert not [line for line in lines if "VANISHED" in line or " FETCH " in line], lines
    again.ok("UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
    again.ok("EXPUNGE")
    again.close()


def restarted(node):
    node.stop()
    node.start()


def killed(node):
    node.kill()
    node.start()


# ---------------------------------------------------------------- several at once

def step(dice, session, box):
    n = len(session.view)
    one = dice.randint(1, n) if n else 0
    numbers = f"{one}:{dice.randint(one, n)}" if n else "1:*"
    uids = ",".join(str(uid) for uid, _ in session.view if uid and dice.random() < 0.4) or "1:*"
    flag, mode = dice.choice(FLAGS), dice.choice(["+", "+", "-", ""])
    kind = dice.randrange(13)
    if kind < 3:
        append(session, box, dice.choice(["", "\\Seen"]))
    elif kind < 5:
        session.command(f"STORE {numbers} {mode}FLAGS ({flag})")
    elif kind == 5 and session.qresync:
        session.command(f"UID STORE {uids} (UNCHANGEDSINCE {session.modseq}) {mode}FLAGS ({flag})")
    elif kind < 7:
        session.command(f"UID STORE {uids} {mode}FLAGS ({flag})")
    elif kind == 7:
        session.command(f"UID EXPUNGE {uids}")
    elif kind == 8:
        session.command(f"{dice.choice(['COPY', 'MOVE'])} {numbers} {dice.choice([box, 'Archive'])}")
    elif kind == 9:
        session.command(f"FETCH {numbers} (UID FLAGS)")
    elif kind == 10:
        session.command("EXPUNGE")
    elif kind == 11:
        session.command("UID SEARCH DELETED")
    else:
        session.command("NOOP")


def many_at_once(node, seed):
    dice = random.Random(seed)
    print(f"several sessions: seed {seed}")
    box = "Shared"
    plain = Session(node)
    plain.ok(f"CREATE {box}")
    sessions = [plain, Session(node, "CONDSTORE"), Session(node, "QRESYNC"), Session(node, "QRESYNC")]
    for session in sessions:
        session.select(box)
    for i in range(OPERATIONS):
        at = dice.randrange(len(sessions))
        step(dice, sessions[at], box)
        if i % 40 == 39:
            for session in sessions:
                agrees(session, node, box)
            kept = sessions[2]
            kept.ok("UID FETCH 1:* (FLAGS)")
            cache = kept.cache()
            kept.close()
            for _ in range(5):
                step(dice, sessions[3], box)
            sessions[2] = Session(node, "QRESYNC")
            sessions[2].select(box, cache)
            agrees(sessions[2], node, box)
    for session in sessions:
        session.close()


# ---------------------------------------------------------------- other mailboxes

def watches(node):
    watcher, other = Session(node, "CONDSTORE"), Session(node)
    watcher.ok("NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange)) "
               "(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))")
    append(other, "Drafts", "\\Draft", "draft")
    assert re.match(r"\* STATUS Drafts \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ HIGHESTMODSEQ \d+\)", watcher.next_told())
    other.ok("CREATE Lists")
    assert watcher.next_told() == '* LIST (\\HasNoChildren) "/" Lists'
    other.ok("SUBSCRIBE Lists")
    assert watcher.next_told() == '* LIST (\\HasNoChildren \\Subscribed) "/" Lists'
    other.ok("RENAME Lists Letters")
    assert watcher.next_told() == '* LIST (\\HasNoChildren \\Subscribed) "/" Letters ("OLDNAME" (Lists))'
    other.ok("UNSUBSCRIBE Letters")
    assert watcher.next_told() == '* LIST (\\HasNoChildren) "/" Letters'
    watcher.select("Letters")
    append(other, "Letters", "", "hello")
    assert watcher.next_told() == "* 1 EXISTS"
    assert watcher.next_told() == "* 1 RECENT"
    assert "UID 1" in (line := watcher.next_told()) and "Subject: hello" in line, line
    other.select("Letters")
    other.ok("STORE 1 +FLAGS (\\Deleted)")
    assert "\\Deleted" in watcher.next_told()
    other.ok("EXPUNGE")
    assert watcher.next_told() == "* 1 EXPUNGE"
    assert watcher.next_told() == "* 0 RECENT"
    other.ok("DELETE Drafts")
    assert watcher.next_told() == '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" Drafts'
    watcher.close()
    other.close()


# ---------------------------------------------------------------- clients as they are

def with_imaplib(node):
    client = imaplib.IMAP4("127.0.0.1", node.imap, timeout=60)
    client.login(node.address, node.password)
    for _ in range(3):
        client.append("INBOX", None, None, b"Subject: x\r\n\r\nbody\r\n")
    kind, answer = client.enable("QRESYNC")
    assert kind == "OK" and b"QRESYNC" in client.untagged_responses["ENABLED"][0], client.untagged_responses
    client.select("INBOX")
    validity = client.response("UIDVALIDITY")[1][0].decode()
    modseq = client.response("HIGHESTMODSEQ")[1][0].decode()
    client.store("2", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()

    client = imaplib.IMAP4("127.0.0.1", node.imap, timeout=60)
    client.login(node.address, node.password)
    client.enable("QRESYNC")
    kind, _ = client.select(f"INBOX (QRESYNC ({validity} {modseq}))")
    assert kind == "OK"
    assert client.response("VANISHED")[1][0].startswith(b"(EARLIER) "), client.untagged_responses
    client.logout()


def with_mutt(node):
    """mutt keeps a header cache and resynchronises it by QRESYNC; its second visit must see what has changed."""
    with tempfile.TemporaryDirectory(prefix="peerpost-mutt-") as folder:
        home = pathlib.Path(folder)
        (home / "cache").mkdir()
        settings = home / "muttrc"
        settings.write_text(f"""
set folder="imap://localhost:{node.imap}/" spoolfile="+INBOX" imap_user="{node.address}" imap_pass="{node.password}"
set ssl_starttls=no ssl_force_tls=no imap_condstore=yes imap_qresync=yes header_cache="{home}/cache" imap_idle=no
set mail_check=1 timeout=1 sleep_time=0 quit=yes move=no delete=yes confirmappend=no wait_key=no
""")
        def visit(*keys):
            pushed = "".join(keys) + "<quit>"
            done = subprocess.run(["script", "-qec", f"mutt -n -F {settings} -e 'push {pushed}'", "/dev/null"],
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                                  env={**os.environ, "HOME": folder, "TERM": "dumb", "LC_ALL": "C"})
            assert done.returncode == 0, done.stdout[-2000:]
        client = Session(node)
        client.select("INBOX")
        if client.view:
            client.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
            client.ok("EXPUNGE")
        for i in range(5):
            append(client, "INBOX", "", f"mail {i}")
        visit()
        client.ok("NOOP")
        client.ok("STORE 2 +FLAGS (\\Deleted)")
        client.ok("EXPUNGE")
        client.ok("STORE 1 +FLAGS (\\Flagged)")
        # It deletes all that is flagged: the one that another client has flagged meanwhile, and no other.
        visit("<delete-pattern>~F<enter>", "<sync-mailbox>")
        client.ok("NOOP")
        assert len(client.view) == 3 and all("\\Flagged" not in (flags or ()) for _, flags in client.view), client.view
        client.close()


def main(binary):
    with nodes(binary, "ann") as [node]:
        node.start()
        for interrupt in (lambda: None, lambda: restarted(node), lambda: killed(node)):
            comes_back(node, interrupt)
        seed = int(os.environ.get("PEERPOST_SEED", random.randrange(1 << 32)))
        many_at_once(node, seed)
        watches(node)
        with_imaplib(node)
        if shutil.which("mutt") and shutil.which("script"):
            with_mutt(node)
        code, _ = node.stop()
        assert code == 0, code


if __name__ == "__main__":
    main(sys.argv[1])
