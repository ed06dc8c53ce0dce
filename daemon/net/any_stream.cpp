#include "daemon/net/any_stream.hpp"

#include "daemon/net/channel_binding.hpp"
#include "daemon/net/deflate_layer.hpp"
#include "daemon/net/open_streams.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <netinet/tcp.h>
#include <openssl/x509.h>

namespace pp::net {

namespace ssl = asio::ssl;
using tls_stream = ssl::stream<tcp::socket>;
using inner_stream = ssl::stream<tls_stream&>;

namespace {

// Closes a stream when an operation takes too long; destroyed in time it does nothing, also when the timer has fired
// and only its handler waits to run: the stream may be gone by then.
class time_limit {
public:
    time_limit(any_stream& stream, std::chrono::seconds limit) : timer_(stream.executor(), limit) {
        timer_.async_wait([&stream, watching = std::weak_ptr(watching_)](error_code ec) {
            if (!ec && !watching.expired()) stream.close();
        });
    }

private:
    std::shared_ptr<bool> watching_ = std::make_shared<bool>(true);
    asio::steady_timer timer_;
};

// A client that sends a literal and its line end in two writes holds the second back until the first is acknowledged;
// the kernel would delay that by 40 ms (imaplib's APPEND: 21 mails a second instead of hundreds). The option does not
// stay set, so it is set for each read. Elsewhere than on Linux the delay is the system's business.
void acknowledge_at_once([[maybe_unused]] tcp::socket& socket) {
#ifdef TCP_QUICKACK
    const int on = 1;
    setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
#endif
}

}  // namespace

struct any_stream::state {
    std::unique_ptr<tcp::socket> plain;     // until TLS
    std::shared_ptr<ssl::context> context, inner_context;
    std::unique_ptr<tls_stream> secure;
    std::unique_ptr<inner_stream> inner;    // when `secure` ends at a relay
    std::string remote;
    tcp::endpoint local;
    std::unique_ptr<deflate_layer> deflate;
    bytes compressed;                       // being written
    std::unique_ptr<open_streams::entry> open;

