// SEARCH and UID SEARCH (RFC 9051 section 6.4.4; RFC 5182 for RETURN (SAVE)). Mails are decided in the order of cost: by
// number, then by row, by header block, by text; each stage reads only what the one before has left open, a batch at a
// time, so that no store transaction is held and memory is bounded.
#include "proto/imap/commands.hpp"
#include "proto/imap/connection.hpp"
#include "proto/imap/search_program.hpp"
#include "proto/imap/search_result.hpp"
#include "proto/imap/search_scanner.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// Rows asked for at once when they carry header blocks (up to mail::header_block_bytes_max each) or indexes.
constexpr std::size_t rows_with_headers_max = 64;
constexpr std::size_t rows_with_text_max = 32;
static_assert(rows_with_headers_max <= rows_per_question_max && rows_with_text_max <= rows_per_question_max);

constexpr std::size_t search_line_piece_bytes = 16 * 1024;   // of "* SEARCH ...", between two looks at the output

class selected_sets : public search_sets {
public:
    explicit selected_sets(const selected_mailbox& selected) : selected_(selected) {}
    std::uint32_t last_number() const override { return selected_.numbers.size(); }
    std::uint32_t last_uid() const override { return selected_.numbers.last_uid(); }
    const mail::uid_set& saved_result() const override { return selected_.saved_result(); }

private:
    const selected_mailbox& selected_;
};

// One search over the selected mailbox.
class search_run {
public:
    search_run(connection& c, const search_program& program) : c_(c), program_(program) {
        if (program.uses(search_op::flag, search_op::thread_id)) stages_.push_back({false, false, rows_per_question_max});
        const bool headers = program.uses(search_op::sent_before, search_op::header);
        if (headers) stages_.push_back({true, false, rows_with_headers_max});
        if (program.uses(search_op::body, search_op::text)) stages_.push_back({headers, true, rows_with_text_max});
    }

