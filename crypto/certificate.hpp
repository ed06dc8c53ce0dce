// X.509 as peerpost needs it: the local CA (critically name-constrained to loopback), the leaf for IMAP and SMTP, and
// the self-signed Ed25519 certificate that carries a device key in a peer link's TLS handshake.
#pragma once

#include "crypto/primitives.hpp"

#include <chrono>
#include <memory>

struct x509_st;        // OpenSSL's X509
struct evp_pkey_st;    // OpenSSL's EVP_PKEY

namespace pp::crypto {

using wall_clock = std::chrono::system_clock::time_point;

struct pem_pair {
    std::string certificate_pem;
    std::string private_key_pem;   // secret: for the keyring or memory only
};

inline constexpr auto leaf_lifetime = std::chrono::days(397);
inline constexpr auto leaf_renew_before = std::chrono::days(30);

// P-256, CA:TRUE with path length 0, keyCertSign, critical nameConstraints: DNS localhost, IP 127.0.0.0/8, IP ::1/128.
result<pem_pair> make_local_ca(wall_clock now);
// P-256, CA:FALSE, EKU serverAuth, SAN DNS:localhost, IP:127.0.0.1, IP:::1, leaf_lifetime.
result<pem_pair> issue_leaf(const pem_pair& ca, wall_clock now);
// True for a leaf with less than leaf_renew_before left, one that is not valid yet, and what is no certificate.
bool needs_renewal(std::string_view certificate_pem, wall_clock now);

// A device as TLS shows it: self-signed Ed25519, CN=pp, serial 1, fixed dates (04-network 4.5.1); made at start or for
// one link, never stored. OpenSSL's own objects: reading a key out of text takes it milliseconds.
class device_identity {
public:
    static result<device_identity> of(const signing_key& device);
    x509_st* certificate() const { return certificate_.get(); }
    evp_pkey_st* key() const { return key_.get(); }

private:
    std::shared_ptr<x509_st> certificate_;
    std::shared_ptr<evp_pkey_st> key_;
};
// The same as text.
result<pem_pair> make_device_certificate(const signing_key& device);
// The Ed25519 key out of a DER certificate; errc::bad_certificate for any other kind.
result<device_key> device_key_of_certificate(bytes_view der);

}  // namespace pp::crypto
