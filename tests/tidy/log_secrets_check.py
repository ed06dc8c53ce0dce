"""Nothing secret or private is logged: no call of the log names a password, a key, a subject,
an address or plaintext."""

import re

from checks import run

CALL = re.compile(r"\blog\(area::\w+\)\s*\.\s*\w+\(([^;]*)\);|\bservices::log\([^)]*\)\s*\.\s*\w+\(([^;]*)\);")
SECRET = re.compile(r"passw|secret|recovery_words|\bseed|subject|_key\b|\bkey\(|private|plaintext|\baddress\(\)"
                    r"|recipient|\bmail_from|\brcpt|\btoken|\bbody\b", re.IGNORECASE)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def check(name, text):
    for match in CALL.finditer(text):
        arguments = STRING.sub('""', match.group(1) or match.group(2) or "")
        fields = "".join(re.findall(r"(\w+)=\{", match.group(1) or match.group(2) or ""))
        found = SECRET.search(arguments) or re.search(r"passw|secret|subject|address|seed|token", fields)
        if found:
            yield f"{text[:match.start()].count(chr(10)) + 1}: this log line names {found.group(0)!r}"


run(check,
    planted=[("a.cpp", 'log(area::imap).info("event=login name={}", password);'),
             ("a.cpp", 'log(area::imap).info("subject={}", x);'),
             ("a.cpp", 'services::log(services::area::peer).debug("a={}", a.address());'),
             ("a.cpp", 'log(area::store)\n    .warn("k={}", hex(store_key));')],
    clean=[("a.cpp", 'log(area::imap).warn("event=bad_password session={}", n);')],
    folders=("daemon",))
