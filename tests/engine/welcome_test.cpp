#include "daemon/engine/mime_writer.hpp"
#include "daemon/engine/vcard.hpp"
#include "daemon/engine/welcome.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace std::literals;

namespace {

std::string unfold_card(std::string text) {
    for (std::size_t at; (at = text.find("\r\n ")) != text.npos;) text.erase(at, 3);
    return text;
}

std::string decode_qp(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
        } else if (text.substr(i, 3) == "=\r\n") {
            i += 2;
        } else {
            out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
            i += 2;
        }
    }
    return out;
}

void check_lines(std::string_view text, std::size_t longest) {
    while (!text.empty()) {
        const auto end = text.find("\r\n");
        REQUIRE(end != text.npos);
        REQUIRE(end <= longest);
        const auto line = text.substr(0, end);
        REQUIRE(line.find('\n') == line.npos);
        REQUIRE(line.find('\r') == line.npos);
        text.remove_prefix(end + 2);
    }
}

engine::welcome full() {
    engine::welcome w;
    w.address = "anna@" + std::string(56, 'a') + ".peerpost.alt";
    w.name = "Anna Gr\xc3\xbcn";
    w.invite_link = "peerpost:invite/" + std::string(300, 'k');
    w.qr_png = bytes(1000, std::byte{0x89});
    w.vcard = engine::vcard({w.name, w.address, w.invite_link});
    w.unix_seconds = 1795329794;
    w.dice.fill(std::byte{0xab});
    return w;
}

}  // namespace

TEST_CASE("the welcome mail is a well-formed multipart with its attachments") {
    const auto w = full();
    const auto mail = engine::welcome_mail(w);
    const auto text = std::string(as_text(mail));
    check_lines(text, 200);
    for (const char c : text) REQUIRE(static_cast<unsigned char>(c) < 0x80);
    const auto header = text.substr(0, text.find("\r\n\r\n") + 4);
    CHECK(header ==
          "Date: Sun, 22 Nov 2026 06:43:14 +0000\r\n"
          "From: peerpost <peerpost@localhost>\r\n"
          "To: =?utf-8?B?QW5uYSBHcsO8bg==?=\r\n <" + w.address + ">\r\n"
          "Subject: Welcome to peerpost\r\n"
          "Message-ID: <abababababababababababababababab@localhost>\r\n"
          "Auto-Submitted: auto-generated\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: multipart/mixed; boundary=\"=_abababababababababababababababab\"\r\n\r\n");
    const std::string boundary = "--=_abababababababababababababababab";
    std::size_t parts = 0;
    for (std::size_t at = 0; (at = text.find(boundary, at)) != text.npos; ++at) ++parts;
    CHECK(parts == 5);
    CHECK(text.ends_with(boundary + "--\r\n"));
    CHECK(text.find(engine::base64_lines(w.qr_png)) != text.npos);
    CHECK(text.find(engine::base64_lines(as_bytes(w.vcard))) != text.npos);
    CHECK(text.find(engine::base64_lines(as_bytes(w.invite_link + "\r\n"))) != text.npos);
    const auto begin = text.find("\r\n\r\n", header.size()) + 4;
    const auto body = decode_qp(text.substr(begin, text.find("\r\n" + boundary, begin) - begin));
    for (const std::string& word : {w.address, w.name, "INBOX"s, "Sent"s, "Requests"s, "Junk"s, "Outgoing"s,
                                    "peerpost invite"s, "peerpost contact add"s, "peerpost queue"s})
        CHECK(body.find(word) != body.npos);
    // A reader of a client's three-pane window sees lines as they are; only the address may be longer.
    for (std::size_t at = 0; at < body.size();) {
        const auto line = body.substr(at, body.find("\r\n", at) - at);
        at += line.size() + 2;
        INFO(line);
        CHECK((line.size() <= 72 || line.find(w.address) != line.npos));
    }
}

TEST_CASE("what is not given is not attached") {
    engine::welcome w;
    w.address = "a@b.alt";
    const auto mail = engine::welcome_mail(w);
    const auto text = std::string(as_text(mail));
    CHECK(text.find("Content-Disposition") == text.npos);
    CHECK(text.find("To: a@b.alt\r\n") != text.npos);
}

