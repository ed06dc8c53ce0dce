// The welcome mail that a new account finds in INBOX (01-product 1.5).
#pragma once

#include "daemon/services/node.hpp"

namespace pp::services {

// Writes it into INBOX: the address, what the mailboxes mean, the invite as link, QR picture and card.
result<void> deliver_greeting(node& n, account& a, const std::string& invite_link);

}  // namespace pp::services
