#include "daemon/engine/delivery.hpp"
#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/delivery_words.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/message_index.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using engine::report_kind;
using storage::outbox_row;
using storage::outbox_state;

namespace {

constexpr storage::unix_ms start = 1795330800000;   // 2026-11-22T07:00:00Z

outbox_row queued(std::uint8_t notify = 0) {
    outbox_row row;
    row.recipient = "bob@b.alt";
    row.notify = notify;
    row.submitted_at = row.state_since = start;
    return row;
}
outbox_row in(outbox_row row, outbox_state state) {
    row.state = state;
    return row;
}
std::optional<report_kind> due(std::uint8_t notify, outbox_state state) {
    return engine::report_due(queued(notify), in(queued(notify), state));
}

engine::delivery_report failure() {
    engine::delivery_report r;
    r.rows = {in(queued(4), outbox_state::failed)};
    r.rows.front().last_error = "the recipient refused the mail: no\r\nX-Forged: yes";
    r.rows.front().envid = "id 7";
    r.rows.front().orcpt = "rfc822;bob+2Bx@b.alt";
    r.rows.front().message_id = "<1@a.alt>";
    r.domain = "label.peerpost.alt";
    r.address = "anna@label.peerpost.alt";
    r.name = "Anna";
    r.returned = to_bytes("From: anna\r\nSubject: hi\r\n\r\n");
    r.now = start + 1000;
    return r;
}

bool has(const std::string& text, std::string_view line) {
    return text.find("\r\n" + std::string(line) + "\r\n") != text.npos;
}

}  // namespace

TEST_CASE("who is told what: RFC 3461 section 4.1") {
    CHECK(due(0, outbox_state::failed) == report_kind::failed);        // nothing asked for
    CHECK_FALSE(due(0, outbox_state::delivered));
    CHECK_FALSE(due(1, outbox_state::failed));                         // NEVER
    CHECK_FALSE(due(1, outbox_state::delivered));
    CHECK(due(2, outbox_state::delivered) == report_kind::delivered);  // SUCCESS
    CHECK_FALSE(due(2, outbox_state::failed));
    CHECK(due(4, outbox_state::failed) == report_kind::failed);        // FAILURE
    CHECK_FALSE(due(4, outbox_state::delivered));
    CHECK_FALSE(due(15, outbox_state::notified));
    // told once: a state that stays is no news, a receipt behind a failure is
    CHECK_FALSE(engine::report_due(in(queued(), outbox_state::failed), in(queued(), outbox_state::failed)));
    CHECK(engine::report_due(in(queued(2), outbox_state::failed), in(queued(2), outbox_state::delivered)) ==
          report_kind::delivered);
}

TEST_CASE("a delay is noticed once, four hours after the mail could go") {
    const auto late = start + engine::delivery_times().delayed_after.count();
    CHECK_FALSE(engine::delay_noticed(queued(), late - 1));
    const auto told = engine::delay_noticed(queued(), late);
    REQUIRE(told);
    CHECK_FALSE(engine::report_due(queued(), *told));        // it is told by itself, of all recipients at once
    CHECK_FALSE(engine::delay_noticed(*told, late + 1));
    CHECK_FALSE(engine::delay_noticed(queued(4), late));     // NOTIFY=FAILURE only
    CHECK(engine::delay_noticed(queued(8), late));
    CHECK_FALSE(engine::delay_noticed(queued(1), late));
    CHECK_FALSE(engine::delay_noticed(in(queued(), outbox_state::delivered), late));
    auto held = queued();
    held.hold_until = start + 1000;
    CHECK_FALSE(engine::delay_noticed(held, late));
    CHECK(engine::delay_noticed(held, late + 1000));
}

