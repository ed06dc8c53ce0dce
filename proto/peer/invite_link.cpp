// Invite links (SPEC.md, "Invite"): "peerpost:invite/" and base64url of version | token | expiry | record | [tokens] |
// check.
#include "proto/peer/layout.hpp"

namespace pp::peer {
namespace {

constexpr std::string_view link_prefix = "peerpost:invite/";
constexpr std::size_t check_bytes = 4;   // of SHA-256: tells a damaged copy from a forged record
constexpr std::uint8_t version_2 = 2;     // with delivery tokens
constexpr std::size_t link_bytes_max =
    1 + 16 + 8 + 2 + record_bytes_max + 1 + invite_grants_max * layout::grant_bytes_max + check_bytes;
// base64url, and line breaks of the mails it went through
constexpr std::size_t link_text_bytes_max = 2 * link_bytes_max;

}  // namespace

std::string encode_link(const invite_link& link) {
    wire::byte_writer out;
    const auto grants = std::min(link.grants.size(), invite_grants_max);
    out.u8(grants ? version_2 : layout::version_1).raw(link.token).i64(link.expires_at).sized16(encode(link.record));
    if (grants) out.u8(static_cast<std::uint8_t>(grants));
    for (std::size_t i = 0; i < grants; ++i) layout::write(out, link.grants[i]);
    const auto check = crypto::sha256(out.view());
    out.raw(check.view().first(check_bytes));
    return std::string(link_prefix) + crypto::base64url(out.view());
}

result<invite_link> decode_link(std::string_view text) {
    if (text.size() > link_text_bytes_max) return errc::bad_link;
    // Mail clients break long lines and put addresses in angle brackets.
    std::string compact;
    for (const char c : text)
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '<' && c != '>') compact += c;
    if (compact.compare(0, link_prefix.size(), link_prefix) != 0) return errc::bad_link;
    const auto raw = crypto::from_base64url(std::string_view(compact).substr(link_prefix.size()));
    if (!raw || raw->size() < check_bytes || raw->size() > link_bytes_max) return errc::bad_link;
    const auto content = bytes_view(*raw).first(raw->size() - check_bytes);
    const auto check = crypto::sha256(content);
    const auto given = bytes_view(*raw).last(check_bytes);
    if (!std::equal(given.begin(), given.end(), check.data.begin())) return errc::bad_link;

    wire::byte_reader reader(content);
    const auto version = reader.u8();
    if (version != layout::version_1 && version != version_2)
        return content.empty() ? errc::bad_link : errc::unknown_version;
    invite_link link;
    link.token = reader.array<16>();
    link.expires_at = reader.i64();
    const auto record = reader.sized16(record_bytes_max);
    if (version == version_2) {
        const std::size_t grants = reader.u8();
        if (grants == 0 || grants > invite_grants_max) return errc::bad_link;
        for (std::size_t i = 0; i < grants && !reader.failed(); ++i) link.grants.push_back(layout::read_grant(reader));
    }
    if (!reader.complete()) return errc::bad_link;
    auto decoded = decode_account_record(record);
    if (!decoded) return decoded.error();
    // Dates are the engine's business: an invite may be older than the devices it names.
    if (const auto good = layout::verify_signatures(*decoded); !good) return good.error();
    link.record = std::move(*decoded);
    return link;
}

}  // namespace pp::peer
