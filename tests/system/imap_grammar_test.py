"""Every line the server says, in every mode, read by the strict grammar of imap_grammar.py; and every command of the
tables below answered as the RFCs want it: OK, NO (it cannot be done) or BAD (it is not well formed). The tables hold
what is easily got wrong: empty lists, zeros, 2^32 and 2^63, reversed and open sets, literals in odd places."""

import re
import sys

from imap_grammar import NotGrammar, response
from mailbox_extensions_test import Line
from node import nodes

GOOD = [
    b'* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)]<0> {2}\r\nab UID 7 FLAGS ())', b"* SEARCH", b"* ENABLED", b"a OK done",
    b'* ESEARCH (TAG "a") UID MIN 1 PARTIAL (-1:-5 NIL)', b"* THREAD (1 2 (3)(4 5))(6)", b'* LIST () NIL ""',
    b"* VANISHED (EARLIER) 1:3,5", b'* 1 FETCH (ENVELOPE (NIL "" ((NIL NIL "a" "b")) NIL NIL NIL NIL NIL NIL NIL))',
    b"* OK [INPROGRESS] x", b"+ ",
    b'* 1 FETCH (BODY (("text" "plain" NIL NIL NIL "7bit" 1 0)("a" "b" NIL NIL NIL "7bit" 1) "mixed"))',
]
BAD = [   # the negative control: what a server must not say
    b"* 1 FETCH ()", b"* 1 FETCH (FLAGS (\\*))", b"* 0 EXPUNGE", b"* 01 EXISTS", b"* 4294967296 EXISTS", b"* SEARCH ",
    b"* SEARCH 0", b"a OK ", b"a OK [NOCODE] x", b"a OK [UIDNEXT 0] x", b"a OK [APPENDUID 1 1:*] x",
    b"* OK [HIGHESTMODSEQ 0] x", b"* FLAGS  ()", b'* LIST () "/" "\xc3\xa4"', b'* LIST () "/" a b',
    b'* 1 FETCH (BODY[] "\0")', b"* 1 FETCH (BODY[] {3}\r\nab)", b"* 1 FETCH (UID 0)",
    b'* 1 FETCH (ENVELOPE (NIL "" () NIL NIL NIL NIL NIL NIL NIL))', b'* 1 FETCH (BODY[1.] NIL)',
    b"* 1 FETCH (BODY[MIME] NIL)", b'* 1 FETCH (BODY ("text" "plain" () NIL NIL "7bit" 1 0))',
    b'* 1 FETCH (BODY ("text" "plain" NIL NIL NIL NIL 1 0))', b"* THREAD (1 (2))",
    b'* 1 FETCH (INTERNALDATE "1-Jan-2000 00:00:00 +0000")', b"* ESEARCH ALL NIL", b"* ESEARCH MIN 1 MIN 1",
    b"* STATUS a (UIDNEXT 0)", b"* CAPABILITY APPENDLIMIT=4294967296", b"* OK caf\xc3\xa9", b'* METADATA a ()',
    b'* QUOTA "" (STORAGE 1)', b"* VANISHED 1:*", b"* NONSENSE",
]

