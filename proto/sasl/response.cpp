#include "proto/sasl/response.hpp"

#include "crypto/bytes.hpp"

#include <sodium.h>

namespace pp::sasl {

namespace {
client_response decoded(std::string_view text) {
    if (text.size() > response_line_bytes_max) return {};
    const auto data = crypto::from_base64(text);
    if (!data) return {};
    return {client_response::kind::text, std::string(as_text(*data))};
}
}  // namespace

client_response read_response(std::string_view line) {
    if (line == "*") return {client_response::kind::cancelled, {}};
    return decoded(line);
}

client_response read_initial_response(std::string_view word) {
    if (word == "=") return {client_response::kind::text, {}};
    if (word.empty()) return {};
    return decoded(word);
}

void wipe(std::string& secret) {
    sodium_memzero(secret.data(), secret.size());
    secret.clear();
}

}  // namespace pp::sasl
