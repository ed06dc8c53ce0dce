// What SEARCH calls the text of a mail (RFC 9051 section 6.4.4, BODY, TEXT and HEADER), for whoever looks for strings
// in it: the scan of one mail (search_scanner.hpp) and the full-text index, which must never disagree. Names the byte
// ranges it wants in rising order, takes them in pieces, undoes transfer encodings, charsets and encoded words, and
// hands out UTF-8. Memory is bounded by one piece and one header field, whatever the mail.
#pragma once

#include "proto/imap/fetch/fetch_section.hpp"
#include "proto/imap/search/search_text.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/message_index.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap {

// Texts that come side by side. A string that is sought lies in one of them, never across two. The first three are
// header fields, by name: Subject; From, Sender, Reply-To, To, Cc, Bcc; all others.
enum class text_stream : std::uint8_t { subject, address, other_header, body, reduced_html };
inline constexpr std::size_t text_stream_count = 5;
text_stream stream_of_field(std::string_view field_name);

class text_sink {
public:
    virtual ~text_sink() = default;
    // The next piece of a text in UTF-8, cut anywhere.
    virtual void text(text_stream where, std::string_view utf8) = 0;
    // The end of it: no match goes on beyond.
    virtual void text_ended(text_stream where) = 0;
    // The value of a field of the mail's own header, whole, as the HEADER key compares it (header_texts(), below), when
    // it is not the end of the text that was given of this field anyway.
    virtual void header_value(text_stream, std::string_view) {}
};

// What the HEADER key compares: the values of one field, decoded, each.
std::vector<std::string> header_texts(std::string_view header_block, std::string_view field_name);

class searchable_text {
public:
    // Without `headers` only what BODY searches. The parts of the index are not empty.
    searchable_text(std::shared_ptr<const mail::message_index> index, bool headers);

    // The bytes wanted next, at most body_piece_bytes_max; nullopt: that was all.
    std::optional<byte_range> wants() const;
    void give(std::string_view piece, text_sink& out);   // those of wants(), all of them
    // False when header_value() cannot tell all that the HEADER key compares: a field or a header beyond the limits.
    bool header_is_plain() const { return plain_; }

private:
    struct segment {
        byte_range range;
        const mail::message_part* part = nullptr;   // nullptr: a header block
    };

    void begin();
    void end(text_sink& out);
    void header_bytes(std::string_view piece, text_sink& out);
    void end_field(text_sink& out);
    void body_text(const std::string& utf8, text_sink& out);

    std::shared_ptr<const mail::message_index> index_;
    std::vector<segment> segments_;
    std::size_t at_ = 0;                      // segment
    std::uint64_t used_ = 0;                  // bytes of it
    std::optional<mail::text_decoder> decoder_;
    std::optional<html_reducer> html_;
    std::string field_;                       // the header field that is coming in, as sent
    bool plain_ = true;
};

}  // namespace pp::imap
