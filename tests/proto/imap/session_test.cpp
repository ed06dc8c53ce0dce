// What a written dialogue cannot say: exact cuts of the input, limits, back-pressure, memory, two sessions.
#include "tests/proto/imap/player.hpp"

#include "proto/imap/limits.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;
using namespace pp::imap::test;

namespace {
std::string said(player& one, std::string_view input) {
    one.take_output();
    one.feed(input);
    return one.take_output();
}
struct logged_in_player : player {
    logged_in_player() : player(session_options()) {
        feed("x LOGIN ann secret\r\n");
        take_output();
    }
};
}  // namespace

TEST_CASE("what is sent behind STARTTLS in the clear ends the session", "[imap][security]") {   // CVE-2011-0411
    session_options options;
    options.offer_starttls = true;
    player whole(options);
    CHECK(said(whole, "a STARTTLS\r\nb LOGIN ann secret\r\n").find("a OK") == std::string::npos);
    CHECK(whole.session.finished());

    // A byte that comes while the handshake is asked for is dropped with the clear text.
    server_session session(options);
    session.received(as_bytes("a STARTTLS\r\n"));
    auto asked = session.next_event();
    REQUIRE(asked);
    CHECK(std::holds_alternative<start_tls>(*asked));
    session.received(as_bytes("b LOGIN ann secret\r\n"));
    session.answer(nothing{});
    CHECK_FALSE(session.next_event());
}

TEST_CASE("no byte is answered to a web page", "[imap][security]") {   // 06-security 6.1.2
    for (const auto line : {"GET / HTTP/1.1\r\n", "POST /x\r\n", "PUT /\r\n", "CONNECT a:1\r\n", "x y HTTP/1.0\r\n"}) {
        player one{session_options()};
        one.run();
        CHECK(said(one, std::string(line) + "Host: x\r\n\r\na LOGIN ann secret\r\n").empty());
        CHECK(one.session.finished());
    }
    logged_in_player inside;   // after login "GET" is a tag like others
    CHECK(said(inside, "GET NOOP\r\n") == "GET OK NOOP completed\r\n");
}

TEST_CASE("a line is bounded before login and after it", "[imap][security]") {
    player one{session_options()};
    one.run();
    CHECK(said(one, "a " + std::string(command_before_login_bytes_max, 'x') + "\r\n") ==
          "* BYE The line is too long\r\n");
    CHECK(one.session.finished());

    logged_in_player inside;
    const auto prefix = std::string("a NOOP ");
    CHECK(said(inside, prefix + std::string(command_bytes_max - prefix.size(), 'x') + "\r\n") ==
          "a BAD Too many arguments\r\n");
    CHECK(said(inside, prefix + std::string(command_bytes_max - prefix.size() + 1, 'x') + "\r\n") ==
          "a BAD The line is too long\r\n");
    CHECK(said(inside, prefix + std::string(3 * command_bytes_max, 'x')).empty());
    CHECK(said(inside, "\r\n") == "a BAD The line is too long\r\n");
    CHECK(said(inside, std::string(3 * command_bytes_max, 'x') + "\r\n") == "* BAD The line is too long\r\n");
    CHECK(said(inside, "b NOOP\r\n") == "b OK NOOP completed\r\n");
}

TEST_CASE("literals of one command are bounded together", "[imap][security]") {
    logged_in_player one;
    std::string line = "a SELECT";
    const std::string chunk(30000, 'x');
    line += " {30000+}\r\n" + chunk + " {30000+}\r\n" + chunk + " {30000+}\r\n" + chunk + "\r\n";
    CHECK(said(one, line) == "a NO [TOOBIG] The literal is too large\r\n");
    CHECK(said(one, "b NOOP\r\n") == "b OK NOOP completed\r\n");
    CHECK(said(one, "c SELECT {9223372036854775807}\r\n") == "c NO [TOOBIG] The literal is too large\r\n");
    CHECK(said(one, "c SELECT {18446744073709551617}\r\n") == "c NO [TOOBIG] The literal is too large\r\n");
    CHECK(said(one, "d SELECT {9223372036854775807+}\r\n").find("* BYE [TOOBIG]") != std::string::npos);
    CHECK(one.session.finished());
}

