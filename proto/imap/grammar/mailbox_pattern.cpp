#include "proto/imap/grammar/mailbox_pattern.hpp"

namespace pp::imap {

namespace {
constexpr std::size_t word_bits = 64;
}

mailbox_pattern::mailbox_pattern(std::string_view text) {
    std::string kept;   // without neighbouring wildcards that say the same
    for (const char c : text) {
        const bool after_star = !kept.empty() && kept.back() == '*';
        const bool after_percent = !kept.empty() && kept.back() == '%';
        if ((c == '*' || c == '%') && after_star) continue;
        if (c == '%' && after_percent) continue;
        if (c == '*' && after_percent) kept.pop_back();
        kept += c;
    }
    size_ = kept.size();
    const places none(size_ / word_bits + 1);
    stars_ = percents_ = none;
    for (std::size_t i = 0; i < size_; ++i) {
        auto& all = kept[i] == '*'   ? stars_
                    : kept[i] == '%' ? percents_
                                     : letters_.try_emplace(kept[i], none).first->second;
        all[i / word_bits] |= std::uint64_t(1) << i % word_bits;
    }
}

// A wildcard may stand for nothing. No two are neighbours, so one step is enough.
void mailbox_pattern::step_over_wildcards(places& at) const {
    std::uint64_t carry = 0;
    for (std::size_t w = 0; w < at.size(); ++w) {
        const auto wild = at[w] & (stars_[w] | percents_[w]);
        at[w] |= wild << 1 | carry;
        carry = wild >> (word_bits - 1);
    }
}

bool mailbox_pattern::matches(std::string_view name) const {
    // Bit i: the first i characters of the pattern can stand for what has been read of the name.
    places reached(stars_.size());
    reached[0] = 1;
    step_over_wildcards(reached);
    for (const char c : name) {
        const auto letter = letters_.find(c);
        std::uint64_t carry = 0, any = 0;
        for (std::size_t w = 0; w < reached.size(); ++w) {
            const auto stays = reached[w] & (c == '/' ? stars_[w] : stars_[w] | percents_[w]);
            const auto steps = letter == letters_.end() ? 0 : reached[w] & letter->second[w];
            reached[w] = stays | steps << 1 | carry;
            carry = steps >> (word_bits - 1);
            any |= reached[w];
        }
        if (any == 0) return false;
        step_over_wildcards(reached);
    }
    return (reached[size_ / word_bits] >> size_ % word_bits & 1) != 0;
}

}  // namespace pp::imap
