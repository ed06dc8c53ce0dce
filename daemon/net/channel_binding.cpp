#include "daemon/net/channel_binding.hpp"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

namespace pp::net {

namespace {

constexpr std::size_t exporter_bytes = 32;             // RFC 9266 section 2
constexpr std::string_view exporter_label = "EXPORTER-Channel-Binding";

// Below TLS 1.3 two connections can share a master secret unless both sides know the extended one (RFC 7627); a binding
// made of it would then bind nothing (RFC 9266 section 3).
bool secret_is_unique(SSL* tls) { return SSL_version(tls) >= TLS1_3_VERSION || SSL_get_extms_support(tls) == 1; }

std::optional<bytes> exporter(SSL* tls) {
    if (!secret_is_unique(tls)) return std::nullopt;
    bytes out(exporter_bytes);
    if (SSL_export_keying_material(tls, reinterpret_cast<unsigned char*>(out.data()), out.size(), exporter_label.data(),
                                   exporter_label.size(), nullptr, 0, 1) != 1)
        return std::nullopt;
    return out;
}

// RFC 5929 section 3: the first Finished message of the handshake; not defined for TLS 1.3.
std::optional<bytes> first_finished(SSL* tls) {
    if (SSL_version(tls) >= TLS1_3_VERSION || !secret_is_unique(tls)) return std::nullopt;
    bytes out(EVP_MAX_MD_SIZE);
    // The client finishes first in a full handshake, the server in a resumed one.
    const auto n = SSL_session_reused(tls) ? SSL_get_finished(tls, out.data(), out.size())
                                           : SSL_get_peer_finished(tls, out.data(), out.size());
    if (n == 0 || n > out.size()) return std::nullopt;
    out.resize(n);
    return out;
}

// RFC 5929 section 4: the hash of our certificate by the hash of its signature, by SHA-256 instead of MD5 and SHA-1.
std::optional<bytes> certificate_hash(SSL* tls) {
    const X509* certificate = SSL_get_certificate(tls);
    int hash = NID_undef;
    if (!certificate || OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &hash, nullptr) != 1)
        return std::nullopt;
    if (hash == NID_md5 || hash == NID_sha1) hash = NID_sha256;
    const EVP_MD* method = EVP_get_digestbynid(hash);
    bytes out(EVP_MAX_MD_SIZE);
    unsigned n = 0;
    if (!method || X509_digest(certificate, method, reinterpret_cast<unsigned char*>(out.data()), &n) != 1)
        return std::nullopt;
    out.resize(n);
    return out;
}

}  // namespace

std::optional<bytes> channel_binding_of(SSL* tls, std::string_view type) {
    if (type == "tls-exporter") return exporter(tls);
    if (type == "tls-unique") return first_finished(tls);
    if (type == "tls-server-end-point") return certificate_hash(tls);
    return std::nullopt;
}

}  // namespace pp::net
