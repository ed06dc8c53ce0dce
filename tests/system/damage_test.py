"""A store that was damaged while the daemon was stopped: `check` says what is lost, what is not lost is read as before
under the same UIDs, and running does not make it worse."""

import imaplib
import json
import os
import random
import shutil
import sys

from node import mail_from, nodes

LARGE = 150_000      # a blob file of its own
MAILS = 14


def read_all(node):
    """{mailbox: (UIDVALIDITY, {uid: bytes, or None when it cannot be read})}"""
    client = node.imap_client()
    found = {}
    for mailbox in ("INBOX", "Sent", "Archive"):
        client.select(mailbox, readonly=True)
        validity = int(client.response("UIDVALIDITY")[1][0])
        _, data = client.uid("SEARCH", "ALL")
        mails = {}
        for uid in (data[0] or b"").split():
            try:
                typ, parts = client.uid("FETCH", uid, "(BODY.PEEK[])")
            except imaplib.IMAP4.abort:   # damage behind the beginning: a literal cannot end in an error, only be cut
                client = node.imap_client()
                client.select(mailbox, readonly=True)
                typ, parts = "NO", []
            bodies = [part[1] for part in parts if isinstance(part, tuple) and b"UID %d " % int(uid) in part[0]]
            mails[int(uid)] = bodies[0] if typ == "OK" else None
        found[mailbox] = (validity, mails)
    client.logout()
    return found


def check(node):
    report = json.loads(node.command("check", "--json", check=False))
    assert "sound" in report, report
    lost = [line for account in report["accounts"] for line in account["lost"]]
    warnings = [line for account in report["accounts"] for line in account["warnings"]]
    return report["sound"], lost, warnings + report["keyring"]


def flip(path, at, bit=3):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def missing(before, after):
    """How many mails cannot be read any more; what can be read must be as it was, where it was."""
    gone = 0
    for mailbox, (validity, mails) in before.items():
        validity_now, now = after[mailbox]
        assert validity_now == validity, f"{mailbox}: UIDVALIDITY changed"
        assert set(now) <= set(mails), f"{mailbox}: new UIDs {set(now) - set(mails)}"
        for uid, mail in mails.items():
            if now.get(uid) is None:
                gone += 1
            else:
                assert now[uid] == mail, f"{mailbox}: UID {uid} is altered"
    return gone


class Case:
    def __init__(self, node, saved, before):
        self.node, self.saved, self.before = node, saved, before

    def fresh(self):
        shutil.rmtree(self.node.home)
        shutil.copytree(self.saved, self.node.home)
        return next(self.node.home.glob("accounts/*"))

    def run(self, what, expect_lost):
        """check, serve and read, check again. The number of mails that were lost."""
        sound, lost, warnings = check(self.node)
        self.node.start()
        gone = missing(self.before, read_all(self.node))
        client = self.node.imap_client()   # and it still takes mail
        typ, data = client.append("Drafts", None, None, b"From: a@b\r\n\r\nnew\r\n")
        assert typ == "OK", (what, data)
        client.logout()
        code, _ = self.node.stop()
        assert code == 0, (what, code)
        sound_after, lost_after, warnings_after = check(self.node)
        print(f"{what}: {gone} mails unreadable; check: lost {lost}, warnings {warnings}", flush=True)
        assert lost_after == lost and set(warnings_after) <= set(warnings), \
            f"{what}: worse than before: {lost_after} {warnings_after}"
        assert sound == (not lost and not warnings)
        assert (gone > 0) == bool(lost), f"{what}: {gone} unreadable, reported {lost}"
        if expect_lost is not None:
            assert (gone, len(lost)) == expect_lost, f"{what}: {gone} unreadable, {len(lost)} reported"
        return gone


