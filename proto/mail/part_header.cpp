// Fields of a part's header: Content-* (RFC 2045, RFC 2183, RFC 3282, RFC 2557, RFC 1864) and those of the ENVELOPE
// (RFC 9051 section 7.5.2).
#include "proto/mail/part_header.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/mail/content_fields.hpp"

namespace pp::mail {

void part_header::field(std::string_view raw, message_part& part, envelope* into_envelope) {
    const auto colon = raw.find(':');
    if (colon == raw.npos) return;
    const auto name = ascii::trim(raw.substr(0, colon));
    const auto value = raw.substr(colon + 1);
    constexpr std::string_view content = "content-";
    if (name.size() > content.size() && ascii::equal_no_case(name.substr(0, content.size()), content))
        content_field(name.substr(content.size()), value, part);
    else if (into_envelope)
        envelope_field(name, value, *into_envelope);
}

void part_header::content_field(std::string_view name, std::string_view raw_value, message_part& part) {
    const auto is = [&](std::string_view wanted) { return ascii::equal_no_case(name, wanted); };
    if (is("type")) {
        if (type_seen_) return;   // the first one counts, as Dovecot and GMime have it
        type_seen_ = true;
        auto parsed = parse_media_type(unfold(raw_value));
        if (!parsed) {
            message_ = false;     // RFC 2045 section 5.2: what cannot be understood is text/plain, in a digest too
            return;
        }
        part.type = std::move(parsed->type);
        part.subtype = std::move(parsed->subtype);
        if (ascii::equal_no_case(part.type, "multipart")) boundary_ = boundary_of(parsed->parameters);
        if (affords(parsed->parameters)) part.parameters = std::move(parsed->parameters);
    } else if (is("transfer-encoding")) {
        if (part.encoding) return;
        if (auto token = parse_transfer_encoding(unfold(raw_value))) keep(part.encoding, std::move(*token));
    } else if (is("id")) {
        keep(part.id, unfold(raw_value));
    } else if (is("description")) {
        keep(part.description, unfold(raw_value));
    } else if (is("md5")) {
        keep(part.md5, unfold(raw_value));
    } else if (is("location")) {
        keep(part.location, unfold(raw_value));
    } else if (is("disposition")) {
        if (part.disposition) return;
        auto parsed = parse_disposition(unfold(raw_value));
        if (parsed && affords(parsed->second) && budget_->take(parsed->first.size()))
            part.disposition = std::move(parsed);
    } else if (is("language") && part.languages.empty()) {
        for (auto& tag : parse_languages(unfold(raw_value)))
            if (budget_->take(sizeof tag + tag.size())) part.languages.push_back(std::move(tag));
    }
}

void part_header::envelope_field(std::string_view name, std::string_view raw_value, envelope& into) {
    const auto is = [&](std::string_view wanted) { return ascii::equal_no_case(name, wanted); };
    if (is("date")) keep(into.date, unfold(raw_value));
    else if (is("subject")) keep(into.subject, unfold(raw_value));
    else if (is("in-reply-to")) keep(into.in_reply_to, unfold(raw_value));
    else if (is("message-id")) keep(into.message_id, unfold(raw_value));
    else if (is("references")) keep(into.references, unfold(raw_value));
    else if (is("from")) append(into.from, raw_value);
    else if (is("sender")) append(into.sender, raw_value);
    else if (is("reply-to")) append(into.reply_to, raw_value);
    else if (is("to")) append(into.to, raw_value);
    else if (is("cc")) append(into.cc, raw_value);
    else if (is("bcc")) append(into.bcc, raw_value);
}

void part_header::keep(std::optional<std::string>& to, std::string text) {
    if (!to && budget_->take(text.size())) to = std::move(text);
}

// A field that comes twice counts as one list: whoever checks only the first From must not be shown another one.
void part_header::append(std::vector<header_address>& to, std::string_view raw_value) {
    if (to.size() >= header_addresses_max) return;
    for (auto& a : parse_address_list(unfold(raw_value))) {
        const auto bytes = [](const std::optional<std::string>& s) { return s ? s->size() : 0; };
        const auto cost = sizeof a + bytes(a.name) + bytes(a.route) + bytes(a.mailbox) + bytes(a.host);
        if (to.size() >= header_addresses_max || !budget_->take(cost)) return;
        to.push_back(std::move(a));
    }
}

bool part_header::affords(const parameter_list& parameters) {
    std::size_t cost = 0;
    for (const auto& p : parameters) cost += sizeof p + p.first.size() + p.second.size();
    return budget_->take(cost);
}

void part_header::finish(message_part& part, envelope* into_envelope) {
    if (part.type.empty()) {
        part.type = message_ ? "message" : "text";
        part.subtype = message_ ? "rfc822" : "plain";
    }
    if (!into_envelope) return;
    // RFC 9051 section 7.5.2: sender and reply-to that are absent or empty are those of from.
    const auto copy = [&](std::vector<header_address>& to) {
        if (!to.empty()) return;
        for (const auto& a : into_envelope->from) {
            if (!budget_->take(sizeof a)) return;
            to.push_back(a);
        }
    };
    copy(into_envelope->sender);
    copy(into_envelope->reply_to);
}

}  // namespace pp::mail
