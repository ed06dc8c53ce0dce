// BINARYMIME (RFC 3030 section 3) and FUTURERELEASE (RFC 4865).
#include "proto/smtp/command.hpp"
#include "tests/proto/smtp/player.hpp"

using player::play;
using namespace pp;

namespace {

const std::string rest = "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256\nS: 250 HELP\nC: " + player::plain_right +
                         "\nE: login anna secret\nS: 235 2.7.0 welcome\n";

smtp::session_options holding() {
    smtp::session_options o;
    o.hold_for_max_s = 3600;
    o.hold_until_max = 1795334400;   // 2026-11-22T08:00:00Z
    return o;
}

}  // namespace

TEST_CASE("a mail in BINARYMIME comes by BDAT and keeps every byte", "[smtp]") {
    player::desk d({});
    player::log_in(d);
    d.feed("MAIL FROM:<anna@a.alt> BODY=binarymime\r\nRCPT TO:<bob@b.alt>\r\n");
    CHECK(d.events.at(0) == "mail anna@a.alt binary");
    const std::string body("A: b\r\n\r\n.\r\n\r\r\n\n\0\n.\n.\r\x80", 22);
    d.feed("BDAT 10\r\n" + body.substr(0, 10) + "BDAT " + std::to_string(body.size() - 10) + " LAST\r\n" +
           body.substr(10));
    CHECK(d.body == body);
    CHECK(d.events.back() == "end");
    // The next mail is not binary any more.
    d.feed("MAIL FROM:<anna@a.alt>\r\nRCPT TO:<bob@b.alt>\r\nBDAT 3 LAST\r\na\nb");
    CHECK(d.events.back() == "abort");
    CHECK(d.written.ends_with("550 5.5.2 the mail holds a CR or LF on its own; lines end with CR LF\r\n"));
}

TEST_CASE("DATA cannot carry what is binary", "[smtp]") {
    play(player::hello + rest +
         "C: MAIL FROM:<anna@a.alt> BODY=BINARYMIME\nE: mail anna@a.alt binary\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n"
         "C: DATA\nS: 503 5.5.1 a mail in BINARYMIME comes by BDAT\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: MAIL FROM:<anna@a.alt> BODY=9BIT\nS: 501 5.5.4 BODY is 7BIT, 8BITMIME or BINARYMIME\n");
}

TEST_CASE("a mail can be held for a time or until a moment", "[smtp]") {
    play(player::hello + "S: 250-FUTURERELEASE 3600 2026-11-22T08:00:00Z\n" + rest +
         "C: MAIL FROM:<anna@a.alt> HOLDFOR=3600\nE: mail anna@a.alt for=3600\nS: 250 2.1.0 ok\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: MAIL FROM:<anna@a.alt> HOLDUNTIL=2026-11-22T08:00:00Z\nE: mail anna@a.alt until=1795334400\n"
         "S: 250 2.1.0 ok\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: MAIL FROM:<anna@a.alt> HOLDUNTIL=1999-12-31t23:59:59z\nE: mail anna@a.alt until=946684799\n"
         "S: 250 2.1.0 ok\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n", holding());
}

TEST_CASE("holding has limits and one form at a time", "[smtp]") {
    const std::string most = "S: 501 5.5.4 a mail is held for 3600 seconds at most, until 2026-11-22T08:00:00Z\n";
    const std::string number = "S: 501 5.5.4 HOLDFOR takes a number of seconds\n";
    const std::string moment = "S: 501 5.5.4 HOLDUNTIL takes a moment such as 2026-11-22T07:00:00Z\n";
    play(player::hello + "S: 250-FUTURERELEASE 3600 2026-11-22T08:00:00Z\n" + rest +
         "C: MAIL FROM:<anna@a.alt> HOLDFOR=3601\n" + most +
         "C: MAIL FROM:<anna@a.alt> HOLDUNTIL=2026-11-22T08:00:01Z\n" + most +
         "C: MAIL FROM:<anna@a.alt> HOLDFOR=1 HOLDUNTIL=2026-11-22T07:00:00Z\n"
         "S: 501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other\n"
         "C: MAIL FROM:<anna@a.alt> HOLDFOR\n" + number +
         "C: MAIL FROM:<anna@a.alt> HOLDFOR=-1\n" + number +
         "C: MAIL FROM:<anna@a.alt> HOLDFOR=0000000001\n" + number +
         "C: MAIL FROM:<anna@a.alt> HOLDUNTIL=2026-11-22\n" + moment +
         "C: MAIL FROM:<anna@a.alt> HOLDUNTIL=2026-02-30T00:00:00Z\n" + moment +
         "C: MAIL FROM:<anna@a.alt> HOLDUNTIL=2026-11-22T24:00:00Z\n" + moment, holding());
    // Where nothing is held the parameter is not known.
    play(player::hello + rest + "C: MAIL FROM:<anna@a.alt> HOLDFOR=1\n"
                                "S: 555 5.5.4 parameter HOLDFOR is not known here\n");
}

TEST_CASE("moments of FUTURERELEASE there and back", "[smtp]") {
    for (const std::int64_t at : {0ll, 951782400ll, 1795334400ll, 4102444799ll})
        CHECK(smtp::parse_moment(smtp::moment_text(at)) == at);
    CHECK(smtp::moment_text(951782400) == "2000-02-29T00:00:00Z");
    CHECK_FALSE(smtp::parse_moment("2026-11-22 07:00:00Z"));
    CHECK_FALSE(smtp::parse_moment("2026-11-22T07:00:00+"));
}
