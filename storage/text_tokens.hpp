// What the full-text index knows of a text: the distinct byte trigrams of each mail, by kind of text, as keyed hashes
// (03-storage 3.8; storage/FORMAT.md, "Full-text index"). A string of three or more bytes can only lie in a text that
// has all its trigrams; so looking for them never misses a mail, and what is found besides is sorted out by reading it.
//
// Texts and needles are folded by the caller, both in the same way; here they are bytes.
#pragma once

#include "crypto/keys.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace pp::storage {

// Kinds of text, told apart so that a search in subjects is not answered from bodies. On disk: append only, below 255.
enum class text_kind : std::uint8_t { body, subject, address, other_header };
inline constexpr std::size_t text_kind_count = 4;

using text_index_key = crypto::secret_bytes<struct text_index_key_tag, 32>;

// A kind and three bytes. Or: the mark of a mail that is a candidate for every needle, because not all is known of it.
using trigram = std::uint32_t;
inline constexpr trigram make_trigram(text_kind kind, unsigned char a, unsigned char b, unsigned char c) {
    return static_cast<std::uint32_t>(kind) << 24 | static_cast<std::uint32_t>(a) << 16 |
           static_cast<std::uint32_t>(b) << 8 | c;
}
inline constexpr trigram always_candidate = 0xff000000;

// SipHash-2-4 cut to 32 bits: two trigrams with the same token (about one in 100 000) only add candidates.
using text_token = std::uint32_t;
class token_maker {
public:
    explicit token_maker(const text_index_key& key);
    text_token operator()(trigram t) const;

private:
    crypto::secret_bytes<struct token_key_tag, 16> key_;
};

// Beyond these a mail is a candidate for every needle: the index stays small, the answers stay right.
inline constexpr std::uint64_t indexed_text_bytes_max = 16ull << 20;   // folded; half a second of work
inline constexpr std::size_t indexed_trigrams_max = 64 * 1024;         // English mails have 1300, a novel 30 000

// Collects the trigrams of one mail from texts that come in pieces, several at a time, each on a track of its own.
// Memory: 1 MiB at most, kept for the next mail.
class mail_trigrams {
public:
    static constexpr std::size_t tracks_max = 8;

    mail_trigrams();
    void clear();                             // for the next mail
    void add(text_kind kind, std::size_t track, std::string_view folded);
    void end(text_kind kind, std::size_t track);   // of the text on this track; adds two zero bytes, for short needles
    void give_up() { complete_ = false; }     // not all could be read
    bool complete() const { return complete_; }
    std::span<const trigram> found() const { return found_; }

private:
    struct track {
        unsigned char a = 0, b = 0;
        std::uint8_t filled = 0;
    };
    void put(trigram t);
    void grow();

    std::array<track, tracks_max> tracks_{};
    std::vector<std::uint64_t> table_;        // open addressing: round << 32 | trigram; only this round's count
    std::uint32_t round_ = 1;
    std::vector<trigram> found_;
    std::uint64_t bytes_ = 0;
    bool complete_ = true;
};

// What has to be looked up for a needle of one kind: mails that have, of each group, at least one.
// needle of 3 bytes and more: its trigrams, one per group, at most trigrams_per_needle_max of them, spread over it.
// 2 bytes: one group of 256: every text ends with two zero bytes, so the pair begins some trigram wherever it stands.
// 1 byte, none: no group, every mail is a candidate.
inline constexpr std::size_t trigrams_per_needle_max = 32;
std::vector<std::vector<trigram>> needle_trigrams(text_kind kind, std::string_view folded);

}  // namespace pp::storage
