// The criteria of SEARCH as a tree (RFC 9051 section 6.4.4, RFC 3501 section 6.4.4, RFC 7162 section 3.1.5, RFC 5032,
// RFC 8474 section 6, RFC 8514 section 4.2), its options, and its evaluation against what is known of a mail so far.
//
// Evaluation has three values: with little known of a mail many programs are decided already, and what is left over
// says what has to be read next. The order of cost: number and UID, fields, row, header, text.
#pragma once

#include "proto/imap/events.hpp"
#include "proto/imap/fetch/fetch_items.hpp"
#include "proto/imap/grammar/parser.hpp"
#include "proto/imap/grammar/partial_range.hpp"
#include "proto/imap/search/search_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pp::imap {

inline constexpr std::size_t search_keys_max = 1000;   // of one command; each BODY key costs a scan of every mail

enum class search_op : std::uint8_t {
    // decided by number and UID
    all, numbers, uids, recent,
    // by the search fields
    field, sent_before, sent_on, sent_since,
    // by the row; these also by the search fields, when those are there already
    before, on, since, older, younger, saved_before, saved_on, saved_since, larger, smaller,
    flag, keyword, modseq, email_id, thread_id,
    // by the header block
    header,
    // by the text
    body, text,
    // of others
    both, either, negation,
};

struct search_key {
    search_op op = search_op::all;
    std::uint64_t number = 0;                // flag bit, size, mod-sequence, seconds; a date as days since 1970
    search_field field = search_field::subject;
    std::string name;                        // of the field of header
    std::string needle;                      // folded (search_text.hpp); a keyword or object id as written
    mail::uid_set set;                       // of numbers, uids
    std::vector<std::uint32_t> children;     // of both (all of them), either, negation; cheap ones first
};

struct search_program {
    std::vector<search_key> keys;            // children before their parents; the last one is the root
    bool has_return = false;                 // RETURN (...) was written
    bool min = false, max = false, all = false, count = false, save = false, update = false;
    // of UPDATE: told of new mails that enter the result (RFC 5465 section 7)
    std::optional<fetch_request> update_items;
    std::optional<partial_range> partial;
    bool uses_modseq = false;                // the answer carries MODSEQ
    std::string unknown_charset;             // not empty: NO [BADCHARSET]

    std::uint32_t root() const { return static_cast<std::uint32_t>(keys.size() - 1); }
    bool uses(search_op first, search_op last) const;
};

enum class truth : std::uint8_t { no, yes, unknown };

// What the full-text index says of the body, text and header keys: mails that cannot match need not be read.
class key_candidates {
public:
    // The keys of the program the index can help with, as the question to it. No needles: nothing to ask.
    explicit key_candidates(const search_program& program);
    const find_candidates& question() const { return question_; }
    void answered(search_candidates answer) { answer_ = std::move(answer); }
    // This mail certainly does not match this key.
    bool excludes(std::uint32_t key, std::uint32_t uid) const;

private:
    find_candidates question_;
    std::vector<std::uint32_t> needle_of_key_;   // place in the question; none
    search_candidates answer_;
};

// What is known of one mail.
struct search_facts {
    std::uint32_t number = 0, uid = 0;
    bool recent = false;
    std::uint64_t now = 0;                                // seconds since 1970; for OLDER and YOUNGER
    const search_fields* fields = nullptr;                // nullptr: not read yet
    const message_row* row = nullptr;                     // nullptr: not read yet
    bool has_header = false;                              // row->header is set
    const std::vector<truth>* texts = nullptr;            // by key, of body and text keys
    const key_candidates* candidates = nullptr;           // nullptr: the index was not asked
};

truth evaluate(const search_program& program, const search_facts& known);
// The body and text keys on whose value the outcome still depends.
std::vector<std::uint32_t> open_text_keys(const search_program& program, const search_facts& known);

// Where the sets of a program get their meaning from.
class search_sets {
public:
    virtual ~search_sets() = default;
    virtual std::uint32_t last_number() const = 0;        // what "*" is
    virtual std::uint32_t last_uid() const = 0;
    virtual const mail::uid_set& saved_result() const = 0;   // UIDs, "$"
};

// Everything behind SEARCH. Errors are the parser's, except an unknown charset.
search_program parse_search(parser& args, const search_sets& sets);
// The two halves, for the commands that have something between them. RETURN (...), which may be missing, with its
// blank; the criteria, in this charset (empty: none named), to the end.
void parse_search_return(parser& args, search_program& into);
void parse_search_keys(parser& args, const search_sets& sets, search_program& into, const std::string& charset);
// CHARSET <name>, which may be missing, with its blank.
std::string parse_search_charset(parser& args);
// From now on message numbers mean the mails that have them now (RFC 5267 section 4.3).
void freeze_numbers(search_program& program, const std::vector<std::uint32_t>& uids);

}  // namespace pp::imap
