"""SEARCH, SORT, THREAD and ESEARCH of the real program: what two sessions see of each other's changes in updating
searches, mailboxes that are not selected, and that the answers after a restart, when nothing is in memory, are those of
before."""

import imaplib
import sys

import search_cases
from node import nodes

MAILS, COMMANDS = 60, 120


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def ask(client, command):
    """The untagged lines of one command, and how it ended."""
    tag = client._new_tag().decode()
    client.send(f"{tag} {command}\r\n".encode())
    lines = []
    while True:
        line = client.readline().decode().rstrip("\r\n")
        if line.startswith(tag + " "):
            return lines, line[len(tag) + 1:]
        lines.append(line[2:])


def login(node, mailbox="INBOX"):
    client = imaplib.IMAP4("127.0.0.1", node.imap)
    client.login(node.address, node.password)
    if mailbox:
        client.select(mailbox)
    return client


def fill(client, mailbox, mails):
    for mail in mails:
        client.append(mailbox, "(" + " ".join(mail.flags) + ")", f'"{mail.internal_date}"', mail.content)


def same_after_restart(node):
    client = login(node, "Archive")
    cases = search_cases.commands(COMMANDS, seed=5, mail_count=MAILS)
    before = [case.result(search_cases.send(client, case)) for case in cases]
    again = [case.result(search_cases.send(client, case)) for case in cases]
    check(before == again, "answers with the fields in memory differ")
    check(any(answer for answer in before), "nothing was found at all")
    client.logout()
    node.stop()
    node.start()
    client = login(node, "Archive")
    for case, expected in zip(reversed(cases), reversed(before)):
        check(case.result(search_cases.send(client, case)) == expected,
              f"another answer after a restart: {case.command}")
    client.logout()


def updates_between_sessions(node):
    one, other = login(node, "Drafts"), login(node, "Drafts")
    one.append("Drafts", None, None, b"Subject: beta\r\n\r\nx")
    one.append("Drafts", None, None, b"Subject: delta\r\n\r\nx")
    lines, end = ask(one, "NOOP")
    tag_lines, end = ask(one, 'UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED')
    check(end.startswith("OK") and "ALL 1:2" in tag_lines[0], f"SORT RETURN (UPDATE): {tag_lines} {end}")
    correlator = tag_lines[0][tag_lines[0].index("("):tag_lines[0].index(")") + 1]
    other.append("Drafts", None, None, b"Subject: Re: camma\r\n\r\nx")
    lines, _ = ask(one, "NOOP")
    check(f"ESEARCH {correlator} UID ADDTO (2 3)" in lines, f"no ADDTO for the new mail: {lines}")
    other.select("Drafts")
    ask(other, "UID STORE 1 +FLAGS (\\Deleted)")
    lines, _ = ask(one, "NOOP")
    check(f"ESEARCH {correlator} UID REMOVEFROM (1 1)" in lines, f"no REMOVEFROM for the flag: {lines}")
    ask(other, "UID STORE 3 +FLAGS (\\Deleted)")
    ask(other, "EXPUNGE")
    lines, _ = ask(one, "NOOP")
    check(any("REMOVEFROM" in line and " 3" in line for line in lines), f"no REMOVEFROM for the expunged mail: {lines}")
    check(sum("EXPUNGE" in line for line in lines) == 2, f"not two EXPUNGE: {lines}")
    lines, _ = ask(one, "UID SEARCH ALL")
    check(lines == ["SEARCH 2"], f"a mail that is gone is found: {lines}")
    one.logout()
    other.logout()


def several_mailboxes(node):
    client = login(node, None)
    client.create("Projects/one")
    client.append("Projects/one", None, None, b"Subject: needle\r\n\r\nthe body of it")
    client.append("Trash", None, None, b"Subject: hay\r\n\r\na needle in the hay")
    lines, end = ask(client, 'ESEARCH IN (subtree Projects) SUBJECT "needle"')
    check(end.startswith("OK") and len(lines) == 1 and 'MAILBOX Projects/one UIDVALIDITY' in lines[0]
          and lines[0].endswith("UID ALL 1"),
          f"ESEARCH IN (subtree): {lines} {end}")
    lines, end = ask(client, 'ESEARCH IN (personal) RETURN (COUNT) TEXT "needle"')
    check(end.startswith("OK") and len(lines) == 2 and all(line.endswith("COUNT 1") for line in lines),
          f"{lines} {end}")
    lines, end = ask(client, 'ESEARCH ALL')
    check(end.startswith("BAD"), f"ESEARCH without a mailbox: {end}")
    lines, end = ask(client, 'ESEARCH IN (mailboxes Trash) YOUNGER 60')
    check(len(lines) == 1, f"a mail of this minute is not younger than a minute: {lines} {end}")
    lines, end = ask(client, 'ESEARCH IN (mailboxes Trash) OLDER 60')
    check(not lines, f"a mail of this minute is older than a minute: {lines} {end}")
    client.logout()


def main(binary):
    with nodes(binary, "ann") as (node,):
        node.start()
        client = login(node)
        fill(client, "Archive", search_cases.mails(MAILS, seed=5))
        client.logout()
        same_after_restart(node)
        updates_between_sessions(node)
        several_mailboxes(node)


if __name__ == "__main__":
    main(sys.argv[1])
