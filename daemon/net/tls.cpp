#include "daemon/net/tls.hpp"

#include "proto/relay/circuit.hpp"

#include <openssl/ssl.h>

#include <cstring>

namespace pp::net {

namespace ssl = boost::asio::ssl;

namespace {

// ALPN wire form: one length byte, then the name.
std::string alpn_wire(std::string_view name) { return static_cast<char>(name.size()) + std::string(name); }

int choose_alpn(SSL* connection, const unsigned char** out, unsigned char* out_bytes, const unsigned char* in,
                unsigned in_bytes, void*) {
    static const std::string ours = alpn_wire(peer_alpn) + alpn_wire(relay::circuit_alpn);
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_bytes, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), in, in_bytes) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    // Who joins a circuit is nobody: no certificate is asked for. Now is the time: it would be asked for after this.
    if (std::string_view(reinterpret_cast<const char*>(chosen), *out_bytes) == relay::circuit_alpn)
        SSL_set_verify(connection, SSL_VERIFY_NONE, nullptr);
    return SSL_TLSEXT_ERR_OK;
}

// Chain and dates do not matter here: only that it is one certificate of the right kind. The key is compared later.
int accept_device_certificate(X509_STORE_CTX* context, void*) {
    X509* certificate = X509_STORE_CTX_get0_cert(context);
    EVP_PKEY* key = certificate ? X509_get0_pubkey(certificate) : nullptr;
    return key && EVP_PKEY_base_id(key) == EVP_PKEY_ED25519 ? 1 : 0;
}

void use_identity(ssl::context& context, const crypto::pem_pair& identity) {
    context.use_certificate_chain(boost::asio::buffer(identity.certificate_pem));
    context.use_private_key(boost::asio::buffer(identity.private_key_pem), ssl::context::pem);
}

}  // namespace

std::shared_ptr<ssl::context> make_local_tls(const crypto::pem_pair& leaf) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                    SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    use_identity(*context, leaf);
    return context;
}

namespace {

// What all contexts of peers have: TLS 1.3, X25519, no tickets, no session that outlives its connection.
std::shared_ptr<ssl::context> make_context(bool server) {
    auto context = std::make_shared<ssl::context>(server ? ssl::context::tls_server : ssl::context::tls_client);
    SSL_CTX* native = context->native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(native, 0);
    SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set1_groups_list(native, "X25519");
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER | (server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
    SSL_CTX_set_cert_verify_callback(native, accept_device_certificate, nullptr);
    return context;
}

void offer_alpn(ssl::context& context, std::string_view name) {
    const auto wire = alpn_wire(name);
    SSL_CTX_set_alpn_protos(context.native_handle(), reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
}

}  // namespace

std::shared_ptr<ssl::context> make_peer_tls(const crypto::device_identity& device, bool server) {
    auto context = make_context(server);
    if (SSL_CTX_use_certificate(context->native_handle(), device.certificate()) != 1 ||
        SSL_CTX_use_PrivateKey(context->native_handle(), device.key()) != 1)
        throw boost::system::system_error(boost::system::errc::make_error_code(boost::system::errc::not_enough_memory));
    if (server) SSL_CTX_set_alpn_select_cb(context->native_handle(), choose_alpn, nullptr);
    else offer_alpn(*context, peer_alpn);
    return context;
}

std::shared_ptr<ssl::context> nobodys_peer_tls() {
    static const auto one = [] {
        auto context = make_context(false);
        offer_alpn(*context, peer_alpn);
        return context;
    }();
    return one;
}

std::shared_ptr<ssl::context> make_circuit_tls() {
    auto context = make_context(false);
    offer_alpn(*context, relay::circuit_alpn);
    return context;
}

}  // namespace pp::net
