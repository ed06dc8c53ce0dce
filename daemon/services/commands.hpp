// What the command line can ask of a node, the same whether a daemon answers over its control socket or the command has
// opened the home itself. Every command takes and gives JSON; daemon/cli prints it for people.
#pragma once

#include "daemon/services/node.hpp"

#include <boost/json/value.hpp>

namespace pp::services {

struct command_error {
    int exit_code = 70;          // sysexits
    std::string text;            // what happened, why, the one command that mends it
};
using command_result = std::variant<boost::json::value, command_error>;

// Long commands tell how far they are; called on the thread of run_command.
using command_progress = std::function<void(const boost::json::object&)>;

// Why nobody can have this name, an account or a contact, as a sentence; empty: it can be had.
std::string wrong_name(std::string_view name);

// name: "status", "queue", "queue why", "trace", "invite", "contact add", "contact list", "contact show",
// "contact accept", "contact block", "contact remove", "contact verify", "account add", "account list", "account name",
// "password new", "password list", "password revoke", "check", "relay link", "relay status", "relay use", "relay list",
// "relay drop", "shred". Runs on any thread but the writer's; may block on the writer.
// Arguments: "account" (label or address; the first account without it) for all but status and check; the others stand
// over each handler in command_*.cpp. Unknown arguments and wrong types are EX_USAGE.
command_result run_command(node& n, std::string_view name, const boost::json::object& arguments,
                           const command_progress& progress = {});

}  // namespace pp::services
