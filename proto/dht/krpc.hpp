// The messages of the DHT (KRPC: BEP 5; read-only flag: BEP 43; items: BEP 44; IPv6: BEP 32; the asker's address: BEP
// 42): one datagram, one bencoded dictionary.
#pragma once

#include "proto/dht/bencode.hpp"
#include "proto/dht/item.hpp"

namespace pp::dht {

enum class message_kind { query, reply, error };
enum class method { ping, find_node, get_peers, get, put, other };

// The codes of KRPC errors (BEP 5, BEP 44).
enum class krpc_error : int {
    generic = 201, server = 202, protocol = 203, method_unknown = 204,
    value_too_large = 205, bad_signature = 206, salt_too_large = 207, cas_mismatch = 301, sequence_too_low = 302,
};

// A node as replies name it: 26 or 38 bytes.
struct contact {
    node_id id;
    endpoint at;
    auto operator<=>(const contact&) const = default;
};

// A message as it came. The views point into the datagram.
struct message {
    message_kind kind = message_kind::query;
    bytes_view transaction;
    node_id sender;                             // not of errors
    bool read_only = false;
    dht::method method = dht::method::other;    // of queries
    std::optional<node_id> target;              // target of find_node and get, info_hash of get_peers
    std::array<bool, 2> wanted{};               // by family; none named means: of the family asked over
    bytes_view token;
    bytes_view nodes, nodes6;                   // of replies: whole entries
    std::optional<bytes_view> value;            // v, verbatim
    bytes_view key, signature, salt;            // k and sig: empty, or 32 and 64 bytes
    std::optional<std::int64_t> sequence, compare;   // seq, cas
    std::optional<endpoint> observed;           // ip: the receiver as the sender sees it
    std::int64_t error_code = 0;
};

// errc::bad_bencode, errc::bad_message. Fields that are not known are passed over; known ones of the wrong kind or size
// make the message a bad one.
result<message> decode_message(const bencode_document&);

// The nodes of a reply that can be nodes at all, at most nodes_per_reply_max of each family.
std::vector<contact> contacts_of(const message&);

// ------------------------------------------------------------------ writing
struct query_fields {
    dht::method method = dht::method::ping;
    std::optional<node_id> target;
    std::array<bool, 2> wanted{};
    bytes_view token;
    const mutable_item* item = nullptr;         // put
    std::optional<std::int64_t> compare;        // cas of a put
};
bytes encode_query(bytes_view transaction, const node_id& self, bool read_only, const query_fields&);

struct reply_fields {
    std::optional<endpoint> observed;
    bool with_nodes = false, with_nodes6 = false;
    std::vector<contact> nodes, nodes6;
    bytes_view token;
    std::optional<bytes_view> value;
    bytes_view key, signature;
    std::optional<std::int64_t> sequence;
};
bytes encode_reply(bytes_view transaction, const node_id& self, const reply_fields&);
bytes encode_error(bytes_view transaction, krpc_error, std::string_view text);

}  // namespace pp::dht
