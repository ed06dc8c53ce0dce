#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/deposit.hpp"
#include "daemon/engine/outgoing.hpp"
#include "daemon/engine/outgoing_mail.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/message_index.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using storage::outbox_row;
using storage::outbox_state;

namespace {

constexpr storage::unix_ms sent = 1795330800000;   // 2026-11-22T07:00:00Z

engine::outgoing_mail under_way(outbox_state state) {
    engine::outgoing_mail m;
    m.rows.resize(1);
    m.rows[0].recipient = "bob@b.alt";
    m.rows[0].state = state;
    m.rows[0].attempts = 1;
    m.rows[0].submitted_at = m.rows[0].state_since = m.rows[0].next_attempt_at = sent;
    m.rows[0].last_error = "nobody was there\r\nX-Forged: yes";
    m.subject = "Lunch on Friday";
    m.domain = "label.peerpost.alt";
    m.now = sent + 60000;
    return m;
}

std::string text_of(const engine::outgoing_mail& m) { return std::string(as_text(outgoing_text(m))); }

std::string body_of(const std::string& text) {
    return mail::decode_quoted_printable(text.substr(text.find("\r\n\r\n") + 4));
}

bool says(const engine::outgoing_mail& m, std::string_view words) {
    auto body = body_of(text_of(m));
    for (std::size_t at = 0; (at = body.find("\r\n", at)) != body.npos;) body.replace(at, 2, " ");
    return body.find(words) != body.npos;
}

std::string subject_line(const engine::outgoing_mail& m) {
    return mail::decode_header_text(mail::header_values(text_of(m), "Subject").at(0));
}

}  // namespace

TEST_CASE("a note in Outgoing says in Subject and words what the keyword says") {
    auto m = under_way(outbox_state::queued);
    CHECK(subject_line(m) == "Waiting on this computer: Lunch on Friday");
    CHECK(says(m, "    Subject:  Lunch on Friday"));
    CHECK(says(m, "To bob@b.alt"));
    CHECK(says(m, "The attempt at Sun, 22 Nov 2026, 07:01 UTC did not succeed: nobody was there X-Forged: yes."));
    CHECK(says(m, "To cancel it, delete its note from the mailbox Outgoing."));
    CHECK(says(m, "If it has not gone by Fri, 27 Nov 2026, 07:00 UTC"));
    CHECK_FALSE(says(m, "tried again at"));       // nothing that is old after the next attempt
    m.rows[0].hold_until = sent + 3600 * 1000;
    CHECK(subject_line(m) == "Held back: Lunch on Friday");
    CHECK(says(m, "held back until Sun, 22 Nov 2026, 08:00 UTC, as your mail program asked"));

    m = under_way(outbox_state::seeded);
    CHECK(subject_line(m) == "Waiting at a relay: Lunch on Friday");
    CHECK(says(m, "This computer need not be switched on"));
    CHECK_FALSE(says(m, "To cancel it"));
    m = under_way(outbox_state::notified);
    CHECK(subject_line(m) == "Being fetched: Lunch on Friday");
    CHECK(says(m, "Leave this computer switched on"));
    m.subject.clear();
    CHECK(subject_line(m) == "Being fetched: your mail");
}

TEST_CASE("a note that was deleted says what was cancelled, and what was not") {
    auto m = under_way(outbox_state::queued);
    m.was_deleted = true;
    m.rows[0] = cancelled(m.rows[0], sent + 60000);
    CHECK(outgoing_keyword(m) == "Cancelled");
    CHECK(subject_line(m) == "Cancelled: Lunch on Friday");
    CHECK(says(m, "This mail was cancelled, because its note was deleted from Outgoing:"));
    CHECK(says(m, "To bob@b.alt"));
    CHECK(says(m, "Nothing more is tried."));
    CHECK(text_of(m).find("Message-ID: <cancelled.") != std::string::npos);
    for (const auto* old : {"under way", "goes away by itself", "To cancel it", "tried again"})
        CHECK_FALSE(says(m, old));

    m.rows.push_back(under_way(outbox_state::notified).rows[0]);
    CHECK(outgoing_keyword(m) == "Cancelled");
    CHECK(subject_line(m) == "Cancelled in part: Lunch on Friday");
    CHECK(says(m, "What had gone out before that cannot be called back:"));
    m.rows.erase(m.rows.begin());
    CHECK(outgoing_keyword(m) == "Notified");
    CHECK(subject_line(m) == "Not cancelled: Lunch on Friday");
    CHECK_FALSE(says(m, "goes away by itself"));
}

