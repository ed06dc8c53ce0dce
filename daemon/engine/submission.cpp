#include "daemon/engine/submission.hpp"

#include "daemon/engine/router.hpp"
#include "proto/mail/address.hpp"
#include "proto/mail/ascii.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

using mail::ascii::equal_no_case;
using smtp::reply;

// RFC 5322 section 2.2 and, with blanks before the colon, 4.5. Empty: the line is no field.
std::string_view field_name(std::string_view field) {
    const auto colon = field.find(':');
    if (colon == field.npos) return {};
    auto name = field.substr(0, colon);
    while (!name.empty() && mail::ascii::is_blank(name.back())) name.remove_suffix(1);
    for (const char c : name)
        if (c <= 0x20 || c > 0x7e) return {};
    return name;
}

// RFC 5322 section 2.2.3: the value with the CRLFs of its folding taken out.
std::string unfolded(std::string_view field) {
    std::string out;
    for (const char c : field.substr(field.find(':') + 1))
        if (c != '\r' && c != '\n') out += c;
    return std::string(mail::ascii::trim(out));
}

// What follows a line end and begins with a blank belongs to the field. Returns the end of the field at `at`.
std::size_t end_of_field(std::string_view block, std::size_t at) {
    for (;;) {
        const auto end = block.find("\r\n", at);
        if (end == block.npos) return block.size();
        at = end + 2;
        if (at >= block.size() || !mail::ascii::is_blank(block[at])) return at;
    }
}

reply header_too_large() {
    return {552, "5.3.4", "the header of the mail is larger than " +
                              std::to_string(mail::header_block_bytes_max) + " bytes"};
}

// How many @ stand outside quoted strings and comments (RFC 5322 section 3.2.2, 3.2.4): each is an address to
// somebody's reader. Nothing when a quote or comment is not closed.
std::optional<std::size_t> count_ats(std::string_view value) {
    std::size_t ats = 0, comments = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '\\' && (quoted || comments > 0)) ++i;
        else if (c == '"' && comments == 0) quoted = !quoted;
        else if (quoted) continue;
        else if (c == '(') ++comments;
        else if (c == ')' && comments > 0) --comments;
        else if (c == '@' && comments == 0) ++ats;
    }
    if (quoted || comments > 0) return std::nullopt;
    return ats;
}

// Every address of the field must be the account's; all of them must be understood, or another reader could see one
// that was never checked.
std::optional<reply> judge_author(std::string_view name, std::string_view field, std::size_t addresses_max,
                                  const crypto::account_key& account) {
    const std::string shown(name);
    if (field.size() > author_field_bytes_max) return reply{550, "5.6.0", "the " + shown + " field is too long"};
    const auto value = unfolded(field);
    const auto addresses = mail::parse_address_list(value);
    if (addresses.empty()) return reply{550, "5.6.0", "the " + shown + " field holds no address"};
    if (addresses.size() > addresses_max)
        return reply{550, "5.6.0", "the " + shown + " field holds too many addresses"};
    // The list parser leaves out what it cannot understand: then the counts differ.
    if (count_ats(value) != addresses.size())
        return reply{550, "5.6.0", "the " + shown + " field holds something that is no address"};
    for (const auto& a : addresses) {
        if (!a.host || !a.mailbox || a.mailbox->empty())
            return reply{550, "5.6.0", "the " + shown + " field holds something that is no address"};
        if (!belongs_to(*a.host, account))
            return reply{550, "5.7.1",
                         "the address in the " + shown + " field is not one of the account that logged in"};
    }
    return std::nullopt;
}

// A lone CR or LF, possible in BINARYMIME only: what some readers take for a line end would hide a field from others.
bool has_bare_line_end(std::string_view block) {
    for (std::size_t i = 0; i < block.size(); ++i) {
        if (block[i] == '\n' && (i == 0 || block[i - 1] != '\r')) return true;
        if (block[i] == '\r' && (i + 1 == block.size() || block[i + 1] != '\n')) return true;
    }
    return false;
}

std::string readable_message_id(std::string_view field) {
    std::string id = unfolded(field);
    const bool good = id.size() > 2 && id.size() <= message_id_bytes_max && id.front() == '<' && id.back() == '>' &&
                      std::none_of(id.begin(), id.end(), [](char c) { return mail::ascii::is_control(c); });
    return good ? id : std::string();
}

}  // namespace

std::optional<reply> refuse_sender(const smtp::mail_from& given, const crypto::account_key& account) {
    if (!given.from || belongs_to(given.from->domain, account)) return std::nullopt;
    return reply{550, "5.7.1", "the sender is not an address of the account that logged in"};
}

