#include "proto/relay/address.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

namespace pp::relay {
namespace {

constexpr std::string_view link_prefix = "peerpost:relay/";
constexpr std::string_view address_prefix = "peerpost:slot/";
constexpr std::uint8_t version_1 = 1;
constexpr std::size_t check_bytes = 4;      // tells a damaged copy from a forged one
constexpr std::size_t address_raw_bytes_max = (slot_address_bytes_max - address_prefix.size()) * 3 / 4;

void write_endpoints(wire::byte_writer& out, const std::vector<std::string>& endpoints, std::size_t count) {
    out.u8(static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) out.text8(endpoints[i], endpoint_bytes_max);
}

std::vector<std::string> read_endpoints(wire::byte_reader& in) {
    const auto count = in.u8();
    if (count == 0 || count > endpoints_max) in.fail();
    std::vector<std::string> out;
    for (unsigned i = 0; i < count && !in.failed(); ++i) {
        out.push_back(in.text8(endpoint_bytes_max));
        if (out.back().empty()) in.fail();
    }
    return out;
}

std::string text_of(std::string_view prefix, bytes_view content) {
    auto raw = to_bytes(content);
    const auto check = crypto::sha256(content);
    raw.insert(raw.end(), check.data.begin(), check.data.begin() + check_bytes);
    return std::string(prefix) + crypto::base64url(raw);
}

// The content behind prefix and check; errc::bad_link.
result<bytes> content_of(std::string_view prefix, std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) return errc::bad_link;
    std::string clean;
    for (const char c : text)
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '<' && c != '>') clean.push_back(c);
    if (!std::string_view(clean).starts_with(prefix)) return errc::bad_link;
    auto raw = crypto::from_base64url(std::string_view(clean).substr(prefix.size()));
    if (!raw || raw->size() < check_bytes) return errc::bad_link;
    const auto content = bytes_view(*raw).first(raw->size() - check_bytes);
    const auto check = crypto::sha256(content);
    if (!std::equal(check.data.begin(), check.data.begin() + check_bytes, raw->end() - check_bytes))
        return errc::bad_link;
    raw->resize(content.size());
    return raw;
}

}  // namespace

std::string encode_link(const relay_link& link) {
    PP_ASSERT(!link.endpoints.empty() && link.endpoints.size() <= endpoints_max);
    wire::byte_writer out;
    out.u8(version_1).fixed(link.relay).raw(bytes_view(link.invite));
    write_endpoints(out, link.endpoints, link.endpoints.size());
    return text_of(link_prefix, out.view());
}

result<relay_link> decode_link(std::string_view text) {
    const auto raw = content_of(link_prefix, text, link_bytes_max);
    if (!raw) return raw.error();
    wire::byte_reader in(*raw);
    if (in.u8() != version_1) return errc::unknown_version;
    relay_link out;
    out.relay = in.fixed<account_key>();
    out.invite = in.array<16>();
    out.endpoints = read_endpoints(in);
    if (!in.complete()) return errc::bad_link;
    return out;
}

std::string encode_address(const slot_address& address) {
    PP_ASSERT(!address.endpoints.empty() && address.endpoints.size() <= endpoints_max);
    for (auto count = address.endpoints.size();; --count) {
        wire::byte_writer out;
        out.u8(version_1).fixed(address.relay).fixed(address.slot);
        write_endpoints(out, address.endpoints, count);
        if (out.size() + check_bytes <= address_raw_bytes_max) return text_of(address_prefix, out.view());
        if (count == 1) return {};
    }
}

result<slot_address> decode_address(std::string_view text) {
    const auto raw = content_of(address_prefix, text, slot_address_bytes_max);
    if (!raw) return raw.error();
    wire::byte_reader in(*raw);
    if (in.u8() != version_1) return errc::unknown_version;
    slot_address out;
    out.relay = in.fixed<account_key>();
    out.slot = in.fixed<slot_id>();
    out.endpoints = read_endpoints(in);
    if (!in.complete()) return errc::bad_link;
    return out;
}

}  // namespace pp::relay
