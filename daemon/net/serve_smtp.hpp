// Joins a submission connection to the store: answers every event of smtp::server_session. The mail is encrypted as it
// comes; 250 is given after one commit that holds the Sent copy and an outbox row for each recipient.
#pragma once

#include "daemon/engine/router.hpp"
#include "daemon/engine/submission.hpp"
#include "daemon/net/client_connection.hpp"
#include "proto/smtp/server_session.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace pp::net {

struct smtp_protocol {
    using machine = smtp::server_session;
    using event = smtp::event;
    using verdict = smtp::verdict;
};

class smtp_connection : public client_connection<smtp_connection, smtp_protocol> {
public:
    static constexpr connection_words words{services::area::smtp, "smtp", "421 4.3.2 peerpost is stopping\r\n",
                                            "421 4.3.2 too many connections; try again later\r\n"};

    smtp_connection(any_stream stream, connection_context context);
    ~smtp_connection();

private:
    friend client_connection;
    using client_connection::on;
    void forget();

    awaitable<smtp::verdict> on(smtp::login q);
    awaitable<smtp::verdict> on(smtp::mail_from q);
    awaitable<smtp::verdict> on(smtp::recipient q);
    awaitable<smtp::verdict> on(smtp::body_begin q);
    awaitable<smtp::verdict> on(smtp::body_chunk q);
    awaitable<smtp::verdict> on(smtp::body_end q);
    awaitable<smtp::verdict> on(smtp::body_abort q);
    awaitable<smtp::verdict> on(smtp::start_tls q);

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
    services::store_writer::job submission_job(std::shared_ptr<storage::blob_writer> blob, std::string message_id,
                                               std::string answered);

    std::optional<envelope> envelope_;
};

}  // namespace pp::net