std::optional<reply> refuse_recipient(const std::optional<storage::contact>& known, std::string_view of) {
    if (!known || !known->blocked) return std::nullopt;
    auto text = "you have blocked this account, so no answer could reach you; lift that first: peerpost contact "
                "accept " + crypto::account_label(known->account) + std::string(peerpost_suffix);
    if (!of.empty()) text += " --account " + std::string(of);
    return reply{550, "5.7.1", std::move(text)};
}

smtp::dsn_notify told_of_either(const smtp::dsn_notify& a, const smtp::dsn_notify& b) {
    if (!a.given && !b.given) return {};
    smtp::dsn_notify out;
    out.given = true;
    for (const auto* one : {&a, &b}) {
        out.success = out.success || one->success;
        out.failure = out.failure || one->failure || !one->given;
        out.delay = out.delay || one->delay || !one->given;
    }
    out.never = !out.success && !out.failure && !out.delay;
    return out;
}

std::optional<reply> submission_filter::update(bytes_view in, bytes& out) {
    if (in_body_) {
        out.insert(out.end(), in.begin(), in.end());
        return std::nullopt;
    }
    // No more is held than the largest header and what came with its end.
    const auto room = mail::header_block_bytes_max + 1 - held_.size();
    const auto taken = std::min(room, in.size());
    held_.insert(held_.end(), in.begin(), in.begin() + static_cast<std::ptrdiff_t>(taken));
    const auto text = as_text(held_);
    std::size_t end = text.npos;
    if (text.starts_with("\r\n")) {
        end = 2;
    } else {
        const auto blank = text.find("\r\n\r\n", searched_);
        if (blank != text.npos) end = blank + 4;
    }
    if (end == text.npos || end > mail::header_block_bytes_max) {
        if (text.size() > mail::header_block_bytes_max) return header_too_large();
        searched_ = text.size() < 3 ? 0 : text.size() - 3;
        return std::nullopt;
    }
    if (auto refusal = judge_header(text.substr(0, end), out)) return refusal;
    in_body_ = true;
    out.insert(out.end(), held_.begin() + static_cast<std::ptrdiff_t>(end), held_.end());
    out.insert(out.end(), in.begin() + static_cast<std::ptrdiff_t>(taken), in.end());
    bytes().swap(held_);
    return std::nullopt;
}

std::optional<reply> submission_filter::finish(bytes& out) {
    if (in_body_) return std::nullopt;
    if (auto refusal = judge_header(as_text(held_), out)) return refusal;
    in_body_ = true;
    bytes().swap(held_);
    return std::nullopt;
}

bool author_check::update(bytes_view piece) {
    if (filter_.is_in_body()) return true;
    const bool good = !filter_.update(piece, passed_);
    bytes().swap(passed_);
    return good;
}

bool author_check::finish() { return !filter_.finish(passed_); }

// All lines up to the blank one are looked at, also behind one that is no field: where a careless reader ends the
// header does not matter then.
std::optional<reply> submission_filter::judge_header(std::string_view block, bytes& out) {
    if (has_bare_line_end(block)) return reply{550, "5.5.2", "the header of the mail holds a CR or LF on its own"};
    std::size_t froms = 0, senders = 0, lines = 0;
    bool has_message_id = false;
    bytes kept;
    kept.reserve(block.size());
    for (std::size_t at = 0; at < block.size();) {
        const auto end = end_of_field(block, at);
        const auto field = block.substr(at, end - at);
        at = end;
        if (++lines > mail::header_lines_max) return reply{552, "5.3.4", "the header of the mail has too many fields"};
        const auto name = field_name(field);
        if (equal_no_case(name, "Bcc") || equal_no_case(name, "Resent-Bcc")) continue;
        if (equal_no_case(name, "From")) {
            if (++froms > 1) return reply{550, "5.6.0", "the mail has more than one From field"};
            if (auto refusal = judge_author("From", field, from_addresses_max, account_)) return refusal;
        } else if (equal_no_case(name, "Sender")) {
            if (++senders > 1) return reply{550, "5.6.0", "the mail has more than one Sender field"};
            if (auto refusal = judge_author("Sender", field, 1, account_)) return refusal;
        } else if (equal_no_case(name, "Message-ID") && !has_message_id) {
            has_message_id = true;
            message_id_ = readable_message_id(field);
        } else if (equal_no_case(name, "In-Reply-To") && in_reply_to_.empty()) {
            in_reply_to_ = readable_message_id(field);
        }
        const auto raw = as_bytes(field);
        kept.insert(kept.end(), raw.begin(), raw.end());
    }
    if (froms == 0) return reply{550, "5.6.0", "the mail has no From field; it must say who wrote it"};
    // Its first line would belong to the field that the recipient's node writes above it.
    if (mail::ascii::is_blank(block.front()))
        return reply{550, "5.6.0", "the mail begins with a blank, where its header should begin"};
    out.insert(out.end(), kept.begin(), kept.end());
    return std::nullopt;
}

}  // namespace pp::engine
