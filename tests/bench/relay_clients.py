"""What a connected client costs a serving relay: so many links with TLS that have proved a slot and wait for news, and
the growth of the daemon's resident memory between the first of them and the last. Each of them is told of a new item at
the end. By hand, not in CI:

    python3 tests/bench/relay_clients.py build/release/peerpost [clients]

The bar: at most 130 KiB for each (half of it is buffers and state of TLS).
relay_attacker must be built beside the program."""

import json
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from node import nodes  # noqa: E402
from process import cpu_seconds, resident_bytes  # noqa: E402

PER_CLIENT_KIB_MAX = 130


def main(binary, clients):
    toml = '[requests]\nwork_bits = 2\n[dht]\nmode = "off"\n[relay]\nserve = "open"\nopen_bits = 1\n'
    with nodes(binary, "relay", extra_toml=toml) as (relay,):
        config = relay.home / "peerpost.toml"
        config.write_text(config.read_text().replace("[peer]\n", f"[peer]\nconnections_max = {clients + 64}\n"))
        relay.start()
        link = json.loads(relay.command("relay", "link", "--json"))["link"]
        pid = relay.process.pid
        driver = str(pathlib.Path(binary).resolve().parent / "relay_attacker")
        with subprocess.Popen([driver, str(relay.peer), link, "watchers", str(clients)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as crowd:
            def wait_for(word):
                for line in iter(crowd.stdout.readline, ""):
                    if line.strip() == word:
                        return
                raise SystemExit("the clients ended early")
            wait_for("first")
            time.sleep(0.5)
            first, cpu = resident_bytes(pid) >> 10, cpu_seconds(pid)
            crowd.stdin.write("\n")
            crowd.stdin.flush()
            wait_for("peak")
            coming = cpu_seconds(pid) - cpu
            time.sleep(1)
            there = resident_bytes(pid) >> 10
            idle = cpu_seconds(pid)
            time.sleep(5)
            idle = cpu_seconds(pid) - idle
            status = json.loads(relay.command("relay", "status", "--json"))
            each = (there - first) / (clients - 1)
            print(f"links         {clients:8}, of {status['clients']} slot")
            print(f"resident      {first / 1024:8.1f} MiB with one, {there / 1024:.1f} MiB with all")
            print(f"of each       {each:8.1f} KiB   (at most {PER_CLIENT_KIB_MAX})")
            print(f"CPU           {coming / (clients - 1) * 1e3:8.2f} ms to let one in, {idle / 5:.3f} of a core "
                  f"while all wait", flush=True)
            crowd.stdin.write("\n")
            crowd.stdin.flush()
            if crowd.wait(120):
                raise SystemExit("a client was not told of the news")
        print(f"when they have gone {resident_bytes(pid) / (1 << 20):.1f} MiB")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