    // nullopt: done; else how the command ends.
    wire::task<std::optional<reply>> run() {
        const auto& uids = c_.selected->numbers.uids();
        std::vector<search_hit> open;
        for (std::size_t i = 0; i < uids.size();) {
            open.clear();
            for (; i < uids.size() && open.size() < rows_per_question_max; ++i) {
                const search_hit mail{static_cast<std::uint32_t>(i + 1), uids[i], 0};
                auto value = evaluate(program_, facts(mail));
                if (value == truth::yes && program_.uses_modseq) value = truth::unknown;   // its row is needed
                if (value == truth::yes) hits_.push_back(mail);
                if (value == truth::unknown) open.push_back(mail);
            }
            const auto before = hits_.size();
            for (const auto& next : stages_) {
                if (open.empty()) break;
                auto trouble = co_await decide(next, open);
                if (trouble || c_.over) co_return trouble;
            }
            if (hits_.size() != before)
                std::sort(hits_.begin(), hits_.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
        }
        co_return std::nullopt;
    }
    const std::vector<search_hit>& hits() const { return hits_; }

private:
    struct stage {
        bool header, text;
        std::size_t rows;
    };

    search_facts facts(const search_hit& mail) const {
        search_facts known;
        known.number = mail.number;
        known.uid = mail.uid;
        known.recent = c_.selected->recent(mail.uid);
        return known;
    }

    // Moves what this stage decides out of `open`; mails that are gone are dropped.
    wire::task<std::optional<reply>> decide(const stage& how, std::vector<search_hit>& open) {
        std::vector<search_hit> left;
        for (std::size_t from = 0; from < open.size(); from += how.rows) {
            const auto to = std::min(from + how.rows, open.size());
            read_rows question;
            for (auto i = from; i < to; ++i) question.uids.add(open[i].uid);
            question.with_header = how.header;
            question.with_index = how.text;
            auto answer = co_await c_.ask(std::move(question));
            if (const auto* why = std::get_if<refusal>(&answer)) co_return c_.refused(*why);
            const auto rows = std::get<std::vector<message_row>>(std::move(answer));
            auto at = from;
            for (const auto& row : rows) {
                while (at < to && open[at].uid < row.uid) ++at;
                if (at == to) break;
                if (open[at].uid != row.uid) continue;
                auto mail = open[at];
                mail.modseq = row.modseq;
                auto known = facts(mail);
                known.row = &row;
                known.has_header = how.header;
                auto value = evaluate(program_, known);
                if (value == truth::unknown && how.text) {
                    auto trouble = co_await scan(known, value);
                    if (trouble || c_.over) co_return trouble;
                }
                if (value == truth::yes) hits_.push_back(mail);
                if (value == truth::unknown) left.push_back(mail);
            }
        }
        open = std::move(left);
        co_return std::nullopt;
    }

    // Reads the mail's text until the program is decided. value stays unknown only for a mail that is gone.
    wire::task<std::optional<reply>> scan(search_facts& known, truth& value) {
        if (!known.row->index || known.row->index->parts.empty())
            co_return no("The structure of a message is not known", "SERVERBUG");
        search_scanner scanner(program_, open_text_keys(program_, known), known.row->index);
        auto texts = scanner.result();
        known.texts = &texts;
        for (auto next = scanner.wants(); next; next = scanner.wants()) {
            read_body question;
            question.uid = known.uid;
            question.offset = next->offset;
            question.length = next->length;
            auto answer = co_await c_.ask(std::move(question));
            if (c_.over) co_return std::nullopt;
            const auto* piece = std::get_if<bytes>(&answer);
            if (piece == nullptr || piece->size() != next->length) {
                const auto* why = std::get_if<refusal>(&answer);
                if (why && why->bye) co_return c_.refused(*why);
                read_rows again;   // expunged by another session meanwhile?
                again.uids.add(known.uid);
                const auto rows = co_await c_.ask(std::move(again));
                if (const auto* found = std::get_if<std::vector<message_row>>(&rows); found && found->empty())
                    co_return std::nullopt;
                co_return why ? c_.refused(*why) : no("A message is shorter than it should be", "SERVERBUG");
            }
            scanner.give(as_text(*piece));
            auto now = scanner.result();
            if (now == texts) continue;
            texts = std::move(now);
            value = evaluate(program_, known);
            if (value != truth::unknown) break;
        }
        texts = scanner.result();
        value = evaluate(program_, known);
        known.texts = nullptr;
        co_return std::nullopt;
    }

    connection& c_;
    const search_program& program_;
    std::vector<stage> stages_;
    std::vector<search_hit> hits_;
};

// RFC 3501 section 7.2.5, with the mod-sequence of RFC 7162 section 3.1.5.
wire::task<> send_search_line(connection& c, const search_program& program, const std::vector<search_hit>& hits, bool uid) {
    std::string line = "* SEARCH";
    std::uint64_t modseq = 0;
    for (const auto& hit : hits) {
        line += ' ' + std::to_string(uid ? hit.uid : hit.number);
        modseq = std::max(modseq, hit.modseq);
        if (line.size() < search_line_piece_bytes) continue;
        c.send(line);
        line.clear();
        co_await c.drained();
        if (c.over) co_return;
    }
    if (program.uses_modseq && !hits.empty()) line += " (MODSEQ " + std::to_string(modseq) + ')';
    line += "\r\n";
    c.send(line);
}

}  // namespace

wire::task<reply> run_search(connection& c, command& cmd) {
    const selected_sets sets(*c.selected);
    const auto program = parse_search(cmd.args, sets);
    if (cmd.args.failed()) co_return bad_arguments(cmd);
    if (!program.unknown_charset.empty()) {
        if (program.save) c.selected->save_result({});   // RFC 9051 section 6.4.4.1: NO empties the variable
        co_return no("The charset is not supported", "BADCHARSET (US-ASCII UTF-8)");
    }
    if (program.uses_modseq) c.condstore = true;   // RFC 7162 section 3.1
    search_run search(c, program);
    auto trouble = co_await search.run();
    if (c.over) co_return ok({});
    if (trouble) {
        if (program.save) c.selected->save_result({});
        co_return *trouble;
    }
    if (program.save) c.selected->save_result(saved_hits(program, search.hits()));
    if (c.rev2 || program.has_return) {
        if (const auto text = esearch_text(program, search.hits(), cmd.uid, cmd.tag)) c.untagged(*text);
    } else {
        co_await send_search_line(c, program, search.hits(), cmd.uid);
    }
    co_await c.drained();
    co_return ok("SEARCH completed");
}

}  // namespace pp::imap
