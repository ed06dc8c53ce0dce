// UIDs in a given order as a uid-set (RFC 4315 section 3: the two sets of COPYUID correspond in order).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pp::imap {

inline std::string uid_list_text(const std::vector<std::uint32_t>& uids) {
    std::string out;
    for (std::size_t i = 0; i < uids.size();) {
        auto last = i;
        while (last + 1 < uids.size() && uids[last + 1] == uids[last] + 1) ++last;
        if (!out.empty()) out += ',';
        out += std::to_string(uids[i]);
        if (last > i) out += ':' + std::to_string(uids[last]);
        i = last + 1;
    }
    return out;
}

}  // namespace pp::imap