TEST_CASE("deep parentheses are refused, not followed", "[imap][security]") {
    logged_in_player one;
    said(one, "s SELECT INBOX\r\n");
    CHECK(said(one, "a SEARCH " + std::string(60000, '(') + "\r\n") == "a BAD Nested too deep\r\n");
}

TEST_CASE("a hundred commands are enough to log in", "[imap][security]") {
    player stranger({});
    said(stranger, "");
    for (int i = 1; i < commands_before_login_max; ++i)
        CHECK(said(stranger, "a NOOP\r\n").find("a OK") != std::string::npos);
    CHECK_FALSE(stranger.session.finished());
    CHECK(said(stranger, "a NOOP\r\n").find("* BYE") != std::string::npos);
    CHECK(stranger.session.finished());

    logged_in_player known;
    for (int i = 0; i < 2 * commands_before_login_max; ++i) said(known, "a NOOP\r\n");
    CHECK_FALSE(known.session.finished());
}

TEST_CASE("twenty bad commands in a row end a session", "[imap][security]") {
    logged_in_player one;
    for (int i = 0; i < bad_commands_in_a_row_max - 1; ++i)
        CHECK(said(one, "a FROB\r\n") == "a BAD Unknown command\r\n");
    CHECK(said(one, "a NOOP\r\n") == "a OK NOOP completed\r\n");
    for (int i = 0; i < bad_commands_in_a_row_max - 1; ++i) said(one, "a FROB\r\n");
    CHECK_FALSE(one.session.finished());
    said(one, "a FROB\r\n");
    CHECK(one.session.finished());
}

TEST_CASE("a line without end ends IDLE and the session, however it comes", "[imap][security]") {
    const std::string longest(510, 'x');
    logged_in_player one;
    CHECK(said(one, "a IDLE\r\n" + longest + "\r\n") == "+ idling\r\na BAD Expected DONE\r\n");
    logged_in_player whole, split;
    CHECK(said(whole, "a IDLE\r\n" + longest + "x\r\n") == "+ idling\r\n* BYE Expected DONE\r\n");
    CHECK(said(split, "a IDLE\r\n" + longest) == "+ idling\r\n");
    CHECK(said(split, "x\r\n") == "* BYE Expected DONE\r\n");
}

TEST_CASE("a mail streams in pieces and keeps its bytes", "[imap][append]") {
    logged_in_player one;
    std::string mail = "Subject: x\r\n\r\n";
    for (int i = 0; mail.size() < 1000000; ++i) mail += static_cast<char>(1 + i % 255);
    const auto answer = said(one, "a APPEND Sent {" + std::to_string(mail.size()) + "+}\r\n" + mail + "\r\n");
    CHECK(answer.starts_with("a OK [APPENDUID"));
    CHECK(one.daemon.append_pieces >= mail.size() / append_piece_bytes_max);
    CHECK(one.store.mailboxes["Sent"].mails.at(0).content == mail);
}

TEST_CASE("NUL is for literal8 only", "[imap][append]") {   // RFC 9051 section 4.3.1
    logged_in_player one;
    const std::string mail("a\0b", 3);
    CHECK(said(one, "a APPEND Sent {3+}\r\n" + mail + "\r\n") ==
          "a NO [CANNOT] A mail with NUL needs a binary literal\r\n");
    CHECK(one.store.mailboxes["Sent"].mails.empty());
    CHECK(said(one, "a APPEND Sent ~{3+}\r\n" + mail + "\r\n").starts_with("a OK"));
    CHECK(one.store.mailboxes["Sent"].mails.at(0).content == mail);
    CHECK(said(one, std::string("b NO\0OP\r\n", 9)) == "b BAD A command may not contain NUL\r\n");
    const std::string quoted("c LIST {0+}\r\n \"a\0b\"\r\n", 21);   // behind a literal: not in the command's first line
    CHECK(said(one, quoted) == "c BAD A quoted string does not end\r\n");
}

TEST_CASE("what cannot be run is answered behind the APPENDs before it", "[imap][append]") {
    const std::string append = "a APPEND Sent {3+}\r\nabc\r\n";
    for (const auto& broken : {std::string("b NO\0OP\r\n", 9), std::string("*b NOOP\r\n"),
                               "b NOOP " + std::string(command_bytes_max, 'x') + "\r\n",
                               "b LIST {0+}\r\n " + std::string(command_bytes_max, 'x') + "\r\n"}) {
        logged_in_player one;
        const auto answer = said(one, append + broken);
        CHECK(answer.find("BAD") != answer.npos);
        CHECK(answer.starts_with("a OK [APPENDUID"));
    }
    logged_in_player one;
    const auto answer = said(one, append + "b LIST {0}\r\n");
    CHECK(answer.starts_with("a OK [APPENDUID"));
    CHECK(answer.ends_with("\r\n+ OK\r\n"));
}

