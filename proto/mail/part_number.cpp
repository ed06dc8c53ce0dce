// Part numbers of FETCH (RFC 9051 section 6.4.5.1).
#include "proto/mail/message_index.hpp"

namespace pp::mail {

const message_part* find_part(const message_index& index, std::span<const std::uint32_t> number) {
    const auto child = [&](const message_part& p, std::size_t i) {
        return &index.parts[static_cast<std::size_t>(p.children[i])];
    };
    const auto* at = &index.parts.front();
    bool is_mail = true;   // `at` stands for a whole mail, whose parts are still to be numbered
    for (const auto n : number) {
        if (!is_mail && at->is_message()) {
            at = child(*at, 0);
            is_mail = true;
        }
        if (at->is_multipart()) {
            if (n == 0 || n > at->children.size()) return nullptr;
            at = child(*at, n - 1);
        } else if (!is_mail || n != 1) {
            return nullptr;   // "every message has at least one part number": 1, when it is no multipart
        }
        is_mail = false;
    }
    return at;
}

}  // namespace pp::mail
