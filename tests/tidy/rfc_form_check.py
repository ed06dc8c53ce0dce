"""References to RFCs are written "RFC 9051 section 6.4.5": one form that can be searched for."""

import re

from checks import lines, run

ODD = [
    re.compile(r"\brfc\s?(?!822\b)\d{3,5}\b"),                       # rfc9051; not the media type message/rfc822
    re.compile(r"\bRFC\d{3,5}\b"),                                   # RFC9051
    re.compile(r"\bRFC \d{3,5},? \(?(§|\d+\.\d|[Ss]ec\.|Section|s\d)"),   # RFC 9051 6.4.5, RFC 9051 Section 6
    re.compile(r"\bRFC-\d{3,5}\b"),
]
COMMENT = re.compile(r"//(.*)$")


def check(name, text):
    for number, line in lines(text):
        comment = COMMENT.search(line)
        if comment and any(odd.search(comment.group(1)) for odd in ODD):
            yield f"{number}: write RFC <number> section <x>:{comment.group(1)}"


run(check,
    planted=[("a.cpp", "// rfc9051"), ("a.cpp", "// RFC9051 section 6"), ("a.cpp", "// RFC 9051 6.4.5"),
             ("a.cpp", "// RFC 9051 Section 6.4.5"), ("a.cpp", "int a; // RFC 9051, 6.4.5")],
    clean=[("a.cpp", "// RFC 9051 section 6.4.5"), ("a.cpp", "// RFC 5322"),
           ("a.cpp", "// RFC 5321 section 4.5.3.1.6, with")])
