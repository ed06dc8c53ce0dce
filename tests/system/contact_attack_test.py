"""A contact whose node keeps no rule (hostile_contact.cpp): mails in another's name are not taken, neither such as
come along with their notification nor such as are fetched; what is in the contact's own name is (06-security 6.1.1)."""

import json
import pathlib
import subprocess
import sys

from node import befriend, nodes, wait_until

STORED, FETCHING, REFUSED = "1", "2", "3"         # proto/peer/SPEC.md, "Notify reply"
LARGE = b"a line of a large mail\r\n" * 5000      # two chunks: it does not come along


class HostileContact:
    def __init__(self, binary, node):
        self.program, self.node = str(pathlib.Path(binary).parent / "hostile_contact"), node
        self.invite = json.loads(node.command("invite", "--json"))["link"]

    def run(self, *attack):
        done = subprocess.run([self.program, str(self.node.peer), self.invite, *map(str, attack)], timeout=300,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def address(self):
        people = json.loads(self.node.command("contact", "list", "--json"))["contacts"]
        return next(p["address"] for p in people if not p["name"])

    def mail(self, text):
        file = self.node.home.parent / "hostile.eml"
        file.write_bytes(text)
        return self.run("mail", file)


def forged_mails(bob, carol, attacker):
    attacker.run("announce", 0)                   # known from here on
    own = attacker.address()
    welcome = len(bob.bodies())

    def heading(author, *more):
        return "\r\n".join((*more, f"From: {author}", f"To: {bob.address}", "Subject: x", "", "")).encode()

    for fields in (heading(f"Carol <{carol.address}>"), heading(f"{own}\r\nFrom: {carol.address}"),
                   heading(f'"{carol.address}" <{carol.address}>, {own}'),
                   heading(own, f"X: y\nFrom: {carol.address}"), heading(own, f"Sender: {carol.address}"),
                   heading(own, f" header.from={carol.account}.peerpost.alt"),
                   f"Subject: nobody has written this\r\nTo: {bob.address}\r\n\r\n".encode()):
        small = attacker.mail(fields + b"small\r\n")
        assert small[0].startswith(REFUSED) and "From field" in small[0], (fields, small)
        large = attacker.mail(fields + LARGE)
        assert large[0].startswith(FETCHING) and large[1].startswith(REFUSED) and "From field" in large[1], \
            (fields, large)
    assert len(bob.bodies()) == welcome, "a mail in somebody else's name is in INBOX"
    assert len(bob.bodies("Requests")) == 0
    wait_until(lambda: not list(bob.home.rglob("incoming/*")), 20, "parts of what was refused stay")

    assert attacker.mail(heading(own) + b"honest\r\n")[0].startswith(STORED)
    assert attacker.mail(heading(own) + LARGE)[-1].startswith(STORED)
    assert len(bob.bodies()) == welcome + 2, "what the contact says in its own name has not come"


def main(binary):
    with nodes(binary, "bob", "carol") as (bob, carol):
        bob.start()
        carol.start()
        befriend(bob, carol)
        attacker = HostileContact(binary, bob)
        forged_mails(bob, carol, attacker)
        code, _ = bob.stop()
        assert code == 0, code
    print("contact attacks: all survived")


if __name__ == "__main__":
    main(sys.argv[1])