TEST_CASE("no name can add a field to the mail or a line to the card") {
    auto w = full();
    w.name = "x\r\nBcc: evil\r\n\r\nEND:VCARD\r\n;,\\\"\xff";
    w.address = "a\r\nX: y@b.alt";
    w.invite_link = "l\r\nEND:VCARD";
    w.vcard = engine::vcard({w.name, w.address, w.invite_link});
    const auto mail = engine::welcome_mail(w);
    const auto text = std::string(as_text(mail));
    const auto header = text.substr(0, text.find("\r\n\r\n") + 2);
    check_lines(header, 200);
    CHECK(header.find("\r\nBcc:") == header.npos);
    CHECK(header.find("\r\nX:") == header.npos);
    check_lines(w.vcard, 75);
    CHECK(w.vcard.find("\nEND:VCARD") == w.vcard.size() - 12);
    CHECK(unfold_card(w.vcard).find("FN:x  Bcc: evil    END:VCARD  \\;\\,\\\\\"?\r\n") != std::string::npos);
}

TEST_CASE("the card folds between characters") {   // RFC 2426 section 2.6
    std::string name;
    for (int i = 0; i < 100; ++i) name += "\xf0\x9f\x98\x80";
    const auto card = engine::vcard({name, "a@b.alt", ""});
    check_lines(card, 75);
    CHECK(unfold_card(card) == "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:" + name + "\r\nN:" + name +
                                   ";;;;\r\nEMAIL;TYPE=INTERNET:a@b.alt\r\nEND:VCARD\r\n");
    for (std::size_t at = 0; (at = card.find("\r\n ", at)) != card.npos; ++at)
        CHECK((static_cast<unsigned char>(card[at + 3]) & 0xc0) != 0x80);
    CHECK(engine::vcard({"", "anna@b.alt", ""}).find("FN:anna\r\n") != std::string::npos);
}

TEST_CASE("quoted-printable there and back") {   // RFC 2045 section 6.7
    const std::string text =
        "plain\nFrom here\n.dot\ntrailing \ntab\t\n\xc3\xa4=\n" + std::string(200, 'x') + "\n\nend";
    const auto encoded = engine::quoted_printable(text);
    check_lines(encoded, 76);
    std::string expected;
    for (const char c : text) expected += c == '\n' ? "\r\n"s : std::string(1, c);
    CHECK(decode_qp(encoded) == expected + "\r\n");
    CHECK(encoded.find("\r\n.") == encoded.npos);
    CHECK(encoded.find("\r\nFrom ") == encoded.npos);
    CHECK(encoded.find(" \r\n") == encoded.npos);
    CHECK(engine::quoted_printable("a\r\nb") == "a\r\nb\r\n");
}

TEST_CASE("phrases") {   // RFC 5322 section 3.2.5, RFC 2047 section 5
    using engine::header_phrase;
    CHECK(header_phrase("Anna Lee") == "Anna Lee");
    CHECK(header_phrase("Lee, Anna \"A\"") == "\"Lee, Anna \\\"A\\\"\"");
    CHECK(header_phrase("\xc3\xa4") == "=?utf-8?B?w6Q=?=");
    CHECK(header_phrase("=?utf-8?q?x?=").find("=?utf-8?B?") == 0);
    CHECK(header_phrase("a\r\nb") == "\"a  b\"");
    std::string name;
    for (int i = 0; i < 200; ++i) name += "\xe2\x82\xac";
    const auto phrase = header_phrase(name);
    check_lines(phrase + "\r\n", 76);
    std::string decoded;
    for (std::size_t at = 0; (at = phrase.find("?B?", at)) != phrase.npos;) {
        at += 3;
        const auto end = phrase.find("?=", at);
        const auto word = crypto::from_base64(phrase.substr(at, end - at));
        REQUIRE(word.has_value());
        CHECK(word->size() % 3 == 0);   // whole characters
        decoded += as_text(*word);
    }
    CHECK(decoded == name);
}
