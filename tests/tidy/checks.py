"""What the checks of this folder share: the sources, and the rule that every check first proves that it can fail."""

import pathlib
import sys

FOLDERS = ("crypto", "proto", "storage", "daemon", "tests")


def sources(root, suffixes=(".cpp", ".hpp"), folders=FOLDERS):
    for folder in folders:
        for path in sorted((pathlib.Path(root) / folder).rglob("*")):
            if path.suffix in suffixes and path.is_file():
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def run(check, planted, clean=(), **where):
    """check(name, text) yields sentences. planted: (name, text) pairs that must be flagged; clean:
    those that must not."""
    for name, text in planted:
        if not list(check(name, text)):
            sys.exit(f"this check is broken: it passes over the planted {name}: {text!r}")
    for name, text in clean:
        found = list(check(name, text))
        if found:
            sys.exit(f"this check is broken: it flags the harmless {name}: {found}")
    seen = 0
    problems = []
    for name, text in sources(sys.argv[1], **where):
        seen += 1
        problems += [f"{name}{'' if sentence[0].isdigit() else ' '}{':' if sentence[0].isdigit() else ''}{sentence}"
                     for sentence in check(name, text)]
    if not seen:
        sys.exit("no sources found")
    print("\n".join(problems))
    sys.exit(1 if problems else 0)


def lines(text):
    return enumerate(text.splitlines(), 1)
