// ESEARCH (RFC 7377): one search over several mailboxes, which need not be selected. One ESEARCH response for each that
// holds a match; always UIDs.
#include "proto/imap/commands/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/grammar/mailbox_filter.hpp"
#include "proto/imap/grammar/number_line.hpp"
#include "proto/imap/grammar/response.hpp"
#include "proto/imap/search/search_context.hpp"
#include "proto/imap/search/search_run.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// Sets in a mailbox that is not selected: "$" means nothing there.
class listed_sets : public search_sets {
public:
    explicit listed_sets(const std::vector<std::uint32_t>& uids) : uids_(uids) {}
    std::uint32_t last_number() const override { return static_cast<std::uint32_t>(uids_.size()); }
    std::uint32_t last_uid() const override { return uids_.empty() ? 0 : uids_.back(); }
    const mail::uid_set& saved_result() const override { return nothing_; }

private:
    const std::vector<std::uint32_t>& uids_;
    const mail::uid_set nothing_;
};

struct request {
    std::vector<mailbox_filter> sources;
    search_program options;              // of RETURN; its criteria are read once for each mailbox
    std::string charset;
    parser keys;                         // stands at the criteria

    bool selected() const {
        return sources.empty() || std::any_of(sources.begin(), sources.end(), [](const auto& source) {
                   return source.what == mailbox_filter::kind::selected;
               });
    }
    bool others() const {
        return std::any_of(sources.begin(), sources.end(), [](const auto& source) {
            return source.what != mailbox_filter::kind::selected;
        });
    }
};

// esearch-source-opts, with its blank. No scope option is defined: what stands in their place is an error.
std::vector<mailbox_filter> parse_sources(parser& args, bool utf8) {
    std::vector<mailbox_filter> sources;
    if (!args.take_word("IN")) return sources;
    args.space();
    args.expect('(');
    do {
        sources.push_back(parse_mailbox_filter(args, utf8));
        if (sources.back().what == mailbox_filter::kind::selected_delayed)
            args.fail("SELECTED-DELAYED is no source of a search");   // RFC 7377 section 2.2
    } while (!args.failed() && args.take(' '));
    args.expect(')');
    args.space();
    return sources;
}

// One mailbox of the search.
struct searched {
    std::string name;
    std::uint32_t uid_validity = 0;
    search_scope scope;
};

wire::task<trouble> search_one(connection& c, const command& cmd, const request& asked, const searched& where,
                               const search_sets& sets) {
    auto program = asked.options;
    auto keys = asked.keys;
    parse_search_keys(keys, sets, program, asked.charset);
    if (keys.failed()) co_return bad(keys.error());
    const bool is_selected = where.scope.mailbox == 0;
    program.update = program.update && is_selected;   // RFC 7377 section 2.2
    if (program.update) freeze_numbers(program, *where.scope.uids);
    search_run search(c, program, where.scope);
    auto wrong = co_await search.run();
    if (wrong || c.over) co_return wrong;
    if (program.save) c.selected->save_result(saved_hits(program, search.hits()));
    if (!search.hits().empty()) {
        const auto correlator = tag_correlator(cmd.tag) + " MAILBOX " + mailbox_text(where.name, c.utf8()) +
                                " UIDVALIDITY " + std::to_string(where.uid_validity);
        const search_answer answer{program, search.hits(), true, correlator};
        if (const auto text = esearch_text(answer)) c.untagged(*text);
        co_await c.drained();
    }
    if (program.update) keep_context(c, cmd.tag, true, std::move(program), {}, search.take_hits());
    co_return std::nullopt;
}

wire::task<trouble> search_others(connection& c, const command& cmd, const request& asked) {
    list_mailboxes question;
    auto listed = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&listed)) co_return c.refused(*why);
    for (const auto& mailbox : std::get<std::vector<mailbox_entry>>(listed)) {
        const bool covered = std::any_of(asked.sources.begin(), asked.sources.end(),
                                         [&](const auto& source) { return source.covers(mailbox); });
        const bool done = asked.selected() && c.selected && mailbox.mailbox == c.selected->mailbox;
        if (!covered || done) continue;
        look_into_mailbox look;
        look.name = mailbox.name;
        auto answer = co_await c.ask(std::move(look));
        if (const auto* why = std::get_if<refusal>(&answer)) {
            if (why->bye) co_return c.refused(*why);
            continue;   // deleted meanwhile
        }
        const auto& found = std::get<opened_mailbox>(answer);
        const listed_sets sets(found.uids);
        const searched where{found.name, found.status.uid_validity, {found.status.mailbox, &found.uids}};
        auto wrong = co_await search_one(c, cmd, asked, where, sets);
        if (wrong || c.over) co_return wrong;
    }
    co_return std::nullopt;
}

}  // namespace

wire::task<reply> run_esearch(connection& c, command& cmd) {
    request asked;
    auto& args = cmd.args;
    args.space();
    asked.sources = parse_sources(args, c.utf8());
    parse_search_return(args, asked.options);
    asked.charset = parse_search_charset(args);
    asked.keys = args;
    auto program = asked.options;   // read once to know that all is well before anything is answered
    const std::vector<std::uint32_t> no_mails;
    parse_search_keys(args, listed_sets(no_mails), program, asked.charset);
    if (args.failed()) co_return bad_arguments(cmd);
    if (!c.selected && (asked.selected() || program.update)) co_return bad("No mailbox is selected");
    if (asked.others() && program.save) co_return bad("SAVE is for the selected mailbox alone");
    if (program.update && !asked.selected()) co_return bad("UPDATE is for the selected mailbox");
    if (c.selected && tag_is_taken(c, program, cmd.tag)) co_return bad("The tag is that of an updating search");
    if (auto refused = numbers_refused(c, cmd, program)) co_return *refused;
    if (program.uses_modseq) c.enable_condstore();   // RFC 7162 section 3.1
    trouble wrong;
    if (!program.unknown_charset.empty()) {
        wrong = unknown_charset();
    } else if (asked.selected()) {
        const selected_sets sets(*c.selected);
        const searched where{c.selected->name, c.selected->uid_validity, selected_scope(c)};
        wrong = co_await search_one(c, cmd, asked, where, sets);
    }
    if (!wrong && !c.over && asked.others()) wrong = co_await search_others(c, cmd, asked);
    if (c.over) co_return ok({});
    if (wrong) {
        if (program.save) c.selected->save_result({});   // RFC 9051 section 6.4.4.1: NO empties the variable
        co_return *wrong;
    }
    co_return ok("ESEARCH completed");
}

}  // namespace pp::imap
