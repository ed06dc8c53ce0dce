// Looks for the BODY and TEXT keys of a search in one mail (RFC 9051 section 6.4.4): names the byte ranges it wants in
// rising order, takes them in pieces, decodes parts and header fields, and says what was found. Memory is bounded by
// one piece, one header field and the strings sought, whatever the mail.
#pragma once

#include "proto/imap/fetch_section.hpp"
#include "proto/imap/search_program.hpp"
#include "proto/imap/search_text.hpp"
#include "proto/mail/charset.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

class search_scanner {
public:
    // `keys` are body and text keys of the program. The index must outlive nothing: it is shared.
    search_scanner(const search_program& program, const std::vector<std::uint32_t>& keys,
                   std::shared_ptr<const mail::message_index> index);

    // The bytes wanted next, at most body_piece_bytes_max; nullopt: all is known.
    std::optional<byte_range> wants() const;
    void give(std::string_view piece);        // those of wants(), all of them
    // By key: yes as soon as it is found; what is not found is unknown until wants() is nullopt, then no.
    std::vector<truth> result() const;

private:
    struct segment {
        byte_range range;
        const mail::message_part* part = nullptr;   // nullptr: a header block
    };

    void begin();
    void end();
    void header_bytes(std::string_view piece);
    void end_field();
    void text_bytes(const std::string& utf8);
    bool done() const;

    const std::size_t key_count_;
    std::shared_ptr<const mail::message_index> index_;
    std::vector<segment> segments_;
    std::size_t at_ = 0;                      // segment
    std::uint64_t used_ = 0;                  // bytes of it
    std::optional<mail::text_decoder> decoder_;
    std::optional<html_reducer> html_;
    std::string field_;                       // the header field that is coming in, as sent
    text_finder in_headers_, in_text_, in_html_;
    std::vector<std::uint32_t> keys_;
};

}  // namespace pp::imap
