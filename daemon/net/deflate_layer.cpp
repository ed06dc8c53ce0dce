#include "daemon/net/deflate_layer.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

namespace pp::net {

namespace {
// Negative: raw deflate. What we send: a window of 8 KiB, (1 << (13 + 2)) + (1 << (6 + 9)) = 64 KiB of state. What
// comes may use the whole window of 32 KiB (RFC 4978 section 4 leaves it to the sender).
constexpr int window_out = -13, window_in = -15, memory_level = 6;
constexpr std::size_t read_bytes = 4 * 1024;
constexpr std::size_t piece_bytes = 16 * 1024;   // of compressed output, at one time
}  // namespace

struct deflate_layer::state {
    z_stream out{}, in{};
    bool out_ready = false, in_ready = false;
    std::array<std::byte, read_bytes> held;      // compressed, not inflated yet: [held_from, held_to)
    std::size_t held_from = 0, held_to = 0;
    bool more_inside = false;                    // zlib may hold output that had no room
    bool broken = false;                         // for good

    ~state() {
        if (out_ready) deflateEnd(&out);
        if (in_ready) inflateEnd(&in);
    }
};

deflate_layer::deflate_layer() : state_(std::make_unique<state>()) {}
deflate_layer::~deflate_layer() = default;

std::unique_ptr<deflate_layer> deflate_layer::make() {
    std::unique_ptr<deflate_layer> layer(new deflate_layer());
    auto& s = *layer->state_;
    s.out_ready =
        deflateInit2(&s.out, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_out, memory_level, Z_DEFAULT_STRATEGY) == Z_OK;
    s.in_ready = inflateInit2(&s.in, window_in) == Z_OK;
    if (!s.out_ready || !s.in_ready) return nullptr;
    return layer;
}

bool deflate_layer::compress(bytes_view plain, bytes& out) {
    auto& z = state_->out;
    while (!plain.empty()) {
        const auto piece = plain.first(std::min<std::size_t>(plain.size(), std::numeric_limits<uInt>::max()));
        plain = plain.subspan(piece.size());
        z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(piece.data()));
        z.avail_in = static_cast<uInt>(piece.size());
        // The flush of the last piece makes everything readable (RFC 4978 section 4).
        do {
            const auto before = out.size();
            out.resize(before + piece_bytes);
            z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
            z.avail_out = piece_bytes;
            const int rc = deflate(&z, plain.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
            out.resize(before + (piece_bytes - z.avail_out));
            if (rc != Z_OK && rc != Z_BUF_ERROR) return false;
        } while (z.avail_out == 0);
    }
    return true;
}

mutable_bytes_view deflate_layer::read_room() {
    auto& s = *state_;
    if (s.held_from == s.held_to) s.held_from = s.held_to = 0;
    return mutable_bytes_view(s.held).subspan(s.held_to);
}

void deflate_layer::came(std::size_t n) { state_->held_to += n; }

std::size_t deflate_layer::inflate(mutable_bytes_view into, bool& broken) {
    auto& s = *state_;
    broken = s.broken;
    if (broken || into.empty() || (s.held_from == s.held_to && !s.more_inside)) return 0;
    s.in.next_in = reinterpret_cast<Bytef*>(s.held.data() + s.held_from);
    s.in.avail_in = static_cast<uInt>(s.held_to - s.held_from);
    const auto room = static_cast<uInt>(std::min<std::size_t>(into.size(), std::numeric_limits<uInt>::max()));
    s.in.next_out = reinterpret_cast<Bytef*>(into.data());
    s.in.avail_out = room;
    const int rc = ::inflate(&s.in, Z_SYNC_FLUSH);
    s.held_from = s.held_to - s.in.avail_in;
    s.more_inside = s.in.avail_out == 0;
    // Z_STREAM_END too: nobody ends a stream but by hanging up.
    broken = s.broken = rc != Z_OK && rc != Z_BUF_ERROR;
    return room - s.in.avail_out;
}

}  // namespace pp::net
