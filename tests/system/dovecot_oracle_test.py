"""Dovecot is the oracle: the same odd mails appended to both servers, every view of them compared. Where the two differ
on purpose, a function below finds it and names the section of the RFC that backs us; any other one fails.

    dovecot_oracle_test.py PROGRAM [mails]     a few thousand mails by hand, a few hundred in ctest"""

import collections
import datetime
import random
import re
import sys

from dovecot import PASSWORD, USER, dovecot, missing
from imap_values import Wire
from node import nodes
from odd_mail import odd_mails
import search_cases

SAMPLE = 200
SEED = 3501
BATCH = 50             # mails per FETCH
SECTIONS_PER_MAIL = 40
SKIPPED = 77           # ctest: not a failure
SHOWN = 5              # examples of each difference

VIEWS = (b"(RFC822.SIZE INTERNALDATE FLAGS ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[TEXT] "
         b"BODY.PEEK[HEADER.FIELDS (FROM Subject MISSING)] BODY.PEEK[HEADER.FIELDS.NOT (FROM DATE X-FOLD)] "
         b"BODY.PEEK[]<0.50> BODY.PEEK[TEXT]<7.2000> BODY.PEEK[HEADER.FIELDS (TO CC RECEIVED)]<3.20> "
         b"BODY.PEEK[]<1000000.5>)")
FLAGS = [b"", b"\\Seen", b"\\Answered \\Flagged", b"\\Draft keyword", b"\\Deleted"]
DATES = [b"22-Nov-2026 10:00:00 +0000", b"01-Jan-2001 00:30:00 -0800", b"31-Dec-1999 23:59:59 +1400",
         b"28-Feb-2024 12:00:00 +0530"]


class Differences:
    def __init__(self):
        self.found = collections.defaultdict(list)
        self.compared = 0

    def compare(self, what, ours, theirs, mail, explain):
        self.compared += 1
        if ours == theirs:
            return
        reason = explain(ours, theirs, mail)
        self.found[(what, reason)].append((ours, theirs, mail))

    def report(self):
        bad = 0
        for (what, reason), examples in sorted(self.found.items(), key=str):
            print(f"{len(examples):6} {what}: {reason or 'UNEXPLAINED'}")
            if reason:
                continue
            bad += len(examples)
            for ours, theirs, mail in examples[:SHOWN]:
                print(f"         ours    {str(ours)[:1500]}\n         dovecot {str(theirs)[:1500]}\n"
                      f"         mail    {mail[:1200]!r}")
        return bad


def sections(structure, prefix=()):
    """Every section number of a parsed BODYSTRUCTURE with what can be asked of it (RFC 9051 section 6.4.5.1)."""
    if isinstance(structure[0], list):
        for i, child in enumerate(structure):
            if not isinstance(child, list):
                return
            yield from part_sections(child, prefix + (i + 1,))
    else:
        yield from part_sections(structure, prefix + (1,))


def part_sections(part, number):
    name = ".".join(map(str, number)).encode()
    yield name
    yield name + b".MIME"
    yield name + b"]<1.30"
    if isinstance(part[0], list):
        yield from sections(part, number)
    elif part[0].lower() == b"message" and len(part) > 8 and isinstance(part[8], list):
        for what in (b".HEADER", b".TEXT", b".HEADER.FIELDS (SUBJECT)", b".HEADER.FIELDS.NOT (SUBJECT)"):
            yield name + what
        yield from sections(part[8], number)


def explain_nothing(ours, theirs, mail):
    return None


def compare_mails(ours, theirs, mails, found):
    for first in range(1, len(mails) + 1, BATCH):
        uids = b"%d:%d" % (first, min(first + BATCH - 1, len(mails)))
        mine, other = ours.fetch(uids, VIEWS), theirs.fetch(uids, VIEWS)
        for uid in range(first, min(first + BATCH, len(mails) + 1)):
            mail = mails[uid - 1]
            for item in sorted(mine[uid].keys() | other[uid].keys()):
                what = item.decode()
                a, b = mine[uid].get(item), other[uid].get(item)
                if item == b"FLAGS":
                    a, b = (sorted(f for f in flags if f != b"\\Recent") for flags in (a, b))
                if item == b"INTERNALDATE":   # one moment; Dovecot keeps no time zone
                    a, b = (datetime.datetime.strptime(when.strip().decode(), "%d-%b-%Y %H:%M:%S %z")
                            for when in (a, b))
                found.compare(what, a, b, mail, EXPLAIN.get(what, explain_nothing))
            compare_sections(ours, theirs, uid, mine[uid][b"BODYSTRUCTURE"], mail, found)


