"""Two nodes that nobody can dial (no listener at all) and a relay: everything between them goes through circuits.

1. An invite is used and mails go both ways over a circuit; `status` says so;
   the relay counts it and learns nobody's name.
2. A mail larger than a circuit may carry goes over several of them.
3. A relay that serves no circuits says so in INFO, and nobody reserves there.
4. The relay is killed and comes back: its clients reserve again by themselves."""

import json
import os
import sys
import tempfile
import shutil

from node import Node, mail_from, wait_until


def status(relay):
    return json.loads(relay.command("relay", "status", "--json"))


def path(a, b):
    return [link["path"] for link in json.loads(a.command("status", "--json"))["links"] if link["peer"] == b.account]


def circuits_had(node):
    return sum("event=up" in line and "path=relay" in line for line in node.log_text().splitlines())


def arrived(node, mail):
    return any(body.endswith(mail) for body in node.bodies().values())


def send(a, b, subject, body=b"body\r\n", seconds=30):
    mail = mail_from(a, b.address, subject, body)
    a.submit(mail, [b.address])
    wait_until(lambda: arrived(b, mail), seconds, f"\"{subject}\" did not arrive")


def main(binary):
    folder = tempfile.mkdtemp(prefix="peerpost-circuits-")
    people = []
    try:
        relay = Node(binary, folder, "relay", '[relay]\nserve = "invited"\ncircuit_bytes_max = 2097152\n')
        closed = Node(binary, folder, "closed", '[relay]\nserve = "invited"\ncircuits_max = 0\n')
        alice, bob = (Node(binary, folder, name, peer_listen=None) for name in ("alice", "bob"))
        people = [relay, closed, alice, bob]
        for node in people:
            node.start()
        for node in (alice, bob):
            for at in (relay, closed):
                node.command("relay", "use", json.loads(at.command("relay", "link", "--json"))["link"])
        wait_until(lambda: status(relay)["reservations"] == 2, 20, "nobody reserved")

        bob.command("contact", "add", json.loads(alice.command("invite", "--json"))["link"])
        wait_until(lambda: bob.account in alice.command("contact", "list", "--json"), 20, "the invite was not noticed")
        send(alice, bob, "there")
        send(bob, alice, "back")
        assert path(alice, bob) == ["relay"] and path(bob, alice) == ["relay"], (path(alice, bob), path(bob, alice))
        assert status(relay)["circuits"] == 1, status(relay)
        assert status(closed)["circuits"] == 0 and status(closed)["reservations"] == 0, status(closed)
        for node in (alice, bob):
            assert node.account not in relay.log_text(), "the relay's log names who was joined"

        # 2 MiB a circuit: five MiB take several.
        before = circuits_had(alice)
        send(alice, bob, "large", b"".join(os.urandom(36).hex().encode() + b"\r\n"
                                           for _ in range(5 * 1024 * 1024 // 74)), 120)
        assert circuits_had(alice) >= before + 2, "more went over a circuit than it may carry"

        relay.kill()
        wait_until(lambda: path(alice, bob) == [], 10, "a circuit outlived its relay")
        relay.start()
        wait_until(lambda: status(relay)["reservations"] == 2, 30, "nobody reserved again")
        send(bob, alice, "after the relay came back")
    except BaseException:
        for node in people:
            print(f"---- log of {node.name}\n{node.log_text()[-4000:] if node.log else ''}")
        raise
    finally:
        for node in people:
            if node.process and node.process.poll() is None:
                node.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
