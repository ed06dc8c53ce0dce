// Stores below accounts/ that a keyring does not know. An older copy of the keyring, brought back when the newer ones
// are lost, must never lead to a second account beside a store that somebody's mail is in.
#pragma once

#include "storage/home.hpp"

#include <string>
#include <vector>

namespace pp::storage {

// A store that is being made: the file "unfinished" stands in its folder from before its log exists until the keyring
// knows the account as made. Errors of the system: nothing may be made then.
result<void> mark_unfinished(const std::filesystem::path& account_folder);
void mark_finished(const std::filesystem::path& account_folder);

// Names in accounts/ of stores that were finished once and are not among the known.
result<std::vector<std::string>> unknown_stores(const home_paths& home, const std::vector<std::string>& known);

}  // namespace pp::storage
