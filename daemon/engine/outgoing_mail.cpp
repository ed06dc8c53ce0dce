#include "daemon/engine/outgoing_mail.hpp"

#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/mime_writer.hpp"
#include "daemon/engine/outgoing.hpp"
#include "proto/mail/ascii.hpp"
#include "proto/mail/date.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

bool is_over(const storage::outbox_row& row) { return row.state == storage::outbox_state::failed; }

std::string_view in_plain_words(const outgoing_mail& m, std::string_view keyword) {
    if (m.was_deleted) {
        const auto over = std::count_if(m.rows.begin(), m.rows.end(), is_over);
        if (over == 0) return "Not cancelled";
        return over == std::ssize(m.rows) ? "Cancelled" : "Cancelled in part";
    }
    if (keyword == "Held") return "Held back";
    if (keyword == "Seeded") return "Waiting at a relay";
    if (keyword == "Notified") return "Being fetched";
    return "Waiting on this computer";
}

std::string to_field(const outgoing_mail& m) {
    std::string out;
    for (std::size_t i = 0; i < std::min(m.rows.size(), people_named_max); ++i) {
        const auto recipient = clean_text(m.rows[i].recipient);
        // RFC 6532 would make the whole 8-bit
        if (std::any_of(recipient.begin(), recipient.end(), mail::ascii::is_8bit)) continue;
        out += (out.empty() ? "" : ",\r\n ") + recipient;
    }
    return out.empty() ? "undisclosed-recipients:;" : out;
}

std::string words(const outgoing_mail& m) {
    const bool all_over = std::all_of(m.rows.begin(), m.rows.end(), is_over);
    auto out = paragraph(!m.was_deleted ? "This mail is under way:"
                         : all_over     ? "This mail was cancelled, because its note was deleted from Outgoing:"
                                        : "The note of this mail was deleted from Outgoing. What had gone out before "
                                          "that cannot be called back:");
    out += "\n";
    if (!m.subject.empty()) out += "    Subject:  " + clean_text(m.subject) + "\n";
    out += "    Sent:     " + moment(m.rows.front().submitted_at) + "\n\n";
    return out + explained_to_each(m.rows, m.times, m.now) +
           paragraph(m.was_deleted ? "The mail itself is in Sent."
                                   : "This note goes away by itself when the mail has arrived. The mail itself is in "
                                     "Sent.") +
           "\nThe state of this moment: peerpost queue why " + crypto::hex(m.rows.front().id).substr(0, 8) + "\n";
}

}  // namespace

std::string outgoing_message_id(const storage::id16& submission, std::string_view keyword, std::string_view domain) {
    std::string word(keyword);
    std::transform(word.begin(), word.end(), word.begin(), mail::ascii::lower);
    return "<" + word + "." + crypto::hex(submission) + "@" + clean_text(domain) + ">";
}

std::string outgoing_keyword(const outgoing_mail& m) {
    if (m.was_deleted && std::any_of(m.rows.begin(), m.rows.end(), is_over)) return std::string(cancelled_keyword);
    return outgoing_flags(m.rows, m.now).keywords.front();
}

bytes outgoing_text(const outgoing_mail& m) {
    const auto& first = m.rows.front();
    const auto keyword = outgoing_keyword(m);
    std::string out = "Date: " + mail::header_date({first.submitted_at / 1000, 0}) + "\r\n";
    out += "From: peerpost <peerpost@localhost>\r\n";
    out += "To: " + to_field(m) + "\r\n";
    out += "Subject: " + header_text(subject_about(in_plain_words(m, keyword), m.subject, "your mail")) + "\r\n";
    out += "Message-ID: " + outgoing_message_id(first.submission, keyword, m.domain) + "\r\n";
    out += "Auto-Submitted: auto-generated\r\n";   // RFC 3834 section 5
    out += "MIME-Version: 1.0\r\n";
    out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    return to_bytes(out + quoted_printable(words(m)));
}

}  // namespace pp::engine
