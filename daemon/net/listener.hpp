// Listening sockets: one coroutine each that hands accepted connections on. A port that is taken is an error with a
// sentence, never silently another one.
#pragma once

#include "daemon/net/asio.hpp"
#include "daemon/services/config.hpp"

#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace pp::net {

class listener {
public:
    using accepted = std::function<void(tcp::socket, const services::listen_address&)>;

    // service: "imap", "smtp", "peer"; for messages. The sentence names address, port and owner where known.
    static std::variant<std::unique_ptr<listener>, std::string> open(asio::io_context& io, std::string service,
                                                                     const services::listen_address& where, accepted f);
    void start();
    void stop();
    const std::string& service() const { return service_; }
    const services::listen_address& where() const { return where_; }   // with the real port

private:
    listener(asio::io_context& io, std::string service, services::listen_address where, accepted f);
    awaitable<void> accept_loop();

    tcp::acceptor acceptor_;
    std::string service_;
    services::listen_address where_;
    accepted accepted_;
};

}  // namespace pp::net
