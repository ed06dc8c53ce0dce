// Looks for the BODY and TEXT keys of a search in one mail (RFC 9051 section 6.4.4): takes the mail in the pieces that
// searchable_text wants and says what was found. Memory is bounded by one piece, one header field and the strings
// sought, whatever the mail.
#pragma once

#include "proto/imap/search/search_program.hpp"
#include "proto/imap/search/searchable_text.hpp"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace pp::imap {

class search_scanner : private text_sink {
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
    void text(text_stream where, std::string_view utf8) override { finder(where).update(utf8); }
    void text_ended(text_stream where) override { finder(where).finish(); }
    text_finder& finder(text_stream where) {
        return where == text_stream::body ? in_text_ : where == text_stream::reduced_html ? in_html_ : in_headers_;
    }
    bool all_found() const;

    const std::size_t key_count_;
    searchable_text text_;
    text_finder in_headers_, in_text_, in_html_;
    std::vector<std::uint32_t> keys_;
};

}  // namespace pp::imap
