#include "daemon/engine/delivery_report.hpp"

#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/last_word.hpp"
#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/ascii.hpp"
#include "proto/mail/date.hpp"
#include "proto/smtp/xtext.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

using storage::outbox_row;
using storage::outbox_state;

// storage/records.hpp
constexpr std::uint8_t notify_never = 1, notify_success = 2, notify_failure = 4, notify_delay = 8;
constexpr std::uint8_t ret_full = 1;

bool wants(const outbox_row& row, std::uint8_t what) {
    if (row.notify == 0) return what != notify_success;   // RFC 3461 section 4.1: no NOTIFY is no NOTIFY=SUCCESS
    return !(row.notify & notify_never) && (row.notify & what);
}

bool is_ascii(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) { return mail::ascii::is_8bit(c); });
}

std::string date_of(storage::unix_ms at) { return mail::header_date({at / 1000, 0}); }

// Never longer than a line may be, without a line end of its own.
std::string field(std::string_view name, std::string_view value) {
    constexpr std::size_t report_value_bytes_max = 900;   // RFC 5322 section 2.1.1: 998 for the line
    auto text = clean_text(value);
    if (text.size() > report_value_bytes_max) text.resize(report_value_bytes_max);
    return std::string(name) + ": " + text + "\r\n";
}

std::string_view action_of(report_kind kind) {
    return kind == report_kind::delivered ? "delivered" : kind == report_kind::delayed ? "delayed" : "failed";
}

// RFC 3463 section 3: 4.4.7 and 5.4.7 delivery time expired, 5.7.1 refused by the recipient.
std::string_view status_of(const delivery_report& r) {
    if (r.kind == report_kind::delivered) return "2.1.5";
    if (r.kind == report_kind::delayed) return "4.4.7";
    return failed_of_lateness(r.rows.front(), r.times) ? "5.4.7" : "5.7.1";
}

// Which mail it is, in the list of INBOX already: the report alone is no news, what it is about is.
std::string subject_of(const delivery_report& r) {
    const auto subject = subject_in(as_text(r.returned));
    switch (r.kind) {
    case report_kind::delivered: return subject_about("Delivered", subject, "your mail has arrived");
    case report_kind::delayed: return subject_about("Delayed", subject, "your mail has not arrived yet");
    case report_kind::failed: break;
    }
    return subject_about(is_in_doubt(r.rows.front()) ? "Perhaps not delivered" : "Not delivered", subject, "your mail");
}

std::string text_for_people(const delivery_report& r) {
    std::string out;
    const auto& row = r.rows.front();
    const auto say = [&](std::string_view text) { out += paragraph(text) + "\n"; };
    switch (r.kind) {
    case report_kind::delivered:
        say(row.receipt.empty() ? "Your mail has arrived: it was filed on this computer."
                                : "Your mail has arrived. A device of the recipient has stored it and signed for it.");
        break;
    case report_kind::delayed:
        say(r.rows.size() == 1
                ? "Your mail has not arrived yet. It is not lost, and there is nothing you have to do."
                : "Your mail has not arrived yet at " + std::to_string(r.rows.size()) +
                      " of its recipients. It is not lost, and there is nothing you have to do.");
        break;
    case report_kind::failed:
        say(is_in_doubt(row) ? "It is not known whether your mail has arrived or still arrives. No receipt has come, "
                               "and it is not tried again."
                             : "Your mail was not delivered, and is not tried again.");
        break;
    }
    const bool to_one = r.rows.size() == 1;
    out += mail_lines(subject_in(as_text(r.returned)), to_one ? row.recipient : "", row.submitted_at) + "\n";
    if (r.kind == report_kind::delayed && to_one)
        for (const auto& one : explained(row, r.times, r.now, spoken::once)) say(one);
    else if (r.kind == report_kind::delayed)
        out += explained_to_each(r.rows, r.times, r.now);
    if (r.kind == report_kind::failed) {
        say("Why: " + (row.last_error.empty() ? "no reason is known." : sentence(row.last_error)));
        std::string what = "What you can do:";
        for (const auto& one : advice(row, r.times)) what += " " + one;
        say(what);
    }
    if (r.whole_mail) say("The mail is attached.");
    else
        say("Below, for mail programs: the same in their language, and the header of your mail. The mail itself is in "
            "Sent.");
    return out + "Nobody reads answers to this mail.\n";
}

