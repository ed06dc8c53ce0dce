"""peerpost's drive beside an encrypted hyperdrive of npm that is replicated over TCP on loopback, as ratios in one run.
By hand, not in CI:

    python3 tests/bench/beside_hypercore.py build/release/drive_load NODE_MODULES [--quick]

NODE_MODULES: a folder where `npm install hypercore hyperdrive corestore` was run (outside of this repository), or whose
node_modules are these. What either side does is in drive_load.cpp and hyperdrive.js. Rates are of wall time; those of
CPU time (user + system, both ends together) stand beside them, for they hardly depend on what else the machine does.

The bars (per case): written durably >= 3 x its puts/s, which nothing syncs; fetched >= 10 x its files/s, >= 5 x its
MB/s for large files.

What is compared, and where the two differ:
  - text is made before the clock runs, on both sides (it was not on ours: two fifths of the CPU time of "25 MiB
    written" was base64 of the bench itself), and a large mail is ended on a worker as daemon/net/await.hpp's
    finish_blob() does;
  - "fetched, verified" is the transfer: TLS or Noise, every chunk against its hash tree. Hyperdrive puts what comes
    into its own storage without a sync; so do we with what is more than one chunk (a file of incoming/). A mail of one
    chunk we keep in memory, for the daemon's next step is the commit: that is in "and stored durably", which opens the
    mail, encrypts it anew, indexes and syncs it, and which nothing of the other side corresponds to;
  - both ask for as much at a time as they do in earnest: hyperdrive its own window, we receiver.hpp's."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

CASES = (("4 KiB", 5000, 4096, 10), ("50 KiB", 1000, 50 << 10, 10), ("25 MiB", 8, 25 << 20, 5))
WRITE_BAR = 3
STEP_SECONDS_MAX = 600


def steps_of(lines):
    return {row["step"]: row for row in map(json.loads, lines)}


def peerpost(driver, folder, files, size):
    done = subprocess.run([driver, str(folder / "peerpost"), str(files), str(size)], capture_output=True, text=True,
                          timeout=STEP_SECONDS_MAX)
    if done.returncode:
        raise SystemExit(f"drive_load: exit {done.returncode}: {done.stderr}")
    return steps_of(done.stdout.splitlines())


def hyperdrive(modules, folder, files, size):
    program = str(pathlib.Path(__file__).resolve().parent / "hyperdrive.js")
    environment = {**os.environ, "NODE_PATH": str(modules)}
    server = subprocess.Popen(["node", program, "serve", str(folder / "a"), str(files), str(size)], env=environment,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        steps = steps_of([server.stdout.readline()])
        at = json.loads(server.stdout.readline())
        server.stdin.write("begin\n")
        server.stdin.flush()
        fetched = subprocess.run(["node", program, "fetch", str(folder / "b"), str(files), str(size), str(at["port"]),
                                  at["key"], at["encryptionKey"]], env=environment, capture_output=True, text=True,
                                  timeout=STEP_SECONDS_MAX)
        if fetched.returncode:
            raise SystemExit(f"hyperdrive: {fetched.stderr}")
        steps.update(steps_of(fetched.stdout.splitlines()))
        server.stdin.write("end\n")
        server.stdin.flush()
        steps["fetched"]["cpu"] += json.loads(server.stdout.readline())["cpu"]
        return steps
    finally:
        server.stdin.close()
        server.wait(30)


def main(driver, modules, quick):
    modules = pathlib.Path(modules).resolve()
    modules = modules if modules.name == "node_modules" else modules / "node_modules"
    if not shutil.which("node") or not (modules / "hyperdrive").is_dir():
        raise SystemExit("needs node, and the packages: npm install hypercore hyperdrive corestore "
                         "(in a folder of its own)")
    versions = {p: json.loads((modules / p / "package.json").read_text())["version"]
                for p in ("hypercore", "hyperdrive", "corestore")}
    print(", ".join(f"{p} {v}" for p, v in versions.items()))
    print(f"{'':34}{'hyperdrive':>24}{'peerpost':>24}{'ratio':>8}{'of CPU':>8}{'bar':>6}")
    for name, files, size, fetch_bar in CASES:
        files = max(4, files // 10) if quick else files
        folder = pathlib.Path(tempfile.mkdtemp(prefix="peerpost-bench-"))
        try:
            theirs, ours = hyperdrive(modules, folder, files, size), peerpost(driver, folder, files, size)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        unit, of = ("MB/s", size / 1e6) if size > 1 << 20 else ("files/s", 1)

        def row(title, their_step, our_step, our_files, bar):
            them, us = theirs[their_step], ours[our_step]
            their_rate, our_rate = files * of / them["wall"], our_files * of / us["wall"]
            ratio_cpu = (them["cpu"] / files) / (us["cpu"] / our_files)
            print(f"{name + ' ' + title:34}{their_rate:14.0f} {unit:9}{our_rate:14.0f} "
                  f"{unit:9}{our_rate / their_rate:8.1f}{ratio_cpu:8.1f}{'>= ' + str(bar) if bar else '':>6}",
                  flush=True)

        single = next(step for step in ours if step.startswith("written one by one"))
        row("written, one by one", "written", single, int(single.rsplit(" ", 1)[1]), None)
        row("written, 64 waiting", "written", "written", files, WRITE_BAR)
        row("fetched, verified", "fetched", "fetched", files, fetch_bar)
        row("and stored durably", "fetched", "fetched and stored", files, None)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--quick"]
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    main(arguments[0], arguments[1], "--quick" in sys.argv)
