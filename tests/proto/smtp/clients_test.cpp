// What real clients send (05-mail-protocols 5.5 and 5.1), command by command.
#include "tests/proto/smtp/player.hpp"

using player::desk;
using player::play;

namespace {

const std::string ehlo_answer =
    "S: 250-localhost\nS: 250-PIPELINING\nS: 250-SIZE 50000000\nS: 250-8BITMIME\nS: 250-SMTPUTF8\n"
    "S: 250-ENHANCEDSTATUSCODES\nS: 250-DSN\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250-LIMITS RCPTMAX=100\n"
    "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS\nS: 250 HELP\n";
const std::string greeting = "S: 220 localhost ESMTP peerpost\n";
const std::string welcome = "E: login anna secret\nS: 235 2.7.0 welcome\n";
const std::string bye = "C: QUIT\nS: 221 2.0.0 localhost closes the connection\nS: close\n";
const std::string taken = "E: body\nE: end\nS: 250 2.0.0 kept\n";

pp::smtp::session_options options() {
    pp::smtp::session_options o;
    o.tls_active = true;
    o.size_max = 50000000;
    return o;
}

}  // namespace

TEST_CASE("Thunderbird: an address literal, AUTH PLAIN at once, BODY and SIZE") {
    play(greeting + "C: EHLO [127.0.0.1]\n" + ehlo_answer + "C: AUTH PLAIN AGFubmEAc2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt> BODY=8BITMIME SIZE=321\nE: mail anna@a.alt size=321 8bit\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n"
         "C: DATA\nE: begin\nS: 354 go on\nC: Message-ID: <1@a.alt>\nC: \nC: hi\nC: .\n" + taken + bye, options());
}

TEST_CASE("Thunderbird with a wish for a delivery report") {
    play(greeting + "C: EHLO [IPv6:::1]\n" + ehlo_answer + "C: AUTH PLAIN AGFubmEAc2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt> BODY=8BITMIME SIZE=3 RET=FULL ENVID=<1@a.alt>\n"
         "E: mail anna@a.alt size=3 8bit full envid=<1@a.alt>\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<bob@b.alt> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@b.alt\n"
         "E: rcpt bob@b.alt notify success failure orcpt=rfc822;bob@b.alt\nS: 250 2.1.5 ok\n", options());
}

TEST_CASE("swaks: AUTH LOGIN word for word, and QUIT after a refusal") {
    play(greeting + "C: EHLO host.localdomain\n" + ehlo_answer +
         "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<no@b.alt>\nE: rcpt no@b.alt\nS: 550 5.1.1 no such account\n"
         "C: QUIT\nE: abort\nS: 221 2.0.0 localhost closes the connection\nS: close\n",
         options(), [](desk& d) { d.scripted["rcpt"].push_back({550, "5.1.1", "no such account"}); });
}

TEST_CASE("swaks --pipeline and BDAT") {
    play(greeting + "C: EHLO x\n" + ehlo_answer + "C: AUTH PLAIN AGFubmEAc2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt>\nC: RCPT TO:<bob@b.alt>\nC: BDAT 5 LAST\nC: a\nC: b\\r\\-\n"
         "E: mail anna@a.alt\nE: rcpt bob@b.alt\nE: begin\nE: body\nE: abort\n"
         "S: 250 2.1.0 ok\nS: 250 2.1.5 ok\nS: 550 5.5.2 the mail holds a CR or LF on its own; lines end with CR LF\n",
         options());
    play(greeting + "C: EHLO x\n" + ehlo_answer + "C: AUTH PLAIN AGFubmEAc2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt>\nC: RCPT TO:<bob@b.alt>\nC: BDAT 6 LAST\nC: a\nC: b\nC: NOOP\n"
         "E: mail anna@a.alt\nE: rcpt bob@b.alt\nE: begin\nE: body\nE: end\n"
         "S: 250 2.1.0 ok\nS: 250 2.1.5 ok\nS: 250 2.0.0 kept\nS: 250 2.0.0 here\n", options());
}

