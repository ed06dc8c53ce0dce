// Errors of the store as the refusals of each protocol, through the one table of engine/error_text.
#pragma once

#include "crypto/error.hpp"
#include "proto/imap/events.hpp"
#include "proto/smtp/reply.hpp"

namespace pp::net {

imap::refusal imap_refusal(error_code why);
smtp::reply smtp_refusal(error_code why);

// As the verdict of an event whose answer is T.
template <class T>
imap::verdict refused(error_code why) {
    return imap::outcome<T>(imap_refusal(why));
}

}  // namespace pp::net
