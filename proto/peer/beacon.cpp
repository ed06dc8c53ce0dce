// LAN beacons (SPEC.md, "Beacon"): only who knows the account key can read or recognise one.
#include "proto/peer/layout.hpp"

namespace pp::peer {
namespace {

constexpr std::string_view beacon_magic = "PPL1";
constexpr std::size_t tag_bytes = 8;
constexpr std::size_t front_bytes = 4 + tag_bytes;
constexpr unix_s day_s = 24 * 60 * 60;
// Padded to one of these, so that the size tells little of how many addresses a node has.
constexpr std::size_t plain_buckets[] = {256, 512, 1024};
static_assert(front_bytes + crypto::row_overhead_bytes + plain_buckets[2] <= beacon_bytes_max);
constexpr std::size_t fixed_plain_bytes = 8 + 1 + 64;   // sent at, count, signature

using tag = std::array<std::byte, tag_bytes>;

unix_s day_of(unix_s at) { return at / day_s - (at % day_s < 0 ? 1 : 0); }

tag tag_of(const account_key& account, unix_s day) {
    wire::byte_writer purpose;
    purpose.raw(layout::beacon_tag_purpose).u8(0).i64(day);
    const auto hash = crypto::blake2b_keyed(account.view(), purpose.view());
    tag out;
    std::copy_n(hash.data.begin(), out.size(), out.begin());
    return out;
}

crypto::row_key key_of(const account_key& account, unix_s day) {
    wire::byte_writer purpose;
    purpose.raw(layout::beacon_key_purpose).u8(0).i64(day);
    return crypto::derive<crypto::row_key>(account.view(), as_text(purpose.view()));
}

bytes signed_content(const account_key& account, bytes_view content) {
    wire::byte_writer out;
    out.fixed(account).raw(content);
    return layout::signed_bytes(layout::beacon_signature_purpose, out.view());
}

}  // namespace

bytes seal_beacon(const beacon& b, const crypto::signing_key& account) {
    const auto day = day_of(b.sent_at);
    // As many addresses as the largest size holds; the best come first.
    std::vector<std::string> endpoints;
    std::size_t used = fixed_plain_bytes;
    for (const auto& endpoint : b.endpoints) {
        used += 1 + std::min(endpoint.size(), endpoint_bytes_max);
        if (used > plain_buckets[2] || endpoints.size() == endpoints_max) break;
        endpoints.push_back(endpoint);
    }
    wire::byte_writer plain;
    plain.i64(b.sent_at);
    layout::write_texts(plain, endpoints, endpoints_max, endpoint_bytes_max);
    const auto sig = account.sign(signed_content(b.account, plain.view()));
    plain.fixed(sig);
    for (const auto size : plain_buckets)
        if (plain.size() <= size) {
            plain.zeros(size - plain.size());
            break;
        }

    wire::byte_writer out;
    out.raw(beacon_magic).raw(tag_of(b.account, day));
    const auto sealed = crypto::seal_row(key_of(b.account, day), out.view(), plain.view());
    out.raw(sealed);
    PP_ASSERT(out.size() <= beacon_bytes_max);
    return out.take();
}

std::array<tag, 3> beacon_tags(const account_key& account, unix_s now) {
    const auto day = day_of(now);
    return {tag_of(account, day - 1), tag_of(account, day), tag_of(account, day + 1)};
}

std::optional<tag> beacon_tag(bytes_view datagram) {
    if (datagram.size() <= front_bytes + crypto::row_overhead_bytes || datagram.size() > beacon_bytes_max) return {};
    if (as_text(datagram.first(beacon_magic.size())) != beacon_magic) return {};
    wire::byte_reader reader(datagram.subspan(beacon_magic.size()));
    return reader.array<tag_bytes>();
}

result<beacon> open_beacon(bytes_view datagram, const account_key& expected, unix_s now) {
    const auto tag = beacon_tag(datagram);
    if (!tag) return errc::bad_message;
    const auto tags = beacon_tags(expected, now);
    const auto found = std::find(tags.begin(), tags.end(), *tag);
    if (found == tags.end()) return errc::not_for_us;
    const auto day = day_of(now) + (found - tags.begin()) - 1;

    const auto plain =
        crypto::open_row(key_of(expected, day), datagram.first(front_bytes), datagram.subspan(front_bytes));
    if (!plain) return errc::not_for_us;
    wire::byte_reader reader(*plain);
    beacon b;
    b.account = expected;
    b.sent_at = reader.i64();
    b.endpoints = layout::read_texts(reader, endpoints_max, endpoint_bytes_max);
    const auto content = bytes_view(*plain).first(plain->size() - reader.left());
    const auto sig = reader.fixed<crypto::signature>();
    const auto padding = reader.rest();
    if (reader.failed()) return errc::bad_message;
    if (!std::all_of(padding.begin(), padding.end(), [](std::byte p) { return p == std::byte{0}; }))
        return errc::bad_message;
    if (!crypto::verify(expected.view(), signed_content(expected, content), sig)) return errc::bad_signature;
    if (day_of(b.sent_at) != day) return errc::expired;
    return b;
}

}  // namespace pp::peer
