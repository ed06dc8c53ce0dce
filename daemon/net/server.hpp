// Everything of a running daemon that has a socket: listeners, IMAP and SMTP connections, peer links, delivery.
// One network thread (run()); a few workers for bulk work.
#pragma once

#include "daemon/services/node.hpp"

#include <memory>
#include <string>

namespace pp::net {

class server {
public:
    explicit server(services::node& node);
    ~server();   // stops; also ends the node's store writer, whose completions need this object's threads

    // Opens all listeners. A sentence when one cannot be opened; nothing listens then.
    std::string start();
    // Blocks until stop(). From start() on connections are accepted.
    void run();
    // Stops accepting, says BYE and 421, waits at most shutdown_limit, returns from run(). Thread-safe.
    void stop();
    // {"listeners": [...], "links": [...], "connections": n} as JSON text. Thread-safe while run() runs.
    std::string live_status();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::net
