// RFC 9051 section 9: search, search-program, search-key; RFC 3501 section 9 for NEW, OLD, RECENT; RFC 4731 section 3
// for RETURN, RFC 5267 section 5 and RFC 9394 section 4 for its options; RFC 7162 section 7 for MODSEQ; RFC 5032, RFC
// 8474 and RFC 8514 for their keys.
#include "proto/imap/search/search_program.hpp"

#include "proto/imap/grammar/response.hpp"
#include "proto/imap/search/search_text.hpp"
#include "proto/mail/charset.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

struct word_entry {
    std::string_view word;
    search_op op;
    std::uint64_t number = 0;
    bool negated = false;
};
constexpr word_entry plain_words[] = {
    {"ALL", search_op::all},
    {"RECENT", search_op::recent},
    {"OLD", search_op::recent, 0, true},
    {"ANSWERED", search_op::flag, mail::answered},
    {"DELETED", search_op::flag, mail::deleted},
    {"DRAFT", search_op::flag, mail::draft},
    {"FLAGGED", search_op::flag, mail::flagged},
    {"SEEN", search_op::flag, mail::seen},
    {"UNANSWERED", search_op::flag, mail::answered, true},
    {"UNDELETED", search_op::flag, mail::deleted, true},
    {"UNDRAFT", search_op::flag, mail::draft, true},
    {"UNFLAGGED", search_op::flag, mail::flagged, true},
    {"UNSEEN", search_op::flag, mail::seen, true},
    {"SAVEDATESUPPORTED", search_op::all},
};
constexpr word_entry date_words[] = {
    {"BEFORE", search_op::before},           {"ON", search_op::on},           {"SINCE", search_op::since},
    {"SENTBEFORE", search_op::sent_before},  {"SENTON", search_op::sent_on},  {"SENTSINCE", search_op::sent_since},
    {"SAVEDBEFORE", search_op::saved_before}, {"SAVEDON", search_op::saved_on}, {"SAVEDSINCE", search_op::saved_since},
};
struct field_word {
    std::string_view word;
    search_field field;
};
// RFC 9051 section 6.4.4: what these find is in the ENVELOPE.
constexpr field_word field_words[] = {
    {"BCC", search_field::bcc},         {"CC", search_field::cc}, {"FROM", search_field::from},
    {"SUBJECT", search_field::subject}, {"TO", search_field::to},
};
// Fields that RFC 5322 section 3.6 allows once and whose whole text is among the search fields: HEADER needs no header.
constexpr field_word known_headers[] = {
    {"SUBJECT", search_field::subject},         {"MESSAGE-ID", search_field::message_id},
    {"IN-REPLY-TO", search_field::in_reply_to}, {"REFERENCES", search_field::references},
};

class search_reader {
public:
    search_reader(parser& args, const search_sets& sets, search_program& into, const std::string& charset)
        : args_(args), sets_(sets), into_(into), charset_(charset) {}

    void run() {
        if (!args_.failed() && !charset_.empty() && !mail::to_utf8("", charset_)) into_.unknown_charset = charset_;
        std::vector<std::uint32_t> keys;
        do keys.push_back(read_key());
        while (!args_.failed() && args_.take(' '));
        args_.end();
        if (!args_.failed()) group(search_op::both, std::move(keys));
    }

private:
    std::uint32_t add(search_key key) {
        if (into_.keys.size() >= search_keys_max) args_.fail("Too many search keys");
        else into_.keys.push_back(std::move(key));
        return into_.keys.empty() ? 0 : into_.root();
    }
    std::uint32_t add(search_op op, std::uint64_t number = 0) {
        search_key key;
        key.op = op;
        key.number = number;
        return add(std::move(key));
    }
    std::uint32_t negate(std::uint32_t child) { return group(search_op::negation, {child}); }