    void become_tls(std::shared_ptr<ssl::context> c) {
        context = std::move(c);
        secure = std::make_unique<tls_stream>(std::move(*plain), *context);
        plain.reset();
    }
    void become_tls_within(std::shared_ptr<ssl::context> c) {
        inner_context = std::move(c);
        inner = std::make_unique<inner_stream>(*secure, *inner_context);
    }
    SSL* native() { return inner ? inner->native_handle() : secure ? secure->native_handle() : nullptr; }
    tcp::socket& socket() { return secure ? secure->next_layer() : *plain; }
    void close() {
        error_code ignored;
        socket().shutdown(tcp::socket::shutdown_both, ignored);
        socket().close(ignored);
    }
};

any_stream::any_stream(tcp::socket socket) : state_(std::make_unique<state>()) {
    error_code ec;
    const auto remote = socket.remote_endpoint(ec);
    if (!ec) {
        const auto address = remote.address();
        state_->remote = (address.is_v6() ? "[" + address.to_string() + "]" : address.to_string()) + ":" +
                         std::to_string(remote.port());
    }
    state_->local = socket.local_endpoint(ec);
    socket.set_option(tcp::no_delay(true), ec);
    auto& all = asio::use_service<open_streams>(asio::query(socket.get_executor(), asio::execution::context));
    open_streams::one what{state_->local, [s = state_.get()] { s->close(); }};
    if (is_watched_over(socket)) what.watched = [s = state_.get()] { return s->socket().native_handle(); };
    state_->plain = std::make_unique<tcp::socket>(std::move(socket));
    state_->open = all.add(std::move(what));
}

any_stream::any_stream(any_stream&&) noexcept = default;
any_stream::~any_stream() = default;

void any_stream::async_read_some(mutable_bytes_view into, read_handler done) {
    if (state_->deflate) read_inflated(into, std::move(done));
    else read_plain(into, std::move(done));
}

void any_stream::read_plain(mutable_bytes_view into, read_handler done) {
    acknowledge_at_once(state_->socket());
    const auto buffer = asio::buffer(into.data(), into.size());
    if (state_->inner)
        state_->inner->async_read_some(buffer, std::move(done));
    else if (state_->secure)
        state_->secure->async_read_some(buffer, std::move(done));
    else
        state_->plain->async_read_some(buffer, std::move(done));
}

// The caller keeps the stream alive while a read is outstanding.
void any_stream::read_inflated(mutable_bytes_view into, read_handler done) {
    bool broken = false;
    const auto n = state_->deflate->inflate(into, broken);
    if (n > 0 || broken) {
        const error_code ec =
            n > 0 ? error_code() : error_code(boost::system::errc::bad_message, boost::system::generic_category());
        asio::post(executor(), [done = std::move(done), ec, n] { done(ec, n); });
        return;
    }
    read_plain(state_->deflate->read_room(),
               [this, into, done = std::move(done)](error_code ec, std::size_t came) mutable {
                   if (ec) return done(ec, 0);
                   state_->deflate->came(came);
                   read_inflated(into, std::move(done));
               });
}

void any_stream::async_write(bytes_view data, write_handler done) {
    if (!state_->deflate) return write_plain(data, std::move(done));
    if (!state_->deflate->compress(data, state_->compressed)) {
        const error_code ec(boost::system::errc::not_enough_memory, boost::system::generic_category());
        asio::post(executor(), [done = std::move(done), ec] { done(ec); });
        return;
    }
    write_plain(state_->compressed, [this, done = std::move(done)](error_code ec) {
        bytes().swap(state_->compressed);
        done(ec);
    });
}

void any_stream::write_plain(bytes_view data, write_handler done) {
    const auto buffer = asio::buffer(data.data(), data.size());
    auto finished = [done = std::move(done)](error_code ec, std::size_t) { done(ec); };
    if (state_->inner)
        asio::async_write(*state_->inner, buffer, std::move(finished));
    else if (state_->secure)
        asio::async_write(*state_->secure, buffer, std::move(finished));
    else
        asio::async_write(*state_->plain, buffer, std::move(finished));
}

bool any_stream::start_deflate() {
    state_->deflate = deflate_layer::make();
    return state_->deflate != nullptr;
}

awaitable<error_code> any_stream::start_tls(std::shared_ptr<ssl::context> context, std::chrono::seconds limit,
                                            bool as_server, std::optional<crypto::device_identity> shown) {
    const auto side = as_server ? ssl::stream_base::server : ssl::stream_base::client;
    if (state_->secure) state_->become_tls_within(std::move(context));
    else state_->become_tls(std::move(context));
    if (shown && (SSL_use_certificate(state_->native(), shown->certificate()) != 1 ||
                  SSL_use_PrivateKey(state_->native(), shown->key()) != 1))
        co_return error_code(boost::system::errc::not_enough_memory, boost::system::generic_category());
    const time_limit watch(*this, limit);
    error_code failed;
    if (state_->inner) {
        auto [ec] = co_await state_->inner->async_handshake(side, as_result);
        failed = ec;
    } else {
        auto [ec] = co_await state_->secure->async_handshake(side, as_result);
        failed = ec;
    }
    co_return failed;
}

awaitable<error_code> any_stream::start_tls_as_server(std::shared_ptr<ssl::context> context,
                                                      std::chrono::seconds limit) {
    return start_tls(std::move(context), limit, true, std::nullopt);
}
awaitable<error_code> any_stream::start_tls_as_client(std::shared_ptr<ssl::context> context,
                                                      std::chrono::seconds limit) {
    return start_tls(std::move(context), limit, false, std::nullopt);
}
awaitable<error_code> any_stream::start_tls_as_client(std::shared_ptr<ssl::context> context,
                                                      crypto::device_identity shown, std::chrono::seconds limit) {
    return start_tls(std::move(context), limit, false, std::move(shown));
}

awaitable<any_stream::read_end> any_stream::read_some(mutable_bytes_view into) {
    const auto buffer = asio::buffer(into.data(), into.size());
    read_end out;
    if (state_->inner) {
        auto [ec, n] = co_await state_->inner->async_read_some(buffer, as_result);
        out = {ec, n};
    } else if (state_->secure) {
        auto [ec, n] = co_await state_->secure->async_read_some(buffer, as_result);
        out = {ec, n};
    } else {
        auto [ec, n] = co_await state_->plain->async_read_some(buffer, as_result);
        out = {ec, n};
    }
    co_return out;
}

awaitable<error_code> any_stream::write(bytes_view data) {
    const auto buffer = asio::buffer(data.data(), data.size());
    error_code failed;
    if (state_->inner) {
        auto [ec, n] = co_await asio::async_write(*state_->inner, buffer, as_result);
        failed = ec;
    } else if (state_->secure) {
        auto [ec, n] = co_await asio::async_write(*state_->secure, buffer, as_result);
        failed = ec;
    } else {
        auto [ec, n] = co_await asio::async_write(*state_->plain, buffer, as_result);
        failed = ec;
    }
    co_return failed;
}

std::string any_stream::alpn() const {
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    if (SSL* s = state_->native()) SSL_get0_alpn_selected(s, &chosen, &length);
    return std::string(reinterpret_cast<const char*>(chosen), length);
}

bytes any_stream::peer_certificate() const {
    if (!state_->secure) return {};
    X509* certificate = SSL_get1_peer_certificate(state_->native());
    if (!certificate) return {};
    bytes der(static_cast<std::size_t>(std::max(0, i2d_X509(certificate, nullptr))));
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(certificate, &out);
    X509_free(certificate);
    return der;
}

std::optional<bytes> any_stream::channel_binding(std::string_view type) const {
    if (!state_->secure) return std::nullopt;
    return channel_binding_of(state_->native(), type);
}

std::string any_stream::remote_endpoint() const { return state_->remote; }
const tcp::endpoint& any_stream::local() const { return state_->local; }

void any_stream::close() { state_->close(); }

awaitable<void> any_stream::shut_down() {
    const time_limit watch(*this, std::chrono::seconds(1));
    if (state_->secure && !state_->inner) {
        auto [ec] = co_await state_->secure->async_shutdown(as_result);
        (void)ec;   // the other side may be gone already
    }
    close();
}

asio::any_io_executor any_stream::executor() { return state_->socket().get_executor(); }

}  // namespace pp::net