TEST_CASE("the whole mail comes back for failures with RET=FULL, when it is small") {
    auto row = queued();
    CHECK_FALSE(engine::returns_whole_mail(report_kind::failed, row, 10));
    row.ret = 1;
    CHECK(engine::returns_whole_mail(report_kind::failed, row, engine::returned_mail_bytes_max));
    CHECK_FALSE(engine::returns_whole_mail(report_kind::failed, row, engine::returned_mail_bytes_max + 1));
    CHECK_FALSE(engine::returns_whole_mail(report_kind::delivered, row, 10));
    row.ret = 2;
    CHECK_FALSE(engine::returns_whole_mail(report_kind::failed, row, 10));
}

TEST_CASE("a report has the three parts of RFC 6522 and the fields of RFC 3464") {
    const auto text = std::string(as_text(engine::report_mail(failure())));
    for (const auto* field : {"Original-Envelope-Id: id 7", "Reporting-MTA: dns; label.peerpost.alt",
                              "Original-Recipient: rfc822; bob+x@b.alt", "Final-Recipient: rfc822; bob@b.alt",
                              "Action: failed", "Status: 5.7.1",
                              "Diagnostic-Code: x-peerpost; the recipient refused the mail: no  X-Forged: yes"}) {
        INFO(field);
        CHECK(has(text, field));
    }
    CHECK(text.find("\r\nReferences:") == text.npos);   // no thread: each report is seen by itself
    CHECK(has(text, "To: Anna"));
    CHECK(text.find("\r\nX-Forged") == text.npos);
    CHECK(text.find("Content-Type: multipart/report; report-type=delivery-status") != text.npos);
    CHECK(text.find("Content-Type: text/rfc822-headers\r\n\r\nFrom: anna\r\nSubject: hi\r\n\r\n\r\n--=_") != text.npos);

    const auto index = mail::index_message(text);
    CHECK(index.parts.size() == 4);   // the whole and its three
    CHECK(mail::find_part(index, std::vector<std::uint32_t>{3}) != nullptr);
    CHECK(mail::find_part(index, std::vector<std::uint32_t>{4}) == nullptr);
}

TEST_CASE("the header of a mail out of its beginning") {
    CHECK(engine::header_of("A: 1\r\nB: 2\r\n\r\nbody\r\n\r\n") == "A: 1\r\nB: 2\r\n");
    CHECK(engine::header_of("A: 1\r\nB: cut he") == "A: 1\r\n");
    CHECK(engine::header_of("\r\nbody").empty());
    CHECK(engine::header_of("no line at all").empty());
    CHECK(engine::header_of("").empty());
}

TEST_CASE("late, delayed and delivered") {
    auto r = failure();
    r.now = r.rows.front().state_since = start + engine::delivery_times().fail_after.count();
    CHECK(has(std::string(as_text(engine::report_mail(r))), "Status: 5.4.7"));
    r.kind = report_kind::delayed;
    r.rows.front().state = outbox_state::queued;
    auto text = std::string(as_text(engine::report_mail(r)));
    CHECK(has(text, "Action: delayed"));
    CHECK(has(text, "Status: 4.4.7"));
    CHECK(has(text, "Will-Retry-Until: Fri, 27 Nov 2026 07:00:00 +0000"));
    r.kind = report_kind::delivered;
    text = std::string(as_text(engine::report_mail(r)));
    CHECK(has(text, "Action: delivered"));
    CHECK(has(text, "Status: 2.1.5"));
    CHECK(text.find("Diagnostic-Code") == text.npos);
}

