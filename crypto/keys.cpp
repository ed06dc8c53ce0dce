// Account labels, discovery keys, comparison in constant time (01-product 1.2 and 03-storage 3.4.1 give the forms).
#include "crypto/keys.hpp"

#include "crypto/assert.hpp"
#include "crypto/primitives.hpp"

namespace pp::crypto {

namespace {

constexpr std::size_t label_checksum_bytes = 2;
constexpr std::byte label_version{1};
constexpr std::size_t label_bytes = account_key::size_bytes + label_checksum_bytes + 1;
constexpr std::size_t label_characters = label_bytes * 8 / 5;
static_assert(label_bytes * 8 % 5 == 0 && label_characters == 56, "a label has no fill bits, so one text only");

// The first bytes of SHA-256(".peerpost checksum" | key | version): the form of Tor's v3 onion names.
std::array<std::byte, label_checksum_bytes> label_checksum(bytes_view key, std::byte version) {
    sha256_stream hash;
    hash.update(as_bytes(".peerpost checksum"));
    hash.update(key);
    hash.update({&version, 1});
    const auto digest = hash.finish();
    std::array<std::byte, label_checksum_bytes> out;
    std::copy_n(digest.data.begin(), out.size(), out.begin());
    return out;
}

}  // namespace

discovery_key discover(const drive_key& key) {
    return *discovery_key::from(blake2b_keyed(key.view(), as_bytes("peerpost discovery 1")).view());
}

std::string account_label(const account_key& key) {
    bytes raw = to_bytes(key.view());
    const auto checksum = label_checksum(key.view(), label_version);
    raw.insert(raw.end(), checksum.begin(), checksum.end());
    raw.push_back(label_version);
    return base32(raw);
}

result<account_key> parse_account_label(std::string_view label) {
    if (label.size() != label_characters) return errc::bad_text;
    const auto raw = from_base32(label);
    if (!raw) return raw.error();
    const auto key = bytes_view(*raw).first(account_key::size_bytes);
    const auto checksum = bytes_view(*raw).subspan(key.size(), label_checksum_bytes);
    // The version is checked together with the checksum: a typing error in the last characters is a typing error, not
    // a newer peerpost.
    if (raw->back() != label_version || !std::ranges::equal(checksum, label_checksum(key, label_version)))
        return errc::bad_checksum;
    return account_key::from(key);
}

bool equal_constant_time(bytes_view a, bytes_view b) {
    return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void initialise() { PP_ASSERT(sodium_init() >= 0); }

}  // namespace pp::crypto
