"""STARTTLS of both protocols with clients of the standard library: refused is a login before it, verified is the
certificate, dropped is what was sent in the clear behind it, and several connections do it at the same time."""

import imaplib
import smtplib
import socket
import ssl
import sys

from node import mail_from, nodes, wait_until


def converse(port, lines):
    """Sends lines at once, gives everything that comes until the other side is silent or closes."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        greeting = s.recv(4096)
        assert greeting, "no greeting"
        s.sendall(lines)
        s.settimeout(3)
        got = b""
        try:
            while chunk := s.recv(4096):
                got += chunk
        except (TimeoutError, ConnectionResetError):
            pass
        return got


def main(binary):
    with nodes(binary, "alice") as (alice,):
        alice.start()
        tls = ssl.create_default_context(cafile=alice.ca_file)

        clear = imaplib.IMAP4("localhost", alice.imap_starttls, timeout=20)
        assert "LOGINDISABLED" in clear.capabilities and "STARTTLS" in clear.capabilities, clear.capabilities
        try:
            clear.login(alice.address, alice.password)
            raise SystemExit("a login in the clear was accepted")
        except imaplib.IMAP4.error:
            pass
        clear.starttls(tls)
        assert "LOGINDISABLED" not in clear.capabilities and "STARTTLS" not in clear.capabilities, clear.capabilities
        clear.login(alice.address, alice.password)
        assert clear.select("INBOX")[0] == "OK"

        many = [imaplib.IMAP4("localhost", alice.imap_starttls, timeout=20) for _ in range(8)]
        for client in many:
            client.starttls(tls)
        for client in many:
            client.login(alice.address, alice.password)
            client.logout()
        assert clear.noop()[0] == "OK"
        clear.logout()

        with smtplib.SMTP("localhost", alice.smtp_starttls, timeout=20) as client:
            client.ehlo()
            assert client.has_extn("starttls") and not client.has_extn("auth")
            assert client.docmd("MAIL", f"FROM:<{alice.address}>")[0] == 530
            client.starttls(context=tls)
            client.ehlo()
            assert client.has_extn("auth") and not client.has_extn("starttls")
            client.login(alice.address, alice.password)
            mail = mail_from(alice, alice.address, "secured", b"over STARTTLS\r\n")
            client.sendmail(alice.address, [alice.address], mail)
        wait_until(lambda: any(b.endswith(mail) for b in alice.bodies().values()), 20, "the mail did not arrive")

        # what stands behind STARTTLS in the same segment never counts as said under TLS (CVE-2011-0411)
        assert b"a2 OK" not in converse(alice.imap_starttls, b"a1 STARTTLS\r\na2 NOOP\r\n")
        assert b"\r\n250" not in converse(alice.smtp_starttls, b"STARTTLS\r\nNOOP\r\n")
        # nonsense for a handshake, and a client that leaves in the middle of it, cost that connection only
        converse(alice.imap_starttls, b"a1 STARTTLS\r\n")
        converse(alice.smtp_starttls, b"EHLO x\r\nSTARTTLS\r\n")
        assert alice.bodies(), "the node does not answer any more"
        code, _ = alice.stop()
        assert code == 0, code
    print("starttls: all right")


if __name__ == "__main__":
    main(sys.argv[1])