TEST_CASE("a report says which mail, what has happened, why, and what can be done") {
    const auto body = [](const engine::delivery_report& r) {
        const auto text = std::string(as_text(engine::report_mail(r)));
        auto words = mail::decode_quoted_printable(text.substr(text.find("quoted-printable\r\n\r\n")));
        words.resize(words.find("Nobody reads answers"));
        for (std::size_t at = 0; (at = words.find("\r\n", at)) != words.npos;) words.replace(at, 2, " ");
        return words;
    };
    const auto says = [&](const engine::delivery_report& r, std::string_view what) {
        return body(r).find(what) != std::string::npos;
    };
    auto r = failure();
    const auto text = std::string(as_text(engine::report_mail(r)));
    CHECK(has(text, "Subject: Not delivered: hi"));
    for (const auto* line : {"    Subject:  hi", "    To:       bob@b.alt", "    Sent:     Sun, 22 Nov 2026, 07:00 UTC",
                             "Why: The recipient refused the mail: no X-Forged: yes.",
                             "What you can do: Only the recipient can change that", "The mail itself is in Sent."}) {
        INFO(line);
        CHECK(says(r, line));
    }
    r.rows.front().state_since = start + engine::delivery_times().fail_after.count();
    CHECK(says(r, "whether the address is right"));
    r.whole_mail = true;
    CHECK(says(r, "The mail is attached."));

    r = failure();
    r.kind = report_kind::delayed;
    r.rows = {in(queued(), outbox_state::seeded)};
    CHECK(has(std::string(as_text(engine::report_mail(r))), "Subject: Delayed: hi"));
    CHECK(says(r, "It is not lost, and there is nothing you have to do."));
    CHECK(says(r, "the mail waits, encrypted, at the recipient's relay"));
    CHECK(says(r, "If no receipt has come by Fri, 27 Nov 2026, 07:00 UTC"));
    r.kind = report_kind::delivered;
    r.returned.clear();
    CHECK(has(std::string(as_text(engine::report_mail(r))), "Subject: Delivered: your mail has arrived"));
    CHECK(says(r, "Your mail has arrived: it was filed on this computer."));   // nobody signs for that
    r.rows.front().receipt = to_bytes("signed");
    CHECK(says(r, "A device of the recipient has stored it and signed for it."));
    CHECK_FALSE(says(r, "Why:"));
}

TEST_CASE("one report tells the delay of all recipients of a mail") {
    auto r = failure();
    r.kind = report_kind::delayed;
    r.rows.clear();
    for (std::size_t i = 0; i < engine::people_named_max + 2; ++i) {
        r.rows.push_back(queued());
        r.rows.back().recipient = "p" + std::to_string(i) + "@b.alt";
    }
    const auto text = std::string(as_text(engine::report_mail(r)));
    const auto count = [&](std::string_view what) {
        std::size_t n = 0;
        for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++n;
        return n;
    };
    CHECK(has(text, "Final-Recipient: rfc822; p0@b.alt"));
    CHECK(has(text, "Final-Recipient: rfc822; p21@b.alt"));
    CHECK(count("\r\n\r\nFinal-Recipient: ") == 22);   // RFC 3464 section 2.1: a blank line before each
    CHECK(count("\r\nAction: delayed\r\n") == 22);
    CHECK(count("Arrival-Date: ") == 1);
    CHECK(has(text, "To p19@b.alt"));
    CHECK_FALSE(has(text, "To p20@b.alt"));
    CHECK(has(text, "To 2 more; see: peerpost queue"));
    CHECK(text.find("has not arrived yet at 22 of its recipients") != text.npos);
    CHECK(count("    To:  ") == 0);
}

TEST_CASE("addresses and headers beyond ASCII: RFC 6533") {
    auto r = failure();
    r.rows.front().recipient = "b\xc3\xb6" "b@b.alt";
    r.returned = to_bytes("Subject: \xc3\xbc\r\n\r\n");
    const auto text = std::string(as_text(engine::report_mail(r)));
    CHECK(has(text, "Final-Recipient: utf-8; b\xc3\xb6" "b@b.alt"));
    CHECK(text.find("report-type=global-delivery-status") != text.npos);
    CHECK(text.find("Content-Type: message/global-delivery-status") != text.npos);
    CHECK(text.find("Content-Type: message/global-headers") != text.npos);
    r.whole_mail = true;
    CHECK(std::string(as_text(engine::report_mail(r))).find("Content-Type: message/rfc822\r\n"
                                                            "Content-Transfer-Encoding: binary") !=
          std::string::npos);
}
