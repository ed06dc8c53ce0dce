// RFC 9051 section 6.4.4: a mail that another session has expunged meanwhile is passed over.
#include "proto/imap/search/search_run.hpp"

#include "proto/imap/search/search_scanner.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// Rows asked for at once when they carry header blocks (up to mail::header_block_bytes_max each) or indexes.
constexpr std::size_t rows_with_headers_max = 64;
constexpr std::size_t rows_with_text_max = 32;
// A single mail, such as one that has just come, is read as quickly as the index is asked.
constexpr std::size_t index_asked_for_mails_min = 2;
static_assert(rows_with_headers_max <= rows_per_question_max && rows_with_text_max <= rows_per_question_max);

mail::uid_set uids_of(const search_hit* first, const search_hit* last) {
    mail::uid_set uids;
    for (; first != last; ++first) uids.add(first->uid);
    return uids;
}

}  // namespace

search_scope selected_scope(const connection& c) { return {0, &c.selected->numbers.uids()}; }

trouble numbers_refused(const connection& c, command& cmd, const search_program& program) {
    cmd.by_number = program.uses(search_op::numbers, search_op::numbers);
    if (cmd.by_number && c.uid_only) return uid_required();
    return std::nullopt;
}

search_run::search_run(connection& c, const search_program& program, search_scope scope)
    : c_(c), program_(program), scope_(scope), needs_fields_(program.uses(search_op::field, search_op::sent_since)),
      candidates_(program) {
    const bool headers = program.uses(search_op::header, search_op::header);
    if (program.uses(search_op::before, search_op::thread_id)) stages_.push_back({false, false, rows_per_question_max});
    if (headers) stages_.push_back({true, false, rows_with_headers_max});
    if (program.uses(search_op::body, search_op::text)) stages_.push_back({headers, true, rows_with_text_max});
}

wire::task<trouble> search_run::run() {
    std::vector<search_hit> mails;
    const auto& uids = *scope_.uids;
    mails.reserve(uids.size());
    for (std::size_t i = 0; i < uids.size(); ++i) mails.push_back({static_cast<std::uint32_t>(i + 1), uids[i], 0});
    co_return co_await run_among(std::move(mails));
}

wire::task<trouble> search_run::run_among(std::vector<search_hit> mails) {
    if (program_.uses(search_op::older, search_op::younger)) {
        read_clock question;
        const auto answer = co_await c_.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c_.refused(*why);
        now_ = std::get<std::uint64_t>(answer);
    }
    const auto batch = needs_fields_ ? search_rows_per_question_max : rows_per_question_max;
    std::vector<open_mail> waiting, open;
    bool index_asked = candidates_.question().needles.empty();
    for (std::size_t i = 0; i < mails.size() || !waiting.empty();) {
        for (; i < mails.size() && waiting.size() < batch; ++i) {
            open_mail mail{mails[i], nullptr};
            if (!settle(mail, evaluate(program_, facts(mail)))) waiting.push_back(std::move(mail));
        }
        if (waiting.empty()) break;
        if (!index_asked && waiting.size() >= index_asked_for_mails_min) {
            index_asked = true;
            auto wrong = co_await ask_index();
            if (wrong || c_.over) co_return wrong;
            std::erase_if(waiting, [this](const auto& mail) { return settle(mail, evaluate(program_, facts(mail))); });
            if (waiting.empty()) continue;
        }
        c_.tell_progress(i - waiting.size(), mails.size());
        co_await c_.drained();
        if (needs_fields_) {
            auto wrong = co_await by_fields(waiting, open);
            if (wrong || c_.over) co_return wrong;
        } else {
            open.swap(waiting);
            waiting.clear();
        }
        for (const auto& next : stages_) {
            if (open.empty()) break;
            auto wrong = co_await by_rows(next, open);
            if (wrong || c_.over) co_return wrong;
        }
        open.clear();
    }
    std::sort(hits_.begin(), hits_.end(), [](const auto& a, const auto& b) { return a.uid < b.uid; });
    if (damaged_ > 0)   // RFC 9051 section 7.1.2: the untagged form is a warning
        c_.untagged("NO [" + std::string(damage_code) + "] " + std::to_string(damaged_) +
                    (damaged_ == 1 ? " message is damaged and was" : " messages are damaged and were") +
                    " passed over; run peerpost check");
    co_return std::nullopt;
}

search_facts search_run::facts(const open_mail& mail) const {
    search_facts known;
    known.number = mail.hit.number;
    known.uid = mail.hit.uid;
    known.recent = scope_.mailbox == 0 && c_.selected && c_.selected->recent(mail.hit.uid);
    known.now = now_;
    known.candidates = &candidates_;
    known.fields = mail.fields.get();
    return known;
}

// A hit whose mod-sequence the answer needs stays open until its row is there.
bool search_run::settle(const open_mail& mail, truth value) {
    if (value == truth::unknown || (value == truth::yes && program_.uses_modseq && mail.hit.modseq == 0)) return false;
    if (value == truth::yes) hits_.push_back(mail.hit);
    return true;
}

// What the index cannot tell is read; only a store that is going away ends the search.
wire::task<trouble> search_run::ask_index() {
    auto question = candidates_.question();
    question.mailbox = scope_.mailbox;
    auto answer = co_await c_.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer); why && why->bye) co_return c_.refused(*why);
    if (auto* found = std::get_if<search_candidates>(&answer)) candidates_.answered(std::move(*found));
    co_return std::nullopt;
}