def main(binary):
    dice = random.Random(5)
    with nodes(binary, "alice") as (node,):
        node.start()
        client = node.imap_client()
        for n in range(MAILS):
            body = os.urandom(LARGE if n % 3 == 0 else 4000).hex().encode()
            mail = mail_from(node, node.address, f"mail {n}",
                             b"\r\n".join(body[i:i + 70] for i in range(0, len(body), 70)))
            node.submit(mail, [node.address])
        client.select("INBOX")
        client.uid("COPY", "2:4", "Archive")
        client.uid("MOVE", "5", "Archive")
        client.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
        client.uid("EXPUNGE", "2")
        client.logout()
        before = read_all(node)
        node.stop()
        assert check(node) == (True, [], [])
        saved = node.home.parent / "saved"
        shutil.copytree(node.home, saved)
        case = Case(node, saved, before)
        total = sum(len(mails) for _, mails in before.values())

        # the view: rebuilt, with the same UIDs
        account = case.fresh()
        (account / "view").unlink()
        case.run("view deleted", (0, 0))
        account = case.fresh()
        for path in account.glob("view*"):
            path.unlink()
        case.run("view and its lock deleted", (0, 0))
        for size in (0, 1, 4096, 8192, 40000, (account / "view").stat().st_size - 4096):
            account = case.fresh()
            os.truncate(account / "view", size)
            case.run(f"view cut to {size} bytes", (0, 0))
        account = case.fresh()
        with open(account / "view", "r+b") as file:
            file.write(b"\0" * file.seek(0, 2))
        case.run("view all zeros", (0, 0))

        # a large mail's file
        files = sorted(path for path in case.fresh().glob("blobs/*/*"))
        assert len(files) == len([n for n in range(MAILS) if n % 3 == 0])
        for where in ("header", "middle", "end of the ciphertext"):
            case.fresh()
            size = files[0].stat().st_size
            at = {"header": 20, "middle": size // 2, "end of the ciphertext": size - 32 * -(-size // 65536) - 9}[where]
            flip(files[0], at)
            assert 1 <= case.run(f"blob file, {where}", None) <= 3
        case.fresh()
        flip(files[1], files[1].stat().st_size - 5)
        sound, lost, warnings = check(node)
        assert not sound and not lost and len(warnings) == 1, (lost, warnings)
        case.run("blob file, hashes behind it", (0, 0))
        case.fresh()
        files[2].unlink()
        assert 1 <= case.run("blob file deleted", None) <= 3
        case.fresh()
        os.truncate(files[2], files[2].stat().st_size // 2)
        assert 1 <= case.run("blob file cut", None) <= 3

        # the log: while the view is there nothing but the mails in the damaged frames is lost
        segment = next(case.fresh().glob("log/*/1.seg"))
        with open(segment, "rb") as file:
            content = file.read()
        used = len(content.rstrip(b"\0"))
        for _ in range(12):
            case.fresh()
            at = dice.randrange(4096, used - 1024)
            flip(segment, at, dice.randrange(8))
            gone = case.run(f"segment, byte {at} of {used}", None)
            assert gone <= 3, "one flipped bit took more than one mail"

        # the keyring: one copy heals, none is an error that leaves everything as it is
        case.fresh()
        flip(node.home / "keyring.a", 200)
        case.run("keyring, one copy", (0, 0))
        for what in ("keyrings", "key"):
            case.fresh()
            for name in (("keyring.a", "keyring.b") if what == "keyrings" else ("key",)):
                flip(node.home / name, 9)
            content = {path: path.read_bytes() for path in node.home.rglob("*") if path.is_file()}
            try:
                node.start()
                raise SystemExit(f"{what} damaged: it started all the same")
            except AssertionError as error:
                assert "ended with" in str(error), error
            for path in node.home.rglob("*"):
                if path.is_file() and path.name != "home.lock":
                    assert content.get(path) == path.read_bytes(), f"{what} damaged: {path.name} was touched"
            for name in ("keyring.a", "keyring.b", "key"):
                shutil.copy(saved / name, node.home / name)
            case.run(f"{what} damaged and put back", (0, 0))
    print(f"damage, {total} mails: all right")


if __name__ == "__main__":
    main(sys.argv[1])
