// What the commands of one session share: input, output, questions to the daemon, the state of the session, and the
// news of the selected mailbox. Owned by server_session; a command gets it by reference.
//
//   not_authenticated --LOGIN/AUTHENTICATE--> authenticated <--UNSELECT/CLOSE-- selected
//          |                                     |  --SELECT/EXAMINE-->            |
//          '------------------- LOGOUT, BYE, end of input: over -------------------'
#pragma once

#include "proto/imap/commands/command.hpp"
#include "proto/imap/selected.hpp"
#include "proto/imap/server_session.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pp::imap {

class notification;
struct fetch_request;

enum class phase : std::uint8_t { not_authenticated, authenticated, selected };

class connection {
public:
    connection(server_session& machine, session_options given);
    ~connection();

    const session_options options;
    bool tls_active = false;
    bool rev2 = false;                            // ENABLE IMAP4rev2 (RFC 9051 section 6.3.1)
    bool utf8_accept = false;                     // ENABLE UTF8=ACCEPT (RFC 6855)
    bool utf8() const { return rev2 || utf8_accept; }   // names and quoted strings are UTF-8 on the wire
    bool condstore = false;                       // FETCH responses carry UID and MODSEQ (RFC 7162 sections 3.1, 3.2.4)
    bool qresync = false;                         // ENABLE QRESYNC: VANISHED, coming back (RFC 7162 section 3.2.3)
    bool uid_only = false;                        // ENABLE UIDONLY: UIDFETCH, VANISHED, no numbers (RFC 9586)
    bool metadata_news = false;                   // ENABLE METADATA: unsolicited METADATA responses (RFC 5464)
    bool compressed = false;                      // COMPRESS=DEFLATE is on (RFC 4978)
    bool over = false;                            // nothing more is read or sent
    bool leaving = false;                         // the tagged response of this command is the last
    int failed_logins = 0;
    std::optional<selected_mailbox> selected;
    std::unique_ptr<notification> notify;         // what NOTIFY has asked for (RFC 5465); null: never asked
    phase at() const {
        return !logged_in_ ? phase::not_authenticated : selected ? phase::selected : phase::authenticated;
    }
    void logged_in();
    bool login_allowed() const { return options.login_allowed || tls_active; }   // LOGINDISABLED until TLS

    wire::task<> serve();                         // the whole life of the session

    // ---- the dialogue (proto/wire/dialogue.hpp)
    template <class E>
    auto ask(E question) { return machine_.ask(std::move(question)); }
    auto more_input() { return machine_.more_input(); }
    auto drained() { return machine_.drained(); }   // after every larger piece of output
    wire::input_buffer& input() { return machine_.input(); }
    bool has_news() const { return machine_.has_news(); }
    void clear_news() { machine_.clear_news(); }
    void listen_to_news(bool on) { machine_.listen_to_news(on); }
    void set_deadline(wire::time_point at) { machine_.set_deadline(at); }
    wire::time_point now() const { return machine_.now(); }

    // ---- output
    void send(std::string_view text) { machine_.send(text); }
    void send(bytes_view data) { machine_.send(data); }
    void untagged(std::string_view line);         // "* " line CRLF
    void bye(std::string_view text, std::string_view code = {});   // once; the session is over after it
    // For commands that take long, between two steps: "OK [INPROGRESS ("tag" done goal)]" (RFC 9585) at most every
    // progress_every, the first after as long. Commands that write as they go need none.
    void tell_progress(std::size_t done, std::size_t goal);
    // For commands that work long without asking or writing: true when so many bytes of work since the last time are
    // enough for one turn. Then co_await let_others_run().
    bool is_tired(std::size_t worked_bytes);
    wire::task<> let_others_run();
    // NO with the refusal's code; a refusal with `bye` ends the session.
    reply refused(const refusal& why);

    // ---- input beside commands: AUTHENTICATE, IDLE, APPEND. nullopt: the session is over (told why already).
    // A line without its end, at most max bytes.
    wire::task<std::optional<std::string>> read_line(std::size_t max);
    // Asks for the literal when it synchronises ("+ ..."). Then read_piece until it gives an empty piece (or `over`).
    wire::task<> accept_literal(const open_literal& literal);
    wire::task<bytes> read_piece(std::uint64_t& left);
    // Reads to the end of the command and drops it, as far as the client sends it without being asked.
    wire::task<> discard(open_literal literal);