TEST_CASE("a mail whose sender goes away is given up", "[imap][append]") {
    session_options options;
    server_session session(options);
    fake_store store = usual_store();
    fake_daemon daemon(store);
    session.received(as_bytes("x LOGIN ann secret\r\na APPEND Sent {100+}\r\nhalf"));
    bool aborted = false, ended = false;
    for (int i = 0; i < 20; ++i) {
        auto asked = session.next_event();
        if (!asked) {
            session.input_ended();
            continue;
        }
        aborted |= std::holds_alternative<append_abort>(*asked);
        ended |= std::holds_alternative<append_end>(*asked);
        session.answer(daemon(*asked));
    }
    CHECK(aborted);
    CHECK_FALSE(ended);
    CHECK(store.mailboxes["Sent"].mails.empty());
}

TEST_CASE("a client that does not read is not written to without end", "[imap]") {
    fake_store store = usual_store();
    for (int i = 0; i < 5000; ++i) store.create("a-mailbox-with-a-longer-name-" + std::to_string(i));
    fake_daemon daemon(store);
    server_session session{session_options()};
    std::string input = "x LOGIN ann secret\r\n";
    for (int i = 0; i < 50; ++i) input += "a LIST \"\" *\r\n";
    session.received(as_bytes(input));
    while (auto asked = session.next_event()) session.answer(daemon(*asked));
    CHECK(session.to_send().size() < 2 * wire::output_high_water_bytes);
    CHECK_FALSE(session.wants_input());
    std::size_t total = 0;
    for (int i = 0; i < 100000 && !session.to_send().empty(); ++i) {
        total += session.to_send().size();
        session.sent(session.to_send().size());
        while (auto asked = session.next_event()) session.answer(daemon(*asked));
    }
    CHECK(total > 50 * 5000 * 40);
    CHECK(session.wants_input());
}

TEST_CASE("two sessions on one mailbox", "[imap][news]") {
    fake_store store = usual_store();
    fake_daemon first_daemon(store), second_daemon(store);
    server_session first{session_options()}, second{session_options()};
    const auto exchange = [](server_session& session, fake_daemon& daemon, std::string_view input) {
        session.received(as_bytes(input));
        std::string out;
        while (auto asked = session.next_event()) session.answer(daemon(*asked));
        out = as_text(session.to_send());
        session.sent(out.size());
        return out;
    };
    exchange(first, first_daemon, "x LOGIN ann secret\r\nx SELECT INBOX\r\n");
    exchange(second, second_daemon, "x LOGIN ann secret\r\nx SELECT INBOX\r\nx IDLE\r\n");
    CHECK(exchange(first, first_daemon, "a STORE 1 +FLAGS.SILENT (\\Flagged)\r\n") == "a OK STORE completed\r\n");
    first.news();
    second.news();
    CHECK(exchange(second, second_daemon, "") == "* 1 FETCH (FLAGS (\\Flagged \\Seen))\r\n");
    CHECK(exchange(first, first_daemon, "b NOOP\r\n") == "b OK NOOP completed\r\n");
    CHECK(exchange(second, second_daemon, "DONE\r\ny UID MOVE 101 Trash\r\n") ==
          "x OK IDLE completed\r\n* OK [COPYUID 1006 101 1] Moved\r\n* 1 EXPUNGE\r\ny OK MOVE completed\r\n");
    first.news();
    CHECK(exchange(first, first_daemon, "c STORE 3 -FLAGS (\\Seen)\r\n") == "* 3 FETCH (FLAGS (\\Recent))\r\n"
                                                                            "c OK STORE completed\r\n");
    CHECK(exchange(first, first_daemon, "d NOOP\r\n") == "* 1 EXPUNGE\r\nd OK NOOP completed\r\n");
    CHECK(exchange(first, first_daemon, "e STORE 3 -FLAGS (\\Seen)\r\n") == "e BAD A message number is too large\r\n");
}
