// The protocols of a link and the largest message each allows in either direction (SPEC.md, "Requests"). A message is
// held against its limit before a byte of it is kept.
#pragma once

#include "crypto/blob_cipher.hpp"
#include "proto/peer/session.hpp"

namespace pp::peer {

inline constexpr std::size_t small_message_bytes_max = 16 * 1024;
inline constexpr std::size_t notify_request_bytes_max = 80 * 1024;   // notification, header and one chunk
inline constexpr std::size_t hello_bytes_max = 10 * 1024;            // certificate and record
inline constexpr std::size_t proof_hashes_max = 126;                 // two borders of a tree of 2^63 chunks
inline constexpr std::size_t punch_message_bytes_max = 1024;         // proto/punch/messages.hpp
// Of a relay's protocol (proto/relay/SPEC.md, "Links"); the daemon holds them against that box's own.
inline constexpr std::size_t relay_request_bytes_max = 2 * 1024;
inline constexpr std::size_t relay_reply_bytes_max = 40 * 1024;
inline constexpr std::size_t relay_seed_bytes_max = 257 * 1024;
inline constexpr std::size_t fetch_reply_overhead_bytes_max = 32 * proof_hashes_max + 256;   // beside the chunks
inline constexpr std::size_t fetch_reply_bytes_max =
    fetch_chunks_max * crypto::chunk_cipher_bytes + fetch_reply_overhead_bytes_max;

struct protocol_limits {
    std::string_view name;
    std::size_t request_bytes_max, reply_bytes_max;
    bool bulk;                      // goes after everything that is not
};
inline constexpr protocol_limits protocols[] = {
    {notify_protocol, notify_request_bytes_max, small_message_bytes_max, false},
    {receipt_protocol, small_message_bytes_max, small_message_bytes_max, false},
    {contact_protocol, small_message_bytes_max, small_message_bytes_max, false},
    {letter_protocol, small_message_bytes_max, small_message_bytes_max, false},
    {drive_protocol, small_message_bytes_max, fetch_reply_bytes_max, true},
    {punch_protocol, punch_message_bytes_max, punch_message_bytes_max, false},
    {relay_protocol, relay_request_bytes_max, relay_reply_bytes_max, false},
    {relay_push_protocol, relay_request_bytes_max, relay_request_bytes_max, false},
    {relay_seed_protocol, relay_seed_bytes_max, relay_seed_bytes_max, true},
};
// nullptr for a protocol we do not speak.
constexpr const protocol_limits* find_protocol(std::string_view name) {
    for (const auto& p : protocols)
        if (p.name == name) return &p;
    return nullptr;
}

}  // namespace pp::peer
