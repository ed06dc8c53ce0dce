// SMTP smuggling (CVE-2023-51764/5/6, 06-security 6.1.3): no sequence but CRLF.CRLF may end a mail, and no mail with a
// bare CR or LF is taken. Each sequence stands between a mail and a second one that must never be seen.
#include "proto/smtp/body_reader.hpp"
#include "tests/proto/smtp/player.hpp"

using namespace std::literals;
using player::desk;

namespace {

const std::string_view sequences[] = {
    "\n.\n",          "\n.\r\n",       "\r\n.\n",       "\r.\r",         "\r\n.\r",      "\r.\r\n",       "\n.\r",
    "\r.\n",          "\n\n.\n",       "\r\r\n.\n",     "\r\n.\r\r\n",   "\r\n.\n\r\n",  "\n\r.\r\n",     "\r\n\r.\r\n",
    "\r\n\n.\r\n",    "\n.\r\n\r",     "\0\n.\r\n"sv,   "\r\n.\0\r\n"sv, "\r\n \r\n.\n", "\r\n..\r\n",
    "\r\n.\t\r\n",    "\r\n. \r\n",    "\r\0\n.\r\n"sv, "\x0b.\x0b",     "\xc2\x85.\xc2\x85",
};

bool has_bare(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] != '\n')) return true;
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("no sequence but CRLF.CRLF splits a mail") {
    const std::string second = "MAIL FROM:<evil@a.alt>\r\nRCPT TO:<bob@b.alt>\r\nDATA\r\nevil";
    for (const auto sequence : sequences) {
        const std::string sent = "first" + std::string(sequence) + second;
        const std::string packet = sent + "\r\n.\r\n";
        for (std::size_t cut = 0; cut <= packet.size(); ++cut) {
            desk d({});
            player::begin_mail(d);
            d.feed("DATA\r\n");
            d.feed(packet.substr(0, cut));
            d.feed(packet.substr(cut));
            INFO("sequence " << pp::crypto::hex(pp::as_bytes(sequence)) << " cut " << cut);
            const auto mails = std::count_if(d.events.begin(), d.events.end(),
                                             [](const auto& e) { return e.rfind("mail", 0) == 0; });
            REQUIRE(mails == 0);
            if (has_bare(sent)) {
                REQUIRE(d.events.back() == "abort");
                REQUIRE(d.written == "354 go on\r\n"
                                     "550 5.5.2 the mail holds a CR or LF on its own; lines end with CR LF\r\n");
            } else {
                REQUIRE(d.events.back() == "end");
                REQUIRE(d.written == "354 go on\r\n250 2.0.0 kept\r\n");
            }
            REQUIRE_FALSE(has_bare(d.body));
        }
    }
}

TEST_CASE("the true end is found in every cut, and only the true end") {   // the negative control of the table above
    const std::string packet = "first\r\n.\r\nMAIL FROM:<second@a.alt>\r\n";
    for (std::size_t cut = 0; cut <= packet.size(); ++cut) {
        desk d({});
        player::begin_mail(d);
        d.feed("DATA\r\n");
        d.feed(packet.substr(0, cut));
        d.feed(packet.substr(cut));
        REQUIRE(d.events == std::vector<std::string>{"begin", "body", "end", "mail second@a.alt"});
        REQUIRE(d.body == "first\r\n");
    }
}

TEST_CASE("a bare CR or LF in BDAT is refused too, also one that the last chunk leaves open") {
    for (const std::string_view body : {"a\nb"sv, "a\rb"sv, "a\r"sv, "\n"sv, "a\r\r\n"sv}) {
        for (std::size_t cut = 0; cut <= body.size(); ++cut) {
            desk d({});
            player::begin_mail(d);
            d.feed("BDAT " + std::to_string(cut) + "\r\n" + std::string(body.substr(0, cut)));
            d.feed("BDAT " + std::to_string(body.size() - cut) + " LAST\r\n" + std::string(body.substr(cut)));
            CHECK(d.events.back() == "abort");
            CHECK(d.written.find("550 5.5.2") != std::string::npos);
            d.written.clear();
            d.feed("NOOP\r\n");
            CHECK(d.written == "250 2.0.0 here\r\n");
        }
    }
}

TEST_CASE("dots are removed exactly where they were added") {   // RFC 5321 section 4.5.2
    const std::pair<std::string_view, std::string_view> bodies[] = {
        {".\r\n", ""},
        {"..\r\n.\r\n", ".\r\n"},
        {"...\r\n.\r\n", "..\r\n"},
        {".a\r\n.\r\n", "a\r\n"},
        {"a.\r\n..b\r\n.\r\n", "a.\r\n.b\r\n"},
        {"\r\n\r\n.\r\n", "\r\n\r\n"},
        {"x\0y\xff\r\n.\r\n"sv, "x\0y\xff\r\n"sv},
    };
    for (const auto& [wire, plain] : bodies) {
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            pp::smtp::body_reader reader(pp::smtp::body_reader::form::dotted);
            pp::bytes out;
            REQUIRE(reader.update(pp::as_bytes(wire.substr(0, cut)), out) == cut);
            REQUIRE(reader.ended() == (cut == wire.size()));
            REQUIRE(reader.update(pp::as_bytes(std::string(wire.substr(cut)) + "QUIT\r\n"), out) == wire.size() - cut);
            REQUIRE(reader.ended());
            REQUIRE_FALSE(reader.broken());
            REQUIRE(pp::as_text(out) == plain);
        }
    }
}

TEST_CASE("with keep_bare_line_ends the bytes stay, and still only CRLF.CRLF ends") {
    pp::smtp::session_options o;
    o.keep_bare_line_ends = true;
    desk d(o);
    player::begin_mail(d);
    d.feed("DATA\r\na\nb\rc\r\r\n.\nd\r\n.\re\r\n.\r\n");
    CHECK(d.body == "a\nb\rc\r\r\n\nd\r\n\re\r\n");
    CHECK(d.events.back() == "end");
}
