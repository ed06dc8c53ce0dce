// TLS contexts: the local one for IMAP and SMTP (TLS 1.2 and up, leaf of the local CA), and those of peer links
// (TLS 1.3 only, mutual self-signed Ed25519 certificates, ALPN peerpost/1, no tickets; 04-network 4.5.1).
#pragma once

#include "crypto/certificate.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>

namespace pp::net {

inline constexpr std::string_view peer_alpn = "peerpost/1";

std::shared_ptr<boost::asio::ssl::context> make_local_tls(const crypto::pem_pair& leaf);
// Any well-formed Ed25519 certificate passes the handshake; who it is decides the device key afterwards.
std::shared_ptr<boost::asio::ssl::context> make_peer_tls(const crypto::device_identity& device, bool server);
// A dialler's, for links that show an identity of their own each (any_stream): one for all of them.
std::shared_ptr<boost::asio::ssl::context> nobodys_peer_tls();
// The side of a circuit that comes to the relay (proto/relay/SPEC.md, "Join"): ALPN of circuits, no certificate. A
// server's context of make_peer_tls() takes these, too.
std::shared_ptr<boost::asio::ssl::context> make_circuit_tls();

}  // namespace pp::net
