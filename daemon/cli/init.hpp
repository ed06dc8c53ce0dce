// `init` and what `serve` shares with it: making the first account and telling the person about it, once.
#pragma once

#include "daemon/cli/context.hpp"

namespace pp::cli {

// The caller holds home.lock. Prints what was made (people: several lines; JSON: exactly one object). False when that
// could not be written, which is told then: nobody knows the password and the words.
bool print_new_account(context& c, const services::config& conf, const services::new_account& made, bool as_json);
// Sentence and exit code of a failed node::init or node::recover.
command_error init_error(const context& c, const error_code& error);

}  // namespace pp::cli
