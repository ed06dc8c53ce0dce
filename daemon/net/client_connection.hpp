// A mail client's connection, whatever it speaks: protocol machine, pump and login, and how it ends. IMAP, SMTP and
// POP3 derive from it and answer the events of their machine. One object per connection, on one network thread.
#pragma once

#include "daemon/net/login_desk.hpp"
#include "daemon/net/pump.hpp"
#include "daemon/net/serve_common.hpp"
#include "daemon/services/node.hpp"

#include <memory>
#include <string_view>

namespace pp::net {

// What a connection needs to know of its listener and its server.
struct connection_context {
    services::node& node;
    asio::thread_pool& workers;
    std::shared_ptr<asio::ssl::context> tls;       // for STARTTLS; null when it is not offered
    services::tls_mode mode;
    std::function<void()> authenticated;           // called once after a successful login
};

// What differs between the protocols before their first event. The texts are whole lines, with CR LF.
struct connection_words {
    services::area area;
    const char* name;                              // of raw session logs
    const char* stopping;                          // the last word when the service ends
    const char* busy;                              // when there is no room for the client
};

// The options that every machine has.
template <class Options>
Options session_options_of(const connection_context& c) {
    Options o;
    o.tls_active = c.mode == services::tls_mode::implicit;
    o.offer_starttls = c.mode == services::tls_mode::starttls;
    o.login_allowed = c.mode != services::tls_mode::starttls;
    return o;
}

// Protocol names machine, event and verdict. Connection answers each event with on(), has static constexpr `words`, and
// lets go of what it holds in forget(), which is called when its client is gone.
template <class Connection, class Protocol>
class client_connection : public std::enable_shared_from_this<Connection> {
public:
    awaitable<void> run() {
        auto self = this->shared_from_this();
        co_await pump_.run(self, *this);
        derived().forget();
        if (cut_) stream_.close();                 // no time for a polite end
        co_await stream_.shut_down();
    }
    // Its last word at the next quiet moment.
    void end() { pump_.end(Connection::words.stopping); }
    // To make room for another: at once.
    void cut() {
        cut_ = true;
        desk_.cut();
        pump_.cut(Connection::words.busy);
    }

    awaitable<typename Protocol::verdict> operator()(typename Protocol::event question) {
        return std::visit([this](auto& q) { return derived().on(std::move(q)); }, question);
    }

protected:
    template <class Options>
    client_connection(any_stream stream, connection_context context, Options&& options)
        : stream_(std::move(stream)), context_(std::move(context)), session_(std::forward<Options>(options)),
          pump_(stream_, session_), number_(next_connection_number()),
          desk_(context_.node, stream_, Connection::words.area, number_, context_.authenticated) {
        pump_.tap(services::rawlog::open(context_.node.configuration(), Connection::words.name));
    }
    ~client_connection() = default;

    awaitable<typename Protocol::verdict> on(sasl::scram_begin q) { co_return desk_.terms(q); }
    awaitable<typename Protocol::verdict> on(sasl::scram_proof q) {
        co_return co_await desk_.proof(std::move(q), account_);
    }

    // STARTTLS, STLS: what the machine has said is written, then the handshake is done. A failure closes the stream.
    awaitable<void> begin_tls() {
        // g++ 12 misplaces the promise of this coroutine when the co_await stands in the condition of an if:
        // named results.
        const bool written = co_await pump_.flush();
        if (!written) co_return;
        const error_code failed = co_await stream_.start_tls_as_server(context_.tls, handshake_limit);
        if (failed) stream_.close();
    }

    any_stream stream_;
    connection_context context_;
    typename Protocol::machine session_;
    pump<typename Protocol::machine> pump_;
    services::account* account_ = nullptr;         // after the login
    std::uint64_t number_;                         // for the log
    login_desk desk_;

private:
    Connection& derived() { return static_cast<Connection&>(*this); }

    bool cut_ = false;
};

}  // namespace pp::net
