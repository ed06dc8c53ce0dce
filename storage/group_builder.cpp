#include "storage/group_builder.hpp"

#include "crypto/assert.hpp"

namespace pp::storage {

group_builder::group_builder(const log_position& at, std::uint64_t segment_bytes, const log_keys& keys)
    : keys_(keys), now_(at) {
    if (at.offset >= segment_bytes) {
        rolls_ = true;
        const auto header = encode_frame_header({0, now_.seq(), frame_type::skip});
        const auto hash = frame_hash(header, {});
        skip_.assign(header.begin(), header.end());
        skip_.insert(skip_.end(), hash.data.begin(), hash.data.end());
        now_.frames.add(hash);
        now_.first_byte += now_.offset + skip_.size();
        ++now_.segment;
        now_.offset = segment_header_bytes;
        now_.head_offset = 0;
        header_ = encode_segment_header(now_, keys_);
    }
    begin_ = now_;
}

std::uint64_t group_builder::append(frame_type type, bytes_view a, bytes_view b) {
    const auto body_bytes = padded_body_bytes(a.size() + b.size());
    const auto header = encode_frame_header({static_cast<std::uint32_t>(body_bytes), now_.seq(), type});
    const auto start = frames_.size();
    frames_.insert(frames_.end(), header.begin(), header.end());
    frames_.insert(frames_.end(), a.begin(), a.end());
    frames_.insert(frames_.end(), b.begin(), b.end());
    frames_.resize(start + frame_header_bytes + body_bytes);
    const auto hash = crypto::merkle::leaf_hash(bytes_view(frames_).subspan(start));
    frames_.insert(frames_.end(), hash.data.begin(), hash.data.end());
    now_.frames.add(hash);
    return begin_.offset + start + frame_header_bytes;
}

std::uint64_t group_builder::add_blob(bytes_view header, bytes_view cipher) {
    return append(frame_type::inline_blob, header, cipher);
}

void group_builder::add_entry(bytes_view operations) {
    append(frame_type::entry, seal_entry(operations, now_.generation, now_.seq(), keys_), {});
}

void group_builder::roll_back(mark m) {
    PP_ASSERT(m.size <= frames_.size());
    frames_.resize(m.size);
    now_.frames = std::move(m.frames);
}

const log_position& group_builder::finish(std::uint64_t now_ms) {
    head h;
    h.count = now_.seq();
    h.byte_end = now_.first_byte + begin_.offset + frames_.size();
    h.root = now_.frames.root();
    // Hybrid logical clock (03-storage 3.9): never behind the head before, whatever the wall clock does.
    h.clock = std::max<std::uint64_t>((now_ms & 0xffffffffffffull) << 16, begin_.clock + 1);
    h.previous = begin_.last_head;
    now_.head_offset = begin_.offset + frames_.size();
    const auto body = encode_head(h, now_.generation, keys_);
    append(frame_type::head, body, {});
    std::copy(frames_.end() - frame_hash_bytes, frames_.end(), now_.last_head.data.begin());
    now_.clock = h.clock;
    now_.offset = begin_.offset + frames_.size();
    return now_;
}

}  // namespace pp::storage