def compare_sections(ours, theirs, uid, structure, mail, found):
    names = list(sections(structure))[:SECTIONS_PER_MAIL]
    # A part that is not there: NIL or an empty string, as the server likes; and one past the end of a list.
    items = b" ".join(b"BODY.PEEK[" + n + (b">" if b"<" in n else b"]") for n in names)
    a, b = (side.fetch(b"%d" % uid, b"(" + items + b")")[uid] for side in (ours, theirs))
    for item in sorted(a.keys() | b.keys()):
        kind = re.sub(r"[0-9.]*[0-9]", "n", item.decode(), count=1)
        found.compare("section " + kind, a.get(item), b.get(item), mail, EXPLAIN.get("section", explain_nothing))


SEARCHES = [
    b"ALL", b"SEEN", b"UNSEEN", b"ANSWERED", b"FLAGGED", b"DRAFT", b"DELETED", b"KEYWORD keyword", b"UNKEYWORD keyword",
    b"KEYWORD nowhere", b"1:10,20", b"*", b"UID 5:15", b"NOT SEEN", b"OR SEEN FLAGGED",
    b"(SEEN) NOT (FLAGGED ANSWERED)", b"SMALLER 1000", b"LARGER 1000", b"LARGER 100000", b"BEFORE 1-Jan-2002",
    b"ON 22-Nov-2026", b"SINCE 1-Jan-2020", b"ON 31-Dec-1999", b"ON 1-Jan-2001", b"ON 28-Feb-2024",
    b"SENTBEFORE 1-Jan-2000", b"SENTON 22-Nov-2026", b"SENTSINCE 1-Jan-2000", b"SENTON 1-Jan-2001", b"SUBJECT plain",
    b"SUBJECT PLAIN", b'SUBJECT "Re: plain"', b'SUBJECT ""', b"FROM alice", b"FROM example.org", b"TO friends",
    b"CC a@", b"BCC example", b'HEADER Message-ID "<7.odd@"', b'HEADER References ""', b'HEADER X-Fold odd',
    b"HEADER Missing x", b'HEADER Subject "over lines"', b"BODY preamble", b"BODY signed", b"BODY dots", b"TEXT plain",
    b"TEXT example.org", b'TEXT "no such text"', b'BODY "PGP SIGNATURE"', b"NEW", b"OLD", b"RECENT",
    b"UNDELETED UNANSWERED", b"NOT (OR SUBJECT plain LARGER 2000)",
]
UTF8_SEARCHES = ["SUBJECT Grüße", "SUBJECT grÜSSE", "SUBJECT 日本", "FROM Jürgen", "FROM JÜRGEN", "FROM 本",
                 "SUBJECT splitü", "SUBJECT привет", "BODY Grüße", "TEXT ünïcödé"]


def compare_searches(ours, theirs, mails, found):
    commands = [b"UID SEARCH " + keys for keys in SEARCHES]
    for text in UTF8_SEARCHES:
        key, word = text.encode().split(b" ", 1)
        commands.append(b"UID SEARCH CHARSET UTF-8 %s {%d+}\r\n%s" % (key, len(word), word))
    for command in commands:
        a, b = ours.search(command), theirs.search(command)
        what = "search " + command[11:].decode(errors="replace").replace("\r\n", "")
        if a is not None and b is not None:
            only_ours, only_theirs = sorted(set(a) - set(b)), sorted(set(b) - set(a))
            sample = b"".join(mails[uid - 1][:700] + b"\n----\n" for uid in (only_ours + only_theirs)[:2])
            found.compare(what, only_ours, only_theirs, sample,
                          lambda x, y, m: explain_search(command, x, y, mails))
        else:
            found.compare(what, a, b, b"", explain_nothing)