TEST_CASE("Python's smtplib: ehlo in small letters, size in small letters, a refused login ends in 535") {
    play(greeting + "C: ehlo [127.0.1.1]\n" + ehlo_answer +
         "C: AUTH PLAIN AGFubmEAd3Jvbmc=\nE: login anna wrong\nS: 535 5.7.8 user name or password is wrong\n"
         "C: AUTH LOGIN YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n" + welcome +
         "C: mail FROM:<anna@a.alt> size=12\nE: mail anna@a.alt size=12\nS: 250 2.1.0 ok\n"
         "C: rcpt TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n"
         "C: data\nE: begin\nS: 354 go on\nC: hi\nC: .\n" + taken +
         "C: vrfy bob\nS: 252 2.0.0 send the mail; RCPT says whether the address can be reached\n"
         "C: noop\nS: 250 2.0.0 here\nC: rset\nS: 250 2.0.0 forgotten\n"
         "C: quit\nS: 221 2.0.0 localhost closes the connection\nS: close\n", options());
}

TEST_CASE("curl: EHLO, AUTH PLAIN without an initial response, MAIL with SIZE") {
    play(greeting + "C: EHLO user\n" + ehlo_answer + "C: AUTH PLAIN\nS: 334 \nC: AGFubmEAc2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt> SIZE=20\nE: mail anna@a.alt size=20\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n"
         "C: DATA\nE: begin\nS: 354 go on\nC: a\nC: .\n" + taken + bye, options());
}

TEST_CASE("Outlook: a blank behind the colons, AUTH LOGIN with and without the user name") {
    for (const std::string login : {"C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uYQ==\nS: 334 UGFzc3dvcmQ6\n"
                                    "C: c2VjcmV0\n",
                                    "C: AUTH login YW5uYQ==\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n"})
        play(greeting + "C: EHLO DESKTOP_1\n" + ehlo_answer + login + welcome +
             "C: MAIL FROM: <anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
             "C: RCPT TO: <bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n"
             "C: DATA\nE: begin\nS: 354 go on\nC: a\nC: .\n" + taken + bye, options());
}

TEST_CASE("iOS Mail sends 8-bit text without saying so; the bytes stay") {
    desk d(options());
    player::begin_mail(d);
    d.feed("DATA\r\nSubject: \xc3\xa4\xff\r\n\r\n\xe4\r\n.\r\n");
    CHECK(d.body == "Subject: \xc3\xa4\xff\r\n\r\n\xe4\r\n");
}

TEST_CASE("Delta Chat: BODY=8BITMIME SMTPUTF8 on every mail") {
    play(greeting + "C: EHLO [127.0.0.1]\n" + ehlo_answer + "C: AUTH PLAIN AGFubmEAc2VjcmV0\n" + welcome +
         "C: MAIL FROM:<anna@a.alt> BODY=8BITMIME SMTPUTF8\nE: mail anna@a.alt 8bit utf8\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n", options());
}

TEST_CASE("nodemailer's pool: several mails over one connection, RSET in between") {
    std::string script =
        greeting + "C: EHLO [127.0.0.1]\n" + ehlo_answer + "C: AUTH PLAIN AGFubmEAc2VjcmV0\n" + welcome;
    for (int i = 0; i < 3; ++i)
        script += "C: MAIL FROM:<anna@a.alt>\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
                  "C: RCPT TO:<bob@b.alt>\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n"
                  "C: DATA\nE: begin\nS: 354 go on\nC: a\nC: .\n" + taken + "C: RSET\nS: 250 2.0.0 forgotten\n";
    play(script + bye, options());
}

TEST_CASE("an old client: HELO, no <>") {
    play(greeting + "C: HELO old\nS: 250 localhost\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YW5uYQ==\n"
         "S: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\n" + welcome +
         "C: MAIL FROM:anna@a.alt\nE: mail anna@a.alt\nS: 250 2.1.0 ok\n"
         "C: RCPT TO:bob@b.alt\nE: rcpt bob@b.alt\nS: 250 2.1.5 ok\n", options());
}
