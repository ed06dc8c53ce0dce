// The names under which a node's secrets stand in its keyring, and the forms of the ones that are more than a key.
#pragma once

#include "daemon/services/account.hpp"

#include <charconv>

namespace pp::services {

inline const std::string device_entry = "node/device";
inline const std::string relay_entry = "node/relay";       // seals the store of the relay role
inline const std::string network_told_entry = "node/network-told";   // `init` has said what leaves the machine
inline const std::string ca_key_entry = "node/ca-key", ca_certificate_entry = "node/ca-certificate";
inline const std::string leaf_key_entry = "node/leaf-key", leaf_certificate_entry = "node/leaf-certificate";

// "account/<label>/<what>": seed, drive, log, store, shred, made, prekey/<id>
inline std::string account_entry(std::string_view label, std::string_view what) {
    return "account/" + std::string(label) + "/" + std::string(what);
}

inline bytes encode_number(std::int64_t n) { return to_bytes(std::to_string(n)); }
inline std::int64_t decode_number(bytes_view data) {
    const auto text = as_text(data);
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

// secret 32 | made_at in decimal
inline bytes encode_prekey(const own_prekey& own) {
    bytes out = to_bytes(own.secret.view());
    const auto made = encode_number(own.made_at);
    out.insert(out.end(), made.begin(), made.end());
    return out;
}
inline std::optional<own_prekey> decode_prekey(std::string_view id, bytes_view data) {
    if (data.size() <= crypto::prekey_secret::size_bytes) return std::nullopt;
    own_prekey own;
    std::from_chars(id.data(), id.data() + id.size(), own.id);
    own.secret = *crypto::prekey_secret::from(data.first(crypto::prekey_secret::size_bytes));
    own.made_at = decode_number(data.subspan(crypto::prekey_secret::size_bytes));
    return own;
}

}  // namespace pp::services
