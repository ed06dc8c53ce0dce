// Requests to a relay and its replies as values (proto/relay/SPEC.md, "Requests"). One request and its reply are one
// stream of a link; which link, and who is on it, is the daemon's matter.
// Encoders cannot fail; decoders take hostile bytes.
#pragma once

#include "proto/relay/error.hpp"
#include "proto/relay/secrets.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pp::relay {

// Protocols of the link's streams, with the largest message each way (limits.hpp). The relay asks on the last one.
inline constexpr std::string_view control_protocol = "relay/1", seed_protocol = "relay-seed/1",
                                  push_protocol = "relay-push/1";

enum class operation : std::uint8_t {
    info = 1, open = 2, attach = 3, list = 4, erase = 5, close = 6, deposit = 7,
    seed_begin = 8, seed_state = 9, seed_delete = 10, reserve = 11, connect = 12,
    seed_put = 16, seed_get = 17,
    news = 32, incoming = 33
};
// On seed_protocol rather than control_protocol.
constexpr bool is_bulk(operation op) { return op == operation::seed_put || op == operation::seed_get; }

// First byte of every reply.
enum class status : std::uint8_t {
    ok = 0,
    bad_request = 1,     // does not decode, or breaks a limit
    no_slot = 2,
    not_attached = 3,    // the link has not proved ownership of the slot
    bad_proof = 4,       // a signature, token, deletion secret or work that does not fit
    token_spent = 5,     // this token has paid for something else already
    work_needed = 6,     // no token, or one of another time: work would do
    full = 7,            // the slot's quota; oldest kept, newest refused
    relay_full = 8,      // the relay's own room
    too_large = 9,
    not_found = 10,
    refused = 11,        // the relay does not serve this: its policy
    busy = 12,           // as relay_full, but likely to pass within retry_after_s
    wrong_offset = 13,   // of a piece of a seed: see seed_state
};
inline constexpr auto last_status = status::wrong_offset;

struct refusal {
    status why = status::busy;
    std::uint32_t retry_after_s = 0;    // 0: nothing is promised
    bool operator==(const refusal&) const = default;
};
// A reply: what was asked for, or why not.
template <class T>
using reply = std::variant<T, refusal>;

// ------------------------------------------------------------------ the payment of a deposit
struct work_payment {
    std::uint64_t solution = 0;
    bool operator==(const work_payment&) const = default;
};
using payment = std::variant<delivery_token, work_payment>;

// ------------------------------------------------------------------ requests on control_protocol
struct info_request {
    slot_id slot;                       // zeros: none in particular
    bool operator==(const info_request&) const = default;
};
struct open_request {                   // a new slot, or new settings of one's own
    slot_key key;
    token_key tokens, previous_tokens;  // zeros: none
    std::uint8_t stranger_bits = work_closed;   // work a stranger has to do; work_closed: none is taken
    array16 invite{};                   // zeros: none
    std::uint64_t solution = 0;         // work, where the relay asks for it
    crypto::signature sig;              // of the slot key
    bool operator==(const open_request&) const = default;
};
struct attach_request {
    slot_key key;
    crypto::signature sig;
    bool operator==(const attach_request&) const = default;
};
struct list_request {
    slot_id slot;
    std::uint64_t after = 0;            // items of a greater number
    std::uint8_t count = 0;             // 1 to list_items_max
    bool operator==(const list_request&) const = default;
};
struct erase_request {                  // what the owner has stored durably, or does not want
    slot_id slot;
    std::vector<std::uint64_t> numbers; // 1 to delete_items_max, growing
    bool operator==(const erase_request&) const = default;
};
struct close_request {
    slot_id slot;
    bool operator==(const close_request&) const = default;
};
struct deposit_request {
    slot_id slot;
    payment paid;
    bytes item;                         // item_bytes
    bool operator==(const deposit_request&) const = default;
};
struct seed_begin_request {
    slot_id slot;                       // whose quota it counts against
    payment paid;
    locator where;
    std::uint64_t size_bytes = 0;       // is_seed_size
    crypto::hash256 deletion;           // hash of the secret that deletes it
    bool operator==(const seed_begin_request&) const = default;
};
struct seed_state_request {
    locator where;
    bool operator==(const seed_state_request&) const = default;
};
struct seed_delete_request {
    locator where;
    deletion_secret secret;
    bool operator==(const seed_delete_request&) const = default;
};
struct reserve_request {
    std::uint32_t ttl_s = 0;            // at most reservation_s_max
    bool operator==(const reserve_request&) const = default;
};
struct connect_request {
    circuit_tag target;
    bool show_endpoint = false;         // the target is told where the caller comes from: for hole punching
    bool operator==(const connect_request&) const = default;
};
// ------------------------------------------------------------------ requests on seed_protocol
struct seed_put_request {
    locator where;
    std::uint64_t offset = 0;
    bytes data;                         // 1 to piece_bytes_max
    bool operator==(const seed_put_request&) const = default;
};
struct seed_get_request {
    locator where;
    std::uint64_t offset = 0;
    std::uint32_t length_bytes = 0;     // 1 to piece_bytes_max
    bool operator==(const seed_get_request&) const = default;
};
using request = std::variant<info_request, open_request, attach_request, list_request, erase_request, close_request,
                             deposit_request, seed_begin_request, seed_state_request, seed_delete_request,
                             reserve_request, connect_request, seed_put_request, seed_get_request>;
