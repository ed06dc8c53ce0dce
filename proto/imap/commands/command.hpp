// One command of the client and how it ends; the table of all commands. A command is a coroutine
//   wire::task<reply> run_<name>(connection& c, command& cmd);
// in its own file of this room: it parses cmd.args, asks the daemon, sends untagged responses and returns the
// tagged one. What changed elsewhere in the mailbox is told by the dispatcher between the two, as the table allows.
#pragma once

#include "proto/imap/grammar/parser.hpp"
#include "proto/wire/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pp::imap {

class connection;
struct refusal;

// A literal whose bytes are not read yet: the mail of APPEND, or one that is refused.
struct open_literal {
    std::uint64_t size_bytes = 0;
    bool synchronising = true;     // the client waits for "+" (RFC 7888 section 4 tells the other kind)
    bool binary = false;           // literal8, "~{n}"
};

struct command {
    command() = default;
    command(const command&) = delete;             // args looks into text
    command& operator=(const command&) = delete;

    std::string text;                  // after the name: arguments with their literals
    std::string tag;                   // safe to echo
    std::string name;                  // in capitals, without UID
    bool uid = false;                  // written as "UID <name>"
    bool by_number = false;            // a UID command whose arguments name mails by number: set by the command itself
    parser args;                       // begins at the space after the name, or at the end
    std::optional<open_literal> body;  // only APPEND and refused commands
};

struct reply {
    enum class kind : std::uint8_t { ok, no, bad, sent } what = kind::ok;   // sent: by the command itself
    std::string code;                  // without brackets; empty: none
    std::string text;                  // one plain sentence
};
inline reply ok(std::string_view text, std::string_view code = {}) {
    return {reply::kind::ok, std::string(code), std::string(text)};
}
inline reply no(std::string_view text, std::string_view code = {}) {
    return {reply::kind::no, std::string(code), std::string(text)};
}
inline reply bad(std::string_view text) { return {reply::kind::bad, {}, std::string(text)}; }
// RFC 9586 section 3: a number where only UIDs are in use.
inline reply uid_required() { return {reply::kind::bad, "UIDREQUIRED", "Only UIDs are in use"}; }
// BAD with the parser's sentence; NO when the arguments are well formed but name what can never be.
inline reply bad_arguments(const command& cmd) {
    return cmd.args.impossible() ? no(cmd.args.error(), "CANNOT") : bad(cmd.args.error());
}

// Which news of the selected mailbox may be told before the tagged response (RFC 9051 section 7.5.1: no EXPUNGE while
// no command is in progress, nor during FETCH, STORE, SEARCH; their UID forms allow it).
enum class telling : std::uint8_t { nothing, no_expunge, everything };

// States of RFC 9051 section 3 in which a command is valid, as bits.
inline constexpr unsigned in_not_authenticated = 1, in_authenticated = 2, in_selected = 4;
inline constexpr unsigned in_any_mailbox_state = in_authenticated | in_selected;
inline constexpr unsigned in_every_state = in_not_authenticated | in_authenticated | in_selected;

struct command_entry {
    std::string_view name;
    unsigned states;
    bool has_uid_form;
    telling tell;                      // of the plain form; the UID form may tell everything unless this is nothing
    wire::task<reply> (*run)(connection&, command&);
};
const command_entry* find_command(std::string_view name);
// Commands that read their last literal themselves, because it is a mail; and those whose arguments may be literal8.
inline bool takes_mail(std::string_view name) { return name == "APPEND" || name == "REPLACE"; }
inline bool takes_literal8(std::string_view name) { return name == "SETMETADATA"; }

}  // namespace pp::imap
