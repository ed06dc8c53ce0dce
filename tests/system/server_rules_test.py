"""The twelve rules that make clients work with a server (05-mail-protocols, section 5.2.6), each a function on the
running program. What takes minutes is in tests/proto/imap/golden: the reminder of rule 9 in idle.txt."""

import re
import sys
import time

from imap_session import Session
from node import nodes

BROKEN_MIME = [   # what real mail does; sizes must agree all the same
    "Subject: no body\r\n",
    "Subject: plain\r\n\r\n8-bit: \xe4\xf6\xfc and a bare LF\nand no end of line",
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\npreamble\r\n--b\r\n\r\nfirst\r\n--b\r\n'
    "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\nepilogue\r\n",
    'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nnever closed\r\n--b\r\n'
    'Content-Type: text/html\r\n\r\n<p>',
    "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nno boundary is named\r\n--b--\r\n",
    'Content-Type: multipart/mixed; boundary="o"\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n'
    'Content-Type: multipart/alternative; boundary="i"\r\n\r\n--i\r\n\r\none\r\n--i\r\n'
    'Content-Type: text/html\r\n\r\ntwo\r\n'
    "--i--\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: simple\r\n\r\nbody\r\n--o--\r\n",
    'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x--\r\n',
]


def append(session, box, mail, flags="", date="", literal="{%d+}"):
    words = "".join(f" {one}" for one in (flags, date) if one)
    return session.command(f"APPEND {box}{words} {literal % len(mail)}\r\n{mail}")[1]


def fetched(lines, item):
    """The string of an item: literal or quoted; None when it is not there."""
    for line in lines:
        if match := re.search(re.escape(item) + r" (?:\{(\d+)\}\r\n|\"((?:[^\"\\]|\\.)*)\"|(NIL))", line):
            if match.group(1):
                return line[match.end():match.end() + int(match.group(1))]
            return re.sub(r"\\(.)", r"\1", match.group(2)) if match.group(2) is not None else ""
    return None


def emptied(node, box):
    session = Session(node)
    session.select(box)
    if session.view:
        session.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)")
        session.ok("EXPUNGE")
    session.close()


def rule_1_uidvalidity_never_changes(node):
    def identities():
        session = Session(node)
        found = {}
        for box in ("INBOX", "Sent", "Drafts"):
            session.select(box)
            found[box] = (session.validity, [uid for uid, _ in session.view])
        session.close()
        return found

    session = Session(node)
    for box in ("INBOX", "Drafts", "INBOX"):
        append(session, box, "Subject: x\r\n\r\nx\r\n")
    session.select("INBOX")
    session.ok("STORE 1 +FLAGS (\\Deleted)")
    session.ok("EXPUNGE")
    session.close()
    before = identities()
    assert all(0 < validity < 1 << 32 for validity, _ in before.values()), before
    node.stop()
    node.start()
    assert identities() == before
    node.kill()
    node.start()
    assert identities() == before
    node.stop()
    views = list(node.home.rglob("view"))   # the index of the store: it is made again from what was stored
    assert views, "no view found"
    for view in views:
        view.rename(view.with_name("view.old"))
    node.start()
    assert identities() == before


def rule_2_a_uid_is_never_used_again(node):
    session = Session(node)
    highest = 0
    for round_ in range(6):
        answer = append(session, "INBOX", f"Subject: {round_}\r\n\r\nx\r\n")
        uid = int(re.search(r"APPENDUID \d+ (\d+)", answer).group(1))
        assert uid > highest, (uid, highest)
        highest = uid
        session.select("INBOX")
        session.ok(f"UID STORE {uid} +FLAGS (\\Deleted)")
        session.ok("EXPUNGE")
        if round_ == 3:
            session.close()
            node.kill()
            node.start()
            session = Session(node)
    lines = session.ok("STATUS INBOX (UIDNEXT)")
    assert f"UIDNEXT {highest + 1}" in lines[0], lines
    session.close()


def rule_3_removals_only_where_they_are_allowed(node):
    emptied(node, "INBOX")
    one, other = Session(node), Session(node)
    for i in range(6):
        append(one, "INBOX", f"Subject: {i}\r\n\r\nx\r\n")
    one.select("INBOX")
    other.select("INBOX")
    other.ok("STORE 2:4 +FLAGS.SILENT (\\Deleted)")
    other.ok("EXPUNGE")
    append(other, "INBOX", "Subject: new\r\n\r\nx\r\n")
    for command in ("FETCH 1 (FLAGS)", "STORE 1 +FLAGS (\\Seen)", "SEARCH ALL", "FETCH 1:* (UID)"):
        lines, _ = one.command(command)   # the session itself fails when EXISTS does not grow or EXPUNGE comes here
        assert not [line for line in lines if "EXPUNGE" in line], lines
    assert len(one.view) == 7, one.view
    lines = one.ok("NOOP")
    assert [line for line in lines if "EXPUNGE" in line] == ["* 2 EXPUNGE"] * 3, lines
    assert not [line for line in lines if "EXISTS" in line], lines   # told before: not "EXPUNGE, then the same EXISTS"
    one.close()
    other.close()


