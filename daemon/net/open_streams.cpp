#include "daemon/net/open_streams.hpp"

#include <algorithm>

namespace pp::net {

void open_streams::close_others(const std::vector<std::string>& addresses) {
    if (addresses.empty()) return;   // they could not be read
    for (auto it = all_->begin(); it != all_->end();) {
        const auto& o = *it++;       // close() only cancels: what it ends runs later
        const auto address = o.local.address();
        const bool stays = address.is_loopback() || address.is_unspecified() ||
                           (address.is_v6() && address.to_v6().is_link_local());
        if (!stays && std::find(addresses.begin(), addresses.end(), address.to_string()) == addresses.end()) o.close();
    }
}

open_streams::lines open_streams::close_silent(std::chrono::steady_clock::time_point now, const teller& state) {
    auto found = lines::none;
    for (auto it = all_->begin(); it != all_->end();) {
        auto& o = *it++;
        const auto line = o.watched ? state(o.watched()) : std::nullopt;
        const bool owed_before = std::exchange(o.owed, line && line->owed);
        if (o.watched && found == lines::none) found = lines::quiet;
        if (!o.owed) continue;
        found = lines::owing;
        if (!owed_before) o.owed_since = now;
        o.owed_since = std::max(o.owed_since, now - line->heard_ago);
        const auto limit =
            std::clamp<std::chrono::milliseconds>(3 * line->round_trip, silence_limit, silence_limit_max);
        if (now - o.owed_since >= limit) o.close();
    }
    return found;
}

}  // namespace pp::net
