// The daily key under which an account's record stands in a public table (proto/dht/SPEC.md, "Blinded key"; the idea of
// Tor's v3 onion services, rend-spec-v3 appendix A.2). Who knows the account key A computes the public half A' = h A;
// who sees A' learns neither A nor the A' of another day; only the owner of A signs, with h a. The signature is an
// ordinary Ed25519 one (RFC 8032 section 5.1.7) that any verifier accepts.
#pragma once

#include "crypto/primitives.hpp"

namespace pp::crypto {

using blinded_key = fixed_bytes<struct blinded_key_tag, 32>;   // Ed25519 public: names an account for one day

// A day of one account: 0 began at most a day before the epoch. Days change at another time of day for each account, so
// that not all of them move to new keys at once.
using discovery_day = std::uint64_t;

// The day of a moment and, when it lies within overlap_s of the change, the neighbouring one: whoever publishes does so
// under both, so that two clocks that differ by less find each other. The first is the day of the moment.
inline constexpr std::int64_t discovery_overlap_s = 60 * 60;
struct discovery_days {
    std::array<discovery_day, 2> days{};
    std::size_t count = 0;

    const discovery_day* begin() const { return days.data(); }
    const discovery_day* end() const { return days.data() + count; }
};
discovery_days discovery_days_of(const account_key& account, std::int64_t unix_s);

// errc::bad_text for bytes that are no key anybody can own: not a point of the group of prime order.
result<blinded_key> blind(const account_key& account, discovery_day day);

// The owner's half: signs in time that does not depend on the secret.
class blinded_signing_key {
public:
    blinded_signing_key(const signing_key& account, discovery_day day);
    const blinded_key& public_key() const { return public_; }
    signature sign(bytes_view message) const;

private:
    secret_bytes<struct blinded_scalar_tag, 32> scalar_;   // h a mod L
    secret_bytes<struct blinded_prefix_tag, 32> prefix_;   // what nonces are derived from: of this day only
    blinded_key public_;
};

}  // namespace pp::crypto
