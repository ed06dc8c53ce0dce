"""The grammar of what an IMAP server says, read strictly: RFC 3501 and RFC 9051 section 9, with the extensions that
peerpost offers. Clients are lenient, so a server that writes NIL for "" or a bare 8-bit byte passes with all of them
but one; here nothing passes that the grammar does not allow. response() takes one line with its literals."""

import re

CODES_WITHOUT_VALUE = set(
    b"ALERT PARSE READ-ONLY READ-WRITE TRYCREATE CLOSED UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED "
    b"PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA "
    b"ALREADYEXISTS NONEXISTENT NOTSAVED USEATTR UNKNOWN-CTE TOOBIG COMPRESSIONACTIVE NOTIFICATIONOVERFLOW "
    b"UIDREQUIRED".split())
UINT32_MAX, INT63_MAX = 2**32 - 1, 2**63 - 1
DATE_TIME = rb'"( \d|\d\d)-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-\d{4} \d\d:\d\d:\d\d [+-]\d{4}"'
UID_SET = rb"[1-9]\d*(:[1-9]\d*)?(,[1-9]\d*(:[1-9]\d*)?)*"


class NotGrammar(Exception):
    pass


def response(line, utf8=False):
    """Raises NotGrammar unless the line is one whole response; utf8: UTF8=ACCEPT or IMAP4rev2 is enabled."""
    reader = _Reader(line, utf8)
    reader.response()
    if reader.at != len(line):
        reader.refuse("something follows")


