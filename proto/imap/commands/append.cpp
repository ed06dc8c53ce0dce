// APPEND (RFC 9051 section 6.3.12; RFC 3502 for several mails, RFC 4315 for APPENDUID, RFC 7889 for the limit) and
// REPLACE (RFC 8508). All mails of a command are kept or none is.
#include "proto/imap/commands/append_reader.hpp"
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/grammar/uid_list.hpp"

namespace pp::imap {

namespace {
std::string append_uid(const appended& done) {
    return "APPENDUID " + std::to_string(done.uid_validity) + ' ' + uid_list_text(done.uids);
}
}  // namespace

wire::task<reply> run_append(connection& c, command& cmd) {
    cmd.args.space();
    const auto name = cmd.args.mailbox(c.utf8());
    const auto written = cmd.args.written_name();
    append_reader mails(c, cmd);
    const auto failed = co_await mails.read(name, std::nullopt);
    if (failed) co_return *failed;
    tell_normal_form(c, name, written, "");
    if (c.may_answer_later(mails.bytes_in_all())) {
        append_submit submit;
        co_await c.ask(std::move(submit));
        c.answer_later(cmd.tag);
        reply later;
        later.what = reply::kind::sent;
        co_return later;
    }
    append_end end;
    const auto answer = co_await c.ask(std::move(end));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto& done = std::get<appended>(answer);
    // RFC 9051 section 6.3.12: mail for the selected mailbox is told at once.
    if (c.has_put_here(done.uid_validity, done.uids)) co_await c.tell_changes(telling::everything, false);
    co_return append_reply(done);
}

// RFC 8508 section 3.4: one mail takes the place of another, in one step.
wire::task<reply> run_replace(connection& c, command& cmd) {
    cmd.args.space();
    const auto which = cmd.args.sequence();
    if (which.text.find_first_of(":,$") != which.text.npos) cmd.args.fail("REPLACE takes one message");
    cmd.args.space();
    const auto name = cmd.args.mailbox(c.utf8());
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto found = c.selected->resolve(which, cmd.uid);
    if (const auto* sentence = std::get_if<std::string>(&found)) co_return bad(*sentence);
    const auto& uids = std::get<mail::uid_set>(found);
    if (uids.empty()) co_return no("There is no such message", "NONEXISTENT");
    if (c.selected->read_only) co_return no("The mailbox is open for reading only", "NOPERM");
    const auto replaced = uids.ranges().front().first;
    append_reader mails(c, cmd);
    const auto failed = co_await mails.read(name, replaced);
    if (failed) co_return *failed;
    append_end end;
    end.replaces = replaced;
    const auto answer = co_await c.ask(std::move(end));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    const auto& done = std::get<appended>(answer);
    // RFC 8508 section 4.3: APPENDUID before EXPUNGE, so that the client knows the new one before it forgets the old.
    c.untagged("OK [" + append_uid(done) + "] Replacement message ready");
    c.tell_expunged(mail::uid_set::of(replaced, replaced));   // whatever NOTIFY asks for: the client has done it
    c.has_put_here(done.uid_validity, done.uids);
    co_await c.tell_changes(telling::everything, cmd.uid);
    const auto code = co_await c.highest_modseq_code(cmd.uid);   // RFC 7162 section 3.2.7: as UID EXPUNGE
    co_return ok("REPLACE completed", code);
}

reply append_reply(const appended& done) { return ok("APPEND completed", append_uid(done));
}

}  // namespace pp::imap
