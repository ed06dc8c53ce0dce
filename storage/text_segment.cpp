#include "storage/text_segment.hpp"

#include "storage/attempt.hpp"
#include "storage/limits.hpp"

#include <algorithm>

namespace pp::storage {

namespace {

constexpr std::uint8_t directory_version = 1;
constexpr std::size_t segment_bytes_min = 4 + 8 + 8 + 3 * 4;

unsigned size_class(std::uint32_t mails) {
    unsigned c = 0;
    for (; mails >= merge_width; mails /= merge_width) ++c;
    return c;
}

}  // namespace

bytes encode_row(const text_directory& d) {
    byte_writer w;
    w.u8(directory_version);
    w.u64(d.tag);
    w.sized(d.wrapped_key);
    w.u32(d.next_id);
    w.varint(d.segments.size());
    for (const auto& s : d.segments) {
        w.u32(s.id);
        w.u64(s.first);
        w.u64(s.end);
        w.u32(s.posting_pages);
        w.u32(s.fence_pages);
        w.u32(s.mails);
    }
    return w.take();
}

result<text_directory> decode_text_directory(bytes_view in) {
    byte_reader r(in);
    text_directory d;
    if (r.u8() != directory_version) r.fail();
    d.tag = r.u64();
    d.wrapped_key = to_bytes(r.sized());
    d.next_id = r.u32();
    d.segments.resize(r.count(segment_bytes_min));
    std::uint64_t at = 1;
    for (auto& s : d.segments) {
        s.id = r.u32();
        s.first = r.u64();
        s.end = r.u64();
        s.posting_pages = r.u32();
        s.fence_pages = r.u32();
        s.mails = r.u32();
        if (s.id >= d.next_id || s.first != at || s.end <= s.first || s.end - s.first > segment_span_max ||
            s.mails > s.span() || s.fence_pages > s.posting_pages || s.posting_pages > text_segment_pages_max)
            r.fail();
        at = s.end;
    }
    if (!r.done()) return errc::damaged;
    return d;
}

// ------------------------------------------------------------------ from mails
void segment_builder::add(std::uint64_t serial, const mail_trigrams& mail) {
    const auto m = serial - first_;
    ++mails_;
    if (!mail.complete()) {
        postings_.push_back(static_cast<std::uint64_t>(always_candidate) << 32 | m);
        return;
    }
    for (const auto t : mail.found()) postings_.push_back(static_cast<std::uint64_t>(t) << 32 | m);
}

result<void> segment_builder::finish(const token_maker& tokens, page_packer::taker take, text_segment& out) {
    std::sort(postings_.begin(), postings_.end());
    struct list {
        text_token token;
        std::uint32_t begin;
    };
    std::vector<list> lists;
    for (std::size_t i = 0; i < postings_.size(); ++i)
        if (i == 0 || postings_[i] >> 32 != postings_[i - 1] >> 32)
            lists.push_back({tokens(static_cast<trigram>(postings_[i] >> 32)), static_cast<std::uint32_t>(i)});
    std::sort(lists.begin(), lists.end(), [](const list& a, const list& b) { return a.token < b.token; });
    page_packer packer(std::move(take));
    std::vector<segment_mail> mails;
    for (std::size_t i = 0; i < lists.size();) {
        mails.clear();
        const auto token = lists[i].token;
        std::size_t same = 0;
        for (; i < lists.size() && lists[i].token == token; ++i, ++same)
            for (std::size_t at = lists[i].begin;
                 at < postings_.size() && postings_[at] >> 32 == postings_[lists[i].begin] >> 32; ++at)
                mails.push_back(static_cast<segment_mail>(postings_[at]));
        if (same > 1) {   // two trigrams, one token
            std::sort(mails.begin(), mails.end());
            mails.erase(std::unique(mails.begin(), mails.end()), mails.end());
        }
        PP_TRY(packer.add(token, mails));
    }
    PP_TRY(packer.finish());
    out.first = first_;
    out.mails = mails_;
    out.posting_pages = packer.posting_pages();
    out.fence_pages = packer.fence_pages();
    return {};
}

// ------------------------------------------------------------------ from segments
namespace {

// The postings of one segment, one token at a time.
class segment_stream {
public:
    segment_stream(const text_segment& segment, std::uint64_t first, const page_source& read)
        : segment_(segment), shift_(static_cast<segment_mail>(segment.first - first)), read_(read) {}

