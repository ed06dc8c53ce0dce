// The LOGIN mechanism (draft-murchison-sasl-login-00; never an RFC, still what Outlook uses): the server asks for the
// user name, then for the password. Texts are the decoded ones; base64 and cancellation belong to the protocol.
//
//   asking_user --respond--> asking_password --respond--> done
//        \------------------------\-----> refused (empty or too long)
//
// New Outlook wants a first challenge that is not empty (05-mail-protocols 5.1), so both prompts are always sent.
#pragma once

#include "proto/sasl/plain.hpp"

#include <string_view>

namespace pp::sasl {

class login_exchange {
public:
    enum class step { asking_user, asking_password, done, refused };

    step at() const { return at_; }
    // What to ask now; empty when nothing is to be asked any more.
    std::string_view challenge() const;
    // The client's answer to challenge(). An initial response (RFC 4959) counts as the answer to the first.
    step respond(std::string_view answer);
    // After done.
    const credentials& result() const { return result_; }

private:
    step at_ = step::asking_user;
    credentials result_;
};

}  // namespace pp::sasl