def compare_search_cases(ours, theirs, sample, found):
    """SEARCH, SORT and THREAD over mails made for them, in as many commands as there are mails."""
    mails = list(search_cases.mails(sample, seed=SEED))
    for side in (ours, theirs):
        side.run(b"CREATE Searched")
        for mail in mails:
            side.wait(side.append(b"Searched", mail.content, " ".join(mail.flags).encode(),
                                  mail.internal_date.strip('"').encode()))
        side.run(b"EXAMINE Searched")
    for case in search_cases.commands(sample, seed=SEED):
        pieces = [case.command] if isinstance(case.command, str) else case.command
        command = b"".join(b"{%d+}\r\n" % len(p) + p if isinstance(p, bytes) else p.encode() for p in pieces)
        answers = []
        for side in (ours, theirs):
            untagged, tagged = side.run(command, (b"OK", b"NO", b"BAD"))
            lines = [line[2:].decode(errors="replace") for line in untagged if line.startswith(b"* ")]
            answers.append((tagged.split(b" ", 2)[1], case.result(lines)))
        found.compare("search case " + case.answer, *answers, command, explain_case)


# ---------------------------------------------------------------- differences on purpose, with what backs us

NO_PARTS = "RFC 2046 section 5.1.1: a multipart has one part at least; named so without any, the text is shown, " \
    "not an empty part"
BLANKS = "RFC 5322 section 3.2.2: folding white space around the body of a field is not part of it"
PLACEHOLDERS = "RFC 9051 section 7.5.2: an address is told as far as it can be read, without words of our own in it"
EMPTY_MEMBERS = "RFC 5322 section 4.4, obs-addr-list: empty members of a list are no addresses"
ENCODED_MAIL = "RFC 2046 section 5.2.1: an encoded message/rfc822 is opaque"
BAD_TYPE = "RFC 2045 section 5.2: a Content-Type that cannot be read is text/plain"
BOUNDARY = "RFC 2046 section 5.1.1: the line end before a boundary belongs to it, also when it ends parts further in"
NO_BLANK_LINE = "RFC 9051 section 6.4.5.1: no blank line where the mail has neither body nor blank line"
NO_SENT_DATE = "RFC 9051 section 6.4.4: a mail without a Date that can be read was sent on no day"
TABS = "RFC 5322 section 2.2.3: unfolding removes the line end, the tab after it stays"
WHOLE_LIST = "RFC 9051 section 6.4.4: a string anywhere in the field counts, also behind an address that cannot be read"
SPLIT_WORDS = "RFC 2047 section 6.2: adjacent encoded words of one charset are joined before they are decoded"
LAST_OF_RANGE = "RFC 9051 section 9, seq-range: n:* has the last mail in it, also when n is greater"
SECOND_KEY = "RFC 5256 section 3: mails that are equal by one key stand in the order of the next, which Dovecot 2.3 " \
    "loses at times"
TWICE = "RFC 5322 section 3.6: a field that may stand once stands twice; the first one counts"
ENVELOPE_FIELDS = [b"Date", b"Subject", b"From", b"Sender", b"Reply-To", b"To", b"Cc", b"Bcc", b"In-Reply-To",
                   b"Message-ID"]
PLACEHOLDER = {b"MISSING_MAILBOX", b"MISSING_DOMAIN", b"SYNTAX_ERROR", b"INVALID_ROUTE"}


