// Golden dialogues, one or more for each command. Every one is replayed with its input cut at every byte.
#include "tests/proto/smtp/player.hpp"

using player::desk;
using player::play;
using pp::smtp::reply;
using pp::smtp::session_options;

namespace {

session_options sized(std::uint64_t bytes) {
    session_options o;
    o.size_max = bytes;
    return o;
}
const std::string greeting = "S: 220 localhost ESMTP peerpost\n";
const std::string hello =
    greeting +
    "C: EHLO [127.0.0.1]\n"
    "S: 250-localhost\nS: 250-PIPELINING\nS: 250-SIZE\nS: 250-8BITMIME\nS: 250-SMTPUTF8\n"
    "S: 250-ENHANCEDSTATUSCODES\nS: 250-DSN\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250-LIMITS RCPTMAX=100\n"
    "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256\nS: 250 HELP\n";
const std::string logged_in = hello + "C: " + player::plain_right + "\nE: login anna secret\nS: 235 2.7.0 welcome\n";
const std::string enveloped = logged_in +
    "C: MAIL FROM:<anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
    "C: RCPT TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n";

}  // namespace

TEST_CASE("a mail from greeting to QUIT") {
    play(enveloped +
         "C: DATA\nE: begin\nS: 354 go on\n"
         "C: Subject: x\nC: \nC: ..dot\nC: .\nE: body\nE: end\nS: 250 2.0.0 kept\n"
         "C: QUIT\nS: 221 2.0.0 localhost closes the connection\nS: close\n");
}

TEST_CASE("EHLO announces size and TLS, and AUTH only where it is allowed") {   // RFC 5321 section 4.1.1.1
    session_options o = sized(1000);
    o.offer_starttls = true;
    o.login_allowed = false;
    play(greeting +
         "C: ehlo x\nS: 250-localhost\nS: 250-PIPELINING\nS: 250-SIZE 1000\nS: 250-8BITMIME\nS: 250-SMTPUTF8\n"
         "S: 250-ENHANCEDSTATUSCODES\nS: 250-DSN\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250-LIMITS RCPTMAX=100\n"
         "S: 250-STARTTLS\nS: 250 HELP\n"
         "C: AUTH PLAIN AGFubmEAc2VjcmV0\nS: 538 5.7.11 say STARTTLS before you log in\n"
         "C: STARTTLS\nE: tls\nS: 220 2.0.0 begin TLS\n"
         "C: MAIL FROM:<anna@a.alt>\nS: 503 5.5.1 say EHLO first\n"
         "C: EHLO x\nS: 250-localhost\nS: 250-PIPELINING\nS: 250-SIZE 1000\nS: 250-8BITMIME\nS: 250-SMTPUTF8\n"
         "S: 250-ENHANCEDSTATUSCODES\nS: 250-DSN\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250-LIMITS RCPTMAX=100\n"
         "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\nS: 250 HELP\n"
         "C: STARTTLS\nS: 503 5.5.1 TLS is on already\n"
         "C: " + player::plain_right + "\nE: login anna secret\nS: 235 2.7.0 welcome\n", o);
}

TEST_CASE("what is sent behind STARTTLS ends the session") {   // CVE-2011-0411
    session_options o;
    o.offer_starttls = true;
    desk d(o);
    d.feed("EHLO x\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n");
    CHECK(d.session.finished());
    CHECK(d.events.empty());
    CHECK(d.written.find("begin TLS") == std::string::npos);
}

TEST_CASE("STARTTLS that is not offered or has parameters") {
    play(greeting + "C: STARTTLS\nS: 502 5.5.1 TLS is not offered here\n"
                    "C: STARTTLS now\nS: 501 5.5.4 STARTTLS takes no parameters\n");
}

