// The bytes of the index's pages (storage/FORMAT.md, "Full-text index"): posting lists packed into pages of one size,
// and the fences, the first token of each page, packed the same way. Pure; a page comes from the disk and is hostile.
#pragma once

#include "storage/codec.hpp"
#include "storage/error.hpp"
#include "storage/text_tokens.hpp"

#include <functional>

namespace pp::storage {

// With nonce and tag 4080 B: exactly the overflow page of LMDB (4096 B less its header of 16 B).
inline constexpr std::size_t text_page_bytes = 4040;

// Mails of a segment are numbered from 0 by their serial; a segment spans at most so many serials.
using segment_mail = std::uint32_t;
inline constexpr std::uint32_t segment_span_max = 65536;

// A set of mails of one segment.
class mail_bits {
public:
    explicit mail_bits(std::uint32_t span) : span_(span), words_((span + 63) / 64) {}
    std::uint32_t span() const { return span_; }
    void add(segment_mail m) { words_[m / 64] |= 1ull << (m % 64); }
    bool has(segment_mail m) const { return (words_[m / 64] >> (m % 64) & 1) != 0; }
    bool empty() const;
    std::size_t count() const;
    void keep(const mail_bits& other);        // intersection; of the same span
    void join(const mail_bits& other);        // union
    void each(const std::function<void(segment_mail)>& f) const;   // rising

private:
    std::uint32_t span_;
    std::vector<std::uint64_t> words_;
};

// One piece of a token's list, as it stands in a page.
class posting {
public:
    text_token token = 0;
    // The mails, rising, all below the span; errc::damaged.
    result<void> each(std::uint32_t span, const std::function<void(segment_mail)>& f) const;
    result<void> add_to(mail_bits& set) const;

private:
    friend class posting_reader;
    std::uint8_t form_ = 0;
    std::uint64_t value_ = 0;
    bytes_view list_;
};

// The postings of one page, in the order of their tokens; a token whose list went on in the next page begins that one.
class posting_reader {
public:
    explicit posting_reader(bytes_view page);
    // False: no more, or damaged (ok() is false).
    bool next(posting& out);
    bool ok() const { return in_.ok(); }

private:
    byte_reader in_;
    std::uint64_t last_ = 0;
    bool first_ = true;
};

// Packs lists into pages. Tokens must rise; the mails of a list too.
class page_packer {
public:
    using taker = std::function<result<void>(bytes page)>;   // text_page_bytes each
    explicit page_packer(taker take) : take_(std::move(take)) {}

    result<void> add(text_token token, std::span<const segment_mail> mails);
    // The last page, then the fences.
    result<void> finish();
    std::uint32_t posting_pages() const { return static_cast<std::uint32_t>(fences_.size()); }
    std::uint32_t fence_pages() const { return fence_pages_; }

private:
    result<void> flush();
    taker take_;
    byte_writer page_;
    std::vector<text_token> fences_;
    std::uint32_t fence_pages_ = 0;
    text_token last_ = 0;
};

// The tokens of one fence page, not falling; errc::damaged.
result<std::vector<text_token>> read_fences(bytes_view page);

}  // namespace pp::storage
