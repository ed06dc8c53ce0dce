"""Files stay readable: at most 600 lines (a test 1000) of at most 120 columns, and no note that something is left
undone."""

import re

from checks import lines, run

LINES_MAX, TEST_LINES_MAX = 600, 1000
COLUMNS_MAX = 120
# A line may be longer for one word that cannot be cut, such as the name of a symbol, with little beside it.
UNBREAKABLE = re.compile(r".{0,30}?\S{91,}.{0,10}")
BANNED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")


def check(name, text):
    count = text.count("\n")
    most = TEST_LINES_MAX if name.startswith("tests/") else LINES_MAX
    if count > most:
        yield f"has {count} lines, more than {most}: split it"
    for number, line in lines(text):
        if len(line) > COLUMNS_MAX and not UNBREAKABLE.fullmatch(line):
            yield f"{number}: has {len(line)} columns, more than {COLUMNS_MAX}: wrap it"
        if BANNED.search(line):
            yield f"{number}: finish it instead of noting it: {line.strip()}"


run(check,
    planted=[("a.cpp", "\n" * (LINES_MAX + 1)), ("a.cpp", "// TO" + "DO: later"), ("a.cpp", "// FIX" + "ME"),
             ("a.cpp", "// " + "a word " * 17), ("a.py", "#" + " \u00e4" * 60),
             ("a.cpp", "f(" + "12345678, " * 12 + "1);"), ("a.cpp", '"' + "x" * 80 + '", "' + "y" * 80 + '"'),
             ("a.cpp", "// a sentence that goes on beside its word " + "x" * 91)],
    clean=[("a.cpp", "int todo_list;\n"), ("a.cpp", "// " + "\u00e4" * 117),
           ("a.cpp", '#define NAME "' + "x" * 150 + '"')],
    suffixes=(".cpp", ".hpp", ".py"))
