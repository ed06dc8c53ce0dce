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

}  // namespace pp::net
