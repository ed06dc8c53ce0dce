#include "daemon/engine/delivery_words.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/last_word.hpp"
#include "daemon/engine/mime_writer.hpp"
#include "daemon/engine/outgoing.hpp"
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/date.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

using storage::outbox_row;
using storage::outbox_state;

constexpr std::size_t columns_max = 72;   // RFC 3676 section 4.2: below 78, with room for quoting

std::string give_up_at(const outbox_row& row, const delivery_times& times) {
    return moment(begins_at(row) + times.fail_after.count());
}

void explain_queued(const outbox_row& row, const delivery_times& times, unix_ms now, spoken how,
                    std::vector<std::string>& out) {
    if (is_held(row, now)) {
        out.push_back("It is held back until " + moment(row.hold_until) + ", as your mail program asked.");
        out.push_back("To cancel it, delete its note from the mailbox Outgoing.");
        return;
    }
    if (row.attempts == 0) {
        out.push_back("It is stored on this computer and goes out as soon as there is a link to the recipient's.");
    } else {
        out.push_back("It is stored on this computer; the recipient has not got it yet.");
        if (!row.last_error.empty())
            out.push_back((how == spoken::once ? "The attempt at " + moment(now) + " did not succeed: "
                                               : "The last attempt did not succeed: ") +
                          clean_text(row.last_error) + ".");
        out.push_back((how == spoken::once ? "It is tried again and again"
                                           : "It is tried again at " + moment(row.next_attempt_at)) +
                      ", and at once when the recipient's computer calls this one. Leave this one switched on.");
    }
    out.push_back("If it has not gone by " + give_up_at(row, times) + ", a report in INBOX says that it failed.");
    out.push_back("To cancel it, delete its note from the mailbox Outgoing.");
}

void explain_seeded(const outbox_row& row, const delivery_times& times, unix_ms now, std::vector<std::string>& out) {
    const auto notes = notes_of(row);
    const bool fetched = doubt_of(notes, now) == doubt::fetched;
    const auto last_word_at = moment(begins_at(row) + (1 + decided_within) * times.fail_after.count());
    out.push_back(
        "The recipient's computer was not reached. Since " + moment(row.state_since) +
        (fetched ? " the mail waited, encrypted, at " : " the mail waits, encrypted, at ") +
        (notes.seed_at_ours ? "your own relay, and word of it at the recipient's." : "the recipient's relay."));
    if (now < begins_at(row) + times.fail_after.count() && fetched) {
        out.push_back("The recipient's computer has taken it from there, but no receipt has come yet: it is asked for "
                      "another. Leave this one switched on.");
        out.push_back("If none has come by " + last_word_at + ", a report in INBOX says so.");
        return;
    }
    if (now < begins_at(row) + times.fail_after.count()) {
        out.push_back("This computer need not be switched on for the recipient to get it.");
        out.push_back("If no receipt has come by " + give_up_at(row, times) +
                      ", it is taken back, and a report in INBOX says that it failed.");
        out.push_back("Deleting its note from Outgoing does not call it back.");
        return;
    }
    out.push_back("Its time for delivery was over at " + give_up_at(row, times) + ". " +
                  (fetched ? "The recipient's computer has taken it from there, but no receipt has come yet."
                           : "It is to be taken back from there, which has not succeeded yet."));
    out.push_back("A report in INBOX says what has become of it, at the latest at " + last_word_at + ".");
}

void explain_failed(const outbox_row& row, const delivery_times& times, std::vector<std::string>& out) {
    out.push_back((is_in_doubt(row) ? "Nobody knows whether it arrives: " : "It was not delivered: ") +
                  (row.last_error.empty() ? "no reason is known" : clean_text(row.last_error)) + ".");
    out.push_back("Nothing more is tried.");
    for (auto& one : advice(row, times)) out.push_back(std::move(one));
}

}  // namespace

std::vector<std::string> explained(const outbox_row& row, const delivery_times& times, unix_ms now, spoken how) {
    std::vector<std::string> out;
    switch (row.state) {
    case outbox_state::queued: explain_queued(row, times, now, how, out); break;
    case outbox_state::notified:
        out.push_back("The recipient's computer has known of it since " + moment(row.state_since) +
                      " and fetches it from this one.");
        out.push_back("Its receipt has not come yet. " +
                      (how == spoken::once ? "Leave this computer switched on until it has."
                                           : "It is asked again at " + moment(row.next_attempt_at) +
                                                 "; leave this computer switched on until then."));
        break;
    case outbox_state::seeded: explain_seeded(row, times, now, out); break;
    case outbox_state::delivered:
        if (row.receipt.empty()) {   // to an account of this node
            out.push_back("It was filed on this computer at " + moment(row.state_since) + ".");
            break;
        }
        out.push_back("A device of the recipient has signed that it stored the mail; known here since " +
                      moment(row.state_since) + ".");
        break;
    case outbox_state::failed: explain_failed(row, times, out); break;
    }
    return out;
}

