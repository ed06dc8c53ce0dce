#include "daemon/engine/way_news.hpp"

#include "daemon/engine/people.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

using std::chrono::milliseconds;

milliseconds part_of(milliseconds whole, double dice) {
    return milliseconds(static_cast<std::int64_t>(static_cast<double>(whole.count()) * dice));
}

}  // namespace

std::string told_slot(const std::vector<own_relay>& relays, const crypto::signing_key& account) {
    auto all = slot_addresses(relays, account);
    return all.empty() ? std::string() : std::move(all.front());
}

bool is_news(const std::vector<own_relay>& before, const std::vector<own_relay>& after,
             const crypto::signing_key& account) {
    const auto now_is = told_slot(after, account);
    return !now_is.empty() && now_is != told_slot(before, account);
}

bool is_usable(const std::vector<own_relay>& relays) {
    const auto told = std::ranges::find_if(relays, [](const auto& r) { return !r.endpoints.empty(); });
    return told != relays.end() && told->opened;
}

bool hears_news(const storage::contact& c) { return c.accepted && !is_out(c); }

bool is_owed(const correspondent& c, storage::unix_ms now) {
    return c.untold_since != 0 && now - c.untold_since < milliseconds(way_owed_for).count();
}

milliseconds first_letter_in(double dice, milliseconds longest) {
    return std::min(milliseconds(way_settles) + part_of(first_letter_spread, dice), longest);
}

milliseconds next_letter_in(double dice, milliseconds longest) {
    return std::min(milliseconds(between_letters) + part_of(letter_spread, dice), longest);
}

milliseconds letter_again_in(std::uint32_t failures, double dice, milliseconds longest) {
    constexpr std::uint32_t doublings_max = 11;
    const auto doubled = milliseconds(letter_retry_first) * (1 << std::min(failures, doublings_max));
    const auto wait = std::min(doubled, milliseconds(letter_retry_longest));
    return std::min(wait + part_of(wait / 4, dice), longest);
}

}  // namespace pp::engine
