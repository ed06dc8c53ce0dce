#include "daemon/net/peer_link.hpp"

#include "daemon/net/serve_common.hpp"
#include "daemon/services/log.hpp"

namespace pp::net {

peer_link::peer_link(any_stream stream, peer::link_options options, owner& o)
    : stream_(std::move(stream)), session_(options), last_words_(stream_.executor()), pump_(stream_, session_),
      owner_(o), peer_device_(options.peer_device), dialled_(options.dialler), number_(next_connection_number()),
      last_used_(std::chrono::steady_clock::now()) {}

awaitable<void> peer_link::run() {
    auto self = shared_from_this();
    co_await pump_.run(self, *this);
    over_ = true;
    last_words_.cancel();
    for (auto& [id, w] : waiting_) {
        if (!w->reply) w->reply.emplace(peer::errc::timed_out);
        w->timer.cancel();
    }
    owner_.ended(*this);
    stream_.close();
}

awaitable<result<bytes>> peer_link::ask(std::string_view protocol, bytes message, std::size_t answer_bytes_max,
                                        std::chrono::milliseconds longest) {
    if (over_) co_return peer::errc::timed_out;
    auto self = shared_from_this();
    last_used_ = std::chrono::steady_clock::now();
    auto waiting = std::make_shared<waiting_reply>(stream_.executor());
    const auto id = session_.ask_peer(protocol, std::move(message), answer_bytes_max);
    waiting_.emplace(id, waiting);
    session_.news();
    pump_.wake();
    const bool for_ever = longest == std::chrono::milliseconds::max();
    const auto end =
        for_ever ? asio::steady_timer::time_point::max() : std::chrono::steady_clock::now() + longest;
    while (!waiting->reply) {
        waiting->timer.expires_at(end);
        auto [ec] = co_await waiting->timer.async_wait(as_result);
        if (!ec && !waiting->reply) waiting->reply.emplace(peer::errc::timed_out);
    }
    waiting_.erase(id);
    co_return std::move(*waiting->reply);
}

void peer_link::go_away() {
    session_.go_away();
    session_.news();
    pump_.wake();
}

void peer_link::close() {
    stream_.close();
    pump_.wake();
}

awaitable<peer::verdict> peer_link::operator()(peer::event question) {
    return std::visit([this](auto& q) { return on(std::move(q)); }, question);
}

awaitable<peer::verdict> peer_link::on(peer::hello_received q) {
    theirs = q.theirs.mine.account;
    auto verdict = owner_.greeted(*this, q.theirs);
    if (!verdict.accept)
        services::log(services::area::peer)
            .info("link={} event=refused reason={}", number_, services::field(verdict.reason));
    co_return verdict;
}

awaitable<peer::verdict> peer_link::on(peer::link_ready) {
    owner_.came_up(*this);
    co_return peer::noted{};
}

awaitable<peer::verdict> peer_link::on(peer::request_received q) {
    last_used_ = std::chrono::steady_clock::now();
    auto reply = co_await owner_.requested(shared_from_this(), std::move(q.protocol), std::move(q.message));
    co_return reply;
}

awaitable<peer::verdict> peer_link::on(peer::response_received q) {
    last_used_ = std::chrono::steady_clock::now();
    if (const auto found = waiting_.find(q.request); found != waiting_.end()) {
        found->second->reply.emplace(std::move(q.message));
        found->second->timer.cancel();
    }
    co_return peer::noted{};
}

awaitable<peer::verdict> peer_link::on(peer::link_ended q) {
    if (q.violation)
        services::log(services::area::peer).warn("link={} event=cut reason={}", number_, services::field(q.reason));
    else
        services::log(services::area::peer).debug("link={} event=ended reason={}", number_, services::field(q.reason));
    // Who reads no more is not waited for: until then nobody is told that the link is over.
    last_words_.expires_after(last_words_limit);
    last_words_.async_wait([self = shared_from_this()](error_code ec) {
        if (!ec) self->close();
    });
    co_return peer::noted{};
}

}  // namespace pp::net
