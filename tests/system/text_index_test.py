"""The full-text index of the running program: SEARCH answers the same before the index is there, while it is made,
after kills in the middle, and when it is complete; when all is indexed the program rests."""

import json
import random
import sys
import time

from node import nodes, wait_until
from process import cpu_seconds

MAILS = 400
WORDS = {  # a word as it stands in mails: what finds it
    "Straße": ["straße", "STRASSE"[:4]],
    "ΟΔΥΣΣΕΥΣ": ["οδυσσευσ"],
    "Οδυσσεύς": ["οδυσσεύς", "ΟΔΥΣΣΕΎΣ"],
    "東京都庁": ["東京", "京都", "庁"],
    "Привет": ["ПРИВЕТ", "риве"],
    "İstanbul": ["stanbul"],
    "mailbox": ["MAILBOX", "ailb", "ma"],
    "한국어": ["한국"],
}
NEVER = ["nowhere-at-all", "東北", "zqx"]


def mail(dice, number):
    words = [dice.choice(list(WORDS)) for _ in range(dice.randrange(3))]
    filler = " ".join("".join(dice.choice("aeioulnrst") for _ in range(dice.randrange(2, 9))) for _ in range(80))
    body = f"{filler} {' '.join(words)} end of {number}"
    subject = f"Subject: number {number}\r\n"
    return (subject + "Content-Type: text/plain; charset=utf-8\r\n\r\n" + body + "\r\n").encode()


def found(client, key, needle):
    client.literal = needle.encode()
    kind, data = client.uid("SEARCH", "CHARSET", "UTF-8", key)
    assert kind == "OK", data
    return [int(uid) for uid in (data[0] or b"").split()]


def answers(client):
    out = {}
    for needle in [n for several in WORDS.values() for n in several] + NEVER:
        for key in ("BODY", "TEXT", "HEADER Subject"):
            out[key, needle] = found(client, key, needle)
    return out


def index_of(node):
    return json.loads(node.command("status", "--json"))["accounts"][0]["index"]


def append(client, texts):
    for text in texts:
        assert client.append("INBOX", None, None, text)[0] == "OK"


def main(binary):
    dice = random.Random(5)
    with nodes(binary, "alice") as (alice,):
        alice.start()
        client = alice.imap_client()
        append(client, [mail(dice, n) for n in range(MAILS)])
        client.select("INBOX")
        first = answers(client)
        assert all(first["BODY", n] for several in WORDS.values() for n in several), "the words are not found at all"
        assert not any(first["BODY", n] for n in NEVER)

        for _ in range(3):  # killed while it works, or before, or after
            time.sleep(dice.random() * 2.5)
            alice.kill()
            alice.start()
            client = alice.imap_client()
            client.select("INBOX")
            assert answers(client) == first, "other answers after a kill"
        wait_until(lambda: index_of(alice)["waiting"] == 0, 60, "the index is never complete")
        assert index_of(alice)["bytes"] > 0
        assert answers(client) == first, "other answers with the whole index"

        # New mails are found at once; expunged ones are not.
        client.append("INBOX", None, None, "Subject: late\r\n\r\nneedle-of-the-day\r\n".encode())
        client.select("INBOX")
        late = found(client, "TEXT", "needle-of-the-day")
        assert len(late) == 1
        wait_until(lambda: index_of(alice)["waiting"] == 0, 60, "a new mail is not indexed")
        assert found(client, "TEXT", "needle-of-the-day") == late
        client.uid("MOVE", str(late[0]), "Archive")
        assert found(client, "TEXT", "needle-of-the-day") == []
        client.select("Archive")
        assert len(found(client, "TEXT", "needle-of-the-day")) == 1
        client.logout()

        wait_until(lambda: index_of(alice)["waiting"] == 0, 60, "a moved mail is not indexed")
        time.sleep(2.5)  # what the move has woken goes to sleep again
        before = cpu_seconds(alice.process.pid)
        time.sleep(2)
        used = cpu_seconds(alice.process.pid) - before
        assert used <= 0.05 * 2, f"{used:.2f} s of CPU in two idle seconds"
        assert json.loads(alice.command("check", "--json"))["sound"]
        alice.stop()
    print("ok")


if __name__ == "__main__":
    main(sys.argv[1])