    // How late in the order of cost a key is decided.
    int cost(std::uint32_t number) const {
        const auto& key = into_.keys[number];
        if (key.op < search_op::field) return 0;
        if (key.op < search_op::before) return 1;
        if (key.op < search_op::header) return 2;
        if (key.op < search_op::body) return 3;
        if (key.op < search_op::both) return 4;
        int highest = 0;
        for (const auto child : key.children) highest = std::max(highest, costs_[child]);
        return highest;
    }
    std::uint32_t group(search_op op, std::vector<std::uint32_t> children) {
        if (args_.failed()) return 0;
        // Adding the root when there is only one key changes nothing but makes it the last: needed by the layout.
        for (auto n = costs_.size(); n < into_.keys.size(); ++n) costs_.push_back(cost(static_cast<std::uint32_t>(n)));
        std::stable_sort(children.begin(), children.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return costs_[a] < costs_[b]; });
        search_key key;
        key.op = op;
        key.children = std::move(children);
        return add(std::move(key));
    }

    // Folded, in UTF-8 (RFC 9051 section 6.4.4: that is the charset when none is named).
    std::string needle() {
        const auto text = args_.astring();
        if (args_.failed()) return {};
        if (charset_.empty()) return fold_text(text);
        const auto converted = mail::to_utf8(text, charset_);
        return converted ? fold_text(*converted) : std::string();
    }
    std::uint32_t field_key(search_field field) {
        search_key key;
        key.op = search_op::field;
        key.field = field;
        key.needle = needle();
        return add(std::move(key));
    }
    std::uint32_t header_key(std::string name) {
        for (const auto& known : known_headers)
            if (mail::equal_ascii_case(name, known.word)) return field_key(known.field);
        search_key key;
        key.op = search_op::header;
        key.name = std::move(name);
        key.needle = needle();
        return add(std::move(key));
    }
    std::uint32_t string_key(search_op op) {
        search_key key;
        key.op = op;
        key.needle = needle();
        return add(std::move(key));
    }
    std::uint32_t date_key(search_op op) {
        const auto text = args_.at_string() ? args_.quoted_or_literal() : args_.atom();
        if (args_.failed()) return 0;
        const auto day = mail::parse_search_date(text);
        if (!day) args_.fail("Not a date");
        return add(op, day ? static_cast<std::uint64_t>(static_cast<std::int64_t>(*day)) : 0);
    }
    std::uint32_t word_key(search_op op) {   // a keyword or an object id
        search_key key;
        key.op = op;
        key.needle = args_.atom();
        return add(std::move(key));
    }
    std::uint32_t modseq_key() {
        if (args_.at_string()) {   // entry name and type: mod-sequences here are per message, so they say nothing
            args_.quoted_or_literal();
            args_.space();
            if (!args_.take_word("priv") && !args_.take_word("shared") && !args_.take_word("all"))
                args_.fail("MODSEQ with an unknown entry type");
            args_.space();
        }
        into_.uses_modseq = true;
        return add(search_op::modseq, args_.number64());
    }
    std::uint32_t set_key(bool uid) {
        const auto written = args_.sequence();
        if (args_.failed()) return 0;
        search_key key;
        key.op = uid || written.saved_result() ? search_op::uids : search_op::numbers;
        if (written.saved_result()) {
            key.set = sets_.saved_result();
        } else {
            auto set = mail::parse_uid_set(written.text, uid ? sets_.last_uid() : sets_.last_number());
            if (!set) args_.fail("Not a set of messages");
            else key.set = std::move(*set);
        }
        return add(std::move(key));
    }

    std::uint32_t read_key() {
        if (!args_.enter()) return 0;
        const auto key = read_key_inside();
        args_.leave();
        return key;
    }
    std::uint32_t read_key_inside() {
        const char c = args_.peek();
        if (c == '(') {
            args_.take('(');
            std::vector<std::uint32_t> keys;
            do keys.push_back(read_key());
            while (!args_.failed() && args_.take(' '));
            args_.expect(')');
            return group(search_op::both, std::move(keys));
        }
        if ((c >= '0' && c <= '9') || c == '*' || c == '$') return set_key(false);
        const auto word = args_.keyword();
        if (args_.failed()) return 0;
        if (word == "NEW") {   // RFC 3501 section 6.4.4: RECENT UNSEEN
            const auto recent = add(search_op::recent);
            return group(search_op::both, {recent, negate(add(search_op::flag, mail::seen))});
        }
        for (const auto& entry : plain_words)
            if (word == entry.word) {
                const auto key = add(entry.op, entry.number);
                return entry.negated ? negate(key) : key;
            }
        args_.space();
        if (args_.failed()) return 0;
        if (word == "NOT") return negate(read_key());
        if (word == "OR") {
            const auto first = read_key();
            args_.space();
            const auto second = read_key();
            return group(search_op::either, {first, second});
        }
        if (word == "UID") return set_key(true);
        if (word == "HEADER") {
            auto name = args_.astring();
            args_.space();
            return header_key(std::move(name));
        }
        for (const auto& known : field_words)
            if (word == known.word) return field_key(known.field);
        for (const auto& entry : date_words)
            if (word == entry.word) return date_key(entry.op);
        if (word == "BODY") return string_key(search_op::body);
        if (word == "TEXT") return string_key(search_op::text);
        if (word == "KEYWORD") return word_key(search_op::keyword);
        if (word == "UNKEYWORD") return negate(word_key(search_op::keyword));
        if (word == "OLDER") return add(search_op::older, args_.nz_number());
        if (word == "YOUNGER") return add(search_op::younger, args_.nz_number());
        if (word == "LARGER") return add(search_op::larger, args_.number64());
        if (word == "SMALLER") return add(search_op::smaller, args_.number64());
        if (word == "MODSEQ") return modseq_key();
        if (word == "EMAILID") return word_key(search_op::email_id);
        if (word == "THREADID") return word_key(search_op::thread_id);
        args_.fail("Unknown search key");
        return 0;
    }

    parser& args_;
    const search_sets& sets_;
    search_program& into_;
    const std::string& charset_;
    std::vector<int> costs_;        // of the keys so far
};

