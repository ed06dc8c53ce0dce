"""A contact whose node keeps no rule (hostile_contact.cpp): mails in another's name are not taken, neither such as
come along with their notification nor such as are fetched; mails without number that never come are not remembered
without number; honest mail passes all the while (06-security 6.1.1)."""

import json
import pathlib
import subprocess
import sys

from node import befriend, mail_from, nodes, wait_until
from process import check_memory, resident_bytes

FETCHING, REFUSED, TRY_LATER = "2", "3", "4"      # proto/peer/SPEC.md, "Notify reply"
STORED = "1"
ANNOUNCED_MAX = 4096                              # daemon/engine/inbox.hpp
ANSWERED_AT_ONCE = 32                             # so many may pass the limit together
GROWTH_BYTES_MAX = 64 << 20
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


def announcements_without_number(bob, carol, attacker):
    settled = resident_bytes(bob.process.pid)
    said = attacker.run("announce", ANNOUNCED_MAX + 500)
    taken = sum(line.startswith(FETCHING) for line in said)
    later = [line for line in said if line.startswith(TRY_LATER)]
    assert ANNOUNCED_MAX <= taken <= ANNOUNCED_MAX + ANSWERED_AT_ONCE, taken
    assert taken + len(later) == len(said) and "still to be fetched" in later[0], later[:1]
    check_memory(bob.process.pid, resident_bytes(bob.process.pid) - settled, GROWTH_BYTES_MAX, "announced mails")
    small, large = b"beside it\r\n", LARGE        # neither hers nor others' mail that comes along is in the way
    assert attacker.mail(f"From: {attacker.address()}\r\n\r\n".encode() + small)[0].startswith(STORED)
    for body in (small, large):
        before = len(bob.bodies())
        carol.submit(mail_from(carol, bob.address, "beside an attack", body), [bob.address])
        wait_until(lambda: len(bob.bodies()) == before + 1, 30, "the mail of an honest contact does not come")


def main(binary):
    with nodes(binary, "bob", "carol") as (bob, carol):
        bob.start()
        carol.start()
        befriend(bob, carol)
        attacker = HostileContact(binary, bob)
        forged_mails(bob, carol, attacker)
        announcements_without_number(bob, carol, attacker)
        code, _ = bob.stop()
        assert code == 0, code
    print("contact attacks: all survived")


if __name__ == "__main__":
    main(sys.argv[1])