class _Reader:
    def __init__(self, data, utf8):
        self.data, self.utf8, self.at = data, utf8, 0

    # ---- letters and words

    def refuse(self, why):
        raise NotGrammar(f"{why}, at {self.at} of {self.data[:400]!r}")

    def sees(self, text):
        return self.data[self.at:self.at + len(text)].upper() == text

    def take(self, text):
        found = self.sees(text)
        self.at += len(text) if found else 0
        return found

    def expect(self, text):
        if not self.take(text):
            self.refuse(f"{text!r} is missing")

    def pattern(self, expression, what):
        match = re.compile(expression, re.S).match(self.data, self.at)
        if not match:
            self.refuse(f"{what} is missing")
        self.at = match.end()
        return match.group()

    def number(self, least=0, most=UINT32_MAX):
        digits = self.pattern(rb"0|[1-9]\d*", "a number")
        if not least <= int(digits) <= most:
            self.refuse(f"{int(digits)} is out of bounds")
        return int(digits)

    def nz_number(self):
        return self.number(least=1)

    def number64(self):
        return self.number(most=INT63_MAX)

    def uid_set(self):
        if any(int(n) > UINT32_MAX for n in re.findall(rb"\d+", self.pattern(UID_SET, "a set"))):
            self.refuse("a number of the set is out of bounds")

    def atom(self):
        return self.pattern(rb'[^\x00-\x20\x7f-\xff(){%*"\\\]]+', "an atom").upper()

    def quoted(self):
        text = self.pattern(rb'"([^"\\\r\n\0]|\\["\\])*"', "a quoted string")
        if not self.utf8 and max(text) >= 0x80:
            self.refuse("a quoted string has 8-bit bytes")
        text.decode()

    def literal(self, binary=False):
        eight = binary and self.take(b"~")
        self.expect(b"{")
        size = self.number64()
        self.expect(b"}\r\n")
        text = self.data[self.at:self.at + size]
        if len(text) != size or (b"\0" in text and not eight):
            self.refuse("a literal is short, or holds NUL")
        self.at += size

    def string(self, binary=False):
        if self.sees(b'"'):
            self.quoted()
        else:
            self.literal(binary)

    def nstring(self, binary=False):
        if not self.take(b"NIL"):
            self.string(binary)

    def astring(self):
        if self.data[self.at:self.at + 1] in (b'"', b"{"):
            self.string()
        else:
            self.pattern(rb'[^\x00-\x20\x7f-\xff(){%*"\\]+', "an astring")

    def flag(self):
        self.take(b"\\")
        self.atom()

    def permanent_flag(self):
        if not self.take(b"\\*"):
            self.flag()

    def object_id(self):
        self.pattern(rb"[A-Za-z0-9_-]{1,255}", "an object id")

    def text(self):
        rest, self.at = self.data[self.at:], len(self.data)
        if not rest or re.search(rb"[\0\r\n]", rest) or (not self.utf8 and max(rest) >= 0x80):
            self.refuse("a text is empty, or holds what a line cannot hold")

    # ---- combinations

    def words(self, *steps):
        """The steps with one space between each two."""
        for i, step in enumerate(steps):
            if i:
                self.expect(b" ")
            step()

    def listed(self, step, may_be_empty=False):
        self.expect(b"(")
        if may_be_empty and self.take(b")"):
            return
        step()
        while not self.take(b")"):
            self.expect(b" ")
            step()

    def or_nil(self, step):
        if not self.take(b"NIL"):
            step()

    def repeated(self, step):
        """1*step, without spaces, in parentheses."""
        self.expect(b"(")
        step()
        while not self.take(b")"):
            step()

    def more(self, step):
        while self.take(b" "):
            step()

    # ---- responses

    def response(self):
        if self.take(b"+ "):
            self.at = len(self.data)
        elif self.take(b"* "):
            self.numbered() if self.data[self.at:self.at + 1].isdigit() else self.named()
        else:
            self.pattern(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]+', "a tag")
            self.expect(b" ")
            self.pattern(rb"(OK|NO|BAD) ", "OK, NO or BAD")
            self.status_text()

    def numbered(self):
        number = self.number()
        self.expect(b" ")
        name = self.atom()
        if name in (b"FETCH", b"UIDFETCH", b"EXPUNGE") and number == 0:
            self.refuse("a message has no number 0")
        if name in (b"FETCH", b"UIDFETCH"):
            self.expect(b" ")
            self.listed(self.fetch_item, may_be_empty=name == b"UIDFETCH")
        elif name not in (b"EXISTS", b"RECENT", b"EXPUNGE"):
            self.refuse("no such response")

    def named(self):
        name = self.pattern(rb"[A-Z]+", "the name of a response").decode()
        step = {
            "CAPABILITY": lambda: self.more(self.capability), "ENABLED": lambda: self.more(self.capability),
            "SEARCH": self.search, "SORT": self.search, "THREAD": self.threads, "ESEARCH": self.esearch,
        }.get(name)
        if step:
            return step()
        step = {
            "OK": self.status_text, "NO": self.status_text, "BAD": self.status_text, "BYE": self.status_text,
            "FLAGS": lambda: self.listed(self.flag, True), "LIST": self.list, "LSUB": self.list, "STATUS": self.status,
            "NAMESPACE": lambda: self.words(*[lambda: self.or_nil(lambda: self.repeated(self.namespace))] * 3),
            "VANISHED": lambda: (self.take(b"(EARLIER) "), self.uid_set()),
            "QUOTA": lambda: self.words(self.astring, lambda: self.listed(self.resource, True)),
            "QUOTAROOT": lambda: (self.astring(), self.more(self.astring)),
            "ACL": lambda: (self.astring(), self.more(lambda: self.words(self.astring, self.astring))),
            "MYRIGHTS": lambda: self.words(self.astring, self.astring),
            "LISTRIGHTS": lambda: (self.words(*[self.astring] * 3), self.more(self.astring)),
            "METADATA": self.metadata,
            "ID": lambda: self.or_nil(lambda: self.listed(lambda: self.words(self.string, self.nstring), True)),
        }.get(name)
        if not step:
            self.refuse("no such response")
        self.expect(b" ")
        step()

    def status_text(self):
        if self.take(b"["):
            self.code()
            self.expect(b"] ")
        self.text()

    def code(self):
        name = self.atom()
        if name in CODES_WITHOUT_VALUE or (name in (b"BADCHARSET", b"INPROGRESS") and self.sees(b"]")):
            return
        value = {
            b"BADCHARSET": lambda: self.listed(self.astring),
            b"CAPABILITY": lambda: (self.capability(), self.more(self.capability)),
            b"PERMANENTFLAGS": lambda: self.listed(self.permanent_flag, True),
            b"UIDNEXT": self.nz_number, b"UIDVALIDITY": self.nz_number, b"UNSEEN": self.nz_number,
            b"APPENDUID": lambda: self.words(self.nz_number, self.uid_set),
            b"COPYUID": lambda: self.words(self.nz_number, self.uid_set, self.uid_set),
            b"HIGHESTMODSEQ": lambda: self.number(1, INT63_MAX), b"MODIFIED": self.uid_set,
            b"MAILBOXID": lambda: self.listed(self.object_id), b"NOUPDATE": self.string,
            b"BADURL": lambda: self.pattern(rb"[^\]]+", "a URL"), b"BADEVENT": lambda: self.listed(self.atom),
            b"METADATA": lambda: self.pattern(rb"(LONGENTRIES|MAXSIZE) [1-9]\d*|TOOMANY|NOPRIVATE", "what is wrong"),
            b"INPROGRESS": lambda: self.pattern(rb'\(("[^"]*"|NIL) (\d+|NIL) (\d+|NIL)\)', "how far"),
        }.get(name) or self.refuse("no such code")
        self.expect(b" ")
        value()

    def capability(self):
        name = self.atom()
        if name.startswith(b"APPENDLIMIT=") and int(name[12:]) > UINT32_MAX:   # RFC 7889 section 5: a number
            self.refuse("the limit is no number")

    def search(self):
        while self.take(b" "):
            if self.take(b"(MODSEQ "):
                self.number64()
                self.expect(b")")
                return
            self.nz_number()

    def threads(self):
        if self.take(b" "):
            self.thread()
            while self.sees(b"("):
                self.thread()

    def thread(self):   # RFC 5256 section 5
        self.expect(b"(")
        while not self.take(b")"):
            if self.sees(b"("):
                branches = 0
                while self.sees(b"("):
                    self.thread()
                    branches += 1
                if branches < 2:
                    self.refuse("a thread forks into one")
                self.expect(b")")
                return
            self.nz_number()
            if not self.sees(b")"):
                self.expect(b" ")

    def esearch(self):   # RFC 4466 section 2.6.2, RFC 7377 section 2.1
        if self.take(b" ("):
            self.pattern(rb"TAG ", "TAG")
            self.string()
            if self.take(b" MAILBOX "):
                self.astring()
                self.expect(b" UIDVALIDITY ")
                self.nz_number()
            self.expect(b")")
        self.take(b" UID")
        seen = set()
        while self.take(b" "):
            name = self.atom()
            if name in seen and name not in (b"ADDTO", b"REMOVEFROM"):
                self.refuse("the same value twice")
            seen.add(name)
            value = {
                b"MIN": self.nz_number, b"MAX": self.nz_number, b"COUNT": self.number, b"ALL": self.uid_set,
                b"MODSEQ": lambda: self.number(1, INT63_MAX),
                b"PARTIAL": lambda: (self.pattern(rb"\(-?[1-9]\d*:-?[1-9]\d* ", "a range"), self.or_nil(self.uid_set),
                                     self.expect(b")")),
                b"ADDTO": lambda: self.listed(lambda: self.words(self.number, self.uid_set)),
                b"REMOVEFROM": lambda: self.listed(lambda: self.words(self.number, self.uid_set)),
            }.get(name) or self.refuse("no such value")
            self.expect(b" ")
            value()

    def list(self):
        self.words(lambda: self.listed(self.flag, True), lambda: self.or_nil(self.quoted), self.astring)
        if self.take(b" "):
            self.listed(self.list_extension)

    def list_extension(self):
        self.pattern(rb'"?(CHILDINFO|OLDNAME)"? ', "an item of an extended LIST")
        self.listed(self.astring)

    def status(self):
        self.words(self.astring, lambda: self.listed(self.status_item, True))

    def status_item(self):
        name = self.atom()
        value = {
            b"MESSAGES": self.number, b"RECENT": self.number, b"UNSEEN": self.number, b"DELETED": self.number,
            b"UIDNEXT": self.nz_number, b"UIDVALIDITY": self.nz_number, b"SIZE": self.number64,
            b"HIGHESTMODSEQ": self.number64, b"DELETED-STORAGE": self.number64,
            b"MAILBOXID": lambda: self.listed(self.object_id), b"APPENDLIMIT": lambda: self.or_nil(self.number),
        }.get(name) or self.refuse("no such item")
        self.expect(b" ")
        value()

    def namespace(self):
        self.expect(b"(")
        self.words(self.string, lambda: self.or_nil(self.quoted))
        self.expect(b")")

    def resource(self):
        self.words(self.atom, self.number64, self.number64)

    def metadata(self):
        self.astring()
        self.expect(b" ")
        if self.sees(b"("):
            return self.listed(lambda: self.words(self.astring, lambda: self.nstring(binary=True)))
        self.astring()
        self.more(self.astring)

    # ---- FETCH

    def fetch_item(self):
        name = self.pattern(rb"[A-Za-z0-9.]+", "an item").upper()
        if name in (b"BODY", b"BINARY", b"BINARY.SIZE") and self.sees(b"["):
            self.section()
            name += b"[]"
        value = {
            b"FLAGS": lambda: self.listed(self.flag, True), b"UID": self.nz_number, b"RFC822.SIZE": self.number64,
            b"MODSEQ": lambda: self.listed(lambda: self.number(1, INT63_MAX)),
            b"INTERNALDATE": lambda: self.pattern(DATE_TIME, "a date"),
            b"SAVEDATE": lambda: self.or_nil(lambda: self.pattern(DATE_TIME, "a date")),
            b"RFC822": self.nstring, b"RFC822.HEADER": self.nstring, b"RFC822.TEXT": self.nstring,
            b"ENVELOPE": self.envelope, b"BODY": lambda: self.body(False), b"BODYSTRUCTURE": lambda: self.body(True),
            b"BODY[]": self.nstring, b"BINARY[]": lambda: self.nstring(binary=True), b"BINARY.SIZE[]": self.number,
            b"EMAILID": lambda: self.listed(self.object_id),
            b"THREADID": lambda: self.or_nil(lambda: self.listed(self.object_id)), b"PREVIEW": self.nstring,
        }.get(name) or self.refuse("no such item")
        self.expect(b" ")
        value()

    def section(self):
        self.expect(b"[")
        part = self.pattern(rb"([1-9]\d*(\.[1-9]\d*)*)?", "a part")
        if not self.sees(b"]"):
            if part:
                self.expect(b".")
            what = self.pattern(rb"HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME", "a section").upper()
            if what == b"MIME" and not part:
                self.refuse("MIME of no part")
            if what.startswith(b"HEADER.F"):
                self.expect(b" ")
                self.listed(self.astring)
        self.expect(b"]")
        if self.take(b"<"):
            self.number()
            self.expect(b">")

    def envelope(self):
        self.expect(b"(")
        self.words(*[self.nstring] * 2, *[lambda: self.or_nil(lambda: self.repeated(self.address))] * 6,
                   *[self.nstring] * 2)
        self.expect(b")")

    def address(self):
        self.expect(b"(")
        self.words(*[self.nstring] * 4)
        self.expect(b")")

    def parameters(self):
        self.or_nil(lambda: self.listed(lambda: self.words(self.string, self.string)))

    def body_end(self):   # of both forms: disposition, language, location
        def disposition():
            self.expect(b"(")
            self.words(self.string, self.parameters)
            self.expect(b")")

        self.words(lambda: self.or_nil(disposition),
                   lambda: self.listed(self.string) if self.sees(b"(") else self.nstring(), self.nstring)

    def body(self, extended):
        self.expect(b"(")
        if self.sees(b"("):
            while self.sees(b"("):
                self.body(extended)
            self.expect(b" ")
            self.string()
            steps = [self.parameters, self.body_end]
        else:
            begins_at = self.at
            self.words(self.string, self.string)
            kind = self.data[begins_at:self.at].upper()
            self.expect(b" ")
            self.words(self.parameters, self.nstring, self.nstring, self.string, self.number)
            if kind in (b'"MESSAGE" "RFC822"', b'"MESSAGE" "GLOBAL"'):
                self.expect(b" ")
                self.words(self.envelope, lambda: self.body(extended), self.number64)
            elif kind.startswith(b'"TEXT"'):
                self.expect(b" ")
                self.number64()
            steps = [self.nstring, self.body_end]
        if extended:
            self.expect(b" ")
            self.words(*steps)
        self.expect(b")")
