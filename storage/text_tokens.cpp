#include "storage/text_tokens.hpp"

#include "crypto/primitives.hpp"

#include <algorithm>

namespace pp::storage {

namespace {

constexpr std::size_t first_table_size = 4096;   // a power of two, as each that follows

std::size_t slot_of(trigram t, std::size_t size) {
    return static_cast<std::size_t>((t * 0x9e3779b97f4a7c15ull) >> 32) & (size - 1);   // Knuth's multiplicative hashing
}

}  // namespace

token_maker::token_maker(const text_index_key& key)
    : key_(crypto::derive<crypto::secret_bytes<struct token_key_tag, 16>>(key.view(), "fts-tok")) {
    static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
}

text_token token_maker::operator()(trigram t) const {
    const std::array<unsigned char, 4> in = {static_cast<unsigned char>(t >> 24), static_cast<unsigned char>(t >> 16),
                                             static_cast<unsigned char>(t >> 8), static_cast<unsigned char>(t)};
    std::array<unsigned char, crypto_shorthash_BYTES> out;
    crypto_shorthash(out.data(), in.data(), in.size(), reinterpret_cast<const unsigned char*>(key_.view().data()));
    return static_cast<text_token>(out[0]) | static_cast<text_token>(out[1]) << 8 |
           static_cast<text_token>(out[2]) << 16 | static_cast<text_token>(out[3]) << 24;
}

mail_trigrams::mail_trigrams() : table_(first_table_size) {}

void mail_trigrams::clear() {
    tracks_ = {};
    found_.clear();
    bytes_ = 0;
    complete_ = true;
    if (++round_ == 0) {
        std::fill(table_.begin(), table_.end(), 0);
        round_ = 1;
    }
}

void mail_trigrams::put(trigram t) {
    const auto wanted = static_cast<std::uint64_t>(round_) << 32 | t;
    for (auto at = slot_of(t, table_.size());; at = (at + 1) & (table_.size() - 1)) {
        if (table_[at] == wanted) return;
        if (table_[at] >> 32 == round_) continue;
        if (found_.size() == indexed_trigrams_max) {
            complete_ = false;
            return;
        }
        table_[at] = wanted;
        found_.push_back(t);
        if (found_.size() * 2 > table_.size()) grow();
        return;
    }
}

void mail_trigrams::grow() {
    std::vector<std::uint64_t> larger(table_.size() * 2);
    for (const auto t : found_) {
        auto at = slot_of(t, larger.size());
        while (larger[at] != 0) at = (at + 1) & (larger.size() - 1);
        larger[at] = static_cast<std::uint64_t>(round_) << 32 | t;
    }
    table_ = std::move(larger);
}

void mail_trigrams::add(text_kind kind, std::size_t track_number, std::string_view folded) {
    bytes_ += folded.size();
    if (bytes_ > indexed_text_bytes_max) complete_ = false;
    if (!complete_) return;
    auto& t = tracks_[track_number];
    for (const char c : folded) {
        const auto byte = static_cast<unsigned char>(c);
        if (t.filled == 2) put(make_trigram(kind, t.a, t.b, byte));
        else ++t.filled;
        t.a = t.b;
        t.b = byte;
    }
}

void mail_trigrams::end(text_kind kind, std::size_t track_number) {
    using namespace std::string_view_literals;
    auto& t = tracks_[track_number];
    if (t.filled > 0 && complete_) add(kind, track_number, "\0\0"sv);
    t = {};
}

std::vector<std::vector<trigram>> needle_trigrams(text_kind kind, std::string_view folded) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(folded[at]); };
    std::vector<std::vector<trigram>> groups;
    if (folded.size() == 2) {
        auto& any = groups.emplace_back();
        for (unsigned c = 0; c < 256; ++c)
            any.push_back(make_trigram(kind, byte(0), byte(1), static_cast<unsigned char>(c)));
    } else if (folded.size() > 2) {
        std::vector<trigram> all;
        for (std::size_t i = 0; i + 2 < folded.size(); ++i) {
            const auto one = make_trigram(kind, byte(i), byte(i + 1), byte(i + 2));
            if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
            if (all.size() == trigrams_per_needle_max * 4) break;
        }
        const auto count = std::min(all.size(), trigrams_per_needle_max);
        for (std::size_t i = 0; i < count; ++i) groups.push_back({all[i * all.size() / count]});
    }
    return groups;
}

}  // namespace pp::storage
