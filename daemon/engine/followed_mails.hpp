// What becomes of somebody's other mails when the user judges her by one of them (01-product 1.5): those that wait in
// Requests follow to INBOX when she is accepted, to Junk when she is blocked; taking it back brings those back that
// followed, and no others. Where they went stands in a setting, so that it is known after a restart. Pure.
#pragma once

#include "crypto/bytes.hpp"
#include "storage/records.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace pp::engine {

enum class follow : std::uint8_t {
    none,
    to_inbox,   // from Requests, and from Junk what had followed there
    to_junk,    // from Requests
    back,       // to Requests, from where they had followed
};
// Where she stood before and where she stands now. Removing a contact moves nothing: the mails were taken from one.
follow follow_of(const std::optional<storage::contact>& before, const storage::contact& after);

// Mails of one sender that followed at once: UIDs of the mailbox they went to.
struct followed_mails {
    crypto::account_key sender;
    storage::mailbox_id box = storage::no_mailbox;
    std::uint32_t first_uid = 0, last_uid = 0;
    bool operator==(const followed_mails&) const = default;
};
inline constexpr std::string_view followed_setting = "followed";
inline constexpr std::size_t followed_kept_max = 256;        // judgements; of older ones the mails stay where they are

// The oldest first. What cannot be read is as if there were none.
bytes encode_followed(const std::vector<followed_mails>& all);
std::vector<followed_mails> decode_followed(bytes_view kept);

}  // namespace pp::engine
