"""A short run of kill_loop.py; before it the negative control: a mail that was never submitted must be missed."""

import pathlib
import subprocess
import sys

KILLS = 20
LOOP = pathlib.Path(__file__).resolve().parent / "kill_loop.py"


def run(binary, *arguments):
    return subprocess.run([sys.executable, str(LOOP), binary, *arguments], capture_output=True, text=True, timeout=500)


def main(binary):
    control = run(binary, "--kills", "1", "--lose-one")
    assert control.returncode != 0 and "acknowledged 000000000000000000000000" in control.stderr, (
        "the run did not miss a mail that was lost", control.stdout, control.stderr)
    done = run(binary, "--kills", str(KILLS))
    print(done.stdout)
    assert done.returncode == 0, done.stderr


if __name__ == "__main__":
    main(sys.argv[1])
