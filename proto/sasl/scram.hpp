// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, server side (RFC 5802 sections 5 to 7, RFC 7677; channel bindings of RFC 5929
// and RFC 9266): the messages. Keys and proofs are in crypto/scram.hpp, and only the daemon has them.
//
//   C: n,,n=user,r=CNONCE            client_first -> scram_begin to the daemon -> scram_terms
//   S: r=CNONCE SNONCE,s=salt,i=4096 server_first
//   C: c=biws,r=...,p=proof          client_final -> scram_proof to the daemon -> scram_verdict
//   S: v=signature                   server_final
//
// A refusal is told by the protocol (NO, 535, -ERR);
// the optional "e=" of RFC 5802 section 5.1 would tell guessers more.
#pragma once

#include "crypto/keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pp::sasl {

inline constexpr std::size_t scram_message_bytes_max = 4096;   // ours; the longest user name and binding take a quarter
inline constexpr std::size_t scram_nonce_bytes_max = 256;      // ours; RFC 5802 names none, clients send 18 to 48
inline constexpr std::size_t scram_user_bytes_max = 255;       // as PLAIN: proto/sasl/plain.hpp

// Question: the terms for this user. An unknown user gets terms like any other, always the same (RFC 5802 section 9).
struct scram_terms;
struct scram_begin {
    using answer_type = scram_terms;
    std::string user;
    std::string channel_binding;           // name of its type, "tls-exporter"; empty: none
    bool operator==(const scram_begin&) const = default;
};
struct scram_terms {
    std::string server_nonce;              // fresh; printable, without comma
    bytes salt;
    std::uint32_t iterations = 0;
    std::optional<bytes> channel_binding;  // data of the type asked for; nothing: this connection has none
    bool operator==(const scram_terms&) const = default;
};
// Question: does the user know the password?
struct scram_verdict;
struct scram_proof {
    using answer_type = scram_verdict;
    std::string user;
    std::string auth_message;              // RFC 5802 section 3
    crypto::hash256 proof;
    bool operator==(const scram_proof&) const = default;
};
struct scram_verdict {
    std::optional<crypto::hash256> server_signature;   // nothing: no
    bool operator==(const scram_verdict&) const = default;
};

// One exchange. A message that is refused ends it.
class scram_exchange {
public:
    enum class fault { none, malformed, for_another, wrong_binding };

    // plus: the -PLUS mechanism was chosen. plus_offered: it could have been.
    scram_exchange(bool plus, bool plus_offered) : plus_(plus), plus_offered_(plus_offered) {}

    std::optional<scram_begin> client_first(std::string_view message);
    // The challenge. Nothing when the client wants a binding that this connection does not have.
    std::optional<std::string> server_first(const scram_terms& terms);
    std::optional<scram_proof> client_final(std::string_view message);
    static std::string server_final(const crypto::hash256& signature);

    fault why() const { return fault_; }   // after nothing was given

private:
    std::nullopt_t refuse(fault f) {
        fault_ = f;
        return std::nullopt;
    }

    bool plus_, plus_offered_;
    fault fault_ = fault::none;
    std::string user_, binding_name_;
    std::string gs2_header_, client_first_bare_, server_first_, nonce_;
    bytes binding_;
};

}  // namespace pp::sasl
