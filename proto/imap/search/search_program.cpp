// Evaluation of search programs: three values, cheap keys first.
#include "proto/imap/search/search_program.hpp"

#include "proto/imap/search/search_text.hpp"
#include "proto/imap/search/searchable_text.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

truth of(bool value) { return value ? truth::yes : truth::no; }
truth opposite(truth value) {
    return value == truth::unknown ? value : value == truth::yes ? truth::no : truth::yes;
}

// Days since 1970; a date key's number holds the same as an unsigned value.
truth compare_day(std::int64_t day, search_op before, search_op on, const search_key& key) {
    const auto asked = static_cast<std::int64_t>(key.number);
    if (key.op == before) return of(day < asked);
    return of(key.op == on ? day == asked : day >= asked);
}

// RFC 9051 section 6.4.4, SENTBEFORE: the Date field as written. A mail without a usable one matches none of them.
truth sent(const search_key& key, const search_fields& fields) {
    if (!fields.sent) return truth::no;
    return compare_day(mail::day_in_its_zone(*fields.sent), search_op::sent_before, search_op::sent_on, key);
}

truth field_contains(const search_key& key, const search_fields& fields) {
    if (!fields.has(key.field)) return truth::no;
    const auto value = fields[key.field];
    if (key.field < search_field::message_id) return of(contains_folded(value, key.needle));
    return of(contains_folded(fold_text(value), key.needle));
}

truth header_contains(const search_key& key, const message_row& row) {
    for (const auto& value : header_texts(row.header, key.name)) {
        if (key.needle.empty()) return truth::yes;   // the field is there
        if (contains_folded(fold_text(value), key.needle)) return truth::yes;
    }
    return truth::no;
}

truth by_placement(const search_key& key, const mail_placement& mail, std::uint64_t now) {
    // RFC 5032 section 2: by INTERNALDATE, to the second, the target moment included on both sides.
    const auto target = static_cast<std::int64_t>(now) - static_cast<std::int64_t>(key.number);
    switch (key.op) {
    case search_op::before:
    case search_op::on:
    case search_op::since:
        return compare_day(mail::day_in_its_zone(mail.internal_date), search_op::before, search_op::on, key);
    case search_op::older: return of(mail.internal_date.unix_seconds <= target);
    case search_op::younger: return of(mail.internal_date.unix_seconds >= target);
    case search_op::saved_before:
    case search_op::saved_on:
    case search_op::saved_since:
        return compare_day(mail::day_in_its_zone(mail.save_date), search_op::saved_before, search_op::saved_on, key);
    case search_op::larger: return of(mail.size_bytes > key.number);
    case search_op::smaller: return of(mail.size_bytes < key.number);
    default: return truth::unknown;
    }
}

truth by_row(const search_key& key, const message_row& row) {
    switch (key.op) {
    case search_op::flag: return of((row.flags.system & key.number) != 0);
    case search_op::keyword: return of(row.flags.has(key.needle));
    case search_op::modseq: return of(row.modseq >= key.number);
    case search_op::email_id: return of(row.email_id == key.needle);
    case search_op::thread_id: return of(!row.thread_id.empty() && row.thread_id == key.needle);
    default: return truth::unknown;
    }
}

truth value_of(const search_program& program, std::uint32_t number, const search_facts& known) {
    const auto& key = program.keys[number];
    switch (key.op) {
    case search_op::all: return truth::yes;
    case search_op::numbers: return of(key.set.contains(known.number));
    case search_op::uids: return of(key.set.contains(known.uid));
    case search_op::recent: return of(known.recent);
    case search_op::sent_before:
    case search_op::sent_on:
    case search_op::sent_since: return known.fields ? sent(key, *known.fields) : truth::unknown;
    case search_op::field: return known.fields ? field_contains(key, *known.fields) : truth::unknown;
    case search_op::before:
    case search_op::on:
    case search_op::since:
    case search_op::older:
    case search_op::younger:
    case search_op::saved_before:
    case search_op::saved_on:
    case search_op::saved_since:
    case search_op::larger:
    case search_op::smaller:
        if (known.fields) return by_placement(key, known.fields->placement, known.now);
        if (known.row)
            return by_placement(key, {known.row->internal_date, known.row->save_date, known.row->size_bytes},
                                known.now);
        return truth::unknown;
    case search_op::header:
        if (known.candidates && known.candidates->excludes(number, known.uid)) return truth::no;
        return known.row && known.has_header ? header_contains(key, *known.row) : truth::unknown;
    case search_op::body:
    case search_op::text:
        if (key.needle.empty()) return truth::yes;   // RFC 9051 section 6.4.4: a substring of everything
        if (known.candidates && known.candidates->excludes(number, known.uid)) return truth::no;
        return known.texts ? (*known.texts)[number] : truth::unknown;
    case search_op::both:
    case search_op::either: {
        const auto deciding = key.op == search_op::both ? truth::no : truth::yes;
        auto result = opposite(deciding);
        for (const auto child : key.children) {
            const auto value = value_of(program, child, known);
            if (value == deciding) return value;
            if (value == truth::unknown) result = value;
        }
        return result;
    }
    case search_op::negation: return opposite(value_of(program, key.children.front(), known));
    default: return known.row ? by_row(key, *known.row) : truth::unknown;
    }
}

void collect_open(const search_program& program, std::uint32_t number, const search_facts& known,
                  std::vector<std::uint32_t>& out) {
    if (value_of(program, number, known) != truth::unknown) return;
    const auto& key = program.keys[number];
    if (key.op == search_op::body || key.op == search_op::text) out.push_back(number);
    for (const auto child : key.children) collect_open(program, child, known, out);
}

}  // namespace

bool search_program::uses(search_op first, search_op last) const {
    return std::any_of(keys.begin(), keys.end(), [&](const auto& key) { return key.op >= first && key.op <= last; });
}

truth evaluate(const search_program& program, const search_facts& known) {
    return value_of(program, program.root(), known);
}

std::vector<std::uint32_t> open_text_keys(const search_program& program, const search_facts& known) {
    std::vector<std::uint32_t> out;
    collect_open(program, program.root(), known, out);
    return out;
}

void freeze_numbers(search_program& program, const std::vector<std::uint32_t>& uids) {
    for (auto& key : program.keys) {
        if (key.op != search_op::numbers) continue;
        mail::uid_set meant;
        for (const auto& range : key.set.ranges())
            for (std::uint64_t number = range.first; number <= std::min<std::uint64_t>(range.last, uids.size());
                 ++number)
                if (number > 0) meant.add(uids[number - 1]);
        key.op = search_op::uids;
        key.set = std::move(meant);
    }
}

}  // namespace pp::imap
