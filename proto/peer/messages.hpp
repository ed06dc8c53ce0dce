// The messages of the peer protocol as values; bytes are bound by proto/peer/SPEC.md and pinned by vectors. Encoders
// cannot fail; decoders take hostile bytes and check lengths, counts, signatures (where a verify is named) and limits.
#pragma once

#include "crypto/hpke.hpp"
#include "crypto/keys.hpp"
#include "proto/peer/error.hpp"
#include "proto/peer/return_path.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pp::peer {

using crypto::account_key;
using crypto::device_key;
using unix_s = std::int64_t;
using notification_id = std::array<std::byte, 16>;

inline constexpr std::size_t endpoints_max = 16;
inline constexpr std::size_t endpoint_bytes_max = 128;
inline constexpr std::size_t name_bytes_max = 128;
inline constexpr std::size_t devices_max = 16;
inline constexpr std::size_t prekeys_max = 4;
inline constexpr std::size_t relays_max = 4;
inline constexpr std::size_t relay_bytes_max = 200;
inline constexpr std::size_t local_part_bytes_max = 64;       // RFC 5321 section 4.5.3.1.1
inline constexpr std::size_t reason_bytes_max = 200;
inline constexpr std::size_t record_bytes_max = 8 * 1024;
inline constexpr std::size_t extensions_bytes_max = 128;      // of a record, all of them
inline constexpr std::size_t notification_bytes = 1024;       // sealed, always (03-storage 5)

// ------------------------------------------------------------------ identity
// The account key's statement that a device may speak for it and writes the named drive.
struct device_certificate {
    account_key account;
    device_key device;
    crypto::drive_key drive;
    std::string name;                // "laptop"
    unix_s not_after = 0;
    crypto::signature sig;           // of the account key
    bool operator==(const device_certificate&) const = default;
};
bytes encode(const device_certificate&);
result<device_certificate> decode_device_certificate(bytes_view);
device_certificate certify_device(const crypto::signing_key& account, const device_key&, const crypto::drive_key&,
                                  std::string name, unix_s not_after);
result<void> verify(const device_certificate&, unix_s now);          // signature and date

// What an account says of itself; the highest sequence counts.
struct account_record {
    account_key account;
    std::uint64_t sequence = 0;      // grows with each change; unix milliseconds at making
    std::string name;                // display name, may be empty
    struct offered_prekey {
        std::uint32_t id = 0;
        crypto::prekey key;
        unix_s not_after = 0;
        bool operator==(const offered_prekey&) const = default;
    };
    std::vector<offered_prekey> prekeys;         // newest first; at most 4
    std::vector<device_certificate> devices;     // at most devices_max
    std::vector<std::string> endpoints;          // "host:port" ([v6]:port), best first
    std::vector<std::string> relays;             // links; issue of the relay
    struct extension {
        std::uint8_t type = 0;
        bytes value;
        bool operator==(const extension&) const = default;
    };
    // types rising; those nobody knows here are kept and signed all the same
    std::vector<extension> extensions;
    crypto::signature sig;
    bool operator==(const account_record&) const = default;
};
bytes encode(const account_record&);
result<account_record> decode_account_record(bytes_view);            // not yet verified
void sign(account_record&, const crypto::signing_key& account);
result<void> verify(const account_record&, unix_s now);              // own and device signatures

// ------------------------------------------------------------------ invite link
// "peerpost:invite/<base64url>" (SPEC.md, "Invite"): everything needed to reach an account and be known to it.
struct invite_link {
    account_record record;
    std::array<std::byte, 16> token{};
    unix_s expires_at = 0;
    std::vector<token_grant> grants;             // pay for the first mails through a relay; at most invite_grants_max
    bool operator==(const invite_link&) const = default;
};
std::string encode_link(const invite_link&);
result<invite_link> decode_link(std::string_view);                   // record verified

// ------------------------------------------------------------------ notification
// What the recipient learns; sealed to one of her prekeys with HPKE and padded to notification_bytes. The signature
// covers recipient prekey, HPKE enc and every field: it cannot be passed on as if meant for somebody else.
struct notification {
    notification_id id{};
    account_key sender;
    device_certificate device;       // whose drive holds the blob
    account_key recipient;
    crypto::blob_id blob;
    crypto::blob_key key;
    std::uint64_t plain_bytes = 0, cipher_bytes = 0;
    unix_s submitted_at = 0;
    std::string sender_local;        // local part the sender used; at most 64 bytes
    std::string recipient_local;     // local part it was addressed to; at most 64 bytes
    std::optional<introduction> answer;   // how to answer through a relay; not there in what goes over a link
    std::optional<std::uint64_t> work;   // a stranger's (first_contact.hpp); beside the fields, not kept when opened
};
// Seals for one recipient. prekey_id travels in front so that she finds the private half.
bytes seal_notification(const notification&, const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                        const crypto::prekey& recipient_prekey);
// The same with a given ephemeral secret, for vectors.
bytes seal_notification_with(const crypto::prekey_secret& ephemeral, const notification&,
                             const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                             const crypto::prekey& recipient_prekey);