    // ---- APPENDs that are answered later, because the client has sent more already (RFC 9051 section 5.5)
    bool may_answer_later(std::uint64_t size_bytes);
    void answer_later(std::string tag);           // of an APPEND that is submitted
    wire::task<> settle_appends();                // waits for all of them and sends their tagged responses

    // ---- news of the selected mailbox
    // Asks poll_changes and tells what `how` allows; what it does not allow waits. uid: flag changes carry UIDs.
    wire::task<> tell_changes(telling how, bool uid);
    // "* n FETCH (FLAGS (...))" with UID and MODSEQ as needed; remembers it as told. No number: nothing is sent.
    void tell_flags(const message_row& row, bool uid);
    wire::task<> tell_metadata();                 // what other sessions have annotated, to those that enabled it
    // EXPUNGE responses, or VANISHED once QRESYNC or UIDONLY is enabled (RFC 7162 section 3.2.10).
    void tell_expunged(const mail::uid_set& gone);
    void tell_vanished(const mail::uid_set& gone, bool earlier);
    // "* n FETCH (" or "* uid UIDFETCH (" of a mail that has a number, without the end.
    std::string fetch_head(std::uint32_t uid, std::uint32_t number) const;
    // A CONDSTORE enabling command (RFC 7162 section 3.1); the first one tells HIGHESTMODSEQ of the selected mailbox.
    void enable_condstore();
    // "HIGHESTMODSEQ n" for the tagged OK of a command that removed mails (RFC 7162 section 3.2.7), after news have
    // been told; empty without QRESYNC.
    wire::task<std::string> highest_modseq_code(bool uid);
    void announce_keywords(const mail::flags& flags);   // the same again when a keyword is new
    void tell_keywords();                         // "* FLAGS (\Answered ... $Forwarded)", and which of them are kept
    wire::task<> leave_mailbox();                 // close_mailbox, state authenticated
    // This session has put mails into the mailbox of that UIDVALIDITY, which no two have. Is it the selected one?
    bool has_put_here(std::uint32_t uid_validity, const std::vector<std::uint32_t>& uids);

    // ---- NOTIFY (connection_notify.cpp)
    wire::task<> watch_account(bool on);          // news of other mailboxes, too
    // FETCH responses that nobody has asked for with FETCH: of new mails, rising UIDs. What cannot be read is left out.
    wire::task<> tell_items(const fetch_request& items, const std::vector<std::uint32_t>& uids);
    // A change to the names of mailboxes or to subscriptions that this client makes itself: it is not told of it.
    void own_change(const std::string& mailbox);
    void overflow_notifications();                // "OK [NOTIFICATIONOVERFLOW]", as NOTIFY NONE (RFC 5465 section 5.8)

private:
    enum class line_end : std::uint8_t { found, too_long, over };
    wire::task<line_end> take_line(std::string& line, std::size_t max);
    wire::task<> refuse_line(std::string_view tag, std::string_view why);   // BAD for what cannot be run
    wire::task<bool> read_command(command& cmd);  // false: nothing to run (over, or answered already)
    wire::task<bool> read_literals(command& cmd);
    wire::task<> run_command(command& cmd);
    wire::task<> tell_news_of(const command& cmd, telling allowed);
    wire::task<> tell_selected(telling how, bool uid);
    wire::task<> tell_others();                   // what NOTIFY watches beside the selected mailbox
    wire::task<> tell_while_quiet();              // while no command has come; with NOTIFY only
    wire::task<bool> wait();                      // for input; false: over
    void finish(const command& cmd, const reply& result);
    void note_bad();

    server_session& machine_;
    std::string running_tag_;
    wire::time_point progress_at_{};              // the next INPROGRESS
    std::deque<std::string> appends_;             // tags of the APPENDs that are submitted, oldest first
    bool logged_in_ = false;
    std::size_t worked_bytes_ = 0;                // since others had their turn
    int commands_before_login_ = 0;
    int bad_commands_ = 0;                        // in a row; before login: in all
};

reply append_reply(const appended& done);   // OK with APPENDUID

}  // namespace pp::imap
