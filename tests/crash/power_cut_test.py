"""A short run of power_cut.py; before it the negative controls: a disk that lies about the syncs of the log, of the
view or of directories, and acknowledgements that come before the sync, must each be found out.
PEERPOST_LONG=1: ten thousand cuts."""

import os
import pathlib
import sys

from power_cut import run

CUTS = 10_000 if os.environ.get("PEERPOST_LONG") else 200
CONTROL_CUTS_MAX = 150      # within so many a lie must show; most show within ten


def main(binary):
    build = pathlib.Path(binary).resolve().parent
    for control in ("early", "log", "view", "directory"):
        cuts, failures = run(build, CONTROL_CUTS_MAX, 5000, control, enough=2)
        assert failures, f"{control}: nothing was found in {cuts} cuts"
        print(f"control {control}: found out after {cuts} cuts: {failures[0][:100]}", flush=True)
    cuts, failures = run(build, CUTS, 1, None)
    assert not failures, "\n".join(failures[:10])
    print(f"{cuts} cuts, everything acknowledged is there")


if __name__ == "__main__":
    main(sys.argv[1])