struct option_word {
    std::string_view word;
    bool search_program::*member;
};
constexpr option_word plain_options[] = {
    {"MIN", &search_program::min},     {"MAX", &search_program::max},   {"ALL", &search_program::all},
    {"COUNT", &search_program::count}, {"SAVE", &search_program::save}, {"UPDATE", &search_program::update},
};

}  // namespace

search_program parse_search(parser& args, const search_sets& sets) {
    search_program program;
    args.space();
    parse_search_return(args, program);
    const auto charset = parse_search_charset(args);
    parse_search_keys(args, sets, program, charset);
    return program;
}

// RFC 9051 section 6.4.4: options that are not known MUST be refused with BAD; "()" means ALL.
void parse_search_return(parser& args, search_program& into) {
    if (!args.take_word("RETURN")) return;
    into.has_return = true;
    args.space();
    args.expect('(');
    while (!args.failed() && !args.take(')')) {
        const auto known = std::find_if(std::begin(plain_options), std::end(plain_options),
                                        [&](const auto& option) { return args.take_word(option.word); });
        if (known != std::end(plain_options)) {
            into.*known->member = true;
            if (known->word == "UPDATE" && args.rest().starts_with(" (")) {   // RFC 5465 section 7
                args.space();
                into.update_items = parse_fetch_items(args);
            }
        } else if (args.take_word("PARTIAL")) {
            args.space();
            if (into.partial) args.fail("More than one PARTIAL");
            into.partial = parse_partial_range(args);
        } else if (!args.take_word("CONTEXT")) {   // RFC 5267 section 4.2: a hint
            args.fail("Unknown SEARCH result option");
        }
        if (args.peek() != ')') args.space();
    }
    args.space();
    if (into.partial && into.all) args.fail("PARTIAL and ALL exclude each other");
    // "RETURN (UPDATE)" and "RETURN (SAVE)" alone ask for no result.
    if (!into.min && !into.max && !into.count && !into.save && !into.partial && !into.update) into.all = true;
}

std::string parse_search_charset(parser& args) {
    if (!args.take_word("CHARSET")) return {};
    if (args.expects_utf8()) args.fail("CHARSET cannot be named once UTF8=ACCEPT is enabled");   // RFC 6855 section 3
    args.space();
    auto charset = args.astring();
    args.space();
    return charset;
}

void parse_search_keys(parser& args, const search_sets& sets, search_program& into, const std::string& charset) {
    search_reader(args, sets, into, charset).run();
}

}  // namespace pp::imap
