// What a dialogue cannot show: sizes, bytes and limits.
#include "proto/pop3/dot_writer.hpp"
#include "tests/proto/pop3/player.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using pop3::test::player;

namespace {

std::string dotted(std::string_view mail, std::optional<std::uint32_t> lines = std::nullopt) {
    pop3::dot_writer whole(lines);
    std::string out;
    whole.update(as_bytes(mail), out);
    whole.finish(out);
    for (std::size_t cut = 0; cut <= mail.size(); ++cut) {   // the same, cut anywhere
        pop3::dot_writer split(lines);
        std::string again;
        split.update(as_bytes(mail.substr(0, cut)), again);
        split.update(as_bytes(mail.substr(cut)), again);
        split.finish(again);
        INFO("cut after byte " << cut);
        CHECK(again == out);
    }
    return out;
}

}  // namespace

TEST_CASE("dots, line ends and the end of a mail", "[pop3]") {
    CHECK(dotted("") == ".\r\n");
    CHECK(dotted("a\r\n") == "a\r\n.\r\n");
    CHECK(dotted("a") == "a\r\n.\r\n");
    CHECK(dotted(".\r\n") == "..\r\n.\r\n");
    CHECK(dotted(".a\r\n..b\r\nc.\r\n") == "..a\r\n...b\r\nc.\r\n.\r\n");
    CHECK(dotted("a\r\n.") == "a\r\n..\r\n.\r\n");
    CHECK(dotted("\r\n\r\n") == "\r\n\r\n.\r\n");
    // No reader may see a lone dot: not one that ends lines with LF, nor one that ends them with CR LF.
    CHECK(dotted("a\n.\nb\n") == "a\r\n..\r\nb\r\n.\r\n");
    CHECK(dotted("a\r\n.\n.\r\n") == "a\r\n..\r\n..\r\n.\r\n");
    CHECK(dotted("a\r.\r\n") == "a\r.\r\n.\r\n");
    CHECK(dotted("a\r") == "a\r\n.\r\n");
}

TEST_CASE("TOP counts lines of the body only", "[pop3]") {
    const std::string mail = "A: 1\r\nB: 2\r\n\r\n1\r\n\r\n3\r\n";
    CHECK(dotted(mail, 0) == "A: 1\r\nB: 2\r\n\r\n.\r\n");
    CHECK(dotted(mail, 1) == "A: 1\r\nB: 2\r\n\r\n1\r\n.\r\n");
    CHECK(dotted(mail, 2) == "A: 1\r\nB: 2\r\n\r\n1\r\n\r\n.\r\n");
    CHECK(dotted(mail, 9) == mail + ".\r\n");
    CHECK(dotted("A: 1\r\n", 0) == "A: 1\r\n.\r\n");
    CHECK(dotted("\r\nbody\r\nmore\r\n", 1) == "\r\nbody\r\n.\r\n");
    CHECK(dotted("A: 1\n\nx\ny\n", 1) == "A: 1\r\n\r\nx\r\n.\r\n");
}

TEST_CASE("a mail whose reading fails half way ends the connection, not the mail", "[pop3]") {
    player p({});
    p.daemon.broken = 3;
    p.daemon.mails[3] = "Subject: long\r\n\r\n" + std::string(2 * pop3::read_piece_bytes_max, 'x');
    p.feed("USER ann\r\nPASS secret\r\nRETR 2\r\nDELE 1\r\nQUIT\r\n");
    const auto output = p.take_output();
    CHECK(output.find("octets\r\nSubject: long\r\n") != output.npos);
    CHECK_FALSE(output.ends_with(".\r\n"));
    CHECK(p.session.finished());
    CHECK(p.daemon.updates == 0);
}

TEST_CASE("a long mail streams: no more than a piece and the high water waits", "[pop3]") {
    player p({});
    p.daemon.mails[2] = std::string(10 * pop3::read_piece_bytes_max, 'x');
    p.feed("USER ann\r\nPASS secret\r\n");
    p.take_output();
    p.session.received(as_bytes("RETR 1\r\n"));
    std::size_t most = 0, total = 0, asked = 0;
    for (;;) {
        auto question = p.session.next_event();
        most = std::max(most, p.session.to_send().size());
        if (question) {
            ++asked;
            p.session.answer(p.daemon(*question));
            continue;
        }
        if (p.session.to_send().empty()) break;
        const auto n = std::min<std::size_t>(p.session.to_send().size(), 10000);
        total += n;
        p.session.sent(n);
    }
    CHECK(asked == 10);
    CHECK(total > 10 * pop3::read_piece_bytes_max);
    CHECK(most <= wire::output_high_water_bytes + pop3::read_piece_bytes_max + 100);
}

TEST_CASE("lines are bounded", "[pop3]") {
    player p({});
    p.feed("NOOP " + std::string(pop3::command_line_bytes_max * 3, 'x') + "\r\nUSER ann\r\nPASS secret\r\n");
    CHECK(p.take_output() == "+OK peerpost ready\r\n-ERR the line is too long\r\n+OK now the password\r\n"
                             "+OK the maildrop has 3 messages\r\n");
    p.feed(std::string("NO\0OP\r\n", 7));
    CHECK(p.take_output() == "-ERR the line holds characters that no command has\r\n");
    p.feed("AUTH");
    for (int i = 0; i < pop3::bad_commands_after_login_max; ++i) p.feed("\r\nAUTH");
    CHECK(p.session.finished());
}

TEST_CASE("bytes that came before the handshake end the session", "[pop3]") {
    pop3::session_options options;
    options.offer_starttls = true;
    options.login_allowed = false;
    player p(options);
    p.feed("STLS\r\nUSER ann\r\n");
    CHECK(p.take_output() == "+OK peerpost ready\r\n");
    CHECK(p.session.finished());
}

TEST_CASE("too many commands before the login", "[pop3]") {
    player p({});
    for (int i = 0; i <= pop3::commands_before_login_max; ++i) p.feed("LANG\r\n");
    CHECK(p.session.finished());
}
