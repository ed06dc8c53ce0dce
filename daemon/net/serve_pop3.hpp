// Joins a POP3 connection to the store: answers every event of pop3::server_session. INBOX only; what is deleted goes
// to Trash, in one write at QUIT. One object per connection, on one network thread.
#pragma once

#include "daemon/net/client_connection.hpp"
#include "proto/pop3/server_session.hpp"

#include <memory>

namespace pp::net {

struct pop3_protocol {
    using machine = pop3::server_session;
    using event = pop3::event;
    using verdict = pop3::verdict;
};

class pop3_connection : public client_connection<pop3_connection, pop3_protocol> {
public:
    static constexpr connection_words words{services::area::pop3, "pop3", "-ERR [SYS/TEMP] peerpost is stopping\r\n",
                                            "-ERR [SYS/TEMP] too many connections; try again later\r\n"};

    pop3_connection(any_stream stream, connection_context context);
    ~pop3_connection();

private:
    friend client_connection;
    using client_connection::on;
    void forget();

    awaitable<pop3::verdict> on(pop3::login q);
    awaitable<pop3::verdict> on(pop3::start_tls q);
    awaitable<pop3::verdict> on(pop3::open_maildrop q);
    awaitable<pop3::verdict> on(pop3::read_body q);
    awaitable<pop3::verdict> on(pop3::update q);

    struct open_body {                              // the mail last read from: it is read in pieces
        std::uint32_t uid = 0;                      // 0: none
        std::uint64_t mail_serial = 0;
        std::shared_ptr<storage::blob_reader> reader;
    };

    storage::mailbox_id inbox_ = 0;
    open_body body_;
};

}  // namespace pp::net
