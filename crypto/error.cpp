// The sentences of crypto::errc.
#include "crypto/error.hpp"

#include <string>

namespace pp::crypto {

namespace {

// Boost's category has a destructor that is not virtual, on purpose: nobody deletes one. g++ warns all the same.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "peerpost.crypto"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
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
        return "unknown error of the crypto box";
    }
};
#pragma GCC diagnostic pop

}  // namespace

error_code make_error_code(errc e) {
    static const category instance;
    return {static_cast<int>(e), instance};
}

}  // namespace pp::crypto
