// The table of commands, and what their handlers share.
#include "daemon/services/command_support.hpp"

#include "daemon/services/log.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace pp::services {

namespace commands {

void refuse(int exit_code, std::string text) { throw command_error{exit_code, std::move(text)}; }

int exit_code_of(const error_code& error) {
    if (error == storage::errc::full) return EX_TEMPFAIL;
    if (error == storage::errc::read_only || error == storage::errc::io_error) return EX_IOERR;
    if (error == storage::errc::no_access) return EX_OSERR;
    if (error == storage::errc::damaged || error == storage::errc::log_lost) return EX_DATAERR;
    if (error == storage::errc::locked) return EX_TEMPFAIL;
    if (error == storage::errc::no_keyring) return EX_NOINPUT;
    if (error == storage::errc::wrong_secret) return EX_NOPERM;
    if (error == storage::errc::exists_already) return EX_CANTCREAT;
    if (error == storage::errc::not_found || error == storage::errc::limit) return EX_DATAERR;
    return EX_SOFTWARE;
}

void call::only(std::initializer_list<std::string_view> known) const {
    for (const auto& argument : arguments)
        if (std::find(known.begin(), known.end(), std::string_view(argument.key())) == known.end())
            refuse(EX_USAGE, "this command has no argument \"" + std::string(argument.key()) + "\"");
}

std::string call::text(std::string_view name, std::string otherwise) const {
    const auto* found = arguments.if_contains(name);
    if (!found || found->is_null()) return otherwise;
    if (!found->is_string()) refuse(EX_USAGE, "argument \"" + std::string(name) + "\" must be a text");
    return std::string(found->as_string());
}

std::uint64_t call::number(std::string_view name, std::uint64_t otherwise, std::uint64_t least,
                           std::uint64_t most) const {
    const auto* found = arguments.if_contains(name);
    if (!found || found->is_null()) return otherwise;
    boost::system::error_code failed;
    const auto given = found->to_number<std::uint64_t>(failed);
    if (failed || given < least || given > most)
        refuse(EX_USAGE, "argument \"" + std::string(name) + "\" must be a whole number from " + std::to_string(least) +
                             " to " + std::to_string(most));
    return given;
}

bool call::flag(std::string_view name) const {
    const auto* found = arguments.if_contains(name);
    if (!found || found->is_null()) return false;
    if (!found->is_bool()) refuse(EX_USAGE, "argument \"" + std::string(name) + "\" must be true or false");
    return found->as_bool();
}

account& call::chosen_account() const {
    const auto wanted = text("account");
    if (wanted.empty()) {
        const auto accounts = n.accounts();
        if (accounts.empty()) refuse(EX_UNAVAILABLE, "this home has no account; make one with: peerpost init");
        return *accounts.front();
    }
    account* found = n.find_account(wanted);
    if (!found) found = n.find_login(wanted);
    if (!found) refuse(EX_NOUSER, "there is no account \"" + wanted + "\" here; see: peerpost account list");
    return *found;
}

std::string iso_time(storage::unix_ms at) {
    if (at == 0) return {};
    const std::time_t seconds = at / 1000;
    std::tm parts{};
    if (!gmtime_r(&seconds, &parts)) return {};
    std::array<char, 40> text;
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

}  // namespace commands

command_result run_command(node& n, std::string_view name, const boost::json::object& arguments,
                           const command_progress& progress) {
    struct entry {
        std::string_view name;
        boost::json::value (*run)(const commands::call&);
    };
    static constexpr std::array<entry, 25> table{{
        {"status", commands::status},
        {"queue", commands::queue},
        {"queue why", commands::queue_why},
        {"trace", commands::trace},
        {"invite", commands::invite},
        {"contact add", commands::contact_add},
        {"contact list", commands::contact_list},
        {"contact show", commands::contact_show},
        {"contact accept", commands::contact_accept},
        {"contact block", commands::contact_block},
        {"contact remove", commands::contact_remove},
        {"contact verify", commands::contact_verify},
        {"account add", commands::account_add},
        {"account list", commands::account_list},
        {"account name", commands::account_name},
        {"password new", commands::password_new},
        {"password list", commands::password_list},
        {"password revoke", commands::password_revoke},
        {"check", commands::check},
        {"relay link", commands::relay_link},
        {"relay status", commands::relay_status},
        {"relay use", commands::relay_use},
        {"relay list", commands::relay_list},
        {"relay drop", commands::relay_drop},
        {"shred", commands::shred},
    }};
    const auto found = std::find_if(table.begin(), table.end(), [&](const entry& e) { return e.name == name; });
    if (found == table.end())
        return command_error{EX_USAGE, "the running peerpost does not know this command: it is of another version; "
                                       "restart it"};
    try {
        const commands::call c{n, arguments, progress};
        return found->run(c);
    } catch (const command_error& error) {
        return error;
    } catch (const std::exception& error) {
        log(area::control).error("event=command_failed command={} error={}", field(name), field(error.what()));
        return command_error{EX_SOFTWARE, "internal error while running this command: " + std::string(error.what())};
    }
}

}  // namespace pp::services