MIME = (b'From: "a \\" b" <a@b>, g: c@d, e@f;\r\nTo: undisclosed:;\r\nSubject: caf\xc3\xa9\r\n'
        b'Content-Type: multipart/mixed; boundary=b;\r\n name*=utf-8\'\'%C3%A9\r\n\r\n--b\r\n'
        b'Content-Type: text/plain; charset=""\r\nContent-Description:\r\nContent-Language: en, de\r\n\r\n'
        b"one\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx\r\n--b\r\n"
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="\xe9"\r\nContent-ID: <a@b>\r\n\r\nAAEC\r\n--b--\r\n')
MAILS = [b"Subject: a\r\nMessage-ID: <a@x>\r\n\r\nx\r\n",
         b"Subject: Re: a\r\nReferences: <a@x>\r\nMessage-ID: <b@x>\r\n\r\ny\r\n", MIME, b"x",
         b"Date: nonsense\r\nFrom:\r\nSender: <>\r\nSubject:\r\n\r\n"]

# The wanted answer stands before each command. The mailbox Grammar is selected and holds MAILS when a table begins.
SETS = """
OK FETCH *:1 FLAGS | OK FETCH 5:* FLAGS | OK FETCH 1,1,5:4 FLAGS | OK UID FETCH 4294967295:* FLAGS | BAD FETCH 0 FLAGS
BAD FETCH 01 FLAGS | BAD FETCH 6 FLAGS | BAD FETCH 4294967296 FLAGS | BAD FETCH 18446744073709551616 FLAGS
BAD FETCH 1: FLAGS | BAD FETCH ,1 FLAGS | BAD FETCH 1,,2 FLAGS | BAD FETCH 1:2:3 FLAGS | BAD UID FETCH 0:5 FLAGS
OK UID FETCH 99:98 FLAGS | BAD FETCH $,1 FLAGS | OK FETCH $ FLAGS
"""
FETCH = """
OK FETCH 1:* FULL
OK FETCH 1:* (UID RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE INTERNALDATE PREVIEW SAVEDATE EMAILID THREADID)
OK FETCH 1:* (BODY.PEEK[] BODY.PEEK[1] BODY.PEEK[1.MIME] BODY.PEEK[2.HEADER])
OK FETCH 1:* (BODY.PEEK[9] BODY.PEEK[HEADER.FIELDS (Subject)]<0.3>)
OK FETCH 1:* (BINARY.SIZE[3] BINARY.PEEK[3]<1.1>) | OK FETCH 1 (UID UID) | OK FETCH 1 BODY.PEEK[]<4294967295.4294967295>
OK FETCH 1 RFC822 | BAD FETCH 1 () | BAD FETCH 1 (ALL) | BAD FETCH 1 (FLAGS UID | BAD FETCH 1  FLAGS
BAD FETCH 1 FLAGS x | BAD FETCH 1 BODY[0] | BAD FETCH 1 BODY[MIME] | BAD FETCH 1 BODY[]<0> | BAD FETCH 1 BODY[]<0.0>
BAD FETCH 1 BODY[HEADER.FIELDS ()] | BAD FETCH 1 BINARY[TEXT] | BAD FETCH 1 (PREVIEW (NOW)) | BAD FETCH 1 (FLAGS) ()
BAD FETCH 1 (FLAGS) (CHANGEDSINCE) | OK FETCH 1:* (FLAGS) (CHANGEDSINCE 1) | BAD FETCH 1 BODY.PEEK
"""
STORE = """
OK STORE 1 FLAGS () | OK STORE 1:5 +FLAGS (\\Seen $a nil) | OK STORE 2 -FLAGS.SILENT \\Seen $A
BAD STORE 1 +FLAGS (\\*) | BAD STORE 1 +FLAGS ("a") | BAD STORE 1 +FLAGS (a(b) | BAD STORE 1 FLAGS
BAD STORE 1 (UNCHANGEDSINCE 9223372036854775808) FLAGS () | OK STORE 1 (UNCHANGEDSINCE 0) FLAGS ()
OK UID STORE 99 FLAGS (a) | BAD UID EXPUNGE 1 x | OK COPY 1:* Copies | OK UID COPY 99 Copies | NO COPY 1 Nowhere
NO COPY 1 a//b | BAD COPY 1 | BAD EXPUNGE 1 | OK MOVE 5 Copies | OK UID MOVE 99 Copies | OK UID EXPUNGE 99
"""
SEARCH = """
OK SEARCH ALL | OK SEARCH (ALL (NOT 1)) 2:* | BAD SEARCH | BAD SEARCH () | BAD SEARCH OR SEEN | BAD SEARCH NOT
BAD SEARCH ALL  SEEN | BAD SEARCH X | OK SEARCH LARGER 0 SMALLER 4294967295 | BAD SEARCH LARGER -1
BAD SEARCH SINCE 32-Jan-1994 | OK SEARCH SINCE 1-jan-1994 ON "01-Feb-2000" | BAD SEARCH YOUNGER 0
OK SEARCH HEADER Subject "" | OK SEARCH SUBJECT "" | NO SEARCH CHARSET X-NONE ALL
OK SEARCH CHARSET UTF-8 SUBJECT {{2}}\xc3\xa9 | OK SEARCH RETURN () ALL | OK SEARCH RETURN (MIN MAX COUNT ALL) DRAFT
OK SEARCH RETURN (SAVE) ALL | OK SEARCH $ | BAD SEARCH RETURN (X) ALL | OK UID SEARCH RETURN (PARTIAL -1:-3) ALL
BAD SEARCH RETURN (PARTIAL 0:1) ALL | BAD SEARCH RETURN (PARTIAL 1:2 ALL) ALL | OK SEARCH RETURN (PARTIAL 9:9) ALL
OK SORT (REVERSE DATE SUBJECT) UTF-8 ALL | BAD SORT () UTF-8 ALL | BAD SORT (REVERSE) UTF-8 ALL
OK UID SORT RETURN (ALL COUNT) (ARRIVAL) UTF-8 ALL | OK THREAD REFERENCES UTF-8 ALL
OK THREAD ORDEREDSUBJECT UTF-8 DRAFT | BAD THREAD X UTF-8 ALL
OK ESEARCH IN (mailboxes (Grammar Copies)) RETURN (COUNT MIN) ALL | BAD ESEARCH IN () ALL
OK SEARCH RETURN (UPDATE ALL) SEEN | OK SEARCH MODSEQ 1 | OK SEARCH RETURN (MAX) MODSEQ 1
BAD SEARCH MODSEQ "/flags/a" 1
"""
MAILBOXES = """
OK LIST "" *
OK LIST (SUBSCRIBED RECURSIVEMATCH) "" (% *) RETURN (CHILDREN SPECIAL-USE MYRIGHTS)
OK LIST (SUBSCRIBED RECURSIVEMATCH) "" (% *) RETURN (STATUS (MESSAGES SIZE) METADATA (/private/x))
BAD LIST (RECURSIVEMATCH) "" * | BAD LIST "" * RETURN (X) | OK LIST "" "" | OK LSUB "" % | OK NAMESPACE | BAD LIST ""
OK LIST "" {{1}}% | NO CREATE INBOX | NO CREATE a//b | NO CREATE "" | OK CREATE Gr/x/ | NO CREATE Gr | NO RENAME Gr Gr/y
NO RENAME None x | OK RENAME Gr "G r" | OK DELETE "G r/x" | OK DELETE "G r" | NO DELETE INBOX | BAD CREATE x (X (y))
NO CREATE x (USE (\\X)) | BAD CREATE "&ab" | OK SUBSCRIBE none/x | OK LIST (SUBSCRIBED) "" none/*
OK UNSUBSCRIBE none/x
OK STATUS Grammar (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE DELETED MAILBOXID APPENDLIMIT)
BAD STATUS Grammar () | BAD STATUS Grammar (X) | NO STATUS None (MESSAGES) | BAD SELECT Grammar (BLURDYBLOOP)
BAD SELECT Grammar () | OK GETQUOTAROOT INBOX | OK GETACL INBOX | OK MYRIGHTS INBOX | OK LISTRIGHTS INBOX me
NO SETACL INBOX me lr | NO GETQUOTA x | NO SETQUOTA "" (STORAGE 1)
OK SETMETADATA Grammar (/private/x "v" /shared/y ~{{3}}a\x00b)
OK GETMETADATA (DEPTH infinity) Grammar (/private /shared) | OK GETMETADATA (MAXSIZE 1) "" /private/x
BAD SETMETADATA Grammar () | BAD SETMETADATA Grammar (x "v") | OK SETMETADATA Grammar (/private/x NIL) | OK ID NIL
OK ID ("a" NIL) | BAD ID ("a") | OK NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange))
NO NOTIFY SET (personal (X)) | BAD NOTIFY SET (personal (MessageNew)) | OK NOTIFY NONE
"""
APPEND = """
OK APPEND Copies {{3}}abc | OK APPEND Copies (\\Seen) " 1-Feb-2000 00:00:00 +0000" {{3}}abc
BAD APPEND Copies "1-Feb-2000 00:00:00 +0000" {{3}}abc | BAD APPEND Copies "30-Feb-2000 00:00:00 +0000" {{3}}abc
OK APPEND Copies {{1}}a {{1}}b (\\Draft) {{1}}c | NO APPEND Copies {{0}} | BAD APPEND Copies {{3}}abcx
OK APPEND Copies CATENATE (TEXT {{1}}a URL "/Copies/;UID=1") | NO APPEND Copies CATENATE (URL "/None/;UID=1")
BAD APPEND Copies CATENATE () | NO APPEND None {{1}}a | NO APPEND Copies {{1}}\x00 | OK APPEND Copies ~{{1}}\x00
OK REPLACE 1 Grammar {{1}}a | BAD REPLACE 1:2 Grammar {{1}}a | NO UID REPLACE 99 Grammar {{1}}a
"""
RESYNC = """
OK SELECT Grammar (QRESYNC (1 1)) | OK STORE 1 +FLAGS (\\Deleted) | OK EXPUNGE
OK UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED) | BAD FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)
BAD SELECT Grammar (QRESYNC (0 1)) | BAD SELECT Grammar (QRESYNC (1 9223372036854775808))
OK SELECT Grammar (QRESYNC (1 1 1:9 (1 1))) | OK CLOSE
"""
UIDS = """
BAD FETCH 1 FLAGS | BAD STORE 1 FLAGS () | BAD SEARCH ALL | BAD UID SEARCH 1 | BAD COPY 1 Copies
BAD REPLACE 1 Grammar {{1}}a | OK UID FETCH 1:* FLAGS | OK UID FETCH 1:* UID | OK UID STORE 1:* +FLAGS.SILENT (x)
OK UID SEARCH ALL | OK UID SORT (DATE) UTF-8 ALL | OK UID STORE 1 +FLAGS (\\Deleted) | OK EXPUNGE
"""
BLOCKS = [   # what is enabled, commands
    ("", SETS), ("", FETCH), ("", STORE), ("", SEARCH), ("", MAILBOXES), ("", APPEND), ("IMAP4rev2", FETCH + STORE),
    ("IMAP4rev2", SEARCH), ("IMAP4rev2", MAILBOXES.replace('"&ab"', '"\xc3"')), ("UTF8=ACCEPT", FETCH + APPEND),
    ("CONDSTORE", STORE + SEARCH), ("QRESYNC", RESYNC), ("QRESYNC IMAP4rev2", FETCH + STORE), ("UIDONLY", UIDS),
]


def grammar_is_strict():
    for line in GOOD:
        response(line)
    for line in BAD:
        try:
            response(line)
        except NotGrammar:
            continue
        raise AssertionError(f"the grammar lets this pass: {line!r}")


def as_sent(command):
    """"{{n}}text" stands for a literal that the client does not wait with."""
    return re.sub(rb"\{\{(\d+)\}\}", lambda size: b"{%s+}\r\n" % size.group(1), command.encode("latin-1"))


def play(node, enabled, table):
    utf8 = any(word in enabled for word in ("IMAP4rev2", "UTF8=ACCEPT"))
    client = Line(node)
    for mailbox in ("Grammar", "Copies"):
        client.command(f"DELETE {mailbox}")
        client.ok(f"CREATE {mailbox}")
    for mail in MAILS:
        client.ok(b"APPEND Grammar {%d+}\r\n%s" % (len(mail), mail))
    if enabled:
        client.ok(f"ENABLE {enabled}")
    client.ok("SELECT Grammar")
    said = 0
    for entry in filter(None, (one.strip(" ") for line in table.strip("\n").split("\n") for one in line.split(" | "))):
        wanted, command = entry.split(" ", 1)
        tagged, untagged = client.command(as_sent(command))
        assert tagged.startswith(wanted.encode() + b" "), f"[{enabled}] {command!r}: {tagged!r}"
        for line in [b"t " + tagged, *untagged]:
            response(line if line.startswith((b"* ", b"+ ", b"t ")) else b"* " + line, utf8)
            said += 1
    client.ok("LOGOUT")
    return said


def main(binary):
    grammar_is_strict()
    with nodes(binary, "alice") as (alice,):
        alice.start()
        said = sum(play(alice, enabled, table) for enabled, table in BLOCKS)
    assert said > 500, said
    print(f"grammar: {said} lines of {len(BLOCKS)} dialogues, all well formed")


if __name__ == "__main__":
    main(sys.argv[1])
