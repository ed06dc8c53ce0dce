"""`check --repair` on the real program: a store whose log and view are both damaged is refused, repaired, and serves
what still opens under the same UIDVALIDITY and UIDs. `shred`: nothing of the old log and view is left, everything kept
is there, searching finds it, and a copy of the old store does not open with the new keyring."""

import json
import pathlib
import shutil
import subprocess
import sys
import time

from damage_test import check, flip, missing, read_all
from node import mail_from, nodes

MAILS = 12
EX_TEMPFAIL = 75
INDEXED_AFTER_S = 3      # a moment of quiet, then the index is made


def refused(node):
    try:
        node.start()
    except AssertionError as error:
        assert "ended with" in str(error), error
        return True
    return False


def frames_of_entries(segment):
    """Places of the entry frames of a segment (storage/FORMAT.md, "Frame")."""
    raw = segment.read_bytes()
    at, found = 4096, []
    while raw[at:at + 4] == b"1PPF":
        body = int.from_bytes(raw[at + 4:at + 8], "little")
        if raw[at + 16] == 2:
            found.append(at)
        at += 24 + body + 32
        at += -at % 8
    return found


def repair(node):
    return json.loads(node.command("check", "--repair", "--json", check=False))


def damaged_log_and_view(node, saved, before):
    shutil.rmtree(node.home)
    shutil.copytree(saved, node.home)
    account = next(node.home.glob("accounts/*"))
    segment = next(account.glob("log/*/1.seg"))
    entries = frames_of_entries(segment)
    assert len(entries) > MAILS, entries
    flip(segment, entries[len(entries) // 2] + 40)
    view = account / "view"
    for at in range(2 * 4096 + 10, view.stat().st_size, 4096):
        flip(view, at)
    assert refused(node), "a store without a whole log or view was served"
    answer = repair(node)
    (what,) = answer["repaired"]
    assert what["done"] and what["lost"], what
    assert pathlib.Path(what["kept_in"], "view").exists(), what
    node.start()
    after = read_all(node)
    gone = 0
    for mailbox, (validity, mails) in before.items():
        assert after[mailbox][0] == validity, f"{mailbox}: UIDVALIDITY changed"
        for uid, mail in mails.items():
            now = after[mailbox][1].get(uid)
            assert now in (None, mail), f"{mailbox}: UID {uid} is altered"
            gone += now is None
    assert gone <= 3, f"one damaged entry took {gone} mails"
    client = node.imap_client()
    typ, data = client.append("INBOX", None, None, b"From: a@b\r\n\r\nafter the repair\r\n")
    assert typ == "OK", data
    client.logout()
    node.stop()
    assert check(node)[1] == [], "repaired, yet something is lost"
    again = repair(node)
    assert again["sound"] and not again["repaired"][0]["done"], again
    print(f"log and view damaged: {gone} mails lost, the others where they were", flush=True)


def shred(node, saved, before):
    shutil.rmtree(node.home)
    shutil.copytree(saved, node.home)
    account = next(node.home.glob("accounts/*"))
    node.start()
    busy = subprocess.run([node.binary, "--home", str(node.home), "check", "--repair"], capture_output=True, text=True,
                          timeout=60)
    assert busy.returncode == EX_TEMPFAIL, "repaired a store that is in use"
    for round_number in range(2):
        node.command("shred")
        assert [path.name for path in (account / "log").iterdir()] == [str(2 + round_number)]
        assert missing(before, read_all(node)) == 0
    client = node.imap_client()
    client.select("INBOX")
    # Once from the mails, once from the index, which is made anew.
    for _ in range(2):
        _, data = client.uid("SEARCH", "TEXT", '"needle-7 in"')
        assert len(data[0].split()) == 1, data
        time.sleep(INDEXED_AFTER_S)
    client.append("INBOX", None, None, b"From: a@b\r\n\r\nafter the shred\r\n")
    client.logout()
    node.stop()
    assert check(node) == (True, [], [])
    node.start()
    node.stop()
    # What somebody has kept of the store is of no use with the keyring of today.
    shutil.rmtree(node.home / "accounts")
    shutil.copytree(saved / "accounts", node.home / "accounts")
    assert refused(node), "the old store opened with the new keyring"
    print("shred: all right", flush=True)


def main(binary):
    with nodes(binary, "alice") as (node,):
        node.start()
        for n in range(MAILS):
            node.submit(mail_from(node, node.address, f"mail {n}",
                                  b"needle-%d in a mail\r\n" % n * (4000 if n % 4 == 0 else 30)),
                        [node.address])
        client = node.imap_client()
        client.select("INBOX")
        client.uid("COPY", "2:4", "Archive")
        client.uid("STORE", "2", "+FLAGS", r"(\Deleted)")
        client.uid("EXPUNGE", "2")
        client.logout()
        before = read_all(node)
        node.stop()
        saved = node.home.parent / "saved"
        shutil.copytree(node.home, saved)
        damaged_log_and_view(node, saved, before)
        shred(node, saved, before)
    print("repair and shred: all right")


if __name__ == "__main__":
    main(sys.argv[1])
