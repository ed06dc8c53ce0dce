// Account keys and addresses for tests.
#pragma once

#include "crypto/keys.hpp"
#include "proto/mail/address.hpp"

#include <string>

namespace accounts {

inline pp::crypto::account_key key(unsigned char fill) {
    pp::crypto::account_key k;
    k.data.fill(static_cast<std::byte>(fill));
    return k;
}
inline std::string domain(unsigned char fill) { return pp::crypto::account_label(key(fill)) + ".peerpost.alt"; }

}  // namespace accounts
