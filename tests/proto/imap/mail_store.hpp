// Mails whose bytes matter, for the tests of FETCH and SEARCH: nested, encoded, empty, large.
#pragma once

#include "tests/proto/imap/player.hpp"

#include <string>

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
inline std::string large_mail() {
    std::string text = "Subject: large\r\n\r\n";
    for (int line = 0; text.size() < 600 * 1024; ++line) text += "line " + std::to_string(line) + "\r\n";
    return text + "the very end";
}

// INBOX: 11 nested, 12 small (\Seen), 15 empty (\Deleted $label1), 20 large (recent).
inline fake_store mail_store() {
    fake_store store;
    store.indexer = [](const std::string& text) {
        return std::make_shared<const mail::message_index>(mail::index_message(text));
    };
    auto& inbox = store.create("INBOX");
    mail::flags none, seen, marked;
    seen.system = mail::seen;
    marked.system = mail::deleted;
    marked.add("$label1");
    inbox.uid_next = 11;
    inbox.add(nested_mail, none).internal_date = {791424000, 0};   // 30-Jan-1995
    inbox.add(small_mail, seen);
    inbox.uid_next = 15;
    inbox.add(empty_mail, marked).internal_date = {0, 0};
    inbox.uid_next = inbox.first_recent = 20;
    inbox.add(large_mail(), none);
    return store;
}

inline std::string play_mails(std::string_view script) { return player({}, mail_store()).play(script); }

// Whole, byte by byte, and cut at every byte of the client's lines.
inline std::string play_mails_everywhere(std::string_view script) {
    player whole({}, mail_store());
    if (auto wrong = whole.play(script); !wrong.empty()) return wrong;
    player slow({}, mail_store());
    if (auto wrong = slow.play(script, player::every_byte); !wrong.empty()) return "byte by byte: " + wrong;
    for (std::size_t cut = 1; cut < whole.bytes_sent(); ++cut) {
        player one({}, mail_store());
        if (auto wrong = one.play(script, cut); !wrong.empty()) return "cut at " + std::to_string(cut) + ": " + wrong;
    }
    return {};
}

// What the server sends for one command in the selected INBOX.
inline std::string said(player& one, const std::string& line) {
    one.feed(line + "\r\n");
    return one.take_output();
}
inline void select_inbox(player& one) {
    one.run();
    one.feed("g1 LOGIN ann secret\r\ng2 SELECT INBOX\r\n");
    one.take_output();
}

}  // namespace pp::imap::test
