// Reads the mails of APPEND and REPLACE (RFC 9051 section 6.3.12, with the grammar of RFC 4466 section 2.6): literals,
// literal8 (RFC 3516 section 4.4), several mails (RFC 3502), UTF8 (~{...}) (RFC 6855 section 4), CATENATE (RFC 4469).
// Mails stream to the daemon in pieces; none is held whole.
//
// A command with mails is read as far as its next literal: cmd.args stands in the text before it, cmd.body is the
// literal itself. Whatever goes wrong, cmd.body then still holds a literal that has not been read: the frame around the
// commands throws it away, as far as the client sends it unasked.
#pragma once

#include "proto/imap/connection.hpp"
#include "proto/imap/fetch/fetch_section.hpp"

namespace pp::imap {

class append_reader {
public:
    append_reader(connection& c, command& cmd) : c_(c), cmd_(cmd), line_bytes_left_(command_bytes_max) {}

    // From the blank behind the mailbox name to the end of the command. nullopt: the daemon has all mails, and
    // append_end may be asked. Else how the command ends; the daemon has been told to drop them.
    wire::task<std::optional<reply>> read(const std::string& mailbox, std::optional<std::uint32_t> replaces);
    std::uint64_t bytes_in_all() const { return bytes_in_all_; }   // of the mails that were read

private:
    using problem = std::optional<reply>;

    wire::task<problem> one_mail(const std::string& mailbox);
    wire::task<problem> begin(append_begin question);
    wire::task<problem> whole(append_begin question, bool utf8);
    wire::task<problem> parts(append_begin question);
    wire::task<problem> part();
    wire::task<problem> literal();               // cmd.body to the daemon, and the line that follows it
    wire::task<problem> url();
    wire::task<problem> copy(const std::string& url);
    wire::task<problem> copy_range(const std::string& url, std::uint64_t mail, byte_range range);
    wire::task<bool> next_line();                // false: over
    std::uint64_t bytes_max() const;
    reply malformed() { return bad_arguments(cmd_); }

    connection& c_;
    command& cmd_;
    std::size_t line_bytes_left_;                // of the whole command, its mails not counted
    std::uint64_t bytes_ = 0;                    // of the mail being read
    std::uint64_t bytes_in_all_ = 0;
    std::optional<std::uint32_t> replaces_;
    bool begun_ = false;
};

}  // namespace pp::imap
