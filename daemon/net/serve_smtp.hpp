// Joins a submission connection to the store: answers every event of smtp::server_session. The mail is encrypted as it
// comes; 250 is given after one commit that holds the Sent copy and an outbox row for each recipient.
#pragma once

#include "daemon/engine/router.hpp"
#include "daemon/engine/submission.hpp"
#include "daemon/net/serve_imap.hpp"
#include "proto/smtp/server_session.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace pp::net {

class smtp_connection : public std::enable_shared_from_this<smtp_connection> {
public:
    smtp_connection(any_stream stream, connection_context context);
    ~smtp_connection();

    awaitable<void> run();
    void end();          // 421 at the next quiet moment
    void cut();          // to make room for another: at once

    awaitable<smtp::verdict> operator()(smtp::event question);

private:
    awaitable<smtp::verdict> on(smtp::login q);
    awaitable<smtp::verdict> on(smtp::mail_from q);
    awaitable<smtp::verdict> on(smtp::recipient q);
    awaitable<smtp::verdict> on(smtp::body_begin q);
    awaitable<smtp::verdict> on(smtp::body_chunk q);
    awaitable<smtp::verdict> on(smtp::body_end q);
    awaitable<smtp::verdict> on(smtp::body_abort q);
    awaitable<smtp::verdict> on(smtp::start_tls q);
    awaitable<smtp::verdict> on(sasl::scram_begin q);
    awaitable<smtp::verdict> on(sasl::scram_proof q);

    struct accepted_recipient {
        smtp::recipient asked;
        crypto::account_key account;
    };
    // A mail under way, from MAIL to the end of its data.
    struct envelope {
        smtp::mail_from from;
        std::vector<accepted_recipient> recipients;
        std::optional<engine::submission_filter> filter;
        std::optional<storage::blob_writer> blob;
        std::optional<smtp::reply> refused;       // what the end of data will be answered with
        bytes filtered;                           // kept for its memory
    };
    void take(bytes_view data);
    services::store_writer::job submission_job(std::shared_ptr<storage::blob_writer> blob, std::string message_id);

    any_stream stream_;
    connection_context context_;
    smtp::server_session session_;
    pump<smtp::server_session> pump_;
    bool cut_ = false;
    services::account* account_ = nullptr;
    std::optional<envelope> envelope_;
    std::uint64_t number_;
    login_desk desk_;
};

}  // namespace pp::net
