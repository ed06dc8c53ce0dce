"""What a running process takes, out of /proc."""

import os
import pathlib


def resident_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise ProcessLookupError(f"process {pid} has no memory: it has ended")


def has_sanitizer(pid):
    """AddressSanitizer: neither its memory nor its time are the program's."""
    return "libasan" in pathlib.Path(f"/proc/{pid}/maps").read_text()


def check_memory(pid, taken, at_most, what):
    """Bytes that the process has taken. Under AddressSanitizer nothing is checked, and that is said: what it keeps
    around each piece, and of those that are freed, is not the program's."""
    if has_sanitizer(pid):
        print(f"{what}: {taken >> 20} MiB with AddressSanitizer's own, not checked", flush=True)
        return
    assert taken < at_most, f"{what}: {taken >> 20} MiB taken, at most {at_most >> 20} MiB may be"


def cpu_seconds(pid):
    """Of all its threads, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
