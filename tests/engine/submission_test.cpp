#include "daemon/engine/submission.hpp"
#include "proto/mail/message_index.hpp"
#include "tests/engine/accounts.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace std::literals;

namespace {

struct outcome {
    std::optional<smtp::reply> refusal;
    std::string kept, message_id;
    bool operator==(const outcome&) const = default;
};

// In pieces of this size.
outcome run(std::string_view mail, std::size_t piece) {
    engine::submission_filter filter(accounts::key(1));
    outcome o;
    bytes out;
    for (std::size_t at = 0; at < mail.size() && !o.refusal; at += piece)
        o.refusal = filter.update(as_bytes(mail.substr(at, piece)), out);
    if (!o.refusal) o.refusal = filter.finish(out);
    if (!o.refusal) {
        o.kept = as_text(out);
        o.message_id = filter.message_id();
    }
    return o;
}

// Whole, and cut at every byte: the answer must be the same.
outcome run(std::string_view mail) {
    const auto whole = run(mail, mail.size() + 1);
    if (mail.size() < 5000)
        for (std::size_t cut = 0; cut <= mail.size(); ++cut) {
            engine::submission_filter filter(accounts::key(1));
            outcome o;
            bytes out;
            o.refusal = filter.update(as_bytes(mail.substr(0, cut)), out);
            if (!o.refusal) o.refusal = filter.update(as_bytes(mail.substr(cut)), out);
            if (!o.refusal) o.refusal = filter.finish(out);
            if (!o.refusal) {
                o.kept = as_text(out);
                o.message_id = filter.message_id();
            }
            if (o == whole) continue;
            INFO("cut " << cut);
            REQUIRE(o == whole);
        }
    REQUIRE(run(mail, 1) == whole);
    return whole;
}

const std::string me = "anna@" + accounts::domain(1), other = "bob@" + accounts::domain(2);
const std::string from = "From: Anna <" + me + ">\r\n";

std::string status(std::string_view mail) {
    const auto o = run(mail);
    return o.refusal ? std::to_string(o.refusal->code) + " " + o.refusal->enhanced : "taken";
}

}  // namespace

TEST_CASE("a good mail passes byte for byte") {
    for (const std::string& mail : {
             from + "Subject: x\r\n\r\nhi\r\nBcc: not a field here\r\n",
             from + "\r\n",
             from,                                                     // no blank line, no body
             "Subject:\xe4\xff raw\r\n" + from + "X: " + std::string(3000, 'x') + "\r\n\r\n\0body"s,
             "fRoM :\r\n " + me + "\r\n\r\nx",                         // obsolete blank, folded
             from + "this line is no field\r\nSubject: y\r\n\r\nz\r\n",
             "From: " + me + ", Shop <shop@" + accounts::domain(1) + ">\r\nSender: " + me + "\r\n\r\n",
         }) {
        const auto o = run(mail);
        INFO(mail);
        CHECK_FALSE(o.refusal);
        CHECK(o.kept == mail);
    }
}

TEST_CASE("Bcc and Resent-Bcc go, folded lines and all; nothing else does") {
    const auto o = run("Bcc: " + other + "\r\n" + from + "BCC:\r\n\t" + other + ",\r\n " + me +
                       "\r\nTo: x\r\nResent-Bcc : y\r\nX-Bcc: stays\r\nBccx: stays\r\nbcc: \r\n\r\nBcc: body\r\n");
    CHECK_FALSE(o.refusal);
    CHECK(o.kept == from + "To: x\r\nX-Bcc: stays\r\nBccx: stays\r\n\r\nBcc: body\r\n");
    CHECK(run(from + "Bcc: x\r\n").kept == from);
    CHECK(run("Bcc: x\r\n " + from).refusal);   // folded: this From belongs to Bcc
}

