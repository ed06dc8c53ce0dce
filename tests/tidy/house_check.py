"""Files stay readable: at most 600 lines (a test 1000), and no note that something is left undone."""

import re

from checks import lines, run

LINES_MAX, TEST_LINES_MAX = 600, 1000
BANNED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")


def check(name, text):
    count = text.count("\n")
    most = TEST_LINES_MAX if name.startswith("tests/") else LINES_MAX
    if count > most:
        yield f"has {count} lines, more than {most}: split it"
    for number, line in lines(text):
        if BANNED.search(line):
            yield f"{number}: finish it instead of noting it: {line.strip()}"


run(check, planted=[("a.cpp", "\n" * (LINES_MAX + 1)), ("a.cpp", "// TO" + "DO: later"), ("a.cpp", "// FIX" + "ME")],
    clean=[("a.cpp", "int todo_list;\n")])
