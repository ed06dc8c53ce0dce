// How much strangers may do at one account (06-security 6.1.4; 01-product 1.5): by key, by address and in all, how much
// work is asked of them, and the room their mails have in Requests, reserved before a byte of them is taken. Contacts
// never come here. Bounded, pure: the caller brings the time.
#pragma once

#include "storage/records.hpp"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pp::engine {

inline constexpr std::uint32_t requests_per_key_max = 20;            // a day
inline constexpr std::uint32_t requests_per_prefix_max = 60;         // an hour; of one house or one provider's corner
inline constexpr std::uint32_t requests_per_hour_max = 600;
inline constexpr std::uint64_t reserved_per_key_max = 25ull << 20;   // bytes on their way: one of the largest
inline constexpr storage::unix_ms request_hour_ms = 60 * 60 * 1000, request_day_ms = 24 * request_hour_ms;
// A stranger's mail that was announced and is not fetched for so long gives its room back.
inline constexpr storage::unix_ms request_wait_max_ms = request_day_ms;
// Work above what is configured: one bit more (twice the work) from so many an hour on, another with each doubling.
inline constexpr std::uint32_t raised_from = 75;
inline constexpr std::uint8_t raised_bits_max = 4;
// work for what was announced before is taken so long
inline constexpr storage::unix_ms old_bits_taken_ms = request_hour_ms;
// More than this no sender of ours does: a quarter of an hour.
inline constexpr std::uint8_t work_bits_willing = 16;
// Of people who are known by a request only; beyond it who came longest ago is forgotten.
inline constexpr std::size_t strangers_kept_max = 2048;

// Where somebody comes from, as far as one person is likely to have all of it: IPv4 /24, IPv6 /48. "" for loopback and
// for what is no address: no limit by prefix.
std::string source_prefix(std::string_view endpoint);

class stranger_gate {
public:
    explicit stranger_gate(std::uint8_t configured_bits) : configured_(configured_bits), asked_(configured_bits) {}

    // Asked at the moment (0: none), and what is still taken.
    std::uint8_t work_bits(storage::unix_ms now);
    std::uint8_t work_bits_taken(storage::unix_ms now);
    // Of what was left at a relay, who knows when: what was announced then is not known,
    // and what is raised now was not.
    std::uint8_t work_bits_at_relays() const { return configured_; }
    // One more, whose work is done. A sentence for the sender when it is too many; counted only when it may pass.
    std::optional<std::string_view> admit(const crypto::account_key& who, const std::string& prefix,
                                          storage::unix_ms now);

    // Room for a mail that will be stored or fetched; false: there is none. A repetition has it already.
    bool reserve(const storage::id16& notification, const crypto::account_key& who, std::uint64_t bytes,
                 const storage::mailbox& requests);
    bool is_reserved(const storage::id16& notification) const { return reserved_.contains(notification); }
    void release(const storage::id16& notification) { reserved_.erase(notification); }   // stored, or given up
    void release_all() { reserved_.clear(); }

    std::size_t tracked() const { return by_key_.size() + by_prefix_.size() + reserved_.size(); }

private:
    struct window {
        storage::unix_ms begun = 0;
        std::uint32_t count = 0;
    };
    struct reservation {
        crypto::account_key who;
        std::uint64_t bytes = 0;
    };
    template <class Key>
    static void forget_old(std::map<Key, window>& windows, storage::unix_ms length, storage::unix_ms now);

    std::uint8_t configured_, asked_, before_ = 0;
    storage::unix_ms raised_at_ = 0;
    window hour_, last_hour_;
    storage::unix_ms looked_at_ = 0;
    std::map<crypto::account_key, window> by_key_;
    std::map<std::string, window> by_prefix_;
    std::map<storage::id16, reservation> reserved_;
};

// Whom to forget when a new stranger is written down; nullopt: there is room.
std::optional<crypto::account_key> stranger_to_forget(std::span<const storage::contact> all);

}  // namespace pp::engine
