"""The bounds of MIME parts against GMime: the corpus of tests/proto/mail and generated odd mails. The program that asks
GMime (tests/gmime/part_bounds.cpp) stands beside the tested one when GMime was there at build time;
else this is skipped.

    gmime_bounds_test.py PROGRAM [mails]"""

import collections
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from odd_mail import odd_mails

SAMPLE = 300
SEED = 2045
SKIPPED = 77
SHOWN = 5
CORPUS = pathlib.Path(__file__).resolve().parent.parent / "proto" / "mail" / "corpus"


def main(binary, sample=SAMPLE):
    program = pathlib.Path(binary).parent / "part_bounds"
    if not program.exists():
        print("skipped: built without GMime (libgmime-3.0-dev)")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="peerpost-test-") as folder:
        source = odd_mails(random.Random(SEED))
        files = sorted(CORPUS.glob("*.eml"))
        for n in range(sample):
            files.append(pathlib.Path(folder) / f"odd{n:04}.eml")
            files[-1].write_bytes(next(source))
        found = collections.defaultdict(list)
        leaves = 0
        for start in range(0, len(files), 100):
            run = subprocess.run([str(program), *map(str, files[start:start + 100])], capture_output=True, text=True,
                                 check=True)
            for block in run.stdout.split("F ")[1:]:
                name, *lines = block.splitlines()
                ours, theirs = {}, {}
                for line in lines:
                    who, path, offset, size = line.split()
                    (ours if who == "P" else theirs)[path] = (int(offset), int(size))
                leaves += len(ours)
                if ours != theirs:
                    mail = pathlib.Path(name).read_bytes()
                    found[explain(pathlib.Path(name).name, ours, theirs, mail)].append((name, ours, theirs, mail))
    for reason, cases in found.items():
        print(f"{len(cases):5} {reason or 'UNEXPLAINED'}")
        if reason is None:
            for name, ours, theirs, mail in cases[:SHOWN]:
                both = ours.keys() | theirs.keys()
                shown = [(p, ours.get(p), theirs.get(p)) for p in sorted(both) if ours.get(p) != theirs.get(p)][:3]
                print(f"      {pathlib.Path(name).name}: (path, ours, GMime) {shown}\n      {mail[:600]!r}")
    print(f"gmime: {len(files)} mails, {leaves} leaves, {len(found[None])} mails differ without a reason")
    sys.exit(1 if found[None] else 0)


NO_PARTS = "RFC 2046 section 5.1.1: named multipart and without a part: its text is shown as one leaf, GMime has none"
PREFIX = "RFC 2046 section 5.1.1: it is sufficient that the boundary appears at the beginning of the line"
EMPTY = "an empty part: GMime counts the line end before the boundary as read, the part has no octet either way"
CUT_HEADER = "RFC 2046 section 5.1: a boundary ends a part also inside its header; GMime reads on"
FIRST_TYPE = "RFC 2045 section 3: of two Content-Type fields the first counts, for GMime the last"
# Corpus files that are about one of these.
ABOUT = {"boundary_in_header.eml": CUT_HEADER, "empty_parts.eml": CUT_HEADER, "nested_truncated.eml": CUT_HEADER,
         "boundary_padding.eml": PREFIX, "duplicate_type.eml": FIRST_TYPE}


def explain(name, ours, theirs, mail):
    if ours.keys() == {"-"} and not theirs:
        return NO_PARTS
    if ours.keys() == theirs.keys() and all(ours[p] == theirs[p] or ours[p][1] == theirs[p][1] == 0 for p in ours):
        return EMPTY
    for boundary in re.findall(rb'boundary="?([^"\r\n;]+)', mail):
        if re.search(rb"(?m)^--" + re.escape(boundary) + rb"(?!--)[^ \t\r\n]", mail):
            return PREFIX
    return ABOUT.get(name)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else SAMPLE)
