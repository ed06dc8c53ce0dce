#include "storage/log_walker.hpp"

#include "storage/attempt.hpp"
#include "storage/log_file.hpp"

namespace pp::storage {

namespace {
constexpr std::size_t window_bytes = 1 << 20;
}

result<segment_header> read_segment_header(const std::filesystem::path& path) {
    PP_LET(auto opened, durable::open_file(path, durable::mode::read));
    bytes raw(segment_header_bytes);
    PP_LET(const auto n, opened.read_at(0, raw));
    if (n != raw.size()) return errc::damaged;
    return parse_segment_header(raw);
}

log_walker::log_walker(std::filesystem::path log_folder, const log_keys& keys, log_position from)
    : folder_(std::move(log_folder)), keys_(keys), at_(std::move(from)) {}

result<bool> log_walker::open_segment(const log_position& at) {
    if (open_segment_ == at.segment) return true;
    auto opened = durable::open_file(segment_path(folder_, at.generation, at.segment), durable::mode::read);
    if (!opened) {
        if (opened.error() == errc::not_found) return false;
        return failure{opened.error()};
    }
    PP_LET(file_bytes_, opened->size());
    file_ = std::move(*opened);
    open_segment_ = at.segment;
    window_.clear();
    return true;
}

result<bytes> log_walker::read(std::uint64_t offset, std::size_t n) {
    if (offset >= file_bytes_) return bytes{};
    n = static_cast<std::size_t>(std::min<std::uint64_t>(n, file_bytes_ - offset));
    if (n > window_bytes) {
        bytes out(n);
        PP_LET(const auto got, file_.read_at(offset, out));
        out.resize(got);
        return out;
    }
    if (offset < window_offset_ || offset + n > window_offset_ + window_.size()) {
        window_.resize(window_bytes);
        PP_LET(const auto got, file_.read_at(offset, window_));
        window_.resize(got);
        window_offset_ = offset;
    }
    const auto from = static_cast<std::size_t>(offset - window_offset_);
    const auto view = bytes_view(window_).subspan(std::min(from, window_.size()));
    return to_bytes(view.first(std::min(n, view.size())));
}

result<std::optional<log_walker::group>> log_walker::next() {
    PP_LET(const bool there, open_segment(at_));
    if (!there) return std::optional<group>();
    return walk_group();
}

result<std::optional<log_walker::group>> log_walker::walk_group() {
    const std::optional<group> none;
    struct sealed {
        bytes header, body;
    };
    std::vector<sealed> entries;
    group g;
    g.end = at_;
    auto& now = g.end;
    for (;;) {
        PP_LET(const auto raw, read(now.offset, frame_header_bytes));
        const auto h = parse_frame_header(raw);
        if (!h || h->seq != now.seq() || now.offset + h->frame_bytes() > file_bytes_) return none;
        PP_LET(auto body, read(now.offset + frame_header_bytes, h->body_bytes));
        PP_LET(const auto trailer, read(now.offset + frame_header_bytes + h->body_bytes, frame_hash_bytes));
        const auto stored = crypto::hash256::from(trailer);
        if (body.size() != h->body_bytes || !stored) return none;
        const bool intact = frame_hash(raw, body) == *stored;
        if (!intact && h->type != frame_type::inline_blob) return none;
        g.frame_bytes += h->frame_bytes();
        switch (h->type) {
            case frame_type::inline_blob:
                if (!intact) ++g.damaged_blobs;
                break;
            case frame_type::entry: entries.push_back({raw, std::move(body)}); break;
            case frame_type::skip: {
                // Only between groups, and only when the next segment stands on exactly this.
                if (h->body_bytes != 0 || now.offset != at_.offset || now.segment != at_.segment) return none;
                log_position next = now;
                next.frames.add(*stored);
                next.first_byte += now.offset + h->frame_bytes();
                ++next.segment;
                next.offset = segment_header_bytes;
                next.head_offset = 0;
                const auto header = read_segment_header(segment_path(folder_, next.generation, next.segment));
                if (!header) {
                    if (header.error() == errc::newer_format || is_of_the_system(header.error())) return header.error();
                    return none;
                }
                if (header->discovery != keys_.discovery.data || header->at.frames.count() != next.frames.count() ||
                    header->at.frames.peaks() != next.frames.peaks() || header->at.last_head != next.last_head ||
                    header->at.first_byte != next.first_byte || header->at.segment != next.segment)
                    return none;
                PP_LET(const bool there, open_segment(next));
                if (!there) return none;
                now = next;
                continue;
            }
            case frame_type::head: {
                const auto head = parse_head(body, now.generation, keys_.drive_public);
                if (!head || head->count != now.seq() || head->root != now.frames.root() ||
                    head->previous != now.last_head || head->byte_end != now.first_byte + now.offset)
                    return none;
                now.frames.add(*stored);
                now.head_offset = now.offset;
                now.last_head = *stored;
                now.clock = head->clock;
                now.offset += h->frame_bytes();
                for (const auto& e : entries) {
                    auto opened = open_entry(e.header, e.body, now.generation, keys_);
                    if (!opened) return errc::wrong_secret;
                    g.entries.push_back(std::move(*opened));
                }
                at_ = now;
                return std::optional<group>(std::move(g));
            }
            case frame_type::checkpoint: return errc::newer_format;
        }
        now.frames.add(*stored);
        now.offset += h->frame_bytes();
    }
}

// Looks for signed heads by their frame headers. The head of the group directly behind position() may stand there
// although its group is torn (sectors reach the disk in any order); any other head proves that the log went on.
result<log_walker::tail> log_walker::classify() {
    PP_LET(const auto there, segments_in(folder_, at_.generation));
    bool zeros = true;
    for (const auto n : there) {
        if (n < at_.segment) continue;
        log_position probe = at_;
        probe.segment = n;
        open_segment_ = 0;
        PP_LET(const bool opened, open_segment(probe));
        if (!opened) continue;
        const auto start = n == at_.segment ? at_.offset : segment_header_bytes;
        if (n != at_.segment) zeros = false;
        for (auto offset = start; offset < file_bytes_;) {
            const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(window_bytes / 2, file_bytes_ - offset));
            PP_LET(const auto piece, read(offset, step));
            if (piece.empty()) break;
            for (std::size_t i = 0; i < piece.size(); i += 8) {
                if (std::all_of(piece.begin() + static_cast<std::ptrdiff_t>(i),
                                piece.begin() + static_cast<std::ptrdiff_t>(std::min(i + 8, piece.size())),
                                [](std::byte b) { return b == std::byte{0}; }))
                    continue;
                zeros = false;
                PP_LET(const auto raw, read(offset + i, frame_header_bytes + head_body_bytes + frame_hash_bytes));
                const auto h = parse_frame_header(raw);
                if (!h || h->type != frame_type::head || h->body_bytes != head_body_bytes) continue;
                if (raw.size() != h->frame_bytes()) continue;
                const auto body = bytes_view(raw).subspan(frame_header_bytes, head_body_bytes);
                const auto head = parse_head(body, at_.generation, keys_.drive_public);
                if (!head || head->count < at_.seq()) continue;   // an old one cannot stand here, but proves nothing
                if (head->previous != at_.last_head) return tail::damaged;
            }
            offset += piece.size();
        }
    }
    open_segment_ = 0;
    return zeros ? tail::clean : tail::torn;
}

}  // namespace pp::storage
