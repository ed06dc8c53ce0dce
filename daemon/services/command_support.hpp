// What the handlers of the commands share: reading arguments, naming accounts, times and errors. A handler throws
// command_error; run_command is the one place that catches it.
#pragma once

#include "daemon/services/commands.hpp"

#include <boost/json.hpp>
#include <sysexits.h>

#include <initializer_list>

namespace pp::services::commands {

namespace json = boost::json;

// One call of a command.
struct call {
    node& n;
    const json::object& arguments;
    const command_progress& progress;

    // Throws EX_USAGE when an argument is not among these.
    void only(std::initializer_list<std::string_view> known) const;
    // An argument of its kind; `otherwise` (false) when it is not given. EX_USAGE when it is of another kind, or a
    // number outside least..most.
    std::string text(std::string_view name, std::string otherwise = {}) const;
    std::uint64_t number(std::string_view name, std::uint64_t otherwise, std::uint64_t least, std::uint64_t most) const;
    bool flag(std::string_view name) const;
    // The account of argument "account", by label or address; without it the first. EX_NOUSER, EX_UNAVAILABLE.
    account& chosen_account() const;
};

// Throws command_error. exit_code: of sysexits; text: what happened, why, what mends it.
[[noreturn]] void refuse(int exit_code, std::string text);

int exit_code_of(const error_code& error);      // of sysexits; EX_SOFTWARE for what is not the store's

// The value, or the error as a sentence that begins with what was tried.
template <class T>
T value_of(result<T> r, std::string_view tried) {
    if (r.has_error()) refuse(exit_code_of(r.error()), std::string(tried) + ": " + r.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*r);
}

std::string iso_time(storage::unix_ms at);      // "2026-11-22T07:00:00Z"; "" for 0
std::string_view state_name(storage::outbox_state state);   // "queued": the words of 01-product 1.4

// One handler for each name of run_command(); its arguments stand over it.
json::value status(const call& c);
json::value queue(const call& c);
json::value queue_why(const call& c);
json::value trace(const call& c);
json::value invite(const call& c);
json::value contact_add(const call& c);
json::value contact_list(const call& c);
json::value contact_show(const call& c);
json::value contact_accept(const call& c);
json::value contact_block(const call& c);
json::value contact_remove(const call& c);
json::value contact_verify(const call& c);
json::value account_add(const call& c);
json::value account_list(const call& c);
json::value account_name(const call& c);
json::value password_new(const call& c);
json::value password_list(const call& c);
json::value password_revoke(const call& c);
json::value check(const call& c);
json::value relay_link(const call& c);
json::value relay_status(const call& c);
json::value relay_use(const call& c);
json::value relay_list(const call& c);
json::value relay_drop(const call& c);
json::value shred(const call& c);

}  // namespace pp::services::commands
