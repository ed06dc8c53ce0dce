// The texts of a mail as the index takes them: what a search compares, and nothing that it compares is missing.
#include "proto/imap/search/searchable_text.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace pp;
using namespace pp::imap;

namespace {

struct collector : text_sink {
    std::map<text_stream, std::string> texts;
    std::vector<std::string> values;
    void text(text_stream where, std::string_view utf8) override { texts[where] += utf8; }
    void text_ended(text_stream where) override { texts[where] += '|'; }
    void header_value(text_stream, std::string_view utf8) override { values.emplace_back(utf8); }
};

bool read(const std::string& mail, collector& out, bool headers = true) {
    searchable_text text(std::make_shared<const mail::message_index>(mail::index_message(mail)), headers);
    while (const auto wanted = text.wants())
        text.give(std::string_view(mail).substr(wanted->offset, wanted->length), out);
    return text.header_is_plain();
}

}  // namespace

TEST_CASE("fields and bodies come apart, each to its end", "[imap][search]") {
    const std::string mail =
        "From: =?utf-8?q?J=C3=B6rg?= <j@x>\r\nSubject: a\r\n b\r\nCC : c@x\r\nX-Other: o\r\n"
        "Content-Type: text/html\r\n\r\n<p>one <b>t</b>wo</p>\r\n";
    collector all;
    CHECK(read(mail, all));
    CHECK(all.texts[text_stream::subject] == "Subject: a b|");
    CHECK(all.texts[text_stream::address] == "From: J\u00f6rg <j@x>|CC : c@x|");
    CHECK(all.texts[text_stream::other_header] == "X-Other: o|Content-Type: text/html||");
    CHECK(all.texts[text_stream::body] == "<p>one <b>t</b>wo</p>\r\n|");
    CHECK(all.texts[text_stream::reduced_html] == " one two|");
    CHECK(all.values.empty());
    collector body;
    read(mail, body, false);
    CHECK(body.texts.size() == 2);
}

TEST_CASE("values that the whole field hides are given apart", "[imap][search]") {
    // A name in Latin-1 makes the whole field Latin-1, its value alone is UTF-8.
    const std::string mail = "X\xe4: \xc3\xb6\r\nA=?utf-8?q?b: hidden?=\r\n\r\n";
    collector all;
    CHECK(read(mail, all));
    CHECK(all.values == std::vector<std::string>{"\u00f6", "hidden?="});
    CHECK(header_texts(mail, "X\xe4") == std::vector<std::string>{"\u00f6"});
}

TEST_CASE("a header beyond the limits is said to be one", "[imap][search]") {
    collector all;
    CHECK_FALSE(read("Subject: " + std::string(mail::header_field_bytes_max, 'x') + "\r\n\r\n", all));
    std::string mail;
    while (mail.size() <= mail::header_block_bytes_max) mail += "X: " + std::string(900, 'y') + "\r\n";
    CHECK_FALSE(read(mail + "\r\n", all));
}
