// Joins a POP3 connection to the store: answers every event of pop3::server_session. INBOX only; what is deleted goes to
// Trash, in one write at QUIT. One object per connection, on one network thread.
#pragma once

#include "daemon/net/login_desk.hpp"
#include "daemon/net/pump.hpp"
#include "daemon/net/serve_imap.hpp"
#include "proto/pop3/server_session.hpp"

#include <memory>

namespace pp::net {

class pop3_connection : public std::enable_shared_from_this<pop3_connection> {
public:
    pop3_connection(any_stream stream, connection_context context);
    ~pop3_connection();

    awaitable<void> run();
    void end();          // -ERR at the next quiet moment
    void cut();          // to make room for another: at once

    awaitable<pop3::verdict> operator()(pop3::event question);

private:
    awaitable<pop3::verdict> on(pop3::login q);
    awaitable<pop3::verdict> on(sasl::scram_begin q);
    awaitable<pop3::verdict> on(sasl::scram_proof q);
    awaitable<pop3::verdict> on(pop3::start_tls q);
    awaitable<pop3::verdict> on(pop3::open_maildrop q);
    awaitable<pop3::verdict> on(pop3::read_body q);
    awaitable<pop3::verdict> on(pop3::update q);

    struct open_body {                              // the mail last read from: it is read in pieces
        std::uint32_t uid = 0;                      // 0: none
        std::shared_ptr<storage::blob_reader> reader;
    };

    any_stream stream_;
    connection_context context_;
    pop3::server_session session_;
    pump<pop3::server_session> pump_;
    bool cut_ = false;
    services::account* account_ = nullptr;
    storage::mailbox_id inbox_ = 0;
    open_body body_;
    std::uint64_t number_;                          // for the log
    login_desk desk_;
};

}  // namespace pp::net
