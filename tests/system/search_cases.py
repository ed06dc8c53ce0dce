"""Mails and SEARCH, SORT and THREAD commands for comparing two IMAP servers: the same seed gives the same ones.

    for mail in search_cases.mails(300, seed=1): append mail.content with mail.flags and mail.internal_date to both
    for case in search_cases.commands(500, seed=1): send case.command to both; compare case.result(untagged lines)

Commands are UID forms, so that two mailboxes with the same UIDs give the same answers. `ordered` results compare as
they are, the others as sets. What is known to be answered differently, and rightly so, is not generated:
  * SENTBEFORE of a mail without a usable Date field: Dovecot takes 1970 for its date; RFC 9051 section 6.4.4 asks for
    mails whose Date field is earlier, and these have none. It comes with SENTSINCE beside it.
What must be asked of a fresh copy of the mailbox: Dovecot 2.3.19 keeps sort ids in its index, and mails that were first
sorted as part of another result get ids that differ from those of equal values. A SORT or THREAD=ORDEREDSUBJECT whose
answer differs is asked again after COPY 1:* into a new mailbox of Dovecot's; then it does not differ.
"""

import dataclasses
import datetime
import random
import re

WORDS = ("apple", "river", "stone", "Cloud", "window", "garden", "paper", "candle", "mirror", "Bridge", "silver",
         "harbour")
UNICODE_WORDS = ("caf\u00e9", "\u00dcbung", "na\u00efve", "\u0141\u00f3d\u017a", "\u043f\u0440\u0438\u0432\u0435\u0442",
                 "\u65e5\u672c\u8a9e", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "stra\u00dfe")
PEOPLE = (("Ann Archer", "ann@example.com"), ("Bob", "Bob@Example.org"), ("", "carl@example.com"),
          ("Doe, Dora", "dora@test.example"), ("J\u00f6rg M\u00fcller", "joerg@example.de"),
          ("\u5c71\u7530", "yamada@example.jp"), ("Eve E.", "eve@example.com"))
KEYWORDS = ("$Label1", "$Junk", "work")
SYSTEM_FLAGS = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclasses.dataclass
class Mail:
    content: bytes
    flags: tuple
    internal_date: str          # as APPEND takes it, quoted


@dataclasses.dataclass
class Case:
    command: str | list         # text of the command; with literals: pieces, a bytes piece is sent as a literal
    answer: str                 # "SEARCH", "ESEARCH", "SORT" or "THREAD": the untagged response that counts
    ordered: bool

    def result(self, untagged):
        """What of the untagged lines (str, without "* ") is to be compared; None: there was no such response."""
        lines = [line for line in untagged if line.upper().split(" ", 1)[0] == self.answer]
        if not lines:
            return None
        text = lines[-1][len(self.answer):].strip()
        if self.answer == "ESEARCH":
            text = re.sub(r'^\(TAG "[^"]*"\)\s*', "", text)
            return sorted(items(text))
        if self.answer == "THREAD":
            return text
        numbers = [int(n) for n in text.split()]
        return numbers if self.ordered else sorted(numbers)


def items(text):
    """The data items of an ESEARCH response as pairs, sets expanded."""
    words, out = text.split(), []
    while words:
        name = words.pop(0).upper()
        if name == "UID":
            continue
        value = words.pop(0)
        while value.count("(") > value.count(")"):
            value += " " + words.pop(0)
        out.append((name, str(expanded(value)) if name == "ALL" else value))
    return out


def expanded(numbers):
    out = []
    for piece in numbers.split(","):
        first, _, last = piece.partition(":")
        first, last = int(first), int(last or first)
        out.extend(range(min(first, last), max(first, last) + 1))
    return out


def encoded(rng, text):
    """The text as a header may hold it."""
    if text.isascii():
        return text
    import base64
    charset = rng.choice(("utf-8", "utf-8", "UTF-8", "iso-8859-1", "utf-16be"))
    try:
        raw = text.encode(charset)
    except UnicodeEncodeError:
        charset, raw = "utf-8", text.encode()
    if rng.random() < 0.5 or charset == "utf-16be":
        return f"=?{charset}?B?{base64.b64encode(raw).decode()}?="
    coded = (f"={b:02X}" if b > 126 or b < 48 or b in b"=?_" else chr(b) for b in raw)
    return "=?" + charset + "?q?" + "".join(coded) + "?="


def address(rng, person):
    name, mailbox = person
    if not name:
        return mailbox
    if not name.isascii():
        return f"{encoded(rng, name)} <{mailbox}>"
    return f'"{name}" <{mailbox}>' if "," in name or "." in name or rng.random() < 0.2 else f"{name} <{mailbox}>"