def rule_4_recent_is_seen_by_one_session(node):
    giver, one, other = Session(node), Session(node), Session(node)
    one.select("Junk")
    one.ok("UNSELECT")
    append(giver, "Junk", "Subject: x\r\n\r\nx\r\n")
    counts = [int(re.search(r"\* (\d+) RECENT", "\n".join(s.select("Junk"))).group(1)) for s in (one, other)]
    assert counts == [1, 0], counts
    assert "\\Recent" in one.ok("FETCH * (FLAGS)")[0] and "\\Recent" not in other.ok("FETCH * (FLAGS)")[0]
    # and so it is when both have the mailbox open: who is told first has it, STATUS does not count it any more
    append(giver, "Junk", "Subject: z\r\n\r\nz\r\n")
    told = ["\n".join(session.ok("NOOP")) for session in (other, one)]
    assert [int(re.search(r"\* (\d+) RECENT", text).group(1)) for text in told] == [1, 1], told
    assert "\\Recent" in other.ok("FETCH * (FLAGS)")[0] and "\\Recent" not in one.ok("FETCH * (FLAGS)")[0]
    assert "RECENT 0" in giver.ok("STATUS Junk (RECENT)")[0]
    modern = Session(node, "IMAP4rev2")
    append(giver, "Junk", "Subject: y\r\n\r\ny\r\n")
    lines = modern.select("Junk") + modern.ok("FETCH * (FLAGS)")
    assert not [line for line in lines if "ecent" in line.lower()], lines
    for session in (giver, one, other, modern):
        session.close()


def rule_5_bytes_do_not_change(node):
    def check(uids):
        session = Session(node)
        session.select("Archive")
        for uid, mail in uids.items():
            lines = session.ok(f"UID FETCH {uid} (RFC822.SIZE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT])")
            text = "\r\n".join(lines)
            assert fetched([text], "BODY[]") == mail
            assert int(re.search(r"RFC822\.SIZE (\d+)", text).group(1)) == len(mail)
            assert fetched([text], "BODY[HEADER]") + fetched([text], "BODY[TEXT]") == mail
        session.close()

    session, uids = Session(node), {}
    for mail in BROKEN_MIME:
        uids[int(re.search(r"APPENDUID \d+ (\d+)", append(session, "Archive", mail)).group(1))] = mail
    session.close()
    check(uids)
    node.kill()
    node.start()
    check(uids)


def structure(text):
    """BODYSTRUCTURE as nested lists of strings and None, and what is behind it."""
    tokens = re.compile(r'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|([^\s()]+))')
    stack, at = [[]], 0
    while True:
        match = tokens.match(text, at)
        at = match.end()
        if match.group(1):
            stack.append([])
        elif match.group(2):
            done = stack.pop()
            stack[-1].append(done)
            if len(stack) == 1:
                return done
        elif match.group(4):
            stack[-1].append(text[at:at + int(match.group(4))])
            at += int(match.group(4))
        else:
            word = match.group(3) if match.group(3) is not None else match.group(5)
            stack[-1].append(None if match.group(5) == "NIL" else word)


def leaves(body, number=""):
    if isinstance(body[0], list):
        for i, part in enumerate([one for one in body if isinstance(one, list) and one and
                                  (isinstance(one[0], list) or len(one) > 6)], 1):
            yield from leaves(part, f"{number}.{i}" if number else str(i))
        return
    own = number or "1"
    yield own, int(body[6])
    if [str(body[0]).lower(), str(body[1]).lower()] == ["message", "rfc822"]:
        inner = body[8]
        yield from leaves(inner, own if isinstance(inner[0], list) else f"{own}.1")


def rule_6_sizes_of_parts_are_those_of_bodystructure(node):
    session = Session(node)
    session.select("Archive")
    checked = 0
    for number in range(1, len(session.view) + 1):
        line = session.ok(f"FETCH {number} (BODYSTRUCTURE)")[0]
        for part, octets in leaves(structure(line[line.index("BODYSTRUCTURE ") + 14:])):
            text = fetched(session.ok(f"FETCH {number} (BODY.PEEK[{part}])"), f"BODY[{part}]")
            assert text is not None and len(text) == octets, (number, part, octets, text)
            checked += 1
        assert "NIL" not in re.match(r"BODY \((\S+ \S+)", "BODY (" + line.split("BODYSTRUCTURE (")[1]).group(1)
    assert checked > len(BROKEN_MIME), checked
    session.close()


