// Segments of the full-text index: the mails of a range of serials, their trigrams as posting pages. Built from mails
// or merged from smaller ones, once; never changed. Pure: pages go out to, and come in from, the caller.
#pragma once

#include "storage/text_page.hpp"

#include <optional>

namespace pp::storage {

struct text_segment {
    std::uint32_t id = 0;
    // serials; every mail of [first, end) is in it or was gone when it was made
    std::uint64_t first = 0, end = 0;
    std::uint32_t posting_pages = 0, fence_pages = 0;
    std::uint32_t mails = 0;                  // when it was made
    std::uint32_t span() const { return static_cast<std::uint32_t>(end - first); }
    std::uint32_t pages() const { return posting_pages + fence_pages; }
    bool operator==(const text_segment&) const = default;
};

// The row that says which segments are the index; whatever else lies in the table is a rest of unfinished work.
struct text_directory {
    std::uint64_t tag = 0;                    // random: no two indexes have the same, also not of one store
    bytes wrapped_key;                        // the index's key under the shred key: gone with it (03-storage 3.4.4)
    std::uint32_t next_id = 1;
    std::vector<text_segment> segments;       // by serial, without gaps
    std::uint64_t end() const { return segments.empty() ? 1 : segments.back().end; }   // serials begin at 1
};
bytes encode_row(const text_directory& d);
result<text_directory> decode_text_directory(bytes_view in);

// Takes mails in rising order of serials and makes a segment of them.
class segment_builder {
public:
    // Postings held in memory, 8 B each; a mail adds indexed_trigrams_max at most.
    static constexpr std::size_t postings_max = 1'000'000;

    explicit segment_builder(std::uint64_t first_serial) : first_(first_serial) {}
    bool takes(std::uint64_t serial) const {
        return postings_.size() < postings_max && serial - first_ < segment_span_max;
    }
    void add(std::uint64_t serial, const mail_trigrams& mail);
    std::uint32_t mails() const { return mails_; }
    // Ends the builder. Fills in all but id and end.
    result<void> finish(const token_maker& tokens, page_packer::taker take, text_segment& out);

private:
    std::uint64_t first_;
    std::uint32_t mails_ = 0;
    std::vector<std::uint64_t> postings_;     // trigram << 32 | mail
};

// Reads page n of a segment; only posting pages are asked for.
using page_source = std::function<result<bytes>(const text_segment& segment, std::uint32_t page)>;

// Neighbouring segments become one of [first, end) of them all. Mails that are not alive are left out.
result<void> merge_segments(std::span<const text_segment> from, const page_source& read,
                            const std::function<bool(std::uint64_t serial)>& alive, page_packer::taker take,
                            text_segment& out);

// Segments that should become one: [first, second) of the list; nullopt: none. Sizes grow eightfold, so that each
// posting is written about log8(mails) times and a query looks into few segments.
inline constexpr std::size_t merge_width = 8;
std::optional<std::pair<std::size_t, std::size_t>> segments_to_merge(std::span<const text_segment> all);

}  // namespace pp::storage
