#include "proto/imap/resync.hpp"

#include "proto/imap/uid_sets.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

// known-uids, known-sequence-set, known-uid-set: a sequence-set without "*" (RFC 7162 section 7).
mail::uid_set known_set(parser& args) {
    const auto written = args.sequence();
    if (args.failed()) return {};
    const bool star = written.text.find('*') != written.text.npos || written.saved_result();
    auto set = mail::parse_uid_set(written.text, 0);
    if (star || !set) {
        args.fail("Not a set of known numbers");
        return {};
    }
    return std::move(*set);
}

// Goes over the members of a set one by one without holding them.
class member_walk {
public:
    explicit member_walk(const mail::uid_set& set) : ranges_(set.ranges()) {}
    bool at_end() const { return at_ == ranges_.size(); }
    std::uint32_t value() const { return static_cast<std::uint32_t>(ranges_[at_].first + used_); }
    void step() {
        if (ranges_[at_].first + used_++ == ranges_[at_].last) {
            ++at_;
            used_ = 0;
        }
    }

private:
    const std::vector<mail::uid_set::range>& ranges_;
    std::size_t at_ = 0;
    std::uint64_t used_ = 0;
};

}  // namespace

// Departure: a mod-sequence of 0 is accepted, as in CHANGEDSINCE (05-mail-protocols 5.2.3): everything is told.
resync_request parse_resync(parser& args) {
    resync_request request;
    args.expect('(');
    request.uid_validity = args.nz_number();
    args.space();
    request.modseq = args.number64();
    if (args.take(' ')) {
        if (args.peek() != '(') {
            request.known_uids = known_set(args);
            if (args.peek() == ' ') args.space();
        }
        if (args.take('(')) {
            request.sample_numbers = known_set(args);
            args.space();
            request.sample_uids = known_set(args);
            args.expect(')');
            if (request.sample_numbers.count() != request.sample_uids.count())
                args.fail("As many numbers as UIDs belong into the match data");
        }
    }
    args.expect(')');
    return request;
}

std::uint32_t matched_uid(const resync_request& request, const sequence_map& numbers) {
    std::uint32_t matched = 0;
    member_walk uid(request.sample_uids);
    for (member_walk number(request.sample_numbers); !number.at_end() && !uid.at_end(); number.step(), uid.step()) {
        // Both rise: behind the first pair that differs something is missing below, so no other can match.
        if (number.value() == 0 || number.value() > numbers.size() || numbers.uid_at(number.value()) != uid.value())
            break;
        matched = uid.value();
    }
    return matched;
}

wire::task<std::optional<reply>> tell_resync(connection& c, const resync_request& request, mailbox_status opened) {
    if (request.uid_validity != opened.uid_validity || request.modseq >= opened.highest_modseq) co_return std::nullopt;
    read_history question;
    question.since_modseq = request.modseq;
    const auto answer = co_await c.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c.refused(*why);
    auto vanished = std::get<mailbox_history>(answer).vanished, changed = std::get<mailbox_history>(answer).changed;
    if (request.known_uids) {
        vanished = common(vanished, *request.known_uids);
        changed = common(changed, *request.known_uids);
    }
    // Removals since the mailbox was opened concern mails that have a number: they are told later, without EARLIER.
    vanished = without(vanished, c.selected->numbers.present(vanished));
    if (const auto known = matched_uid(request, c.selected->numbers); known > 0)
        vanished = without(vanished, mail::uid_set::of(1, known));
    c.tell_vanished(vanished, true);
    co_await c.drained();

    changed = c.selected->numbers.present(changed);
    uid_set_walk walk(changed);
    for (auto batch = walk.next(rows_per_question_max); !batch.empty(); batch = walk.next(rows_per_question_max)) {
        read_rows rows_question;
        rows_question.uids = std::move(batch);
        rows_question.changed_since = request.modseq;
        const auto rows = co_await c.ask(std::move(rows_question));
        if (const auto* why = std::get_if<refusal>(&rows)) co_return c.refused(*why);
        for (const auto& row : std::get<std::vector<message_row>>(rows)) {
            // Changed after the mailbox was opened: told as news, so that HIGHESTMODSEQ above stays true.
            if (row.modseq > opened.highest_modseq) continue;
            c.tell_flags(row, true);
            co_await c.drained();
            if (c.over) co_return std::nullopt;
        }
    }
    co_return std::nullopt;
}

}  // namespace pp::imap
