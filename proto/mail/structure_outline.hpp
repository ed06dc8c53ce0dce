// What BODY and BODYSTRUCTURE need of an encoded index (mail::message_index::encode), and no more.
#pragma once

#include "proto/mail/message_index.hpp"

namespace pp::mail {

// As message_outline::decode(), but the mail's own envelope, which no part refers to, stays empty: most mails have no
// other one, and nothing behind it is looked at then. Valid while the encoded bytes are. errc::bad_index.
result<message_outline> decode_structure(std::string_view encoded);

}  // namespace pp::mail