// RFC 3464 section 2.3; RFC 6533 section 4 where an address is not ASCII.
std::string recipient_fields(const delivery_report& r, const outbox_row& row) {
    const auto typed = [&](std::string_view address) {
        return (is_ascii(address) ? "rfc822; " : "utf-8; ") + std::string(address);
    };
    std::string out = "\r\n";
    if (const auto semicolon = row.orcpt.find(';'); semicolon != row.orcpt.npos)   // RFC 3461 section 6.3
        if (const auto address = smtp::decode_xtext(std::string_view(row.orcpt).substr(semicolon + 1)))
            out += field("Original-Recipient",
                         is_ascii(*address) ? row.orcpt.substr(0, semicolon) + "; " + *address : typed(*address));
    out += field("Final-Recipient", typed(row.recipient));
    out += field("Action", action_of(r.kind));
    out += field("Status", status_of(r));
    if (r.kind != report_kind::delivered && !row.last_error.empty())
        out += field("Diagnostic-Code", "x-peerpost; " + row.last_error);
    out += field("Last-Attempt-Date", date_of(r.now));
    if (r.kind == report_kind::delayed)
        out += field("Will-Retry-Until", date_of(begins_at(row) + r.times.fail_after.count()));
    return out;
}

// RFC 3464 section 2.
std::string status_part(const delivery_report& r, bool international) {
    std::string out = "Content-Type: ";
    out += international ? "message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
                         : "message/delivery-status\r\n\r\n";
    const auto& first = r.rows.front();
    if (!first.envid.empty()) out += field("Original-Envelope-Id", first.envid);
    out += field("Reporting-MTA", "dns; " + r.domain);
    out += field("Arrival-Date", date_of(first.submitted_at));
    for (const auto& row : r.rows) out += recipient_fields(r, row);
    return out;
}

}  // namespace

std::optional<report_kind> report_due(const outbox_row& before, const outbox_row& after) {
    if (before.state != after.state) {
        if (after.state == outbox_state::failed && wants(after, notify_failure)) return report_kind::failed;
        if (after.state == outbox_state::delivered && wants(after, notify_success)) return report_kind::delivered;
    }
    return std::nullopt;
}

std::optional<outbox_row> delay_noticed(outbox_row row, unix_ms now, const delivery_times& times) {
    if (!is_open(row) || row.delay_told || !wants(row, notify_delay)) return std::nullopt;
    if (now - begins_at(row) < times.delayed_after.count()) return std::nullopt;
    row.delay_told = true;
    return row;
}

bool returns_whole_mail(report_kind kind, const outbox_row& row, std::uint64_t mail_bytes) {
    return kind == report_kind::failed && row.ret == ret_full && mail_bytes <= returned_mail_bytes_max;
}

std::string_view header_of(std::string_view beginning) {
    if (beginning.starts_with("\r\n")) return {};
    auto end = beginning.find("\r\n\r\n");
    if (end == beginning.npos) end = beginning.rfind("\r\n");
    return end == beginning.npos ? std::string_view() : beginning.substr(0, end + 2);
}

bytes report_mail(const delivery_report& r) {
    const std::string unique = crypto::hex(r.dice);
    const std::string boundary = "=_" + unique;   // 128 random bits: stands in no mail that was written before
    const bool international = std::any_of(r.rows.begin(), r.rows.end(), [](const auto& row) {
        return !is_ascii(row.recipient) || !is_ascii(row.orcpt);
    });
    const auto returned = as_text(r.returned);
    const bool plain = is_ascii(returned);
    std::string out;
    out += "Date: " + date_of(r.now) + "\r\n";
    out += "From: peerpost <peerpost@localhost>\r\n";   // 01-product 1.5: as all that peerpost itself has to say
    const auto address = clean_text(r.address);
    out += r.name.empty() ? "To: " + address + "\r\n" : "To: " + header_phrase(r.name) + "\r\n <" + address + ">\r\n";
    out += "Subject: " + header_text(subject_of(r)) + "\r\n";
    out += "Message-ID: <" + unique + "@" + clean_text(r.domain) + ">\r\n";
    // No References: mail programs would fold the failure away under the delay that was told before.
    out += "Auto-Submitted: auto-replied\r\n";          // RFC 3834 section 5
    out += "MIME-Version: 1.0\r\n";
    out += "Content-Type: multipart/report; report-type=" +
           std::string(international ? "global-delivery-status" : "delivery-status") + ";\r\n boundary=\"" + boundary +
           "\"\r\n";
    if (international || !plain)   // RFC 2045 section 6.4: no part is beyond what the whole says
        out += std::string("Content-Transfer-Encoding: ") + (r.whole_mail && !plain ? "binary" : "8bit") + "\r\n";
    out += "\r\n";
    out += "--" + boundary + "\r\n";
    out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    out += quoted_printable(text_for_people(r));
    out += "--" + boundary + "\r\n" + status_part(r, international);
    out += "\r\n--" + boundary + "\r\n";
    if (r.whole_mail) {
        // RFC 3030 section 3: a mail that came as BINARYMIME is binary here as well.
        out += "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: ";
        out += plain ? "7bit" : "binary";
    } else {
        out += plain ? "Content-Type: text/rfc822-headers"
                     : "Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit";
    }
    out += "\r\n\r\n";
    out += returned;
    out += "\r\n--" + boundary + "--\r\n";
    return to_bytes(out);
}

}  // namespace pp::engine
