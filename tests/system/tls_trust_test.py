"""A client that was not told to trust ca.pem fails, and the log says why; one that was is served, by the name localhost
and by address."""

import imaplib
import smtplib
import ssl
import sys

from node import nodes, wait_until


def main(binary):
    with nodes(binary, "alice") as (alice,):
        alice.start()
        refused = 0
        try:
            imaplib.IMAP4_SSL("localhost", alice.imaps, ssl_context=ssl.create_default_context(), timeout=30)
        except ssl.SSLCertVerificationError:
            refused += 1
        assert refused == 1, "a certificate that nobody vouches for was accepted"
        line = f"port={alice.imaps} event=tls_failed"
        wait_until(lambda: line in alice.log_text(), 20, "the failed handshake is not in the log")
        assert "unknown ca" in alice.log_text().lower(), alice.log_text()

        trusting = ssl.create_default_context(cafile=alice.ca_file)
        for host in ("localhost", "127.0.0.1"):
            with imaplib.IMAP4_SSL(host, alice.imaps, ssl_context=trusting, timeout=30) as client:
                client.login(alice.address, alice.password)
                assert client.select("INBOX")[1] == [b"1"]
            with smtplib.SMTP_SSL(host, alice.smtps, context=trusting, timeout=30) as client:
                client.login(alice.address, alice.password)
        assert alice.log_text().count("event=tls_failed") == 1
        code, _ = alice.stop()
        assert code == 0, code
    print("tls trust: ok")


if __name__ == "__main__":
    main(sys.argv[1])
