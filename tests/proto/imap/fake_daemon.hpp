// Answers every event of an IMAP session out of a small mail store in memory (fake_store.hpp), so that the machine is
// tested without the real store. Several sessions may share one store: each has a fake_daemon of its own. No threads,
// no clock.
#pragma once

#include "proto/imap/events.hpp"
#include "tests/proto/imap/fake_store.hpp"
#include "tests/proto/sasl/scram_desk.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pp::imap::test {

class fake_daemon {
public:
    explicit fake_daemon(fake_store& store) : store_(store) {}

    verdict operator()(const event& asked);

    std::size_t questions = 0;
    std::string next_refusal;                        // a code: the next question that can be refused is
    std::string client_name;                         // from ID
    bool store_is_leaving = false;                   // every refusal says bye
    std::size_t append_pieces = 0;
    std::size_t search_rows_at_once = search_rows_per_question_max;   // mails looked at for one answer
    std::size_t whole_rows_at_once = rows_per_question_max;           // the others of an answer are left out
    std::uint64_t clock = 837596665 + 3600;          // an hour after the INTERNALDATE of most mails
    bool watches_account = false;
    std::vector<metadata_change> metadata_changes;   // of other sessions

private:
    static refusal say(std::string code, std::string text);
    template <class T>
    std::optional<outcome<T>> refused() {
        if (store_is_leaving) return outcome<T>(refusal{"UNAVAILABLE", "The store is closing", true});
        if (next_refusal.empty()) return std::nullopt;
        return outcome<T>(say(std::exchange(next_refusal, {}), "Refused as asked"));
    }
    fake_mailbox* box(const std::string& name);
    fake_mailbox* open_box();
    fake_mailbox* box_of(std::uint64_t id);          // 0: the open one
    mail::uid_set recent_of(fake_mailbox& b);        // to this session; none of them to the next
    static mailbox_status status_of(const fake_mailbox& b);
    message_row row_of(const fake_mail& m, bool with_index = false, bool with_header = false);
    static refusal no_mailbox();
    refusal not_open() const;

    outcome<nothing> answer(const login& q);
    sasl::scram_terms answer(const sasl::scram_begin& q);
    sasl::scram_verdict answer(const sasl::scram_proof& q);
    nothing answer(const start_tls&);
    outcome<std::vector<mailbox_entry>> answer(const list_mailboxes&);
    outcome<mailbox_status> answer(const get_status& q);
    outcome<std::uint64_t> answer(const create_mailbox& q);
    outcome<nothing> answer(const delete_mailbox& q);
    outcome<nothing> answer(const rename_mailbox& q);
    outcome<nothing> answer(const subscribe_mailbox& q);
    outcome<opened_mailbox> answer(const open_mailbox& q);
    outcome<quota> answer(const get_quota&);
    std::map<std::string, std::string>* metadata_of(const std::string& name);
    outcome<std::vector<metadata_entry>> answer(const get_metadata& q);
    outcome<nothing> answer(const set_metadata& q);
    std::vector<metadata_change> answer(const poll_metadata&);
    outcome<std::string> answer(const get_owner& q);
    nothing answer(const start_compression&);
    outcome<nothing> answer(const append_begin& q);
    nothing answer(const append_chunk& q);
    outcome<appended> answer(const append_end& q);
    nothing answer(const append_submit&);
    outcome<appended> answer(const append_wait&);
    nothing answer(const append_abort&);
    outcome<search_rows> answer(const read_search_fields& q);
    outcome<opened_mailbox> answer(const look_into_mailbox& q);
    outcome<std::uint64_t> answer(const read_clock&);
    nothing answer(const let_others_run&);
    outcome<found_mail> answer(const find_mail& q);
    outcome<bytes> answer(const read_found& q);
    outcome<std::vector<message_row>> answer(const read_rows& q);
    outcome<bytes> answer(const read_body& q);
    outcome<search_candidates> answer(const find_candidates& q);
    outcome<stored_flags> answer(const store_flags& q);
    outcome<copied> answer(const copy_messages& q);
    outcome<mail::uid_set> answer(const expunge_messages& q);
    outcome<mailbox_delta> answer(const poll_changes& q);
    outcome<mailbox_history> answer(const read_history& q);
    outcome<std::vector<surveyed_mailbox>> answer(const survey_mailboxes&);
    nothing answer(const watch_account& q);
    nothing answer(const close_mailbox&);
    nothing answer(const client_id& q);

    fake_store& store_;
    std::uint64_t selected_ = 0;
    bool read_only_ = false;
    std::uint32_t known_next_ = 1;   // UIDNEXT of the open mailbox when this session last looked
    std::vector<std::pair<append_begin, std::string>> appends_;
    std::deque<outcome<appended>> submitted_;
};

}  // namespace pp::imap::test
