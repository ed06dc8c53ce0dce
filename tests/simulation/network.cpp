#include "tests/simulation/network.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace pp::sim {

namespace {

constexpr std::size_t window_bytes = 64 * 1024;
constexpr std::size_t segment_bytes = 16 * 1024;
constexpr nanoseconds loopback_delay = 20 * us;
constexpr nanoseconds first_repeat = 200 * ms, longest_repeat = 60 * second;
constexpr nanoseconds hello_repeat = second;             // doubled each time: given up after two minutes
constexpr unsigned hellos_max = 7;

}  // namespace

network& network::the() {
    static network* const one = new network;
    return *one;
}

host* network::find(std::uint32_t where) const {
    const auto found = hosts_.find(where);
    return found == hosts_.end() ? nullptr : found->second;
}

bool network::passes(const host& from, const host& to) const {
    return from.powered && to.powered && !parted_.contains(pair_of(from, to));
}

nanoseconds network::travel(const host& from, const host& to) {
    if (from.user || to.user || &from == &to) return loopback_delay;
    auto t = now_like.delay + static_cast<nanoseconds>(dice_.below(static_cast<std::uint64_t>(now_like.delay) + 1));
    for (auto repeat = first_repeat; dice_.chance(now_like.loss_percent) && repeat < longest_repeat; repeat *= 2)
        t += repeat;
    return t;
}

void network::heal(const host& a, const host& b) {
    parted_.erase(pair_of(a, b));
    go_on();
}

void network::heal_all() {
    parted_.clear();
    go_on();
}

void network::go_on() {
    std::erase_if(sockets_, [](const auto& s) { return s.expired(); });
    for (const auto& weak : sockets_) {
        const auto s = weak.lock();
        const auto from = s ? s->peer_.lock() : nullptr;
        if (!from || !s->stalled_ || s->silent_ || !passes(from->on, s->on)) continue;
        s->stalled_ = false;
        s->delivery_arranged_ = true;
        const auto wait = static_cast<nanoseconds>(dice_.below(longest_repeat));   // until it is sent again
        scheduler::the().at(scheduler::the().now() + wait, [s] { s->deliver(); });
    }
}

void network::lost_power(const host& h) {
    for (const auto& weak : sockets_)
        if (const auto s = weak.lock(); s && &s->on == &h) {
            s->forgotten_ = true;
            if (s->state_ == tcp_socket::state::listening) {
                listeners_.erase(s->local);
                for (const auto& waiting : s->waiting_) waiting->forgotten_ = true;
            }
        }
    // Its user sits at it: she sees it at once.
    for (const auto& weak : sockets_)
        if (const auto s = weak.lock(); s && s->on.user)
            if (const auto peer = s->peer_.lock(); peer && &peer->on == &h) s->fail(ECONNRESET);
}

void network::rebooted(const host&) { go_on(); }

bool network::cut_one() {
    std::vector<std::shared_ptr<tcp_socket>> live;
    for (const auto& weak : sockets_)
        if (const auto s = weak.lock(); s && s->connected() && !s->on.user && !s->forgotten_)
            if (const auto peer = s->peer_.lock(); peer && !peer->on.user) live.push_back(s);
    if (live.empty()) return false;
    const auto s = live[dice_.below(live.size())];
    const auto peer = s->peer_.lock();
    s->fail(ECONNRESET);
    if (dice_.chance(50)) peer->fail(ECONNRESET);   // else one side goes on until it sends
    return true;
}

bool network::silence(const host& h) {
    bool any = false;
    for (const auto& weak : sockets_)
        if (const auto s = weak.lock(); s && s->connected() && !s->on.user && &s->on == &h)
            if (const auto peer = s->peer_.lock(); peer && !peer->on.user && &peer->on != &h)
                any = s->silent_ = peer->silent_ = true;
    return any;
}

void network::send_datagram(udp_socket& from, address to, std::string_view bytes) {
    const bool to_all = (to.host >> 28) == 0xe;     // multicast
    auto& s = scheduler::the();
    for (auto* other : datagrams_) {
        if (other->local.port != to.port || (!to_all && other->on.address() != to.host)) continue;
        if (!passes(from.on, other->on) || (&from.on != &other->on && dice_.chance(now_like.loss_percent))) continue;
        const unsigned copies = dice_.chance(now_like.double_percent) ? 2 : 1;
        for (unsigned i = 0; i < copies; ++i) {
            const auto when = s.now() + travel(from.on, other->on);
            const std::weak_ptr<descriptor> to_whom = other->weak_from_this();
            s.at(when, [to_whom, sender = address{from.on.address(), from.local.port}, text = std::string(bytes)] {
                const auto u = std::static_pointer_cast<udp_socket>(to_whom.lock());
                if (!u || !u->on.powered) return;
                ++network::the().datagrams_come;
                u->received.emplace_back(sender, text);
                u->changed();
            });
        }
    }
}

