// Joins an IMAP connection to the store: answers every event of imap::server_session. One object per connection, on
// one network thread. Reads run here (LMDB snapshots, at most 256 rows each); writes wait for the store writer.
#pragma once

#include "daemon/net/await.hpp"
#include "daemon/net/client_connection.hpp"
#include "proto/imap/server_session.hpp"

#include <deque>
#include <memory>
#include <optional>

namespace pp::net {

struct imap_protocol {
    using machine = imap::server_session;
    using event = imap::event;
    using verdict = imap::verdict;
};

// An APPEND whose mails are coming (serve_imap_append.cpp). Not inside the connection: an optional of a class with
// default member initialisers cannot be a member of the class around it (clang).
struct appended_mail {
    mail::flags flags;
    mail::date_time internal_date;
    std::shared_ptr<storage::blob_writer> blob;
};
struct append_under_way {
    storage::mailbox box;
    std::vector<appended_mail> mails;   // the last one is being written
    std::size_t index_bytes = 0;        // of the finished ones
    error_code failed;
    std::uint64_t bytes() const;
};

class imap_connection : public client_connection<imap_connection, imap_protocol> {
public:
    static constexpr connection_words words{services::area::imap, "imap", "* BYE peerpost is stopping\r\n",
                                            "* BYE too many connections; close one and try again\r\n"};

    imap_connection(any_stream stream, connection_context context);
    ~imap_connection();

private:
    friend client_connection;
    using client_connection::on;
    void forget();

    awaitable<imap::verdict> on(imap::login q);
    awaitable<imap::verdict> on(imap::start_tls q);
    awaitable<imap::verdict> on(imap::list_mailboxes q);
    awaitable<imap::verdict> on(imap::get_status q);
    awaitable<imap::verdict> on(imap::create_mailbox q);
    awaitable<imap::verdict> on(imap::delete_mailbox q);
    awaitable<imap::verdict> on(imap::rename_mailbox q);
    awaitable<imap::verdict> on(imap::subscribe_mailbox q);
    awaitable<imap::verdict> on(imap::open_mailbox q);
    awaitable<imap::verdict> on(imap::get_quota q);            // serve_imap_annotations.cpp
    awaitable<imap::verdict> on(imap::get_metadata q);
    awaitable<imap::verdict> on(imap::set_metadata q);
    awaitable<imap::verdict> on(imap::poll_metadata q);
    awaitable<imap::verdict> on(imap::get_owner q);
    awaitable<imap::verdict> on(imap::start_compression q);
    awaitable<imap::verdict> on(imap::append_begin q);
    awaitable<imap::verdict> on(imap::append_chunk q);
    awaitable<imap::verdict> on(imap::find_mail q);
    awaitable<imap::verdict> on(imap::read_found q);
    awaitable<imap::verdict> on(imap::append_end q);
    awaitable<imap::verdict> on(imap::append_submit q);
    awaitable<imap::verdict> on(imap::append_wait q);
    awaitable<imap::verdict> on(imap::append_abort q);
    awaitable<imap::verdict> on(imap::read_rows q);
    awaitable<imap::verdict> on(imap::read_search_fields q);    // these four: serve_imap_fields.cpp
    awaitable<imap::verdict> on(imap::look_into_mailbox q);
    awaitable<imap::verdict> on(imap::read_clock q);
    awaitable<imap::verdict> on(imap::let_others_run q);
    awaitable<imap::verdict> on(imap::read_body q);
    awaitable<imap::verdict> on(imap::find_candidates q);     // serve_imap_search.cpp
    awaitable<imap::verdict> on(imap::store_flags q);
    awaitable<imap::verdict> on(imap::copy_messages q);
    awaitable<imap::verdict> on(imap::expunge_messages q);
    awaitable<imap::verdict> on(imap::poll_changes q);
    awaitable<imap::verdict> on(imap::read_history q);
    awaitable<imap::verdict> on(imap::survey_mailboxes q);
    awaitable<imap::verdict> on(imap::watch_account q);
    awaitable<imap::verdict> on(imap::close_mailbox q);
    awaitable<imap::verdict> on(imap::client_id q);

    awaitable<result<void>> commit(services::store_writer::job work);
    result<imap::quota> quota_now();
    // errc::over_quota when the limits of the configuration do not allow so much more.
    result<void> check_quota(std::uint64_t more_bytes, std::uint64_t more_messages);
    result<std::uint64_t> deleted_bytes_of(const storage::mailbox& box);
    struct append_in_commit {                       // its mails are with the store writer
        promise_slot<result<void>> written;
        std::shared_ptr<imap::appended> done;
        std::uint64_t bytes = 0, mails = 0;
    };
    result<std::string> header_of(const storage::message& m, const mail::message_index& index);
    void forget_mailbox();
    // What of the mailbox is \Recent to this session; with EXAMINE it stays so for the next one too.
    mail::uid_set recent_mails(const storage::mailbox& box, bool read_only);
    // The mailbox a question means: 0 is the selected one.
    storage::mailbox_id box_of(std::uint64_t asked) const { return asked != 0 || !selected_ ? asked : selected_->box; }
    services::change_bus::callback wake_up();       // tells the session of news, from any thread

    struct selected_mailbox {
        storage::mailbox_id box = 0;
        std::string name;
        bool read_only = false;
        std::uint32_t uid_next = 1;                 // mails from there on are new to the session
        services::change_bus::subscription changes;
    };
    awaitable<result<void>> finish_last_append();
    awaitable<result<append_in_commit>> submit_append(std::optional<std::uint32_t> replaces);
    static result<void> add_appended(storage::write_txn& txn, const append_under_way& append, bool same_as_sent,
                                     imap::appended& done);
    struct metadata_watch {                         // after ENABLE METADATA
        services::metadata_bus::subscription changes;
        std::vector<imap::metadata_change> untold;
        std::size_t entries = 0;                    // in untold
    };
    void note_metadata(const std::string& mailbox, const std::vector<std::string>& entries);
    struct open_body {                              // the mail last read from: clients fetch in pieces
        std::uint64_t mail_serial = 0;
        storage::mailbox_id box = 0;
        std::shared_ptr<storage::blob_reader> reader;
    };

    std::optional<selected_mailbox> selected_;
    services::change_bus::subscription account_changes_;   // while NOTIFY watches other mailboxes
    std::optional<append_under_way> append_;
    std::deque<result<append_in_commit>> appends_;  // submitted, oldest first
    metadata_watch metadata_;
    open_body body_, found_;                        // of FETCH; of CATENATE
    std::uint32_t body_uid_ = 0;
};

}  // namespace pp::net