TEST_CASE("the author must be the account that logged in") {
    CHECK(status(from + "\r\n") == "taken");
    CHECK(status("From: " + other + "\r\n\r\n") == "550 5.7.1");
    CHECK(status("From: " + me + ", " + other + "\r\n\r\n") == "550 5.7.1");
    CHECK(status("From: <" + me + "> <" + other + ">\r\n\r\n") == "550 5.6.0");
    CHECK(status("From: " + other + " <" + me + ">\r\n\r\n") == "550 5.6.0");
    CHECK(status("From: \"" + other + "\" (" + other + ") <" + me + ">\r\n\r\n") == "taken");
    CHECK(status("From: <" + me + "> \"\r\n\r\n") == "550 5.6.0");
    CHECK(status("From: \"" + me + "\" <" + other + ">\r\n\r\n") == "550 5.7.1");
    CHECK(status("From: anna@example.org\r\n\r\n") == "550 5.7.1");
    CHECK(status("From: " + me + ".example.org\r\n\r\n") == "550 5.7.1");
    CHECK(status(from + "Sender: " + other + "\r\n\r\n") == "550 5.7.1");
    CHECK(status(from + "Sender: " + me + ", " + me + "\r\n\r\n") == "550 5.6.0");
    CHECK(status(from + from + "\r\n") == "550 5.6.0");
    CHECK(status(from + "X: y\r\nno field\r\nFrom: " + other + "\r\n\r\n") == "550 5.6.0");
    CHECK(status(from + "Sender: " + me + "\r\nSender: " + me + "\r\n\r\n") == "550 5.6.0");
    CHECK(status("From: anna\r\n\r\n") == "550 5.6.0");
    CHECK(status("From: group: " + me + ";\r\n\r\n") == "550 5.6.0");
    CHECK(status("From:\r\n\r\n") == "550 5.6.0");
    std::string many = "From: " + me;
    for (int i = 0; i < 100; ++i) many += ",\r\n " + me;
    CHECK(run(many + "\r\n\r\n", 4096).refusal->enhanced == "5.6.0");
    CHECK(run("From: " + std::string(70000, ' ') + me + "\r\n\r\n", 4096).refusal->enhanced == "5.6.0");
}

TEST_CASE("a mail without From is refused with a sentence") {
    for (const std::string& mail : {""s, "\r\n"s, "\r\n" + from + "\r\n", "Subject: x\r\n\r\n" + from, "hello"s,
                                    "From Anna 12:00\r\n\r\n"s, " From: " + me + "\r\n\r\n"}) {
        const auto o = run(mail);
        INFO(mail);
        REQUIRE(o.refusal);
        CHECK(o.refusal->code == 550);
        CHECK(o.refusal->enhanced == "5.6.0");
        CHECK(o.refusal->text == "the mail has no From field; it must say who wrote it");
    }
}

TEST_CASE("no line of the mail belongs to what the recipient's node writes above it") {
    CHECK(status(" header.from=" + accounts::domain(2) + "\r\n" + from + "\r\n") == "550 5.6.0");
    CHECK(status("\tx: y\r\n" + from + "\r\n") == "550 5.6.0");
}

TEST_CASE("who receives a mail looks at its author as it was looked at when it was submitted") {
    const auto is_hers = [](std::string_view mail, std::size_t piece) {
        engine::author_check check(accounts::key(1));
        for (std::size_t at = 0; at < mail.size(); at += piece)
            if (!check.update(as_bytes(mail.substr(at, piece)))) return false;
        return check.finish();
    };
    const auto good = from + "Subject: x\r\n\r\nFrom: " + other + "\r\n\r\n";
    for (const std::size_t piece : {1, 7, 4096}) {
        CHECK(is_hers(good, piece));
        CHECK(is_hers(from, piece));                                                   // no body
        CHECK_FALSE(is_hers("From: Bob <" + other + ">\r\n\r\nhi\r\n", piece));
        CHECK_FALSE(is_hers("From: Bob <" + other + ">\r\n", piece));
        CHECK_FALSE(is_hers(from + "From: Bob <" + other + ">\r\n\r\n", piece));       // which of them is shown?
        CHECK_FALSE(is_hers(from + "Sender: " + other + "\r\n\r\n", piece));
        CHECK_FALSE(is_hers("Subject: x\r\n\r\n" + from, piece));
        CHECK_FALSE(is_hers(from + "X: y\nFrom: " + other + "\r\n\r\n", piece));
        CHECK_FALSE(is_hers("", piece));
    }
}