def explain_addresses(ours, theirs, mail):
    if ours == theirs:
        return set()
    mine = [] if ours == b"NIL" else ours
    other = [] if theirs == b"NIL" else theirs
    reasons = set()
    real = [a for a in other if not (a[0] == a[1] == b"NIL" and a[2] == b"MISSING_MAILBOX"
                                     and a[3] == b"MISSING_DOMAIN")]
    if len(real) != len(other):
        reasons.add(EMPTY_MEMBERS)
    for a, b in zip(mine, real):
        if a == b:
            continue
        if any(x in PLACEHOLDER for x in b):   # Dovecot could not read it, and may stop there
            return reasons | {PLACEHOLDERS}
        return (reasons | {PLACEHOLDERS} if b"a@b@c" in mail and a[2:] == [b"a", b"c"] and b[2:] == [b"a", b"b"]
                else None)
    if len(mine) != len(real):
        left = real[len(mine):] or mine[len(real):]
        unread = all(any(x in PLACEHOLDER for x in a) for a in left) or (b"@b@c" in mail and len(real) < len(mine))
        return reasons | {PLACEHOLDERS} if unread else None
    return reasons


def explain_envelope(ours, theirs, mail):
    reasons = set()
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if a == b:
            continue
        field = ENVELOPE_FIELDS[i]
        if len(re.findall(rb"(?im)^" + field + rb"[ \t]*:", mail)) > 1 or (
                i in (3, 4) and len(re.findall(rb"(?im)^From[ \t]*:", mail)) > 1):
            reasons.add(TWICE)
        elif 2 <= i <= 7:
            found = explain_addresses(a, b, mail)
            if not found:
                return None
            reasons |= found
        elif isinstance(b, bytes) and a == b.strip():
            reasons.add(BLANKS)
        elif isinstance(b, bytes) and a.replace(b"\t", b" ") == b.strip():
            reasons.add(TABS)
        else:
            return None
    return " + ".join(sorted(reasons)) or None


def explain_structure(ours, theirs, mail):
    reasons = explain_part(ours, theirs, mail)
    return " + ".join(sorted(reasons)) if reasons else None


def explain_part(ours, theirs, mail):
    """A set of reasons (empty: equal), or None."""
    if ours == theirs:
        return set()
    if not (isinstance(ours, list) and isinstance(theirs, list)):
        return None
    if isinstance(ours[0], list) != isinstance(theirs[0], list):
        empty = isinstance(theirs[0], list) and \
            len([x for x in theirs if isinstance(x, list) and x[0] == b"text"]) == 1 and \
            theirs[0][6] == b"0" and ours[0].lower() == b"text"
        return {NO_PARTS} if empty else None
    if isinstance(ours[0], list):
        if len(ours) != len(theirs):
            return None
        reasons = set()
        for a, b in zip(ours, theirs):
            found = explain_part(a, b, mail) if isinstance(a, list) and a and isinstance(a[0], (list, bytes)) else \
                (set() if a == b else None)
            if found is None:
                return None
            reasons |= found
        return reasons
    if ours[:2] == [b"application", b"octet-stream"] and theirs[:2] == [b"message", b"rfc822"] and \
            ours[5] in (b"base64", b"quoted-printable"):
        return {ENCODED_MAIL}
    if theirs[:2] == [b"", b""] and ours[:2] == [b"text", b"plain"]:
        return {BAD_TYPE}
    if ours[:6] == theirs[:6] and ours[0].lower() == b"text" and int(theirs[6]) == int(ours[6]) + 2:
        return {BOUNDARY}
    if len(ours) == len(theirs) and ours[0].lower() == b"message" and len(ours) > 8 and isinstance(ours[8], list):
        reasons = set()
        for i, (a, b) in enumerate(zip(ours, theirs)):
            if a == b:
                continue
            longer = i in (6, 9) and int(b) - int(a) == (2 if i == 6 else 1)
            found = {BOUNDARY} if longer else \
                explain_part(a, b, mail) if i == 8 else {explain_envelope(a, b, mail)} if i == 7 else None
            if not found or None in found:
                return None
            reasons |= found
        return reasons
    return None


def explain_fields(ours, theirs, mail):
    cut = b"\r\n\r\n" not in mail and not mail.startswith(b"\r\n")
    return NO_BLANK_LINE if cut and theirs in (ours + b"\r\n", ours[:-2]) else None


def explain_section(ours, theirs, mail):
    if theirs == (ours or b"") + b"\r\n" or (ours or b"") + b"\r" == theirs:
        return BOUNDARY
    return NO_PARTS if theirs in (b"", b"NIL") and b"multipart" in mail.lower() else None