def addresses(rng):
    some = rng.sample(PEOPLE, rng.randint(1, 3))
    text = (",\r\n " if rng.random() < 0.3 else ", ").join(address(rng, p) for p in some)
    return text


def subject(rng, base):
    text = base
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        text = rng.choice(("Re: ", "RE: ", "re:", "Fwd: ", "FW: ", "[list] ", "Re[2]: ", "[list] Re: ")) + text
    if rng.random() < 0.1:
        text += rng.choice((" (fwd)", "(Fwd)", "  "))
    if rng.random() < 0.05:
        text = f"[Fwd: {text}]"
    return text


def mails(count, seed=1):
    rng = random.Random(seed)
    start = datetime.datetime(2024, 3, 1, tzinfo=datetime.timezone.utc)
    ids, out = [], []
    bases = [" ".join(rng.sample(WORDS, 2)) for _ in range(max(5, count // 6))] + list(UNICODE_WORDS) + ["", "Zebra"]
    for number in range(count):
        sent = start + datetime.timedelta(minutes=rng.randint(0, 500_000))
        arrived = start + datetime.timedelta(minutes=number * 97, seconds=rng.randint(0, 59))
        zone = rng.choice(("+0000", "-0800", "+0530", "+0100", "GMT"))
        base = rng.choice(bases)
        header = []
        if rng.random() < 0.97:
            header.append(f"Date: {sent.strftime('%a, %d %b %Y %H:%M:%S')} {zone}")
        elif rng.random() < 0.5:
            header.append("Date: yesterday evening")
        header.append(f"From: {address(rng, rng.choice(PEOPLE))}")
        if rng.random() < 0.95:
            header.append(f"To: {addresses(rng)}")
        if rng.random() < 0.3:
            header.append(f"Cc: {addresses(rng)}")
        if rng.random() < 0.1:
            header.append(f"Bcc: {addresses(rng)}")
        if rng.random() < 0.97:
            text = subject(rng, base)
            header.append("Subject: " + (encoded(rng, text) if not text.isascii() else text))
        own = f"<{number}.{rng.randint(0, 9999)}@example.com>"
        if rng.random() < 0.03 and ids:
            own = rng.choice(ids)                      # twice the same
        chain = []
        if ids and rng.random() < 0.6:
            chain = [rng.choice(ids)]
            while rng.random() < 0.5 and len(chain) < 6:
                chain.insert(0, rng.choice(ids + ["<gone%d@example.com>" % rng.randint(0, 9)]))
        if rng.random() < 0.95:
            header.append(f"Message-ID: {own}")
            ids.append(own)
        if chain and rng.random() < 0.8:
            header.append("References: " + (" " if rng.random() < 0.7 else "\r\n ").join(chain))
        if chain and rng.random() < 0.6:
            header.append(f"In-Reply-To: {chain[-1]}")
        body_words = " ".join(rng.choice(WORDS + UNICODE_WORDS) for _ in range(rng.randint(3, 60)))
        header += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
        if rng.random() < 0.3:
            header.append(f"X-Tag: {rng.choice(WORDS)}")
        content = ("\r\n".join(header) + "\r\n\r\n" + body_words + "\r\n").encode()
        flags = tuple(f for f in SYSTEM_FLAGS if rng.random() < 0.3) + tuple(k for k in KEYWORDS if rng.random() < 0.2)
        date = f"{arrived.day:2d}-{MONTHS[arrived.month - 1]}-{arrived.strftime('%Y %H:%M:%S')} +0000"
        out.append(Mail(content, flags, date))
    return out


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Commands:
    def __init__(self, rng, count):
        self.rng, self.count = rng, count

    def word(self):
        word = self.rng.choice(WORDS)
        cut = self.rng.randint(0, 2)
        word = word[cut:cut + self.rng.randint(2, 6)]
        return word.upper() if self.rng.random() < 0.3 else word

    def needle(self):
        if self.rng.random() < 0.25:
            word = self.rng.choice(UNICODE_WORDS)
            return (word.upper() if self.rng.random() < 0.3 and "\u00df" not in word else word).encode()
        return quoted(self.word())

    def date(self):
        day = datetime.date(2024, 3, 1) + datetime.timedelta(days=self.rng.randint(0, 360))
        return f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"

    def numbers(self):
        first, last = sorted(self.rng.randint(1, self.count) for _ in range(2))
        return self.rng.choice((f"{first}:{last}", f"{first}", f"{first}:*", f"{first},{last}", f"{last}:{first}"))

    def key(self, depth=0):
        rng = self.rng
        kind = rng.randint(0, 19 if depth < 3 else 15)
        if kind <= 2:
            return [rng.choice(("ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN", "UNANSWERED", "UNDELETED", "UNDRAFT",
                                "UNFLAGGED", "UNSEEN", "ALL"))]
        if kind == 3:
            return [rng.choice(("KEYWORD", "UNKEYWORD")) + " " + rng.choice(KEYWORDS)]
        if kind <= 5:
            word = rng.choice(("BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE"))
            return [f"({word} {self.date()} SENTSINCE 1-Jan-1990)" if word == "SENTBEFORE" else f"{word} {self.date()}"]
        if kind <= 7:
            return ["SUBJECT ", self.needle()]
        if kind <= 9:
            who = rng.choice(("ann", "example.com", "JOERG", "dora@test", "yamada", "Archer"))
            return [rng.choice(("FROM", "TO", "CC", "BCC")) + " " + quoted(who)]
        if kind == 10:
            return ["HEADER " + rng.choice(("Message-ID", "References", "X-Tag")) + " " +
                    quoted(rng.choice(("1", "gone", "example", self.word())))]
        if kind == 11:
            return [rng.choice(("LARGER", "SMALLER")) + f" {rng.randint(300, 1200)}"]
        if kind == 12:
            return [rng.choice(("BODY ", "TEXT ")), self.needle()]
        if kind == 13:
            return ["UID " + self.numbers()]
        if kind <= 15:
            return [self.numbers()]
        if kind == 16:
            return ["NOT "] + self.key(depth + 1)
        if kind <= 18:
            return ["OR "] + self.key(depth + 1) + [" "] + self.key(depth + 1)
        return ["("] + self.key(depth + 1) + [" "] + self.key(depth + 1) + [")"]

    def criteria(self):
        pieces = self.key()
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            pieces += [" "] + self.key()
        return pieces

    def one(self):
        rng = self.rng
        kind = rng.randint(0, 9)
        if kind <= 4:
            charset = ["CHARSET UTF-8 "]
            if rng.random() < 0.4:
                options = rng.sample(("MIN", "MAX", "ALL", "COUNT"), rng.randint(0, 4))
                return Case(joined([f"UID SEARCH RETURN ({' '.join(options)}) "] + charset + self.criteria()),
                            "ESEARCH", False)
            return Case(joined(["UID SEARCH "] + charset + self.criteria()), "SEARCH", False)
        if kind <= 7:
            keys = rng.sample(("ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"),
                              rng.randint(1, 3))
            order = " ".join(("REVERSE " if rng.random() < 0.3 else "") + key for key in keys)
            return Case(joined([f"UID SORT ({order}) UTF-8 "] + self.criteria()), "SORT", True)
        algorithm = rng.choice(("REFERENCES", "REFERENCES", "ORDEREDSUBJECT", "REFS"))
        return Case(joined([f"UID THREAD {algorithm} UTF-8 "] + (["ALL"] if rng.random() < 0.5 else self.criteria())),
                    "THREAD", True)


def joined(pieces):
    """Neighbouring texts joined; bytes stay apart, to be sent as literals."""
    out = []
    for piece in pieces:
        if isinstance(piece, str) and out and isinstance(out[-1], str):
            out[-1] += piece
        else:
            out.append(piece)
    return out[0] if len(out) == 1 else out


def commands(count, seed=1, mail_count=300):
    """`mail_count` is how many mails there are: sets of numbers stay within it."""
    maker = Commands(random.Random(seed), mail_count)
    return [maker.one() for _ in range(count)]


def send(client, case):
    """Sends the case through an imaplib connection; the untagged lines of its answer (str, without "* ").

    imaplib cannot send several literals in one command, so this speaks for itself."""
    pieces = case.command if isinstance(case.command, list) else [case.command]
    tag = client._new_tag().decode()
    data = (tag + " ").encode()
    for piece in pieces:
        data += piece.encode() if isinstance(piece, str) else b"{%d+}\r\n%s" % (len(piece), piece)
    client.send(data + b"\r\n")
    lines = []
    while True:
        line = client.readline().decode().rstrip("\r\n")
        if line.startswith(tag + " "):
            if not line.startswith(tag + " OK"):
                raise AssertionError(f"{line} to {pieces}")
            return lines
        lines.append(line[2:])


if __name__ == "__main__":
    for case in commands(20):
        print(case.answer, case.command)
    print(mails(3)[2].content.decode())
