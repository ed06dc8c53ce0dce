// What becomes of a notification that has been opened (01-product 1.5, 02-architecture 2.4 step 8): a pure decision.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/records.hpp"

#include <string>

namespace pp::engine {

inline constexpr std::string_view inbox_name = "INBOX", requests_name = "Requests";
// A stranger's first mail: what ordinary mail allows, and no more.
inline constexpr std::uint64_t request_bytes_max = 25ull << 20;
// A clock that is a day wrong loses no mail; what lies further off is asked for again later, until a clock is put right
// or the sender gives up and is told why.
inline constexpr peer::unix_s submitted_ahead_s_max = 24 * 60 * 60;
inline constexpr peer::unix_s submitted_ago_s_max = 37 * 24 * 60 * 60;   // the life of a prekey's private half

// Mails that one sender has announced and that are still to be fetched: each is remembered, in memory too. What she has
// beyond comes when some of them are here.
inline constexpr std::size_t announced_by_one_max = 4096;

enum class inbox_action {
    store,            // the blob came along and is right: store it, then answer `stored`
    fetch,            // remember it, answer `fetching`, fetch the blob
    receipt_again,    // stored before: answer `stored` with a fresh receipt, whatever else has changed
    refuse,
    try_later,
};
struct inbox_decision {
    inbox_action action = inbox_action::refuse;
    std::string_view mailbox;           // with store and fetch: inbox_name or requests_name
    std::string reason;                 // with refuse and try_later: the sender reads it
};

struct inbox_facts {
    crypto::account_key me;
    std::optional<crypto::account_key> link_account;    // who is at the other end, when it came over a link
    std::optional<storage::contact> sender;             // as the store knows it
    bool seen = false;                                  // this notification of this sender was delivered before
    std::uint64_t mail_bytes_max = 0;                   // largest mail this node takes
    bool room_for_requests = true;                      // engine/requests.hpp
    std::size_t announced = 0;                          // other mails of the sender's that are still to be fetched
};
// Whether mail of this sender and size is taken at all, and into which mailbox: of facts sender, mail_bytes_max and
// room_for_requests count. store, refuse or try_later.
inbox_decision decide_by_policy(const inbox_facts& facts, std::uint64_t plain_bytes);
inbox_decision decide(const peer::notification& n, bytes_view ride_along, const inbox_facts& facts, peer::unix_s now);

// True when header | ciphertext is the notified blob, whole: of one chunk, checked against the blob id.
bool is_notified_blob(const peer::notification& n, bytes_view ride_along);

}  // namespace pp::engine
