// App passwords and Argon2id (RFC 9106) by libsodium.
#include "crypto/password.hpp"

#include "crypto/raw.hpp"

namespace pp::crypto {

namespace {

constexpr std::size_t app_password_characters = 25;   // of 5 bits: 125 bits
constexpr std::size_t app_password_group = 5;
constexpr std::uint64_t bytes_per_kib = 1024;

std::string in_groups(std::string_view characters) {
    std::string out;
    out.reserve(characters.size() + characters.size() / app_password_group);   // nothing stays behind by growing
    for (std::size_t i = 0; i < characters.size(); ++i) {
        if (i > 0 && i % app_password_group == 0) out.push_back('-');
        out.push_back(characters[i]);
    }
    return out;
}

// Lower case, without dashes and blanks.
std::string without_groups(std::string_view password) {
    std::string plain;
    plain.reserve(password.size());   // so that no half of it stays behind in a block that was outgrown
    for (const char c : password) {
        if (c == '-' || c == ' ' || c == '\t') continue;
        plain.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
    }
    return plain;
}

}  // namespace

std::string generate_app_password() {
    std::array<std::byte, 16> raw;   // 128 bits; the 26th character, of 3 bits, is left out
    random_bytes(raw);
    std::string characters = base32(raw);
    std::string out = in_groups(std::string_view(characters).substr(0, app_password_characters));
    sodium_memzero(raw.data(), raw.size());
    sodium_memzero(characters.data(), characters.size());
    return out;
}

hash256 app_password_hash(const row_key& key, std::string_view password) {
    std::string plain = without_groups(password);
    const auto out = blake2b_keyed(key.view(), as_bytes(plain));
    sodium_memzero(plain.data(), plain.size());
    return out;
}

std::string app_password_as_shown(std::string_view typed) {
    std::string plain = without_groups(typed);
    std::string out = in_groups(plain);
    sodium_memzero(plain.data(), plain.size());
    return out;
}

result<root_key> stretch_passphrase(std::string_view passphrase, bytes_view salt16, argon2_cost cost) {
    if (salt16.size() != crypto_pwhash_argon2id_SALTBYTES) return errc::bad_length;
    const std::uint64_t memory_bytes = cost.memory_kib * bytes_per_kib;
    if (cost.passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || memory_bytes < crypto_pwhash_argon2id_MEMLIMIT_MIN)
        return errc::bad_length;
    root_key out;
    if (crypto_pwhash_argon2id(raw_out(out.mutable_view()), out.mutable_view().size(),
                               passphrase.data(), passphrase.size(),
                               raw(salt16), cost.passes, memory_bytes,
                               crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0)
        return errc::no_memory;   // all its other reasons were checked above
    return out;
}

}  // namespace pp::crypto
