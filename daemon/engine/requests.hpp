// Strangers (01-product 1.5): the first mail of somebody unknown lies in Requests. Moving it to another mailbox, or
// answering it, accepts the sender; moving it to Junk blocks; moving it back undoes either. What becomes of the
// sender's other mails: engine/followed_mails.hpp.
// Pure: values in, values out.
#pragma once

#include "storage/records.hpp"

#include <optional>
#include <string_view>

namespace pp::engine {

// Strangers cannot fill the disk, nor hide mail of people one knows: beyond this Requests takes nothing more until the
// user has looked. The sender's node tries again for five days.
inline constexpr std::uint32_t requests_mails_max = 2000;
inline constexpr std::uint64_t requests_bytes_max = std::uint64_t(256) << 20;
inline bool has_room_for_requests(const storage::mailbox& requests) {
    return requests.messages < requests_mails_max && requests.size_bytes < requests_bytes_max;
}

enum class judgement : std::uint8_t { none, accept, block, undo };

// What the user says of the sender by moving or copying a mail. Trash says nothing: it is thrown away, no more.
enum class place : std::uint8_t { requests, junk, trash, other };
place place_of(const storage::mailbox& box);
judgement judgement_of(place from, place to);

// Enough of a mail's beginning for sender_of_arrival.
inline constexpr std::size_t arrival_block_bytes_max = 4096;
// Whose mail this is, by the block that this node (its domain) puts in front of what it receives; nullopt: it was not
// received from a peer. The sender's own fields lie below that block and cannot pretend.
std::optional<crypto::account_key> sender_of_arrival(std::string_view beginning, std::string_view node);

// The contact as it is afterwards; nullopt: nothing changes. Somebody known in another way than by a request is neither
// blocked nor forgotten by moving mail.
std::optional<storage::contact> judged(std::optional<storage::contact> known, const crypto::account_key& sender,
                                       judgement what, storage::unix_ms now);
// Known by a request only, and taken for a contact.
bool is_accepted_request(const storage::contact& c);

}  // namespace pp::engine
