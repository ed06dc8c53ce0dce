"""SCRAM logins of IMAP, SMTP and POP3: with and without channel binding, by a client of its own and by gsasl; what is
refused; passwords from before SCRAM; names that exist and names that do not look alike."""

import base64
import imaplib
import shutil
import smtplib
import ssl
import subprocess
import sys
import time

from node import free_port, nodes
from scram import Scram, end_point, tls12

TIMEOUT_S = 60


def b64(data):
    return base64.b64encode(data).decode()


class Refused(Exception):
    pass


def imap(node, scram, mechanism, context=None, port=None):
    """Logs in by AUTHENTICATE; checks the server's signature."""
    if context:
        client = imaplib.IMAP4_SSL("localhost", port or node.imaps, ssl_context=context, timeout=TIMEOUT_S)
    else:
        client = imaplib.IMAP4("localhost", port or node.imap, timeout=TIMEOUT_S)
    try:
        if scram.data is None:
            unique = b"tls-unique" in scram.header
            scram.data = client.sock.get_channel_binding("tls-unique") if unique else end_point(client.sock)
        steps = [lambda _: scram.first(), scram.last, lambda v: check(v, scram.expected)]

        def answer(challenge):
            return steps.pop(0)(challenge)

        try:
            typ, text = client.authenticate(mechanism, answer)
        except imaplib.IMAP4.error as e:
            raise Refused(str(e)) from None
        assert typ == "OK" and not steps, (typ, text, steps)
        assert client.select("INBOX")[0] == "OK"
        return client.capabilities
    finally:
        client.shutdown()


def check(got, expected):
    assert got == expected, "the server's signature is wrong"
    return b""


def smtp(node, scram, mechanism, context=None):
    client = smtplib.SMTP_SSL("localhost", node.smtps, context=context, timeout=TIMEOUT_S) if context else \
        smtplib.SMTP("localhost", node.smtp, timeout=TIMEOUT_S)
    with client:
        client.ehlo()
        assert mechanism in client.esmtp_features["auth"].split(), client.esmtp_features
        if scram.data is None:
            scram.data = end_point(client.sock)
        code, challenge = client.docmd("AUTH", f"{mechanism} {b64(scram.first())}")
        if code != 334:
            raise Refused(f"{code}")
        code, challenge = client.docmd(b64(scram.last(base64.b64decode(challenge))))
        if code != 334:
            raise Refused(f"{code}")
        check(base64.b64decode(challenge), scram.expected)
        assert client.docmd("")[0] == 235
        assert client.mail(node.address)[0] == 250


def refused(f, *arguments):
    try:
        f(*arguments)
    except Refused as e:
        return str(e)
    raise AssertionError("a login was accepted that is wrong")


def salt_of(node, user):
    scram = Scram(user, "x")
    refused(imap, node, scram, "SCRAM-SHA-256")
    return scram.salt, scram.count


def gsasl(node, protocol, port, mechanism, password, tls):
    """True when GNU SASL gets in."""
    done = subprocess.run(["gsasl", "--client", f"--{protocol}", f"--connect=localhost:{port}", "--hostname=localhost",
                           f"--mechanism={mechanism}", f"--authentication-id={node.address}",
                           f"--password={password}", "--quiet",
                           *([f"--x509-ca-file={node.ca_file}", "--starttls"] if tls else ["--no-starttls"])],
                          capture_output=True, timeout=TIMEOUT_S, input=b"")
    return done.returncode == 0, done.stdout + done.stderr


def main(binary):
    assert shutil.which("gsasl"), "not installed (packaging/setup does it): gsasl"
    pop3_port = free_port()
    pop3 = f'[pop3]\nlisten = [{{ address = "127.0.0.1", port = {pop3_port}, tls = "none" }}]'
    with nodes(binary, "alice", extra_toml=pop3) \
            as (alice,):
        alice.start()
        new, old = ssl.create_default_context(cafile=alice.ca_file), tls12(alice.ca_file)
        user, password = alice.address, alice.password

        # without TLS there is nothing to bind to; "y" is true then
        imap(alice, Scram(user, password), "SCRAM-SHA-256")
        imap(alice, Scram(user, password, flag="y"), "SCRAM-SHA-256")
        imap(alice, Scram(alice.account, password), "SCRAM-SHA-256")
        smtp(alice, Scram(user, password), "SCRAM-SHA-256")
        for context in (new, old):
            imap(alice, Scram(user, password), "SCRAM-SHA-256", context)
            imap(alice, Scram(user, password, "tls-server-end-point", None), "SCRAM-SHA-256-PLUS", context)
            smtp(alice, Scram(user, password, "tls-server-end-point", None), "SCRAM-SHA-256-PLUS", context)
        imap(alice, Scram(user, password, "tls-unique", None), "SCRAM-SHA-256-PLUS", old)

        # another channel; a type that TLS 1.3 does not have; an offer that somebody has cut; a wrong password
        refused(imap, alice, Scram(user, password, "tls-server-end-point", b"x" * 32), "SCRAM-SHA-256-PLUS", new)
        refused(imap, alice, Scram(user, password, "tls-unique", b"x" * 12), "SCRAM-SHA-256-PLUS", new)
        refused(imap, alice, Scram(user, password, flag="y"), "SCRAM-SHA-256", new)
        refused(smtp, alice, Scram(user, password, flag="y"), "SCRAM-SHA-256", new)
        begun = time.monotonic()
        almost = password[:-1] + ("y" if password.endswith("x") else "x")
        refused(imap, alice, Scram(user, almost), "SCRAM-SHA-256")
        assert time.monotonic() - begun > 1.5, "a wrong proof costs no time"

        # names cannot be probed: who is not here has a salt that stays, whatever the case and the local part
        nobody = f"{'a' * 56}.peerpost.alt"
        assert salt_of(alice, f"x@{nobody}") == salt_of(alice, f"Y@{nobody}") == salt_of(alice, "a" * 56)
        assert salt_of(alice, f"x@{nobody}") != salt_of(alice, "x@example.org")
        assert salt_of(alice, user) == salt_of(alice, f"other@{alice.account}.peerpost.alt")
        assert len(salt_of(alice, user)[0]) == len(salt_of(alice, "nobody")[0])

        # every password of the account is proved by itself, and a revoked one by nothing
        second = alice.command("password", "new", "--name", "second", "--json")
        second = second.split('"password":"')[1].split('"')[0]
        imap(alice, Scram(user, second), "SCRAM-SHA-256")
        alice.command("password", "revoke", "second")
        refused(imap, alice, Scram(user, second), "SCRAM-SHA-256")

        # GNU SASL: tls-exporter on TLS 1.3
        for protocol, port, starttls in (("imap", alice.imap, alice.imap_starttls),
                                         ("smtp", alice.smtp, alice.smtp_starttls)):
            # (on TLS it refuses to log in without the binding)
            for mechanism, tls in (("SCRAM-SHA-256", False), ("SCRAM-SHA-256-PLUS", True), ("PLAIN", True)):
                good, output = gsasl(alice, protocol, starttls if tls else port, mechanism, password, tls)
                assert good, (protocol, mechanism, tls, output.decode(errors="replace"))
            good, output = gsasl(alice, protocol, starttls, "SCRAM-SHA-256-PLUS", password[:-1], True)
            assert not good, (protocol, output)

        code, _ = alice.stop()
        assert code == 0
        assert alice.password not in alice.log_text()
    print("SCRAM: all right")


if __name__ == "__main__":
    main(sys.argv[1])
