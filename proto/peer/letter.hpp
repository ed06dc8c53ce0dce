// Letters (SPEC.md, "Letter"): what accounts tell each other beside mail - where and with what to be reached, delivery
// tokens, receipts. Over a link they go as they are; through a relay sealed, in the form of a notification, so that the
// relay cannot tell which is which.
#pragma once

#include "proto/peer/messages.hpp"

#include <array>

namespace pp::peer {

inline constexpr std::size_t letter_parts_max = 32;
inline constexpr std::size_t sealed_parts_bytes_max = 820;   // of a sealed letter, all parts with their heads

// The recipient has refused the mail of this notification for good.
struct refusal_note {
    notification_id id{};
    std::string reason;                                      // at most reason_bytes_max; shown to the sender
    bool operator==(const refusal_note&) const = default;
};

struct letter {
    std::vector<bytes> records;                              // encoded account records; over links only (too long else)
    std::vector<token_grant> grants;
    std::vector<bytes> receipts;                             // signed
    std::vector<refusal_note> refusals;
    std::vector<return_path> ways;
    bool operator==(const letter&) const = default;
    bool empty() const { return *this == letter(); }
};
bytes encode(const letter&);                                 // parts beyond letter_parts_max are left out
result<letter> decode_letter(bytes_view);                    // kinds of parts it does not know are skipped

struct sealed_letter {
    account_key sender, recipient;
    unix_s written_at = 0;
    letter content;
};
// notification_bytes of them. The encoded content has at most sealed_parts_bytes_max bytes.
bytes seal_letter(const sealed_letter&, const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                  const crypto::prekey& recipient_prekey);
bytes seal_letter_with(const crypto::prekey_secret& ephemeral, const sealed_letter&,
                       const crypto::signing_key& sender_account, std::uint32_t prekey_id,
                       const crypto::prekey& recipient_prekey);
// errc::bad_message, errc::not_for_us (also: it is a notification), errc::bad_signature.
result<sealed_letter> open_letter(bytes_view sealed, const crypto::prekey_secret& secret, const account_key& recipient);

}  // namespace pp::peer
