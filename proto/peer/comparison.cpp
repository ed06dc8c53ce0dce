#include "proto/peer/comparison.hpp"

#include "crypto/primitives.hpp"
#include "proto/peer/layout.hpp"

#include <algorithm>

namespace pp::peer {

namespace {

constexpr std::string_view comparison_purpose = "peerpost comparison v1";
constexpr std::string_view comparison_link_prefix = "peerpost:verify/";
constexpr std::size_t comparison_text_bytes_max = 512;   // a link or the digits, with the white space of a bad copy
constexpr std::size_t digits_total = comparison_groups * comparison_group_digits;
constexpr std::uint32_t group_values = 100000;           // 10^comparison_group_digits
static_assert(comparison_groups * 4 == crypto::hash256::size_bytes, "each group is made of four bytes of the digest");

// Digits alone, whatever stands between them; empty when there is a letter among them.
std::string only_digits(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c >= '0' && c <= '9') out += c;
        else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return {};
    }
    return out;
}

std::string compact(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (static_cast<unsigned char>(c) > ' ' && c != '<' && c != '>') out += c;
    return out;
}

}  // namespace

comparison compare_keys(const crypto::account_key& a, const crypto::account_key& b) {
    wire::byte_writer content;
    content.fixed(std::min(a, b)).fixed(std::max(a, b));
    return {crypto::sha256(layout::signed_bytes(comparison_purpose, content.view()))};
}

std::string comparison::digits() const {
    std::string out;
    wire::byte_reader reader(digest.view());
    for (std::size_t i = 0; i < comparison_groups; ++i) {
        const auto group = std::to_string(reader.u32() % group_values);
        if (i > 0) out += ' ';
        out += std::string(comparison_group_digits - group.size(), '0') + group;
    }
    return out;
}

std::string comparison::link() const { return std::string(comparison_link_prefix) + crypto::base64url(digest.view()); }

bool is_same(const comparison& ours, std::string_view read_or_scanned) {
    if (!looks_like_comparison(read_or_scanned)) return false;
    const auto text = compact(read_or_scanned);
    const bool scanned = text.starts_with(comparison_link_prefix);
    const auto theirs = scanned ? text : only_digits(text);
    const auto mine = scanned ? ours.link() : only_digits(ours.digits());
    return theirs.size() == mine.size() && crypto::equal_constant_time(as_bytes(theirs), as_bytes(mine));
}

bool looks_like_comparison(std::string_view read_or_scanned) {
    if (read_or_scanned.size() > comparison_text_bytes_max) return false;
    const auto text = compact(read_or_scanned);
    if (!text.starts_with(comparison_link_prefix)) return only_digits(text).size() == digits_total;
    const auto digest = crypto::from_base64url(std::string_view(text).substr(comparison_link_prefix.size()));
    return digest && digest->size() == crypto::hash256::size_bytes;
}

}  // namespace pp::peer
