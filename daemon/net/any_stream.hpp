// A TCP connection with or without TLS, one that becomes TLS (STARTTLS), and TLS inside of TLS (a circuit through a
// relay): the one concrete stream, so that ssl::stream is instantiated in one file only (02-architecture 2.8).
#pragma once

#include "crypto/bytes.hpp"
#include "crypto/certificate.hpp"
#include "daemon/net/asio.hpp"

#include <boost/asio/ssl/context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace pp::net {

class any_stream {
public:
    explicit any_stream(tcp::socket socket);
    any_stream(any_stream&&) noexcept;
    ~any_stream();

    using read_handler = std::function<void(error_code, std::size_t)>;
    // One read at a time; may be outstanding while a write is.
    void async_read_some(mutable_bytes_view into, read_handler done);
    // One write at a time, of everything; the bytes must stay until it is done.
    using write_handler = std::function<void(error_code)>;
    void async_write(bytes_view data, write_handler done);

    // The same as awaitables, for what has no machine.
    struct read_end {
        error_code failed;
        std::size_t bytes = 0;
    };
    awaitable<read_end> read_some(mutable_bytes_view into);
    awaitable<error_code> write(bytes_view data);

    // The handshake ends within the time given or fails. The context must outlive the stream. A second one is inside
    // the first, where that has become a pipe to somebody else.
    awaitable<error_code> start_tls_as_server(std::shared_ptr<asio::ssl::context> context, std::chrono::seconds limit);
    awaitable<error_code> start_tls_as_client(std::shared_ptr<asio::ssl::context> context, std::chrono::seconds limit);
    // Shows this instead of what the context holds.
    awaitable<error_code> start_tls_as_client(std::shared_ptr<asio::ssl::context> context,
                                              crypto::device_identity shown, std::chrono::seconds limit);
    // From here on everything is compressed, above TLS (RFC 4978). Nothing may be outstanding. False: no memory.
    bool start_deflate();
    std::string alpn() const;               // the application protocol the handshake has chosen (RFC 7301)
    // DER of the certificate the other side has shown; empty without.
    bytes peer_certificate() const;

    // Data that only the two ends of this TLS connection share, for SCRAM (RFC 5929, RFC 9266): "tls-exporter",
    // "tls-server-end-point", and "tls-unique" below TLS 1.3. Nothing for other types, and where they are not safe.
    std::optional<bytes> channel_binding(std::string_view type) const;

    std::string remote_endpoint() const;    // "host:port"
    const tcp::endpoint& local() const;     // our end of the TCP connection
    // Ends both directions at once; what is outstanding completes with an error. Any number of times.
    void close();
    // TLS close_notify and FIN as politely as a short time allows, then close().
    awaitable<void> shut_down();
    asio::any_io_executor executor();

private:
    awaitable<error_code> start_tls(std::shared_ptr<asio::ssl::context> context, std::chrono::seconds limit,
                                    bool as_server, std::optional<crypto::device_identity> shown);
    void read_plain(mutable_bytes_view into, read_handler done);
    void write_plain(bytes_view data, write_handler done);
    void read_inflated(mutable_bytes_view into, read_handler done);
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::net
