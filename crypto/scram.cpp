#include "crypto/scram.hpp"

#include "crypto/assert.hpp"
#include "crypto/hmac_sha256.hpp"
#include "crypto/raw.hpp"

#include <openssl/evp.h>

namespace pp::crypto {

namespace {

using salted_password = secret_bytes<struct salted_password_tag, 32>;
using client_key = secret_bytes<struct client_key_tag, 32>;

void hmac(bytes_view key, std::string_view text, mutable_bytes_view out) {
    hmac_sha256 mac(key);
    mac.update(as_bytes(text));
    mac.finish(out);
}

}  // namespace

scram_keys make_scram_keys(std::string_view password, bytes_view salt, std::uint32_t iterations) {
    PP_ASSERT(iterations >= 1);
    salted_password salted;
    PP_ASSERT(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), raw(salt),
                                static_cast<int>(salt.size()), static_cast<int>(iterations), EVP_sha256(),
                                static_cast<int>(salted_password::size_bytes), raw_out(salted.mutable_view())) == 1);
    client_key client;
    hmac(salted.view(), "Client Key", client.mutable_view());
    scram_keys out;
    out.iterations = iterations;
    out.stored_key = sha256(client.view());
    hmac(salted.view(), "Server Key", out.server_key.data);
    return out;
}

std::optional<hash256> check_scram_proof(const scram_keys& keys, std::string_view auth_message, const hash256& proof) {
    client_key client;   // proof XOR the signature
    hmac(keys.stored_key.view(), auth_message, client.mutable_view());
    for (std::size_t i = 0; i < proof.data.size(); ++i) client.mutable_view()[i] ^= proof.data[i];
    if (!equal_constant_time(sha256(client.view()).view(), keys.stored_key.view())) return std::nullopt;
    hash256 out;
    hmac(keys.server_key.view(), auth_message, out.data);
    return out;
}

}  // namespace pp::crypto
