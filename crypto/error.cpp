// The sentences of crypto::errc.
#include "crypto/error.hpp"

#include "crypto/error_category.hpp"

namespace pp::crypto {

namespace {
const char* sentence(errc e) {
    switch (e) {
    case errc::bad_text: return "the text cannot be decoded";
    case errc::bad_checksum: return "the checksum does not fit: there is a typing error";
    case errc::bad_length: return "a key or message has the wrong length";
    case errc::bad_signature: return "the signature does not fit";
    case errc::not_authentic: return "the encrypted data is damaged or not ours";
    case errc::wrong_commitment: return "this key was not used to encrypt this data";
    case errc::bad_proof: return "the hashes do not lead to the expected root";
    case errc::bad_header: return "the header makes no sense";
    case errc::unknown_suite: return "the data was made by a newer version of peerpost";
    case errc::wrong_secret: return "the passphrase or key file does not open the keyring";
    case errc::no_memory: return "there is not enough memory to check the passphrase";
    case errc::bad_certificate: return "the certificate is of the wrong kind or damaged";
    case errc::library_failure: return "a cryptographic library refused to work";
    }
    return nullptr;
}
}  // namespace

error_code make_error_code(errc e) {
    static const error_category<errc> category("crypto", sentence);
    return category.code(e);
}

}  // namespace pp::crypto