def explain_sent(ours, theirs, mails):
    """Only mails whose Date Dovecot cannot read: it takes them as sent in 1970."""
    readable = re.compile(rb"(?im)^date[ \t]*:\s*(\w{3}\s*,\s*)?\d{1,2} \w{3} \d{2,4}"
                          rb"\s+[0-2]\d:\d\d(:[0-5]\d)?\s+([+-]\d{4}|GMT|UT|[ECMP][SD]T)\b")
    return (NO_SENT_DATE if not any(readable.search(mails[uid - 1].split(b"\r\n\r\n")[0]) for uid in ours + theirs)
            else None)


EXPLAIN = {"ENVELOPE": explain_envelope, "BODY": explain_structure, "BODYSTRUCTURE": explain_structure,
           "section": explain_section}
for view in ("BODY[HEADER.FIELDS.NOT (FROM DATE X-FOLD)]", "BODY[HEADER.FIELDS (FROM SUBJECT MISSING)]",
             "BODY[HEADER.FIELDS (TO CC RECEIVED)]<3>"):
    EXPLAIN[view] = explain_fields


def explain_case(ours, theirs, command):
    mine, other = ours[1], theirs[1]
    past_the_end = re.search(rb" (\d+):\*", command)
    if past_the_end and b" RETURN " in command and other in ([], [("COUNT", "0")]):
        return LAST_OF_RANGE
    if not (isinstance(mine, list) and isinstance(other, list) and all(isinstance(n, int) for n in mine + other)):
        return None
    if past_the_end and not other and len(mine) == 1 and mine[0] < int(past_the_end.group(1)):
        return LAST_OF_RANGE
    keys = re.search(rb"SORT \(([^)]*)\)", command)
    if keys and len(keys.group(1).replace(b"REVERSE ", b"").split()) > 1 and sorted(mine) == sorted(other):
        return SECOND_KEY
    return None


def explain_search(command, ours, theirs, mails):
    if b"SEARCH SENT" in command:
        return explain_sent(ours, theirs, mails)
    if theirs:
        return TABS if b"over lines" in command and not ours and \
            all(b"\r\n\tlines" in mails[uid - 1] for uid in theirs) else None
    if "splitü".encode() in command:
        return SPLIT_WORDS
    key = re.search(rb" (FROM|TO|CC|BCC) ", command)
    if key:
        def broken(mail):
            unfolded = re.sub(rb"\r\n[ \t]", b" ", mail.split(b"\r\n\r\n")[0])
            return re.search(rb"(?im)^" + key.group(1) + rb"[ \t]*:.*(a@b@c|[,:] *@)", unfolded)
        return WHOLE_LIST if all(broken(mails[uid - 1]) for uid in ours) else None
    return None


def main(binary, sample=SAMPLE):
    why = missing()
    if why:
        print(f"skipped: {why}")
        sys.exit(SKIPPED)
    dice = random.Random(SEED)
    source = odd_mails(dice)
    # Dovecot keeps lines, not octets: what has a line end without its other half, or a NUL, it stores changed.
    mails = []
    while len(mails) < sample:
        mail = next(source)
        if mail and not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", mail):
            mails.append(mail)
    found = Differences()
    with nodes(binary, "oracle") as (node,), dovecot() as server:
        node.start()
        ours = Wire(node.imap, node.address, node.password)
        theirs = Wire(server.imap, USER, PASSWORD)
        for side in (ours, theirs):
            side.run(b"CREATE Odd")
            for n, mail in enumerate(mails):
                side.wait(side.append(b"Odd", mail, FLAGS[n % len(FLAGS)], DATES[n % len(DATES)]))
            side.run(b"EXAMINE Odd")
        compare_mails(ours, theirs, mails, found)
        compare_searches(ours, theirs, mails, found)
        compare_search_cases(ours, theirs, sample, found)
    bad = found.report()
    print(f"oracle: {len(mails)} mails, {found.compared} answers compared, {bad} differences without a reason")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE)
