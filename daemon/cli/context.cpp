#include "daemon/cli/context.hpp"

#include "daemon/cli/control_client.hpp"
#include "daemon/cli/process.hpp"
#include "daemon/services/json_line.hpp"
#include "daemon/services/log.hpp"
#include "proto/mail/charset.hpp"

#include <pwd.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>

namespace pp::cli {

namespace {

// How long a daemon that has the home may take until its socket answers: it recovers its stores first.
constexpr auto daemon_start_patience = std::chrono::seconds(3);
constexpr auto daemon_start_poll = std::chrono::milliseconds(50);
constexpr const char* system_home = "/var/lib/peerpost";

command_error open_error(const context& c, const error_code& error) {
    const auto home = c.home.root.string();
    if (error == storage::errc::no_keyring)
        return {EX_NOINPUT, "there is no account in " + home + "; make one with: " + c.command("init")};
    if (error == storage::errc::locked)
        return {EX_TEMPFAIL, "another process has " + home + " open but does not answer on its control socket; it may "
                             "be starting or stopping. Try again, and look for it with: pgrep -a peerpost"};
    if (error == storage::errc::wrong_secret)
        return {EX_NOPERM, "the keyring of " + home + " does not open with the secret at hand (" +
                               c.home.key_file().string() + ", $PEERPOST_PASSPHRASE_FILE or the systemd credential "
                               "peerpost-key). Nothing was changed: put the right secret back"};
    if (error == storage::errc::no_access)
        return {EX_OSERR, "the home " + home + " cannot be opened: " + error.message() +
                              ". Nothing was changed: every file in it must belong to the user that peerpost runs as"};
    return {error == storage::errc::io_error ? EX_IOERR : EX_DATAERR,
            "the home " + home + " cannot be opened: " + error.message() +
                ". Nothing was changed; see the log lines above" + what_may_help(c, error)};
}

}  // namespace

std::string what_may_help(const context& c, const error_code& error) {
    if (error != storage::errc::damaged && error != storage::errc::log_lost) return "";
    return ". Restore a backup, or save what can be saved with: " + c.command("check --repair");
}

std::string context::command(std::string_view what) const {
    return "peerpost " + (home_is_default ? "" : "--home " + home.root.string() + " ") + std::string(what);
}

std::filesystem::path default_home() {
    std::error_code failed;
    if (geteuid() == 0 && std::filesystem::is_directory(system_home, failed)) return system_home;
    // XDG base directory specification: a relative path is to be ignored.
    if (const char* data = std::getenv("XDG_DATA_HOME"); data && data[0] == '/')
        return std::filesystem::path(data) / "peerpost";
    const char* home = std::getenv("HOME");
    if (!home || home[0] != '/') {
        const auto* user = getpwuid(geteuid());
        home = user ? user->pw_dir : "/";
    }
    return std::filesystem::path(home) / ".local" / "share" / "peerpost";
}

result<storage::home_lock> lock_home(const context& c) {
    // Who has used it, before who owns the folder: a container's root works in folders of its host's users.
    const bool in_use = storage::has_keyring(c.home);
    if (!become_owner_of(in_use ? c.home.keyring('a') : c.home.root)) return storage::errc::no_access;
    return storage::home_lock::acquire(c.home);
}

command_result ask(const context& c, std::string_view command, const json::object& arguments,
                   const command_progress& progress) {
    for (const auto& argument : arguments)
        if (argument.value().is_string() && !mail::is_valid_utf8(argument.value().as_string()))
            return command_error{EX_USAGE, "argument \"" + std::string(argument.key()) +
                                               "\" is no text in UTF-8; nothing was done"};
    if (auto answer = ask_daemon(c.home.control_socket(), command, arguments, progress)) return std::move(*answer);
    if (!storage::has_keyring(c.home)) {
        std::error_code failed;   // somebody else's home looks empty
        (void)std::filesystem::symlink_status(c.home.keyring('a'), failed);
        const bool closed = failed == std::errc::permission_denied;
        return open_error(c, closed ? storage::errc::no_access : storage::errc::no_keyring);
    }

    auto lock = lock_home(c);
    for (const auto until = std::chrono::steady_clock::now() + daemon_start_patience;
         lock.has_error() && lock.error() == storage::errc::locked && std::chrono::steady_clock::now() < until;) {
        std::this_thread::sleep_for(daemon_start_poll);
        if (auto answer = ask_daemon(c.home.control_socket(), command, arguments, progress)) return std::move(*answer);
        lock = lock_home(c);
    }
    if (lock.has_error()) return open_error(c, lock.error());

    const auto loaded = services::load_config(c.home.configuration());
    if (const auto* bad = std::get_if<services::config_error>(&loaded)) return command_error{EX_CONFIG, bad->text};
    services::start_log(std::get<services::config>(loaded));
    auto node = services::node::open(c.home, std::get<services::config>(loaded));
    if (!node) return open_error(c, node.error());
    return services::run_command(**node, command, arguments, progress);
}

void fail(context& c, const command_error& error) {
    std::cout.flush();
    std::cerr << "peerpost: " << error.text << "\n";
    c.exit_code = error.exit_code;
}

bool was_printed(context& c, std::string_view lost) {
    std::cout.flush();
    if (std::cout) return true;
    fail(c, {EX_IOERR, "the output could not be written" + std::string(lost)});
    return false;
}

void run(context& c, std::string_view command, const json::object& arguments, bool as_json,
         const std::function<void(const json::object&)>& show, const command_progress& progress) {
    const auto answer = ask(c, command, arguments, progress);
    if (const auto* error = std::get_if<command_error>(&answer)) return fail(c, *error);
    const auto& result = std::get<boost::json::value>(answer);
    if (as_json)
        std::cout << services::json_line(result) << "\n";
    else if (result.is_object())
        show(result.as_object());
    was_printed(c, "; the command was carried out all the same");
}

std::string text(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    return found && found->is_string() ? std::string(found->as_string()) : std::string();
}

std::uint64_t number(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    boost::system::error_code failed;
    const auto n = found ? found->to_number<std::uint64_t>(failed) : 0;
    return failed ? 0 : n;
}

const json::array& list(const json::object& from, std::string_view name) {
    static const json::array none;
    const auto* found = from.if_contains(name);
    return found && found->is_array() ? found->as_array() : none;
}

std::string human_bytes(std::uint64_t n) {
    constexpr std::array<const char*, 5> units{"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = static_cast<double>(n);
    std::size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
    std::array<char, 32> out;
    std::snprintf(out.data(), out.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return out.data();
}

std::string_view in_words(std::string_view word, std::initializer_list<said_for> known, std::string_view otherwise) {
    for (const auto& one : known)
        if (one.word == word) return one.said;
    return otherwise;
}

std::string plain(std::string_view from_outside) {
    std::string out(from_outside);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto byte = static_cast<unsigned char>(out[i]);
        // C1 controls in UTF-8 are 0xc2 0x80 to 0xc2 0x9f: some terminals obey them.
        const bool c1 = byte == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0;
        if (byte < 0x20 || byte == 0x7f || c1) out[i] = '?';
        if (c1) out[i + 1] = '?';
        // U+202A to U+202E and U+2066 to U+2069 turn the rest of the line round.
        const auto turns = std::string_view(out).substr(i, 3);
        const auto is_between = [&](std::string_view a, std::string_view b) { return turns >= a && turns <= b; };
        if (is_between("\xe2\x80\xaa", "\xe2\x80\xae") || is_between("\xe2\x81\xa6", "\xe2\x81\xa9"))
            out.replace(i, turns.size(), "?");
    }
    return out;
}

}  // namespace pp::cli
