"""A SCRAM-SHA-256 client (RFC 5802, RFC 7677) of its own, so that the server is not tested with its own code."""

import base64
import hashlib
import hmac
import os
import ssl


class Scram:
    def __init__(self, user, password, binding=None, data=b"", flag=None):
        """binding: name of the channel binding, for -PLUS; data: its bytes. flag: "n" or "y" without one."""
        self.user, self.password = user, password
        self.header = (f"p={binding},," if binding else f"{flag or 'n'},,").encode()
        self.data = data
        name, nonce = user.replace("=", "=3D").replace(",", "=2C"), base64.b64encode(os.urandom(18)).decode()
        self.bare = f"n={name},r={nonce}".encode()

    def first(self):
        return self.header + self.bare

    def last(self, challenge):
        fields = dict(part.split(b"=", 1) for part in challenge.split(b","))
        assert fields[b"r"].startswith(self.bare.split(b",r=")[1]), "the server changed our nonce"
        assert len(fields[b"r"]) >= len(self.bare.split(b",r=")[1]) + 16, "the server's nonce is short"
        self.salt, self.count = base64.b64decode(fields[b"s"]), int(fields[b"i"])
        assert self.count >= 4096
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), self.salt, self.count)
        client = hmac.digest(salted, b"Client Key", "sha256")
        without = b"c=" + base64.b64encode(self.header + self.data) + b",r=" + fields[b"r"]
        text = self.bare + b"," + challenge + b"," + without
        signature = hmac.digest(hashlib.sha256(client).digest(), text, "sha256")
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self.expected = b"v=" + base64.b64encode(hmac.digest(server_key, text, "sha256"))
        return without + b",p=" + base64.b64encode(bytes(a ^ b for a, b in zip(client, signature)))


def end_point(tls):
    """tls-server-end-point (RFC 5929 section 4) of a certificate that is signed with SHA-256."""
    return hashlib.sha256(tls.getpeercert(binary_form=True)).digest()


def tls12(ca_file):
    context = ssl.create_default_context(cafile=ca_file)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
