// What SEARCH, SORT and THREAD ask of a mail's header and never changes: decoded, folded (RFC 5051) and packed once, so
// that thousands of mails are compared without opening, decrypting or decoding anything. The daemon makes it from the
// mail's index and keeps it (daemon/engine/search_cache.hpp).
//
// FROM, TO, CC and BCC are the addresses of the ENVELOPE, as RFC 9051 section 6.4.4 defines these keys, written
// "name <mailbox@host>" and "mailbox@host", groups as "name: ...;", with ", " between them.
#pragma once

#include "proto/mail/date.hpp"
#include "proto/mail/message_index.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pp::imap {

enum class search_field : std::uint8_t {
    subject, from, to, cc, bcc,                    // folded; what SEARCH looks into
    base_subject,                                  // folded; RFC 5256 section 2.1
    from_mailbox, to_mailbox, cc_mailbox,          // folded addr-mailbox of the first address: SORT FROM, TO, CC
    from_display, to_display,                      // folded; RFC 5957 section 3
    message_id, in_reply_to, references,           // unfolded lines, else as sent: Message IDs have case
    count_
};

// Of the placement in a mailbox: it does not change either.
struct mail_placement {
    mail::date_time internal_date, save_date;
    std::uint64_t size_bytes = 0;
};

class search_fields {
public:
    static std::shared_ptr<const search_fields> of(const mail::envelope& own, const mail_placement& placement = {});
    static std::shared_ptr<const search_fields> of(const mail::message_index& index,
                                                   const mail_placement& placement = {}) {
        return of(index.envelopes.front(), placement);
    }

    std::string_view operator[](search_field f) const {
        const auto& [at, size] = where_[static_cast<std::size_t>(f)];
        return std::string_view(text_).substr(at, size);
    }
    bool has(search_field f) const { return present_ >> static_cast<unsigned>(f) & 1; }   // the header has such a field

    std::optional<mail::date_time> sent;           // the Date field; nullopt: none that can be understood
    bool is_reply = false;                         // by its subject (base_subject.hpp)
    mail_placement placement;

    std::size_t memory_bytes() const { return sizeof *this + text_.capacity(); }

private:
    struct place {
        std::uint32_t at = 0, size = 0;
    };
    struct first_address {
        place mailbox, display;
    };
    place& at(search_field f) { return where_[static_cast<std::size_t>(f)]; }
    place since(std::size_t begin) const;                    // what was added to the text from there on
    place add_folded(std::string_view value);
    void put(search_field f, std::string_view text);                                       // a field that is there
    first_address put_addresses(search_field f, const std::vector<mail::header_address>& list);

    std::string text_;
    std::array<place, static_cast<std::size_t>(search_field::count_)> where_{};
    std::uint32_t present_ = 0;
};

}  // namespace pp::imap
