// One search over one mailbox (RFC 9051 section 6.4.4). Mails are decided in the order of cost: by number, by the
// full-text index, by search fields, by row, by header block, by text; each stage reads only what the one before has
// left open, a batch at a time, so that no store transaction is held and memory is bounded.
#pragma once

#include "proto/imap/connection.hpp"
#include "proto/imap/search/search_program.hpp"
#include "proto/imap/search/search_result.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace pp::imap {

// Which mailbox is searched.
struct search_scope {
    std::uint64_t mailbox = 0;                            // 0: the selected one
    // its mails, rising: number n is (*uids)[n - 1]; must outlive the run
    const std::vector<std::uint32_t>* uids = nullptr;
};
search_scope selected_scope(const connection& c);

// What sets of the selected mailbox mean.
class selected_sets : public search_sets {
public:
    explicit selected_sets(const selected_mailbox& selected) : selected_(selected) {}
    std::uint32_t last_number() const override { return selected_.numbers.size(); }
    std::uint32_t last_uid() const override { return selected_.numbers.last_uid(); }
    const mail::uid_set& saved_result() const override { return selected_.saved_result(); }

private:
    const selected_mailbox& selected_;
};

// nullopt: all is well; else how the command ends. When c.over, nothing matters any more.
using trouble = std::optional<reply>;

// Numbers in the criteria of a command that only knows UIDs (RFC 9586 section 3): how it ends. Else notes in the
// command that it names mails by number.
trouble numbers_refused(const connection& c, command& cmd, const search_program& program);

class search_run {
public:
    search_run(connection& c, const search_program& program, search_scope scope);
    wire::task<trouble> run();                                       // over all mails
    wire::task<trouble> run_among(std::vector<search_hit> mails);    // over these, rising
    const std::vector<search_hit>& hits() const { return hits_; }    // rising
    std::vector<search_hit> take_hits() { return std::move(hits_); }

private:
    struct open_mail {
        search_hit hit;
        std::shared_ptr<const search_fields> fields;                 // null: not read
    };
    struct stage {
        bool header, text;
        std::size_t rows;
    };

    search_facts facts(const open_mail& mail) const;
    bool settle(const open_mail& mail, truth value);                 // false: still open
    wire::task<trouble> ask_index();
    wire::task<trouble> by_fields(std::vector<open_mail>& waiting, std::vector<open_mail>& open);
    wire::task<trouble> by_rows(const stage& how, std::vector<open_mail>& open);
    wire::task<trouble> scan(search_facts& known, truth& value);

    connection& c_;
    const search_program& program_;
    const search_scope scope_;
    bool needs_fields_;
    key_candidates candidates_;
    std::uint64_t now_ = 0;
    std::size_t damaged_ = 0;                                        // mails that cannot be read, passed over
    std::vector<stage> stages_;
    std::vector<search_hit> hits_;
};

// The search fields of many mails, as much at a time as the daemon gives. Mails that are gone are passed over.
class fields_reader {
public:
    // `mails` rise and must outlive the reader.
    fields_reader(connection& c, std::uint64_t mailbox, const std::vector<search_hit>& mails)
        : c_(c), mailbox_(mailbox), mails_(mails) {}
    bool done() const { return at_ == mails_.size(); }
    struct piece {
        const search_hit* mail;
        std::shared_ptr<const search_fields> fields;
    };
    wire::task<trouble> next(std::vector<piece>& into);              // replaces what is in it

private:
    connection& c_;
    const std::uint64_t mailbox_;
    const std::vector<search_hit>& mails_;
    std::size_t at_ = 0;
};

}  // namespace pp::imap