void network::open(udp_socket& s, address where) {
    s.local = {s.on.address(), where.port};
    datagrams_.push_back(&s);
}

void udp_socket::closed() { std::erase(network::the().datagrams_, this); }

// ---------------------------------------------------------------- TCP

std::uint32_t tcp_socket::ready() const {
    if (error_ != 0) return EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
    switch (state_) {
    case state::fresh:
    case state::connecting: return 0;
    case state::listening: return waiting_.empty() ? 0u : EPOLLIN;
    case state::over: return EPOLLIN | EPOLLOUT | EPOLLHUP;
    case state::connected: break;
    }
    const auto peer = peer_.lock();
    const bool room = !peer || peer->on_the_way() < window_bytes;
    return (received_.empty() && !ended_ ? 0u : EPOLLIN) | (room ? EPOLLOUT : 0u);
}

int tcp_socket::bind(address to) {
    local = to;
    if (local.host == 0) local.host = on.address();
    if (local.port == 0) local.port = network::the().free_port();
    return network::the().listeners_.contains(local) ? -EADDRINUSE : 0;
}

int tcp_socket::listen() {
    if (!network::the().listeners_.emplace(local, this).second) return -EADDRINUSE;
    state_ = state::listening;
    network::the().sockets_.push_back(std::static_pointer_cast<tcp_socket>(shared_from_this()));
    return 0;
}

int tcp_socket::accept(address& from) {
    while (waiting_.empty()) {
        if (non_blocking) return -EAGAIN;
        scheduler::the().block(this);
    }
    auto s = std::move(waiting_.front());
    waiting_.pop_front();
    from = s->remote;
    return descriptor_table::the().add(std::move(s));
}

int tcp_socket::connect(address to) {
    auto& net = network::the();
    if (local.port == 0) local = {on.address(), net.free_port()};
    remote = to;
    state_ = state::connecting;
    net.sockets_.push_back(std::static_pointer_cast<tcp_socket>(shared_from_this()));
    say_hello(0);
    if (non_blocking) return -EINPROGRESS;
    while (state_ == state::connecting) scheduler::the().block(this);
    return error_ != 0 ? -take_error() : 0;
}

void tcp_socket::say_hello(unsigned tries) {
    auto& net = network::the();
    auto& s = scheduler::the();
    const auto self = std::static_pointer_cast<tcp_socket>(shared_from_this());
    const auto again = [self, tries] {
        auto& later = scheduler::the();
        later.at(later.now() + (hello_repeat << tries), [self, tries] {
            if (self->state_ != state::connecting || self->program_closed_) return;
            if (tries + 1 == hellos_max) self->fail(ETIMEDOUT);
            else self->say_hello(tries + 1);
        });
    };
    auto* const there = net.find(remote.host);
    if (!there) return again();
    s.at(s.now() + net.travel(on, *there), [self, there, again] {
        auto& n = network::the();
        auto& clock = scheduler::the();
        if (self->state_ != state::connecting || self->program_closed_) return;
        if (!n.passes(self->on, *there)) return again();
        const auto back = clock.now() + n.travel(*there, self->on);
        const auto found = n.listeners_.find(self->remote);
        if (found == n.listeners_.end()) {
            clock.at(back, [self] {
                if (self->state_ == state::connecting) self->fail(ECONNREFUSED);
            });
            return;
        }
        auto* const listener = found->second;
        auto theirs = std::make_shared<tcp_socket>(*there);
        theirs->local = self->remote;
        theirs->remote = self->local;
        theirs->state_ = state::connected;
        theirs->peer_ = self;
        self->peer_ = theirs;
        n.sockets_.push_back(theirs);
        listener->waiting_.push_back(theirs);
        listener->changed();
        clock.at(back, [self] {
            if (self->state_ != state::connecting) return;
            self->state_ = state::connected;
            self->changed();
        });
    });
}

void tcp_socket::fail(int error) {
    if (state_ == state::over) return;
    state_ = state::over;
    error_ = error;
    in_flight_.clear();
    in_flight_bytes_ = 0;
    received_.clear();
    ended_ = true;
    changed();
    if (const auto peer = peer_.lock()) peer->changed();
}

