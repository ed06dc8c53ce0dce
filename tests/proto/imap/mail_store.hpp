// Mails whose bytes matter, for the tests of FETCH and SEARCH: nested, encoded, empty, large.
#pragma once

#include "tests/proto/imap/player.hpp"

#include <string>
#include <string_view>

namespace pp::imap::test {

inline const std::string nested_mail =
    "Date: Sat, 28 Jan 1995 23:30:00 -0500\r\n"
    "From: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.com>\r\n"
    "To: Ann <ann@example.com>\r\n"
    "Subject: parcel\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=b\r\n"
    "\r\n"
    "--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "caf=C3=A9 au=\r\n lait\r\n"
    "--b\r\n"
    "Content-Type: application/octet-stream\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "AAECAw==\r\n"
    "--b\r\n"
    "Content-Type: message/rfc822\r\n"
    "\r\n"
    "Subject: inner\r\n"
    "X-Note: yes\r\n"
    "\r\n"
    "inside\r\n"
    "--b\r\n"
    "Content-Type: application/x-odd\r\n"
    "Content-Transfer-Encoding: x-odd\r\n"
    "\r\n"
    "odd\r\n"
    "--b--\r\n";
inline const std::string small_mail = "From: carl@example.com\r\nSubject: small\r\n\r\nhello\r\n";
inline const std::string empty_mail = "Subject: nothing\r\n\r\n";

// Larger than two pieces; every part of it tells where it is.
std::string large_mail();

// INBOX: 11 nested, 12 small (\Seen), 15 empty (\Deleted $label1), 20 large (recent).
fake_store mail_store();

std::string play_mails(std::string_view script);

// Whole, byte by byte, and cut at every byte of the client's lines.
std::string play_mails_everywhere(std::string_view script);

// What the server sends for one command in the selected INBOX.
std::string said(player& one, const std::string& line);
void select_inbox(player& one);

}  // namespace pp::imap::test
