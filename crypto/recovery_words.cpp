// BIP-39 phrases of 24 words: 256 bits of seed, then the first 8 bits of its SHA-256, cut into 24 numbers of 11 bits.
#include "crypto/recovery_words.hpp"

#include "crypto/assert.hpp"
#include "crypto/primitives.hpp"
#include "crypto/recovery_word_list.hpp"

namespace pp::crypto {

namespace {

constexpr std::size_t phrase_words = 24;
constexpr unsigned bits_per_word = 11;
constexpr std::size_t phrase_bytes = account_seed::size_bytes + 1;
static_assert(phrase_words * bits_per_word == phrase_bytes * 8);
static_assert(recovery_list_words == 1u << bits_per_word);

constexpr std::size_t word_characters_max = 8;   // the longest of the list

using phrase_bits = secret_bytes<struct phrase_bits_tag, phrase_bytes>;

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The next word in lower case, cut off the front of text; empty at the end. Longer than any word means: none of them.
std::string_view take_word(std::string_view& text, std::array<char, word_characters_max + 1>& store) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    std::size_t n = 0;
    for (; !text.empty() && !is_blank(text.front()); text.remove_prefix(1)) {
        const char c = text.front();
        if (n < store.size()) store[n++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return {store.data(), n};
}

}  // namespace

std::string_view recovery_word(std::size_t index) {
    PP_ASSERT(index < recovery_word_list.size());
    return recovery_word_list[index];
}

std::string recovery_words(const account_seed& seed) {
    phrase_bits bits;
    std::copy(seed.view().begin(), seed.view().end(), bits.mutable_view().begin());
    bits.mutable_view().back() = sha256(seed.view()).data.front();

    std::string out;
    out.reserve(phrase_words * (word_characters_max + 1));   // so that growing leaves no part of it behind
    unsigned held = 0, held_bits = 0;
    for (const auto b : bits.view()) {
        held = (held << 8 | std::to_integer<unsigned>(b)) & 0xfffff;
        held_bits += 8;
        if (held_bits < bits_per_word) continue;
        held_bits -= bits_per_word;
        if (!out.empty()) out.push_back(' ');
        out += recovery_word(held >> held_bits & (recovery_list_words - 1));
    }
    return out;
}

result<account_seed> parse_recovery_words(std::string_view words) {
    phrase_bits bits;
    std::size_t filled = 0;
    unsigned held = 0, held_bits = 0;
    std::array<char, word_characters_max + 1> store{};
    for (std::size_t i = 0; i < phrase_words; ++i) {
        const auto word = take_word(words, store);
        const auto found = std::lower_bound(recovery_word_list.begin(), recovery_word_list.end(), word);
        if (found == recovery_word_list.end() || *found != word) return errc::bad_text;
        held = (held << bits_per_word | static_cast<unsigned>(found - recovery_word_list.begin())) & 0xfffff;
        held_bits += bits_per_word;
        for (; held_bits >= 8; held_bits -= 8)
            bits.mutable_view()[filled++] = static_cast<std::byte>(held >> (held_bits - 8) & 0xff);
    }
    if (!take_word(words, store).empty()) return errc::bad_text;
    sodium_memzero(store.data(), store.size());
    const auto seed = bits.view().first(account_seed::size_bytes);
    if (bits.view().back() != sha256(seed).data.front()) return errc::bad_checksum;
    return account_seed::from(seed);
}

}  // namespace pp::crypto
