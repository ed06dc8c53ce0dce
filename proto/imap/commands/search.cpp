// SEARCH (RFC 9051 section 6.4.4; RFC 5182 for RETURN (SAVE); RFC 5267 for RETURN (UPDATE)) and SORT (RFC 5256 section
// 3, BASE.6.4.SORT; RFC 5957; RFC 5267 section 3 for its result options), each by number and by UID: the criteria are
// read, search_run finds the mails, sort_run puts them in order, search_result writes the answer.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/number_line.hpp"
#include "proto/imap/search/search_context.hpp"
#include "proto/imap/search/sort_run.hpp"

namespace pp::imap {

namespace {

// Both commands once their arguments are read. order: of SORT, not empty; empty: SEARCH, in the order of the mailbox.
wire::task<reply> find_and_tell(connection& c, command& cmd, search_program program,
                                std::vector<sort_criterion> order) {
    const std::string name = order.empty() ? "SEARCH" : "SORT";
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
    auto hits = search.take_hits();
    if (!order.empty() && !wrong && !c.over) wrong = co_await sort_hits(c, 0, order, hits);
    if (c.over) co_return ok({});
    if (wrong) {
        if (program.save) c.selected->save_result({});
        co_return *wrong;
    }
    if (program.save) c.selected->save_result(saved_hits(program, hits));
    // RFC 9051 section 6.4.4: IMAP4rev2 has no untagged SEARCH response. SORT has one of RFC 5256 in both.
    if (program.has_return || (c.rev2 && order.empty())) {
        const auto correlator = tag_correlator(cmd.tag);
        const search_answer answer{program, hits, cmd.uid, correlator};
        if (const auto text = esearch_text(answer)) c.untagged(*text);
    } else {
        co_await send_number_line(c, name, program, hits, cmd.uid);
    }
    co_await c.drained();
    const bool updates =
        program.update && keep_context(c, cmd.tag, cmd.uid, std::move(program), std::move(order), hits);
    co_return ok(name + (updates ? " completed, changes will be told" : " completed"));
}

}  // namespace

wire::task<reply> run_search(connection& c, command& cmd) {
    const selected_sets sets(*c.selected);
    auto program = parse_search(cmd.args, sets);
    std::vector<sort_criterion> order;
    return find_and_tell(c, cmd, std::move(program), std::move(order));
}

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
    return find_and_tell(c, cmd, std::move(program), std::move(order));
}

}  // namespace pp::imap
