"""POP3 with programs as users have them: Python's poplib, curl, fetchmail; beside IMAP, over a restart,
deleting to Trash."""

import os
import pathlib
import poplib
import shutil
import socket
import ssl
import subprocess
import sys

from node import free_port, mail_from, nodes, wait_until

TIMEOUT_S = 120
MAILS = [
    b"plain\r\n",
    b".\r\n..\r\n.dot\r\n",
    b"no end",
    "Gr\u00fc\u00dfe \u6f22\u5b57\r\n".encode(),
    (b"x" * 998 + b"\r\n") * 300,
    b"",
]


def run(*command, expect=0, text=None, **environment):
    done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S, input=text,
                          env={**os.environ, "LC_ALL": "C", **environment})
    assert done.returncode == expect, (
        f"{command[0]}: exit {done.returncode}, not {expect}\n"
        f"{done.stdout.decode(errors='replace')[-3000:]}{done.stderr.decode(errors='replace')[-3000:]}")
    return done.stdout


def login(node, port):
    client = poplib.POP3("localhost", port, timeout=TIMEOUT_S)
    client.user(node.address)
    client.pass_(node.password)
    return client


def uids(client):
    return [line.decode().split()[1] for line in client.uidl()[1]]


def unstuffed(lines):
    return b"".join(line + b"\r\n" for line in lines)


