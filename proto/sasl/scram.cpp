#include "proto/sasl/scram.hpp"

#include <algorithm>

namespace pp::sasl {

namespace {

// Takes the text up to the next comma and the comma. False when nothing is left.
bool take_part(std::string_view& rest, std::string_view& part, bool& more) {
    if (!more) return false;
    const auto comma = rest.find(',');
    part = rest.substr(0, comma);
    more = comma != rest.npos;
    rest.remove_prefix(more ? comma + 1 : rest.size());
    return true;
}

// The value of attribute `name` ("n=...").
std::optional<std::string_view> value_of(std::string_view part, char name) {
    if (part.size() < 2 || part[0] != name || part[1] != '=') return std::nullopt;
    return part.substr(2);
}

bool is_extension(std::string_view part) {   // RFC 5802 section 7, attr-val; optional ones are passed over
    const char c = part.empty() ? '\0' : part[0];
    return part.size() >= 3 && ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) && c != 'm' && part[1] == '=';
}

bool is_nonce(std::string_view text) {   // RFC 5802 section 7, printable
    return !text.empty() && text.size() <= scram_nonce_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x21 && c <= 0x7e && c != ','; });
}

bool is_binding_name(std::string_view text) {   // RFC 5802 section 7, cb-name
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    });
}

// saslname: "=2C" for a comma, "=3D" for "=" (RFC 5802 section 5.1). The parts have no comma any more.
std::optional<std::string> decode_name(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\0') return std::nullopt;
        if (text[i] != '=') {
            out += text[i];
            continue;
        }
        const auto code = text.substr(i + 1, 2);
        if (code == "2C") out += ',';
        else if (code == "3D") out += '=';
        else return std::nullopt;
        i += 2;
    }
    if (out.empty() || out.size() > scram_user_bytes_max) return std::nullopt;
    return out;
}

}  // namespace

std::optional<scram_begin> scram_exchange::client_first(std::string_view message) {
    if (message.size() > scram_message_bytes_max) return refuse(fault::malformed);
    auto rest = message;
    std::string_view part;
    bool more = true;

    // gs2-header
    take_part(rest, part, more);
    if (const auto name = value_of(part, 'p')) {
        if (!is_binding_name(*name)) return refuse(fault::malformed);
        if (!plus_) return refuse(fault::wrong_binding);
        binding_name_ = *name;
    } else if (part == "y") {
        // RFC 5802 section 6: the client could bind and thinks we cannot: somebody has cut our offer.
        if (plus_offered_) return refuse(fault::wrong_binding);
    } else if (part != "n") {
        return refuse(fault::malformed);
    }
    if (plus_ && binding_name_.empty()) return refuse(fault::wrong_binding);
    if (!take_part(rest, part, more) || !more) return refuse(fault::malformed);
    std::optional<std::string> acts_for;
    if (!part.empty()) {
        const auto name = value_of(part, 'a');
        if (!name) return refuse(fault::malformed);
        // Departure: "a=" with nothing behind it is what GNU SASL sends for nobody else.
        if (!name->empty() && !(acts_for = decode_name(*name))) return refuse(fault::malformed);
    }
    gs2_header_ = message.substr(0, message.size() - rest.size());
    client_first_bare_ = rest;

    // client-first-message-bare; "m=" in front would be an extension that must be understood
    std::optional<std::string> user;
    if (take_part(rest, part, more))
        if (const auto name = value_of(part, 'n')) user = decode_name(*name);
    std::optional<std::string_view> nonce;
    if (take_part(rest, part, more)) nonce = value_of(part, 'r');
    if (!user || !nonce || !is_nonce(*nonce)) return refuse(fault::malformed);
    while (take_part(rest, part, more))
        if (!is_extension(part)) return refuse(fault::malformed);
    if (acts_for && *acts_for != *user) return refuse(fault::for_another);
    user_ = std::move(*user);
    nonce_ = *nonce;
    return scram_begin{user_, binding_name_};
}

std::optional<std::string> scram_exchange::server_first(const scram_terms& terms) {
    if (!binding_name_.empty()) {
        if (!terms.channel_binding) return refuse(fault::wrong_binding);
        binding_ = *terms.channel_binding;
    }
    nonce_ += terms.server_nonce;
    server_first_ = "r=" + nonce_ + ",s=" + crypto::base64(terms.salt) + ",i=" + std::to_string(terms.iterations);
    return server_first_;
}

std::optional<scram_proof> scram_exchange::client_final(std::string_view message) {
    if (message.size() > scram_message_bytes_max) return refuse(fault::malformed);
    auto rest = message;
    std::string_view part;
    bool more = true;
    take_part(rest, part, more);
    const auto binding = value_of(part, 'c');
    std::optional<std::string_view> nonce;
    if (take_part(rest, part, more)) nonce = value_of(part, 'r');
    if (!binding || !nonce) return refuse(fault::malformed);
    std::optional<std::string_view> proof;
    std::string_view without_proof;
    while (!proof) {
        const auto before = message.size() - rest.size() - 1;   // without the comma in front
        if (!take_part(rest, part, more)) return refuse(fault::malformed);
        if ((proof = value_of(part, 'p'))) without_proof = message.substr(0, before);
        else if (!is_extension(part)) return refuse(fault::malformed);
    }
    if (more) return refuse(fault::malformed);   // the proof is the last
    const auto decoded_binding = crypto::from_base64(*binding);
    const auto decoded_proof = crypto::from_base64(*proof);
    if (!decoded_binding || !decoded_proof || decoded_proof->size() != crypto::hash256::size_bytes || *nonce != nonce_)
        return refuse(fault::malformed);
    bytes expected = to_bytes(gs2_header_);
    expected.insert(expected.end(), binding_.begin(), binding_.end());
    if (!crypto::equal_constant_time(*decoded_binding, expected)) return refuse(fault::wrong_binding);

    scram_proof out;
    out.user = user_;
    out.auth_message = client_first_bare_ + "," + server_first_ + "," + std::string(without_proof);
    std::copy(decoded_proof->begin(), decoded_proof->end(), out.proof.data.begin());
    return out;
}

std::string scram_exchange::server_final(const crypto::hash256& signature) {
    return "v=" + crypto::base64(signature.view());
}

}  // namespace pp::sasl
