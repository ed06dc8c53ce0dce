#include "daemon/engine/authentication_results.hpp"

#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/ascii.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

constexpr std::size_t result_value_bytes_max = 400;   // a line stays below 998 (RFC 5322 section 2.1.1)

// Host names, and words of our own: what else there may be becomes '?'.
std::string as_token(std::string_view value) {
    std::string out(value.substr(0, result_value_bytes_max));
    for (char& c : out)
        if (!mail::ascii::is_alnum(c) && c != '.' && c != '-') c = '?';
    return out.empty() ? "unknown" : out;
}

std::string_view word_of(storage::known_by how) {
    switch (how) {
    case storage::known_by::invite_used: return "invite-used";
    case storage::known_by::invite_given: return "invite-given";
    case storage::known_by::address: return "address";
    case storage::known_by::request: return "request";
    case storage::known_by::card: return "card";
    }
    return "unknown";
}

std::string address_text(const mail::address& a) {
    mail::address clean{clean_text(std::string_view(a.local).substr(0, result_value_bytes_max)), as_token(a.domain)};
    return clean.text();
}

}  // namespace

std::string_view sentence_of(storage::known_by how) {
    switch (how) {
    case storage::known_by::invite_used: return "key known from an invitation you used";
    case storage::known_by::invite_given: return "key known from an invitation you gave";
    case storage::known_by::address: return "key known from the address you wrote to";
    case storage::known_by::request: return "key known from this sender's first mail";
    case storage::known_by::card: return "key known from a contact card";
    }
    return "key known in an unknown way";
}

std::string authentication_results(const arrival& a) {
    std::string out = "Delivered-To: " + address_text(a.recipient) + "\r\n";
    out += "Authentication-Results: " + as_token(a.node) + ";\r\n";
    out += " peerpost=pass (" + std::string(sentence_of(a.known)) + ")\r\n";
    out += " header.from=" + as_token(a.sender_domain) + "\r\n";
    out += " policy.key-known-by=" + std::string(word_of(a.known)) + "\r\n";
    return out;
}

}  // namespace pp::engine