// Takes from `waiting` as many as one answer covers; those still undecided go to `open`.
wire::task<trouble> search_run::by_fields(std::vector<open_mail>& waiting, std::vector<open_mail>& open) {
    read_search_fields question;
    question.mailbox = scope_.mailbox;
    for (const auto& mail : waiting) question.uids.add(mail.hit.uid);
    auto answer = co_await c_.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c_.refused(*why);
    auto& found = std::get<search_rows>(answer);
    auto row = found.rows.begin();
    std::size_t taken = 0;
    for (; taken < waiting.size() && waiting[taken].hit.uid <= found.through; ++taken) {
        auto& mail = waiting[taken];
        while (row != found.rows.end() && row->uid < mail.hit.uid) ++row;
        if (row == found.rows.end() || row->uid != mail.hit.uid) continue;
        mail.fields = std::move(row->fields);
        if (!settle(mail, evaluate(program_, facts(mail)))) open.push_back(std::move(mail));
    }
    if (taken == 0) co_return no("The search cannot go on", "SERVERBUG");
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(taken));
    co_return std::nullopt;
}

// Moves what this stage decides out of `open`; mails that are gone are dropped. The stage with `text` is the only place
// where the texts of mails are read: what can narrow the candidates of BODY and TEXT keys belongs before it.
wire::task<trouble> search_run::by_rows(const stage& how, std::vector<open_mail>& open) {
    std::vector<open_mail> left;
    for (std::size_t from = 0, to = 0; from < open.size(); from = to) {
        to = std::min(from + how.rows, open.size());
        if (how.text && from > 0) c_.tell_progress(open[from].hit.number - 1, scope_.uids->size());
        read_rows question;
        for (auto i = from; i < to; ++i) question.uids.add(open[i].hit.uid);
        question.mailbox = scope_.mailbox;
        question.with_header = how.header;
        question.with_index = how.text;
        question.with_thread = program_.uses(search_op::thread_id, search_op::thread_id);
        auto answer = co_await c_.ask(std::move(question));
        if (const auto* why = std::get_if<refusal>(&answer)) co_return c_.refused(*why);
        auto rows = std::get<std::vector<message_row>>(std::move(answer));
        if (const auto later = drop_left_out(rows))
            while (to > from && open[to - 1].hit.uid >= *later) --to;
        auto at = from;
        for (const auto& row : rows) {
            while (at < to && open[at].hit.uid < row.uid) ++at;
            if (at == to) break;
            if (open[at].hit.uid != row.uid) continue;
            auto mail = open[at];
            mail.hit.modseq = row.modseq;
            auto known = facts(mail);
            known.row = &row;
            known.has_header = how.header;
            auto value = evaluate(program_, known);
            if (value == truth::unknown && how.text) {
                auto wrong = co_await scan(known, value);
                if (wrong || c_.over) co_return wrong;
                if (value == truth::unknown) continue;   // gone, or damaged
            }
            if (!settle(mail, value)) left.push_back(std::move(mail));
        }
    }
    open = std::move(left);
    co_return std::nullopt;
}

// Reads the mail's text until the program is decided. value stays unknown only for a mail that is gone, or damaged:
// that one is passed over, else it would keep everybody from searching the others.
wire::task<trouble> search_run::scan(search_facts& known, truth& value) {
    if (!known.row->index || known.row->index->parts.empty())
        co_return no("The structure of a message is not known", "SERVERBUG");
    search_scanner scanner(program_, open_text_keys(program_, known), known.row->index);
    auto texts = scanner.result();
    known.texts = &texts;
    for (auto next = scanner.wants(); next; next = scanner.wants()) {
        read_body question;
        question.uid = known.uid;
        question.mailbox = scope_.mailbox;
        question.offset = next->offset;
        question.length = next->length;
        auto answer = co_await c_.ask(std::move(question));
        if (c_.over) co_return std::nullopt;
        const auto* piece = std::get_if<bytes>(&answer);
        if (piece == nullptr || piece->size() != next->length) {
            const auto* why = std::get_if<refusal>(&answer);
            if (why && why->bye) co_return c_.refused(*why);
            read_rows again;   // expunged by another session meanwhile?
            again.mailbox = scope_.mailbox;
            again.uids.add(known.uid);
            const auto rows = co_await c_.ask(std::move(again));
            if (const auto* found = std::get_if<std::vector<message_row>>(&rows); found && found->empty())
                co_return std::nullopt;
            if (why && why->is_damage()) {
                ++damaged_;
                co_return std::nullopt;
            }
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

wire::task<trouble> fields_reader::next(std::vector<piece>& into) {
    into.clear();
    const auto* first = mails_.data() + at_;
    const auto count = std::min(mails_.size() - at_, search_rows_per_question_max);
    read_search_fields question;
    question.mailbox = mailbox_;
    question.uids = uids_of(first, first + count);
    auto answer = co_await c_.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c_.refused(*why);
    auto& found = std::get<search_rows>(answer);
    if (found.through < first->uid) co_return no("The search cannot go on", "SERVERBUG");
    auto row = found.rows.begin();
    for (; at_ < mails_.size() && mails_[at_].uid <= found.through; ++at_) {
        while (row != found.rows.end() && row->uid < mails_[at_].uid) ++row;
        if (row != found.rows.end() && row->uid == mails_[at_].uid)
            into.push_back({&mails_[at_], std::move(row->fields)});
    }
    co_return std::nullopt;
}

}  // namespace pp::imap