TEST_CASE("a note is a mail: ASCII, short lines, nothing forged, parts that fit") {
    auto m = under_way(outbox_state::queued);
    m.subject = "gr\xc3\xbc\xc3\x9f\r\nX-Forged: yes " + std::string(190, 'x');
    m.rows[0].recipient = "b\xc3\xb6" "b@b.alt";
    const auto text = text_of(m);
    CHECK(text.substr(0, text.find("\r\n\r\n")).find("\r\nX-Forged") == text.npos);
    CHECK(text.find("undisclosed-recipients:;") != text.npos);
    CHECK(subject_line(m).starts_with("Waiting on this computer: gr\xc3\xbc\xc3\x9f  X-Forged"));
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find("\r\n", at);
        REQUIRE(end != text.npos);
        CHECK(end - at <= 78);                    // RFC 5322 section 2.1.1
        CHECK(std::none_of(text.begin() + static_cast<long>(at), text.begin() + static_cast<long>(end),
                           [](char c) { return c == '\r' || c == '\n' || static_cast<unsigned char>(c) >= 0x80; }));
        at = end + 2;
    }
    CHECK(mail::index_message(text).parts.size() == 1);
}

TEST_CASE("of many recipients some are named and the rest is counted; a note is known by its Message-ID") {
    auto m = under_way(outbox_state::queued);
    m.rows.resize(people_named_max + 3, m.rows[0]);
    CHECK(says(m, "To 3 more; see: peerpost queue"));
    storage::id16 submission{};
    CHECK(outgoing_message_id(submission, "Held", "a.alt") == "<held.00000000000000000000000000000000@a.alt>");
    CHECK(text_of(m).find("Message-ID: " + outgoing_message_id(submission, "Queued", m.domain) + "\r\n") !=
          std::string::npos);
    for (const auto word : outgoing_keywords)     // all that there are
        CHECK(outgoing_message_id(submission, word, "a") != outgoing_message_id(submission, "Other", "a"));
}

TEST_CASE("words: paragraphs, sentences, subjects") {
    CHECK(paragraph("") == "\n");
    CHECK(paragraph("a  b") == "a b\n");
    const std::string long_word(100, 'x');
    CHECK(paragraph("a " + long_word + " b") == "a\n" + long_word + "\nb\n");
    CHECK(engine::sentence("the disk is full") == "The disk is full.");
    CHECK(engine::sentence("") == "");
    CHECK(engine::sentence("Done.") == "Done.");
    CHECK(moment(sent) == "Sun, 22 Nov 2026, 07:00 UTC");

    CHECK(subject_in("From: a\r\nSubject:  =?utf-8?Q?gr=C3=BCn?=\r\n folded \r\nSubject: second\r\n") ==
          "gr\xc3\xbcn folded");
    CHECK(subject_in("From: a\r\n") == "");
    CHECK(subject_in("Subject: " + std::string(300, 'y')) == std::string(subject_bytes_max, 'y') + "...");
    std::string wide;
    for (int i = 0; i < 150; ++i) wide += "\xc3\xbc";
    CHECK(subject_in("Subject: " + wide) == wide.substr(0, subject_bytes_max) + "...");   // no half character
    CHECK(header_text("plain: words, (and) marks") == "plain: words, (and) marks");
    CHECK(header_text("=?utf-8?Q?raw?=").starts_with("=?utf-8?B?"));   // what looks encoded is shown as it is
}

TEST_CASE("what can be done about a failed mail depends on why it failed") {
    outbox_row row;
    row.submitted_at = sent;
    row.state = outbox_state::failed;
    row.state_since = sent + 1000;
    row.last_error = "the recipient refused the mail: no";
    CHECK_FALSE(failed_of_lateness(row, {}));
    CHECK(advice(row, {}).front().starts_with("Only the recipient can change that"));
    row.state_since = sent + delivery_times().fail_after.count();
    CHECK(failed_of_lateness(row, {}));
    CHECK(advice(row, {}).size() == 3);
    CHECK(advice(row, {})[1].find("a relay helps") != std::string::npos);
    deposit_notes notes;   // her relay was tried: nobody is told to get one
    notes.hers.emplace().where.endpoints = {"relay.example.org:443"};
    row.deposit = encode(notes);
    CHECK(advice(row, {}).size() == 2);
    CHECK(advice(row, {})[0].find("has room") != std::string::npos);
    row.last_error = cancelled_sentence;
    CHECK_FALSE(failed_of_lateness(row, {}));
    CHECK(explained(row, {}, sent).back() == "The mail is in Sent.");
}
