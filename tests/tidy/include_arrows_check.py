"""The arrows of the architecture: which box may include which, and where Asio, OpenSSL's TLS and spdlog may be seen."""

import re

from checks import lines, run

# Box of a path -> boxes it may include beside itself. Longest prefix first.
ALLOWED = {
    "crypto": set(),
    "proto/mail": set(),
    "proto/wire": {"crypto"},
    "proto": {"crypto", "proto/mail", "proto/wire", "proto/sasl", "proto"},
    "storage": {"crypto", "proto/mail"},
    "daemon/engine": {"crypto", "proto", "proto/mail", "proto/wire", "proto/sasl", "storage"},
    "daemon/services": {"crypto", "proto", "proto/mail", "proto/wire", "proto/sasl", "storage", "daemon/engine"},
    "daemon/net": {"crypto", "proto", "proto/mail", "proto/wire", "proto/sasl", "storage", "daemon/engine",
                   "daemon/services"},
    "daemon/cli": {"crypto", "proto", "proto/mail", "proto/wire", "proto/sasl", "storage", "daemon/engine",
                   "daemon/services", "daemon/net"},
    "daemon": {"crypto", "daemon/services", "daemon/net", "daemon/cli", "storage"},
}
ALLOWED["proto/sasl"] = {"crypto", "proto/wire"}
# proto/smtp, imap, peer and dht are boxes of one kind: none may see another.
for brother in ("smtp", "imap", "peer", "dht", "relay", "portmap", "punch", "gateway"):
    ALLOWED[f"proto/{brother}"] = {"crypto", "proto/mail", "proto/wire", "proto/sasl"}

EDGE = re.compile(r"boost/asio|asio\.hpp>|openssl/ssl|spdlog/|fmt/")
EDGE_BOXES = ("daemon/net", "daemon/services", "daemon/cli", "daemon")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


def box(path):
    fits = [b for b in ALLOWED if path.startswith(b + "/")]
    return max(fits, key=len) if fits else None


def check(name, text):
    mine = box(name)
    if mine is None:
        return   # tests see everything
    allowed = ALLOWED[mine]
    for number, line in lines(text):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, target = match.groups()
        if quote == "<" and EDGE.search(target) and mine not in EDGE_BOXES:
            yield f"{number}: {mine} must not include <{target}>"
        theirs = box(target)
        if quote == '"' and theirs is None:
            yield f'{number}: "{target}" is not written from the root of the repository'
        elif theirs and theirs != mine and theirs not in allowed and not (
                "proto" in allowed and theirs.startswith("proto/")):
            yield f"{number}: {mine} must not include {theirs} ({target})"


run(check,
    planted=[("proto/imap/a.cpp", '#include "storage/txn.hpp"'),
             ("storage/a.cpp", '#include "proto/peer/messages.hpp"'),
             ("proto/mail/a.cpp", '#include "crypto/keys.hpp"'), ("crypto/a.cpp", '#include "proto/mail/date.hpp"'),
             ("daemon/engine/a.cpp", '#include <boost/asio/post.hpp>'),
             ("proto/imap/a.cpp", "#include <spdlog/spdlog.h>"),
             ("daemon/services/a.cpp", '#include "daemon/net/server.hpp"'),
             ("proto/smtp/a.cpp", '#include "proto/imap/b.hpp"'), ("crypto/a.cpp", "#include <openssl/ssl.h>"),
             ("crypto/a.cpp", '#include "keys.hpp"')],
    clean=[("daemon/net/a.cpp", "#include <boost/asio/post.hpp>"), ("crypto/a.cpp", "#include <openssl/evp.h>"),
           ("daemon/engine/a.cpp", '#include "proto/peer/messages.hpp"')],
    folders=("crypto", "proto", "storage", "daemon"))
