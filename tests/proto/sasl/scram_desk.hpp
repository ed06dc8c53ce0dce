// The daemon's side of SCRAM for tests: the numbers of RFC 7677 section 3. User "user" has the password "pencil"; the
// connection has "binding" as its tls-exporter and no other channel binding.
#pragma once

#include "crypto/scram.hpp"
#include "proto/sasl/scram.hpp"

namespace pp::sasl::test {

inline const std::string server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

inline scram_terms answer(const scram_begin& q) {
    scram_terms out;
    out.server_nonce = server_nonce;
    out.salt = *crypto::from_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
    out.iterations = 4096;
    if (q.channel_binding == "tls-exporter") out.channel_binding = to_bytes("binding");
    return out;
}

inline scram_verdict answer(const scram_proof& q) {
    static const auto keys = crypto::make_scram_keys("pencil", answer(scram_begin{}).salt, 4096);
    if (q.user != "user") return {};
    return {crypto::check_scram_proof(keys, q.auth_message, q.proof)};
}

}  // namespace pp::sasl::test
