// People we know: contacts from invites, requests and records; our own record and its prekeys (01-product 1.2, 1.3;
// 03-storage 5). Pure: values in, values out.
#pragma once

#include "proto/peer/messages.hpp"
#include "storage/records.hpp"

#include <span>

namespace pp::engine {

inline constexpr std::size_t contact_endpoints_max = peer::endpoints_max;

// ------------------------------------------------------------------ contacts
// We use somebody's invite: she is accepted, the token is still to be presented. errc::expired of proto/peer.
result<storage::contact> contact_from_invite(const peer::invite_link& link, peer::unix_s now);
// The user adds somebody who is known already, `fresh` is what the invite, address or card says. What is known stays;
// the token, a newer record and its name are taken over, endpoints put in front. Accepted, not blocked, not removed.
storage::contact added_again(storage::contact known, const storage::contact& fresh, storage::unix_ms now);
// Somebody came with our token (accepted), or with a first mail (not accepted). The record has been verified.
storage::contact contact_from_record(const peer::account_record& record, storage::known_by how, peer::unix_s now);

// The name in a record that is newer than the contact's: true when the contact is called so from now on. A name the
// user has given stays; the one the account had given itself follows it.
bool take_name(storage::contact& c, const std::string& name);
// Takes over a newer record: true when it changed something. errc::wrong_peer for another account, errc::bad_signature,
// errc::expired. The key of a contact never changes: another key is another contact.
result<bool> merge_record(storage::contact& c, bytes_view encoded_record, peer::unix_s now);
// A record that is right but older than the known one by more than old_record_ms (engine/people.hpp), and the user has
// not heard of it: true when that is noted in the contact now.
bool noticed_old_record(storage::contact& c, bytes_view encoded_record, peer::unix_s now);
// The endpoint that worked comes first next time. True when that changed something.
bool endpoint_worked(storage::contact& c, const std::string& endpoint);

// ------------------------------------------------------------------ invite tokens
// What is left of our invite after its use; nullopt when there is none, it ran out or is used up: answer `refused`, the
// same for all three. With no uses left the row is to be erased.
std::optional<storage::invite> use_invite(const std::optional<storage::invite>& ours, storage::unix_ms now);

// ------------------------------------------------------------------ prekeys
inline constexpr peer::unix_s prekey_renew_s = 7 * 24 * 60 * 60;     // a new one each week
// private halves of replaced ones: 30 d relay + 7 d
inline constexpr peer::unix_s prekey_keep_s = 37 * 24 * 60 * 60;
inline constexpr std::uint32_t prekeys_kept_max = (prekey_renew_s + prekey_keep_s) / prekey_renew_s;   // at one a week
inline constexpr std::uint32_t first_prekey_id_max = UINT32_MAX / 4 * 3;   // room to count up; reached in 2072

struct prekey_age {
    std::uint32_t id = 0;
    peer::unix_s made_at = 0;
};
struct prekey_plan {
    bool make_new = false;
    std::uint32_t new_id = 0;                    // greater than any before, also before a recovery
    std::vector<std::uint32_t> forget;           // destroy their private halves
};
prekey_plan plan_prekeys(std::span<const prekey_age> ours, peer::unix_s now);
// Until when others may seal to a prekey: a week less than its private half lives, for mail that is under way.
inline constexpr peer::unix_s prekey_not_after(peer::unix_s made_at) { return made_at + prekey_keep_s; }
// The newest prekey of somebody's record that may still be used; nullptr: get a newer record.
const peer::account_record::offered_prekey* usable_prekey(const peer::account_record& record, peer::unix_s now);

// ------------------------------------------------------------------ own record
struct own_record_values {
    std::string name;
    std::vector<peer::account_record::offered_prekey> prekeys;       // newest first
    std::vector<peer::device_certificate> devices;
    std::vector<std::string> endpoints;                              // best first
    std::vector<std::string> relays;                                 // addresses of our slots
    std::uint8_t work_bits = 0;                                      // asked of strangers
    std::uint64_t last_sequence = 0;                                 // of the record before; 0: none
};
// Signed; its sequence is the wall time in ms, and greater than the last one whatever the clock says.
peer::account_record make_own_record(const own_record_values& values, const crypto::signing_key& account,
                                     storage::unix_ms now);

}  // namespace pp::engine
