// SORT and UID SORT (RFC 5256 section 3, BASE.6.4.SORT; RFC 5957), with the result options of RFC 5267 section 3
// (ESORT): search_run finds the mails, sort_run puts them in order.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/number_line.hpp"
#include "proto/imap/search/search_context.hpp"
#include "proto/imap/search/sort_run.hpp"

namespace pp::imap {

wire::task<reply> run_sort(connection& c, command& cmd) {
    const selected_sets sets(*c.selected);
    search_program program;
    cmd.args.space();
    parse_search_return(cmd.args, program);
    auto order = parse_sort_criteria(cmd.args);
    cmd.args.space();
    const auto charset = cmd.args.astring();
    cmd.args.space();
    parse_search_keys(cmd.args, sets, program, charset);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (tag_is_taken(c, program, cmd.tag)) co_return bad("The tag is that of an updating search");
    if (!program.unknown_charset.empty()) {
        if (program.save) c.selected->save_result({});
        co_return unknown_charset();
    }
    if (auto refused = numbers_refused(c, cmd, program)) co_return *refused;
    if (program.uses_modseq) c.enable_condstore();   // RFC 7162 section 3.1
    if (program.update) freeze_numbers(program, c.selected->numbers.uids());
    search_run search(c, program, selected_scope(c));
    auto wrong = co_await search.run();
    auto hits = search.take_hits();
    if (!wrong && !c.over) wrong = co_await sort_hits(c, 0, order, hits);
    if (c.over) co_return ok({});
    if (wrong) {
        if (program.save) c.selected->save_result({});
        co_return *wrong;
    }
    if (program.save) c.selected->save_result(saved_hits(program, hits));
    if (program.has_return) {
        const auto correlator = tag_correlator(cmd.tag);
        const search_answer answer{program, hits, cmd.uid, correlator};
        if (const auto text = esearch_text(answer)) c.untagged(*text);
    } else {
        co_await send_number_line(c, "SORT", program, hits, cmd.uid);
    }
    co_await c.drained();
    const bool updates =
        program.update && keep_context(c, cmd.tag, cmd.uid, std::move(program), std::move(order), hits);
    co_return ok(updates ? "SORT completed, changes will be told" : "SORT completed");
}

}  // namespace pp::imap
