// Errors of the crypto box as values; one plain sentence each (crypto/error.cpp).
#pragma once

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <type_traits>

namespace pp {

// The one result type of the house: a value or an error_code with a sentence. Never thrown across a box.
template <class T>
using result = boost::system::result<T>;
using boost::system::error_code;

}  // namespace pp

namespace pp::crypto {

enum class errc {
    bad_text = 1,          // hex, base32, base64, recovery words: not decodable
    bad_checksum,          // an account label or recovery phrase with a typing error
    bad_length,            // a key, nonce or tag of the wrong size
    bad_signature,
    not_authentic,         // an AEAD tag does not fit: damaged, or not ours
    wrong_commitment,      // the key is not the one this ciphertext was made with
    bad_proof,             // a Merkle proof that does not lead to the root
    bad_header,            // a blob, keyring or sealed message whose header makes no sense
    unknown_suite,         // made by a newer peerpost
    wrong_secret,          // no slot of the keyring opens with this passphrase or key file
    no_memory,             // Argon2id could not get its memory
    bad_certificate,
    library_failure,       // OpenSSL or libsodium refused; should not happen
};

error_code make_error_code(errc e);

}  // namespace pp::crypto

template <>
struct boost::system::is_error_code_enum<pp::crypto::errc> : std::true_type {};
