// Where a recipient's mail goes, decided at RCPT: what cannot be reached is refused in the compose window, not by a
// bounce (01-product 1.3, 02-architecture 2.4).
#pragma once

#include "crypto/keys.hpp"
#include "proto/mail/address.hpp"
#include "proto/smtp/reply.hpp"

#include <set>
#include <string_view>
#include <variant>

namespace pp::engine {

inline constexpr std::string_view peerpost_suffix = ".peerpost.alt";   // 01-product 1.3; .alt: RFC 9476

struct to_local {   // an account of this node
    crypto::account_key account;
    bool operator==(const to_local&) const = default;
};
struct to_peer {    // an account somewhere else
    crypto::account_key account;
    bool operator==(const to_peer&) const = default;
};
using route = std::variant<to_local, to_peer, smtp::reply>;

// Every local part reaches the account; the domain has no case. The reply is 550 5.1.1 for a label that is mistyped or
// no label, 550 5.1.2 for a domain that only a gateway could reach.
route route_to(const mail::address& recipient, const std::set<crypto::account_key>& local_accounts);

// True when the domain names this account: the test for MAIL FROM, From and Sender.
bool belongs_to(std::string_view domain, const crypto::account_key& account);

}  // namespace pp::engine
