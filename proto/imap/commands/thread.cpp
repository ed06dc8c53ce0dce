// THREAD and UID THREAD (RFC 5256 section 3, BASE.6.4.THREAD): search_run finds the mails, threader puts them together.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/number_line.hpp"
#include "proto/imap/search/sort_order.hpp"
#include "proto/imap/search/search_run.hpp"
#include "proto/imap/search/threading.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

struct algorithm_word {
    std::string_view word;
    thread_algorithm algorithm;
};
constexpr algorithm_word algorithms[] = {
    {"ORDEREDSUBJECT", thread_algorithm::ordered_subject},
    {"REFERENCES", thread_algorithm::references},
    {"REFS", thread_algorithm::refs},
};

constexpr std::size_t nodes_per_turn = 100'000;   // some milliseconds

// What threading a mail costs, as work_bytes_per_turn counts: each ID is looked for among all that came before it,
// which takes as long as copying some hundreds of bytes.
std::size_t threaded_bytes(const search_fields& fields) {
    constexpr std::size_t each_byte = 8;
    return each_byte * (fields[search_field::references].size() + fields[search_field::message_id].size() +
                        fields[search_field::base_subject].size());
}

reply too_many() { return no("Too many messages to thread", "LIMIT"); }

}  // namespace

wire::task<reply> run_thread(connection& c, command& cmd) {
    const selected_sets sets(*c.selected);
    search_program program;
    cmd.args.space();
    const auto word = cmd.args.keyword();
    cmd.args.space();
    const auto charset = cmd.args.astring();
    cmd.args.space();
    parse_search_keys(cmd.args, sets, program, charset);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    const auto how =
        std::find_if(std::begin(algorithms), std::end(algorithms), [&](const auto& one) { return one.word == word; });
    if (how == std::end(algorithms)) co_return bad("Unknown threading algorithm");
    if (!program.unknown_charset.empty()) co_return unknown_charset();
    if (auto refused = numbers_refused(c, cmd, program)) co_return *refused;
    if (program.uses_modseq) c.enable_condstore();   // RFC 7162 section 3.1
    program.uses_modseq = false;                   // the THREAD response has no place for it
    search_run search(c, program, selected_scope(c));
    auto wrong = co_await search.run();
    if (c.over) co_return ok({});
    if (wrong) co_return *wrong;
    if (search.hits().size() > sorted_mails_max) co_return too_many();

    threader threads(how->algorithm);
    fields_reader reader(c, 0, search.hits());
    std::vector<fields_reader::piece> pieces;
    while (!reader.done()) {
        wrong = co_await reader.next(pieces);
        if (c.over) co_return ok({});
        if (wrong) co_return *wrong;
        for (const auto& piece : pieces) {
            if (!threads.add(cmd.uid ? piece.mail->uid : piece.mail->number, *piece.fields)) co_return too_many();
            if (c.is_tired(threaded_bytes(*piece.fields))) co_await c.let_others_run();
            if (c.over) co_return ok({});
        }
    }
    while (threads.prepare(nodes_per_turn)) co_await c.let_others_run();
    if (c.over) co_return ok({});
    const auto text = threads.text();
    const auto line = text.empty() ? std::string("THREAD") : "THREAD " + text;
    co_await send_long_line(c, line);
    co_await c.drained();
    co_return ok("THREAD completed");
}

}  // namespace pp::imap