def rule_7_no_date_is_older_than_mail(node):
    session = Session(node)
    append(session, "Archive", "Subject: old\r\n\r\nx\r\n", date='"01-Jan-1970 00:00:00 +0000"')
    session.select("Archive")
    line = session.ok("FETCH * (INTERNALDATE)")[0]
    assert int(re.search(r"-(\d{4}) ", line).group(1)) >= 1982, line
    session.close()


def rule_8_twenty_connections_of_one_user(node):
    sessions = [Session(node) for _ in range(24)]
    for session in sessions:
        session.select("INBOX")
    for session in sessions:
        session.ok("NOOP")
        session.close()


def rule_9_idle_is_quiet(node):
    emptied(node, "INBOX")
    idler, other = Session(node), Session(node)
    append(other, "INBOX", "Subject: x\r\n\r\nx\r\n", flags="(\\Seen)")
    idler.select("INBOX")
    idler.socket.sendall(b"i1 IDLE\r\n")
    assert idler.line().startswith("+ ")
    other.select("INBOX")
    other.ok("FETCH 1 (FLAGS BODY[])")                 # \Seen already
    other.ok("STORE 1 +FLAGS (\\Seen)")                # changes nothing
    other.ok("NOOP")
    append(other, "Drafts", "Subject: elsewhere\r\n\r\nx\r\n")
    other.ok("STORE 1 +FLAGS (\\Flagged)")             # a real change, and the first thing that is told
    assert idler.line().startswith("* 1 FETCH (FLAGS (\\Flagged \\Seen")
    idler.socket.sendall(b"DONE\r\n")
    assert idler.line().startswith("i1 OK")
    idler.close()
    other.close()


def rule_10_fetch_of_what_another_session_has_removed(node):
    emptied(node, "INBOX")
    one, other = Session(node), Session(node)
    for i in range(3):
        append(one, "INBOX", f"Subject: {i}\r\n\r\nbody {i}\r\n")
    one.select("INBOX")
    other.select("INBOX")
    other.ok("STORE 2 +FLAGS (\\Deleted)")
    other.ok("EXPUNGE")
    lines, answer = one.command("FETCH 1:3 (UID BODY.PEEK[TEXT])")
    assert not answer.startswith("BAD"), answer
    texts = [fetched([line], "BODY[TEXT]") for line in lines if " FETCH " in line]
    assert texts in (["body 0\r\n", "body 2\r\n"], ["body 0\r\n", "body 1\r\n", "body 2\r\n"]), texts
    lines, answer = one.command("STORE 2 +FLAGS (\\Seen)")
    assert not answer.startswith("BAD"), answer
    assert "* 2 EXPUNGE" in one.ok("NOOP")
    assert fetched(one.ok("FETCH 2 (BODY.PEEK[TEXT])"), "BODY[TEXT]") == "body 2\r\n"
    one.close()
    other.close()


def rule_11_append_is_refused_before_it_is_read(node):
    session = Session(node)
    limit = int(re.search(r"APPENDLIMIT=(\d+)", "\n".join(session.ok("CAPABILITY"))).group(1))
    _, answer = session.command(f"APPEND INBOX {{{limit + 1}}}")    # it waits for "+", which must not come
    assert answer.startswith("NO [TOOBIG]"), answer
    _, answer = session.command("APPEND Nowhere {10}")
    assert answer.startswith("NO [TRYCREATE]"), answer
    with_nul = "Subject: x\r\n\r\na\0b\r\n"
    assert append(session, "INBOX", with_nul).startswith("NO"), "NUL in a literal"
    assert append(session, "INBOX", with_nul, literal="~{%d+}").startswith("OK"), "NUL in a binary literal"
    session.ok("NOOP")
    session.close()


def rule_12_no_literal_is_short(node):
    emptied(node, "INBOX")
    one, other = Session(node), Session(node)
    mail = "Subject: large\r\n\r\n" + "0123456789abcdef" * 4 * 64 * 1024     # 4 MiB, more than any buffer between
    append(one, "INBOX", mail)
    one.select("INBOX")
    other.select("INBOX")
    one.socket.sendall(b"f1 FETCH 1 (BODY.PEEK[])\r\n")
    time.sleep(0.2)                                    # it is under way; nobody reads it
    other.ok("STORE 1 +FLAGS (\\Deleted)")
    other.ok("EXPUNGE")
    try:
        line = one.line()
        while "BODY[]" not in line and not line.startswith("f1 "):
            line = one.line()
        if "BODY[]" in line:
            assert fetched([line], "BODY[]") == mail, "the literal is not the mail"
    except AssertionError as why:
        assert "the connection ended" in str(why), why   # allowed: nobody takes half of it for the mail
    one.close()
    other.close()


def main(binary):
    rules = [one for name, one in globals().items() if re.match(r"rule_\d+_", name)]
    assert len(rules) == 12
    with nodes(binary, "ann") as [node]:
        node.start()
        for rule in rules:
            print(rule.__name__.replace("_", " "), flush=True)
            rule(node)


if __name__ == "__main__":
    main(sys.argv[1])
