// SEARCH and UID SEARCH (RFC 9051 section 6.4.4; RFC 5182 for RETURN (SAVE); RFC 5267 for RETURN (UPDATE)): the
// criteria are read, search_run finds the mails, search_result writes the answer.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/number_line.hpp"
#include "proto/imap/search/search_context.hpp"
#include "proto/imap/search/search_run.hpp"

namespace pp::imap {

wire::task<reply> run_search(connection& c, command& cmd) {
    const selected_sets sets(*c.selected);
    auto program = parse_search(cmd.args, sets);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (tag_is_taken(c, program, cmd.tag)) co_return bad("The tag is that of an updating search");
    if (!program.unknown_charset.empty()) {
        if (program.save) c.selected->save_result({});   // RFC 9051 section 6.4.4.1: NO empties the variable
        co_return unknown_charset();
    }
    if (auto refused = numbers_refused(c, cmd, program)) co_return *refused;
    if (program.uses_modseq) c.enable_condstore();   // RFC 7162 section 3.1
    if (program.update) freeze_numbers(program, c.selected->numbers.uids());
    search_run search(c, program, selected_scope(c));
    auto wrong = co_await search.run();
    if (c.over) co_return ok({});
    if (wrong) {
        if (program.save) c.selected->save_result({});
        co_return *wrong;
    }
    if (program.save) c.selected->save_result(saved_hits(program, search.hits()));
    if (c.rev2 || program.has_return) {
        const auto correlator = tag_correlator(cmd.tag);
        const search_answer answer{program, search.hits(), cmd.uid, correlator};
        if (const auto text = esearch_text(answer)) c.untagged(*text);
    } else {
        co_await send_number_line(c, "SEARCH", program, search.hits(), cmd.uid);
    }
    co_await c.drained();
    const bool updates =
        program.update && keep_context(c, cmd.tag, cmd.uid, std::move(program), {}, search.take_hits());
    co_return ok(updates ? "SEARCH completed, changes will be told" : "SEARCH completed");
}

}  // namespace pp::imap
