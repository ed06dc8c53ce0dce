#include "storage/frame.hpp"

#include "storage/attempt.hpp"
#include "storage/codec.hpp"

#include <bit>

namespace pp::storage {

namespace {
constexpr std::uint32_t frame_magic = 0x46505031;   // never zero: zeros are the end of the log
constexpr std::string_view segment_magic = "PPLOG\r\n\x1a";
constexpr std::uint16_t log_suite = 1;              // SHA-256, Ed25519, XChaCha20-Poly1305
constexpr std::size_t peaks_offset = 1024, peaks_max = 64, check_offset = segment_header_bytes - 32;
constexpr std::size_t frame_checked_bytes = 20;     // of the header, before its CRC
constexpr std::string_view head_context = "peerpost head 1";

bytes head_fields(const head& h) {
    byte_writer w;
    w.u64(h.count);
    w.u64(h.byte_end);
    w.raw(h.root.view());
    w.u64(h.clock);
    w.raw(h.previous.view());
    return w.take();
}
bytes head_statement(bytes_view fields, std::uint64_t generation, const crypto::drive_key& drive) {
    byte_writer w;
    w.raw(pp::as_bytes(head_context));
    w.raw(drive.view());
    w.u64(generation);
    w.raw(fields);
    return w.take();
}
bytes entry_aad(bytes_view frame_head, std::uint64_t generation, const crypto::drive_key& drive) {
    byte_writer w;
    w.raw(drive.view());
    w.u64(generation);
    w.raw(frame_head.first(frame_checked_bytes));
    return w.take();
}
}  // namespace

log_keys::log_keys(const account_keys& keys)
    : drive(keys.drive_seed), entry(crypto::derive<crypto::row_key>(keys.log_key.view(), "peerpost log entry 1")) {
    drive_public = *crypto::drive_key::from(drive.public_key());
    discovery = crypto::discover(drive_public);
    const auto full = crypto::blake2b_keyed(keys.log_key.view(), pp::as_bytes("peerpost log key check 1"));
    std::copy_n(full.data.begin(), check.size(), check.begin());
}

bytes log_position::encode() const {
    byte_writer w;
    w.u64(generation);
    w.u64(segment);
    w.u64(offset);
    w.u64(first_byte);
    w.u64(head_offset);
    w.raw(last_head.view());
    w.u64(clock);
    w.u64(frames.count());
    for (const auto& p : frames.peaks()) w.raw(p.view());
    return w.take();
}

result<log_position> log_position::decode(bytes_view in) {
    byte_reader r(in);
    log_position p;
    p.generation = r.u64();
    p.segment = r.u64();
    p.offset = r.u64();
    p.first_byte = r.u64();
    p.head_offset = r.u64();
    p.last_head.data = r.array<32>();
    p.clock = r.u64();
    const auto count = r.u64();
    std::vector<crypto::hash256> peaks(static_cast<std::size_t>(std::popcount(count)));
    for (auto& peak : peaks) peak.data = r.array<32>();
    if (!r.done() || p.offset < segment_header_bytes || p.offset % 8 != 0) return errc::damaged;
    auto frames = crypto::merkle::accumulator::from_peaks(count, std::move(peaks));
    if (!frames) return errc::damaged;
    p.frames = std::move(*frames);
    return p;
}

bytes encode_segment_header(const log_position& at, const log_keys& keys) {
    byte_writer w;
    w.raw(pp::as_bytes(segment_magic));
    w.u16(log_format_version);
    w.u16(log_suite);
    w.u32(0);
    w.u64(at.generation);
    w.u64(at.segment);
    w.u64(at.frames.count());
    w.u64(at.first_byte);
    w.raw(keys.discovery.view());
    w.raw(keys.check);
    w.raw(at.last_head.view());
    w.u64(at.clock);
    w.zeros(peaks_offset - w.size());
    for (const auto& p : at.frames.peaks()) w.raw(p.view());
    w.zeros(check_offset - w.size());
    const auto check = crypto::sha256(w.out());
    w.raw(check.view());
    return w.take();
}

result<segment_header> parse_segment_header(bytes_view in) {
    if (in.size() != segment_header_bytes) return errc::damaged;
    byte_reader r(in);
    if (as_text(r.raw(segment_magic.size())) != segment_magic) return errc::damaged;
    const auto version = r.u16();
    const auto suite = r.u16();
    const auto check = crypto::sha256(in.first(check_offset));
    if (!std::equal(check.data.begin(), check.data.end(), in.begin() + check_offset)) return errc::damaged;
    if (version != log_format_version || suite != log_suite) return errc::newer_format;
    r.u32();
    segment_header h;
    h.at.generation = r.u64();
    h.at.segment = r.u64();
    const auto count = r.u64();
    h.at.first_byte = r.u64();
    h.discovery = r.array<32>();
    h.log_key_check = r.array<16>();
    h.at.last_head.data = r.array<32>();
    h.at.clock = r.u64();
    std::vector<crypto::hash256> peaks(
        std::min<std::size_t>(peaks_max, static_cast<std::size_t>(std::popcount(count))));
    byte_reader peak_reader(in.subspan(peaks_offset, peaks_max * 32));
    for (auto& p : peaks) p.data = peak_reader.array<32>();
    auto frames = crypto::merkle::accumulator::from_peaks(count, std::move(peaks));
    if (!frames) return errc::damaged;
    h.at.frames = std::move(*frames);
    return h;
}

std::array<std::byte, frame_header_bytes> encode_frame_header(const frame_header& h) {
    byte_writer w;
    w.u32(frame_magic);
    w.u32(h.body_bytes);
    w.u64(h.seq);
    w.u8(static_cast<std::uint8_t>(h.type));
    w.u8(static_cast<std::uint8_t>(log_suite));
    w.u16(0);
    w.u32(crypto::crc32c(w.out()));
    std::array<std::byte, frame_header_bytes> out;
    std::copy(w.out().begin(), w.out().end(), out.begin());
    return out;
}

std::optional<frame_header> parse_frame_header(bytes_view in) {
    if (in.size() < frame_header_bytes) return std::nullopt;
    in = in.first(frame_header_bytes);
    byte_reader r(in);
    if (r.u32() != frame_magic) return std::nullopt;
    frame_header h;
    h.body_bytes = r.u32();
    h.seq = r.u64();
    const auto type = r.u8();
    const auto suite = r.u8();
    const auto flags = r.u16();
    if (r.u32() != crypto::crc32c(in.first(frame_checked_bytes))) return std::nullopt;
    if (type < 1 || type > 5 || suite != log_suite || flags != 0) return std::nullopt;
    if (h.body_bytes > frame_body_bytes_max || h.body_bytes % frame_body_step_bytes != 0) return std::nullopt;
    h.type = static_cast<frame_type>(type);
    return h;
}

std::size_t padded_body_bytes(std::size_t n) {
    return (n + frame_body_step_bytes - 1) / frame_body_step_bytes * frame_body_step_bytes;
}

crypto::hash256 frame_hash(bytes_view header, bytes_view body) {
    crypto::sha256_stream h;
    const std::array<std::byte, 1> leaf{std::byte{0}};   // RFC 9162 section 2.1.1
    h.update(leaf);
    h.update(header);
    h.update(body);
    return h.finish();
}

bytes encode_head(head h, std::uint64_t generation, const log_keys& keys) {
    byte_writer w;
    const auto fields = head_fields(h);
    w.raw(fields);
    w.raw(keys.drive.sign(head_statement(fields, generation, keys.drive_public)).view());
    w.zeros(head_body_bytes - w.size());
    return w.take();
}

result<head> parse_head(bytes_view body, std::uint64_t generation, const crypto::drive_key& drive) {
    if (body.size() != head_body_bytes) return errc::damaged;
    byte_reader r(body);
    head h;
    h.count = r.u64();
    h.byte_end = r.u64();
    h.root.data = r.array<32>();
    h.clock = r.u64();
    h.previous.data = r.array<32>();
    h.sig.data = r.array<64>();
    while (r.left() > 0)
        if (r.u8() != 0) return errc::damaged;
    if (!crypto::verify(drive.view(), head_statement(head_fields(h), generation, drive), h.sig)) return errc::damaged;
    return h;
}

bytes seal_entry(bytes_view operations, std::uint64_t generation, std::uint64_t seq, const log_keys& keys) {
    byte_writer plain;
    plain.u32(static_cast<std::uint32_t>(operations.size()));
    plain.raw(operations);
    const auto body_bytes = padded_body_bytes(plain.size() + crypto::row_overhead_bytes);
    plain.zeros(body_bytes - crypto::row_overhead_bytes - plain.size());
    const auto header =
        encode_frame_header({static_cast<std::uint32_t>(body_bytes), seq, frame_type::entry});
    return crypto::seal_row(keys.entry, entry_aad(header, generation, keys.drive_public), plain.out());
}

result<bytes> open_entry(bytes_view frame_head, bytes_view body, std::uint64_t generation, const log_keys& keys) {
    if (frame_head.size() < frame_header_bytes) return errc::damaged;
    const auto plain = crypto::open_row(keys.entry, entry_aad(frame_head, generation, keys.drive_public), body);
    if (!plain) return errc::damaged;
    byte_reader r(*plain);
    const auto n = r.u32();
    const auto operations = r.raw(n);
    if (!r.ok()) return errc::damaged;
    return to_bytes(operations);
}

}  // namespace pp::storage
