#include "proto/sasl/login.hpp"

namespace pp::sasl {

std::string_view login_exchange::challenge() const {
    if (at_ == step::asking_user) return "Username:";
    if (at_ == step::asking_password) return "Password:";
    return {};
}

login_exchange::step login_exchange::respond(std::string_view answer) {
    if (at_ == step::done || at_ == step::refused) return at_;
    // The same bounds as PLAIN: which mechanism a client picks must not change who can log in.
    if (answer.empty() || answer.size() > plain_field_bytes_max || answer.find('\0') != answer.npos)
        return at_ = step::refused;
    if (at_ == step::asking_user) {
        result_.user = answer;
        return at_ = step::asking_password;
    }
    result_.password = answer;
    return at_ = step::done;
}

}  // namespace pp::sasl