std::uint32_t prekey_id_of(bytes_view sealed);                       // 0 when the size is wrong
// errc::bad_message, errc::not_for_us, errc::bad_signature; checks everything but dates and policy.
result<notification> open_notification(bytes_view sealed, const crypto::prekey_secret& secret,
                                       const account_key& recipient);
bytes encode_opened(const notification&);                            // for the inbound row: kept encrypted by the store
result<notification> decode_opened(bytes_view);

// ------------------------------------------------------------------ receipt
struct receipt {                     // signed proof that a device of the recipient has stored a mail
    notification_id id{};
    account_key recipient, sender;
    crypto::blob_id blob;
    unix_s stored_at = 0;
    device_certificate device;       // of the recipient, signs
    crypto::signature sig;
    bool operator==(const receipt&) const = default;
};
bytes encode(const receipt&);
result<receipt> decode_receipt(bytes_view);
receipt make_receipt(const notification&, const device_certificate& mine, const crypto::signing_key& device,
                     unix_s now);
result<void> verify(const receipt&);

// ------------------------------------------------------------------ messages of a link, one stream each
struct hello {                       // first frame each way
    std::uint16_t version_min = 1, version_max = 1;
    std::optional<account_key> wanted;               // dialler only: the account it wants to reach
    device_certificate mine;                         // of the account this link speaks for
    bytes record;                                    // encoded account_record of that account
    std::string observed;                            // the peer's endpoint as seen from here
};
bytes encode(const hello&);
result<hello> decode_hello(bytes_view);

struct notify_request {              // protocol "notify/1"
    bytes sealed;                    // notification_bytes
    bytes ride_along;                // header | ciphertext of a small blob, or empty
};
enum class notify_status : std::uint8_t {
    stored = 1,
    fetching = 2,
    refused = 3,
    try_later = 4,
    unknown_prekey = 5,
    work_needed = 6
};
struct notify_reply {
    notify_status status = notify_status::try_later;
    bytes signed_receipt;            // with stored
    std::string reason;              // with refused and try_later; at most 200 bytes, shown to the sender
    std::uint8_t work_bits = 0;      // with work_needed: 1 to crypto::work::bits_max
};
struct fetch_request {               // protocol "drive/1": a range of chunks of one blob
    crypto::blob_id blob;
    std::uint64_t first_chunk = 0;
    std::uint32_t chunks = 0;        // at most fetch_chunks_max
};
inline constexpr std::uint32_t fetch_chunks_max = 8;   // 512 KiB an answer: two of them are the credit of a link
struct fetch_reply {
    bool found = false;
    bool withdrawn = false;          // not found: the sender has given this mail up, and it comes never
    bytes header;                    // crypto::blob_header_bytes
    std::uint64_t cipher_bytes = 0;
    crypto::hash256 root;
    std::vector<crypto::hash256> proof;
    bytes data;
};
// Checks a reply against the blob id: header, length, root, then leaves and proof. errc::bad_proof.
// A reply may hold fewer chunks than were asked for, but at least one.
result<void> verify_fetch(const fetch_request&, const fetch_reply&);
struct receipt_message { bytes signed_receipt; };      // protocol "receipt/1"; answered by an empty message
struct contact_request {             // protocol "contact/1": presents an invite's token
    std::array<std::byte, 16> token{};
};
enum class contact_status : std::uint8_t { accepted = 1, refused = 2 };
struct contact_reply {
    contact_status status = contact_status::refused;
};

bytes encode(const notify_request&);
bytes encode(const notify_reply&);
bytes encode(const fetch_request&);
bytes encode(const fetch_reply&);
bytes encode(const receipt_message&);
bytes encode(const contact_request&);
bytes encode(const contact_reply&);
result<notify_request> decode_notify_request(bytes_view);
result<notify_reply> decode_notify_reply(bytes_view);
result<fetch_request> decode_fetch_request(bytes_view);
result<fetch_reply> decode_fetch_reply(bytes_view);
result<receipt_message> decode_receipt_message(bytes_view);
result<contact_request> decode_contact_request(bytes_view);
result<contact_reply> decode_contact_reply(bytes_view);

// ------------------------------------------------------------------ LAN beacon
// magic 4 | blinded day tag 8 | nonce 24 | sealed account record endpoints (SPEC.md, "Beacon"): only who knows the
// account key can read or recognise it.
struct beacon {
    account_key account;
    std::vector<std::string> endpoints;
    unix_s sent_at = 0;
};
inline constexpr std::size_t beacon_bytes_max = 1200;
bytes seal_beacon(const beacon&, const crypto::signing_key& account);
// The tags to compare with for one account at a moment (yesterday, today, tomorrow UTC).
std::array<std::array<std::byte, 8>, 3> beacon_tags(const account_key&, unix_s now);
std::optional<std::array<std::byte, 8>> beacon_tag(bytes_view datagram);
result<beacon> open_beacon(bytes_view datagram, const account_key& expected, unix_s now);

}  // namespace pp::peer