bool failed_of_lateness(const outbox_row& row, const delivery_times& times) {
    return row.state == outbox_state::failed && row.last_error != cancelled_sentence &&
           row.state_since - begins_at(row) >= times.fail_after.count();
}

std::vector<std::string> advice(const outbox_row& row, const delivery_times& times) {
    if (row.last_error == cancelled_sentence) return {"The mail is in Sent."};
    if (is_in_doubt(row))
        return {"Before you send it once more, ask the recipient.",
                "Should a receipt come after all, this shows it: peerpost queue --all"};
    if (failed_of_lateness(row, times) && notes_of(row).hers)   // she has a relay, which has not helped
        return {"Ask the recipient in another way whether peerpost runs there and has a connection, and whether the "
                "relay that is to keep mail for that computer works and has room.",
                "Then send the mail again: it is in Sent."};
    if (failed_of_lateness(row, times))
        return {
            "Ask the recipient in another way whether the address is right, and whether peerpost runs there and has a "
            "connection.",
            "When the two computers are seldom switched on at the same time, a relay helps: the recipient uses one "
            "with peerpost relay use LINK.",
            "Then send the mail again: it is in Sent."};
    return {"Only the recipient can change that: ask in another way.",
            "To send the mail again afterwards, take it from Sent."};
}

std::string moment(unix_ms at) {
    constexpr std::string_view seconds_and_zone = ":00 +0000";
    auto text = mail::header_date({at / 1000, 0});   // "Sun, 22 Nov 2026 07:00:00 +0000"
    text.resize(text.size() - seconds_and_zone.size());
    if (const auto clock = text.rfind(' '); clock != text.npos) text.insert(clock, ",");
    return text + " UTC";
}

std::string sentence(std::string_view text) {
    auto out = clean_text(text);
    if (out.empty()) return out;
    if (out.front() >= 'a' && out.front() <= 'z') out.front() = static_cast<char>(out.front() - 'a' + 'A');
    if (out.back() != '.') out += '.';
    return out;
}

std::string paragraph(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        if (!word.empty()) {
            if (column > 0 && column + 1 + word.size() > columns_max) {
                out += '\n';
                column = 0;
            } else if (column > 0) {
                out += ' ';
                ++column;
            }
            out += word;
            column += word.size();
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out + '\n';
}

std::string explained_to_each(const std::vector<outbox_row>& rows, const delivery_times& times, unix_ms now) {
    std::string out;
    for (std::size_t i = 0; i < std::min(rows.size(), people_named_max); ++i) {
        out += "To " + clean_text(rows[i].recipient) + "\n\n";
        for (const auto& one : explained(rows[i], times, now, spoken::once)) out += paragraph(one) + "\n";
    }
    if (rows.size() > people_named_max)
        out += "To " + std::to_string(rows.size() - people_named_max) + " more; see: peerpost queue\n\n";
    return out;
}

std::string subject_in(std::string_view header_block) {
    const auto values = mail::header_values(header_block, "Subject");
    if (values.empty()) return {};
    const auto whole = clean_text(mail::decode_header_text(values.front()));
    auto rest = mail::ascii::trim(whole);
    std::string out;
    while (!rest.empty()) {
        const auto length = std::max<std::size_t>(mail::ascii::utf8_sequence(rest), 1);
        if (out.size() + length > subject_bytes_max) return out + "...";
        out += rest.substr(0, length);
        rest.remove_prefix(length);
    }
    return out;
}

std::string mail_lines(std::string_view subject, std::string_view recipient, unix_ms sent) {
    std::string out;
    if (!subject.empty()) out += "    Subject:  " + clean_text(subject) + "\n";
    if (!recipient.empty()) out += "    To:       " + clean_text(recipient) + "\n";
    return out + "    Sent:     " + moment(sent) + "\n";
}

std::string subject_about(std::string_view what, std::string_view subject, std::string_view otherwise) {
    return std::string(what) + ": " + std::string(subject.empty() ? otherwise : subject);
}

std::string header_text(std::string_view text) {
    const auto clean = clean_text(text);
    const bool plain = clean.size() <= columns_max && clean.find("=?") == clean.npos &&
                       std::none_of(clean.begin(), clean.end(), [](char c) { return mail::ascii::is_8bit(c); });
    return plain ? clean : header_phrase(clean);
}

}  // namespace pp::engine