    bool ended() const { return !there_; }
    text_token token() const { return at_.token; }

    result<void> next() {
        for (;;) {
            if (reader_ && reader_->next(at_)) {
                there_ = true;
                return {};
            }
            if (reader_ && !reader_->ok()) return errc::damaged;
            there_ = false;
            if (page_ == segment_.posting_pages) return {};
            PP_LET(bytes_, read_(segment_, page_++));
            reader_.emplace(bytes_);
        }
    }
    // Appends the mails of the token it stands at and goes on to the next token.
    result<void> take(std::vector<segment_mail>& out) {
        const auto token = at_.token;
        while (there_ && at_.token == token) {
            PP_TRY(at_.each(segment_.span(), [&](segment_mail m) { out.push_back(m + shift_); }));
            PP_TRY(next());
        }
        return {};
    }

private:
    const text_segment& segment_;
    segment_mail shift_;
    const page_source& read_;
    std::uint32_t page_ = 0;
    bytes bytes_;
    std::optional<posting_reader> reader_;
    posting at_;
    bool there_ = false;
};

}  // namespace

result<void> merge_segments(std::span<const text_segment> from, const page_source& read,
                            const std::function<bool(std::uint64_t)>& alive, page_packer::taker take,
                            text_segment& out) {
    out.first = from.front().first;
    out.end = from.back().end;
    if (out.end - out.first > segment_span_max) return errc::limit;
    mail_bits living(out.span());
    for (auto serial = out.first; serial < out.end; ++serial)
        if (alive(serial)) living.add(static_cast<segment_mail>(serial - out.first));
    out.mails = static_cast<std::uint32_t>(living.count());

    std::vector<segment_stream> streams;
    for (const auto& s : from) streams.emplace_back(s, out.first, read);
    for (auto& s : streams) PP_TRY(s.next());
    page_packer packer(std::move(take));
    std::vector<segment_mail> mails;
    for (;;) {
        std::optional<text_token> token;
        for (const auto& s : streams)
            if (!s.ended() && (!token || s.token() < *token)) token = s.token();
        if (!token) break;
        mails.clear();
        for (auto& s : streams)   // in the order of their serials, so that the list rises
            if (!s.ended() && s.token() == *token) PP_TRY(s.take(mails));
        std::erase_if(mails, [&](segment_mail m) { return !living.has(m); });
        for (std::size_t i = 1; i < mails.size(); ++i)
            if (mails[i] <= mails[i - 1]) return errc::damaged;
        PP_TRY(packer.add(*token, mails));
    }
    PP_TRY(packer.finish());
    out.posting_pages = packer.posting_pages();
    out.fence_pages = packer.fence_pages();
    return {};
}

std::optional<std::pair<std::size_t, std::size_t>> segments_to_merge(std::span<const text_segment> all) {
    for (unsigned c = 0; c <= size_class(segment_span_max); ++c) {
        std::size_t begin = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (size_class(all[i].mails) > c || all[i].end - all[begin].first > segment_span_max) {
                begin = size_class(all[i].mails) > c ? i + 1 : i;
                continue;
            }
            // Smaller ones at the end wait until they are as many themselves: else each few new mails would have the
            // large ones before them written again.
            if (i + 1 - begin >= merge_width && size_class(all[i].mails) == c)
                return std::pair(i + 1 - merge_width, i + 1);
        }
    }
    return std::nullopt;
}

}  // namespace pp::storage
