// What an account publishes in the DHT (SPEC.md, "Record"): its account record in short, and for each device where it
// is now. Stands under the account's key of the day; only who knows the account key finds, opens or recognises it.
#pragma once

#include "proto/dht/item.hpp"

#include "crypto/blinded_key.hpp"

namespace pp::dht {

using crypto::account_key;
using crypto::device_key;
using crypto::discovery_day;
using unix_s = std::int64_t;

inline constexpr std::size_t record_addresses_max = 8;
inline constexpr std::size_t record_relays_max = 2;
inline constexpr std::size_t record_devices_max = 8;
inline constexpr std::size_t record_name_bytes_max = 40;         // of a host name in an address
inline constexpr std::size_t record_sizes[] = {128, 256, 512, 768};   // the content is filled up to one of these

using relay_key = crypto::fixed_bytes<struct relay_key_tag, 32>;       // Ed25519 public: of a relay's TLS certificate
using relay_slot = crypto::fixed_bytes<struct relay_slot_tag, 16>;   // proto/relay/SPEC.md, "Slots"
using prober_token = crypto::fixed_bytes<struct prober_token_tag, 16>; // shown in the first flight to a shy listener

// A host and TCP port: an address or, where that changes, a name.
struct host_port {
    std::optional<endpoint> at;      // else:
    std::string name;
    std::uint16_t port = 0;          // of the name
    bool operator==(const host_port&) const = default;
};
struct record_address {
    std::optional<relay_key> over;  // by a circuit of the relay that is at the host; else the host is the device itself
    host_port host;
    bool operator==(const record_address&) const = default;
};
struct record_relay {
    relay_key key;
    host_port host;
    std::optional<relay_slot> slot;  // hers there: where a first mail may be left; of all relays of a record or of none
    bool operator==(const record_relay&) const = default;
};

struct record {
    std::uint64_t sequence_ms = 0;               // Unix milliseconds at making; the highest counts
    std::uint32_t lifetime_s = 0;                // believed until sequence_ms + this
    std::vector<record_address> addresses;       // best first; those that do not fit are left out from the end
    std::optional<prober_token> token;
    std::uint32_t capabilities = 0;
    std::vector<record_relay> relays;            // mailbox relays: hold notifications and the full account record
    std::optional<crypto::hash256> devices_hash; // of the device list in the full account record
    struct offered_prekey {
        std::uint32_t id = 0;
        crypto::prekey key;
        unix_s not_after = 0;
        bool operator==(const offered_prekey&) const = default;
    };
    std::optional<offered_prekey> prekey;
    std::vector<device_key> devices;             // whose own records stand beside this one
    std::uint8_t work_bits = 0;                  // of a first contact (proto/peer/SPEC.md); 0: none
    bool operator==(const record&) const = default;
};

// Where a record stands: the account's own, or that of one of its devices.
struct record_place {
    account_key account;
    discovery_day day = 0;
    std::optional<device_key> device;
};
// errc::not_for_us for an account key that nobody can own.
result<item_key> key_of(const record_place&);
bytes salt_of(const record_place&);

// The item to put. sequence: Unix seconds, so that it grows over restarts (BEP 44). A device's record is signed by the
// device too (signer), an account's by the account (signer: the same key).
mutable_item seal_record(const record&, const crypto::signing_key& account, discovery_day day,
                         const crypto::signing_key* device, std::int64_t sequence);

// errc::not_for_us: of another account, day or device, or damaged. errc::bad_record, errc::bad_signature: opened, but
// not made by whom it should be. errc::expired.
result<record> open_record(bytes_view value, const record_place&, unix_s now);

// The content without seal, for tests of its bytes: fields and signature, not filled up.
bytes encode_fields(const record&);
result<record> decode_fields(bytes_view fields);

}  // namespace pp::dht
