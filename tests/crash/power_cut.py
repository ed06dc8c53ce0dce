"""Power cuts on the real store (03-storage 3.7, 3.10): a driver works on a store under a library that keeps a record of
everything that is not synced yet; at a random call power goes and a random part of it is undone. Then the store is
opened, perhaps cut again while it recovers, and compared with what was acknowledged.

    power_cut.py BUILD-FOLDER [--cuts N] [--seed N] [--control log|view|directory|early]

With --control the disk lies or acknowledgements come too early: how many cycles fail is printed,
and none is an error."""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

CUT = 99                 # exit code of a process whose power went
# runs whose calls are counted; a cut comes anywhere in the longest, past the end of others at their end
CALLS_LOOKED_AT = 5
RECOVERY_CALLS_MAX = 60
CYCLE_TIMEOUT_S = 120
CUTS_PER_LINE = 250      # of a long run: one that is ended early has said how far it came


class Cycle:
    def __init__(self, build, template, folder, seed, control, calls=0):
        self.driver, self.library = build / "power_driver", build / "libpower_cut.so"
        self.home, self.seed, self.control = folder / "home", seed, control
        self.dice, self.calls = random.Random(seed), calls
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copytree(template, self.home)

    def run(self, *arguments, at=None):
        environment = dict(os.environ, LD_PRELOAD=str(self.library), POWER_DIR=str(self.home),
                           POWER_SEED=str(self.dice.getrandbits(60)))
        environment.pop("POWER_AT", None)
        if at is not None:
            environment["POWER_AT"] = str(at)
        if self.control in ("log", "view", "directory"):
            environment["POWER_LIES"] = self.control
        return subprocess.run([str(self.driver), arguments[0], str(self.home), *map(str, arguments[1:])],
                              env=environment, capture_output=True, text=True, timeout=CYCLE_TIMEOUT_S)

    def count(self):
        """The calls of a whole run."""
        environment = dict(os.environ, LD_PRELOAD=str(self.library), POWER_DIR=str(self.home), POWER_COUNT="1")
        done = subprocess.run([str(self.driver), "work", str(self.home), str(self.seed)], env=environment, check=True,
                              capture_output=True, text=True, timeout=CYCLE_TIMEOUT_S)
        return int(done.stderr.split()[-2])

    def failure(self):
        """None, or what went wrong."""
        early = ["--early"] if self.control == "early" else []
        worked = self.run("work", self.seed, *early, at=self.dice.randint(1, self.calls))
        if worked.returncode != CUT:
            return f"work ended with {worked.returncode}: {worked.stderr}"
        told = [int(line[1:]) for line in worked.stdout.splitlines() if line.startswith("+")]
        while self.dice.random() < 0.3:
            again = self.run("recover", at=self.dice.randint(1, RECOVERY_CALLS_MAX))
            if "rebuilt" in again.stdout:
                return f"the view was not usable in the middle of a recovery and had to be made again: {again.stderr}"
            if again.returncode != CUT:
                return f"recovery ended with {again.returncode}: {again.stderr}"
        done = self.run("verify", self.seed, told[-1] if told else 0)
        # LMDB without MDB_NOSYNC never loses more than its newest transaction:
        # a view that has to be made again is a fault.
        if done.returncode == 0 and "rebuilt" in done.stdout.split("recovered")[0]:
            return f"the view was not usable and had to be made again: {done.stderr}"
        return (None if done.returncode == 0
                else f"{told[-1] if told else 0} acknowledged, ended with {done.returncode}: {done.stderr.strip()}")


def run(build, cuts, seed, control, enough=None):
    """(cycles, failures as text). enough: stop after so many failures."""
    failures = []
    with tempfile.TemporaryDirectory(prefix="peerpost-power-") as folder:
        folder = pathlib.Path(folder)
        template = folder / "template"
        subprocess.run([str(build / "power_driver"), "make", str(template)], check=True)
        calls = max(Cycle(build, template, folder / "cycle", seed + n, None).count() for n in range(CALLS_LOOKED_AT))
        for n in range(cuts):
            cycle = Cycle(build, template, folder / "cycle", seed + n, control, calls)
            wrong = cycle.failure()
            if wrong:
                failures.append(f"seed {seed + n}: {wrong}")
                print(failures[-1], flush=True)
                if enough and len(failures) >= enough:
                    return n + 1, failures
            if (n + 1) % CUTS_PER_LINE == 0:
                print(f"{n + 1} cuts, {len(failures)} failures", flush=True)
    return cuts, failures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", choices=("log", "view", "directory", "early"))
    options = parser.parse_args()
    begun = time.monotonic()
    cuts, failures = run(options.build.resolve(), options.cuts, options.seed, options.control)
    print(f"{cuts} cuts in {time.monotonic() - begun:.0f} s, {len(failures)} failures")
    sys.exit(bool(failures) != bool(options.control))


if __name__ == "__main__":
    main()
