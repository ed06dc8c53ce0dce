// What the fields of one header tell about its part, and about the mail when it is a mail's header.
#pragma once

#include "proto/mail/message_index.hpp"

#include <cstddef>
#include <string_view>

namespace pp::mail {

// What an index that is made now holds at most, in bytes of text. FETCH has the index, the response made of it and the
// buffer it waits in in memory at the same time, for every session that asks:
// a sixteenth of what an older index may hold.
inline constexpr std::size_t index_text_made_max = index_text_bytes_max / 16;

// Bytes of text an index may still take; what does not fit is left out.
class text_budget {
public:
    bool take(std::size_t bytes) {
        if (bytes > left_) return false;
        left_ -= bytes;
        return true;
    }

private:
    std::size_t left_ = index_text_made_max;
};

class part_header {
public:
    // `into_envelope` is null for the header of a part that is no mail.
    part_header(text_budget& budget, bool default_is_message) : budget_(&budget), message_(default_is_message) {}

    void field(std::string_view raw, message_part& part, envelope* into_envelope);   // with its colon, folded as sent
    void finish(message_part& part, envelope* into_envelope);                        // sets the defaults
    const std::string& boundary() const { return boundary_; }                        // empty: not a multipart

private:
    void content_field(std::string_view name, std::string_view raw_value, message_part& part);
    void envelope_field(std::string_view name, std::string_view raw_value, envelope& into);
    void keep(std::optional<std::string>& to, std::string text);
    void append(std::vector<header_address>& to, std::string_view raw_value);
    bool affords(const parameter_list& parameters);

    text_budget* budget_;
    bool message_;
    bool type_seen_ = false;
    std::string boundary_;
};

}  // namespace pp::mail
