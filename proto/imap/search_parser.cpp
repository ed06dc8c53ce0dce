// RFC 9051 section 9: search, search-program, search-key; RFC 3501 section 9 for NEW, OLD, RECENT; RFC 4731 section 3 for
// RETURN; RFC 7162 section 7 for MODSEQ; RFC 8474 and RFC 8514 for their keys.
#include "proto/imap/search_program.hpp"

#include "proto/imap/response.hpp"
#include "proto/imap/search_text.hpp"
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
constexpr std::string_view header_words[] = {"BCC", "CC", "FROM", "SUBJECT", "TO"};

class search_reader {
public:
    search_reader(parser& args, const search_sets& sets, search_program& into) : args_(args), sets_(sets), into_(into) {}

    void run() {
        if (args_.take_word("RETURN")) {
            read_return();
            args_.space();
        }
        if (args_.take_word("CHARSET")) {
            args_.space();
            charset_ = args_.astring();
            if (!args_.failed() && !mail::to_utf8("", charset_)) into_.unknown_charset = charset_;
            args_.space();
        }
        std::vector<std::uint32_t> keys;
        do keys.push_back(read_key());
        while (!args_.failed() && args_.take(' '));
        args_.end();
        if (!args_.failed()) group(search_op::both, std::move(keys));
    }

private:
    // RFC 9051 section 6.4.4: options that are not known MUST be refused with BAD; "()" means ALL.
    void read_return() {
        into_.has_return = true;
        args_.space();
        args_.expect('(');
        while (!args_.failed() && !args_.take(')')) {
            if (args_.take_word("MIN")) into_.min = true;
            else if (args_.take_word("MAX")) into_.max = true;
            else if (args_.take_word("ALL")) into_.all = true;
            else if (args_.take_word("COUNT")) into_.count = true;
            else if (args_.take_word("SAVE")) into_.save = true;
            else args_.fail("Unknown SEARCH result option");
            if (args_.peek() != ')') args_.space();
        }
        if (!into_.min && !into_.max && !into_.count && !into_.save) into_.all = true;
    }

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
        if (key.op < search_op::flag) return 0;
        if (key.op < search_op::sent_before) return 1;
        if (key.op < search_op::body) return 2;
        if (key.op < search_op::both) return 3;
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
    std::uint32_t header_key(std::string field) {
        search_key key;
        key.op = search_op::header;
        key.field = std::move(field);
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
            auto field = args_.astring();
            args_.space();
            return header_key(std::move(field));
        }
        for (const auto name : header_words)
            if (word == name) return header_key(std::string(name));
        for (const auto& entry : date_words)
            if (word == entry.word) return date_key(entry.op);
        if (word == "BODY") return string_key(search_op::body);
        if (word == "TEXT") return string_key(search_op::text);
        if (word == "KEYWORD") return word_key(search_op::keyword);
        if (word == "UNKEYWORD") return negate(word_key(search_op::keyword));
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
    std::string charset_;
    std::vector<int> costs_;        // of the keys so far
};

}  // namespace

search_program parse_search(parser& args, const search_sets& sets) {
    search_program program;
    args.space();
    search_reader(args, sets, program).run();
    return program;
}

}  // namespace pp::imap
