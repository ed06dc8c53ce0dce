// What the commands about contacts share.
#pragma once

#include "daemon/engine/authentication_results.hpp"
#include "daemon/services/command_support.hpp"
#include "proto/peer/comparison.hpp"

namespace pp::services::commands {

json::object describe(const storage::contact& p);
// The one that is meant (engine::named). EX_NOUSER; EX_DATAERR when several are, with their addresses.
storage::contact one_contact(const account& a, const std::string& who);
// The same, or an address that nobody among the contacts has.
crypto::account_key one_account(const account& a, const std::string& who);
// Why a contact is not accepted under the name of another; how is the command that does it all the same.
std::string same_name_text(const storage::contact& other, std::string_view how);

}  // namespace pp::services::commands
