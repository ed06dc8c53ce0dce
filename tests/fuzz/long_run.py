"""Fuzz targets one after the other, each for so long, and a line of the table in README.md for each.

    long_run.py BUILD-FOLDER [TARGET ...] [--seconds N] [--at-once N] [--input-seconds N] [--work FOLDER] [--keep]

Each target goes on from its corpus and from what earlier runs have left in its own folder below --work; there also lie
its log and its findings (crash-*, timeout-*, oom-*, leak-*). Ends with 1 when there is a finding.
--input-seconds: what takes longer is a finding; by the clock, so more of it where the machine does other work, too.
--keep: afterwards what reaches new code is taken into the corpus, small inputs first, no more than a replay bears."""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_MB_MAX = 2048
INPUT_SECONDS_MAX = 20      # on a machine that does nothing else
KEPT_FILES_MAX = 100        # new inputs for one target; a replay of the corpus is part of every ctest
KEPT_BYTES_MAX = 4096       # of one of them
COVERAGE = re.compile(r"cov: (\d+) ft: (\d+)")
FINDINGS = ("crash-*", "timeout-*", "oom-*", "leak-*")


def run(build, work, target, seconds, input_seconds):
    """A line of the table, and the findings."""
    home = work / target
    inputs, corpus = home / "inputs", HERE / "corpus" / target
    inputs.mkdir(parents=True, exist_ok=True)
    before = findings(home)
    words = HERE / "dictionaries" / f"{target}.dict"
    command = [str(build / target), f"-max_total_time={seconds}", f"-rss_limit_mb={MEMORY_MB_MAX}",
               f"-timeout={input_seconds}", "-print_final_stats=1", f"-artifact_prefix={home}/"]
    command += [f"-dict={words}"] if words.exists() else []
    with open(home / "log", "wb") as log:
        child = subprocess.Popen([*command, str(inputs), str(corpus)], stdout=log, stderr=log, cwd=home)
        _, status, used = os.wait4(child.pid, 0)
    text = (home / "log").read_text(errors="replace")
    seen = [m.groups() for m in COVERAGE.finditer(text)] or [("?", "?")]
    executions = re.search(r"number_of_executed_units: (\d+)", text)
    elapsed = re.search(r"in (\d+) second", text)
    new = findings(home) - before
    if status != 0 and not new:   # it did not even begin, or has found the same again
        new = {home / "log"}
    line = (f"| `{target.removesuffix('_fuzz')}` | {elapsed[1] if elapsed else '?'} "
            f"| {used.ru_utime + used.ru_stime:.1f} | {executions[1] if executions else '?'} "
            f"| {' / '.join(seen[0])} | {' / '.join(seen[-1])} | {len(new) or 'none'} |")
    return line, new


def findings(home):
    return {path for pattern in FINDINGS for path in home.glob(pattern)}


def keep(build, work, target):
    """How many inputs were added: those libFuzzer wants for new edges of the code, counters left out."""
    corpus = HERE / "corpus" / target
    with tempfile.TemporaryDirectory(prefix="peerpost-fuzz-") as folder:
        merged, small = pathlib.Path(folder, "merged"), pathlib.Path(folder, "small")
        shutil.copytree(corpus, merged)
        small.mkdir()
        for path in (work / target / "inputs").iterdir():
            if path.stat().st_size < KEPT_BYTES_MAX:
                shutil.copy(path, small)
        subprocess.run([str(build / target), "-merge=1", "-use_counters=0", str(merged), str(small)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        new = sorted((p for p in merged.iterdir() if not (corpus / p.name).exists()), key=lambda p: p.stat().st_size)
        for path in new[:KEPT_FILES_MAX]:
            shutil.copy(path, corpus)
        return min(len(new), KEPT_FILES_MAX)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--input-seconds", type=int, default=INPUT_SECONDS_MAX)
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir(), "peerpost-fuzz"))
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("targets", nargs="*")
    options = parser.parse_args()
    build, work = options.build.resolve(), options.work.resolve()
    targets = options.targets or sorted(path.stem for path in HERE.glob("*_fuzz.cpp"))
    found = set()
    with concurrent.futures.ThreadPoolExecutor(options.at_once) as pool:
        one = lambda target: run(build, work, target, options.seconds, options.input_seconds)
        for line, new in pool.map(one, targets):
            print(line, flush=True)
            found |= new
    if options.keep:
        for target in targets:
            print(f"{target}: {keep(build, work, target)} inputs added", flush=True)
    for path in sorted(found):
        print(f"finding: {path}")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
