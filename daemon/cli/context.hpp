// What every command of the command line shares: which home, and how to ask a node something - a running daemon over
// its control socket, else the home opened by this process alone.
#pragma once

#include "daemon/services/commands.hpp"
#include "storage/home.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace CLI {
class App;
}

namespace pp::cli {

namespace json = boost::json;
using services::command_error;
using services::command_progress;
using services::command_result;

struct context {
    storage::home_paths home;      // absolute
    int exit_code = 0;             // of the command that ran
    std::string program;           // argv[0]

    // The command line that names this home, for "the one command that mends it".
    std::string command(std::string_view what) const;
    bool home_is_default = true;
};

// The end of a sentence about a home that cannot be opened; empty when there is nothing to be done.
std::string what_may_help(const context& c, const error_code& error);

// Without --home: $XDG_DATA_HOME/peerpost, else ~/.local/share/peerpost; for root /var/lib/peerpost where that exists.
std::filesystem::path default_home();

// The home for this process alone, opened as the user that it belongs to. errc::locked, errc::no_access and others.
result<storage::home_lock> lock_home(const context& c);

// Runs the command in a running daemon, or in this process when none runs (home.lock is free).
command_result ask(const context& c, std::string_view command, const json::object& arguments,
                   const command_progress& progress = {});

// Prints the error as "peerpost: ..." and makes its code the exit code.
void fail(context& c, const command_error& error);
// After printing: false when it did not get through, which is told then. lost: what that means.
bool was_printed(context& c, std::string_view lost = "");
// Asks, then prints the result as one line of JSON or through show.
void run(context& c, std::string_view command, const json::object& arguments, bool as_json,
         const std::function<void(const json::object&)>& show, const command_progress& progress = {});

// Fields of a result; empty or 0 when absent.
std::string text(const json::object& from, std::string_view name);
std::uint64_t number(const json::object& from, std::string_view name);
const json::array& list(const json::object& from, std::string_view name);
std::string human_bytes(std::uint64_t n);          // "1.5 MiB"
// What people are told for a word of a result.
struct said_for {
    std::string_view word, said;
};
std::string_view in_words(std::string_view word, std::initializer_list<said_for> known, std::string_view otherwise);
// Text from outside for a terminal: control characters, and those that change the direction of the line, as "?".
std::string plain(std::string_view from_outside);

// One per family: adds its commands to the application.
void add_serve(CLI::App& app, context& c);
void add_init(CLI::App& app, context& c);
void add_status(CLI::App& app, context& c);
void add_queue(CLI::App& app, context& c);
void add_contact(CLI::App& app, context& c);
void add_account(CLI::App& app, context& c);
void add_config(CLI::App& app, context& c);
void add_check(CLI::App& app, context& c);
void add_relay(CLI::App& app, context& c);
void add_shred(CLI::App& app, context& c);
void add_demo(CLI::App& app, context& c);

// The whole program.
int run_program(int argc, char** argv);

}  // namespace pp::cli