def main(binary):
    missing = [p for p in ("curl", "fetchmail") if not shutil.which(p)]
    assert not missing, f"not installed (packaging/setup does it): {' '.join(missing)}"
    plain, implicit, starttls = free_port(), free_port(), free_port()
    toml = f"""
[pop3]
listen = [{{ address = "127.0.0.1", port = {plain}, tls = "none" }},
          {{ address = "127.0.0.1", port = {implicit}, tls = "implicit" }},
          {{ address = "127.0.0.1", port = {starttls}, tls = "starttls" }}]
[log]
rawlog = "raw"
"""
    with nodes(binary, "alice", extra_toml=toml) as (alice,):
        alice.start()
        folder = pathlib.Path(alice.home).parent
        status = alice.command("status", "--json").replace(" ", "")
        assert f'"service":"pop3","address":"127.0.0.1","port":{plain}' in status
        mails = [mail_from(alice, alice.address, f"mail {n}", body) for n, body in enumerate(MAILS)]
        imap = alice.imap_client()
        for mail in mails:
            assert imap.append("INBOX", None, None, mail)[0] == "OK"
        count = len(mails) + 1   # and the welcome mail

        # reading
        client = login(alice, plain)
        assert client.stat()[0] == count
        ids = uids(client)
        assert len(set(ids)) == count and all(0 < len(i) <= 70 for i in ids), ids
        sizes = [int(line.split()[1]) for line in client.list()[1]]
        for n, mail in enumerate(mails, start=2):
            assert sizes[n - 1] == len(mail)
            _, lines, octets = client.retr(n)
            expected = mail if mail.endswith(b"\r\n") else mail + b"\r\n"
            assert unstuffed(lines) == expected, n
            header = mail[:mail.index(b"\r\n\r\n") + 4]
            assert unstuffed(client.top(n, 0)[1]) == header
            assert client.uidl(n).decode().split()[2] == ids[n - 1]
        capabilities = client.capa()
        for name in ("TOP", "USER", "SASL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UIDL", "UTF8", "LANG",
                     "IMPLEMENTATION"):
            assert name in capabilities, capabilities
        assert capabilities["EXPIRE"] == ["NEVER"] and "STLS" not in capabilities

        # a snapshot: what IMAP does meanwhile is not seen, except that what is gone cannot be read
        imap.append("INBOX", None, None, mails[0])
        assert client.stat()[0] == count
        imap.select("INBOX")
        imap.store("2", "+FLAGS", r"(\Deleted)")
        imap.expunge()
        try:
            client.retr(2)
            raise SystemExit("an expunged mail was read")
        except poplib.error_proto as e:
            assert b"-ERR" in e.args[0], e
        # deleting: gone from the maildrop at once, from INBOX with QUIT, then in Trash
        client.dele(3)
        assert client.stat()[0] == count - 1
        assert len(alice.bodies()) == count
        client.quit()
        assert len(alice.bodies()) == count - 1
        assert list(alice.bodies("Trash").values()) == [mails[1]]
        imap.noop()
        imap.select("INBOX", readonly=True)
        seen = imap.search(None, "SEEN")[1][0].split()
        assert len(seen) == len(mails) - 2, seen   # those that RETR brought and that are still there

        # without QUIT nothing is deleted
        client = login(alice, plain)
        client.dele(1)
        client.sock.shutdown(socket.SHUT_RDWR)
        client.close()
        client = login(alice, plain)
        assert client.stat()[0] == count - 1
        again = uids(client)
        assert set(again) < set(ids) | {again[-1]} and again[0] == ids[0], (ids, again)
        client.quit()

        # TLS
        context = ssl.create_default_context(cafile=alice.ca_file)
        client = poplib.POP3_SSL("localhost", implicit, context=context, timeout=TIMEOUT_S)
        client.user(alice.address)
        client.pass_(alice.password)
        client.quit()
        client = poplib.POP3("localhost", starttls, timeout=TIMEOUT_S)
        try:
            client.user(alice.address)
            raise SystemExit("a login in the clear was offered")
        except poplib.error_proto:
            pass
        client.stls(context)
        client.user(alice.address)
        client.pass_(alice.password)
        client.quit()

        # curl
        login_text = f"{alice.address}:{alice.password}"
        def curl(url, *more, expect=0, user=login_text):
            return run("curl", "-q", "-s", "-S", "--cacert", alice.ca_file, "-u", user, url, *more, expect=expect)
        assert curl(f"pop3s://localhost:{implicit}/").count(b"\r\n") == count - 1
        assert curl(f"pop3s://localhost:{implicit}/2") == mails[2] + b"\r\n"
        assert curl(f"pop3://localhost:{starttls}/2", "--ssl-reqd") == mails[2] + b"\r\n"
        curl(f"pop3://localhost:{starttls}/", expect=67)
        curl(f"pop3s://localhost:{implicit}/", user=f"{alice.address}:wrong", expect=67)
        curl(f"pop3s://localhost:{implicit}/99", expect=8)    # weird server reply: -ERR
        for mechanism in ("PLAIN", "LOGIN"):
            curl(f"pop3s://localhost:{implicit}/", "--login-options", f"AUTH={mechanism}", "--sasl-ir")

        # a restart keeps the unique ids; then fetchmail takes everything away
        code, _ = alice.stop()
        assert code == 0
        alice.start()
        client = login(alice, plain)
        assert uids(client) == again
        client.quit()
        spool, rc = folder / "spool", folder / "fetchmailrc"
        script = folder / "deliver.sh"
        script.write_text(f"#!/bin/sh\ncat >> {spool}\necho '----' >> {spool}\n")
        script.chmod(0o700)
        rc.write_text(f'poll localhost protocol pop3 port {implicit} uidl user "{alice.address}" '
                      f'password "{alice.password}" ssl sslcertck sslcertfile "{alice.ca_file}" mda "{script}" '
                      f'fetchall nokeep\n')
        rc.chmod(0o600)
        run("fetchmail", "-f", str(rc), "--nodetach", "--nosyslog", "--pidfile", str(folder / "fm.pid"), "-i",
            str(folder / "fm.ids"), HOME=str(folder), FETCHMAILHOME=str(folder))
        assert spool.read_text(errors="replace").count("----") == count - 1
        wait_until(lambda: not alice.bodies(), 20, "fetchmail's mails are still in INBOX")
        assert len(alice.bodies("Trash")) == count
        run("fetchmail", "-f", str(rc), "--nodetach", "--nosyslog", "--pidfile", str(folder / "fm.pid"), expect=1,
            HOME=str(folder), FETCHMAILHOME=str(folder))   # nothing to fetch
        code, _ = alice.stop()
        assert code == 0
        for file in (alice.home / "raw").iterdir():
            assert alice.password.encode() not in file.read_bytes(), file
    print("POP3: all right")


if __name__ == "__main__":
    main(sys.argv[1])
