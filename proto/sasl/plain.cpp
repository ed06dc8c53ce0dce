#include "proto/sasl/plain.hpp"

namespace pp::sasl {

std::optional<credentials> parse_plain(std::string_view message) {
    const auto first = message.find('\0');
    if (first == message.npos) return std::nullopt;
    const auto second = message.find('\0', first + 1);
    if (second == message.npos) return std::nullopt;
    const auto authorization_id = message.substr(0, first);
    const auto user = message.substr(first + 1, second - first - 1);
    const auto password = message.substr(second + 1);
    if (user.empty() || password.empty() || password.find('\0') != password.npos) return std::nullopt;
    if (authorization_id.size() > plain_field_bytes_max || user.size() > plain_field_bytes_max ||
        password.size() > plain_field_bytes_max)
        return std::nullopt;
    return credentials{std::string(authorization_id), std::string(user), std::string(password)};
}

bool acts_for_itself(const credentials& who) {
    return who.authorization_id.empty() || who.authorization_id == who.user;
}

}  // namespace pp::sasl
