// Proof of work for who holds no delivery token (proto/relay/SPEC.md, "Work"): Argon2id over the link's nonce, the slot
// and the content, so that it is worth something once and here only. Solving and checking take time: never on the
// network thread.
#pragma once

#include "proto/relay/secrets.hpp"

#include <functional>
#include <optional>

namespace pp::relay {

enum class work_purpose : std::uint8_t { item = 1, seed = 2, open = 3 };

struct work {
    array16 nonce{};                    // of the link, from the relay
    slot_id slot;
    work_purpose purpose = work_purpose::item;
    crypto::hash256 content;            // SHA-256 of the item, of the locator, of the slot key
    std::uint8_t bits = 0;
    bool operator==(const work&) const = default;
};

// False also when the memory cannot be had.
bool is_solved(const work& w, std::uint64_t solution);
// 2^bits tries on average, each about 10 ms; nullopt when go_on() says so first (asked before each try).
std::optional<std::uint64_t> solve(const work& w, const std::function<bool()>& go_on);

}  // namespace pp::relay