TEST_CASE("AUTH PLAIN and LOGIN in all their forms") {   // RFC 4954 section 4
    const std::string welcome = "E: login anna secret\nS: 235 2.7.0 welcome\n";
    play(hello + "C: auth plain\nS: 334 \nC: AGFubmEAc2VjcmV0\n" + welcome);
    play(hello + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n" + welcome);
    play(hello + "C: AUTH LOGIN YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n" + welcome +
         "C: AUTH LOGIN\nS: 503 5.5.1 you are logged in already\n");
}

TEST_CASE("AUTH may be cancelled, and three failures end the session") {
    play(hello + "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: *\nS: 501 5.7.0 login cancelled\n"
                 "C: AUTH PLAIN\nS: 334 \nC: *\nS: 501 5.7.0 login cancelled\n"
                 "C: AUTH PLAIN AGFubmEAd3Jvbmc=\nE: login anna wrong\nS: 535 5.7.8 user name or password is wrong\n"
                 "S: 421 4.7.0 localhost: too many errors, closing the connection\nS: close\n");
}

TEST_CASE("AUTH refuses what it cannot read") {
    play(greeting + "C: AUTH PLAIN AGFubmEAc2VjcmV0\nS: 503 5.5.1 say EHLO first\n");
    play(hello + "C: AUTH\nS: 501 5.5.4 AUTH takes the name of a mechanism\n"
                 "C: AUTH CRAM-MD5\nS: 504 5.5.4 the mechanisms here are PLAIN LOGIN SCRAM-SHA-256\n");
    play(hello + "C: AUTH PLAIN !!!\nS: 501 5.5.2 the response is not base64\n"
                 "C: AUTH PLAIN =\nS: 501 5.5.2 the response is not one of this mechanism\n");
    play(hello + "C: AUTH LOGIN =\nS: 501 5.5.2 the response is not one of this mechanism\n"   // empty user
                 "C: AUTH PLAIN Ym9iAGFubmEAc2VjcmV0\nS: 535 5.7.8 one account cannot act for another\n");
    play(hello + "C: AUTH PLAIN\nS: 334 \nC: AGFubmE\\n\\-\nS: 500 5.5.2 lines end with CR LF\n");
}

TEST_CASE("MAIL asks for a login, and for EHLO") {
    play(greeting + "C: MAIL FROM:<a@b.alt>\nS: 503 5.5.1 say EHLO first\n"
                    "C: HELO x\nS: 250 localhost\nC: MAIL FROM:<a@b.alt>\nS: 530 5.7.0 log in first\n");
}

TEST_CASE("MAIL with every parameter") {
    play(logged_in +
         "C: MAIL FROM:<anna@a.alt> SIZE=500 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+20b AUTH=<>\n"
         "E: mail anna@a.alt size=500 8bit utf8 headers envid=a b\nS: 250 2.1.0 ok\n"
         "C: MAIL FROM:<>\nS: 503 5.5.1 a mail is under way already; RSET forgets it\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: MAIL FROM:<> BODY=7BIT RET=FULL\nE: mail <> full\nS: 250 2.1.0 ok\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: MAIL FROM: <anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: mail from:anna@a.alt size=1\nE: mail anna@a.alt size=1\nS: 250 2.1.0 ok\n"
         "C: RSET\nE: abort\nS: 250 2.0.0 forgotten\n"
         "C: MAIL FROM:<@r.alt,@s.alt:anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
         "C: EHLO again\nE: abort\n"
         "S: 250-localhost\nS: 250-PIPELINING\nS: 250-SIZE\nS: 250-8BITMIME\nS: 250-SMTPUTF8\n"
         "S: 250-ENHANCEDSTATUSCODES\nS: 250-DSN\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250-LIMITS RCPTMAX=100\n"
         "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256\nS: 250 HELP\n");
}

TEST_CASE("MAIL and RCPT refuse what is not well formed") {
    const std::pair<const char*, const char*> lines[] = {
        {"MAIL", "501 5.5.4 write MAIL FROM:<address>"},
        {"MAIL FROM", "501 5.5.4 write MAIL FROM:<address>"},
        {"MAIL FROM:", "501 5.5.4 write MAIL FROM:<address>"},
        {"MAIL TO:<a@b.alt>", "501 5.5.4 write MAIL FROM:<address>"},
        {"MAIL FROM:<a@b.alt", "501 5.5.4 the address lacks its closing >"},
        {"MAIL FROM:<\"a>b@c.alt", "501 5.5.4 the address lacks its closing >"},
        {"MAIL FROM:<a@b.alt>SIZE=1", "501 5.5.4 a blank belongs between the address and its parameters"},
        {"MAIL FROM:<a b@c.alt>", "501 5.1.7 the sender's address is not well formed"},
        {"MAIL FROM:<@r.alt>", "501 5.1.7 an address has the form name@domain"},
        {"MAIL FROM:<a@b.alt> SIZE", "501 5.5.4 SIZE takes a number of bytes"},
        {"MAIL FROM:<a@b.alt> SIZE=1x", "501 5.5.4 SIZE takes a number of bytes"},
        {"MAIL FROM:<a@b.alt> SIZE=18446744073709551616", "501 5.5.4 SIZE takes a number of bytes"},
        {"MAIL FROM:<a@b.alt> SIZE=1 SIZE=1", "501 5.5.4 parameter SIZE is given twice"},
        {"MAIL FROM:<a@b.alt> BODY=9BIT", "501 5.5.4 BODY is 7BIT, 8BITMIME or BINARYMIME"},
        {"MAIL FROM:<a@b.alt> SMTPUTF8=1", "501 5.5.4 SMTPUTF8 takes no value"},
        {"MAIL FROM:<a@b.alt> RET=NO", "501 5.5.4 RET is FULL or HDRS"},
        {"MAIL FROM:<a@b.alt> ENVID=a+0Db", "501 5.5.4 ENVID is not well formed"},
        {"MAIL FROM:<a@b.alt> ENVID=", "501 5.5.4 ENVID is not well formed"},
        {"MAIL FROM:<a@b.alt> AUTH", "501 5.5.4 AUTH needs a value"},
        {"MAIL FROM:<a@b.alt> X=1", "555 5.5.4 parameter X is not known here"},
        {"MAIL FROM:<\xc3\xa4@b.alt>", "553 5.6.7 an address beyond ASCII needs the SMTPUTF8 parameter on MAIL"},
        {"MAIL FROM:<\xc3@b.alt> SMTPUTF8", "500 5.5.2 the line holds characters that no command has"},
        {"MAIL FROM:<a\\0@b.alt>", "500 5.5.2 the line holds characters that no command has"},
        {"RCPT TO:<a@b.alt>", "503 5.5.1 say MAIL first"},
    };
    for (const auto& [line, answer] : lines) play(logged_in + "C: " + line + "\nS: " + answer + "\n");
    const std::string mail = logged_in + "C: MAIL FROM:<anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n";
    const std::pair<const char*, const char*> recipients[] = {
        {"RCPT TO:<>", "501 5.1.3 the recipient's address is not well formed"},
        {"RCPT TO:<nobody>", "501 5.1.3 the recipient's address is not well formed"},
        {"RCPT FROM:<a@b.alt>", "501 5.5.4 write RCPT TO:<address>"},
        {"RCPT TO:<a@b.alt> NOTIFY=NEVER,DELAY",
         "501 5.5.4 NOTIFY takes NEVER, or a list of SUCCESS, FAILURE and DELAY"},
        {"RCPT TO:<a@b.alt> NOTIFY", "501 5.5.4 NOTIFY takes NEVER, or a list of SUCCESS, FAILURE and DELAY"},
        {"RCPT TO:<a@b.alt> ORCPT=a@b.alt", "501 5.5.4 ORCPT is not well formed"},
        {"RCPT TO:<a@b.alt> ORCPT=rfc822;a+0A", "501 5.5.4 ORCPT is not well formed"},
        {"RCPT TO:<a@b.alt> SIZE=1", "555 5.5.4 parameter SIZE is not known here"},
        {"RCPT TO:<\xc3\xa4@b.alt>", "553 5.6.7 an address beyond ASCII needs the SMTPUTF8 parameter on MAIL"},
    };
    for (const auto& [line, answer] : recipients) play(mail + "C: " + line + "\nS: " + answer + "\n");
}

TEST_CASE("RCPT with DSN parameters, a missing <>, a blank and a bare Postmaster") {   // RFC 3461
    play(logged_in +
         "C: MAIL FROM:<anna@a.alt> SMTPUTF8\nE: mail anna@a.alt utf8\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<bob@b.alt> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;bob+2Bx@b.alt\n"
         "E: rcpt bob@b.alt notify success failure delay orcpt=rfc822;bob+2Bx@b.alt\nS: 250 2.1.5 ok\n"
         "C: RCPT TO: bob@B.alt NOTIFY=NEVER\nE: rcpt bob@b.alt notify never\nS: 250 2.1.5 ok\n"
         "C: RCPT TO:<\"a b>\"@b.alt>\nE: rcpt \"a b>\"@b.alt\nS: 250 2.1.5 ok\n"
         "C: RCPT TO:<\xc3\xa4@b.alt>\nE: rcpt \xc3\xa4@b.alt\nS: 250 2.1.5 ok\n"
         "C: RCPT TO:<Postmaster>\nE: rcpt Postmaster@localhost\nS: 250 2.1.5 ok\n");
}

TEST_CASE("a mail that says it is too large is refused before a byte of it") {   // RFC 1870 section 6.1
    desk d(sized(1000));
    player::log_in(d);
    d.feed("MAIL FROM:<a@a.alt> SIZE=1001\r\nMAIL FROM:<a@a.alt> SIZE=1000\r\n");
    CHECK(d.written == "552 5.3.4 the mail is larger than the 1000 bytes taken here\r\n250 2.1.0 ok\r\n");
}

TEST_CASE("DATA and BDAT only where they make sense") {
    play(logged_in +
         "C: DATA\nS: 503 5.5.1 say MAIL first\n"
         "C: BDAT 4 LAST\nC: MAIL\\-\nS: 503 5.5.1 say MAIL first\n"
         "C: MAIL FROM:<>\nE: mail <>\nS: 250 2.1.0 ok\n"
         "C: DATA\nS: 554 5.5.1 there is no recipient\n"
         "C: DATA now\nS: 501 5.5.4 DATA takes no parameters\n"
         "C: BDAT 4\nC: QUIT\\-\nE: abort\nS: 554 5.5.1 there is no recipient\n"
         "C: NOOP\nS: 250 2.0.0 here\n");
}

TEST_CASE("BDAT in several chunks, an empty last one, and not together with DATA") {   // RFC 3030
    play(enveloped +
         "C: BDAT 6\nC: a\nC: .b\\r\\-\nE: begin\nE: body\nS: 250 2.0.0 6 octets received\n"
         "C: DATA\nS: 503 5.5.1 a body that began with BDAT ends with BDAT\n"
         "C: RCPT TO:<c@d.alt>\nS: 503 5.5.1 the body has begun already\n"
         "C: NOOP\nS: 250 2.0.0 here\n"
         "C: BDAT 1\nC: \\n\\-\nE: body\nS: 250 2.0.0 1 octets received\n"
         "C: bdat 0 last\nE: end\nS: 250 2.0.0 kept\n"
         "C: MAIL FROM:<>\nE: mail <>\nS: 250 2.1.0 ok\n");
    desk d({});
    player::begin_mail(d);
    d.feed("BDAT 6\r\na\r\n.b\rBDAT 1\r\n\nBDAT 0 LAST\r\n");
    CHECK(d.body == "a\r\n.b\r\n");
}

TEST_CASE("a BDAT that cannot be counted ends the session") {
    for (const char* line : {"BDAT", "BDAT x", "BDAT 18446744073709551616", "BDAT -1", "BDAT 1 FIRST", "BDAT LAST",
                             "BDAT 000000000000000000000000001"})
        play(enveloped + "C: " + line + "\nE: abort\nS: 501 5.5.4 write BDAT size, or BDAT size LAST\n"
                         "S: 421 4.7.0 localhost: the size of the chunk is not known, closing the connection\n"
                         "S: close\n");
}

TEST_CASE("the largest BDAT does not overflow") {
    desk d(sized(10));
    player::begin_mail(d);
    d.feed("BDAT 18446744073709551615\r\n0123456789");
    CHECK(d.events == std::vector<std::string>{"begin", "body"});
    d.feed("x");
    CHECK(d.events.back() == "abort");
    d.feed(std::string(100000, 'Q'));
    CHECK(d.written.empty());
}

TEST_CASE("a refused BDAT is read to its end, and later chunks are no beginning") {
    play(enveloped + "C: BDAT 4\nC: QUIT\\-\nE: begin\nE: abort\nS: 452 4.3.1 no room\n"
                     "C: BDAT 4 LAST\nC: QUIT\\-\nS: 503 5.5.1 say MAIL first\n",
         {}, [](desk& d) { d.scripted["begin"].push_back({452, "4.3.1", "no room"}); });
}

TEST_CASE("a refused DATA leaves the envelope") {
    play(enveloped + "C: DATA\nE: begin\nS: 452 4.3.1 no room\n"
                     "C: DATA\nE: begin\nS: 354 go on\nC: .\nE: end\nS: 250 2.0.0 kept\n",
         {}, [](desk& d) { d.scripted["begin"].push_back({452, "4.3.1", "no room"}); });
}

TEST_CASE("a body over the limit is read to its end and refused") {
    std::string start = enveloped;
    start.replace(start.find("250-SIZE"), 8, "250-SIZE 11");
    play(start + "C: DATA\nE: begin\nS: 354 go on\n"
                     "C: 0123456789\nC: MAIL FROM:<evil@a.alt>\nC: .\nE: body\nE: abort\n"
                     "S: 552 5.3.4 the mail is larger than the 11 bytes taken here\n"
                     "C: MAIL FROM:<>\nE: mail <>\nS: 250 2.1.0 ok\n",
         sized(11), [](desk&) {});
}

TEST_CASE("PIPELINING: a whole mail and the next in one packet") {   // RFC 2920
    play(logged_in +
         "C: MAIL FROM:<anna@a.alt>\nC: RCPT TO:<bob@b.alt>\nC: RCPT TO:<no@b.alt>\nC: DATA\n"
         "E: mail anna@a.alt\nE: rcpt bob@b.alt\nE: rcpt no@b.alt\nE: begin\n"
         "S: 250 2.1.0 ok\nS: 250 2.1.5 ok\nS: 550 5.1.1 no such account\nS: 354 go on\n"
         "C: a\nC: .\nC: MAIL FROM:<>\nC: RCPT TO:<bob@b.alt>\nC: RSET\nC: QUIT\n"
         "E: body\nE: end\nE: mail <>\nE: rcpt bob@b.alt\nE: abort\n"
         "S: 250 2.0.0 kept\nS: 250 2.1.0 ok\nS: 250 2.1.5 ok\nS: 250 2.0.0 forgotten\n"
         "S: 221 2.0.0 localhost closes the connection\nS: close\n",
         {}, [](desk& d) {
             d.scripted["rcpt"] = {{250, "2.1.5", "ok"}, {550, "5.1.1", "no such account"}, {250, "2.1.5", "ok"}};
         });
}

TEST_CASE("RSET, NOOP, VRFY, EXPN, HELP and what nobody knows") {
    play(logged_in +
         "C: RSET\nS: 250 2.0.0 forgotten\nC: RSET x\nS: 501 5.5.4 RSET takes no parameters\n"
         "C: noop anything\nS: 250 2.0.0 here\n"
         "C: VRFY bob\nS: 252 2.0.0 send the mail; RCPT says whether the address can be reached\n"
         "C: VRFY\nS: 501 5.5.4 VRFY takes an address\n"
         "C: EXPN list\nS: 502 5.5.1 there are no lists here\n"
         "C: HELP\nS: 214-2.0.0 peerpost takes mail from your mail client\n"
         "S: 214 2.0.0 EHLO AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT\n"
         "C: XYZZY\nS: 500 5.5.1 the command is not known\n"
         "C: \nS: 500 5.5.1 the command is not known\n"
         "C: EHLO\nS: 501 5.5.4 EHLO takes the client's name\n"
         "C: NOOP\\n\\-\nS: 500 5.5.2 lines end with CR LF\n"
         "C: NO\\rOP\nS: 500 5.5.2 the line holds characters that no command has\n");
}

TEST_CASE("HTTP is cut off before anything is answered to it") {   // 06-security 6.1.2
    for (const char* line : {"GET / HTTP/1.1", "POST / HTTP/1.1", "PUT /x", "HEAD /", "OPTIONS * HTTP/1.1", "DELETE /",
                             "CONNECT a:1 HTTP/1.1", "PATCH /", "get /", "BREW /pot HTTP/1.0", "PRI * HTTP/2.0"}) {
        const auto steps = player::parse(greeting);
        for (std::size_t cut = 0; cut <= std::string_view(line).size(); ++cut) {
            desk d({});
            d.feed(std::string_view(line).substr(0, cut));
            d.feed(std::string(line).substr(cut) + "\r\nEHLO x\r\n");
            CHECK(d.session.finished());
            CHECK(d.written == "220 localhost ESMTP peerpost\r\n");
        }
    }
}

TEST_CASE("a mail that is not finished is given up when the connection ends") {
    for (const char* rest : {"", "DATA\r\n", "DATA\r\nabc", "BDAT 10\r\nabc", "MAI"}) {
        desk d({});
        player::begin_mail(d);
        d.feed(rest);
        d.session.input_ended();
        d.pump();
        INFO(rest);
        CHECK(d.events.back() == "abort");
        CHECK(d.session.finished());
    }
    desk idle({});
    player::log_in(idle);
    idle.session.input_ended();
    idle.pump();
    CHECK(idle.events.empty());
    CHECK(idle.session.finished());
}