TEST_CASE("the header has a largest size, the body none") {
    const std::string tail = "\r\n\r\n";
    const auto padded = [&](std::size_t total) {
        std::string mail = from + "X: ";
        while (mail.size() + tail.size() + 1000 < total) mail += std::string(900, 'x') + "\r\n ";
        return mail + std::string(total - mail.size() - tail.size(), 'y') + tail;
    };
    for (const std::size_t piece : {std::size_t(1000), std::size_t(65536), std::size_t(4000000)}) {
        const auto fits = padded(mail::header_block_bytes_max) + std::string(100000, 'b');
        CHECK(run(fits, piece).kept == fits);
        const auto o = run(padded(mail::header_block_bytes_max + 1), piece);
        REQUIRE(o.refusal);
        CHECK(o.refusal->code == 552);
        CHECK(o.refusal->enhanced == "5.3.4");
    }
    std::string lines = from;
    for (std::size_t i = 0; i <= mail::header_lines_max; ++i) lines += "a:\r\n";
    CHECK(run(lines + "\r\n", 4096).refusal->code == 552);
}

TEST_CASE("the Message-ID is found, the first one, and only a sane one") {
    CHECK(run(from + "Message-ID: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n").message_id == "<1@x>");
    CHECK(run(from + "message-id:\r\n <1@x> \r\n\r\n").message_id == "<1@x>");
    CHECK(run(from + "Message-ID: 1@x\r\n\r\n").message_id.empty());
    CHECK(run(from + "Message-ID: <1\x01@x>\r\n\r\n").message_id.empty());
    CHECK(run(from + "Message-ID: <" + std::string(1000, 'x') + ">\r\n\r\n").message_id.empty());
    CHECK(run(from + "\r\nMessage-ID: <1@x>\r\n").message_id.empty());
}

TEST_CASE("nobody writes to whom she has blocked") {
    CHECK_FALSE(engine::refuse_recipient(std::nullopt, {}));
    storage::contact c;
    c.account = accounts::key(2);
    CHECK_FALSE(engine::refuse_recipient(c, {}));
    c.accepted = false;
    c.removed_at = 5;
    CHECK_FALSE(engine::refuse_recipient(c, {}));
    c.removed_at = 0;
    c.blocked = true;
    const auto no = engine::refuse_recipient(c, {});
    REQUIRE(no);
    CHECK((no->code == 550 && no->enhanced == "5.7.1"));
    CHECK(no->text.ends_with("peerpost contact accept " + accounts::domain(2)));
    CHECK(engine::refuse_recipient(c, "me")->text == no->text + " --account me");
    CHECK(no->text.size() + 2 * 70 < 500);   // RFC 5321 section 4.5.3.1.5: a reply line has 512 octets
}

TEST_CASE("the mail that is answered is found in the same way") {
    const auto answered = [](std::string_view fields) {
        engine::submission_filter filter(accounts::key(1));
        bytes out;
        REQUIRE_FALSE(filter.update(as_bytes(from + std::string(fields) + "\r\nIn-Reply-To: <3@x>\r\n"), out));
        return filter.in_reply_to();
    };
    CHECK(answered("Message-ID: <2@x>\r\nin-reply-to:\r\n <1@x>\r\n") == "<1@x>");
    CHECK(answered("In-Reply-To: your mail of Monday\r\nIn-Reply-To: <1@x>\r\n") == "<1@x>");
    CHECK(answered("In-Reply-To: <1\x01@x>\r\n").empty());
    CHECK(answered("").empty());
}

TEST_CASE("of two addresses of one account the sender is told what she asked of either") {
    using notify = smtp::dsn_notify;
    const notify unset, never{.given = true, .never = true}, success{.given = true, .success = true},
        failure{.given = true, .failure = true}, by_itself{.given = true, .failure = true, .delay = true},
        both{.given = true, .success = true, .failure = true},
        all{.given = true, .success = true, .failure = true, .delay = true};
    struct {
        notify a, b, either;
    } const cases[] = {{unset, unset, unset},    {never, never, never},   {never, success, success},
                       {success, failure, both}, {unset, never, by_itself}, {unset, success, all}};
    for (const auto& c : cases) {
        CHECK(engine::told_of_either(c.a, c.b) == c.either);
        CHECK(engine::told_of_either(c.b, c.a) == c.either);
    }
}

TEST_CASE("MAIL FROM is null or the account's") {
    smtp::mail_from m;
    CHECK_FALSE(engine::refuse_sender(m, accounts::key(1)));
    m.from = mail::address{"anyone", accounts::domain(1)};
    CHECK_FALSE(engine::refuse_sender(m, accounts::key(1)));
    m.from = mail::address{"bob", accounts::domain(2)};
    REQUIRE(engine::refuse_sender(m, accounts::key(1)));
    CHECK(engine::refuse_sender(m, accounts::key(1))->enhanced == "5.7.1");
}
