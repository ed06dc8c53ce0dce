// RFC 9051 section 6.4.4 (what a key looks at), RFC 5256 section 3 and RFC 5957 section 3 (sort values), RFC 5255
// section 4.6 (encoded words are decoded before anything is compared).
#include "proto/imap/search/search_fields.hpp"

#include "proto/imap/search/base_subject.hpp"
#include "proto/imap/search/search_text.hpp"
#include "proto/mail/charset.hpp"

namespace pp::imap {

namespace {

// RFC 9051 section 7.5.2: a group begins with its name as mailbox and without host, and ends with neither.
bool starts_group(const mail::header_address& a) { return !a.host && a.mailbox; }
bool ends_group(const mail::header_address& a) { return !a.host && !a.mailbox; }

}  // namespace

search_fields::place search_fields::since(std::size_t begin) const {
    return {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(text_.size() - begin)};
}

search_fields::place search_fields::add_folded(std::string_view value) {
    const auto begin = text_.size();
    append_folded_header(value, text_);
    return since(begin);
}

void search_fields::put(search_field f, std::string_view text) {
    const auto begin = text_.size();
    text_ += text;
    at(f) = since(begin);
    present_ |= 1u << static_cast<unsigned>(f);
}

// The sort values of the first address are parts of the searched text and take no room of their own.
search_fields::first_address search_fields::put_addresses(search_field f,
                                                          const std::vector<mail::header_address>& list) {
    first_address found;
    if (list.empty()) return found;
    present_ |= 1u << static_cast<unsigned>(f);
    const auto begin = text_.size();
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto& a = list[i];
        if (ends_group(a)) {
            text_ += ';';
            continue;
        }
        if (i > 0) text_ += starts_group(list[i - 1]) ? " " : ", ";
        place name, mailbox;
        if (a.name) name = add_folded(*a.name);
        if (name.size > 0) text_ += " <";
        const auto address = text_.size();
        if (a.mailbox) mailbox = add_folded(*a.mailbox);
        if (starts_group(a)) {
            text_ += ':';
        } else if (a.host && !a.host->empty()) {
            text_ += '@';
            add_folded(*a.host);
        }
        // RFC 5957 section 3: the name, else mailbox@host, else the mailbox.
        if (i == 0) found = {mailbox, name.size > 0 ? name : starts_group(a) ? mailbox : since(address)};
        if (name.size > 0) text_ += '>';
    }
    at(f) = since(begin);
    return found;
}

std::shared_ptr<const search_fields> search_fields::of(const mail::envelope& e, const mail_placement& placement) {
    auto made = std::make_shared<search_fields>();
    made->placement = placement;
    using f = search_field;
    if (e.subject) {
        const auto text = mail::decode_header_text(*e.subject);
        const auto base = base_subject_of(text);
        made->is_reply = base.is_reply;
        made->put(f::subject, fold_text(text));
        const auto base_folded = fold_text(base.text);
        const auto subject = made->at(f::subject);
        const auto found = find_folded((*made)[f::subject], base_folded);
        if (found == std::string_view::npos) {
            made->text_ += base_folded;
            made->at(f::base_subject) = made->since(subject.at + subject.size);
        } else {   // nearly always a part of the subject
            made->at(f::base_subject) = {subject.at + static_cast<std::uint32_t>(found),
                                         static_cast<std::uint32_t>(base_folded.size())};
        }
    }
    const auto from = made->put_addresses(f::from, e.from);
    const auto to = made->put_addresses(f::to, e.to);
    const auto cc = made->put_addresses(f::cc, e.cc);
    made->put_addresses(f::bcc, e.bcc);
    made->at(f::from_mailbox) = from.mailbox;
    made->at(f::from_display) = from.display;
    made->at(f::to_mailbox) = to.mailbox;
    made->at(f::to_display) = to.display;
    made->at(f::cc_mailbox) = cc.mailbox;
    if (e.message_id) made->put(f::message_id, *e.message_id);
    if (e.in_reply_to) made->put(f::in_reply_to, *e.in_reply_to);
    if (e.references) made->put(f::references, *e.references);
    if (e.date)
        if (const auto at = mail::parse_sent_date(*e.date)) made->sent = *at;
    made->text_.shrink_to_fit();
    return made;
}

}  // namespace pp::imap