operation operation_of(const request&);
bytes encode(const request&);
result<request> decode_request(bytes_view);

// What an owner signs; the nonce comes with info_reply.
bytes signed_part(const open_request&, const account_key& relay, const array16& nonce);
bytes signed_part(const attach_request&, const account_key& relay, const array16& nonce);

// ------------------------------------------------------------------ replies
enum class serving : std::uint8_t { off = 0, self = 1, contacts = 2, invited = 3, open = 4 };
struct info_reply {
    std::uint16_t version_min = 1, version_max = 1;
    array16 nonce{};                    // of this link
    serving policy = serving::off;
    std::uint8_t open_bits = work_closed;       // work to open a slot without invite
    std::uint8_t stranger_bits = work_closed;   // work to deposit in the slot asked about
    std::uint32_t items_max = 0;        // of a slot
    std::uint32_t item_ttl_s = 0;
    std::uint64_t seed_total_max = 0;   // bytes of all seeds of a slot; 0: no seeds
    std::uint64_t seed_bytes_max = 0;   // of one seed
    std::uint32_t seed_ttl_s = 0;
    std::uint32_t poll_s = poll_default_s;      // mean interval wished for
    std::uint32_t reservation_s = 0;    // longest; 0: no circuits
    bool operator==(const info_reply&) const = default;
};
struct done_reply {                     // open, erase, close, seed_delete; news, incoming (accepted)
    bool operator==(const done_reply&) const = default;
};
struct attach_reply {
    std::uint32_t items = 0;
    std::uint64_t seed_bytes = 0;       // used of the quota
    bool operator==(const attach_reply&) const = default;
};
struct listed_item {
    std::uint64_t number = 0;           // grows within a slot, never used twice
    token_serial paid_by;               // zeros: a stranger's work
    bytes item;
    bool operator==(const listed_item&) const = default;
};
struct list_reply {
    bool more = false;
    std::vector<listed_item> items;
    bool operator==(const list_reply&) const = default;
};
struct deposit_reply {
    std::uint32_t ttl_s = 0;
    bool operator==(const deposit_reply&) const = default;
};
enum class seed_phase : std::uint8_t { partial = 0, whole = 1, deleted = 2 };   // deleted: with the recipient's secret
struct seed_reply {                     // seed_begin, seed_state, seed_put
    seed_phase phase = seed_phase::partial;
    std::uint64_t size_bytes = 0;
    std::uint64_t have_bytes = 0;       // need not be sent again
    std::uint32_t ttl_s = 0;
    bool operator==(const seed_reply&) const = default;
};
struct seed_piece_reply {
    std::uint64_t size_bytes = 0;       // of the whole seed
    bytes data;                         // from the offset asked for; shorter than asked for at the end only
    bool operator==(const seed_piece_reply&) const = default;
};
struct reserve_reply {
    std::uint32_t ttl_s = 0;
    std::string observed;               // the client's endpoint as the relay sees it
    bool operator==(const reserve_reply&) const = default;
};
struct connect_reply {
    array16 circuit{}, secret{};        // for the join, on a connection of its own
    std::uint64_t bytes_max = 0;
    std::uint32_t rate_bytes_per_s = 0, seconds_max = 0;
    bool operator==(const connect_reply&) const = default;
};
bytes encode(const refusal&);
bytes encode(const info_reply&);
bytes encode(const done_reply&);
bytes encode(const attach_reply&);
bytes encode(const list_reply&);
bytes encode(const deposit_reply&);
bytes encode(const seed_reply&);
bytes encode(const seed_piece_reply&);
bytes encode(const reserve_reply&);
bytes encode(const connect_reply&);
template <class T>
bytes encode(const reply<T>& r) {
    return std::visit([](const auto& one) { return encode(one); }, r);
}
template <class T>
result<reply<T>> decode_reply(bytes_view);      // for each T above

// ------------------------------------------------------------------ on push_protocol, asked by the relay
struct news_request {                   // something lies in the slot
    slot_id slot;
    bool operator==(const news_request&) const = default;
};
struct incoming_request {               // somebody wants a circuit to this client
    array16 circuit{}, secret{};
    std::string caller;                 // endpoint, when the caller allowed it
    bool operator==(const incoming_request&) const = default;
};
using pushed = std::variant<news_request, incoming_request>;
bytes encode(const pushed&);
result<pushed> decode_pushed(bytes_view);       // answered with done_reply, or refusal{refused}

}  // namespace pp::relay
