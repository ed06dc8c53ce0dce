// Layouts that stand inside others (SPEC.md), and what is signed: a signature always covers a purpose in front, so that
// none can be taken for another.
#pragma once

#include "crypto/assert.hpp"
#include "proto/peer/messages.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::peer::layout {

inline constexpr std::uint8_t version_1 = 1;
// version | account | device | drive | not after | name | signature
inline constexpr std::size_t certificate_bytes_max = 1 + 3 * 32 + 8 + 1 + name_bytes_max + 64;

inline constexpr std::string_view certificate_purpose = "peerpost device certificate v1";
inline constexpr std::string_view record_purpose = "peerpost account record v1";
inline constexpr std::string_view notification_purpose = "peerpost notification v1";
inline constexpr std::string_view notification_signature_purpose = "peerpost notification signature v1";
inline constexpr std::string_view receipt_purpose = "peerpost receipt v1";
inline constexpr std::string_view letter_purpose = "peerpost letter v1";
inline constexpr std::string_view letter_signature_purpose = "peerpost letter signature v1";
inline constexpr std::string_view beacon_tag_purpose = "peerpost beacon tag v1";
inline constexpr std::string_view beacon_key_purpose = "peerpost beacon key v1";
inline constexpr std::string_view beacon_signature_purpose = "peerpost beacon signature v1";

// purpose | 0x00 | content
bytes signed_bytes(std::string_view purpose, bytes_view content);

void write(wire::byte_writer&, const device_certificate&);
device_certificate read_certificate(wire::byte_reader&);

inline constexpr std::size_t way_bytes_max = 4 + 32 + 8 + 1 + slot_text_bytes_max;
void write(wire::byte_writer&, const return_path&);
return_path read_way(wire::byte_reader&);
inline constexpr std::size_t grant_bytes_max = 32 + 16 + 2 + 1 + granted_tokens_max * 32;
void write(wire::byte_writer&, const token_grant&);
token_grant read_grant(wire::byte_reader&);

// What is sealed in notification_bytes (SPEC.md, "Notification"): version and prekey id in front, the fields with a
// signature inside. The signature covers the key it is sealed to and this very sealing.
inline constexpr std::size_t sealed_fields_bytes_max = 905;   // what is left of notification_bytes
// behind the signature: 1 and the solution of a stranger's work
inline constexpr std::size_t work_part_bytes = 1 + 8;
struct sealing {
    std::string_view purpose, signature_purpose;
};
bytes seal(const sealing& how, const crypto::prekey_secret& ephemeral, bytes_view fields,
           const crypto::signing_key& sender, std::uint32_t prekey_id, const crypto::prekey& to,
           std::optional<std::uint64_t> work = {});
// The fields with the signature still to be checked: by whom it is, stands in them.
struct unsealed {
    bytes fields, signed_content;
    crypto::signature sig;
    std::optional<std::uint64_t> work;
};
result<unsealed> unseal(const sealing& how, bytes_view sealed, const crypto::prekey_secret& secret);

// Signatures of a record and its devices, without looking at dates.
result<void> verify_signatures(const account_record&);
result<void> verify_signature(const device_certificate&);

// At most max texts, one count byte in front.
void write_texts(wire::byte_writer&, const std::vector<std::string>&, std::size_t count_max, std::size_t bytes_max);
std::vector<std::string> read_texts(wire::byte_reader&, std::size_t count_max, std::size_t bytes_max);

}  // namespace pp::peer::layout
