"""Every call to the operating system fails once, and every call from some point on: a full disk and a broken one, seen
by the store, by LMDB and by the keyring (tests/crash/power_cut.cpp, POWER_FAIL). Refused is not there, acknowledged is,
and the store heals when the disk is well again. PEERPOST_LONG=1: every call; else a sample, another one each time:
PEERPOST_SEED=n plays one again."""

import errno
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

SEED = int(os.environ.get("PEERPOST_SEED") or random.getrandbits(32))
FIRST_CALL = 40          # the calls before open the store: a failure there is a refusal to start
STEP = 1 if os.environ.get("PEERPOST_LONG") else 29
RUN_TIMEOUT_S = 120
NEVER_FAILED = 2         # exit code of the driver when the run ended before call n


def run(build, home, seed, fail):
    environment = dict(os.environ, LD_PRELOAD=str(build / "libpower_cut.so"), POWER_DIR=str(home), POWER_FAIL=fail)
    return subprocess.run([str(build / "power_driver"), "faults", str(home), str(seed)], env=environment,
                          capture_output=True, text=True, timeout=RUN_TIMEOUT_S)


def main(binary):
    build = pathlib.Path(binary).resolve().parent
    print(f"seed {SEED}", flush=True)
    dice = random.Random(SEED)
    runs = 0
    with tempfile.TemporaryDirectory(prefix="peerpost-faults-") as folder:
        folder = pathlib.Path(folder)
        subprocess.run([str(build / "power_driver"), "make", str(folder / "template")], check=True)
        for error in (errno.ENOSPC, errno.EIO):
            for how in ("once", "on"):
                n = FIRST_CALL + dice.randrange(STEP) if STEP > 1 else 1
                while True:
                    shutil.rmtree(folder / "home", ignore_errors=True)
                    shutil.copytree(folder / "template", folder / "home")
                    done = run(build, folder / "home", 11 + n, f"{error} {n} {how}")
                    opened = not done.stderr.startswith(("open:", "keyring:"))
                    assert done.returncode in (0, NEVER_FAILED) or not opened, \
                        f"{error} at call {n}, {how}: {done.stderr}"
                    runs += 1
                    if done.returncode == NEVER_FAILED:
                        break
                    n += STEP
    print(f"{runs} runs: all right")


if __name__ == "__main__":
    main(sys.argv[1])
