// Limits, time-outs and what a hostile client can make the machine hold.
#include "proto/smtp/limits.hpp"
#include "tests/proto/smtp/player.hpp"

using namespace std::chrono_literals;
using player::desk;

TEST_CASE("the hundred and first recipient is put off") {   // RFC 5321 section 4.5.3.1.10
    desk d({});
    player::begin_mail(d);
    for (std::size_t i = 1; i < pp::smtp::recipients_max; ++i) d.feed("RCPT TO:<r@b.alt>\r\n");
    CHECK(d.written.find("452") == std::string::npos);
    const auto asked = d.events.size();
    d.written.clear();
    d.feed("RCPT TO:<r@b.alt>\r\n");
    CHECK(d.written == "452 4.5.3 a mail has at most 100 recipients here\r\n");
    CHECK(d.events.size() == asked);
    d.written.clear();
    d.feed("DATA\r\n");
    CHECK(d.written == "354 go on\r\n");
}

TEST_CASE("lines may be long, not endless, whatever the cut") {
    const auto line_of = [](std::size_t size) { return "NOOP " + std::string(size - 5, 'x'); };
    for (const std::size_t piece : {std::size_t(1), std::size_t(1000), std::size_t(2049), std::size_t(100000)}) {
        desk d({});
        player::log_in(d);
        const auto send = [&](const std::string& text) {
            d.written.clear();
            for (std::size_t at = 0; at < text.size(); at += piece) d.feed(text.substr(at, piece));
        };
        send(line_of(pp::smtp::command_line_bytes_max) + "\r\n");
        CHECK(d.written == "250 2.0.0 here\r\n");
        send(line_of(pp::smtp::command_line_bytes_max + 1) + "\r\nNOOP\r\n");
        CHECK(d.written == "500 5.5.2 the line is too long\r\n250 2.0.0 here\r\n");
        send(std::string(50000, 'y') + " AUTH \r\nNOOP\r\n");
        CHECK(d.written == "500 5.5.2 the line is too long\r\n250 2.0.0 here\r\n");
    }
}

TEST_CASE("a long AUTH line is allowed, a longer one not") {   // RFC 4954 section 4
    desk d({});
    d.feed("EHLO x\r\n");
    d.written.clear();
    d.feed("AUTH PLAIN " + std::string(12000, 'A') + "\r\n");
    CHECK(d.written == "501 5.5.2 the response is not one of this mechanism\r\n");
    d.written.clear();
    d.feed("AUTH PLAIN\r\n" + std::string(12291, 'A') + "\r\n");
    CHECK(d.written == "334 \r\n500 5.5.6 the response is too long\r\n");
    CHECK_FALSE(d.session.finished());
}

TEST_CASE("three bad commands before login are the end; after it there is patience") {
    desk d({});
    d.feed("X\r\nX\r\n");
    CHECK_FALSE(d.session.finished());
    d.feed("X\r\nEHLO x\r\n");
    CHECK(d.session.finished());
    CHECK(d.written.find("421 4.7.0") != std::string::npos);
    CHECK(d.written.find("250") == std::string::npos);

    desk after({});
    player::log_in(after);
    for (int i = 1; i < pp::smtp::bad_commands_after_login_max; ++i) after.feed("X\r\n");
    CHECK_FALSE(after.session.finished());
    after.feed("X\r\n");
    CHECK(after.session.finished());
}

TEST_CASE("a hundred commands are enough to log in") {
    desk d({});
    for (int i = 0; i < pp::smtp::commands_before_login_max; ++i) d.feed("NOOP\r\n");
    CHECK_FALSE(d.session.finished());
    d.feed("NOOP\r\n");
    CHECK(d.session.finished());
    CHECK(d.written.find("421 4.7.0") != std::string::npos);

    desk after({});
    player::log_in(after);
    for (int i = 0; i < 2 * pp::smtp::commands_before_login_max; ++i) after.feed("NOOP\r\n");
    CHECK_FALSE(after.session.finished());
}

TEST_CASE("who does not log in within a minute is sent away, however busy") {
    desk d({});
    d.pump();
    for (int i = 0; i < 5; ++i) {
        d.feed("NOOP\r\n");
        d.pass(10s);
    }
    CHECK_FALSE(d.session.finished());
    CHECK(d.session.deadline() == pp::wire::time_point(1060s));
    d.pass(9s);
    CHECK_FALSE(d.session.finished());
    d.written.clear();
    d.pass(1s);
    CHECK(d.session.finished());
    CHECK(d.written == "421 4.4.2 localhost: nothing came for too long, closing the connection\r\n");
}

TEST_CASE("idle sessions end after five minutes, idle bodies after three") {   // RFC 5321 section 4.5.3.2
    desk d({});
    player::begin_mail(d);
    d.pass(299s);
    CHECK_FALSE(d.session.finished());
    d.feed("NOOP\r\n");
    d.pass(299s);
    CHECK_FALSE(d.session.finished());
    d.feed("DATA\r\n");
    d.feed("abc");
    d.pass(179s);
    d.feed("abc");
    d.pass(179s);
    CHECK_FALSE(d.session.finished());
    d.pass(1s);
    CHECK(d.session.finished());
    CHECK(d.events.back() == "abort");
    CHECK(d.written.find("421 4.4.2") != std::string::npos);

    desk idle({});
    player::log_in(idle);
    idle.pass(300s);
    CHECK(idle.session.finished());
}

TEST_CASE("a client that does not read replies is not answered without end") {
    desk d({});
    player::log_in(d);   // before it, a hundred commands are the end
    auto& s = d.session;
    std::string many;
    for (int i = 0; i < 100000; ++i) many += "NOOP\r\n";
    s.received(pp::as_bytes(many));
    CHECK_FALSE(s.next_event());
    CHECK(s.to_send().size() < pp::wire::output_high_water_bytes + 1024);
    CHECK_FALSE(s.wants_input());
    std::size_t replies = 0;
    while (!s.to_send().empty()) {
        replies += s.to_send().size();
        s.sent(s.to_send().size());
        CHECK_FALSE(s.next_event());
    }
    CHECK(replies == 100000 * 16);
}

TEST_CASE("chunks are at most 64 KiB and long lines pass whole") {
    for (const char* begin : {"DATA\r\n", "BDAT 1000002 LAST\r\n"}) {
        desk d({});
        player::begin_mail(d);
        const std::string line(1000000, 'z');
        d.feed(begin);
        d.feed(line + "\r\n" + (begin[0] == 'D' ? ".\r\n" : ""));
        CHECK(d.body == line + "\r\n");
        CHECK(d.largest_chunk <= 65536);
        CHECK(d.events.back() == "end");
    }
}

TEST_CASE("an idle session holds no buffers") {
    desk d({});
    player::log_in(d);
    CHECK(d.session.to_send().empty());
    CHECK(d.session.wants_input());
}