void tcp_socket::closed() {
    auto& net = network::the();
    program_closed_ = true;
    if (state_ == state::listening) {
        net.listeners_.erase(local);
        for (const auto& waiting : waiting_) waiting->closed();
        waiting_.clear();
        return;
    }
    if (state_ != state::connected) return;
    if (!sent_end_) shut_down();
}

void tcp_socket::shut_down() {
    if (state_ != state::connected || std::exchange(sent_end_, true)) return;
    transmit({{}, true});
}

ssize_t tcp_socket::send(const void* data, std::size_t n) {
    for (;;) {
        if (error_ != 0) return -take_error();
        if (state_ == state::over || sent_end_) return -EPIPE;
        if (state_ != state::connected) return -ENOTCONN;
        const auto peer = peer_.lock();
        if (!peer) return static_cast<ssize_t>(n);
        if (peer->on_the_way() < window_bytes) {
            n = std::min(n, window_bytes - peer->on_the_way());
            auto& d = network::the().dice_;
            if (n > 1 && !on.user && d.chance(5)) n = 1 + d.below(n);
            const auto* from = static_cast<const char*>(data);
            for (std::size_t at = 0; at < n; at += segment_bytes)
                transmit({std::string(from + at, std::min(segment_bytes, n - at)), false});
            return static_cast<ssize_t>(n);
        }
        if (non_blocking) return -EAGAIN;
        scheduler::the().block(this);
    }
}

ssize_t tcp_socket::receive(void* into, std::size_t n) {
    while (received_.empty()) {
        if (error_ != 0) return -take_error();
        if (ended_ || state_ == state::over) return 0;
        if (state_ != state::connected) return -ENOTCONN;
        if (non_blocking) return -EAGAIN;
        scheduler::the().block(this);
    }
    n = std::min(n, received_.size());
    auto& net = network::the();
    if (n > 1 && !on.user && net.dice_.chance(5)) n = 1 + net.dice_.below(n);
    std::memcpy(into, received_.data(), n);
    received_.erase(0, n);
    if (const auto peer = peer_.lock()) {   // it may send more
        auto& s = scheduler::the();
        s.at(s.now() + net.travel(on, peer->on), [peer] { peer->changed(); });
    }
    return static_cast<ssize_t>(n);
}

void tcp_socket::transmit(segment s) {
    const auto peer = peer_.lock();
    if (!peer || peer->state_ == state::over) {   // it has been told of an error: we learn it now
        if (!peer || !peer->forgotten_) {
            const auto self = std::static_pointer_cast<tcp_socket>(shared_from_this());
            auto& clock = scheduler::the();
            clock.at(clock.now() + 2 * network::the().now_like.delay, [self] { self->fail(ECONNRESET); });
        }
        return;
    }
    auto when = scheduler::the().now() + network::the().travel(on, peer->on);
    if (!peer->in_flight_.empty()) when = std::max(when, peer->in_flight_.back().first);
    peer->in_flight_bytes_ += s.bytes.size();
    peer->in_flight_.emplace_back(when, std::move(s));
    peer->arrange_delivery();
}

void tcp_socket::arrange_delivery() {
    if (delivery_arranged_ || stalled_ || in_flight_.empty()) return;
    delivery_arranged_ = true;
    const auto self = std::static_pointer_cast<tcp_socket>(shared_from_this());
    scheduler::the().at(in_flight_.front().first, [self] { self->deliver(); });
}

void tcp_socket::deliver() {
    delivery_arranged_ = false;
    const auto from = peer_.lock();
    if (!from || in_flight_.empty()) return;
    auto& net = network::the();
    auto& clock = scheduler::the();
    if (silent_ || !net.passes(from->on, on)) {
        stalled_ = true;
        const auto self = std::static_pointer_cast<tcp_socket>(shared_from_this());
        clock.at(clock.now() + from->patience_, [self, from, which = ++stalls_] {
            if (self->stalled_ && self->stalls_ == which) from->fail(ETIMEDOUT);
        });
        return;
    }
    auto s = std::move(in_flight_.front().second);
    in_flight_.pop_front();
    in_flight_bytes_ -= s.bytes.size();
    if (forgotten_ || (program_closed_ && !s.end)) {
        clock.at(clock.now() + net.travel(on, from->on), [from] { from->fail(ECONNRESET); });
        return;
    }
    received_ += s.bytes;
    ended_ = ended_ || s.end;
    changed();
    arrange_delivery();
}

}  // namespace pp::sim
