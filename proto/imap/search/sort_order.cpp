// RFC 5256 section 3, SORT command; texts compare as i;unicode-casemap orders them (RFC 5255 section 4.3, RFC 5051): by
// the octets of their folded form.
#include "proto/imap/search/sort_order.hpp"

#include <algorithm>
#include <numeric>

namespace pp::imap {

namespace {

struct key_word {
    std::string_view word;
    sort_key key;
};
constexpr key_word key_words[] = {
    {"ARRIVAL", sort_key::arrival}, {"CC", sort_key::cc},
    {"DATE", sort_key::date},       {"FROM", sort_key::from},
    {"SIZE", sort_key::size},       {"SUBJECT", sort_key::subject},
    {"TO", sort_key::to},           {"DISPLAYFROM", sort_key::display_from},
    {"DISPLAYTO", sort_key::display_to},
};

bool is_number(sort_key key) { return key == sort_key::arrival || key == sort_key::date || key == sort_key::size; }

std::int64_t number_of(sort_key key, const search_fields& fields) {
    if (key == sort_key::arrival) return fields.placement.internal_date.unix_seconds;
    if (key == sort_key::date) return sent_date(fields);
    return static_cast<std::int64_t>(fields.placement.size_bytes);
}

std::string_view text_of(sort_key key, const search_fields& fields) {
    switch (key) {
    case sort_key::cc: return fields[search_field::cc_mailbox];
    case sort_key::from: return fields[search_field::from_mailbox];
    case sort_key::subject: return fields[search_field::base_subject];
    case sort_key::to: return fields[search_field::to_mailbox];
    case sort_key::display_from: return fields[search_field::from_display];
    default: return fields[search_field::to_display];
    }
}

}  // namespace

std::vector<sort_criterion> parse_sort_criteria(parser& args) {
    std::vector<sort_criterion> order;
    args.expect('(');
    do {
        sort_criterion next;
        next.reverse = args.take_word("REVERSE");
        if (next.reverse) args.space();
        const auto word = args.keyword();
        const auto known = std::find_if(std::begin(key_words), std::end(key_words),
                                        [&](const auto& one) { return one.word == word; });
        if (known == std::end(key_words)) args.fail("Unknown sort key");
        else next.key = known->key;
        order.push_back(next);
        if (order.size() > sort_criteria_max) args.fail("Too many sort keys");
    } while (!args.failed() && args.take(' '));
    args.expect(')');
    return order;
}

std::int64_t sent_date(const search_fields& fields) {
    return fields.sent ? fields.sent->unix_seconds : fields.placement.internal_date.unix_seconds;
}

void sorter::add(const search_hit& mail, const search_fields& fields) {
    mails_.push_back(mail);
    for (const auto& criterion : order_) {
        value v;
        if (is_number(criterion.key)) {
            v.number = number_of(criterion.key, fields);
        } else {
            const auto text = text_of(criterion.key, fields);
            v.number = static_cast<std::int64_t>(text_.size());
            v.size = static_cast<std::uint32_t>(text.size());
            text_ += text;
        }
        values_.push_back(v);
    }
}

int sorter::compare(std::size_t a, std::size_t b) const {
    for (std::size_t i = 0; i < order_.size(); ++i) {
        const auto& left = values_[a * order_.size() + i];
        const auto& right = values_[b * order_.size() + i];
        int found = 0;
        if (is_number(order_[i].key)) {
            found = left.number < right.number ? -1 : left.number > right.number;
        } else {
            const std::string_view text = text_;
            found = text.substr(static_cast<std::size_t>(left.number), left.size)
                        .compare(text.substr(static_cast<std::size_t>(right.number), right.size));
        }
        if (found != 0) return order_[i].reverse ? -found : found;
    }
    return mails_[a].uid < mails_[b].uid ? -1 : mails_[a].uid > mails_[b].uid;   // REVERSE does not touch this one
}

std::vector<search_hit> sorter::sorted() {
    std::vector<std::size_t> places(mails_.size());
    std::iota(places.begin(), places.end(), std::size_t{0});
    std::sort(places.begin(), places.end(), [this](std::size_t a, std::size_t b) { return compare(a, b) < 0; });
    std::vector<search_hit> out;
    out.reserve(mails_.size());
    for (const auto place : places) out.push_back(mails_[place]);
    return out;
}

}  // namespace pp::imap
