#include "daemon/engine/fetch_end.hpp"

#include <algorithm>

namespace pp::engine {

fetch_failure asked_at_relays(const std::vector<seed_fate>& each, bool linked) {
    const auto lies_nowhere = [](seed_fate f) { return f == seed_fate::not_there || f == seed_fate::deleted; };
    const bool deleted = std::ranges::find(each, seed_fate::deleted) != each.end();
    const bool taken_back = deleted && !linked && std::ranges::all_of(each, lies_nowhere);
    return taken_back ? fetch_failure::withdrawn : fetch_failure::not_reached;
}

fetch_end after_failure(storage::inbound_row row, fetch_failure why, std::uint32_t tries, storage::unix_ms now,
                        const delivery_times& times) {
    const auto waited = now - row.received_at;
    const auto refused = [&](std::string sentence) {
        row.stage = storage::inbound_stage::refused;
        row.reason = std::move(sentence);
        return fetch_end{fetch_verdict::refuse, std::move(row)};
    };
    if (row.stage != storage::inbound_stage::wanted) return {fetch_verdict::again, std::move(row)};
    if (why == fetch_failure::withdrawn) return {fetch_verdict::forget, std::move(row)};
    if (why == fetch_failure::forged) return refused(std::string(forged_author_sentence));
    if (why == fetch_failure::gone) {
        if (row.attempts < UINT32_MAX) ++row.attempts;
        if (row.attempts >= gone_answers_max && waited >= gone_wait.count())
            return refused("the mail is no longer on the sender's drive and could not be fetched");
    }
    const auto longest = (1 + decided_within) * times.fail_after;
    if (waited >= longest.count() && tries >= tries_since_start_min)
        return refused("the recipient's computer could not fetch the mail for " + in_words(longest));
    return {fetch_verdict::again, std::move(row)};
}

}  // namespace pp::engine
