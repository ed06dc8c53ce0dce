#include "daemon/net/nat/puncher.hpp"

#include "daemon/net/connect.hpp"
#include "daemon/services/log.hpp"
#include "proto/peer/protocols.hpp"
#include "proto/punch/burst.hpp"

#include <algorithm>
#include <utility>

namespace pp::net {

static_assert(peer::punch_message_bytes_max == punch::message_bytes_max);

namespace {

constexpr std::size_t offers_kept_max = 256;      // one for each peer that has just begun
constexpr unsigned rounds_answered_max = 32;      // of one link: those of punch::rounds_at, and changes of address
constexpr auto link_look = std::chrono::milliseconds(20);

std::string text_of(const tcp::endpoint& e) { return engine::format({e.address().to_string(), e.port()}); }

void add(std::vector<punch::candidate>& list, punch::candidate_kind kind, const std::string& endpoint) {
    if (endpoint.empty() || endpoint.size() > punch::endpoint_bytes_max || list.size() >= punch::candidates_max) return;
    const punch::candidate one{kind, endpoint};
    if (std::find(list.begin(), list.end(), one) == list.end()) list.push_back(one);
}

}  // namespace

// Best first: what a router lets in, what an address of the internet says, the hole, the own network.
std::vector<punch::candidate> puncher::candidates_for(const peer_link& link) const {
    std::vector<punch::candidate> out;
    add(out, punch::candidate_kind::listener, way_in_());
    const auto* mine = node_.find_account(link.mine);
    const auto own = mine ? mine->record().endpoints : std::vector<std::string>();
    const auto add_own = [&](engine::address_kind wanted) {
        for (const auto& text : own)
            if (const auto e = engine::parse_endpoint(text); e && engine::kind_of(e->host) == wanted)
                add(out, punch::candidate_kind::listener, text);
    };
    add_own(engine::address_kind::global);
    if (link.through && link.through->alive()) {
        add(out, punch::candidate_kind::hole, link.through->observed());
        add(out, punch::candidate_kind::hole, text_of(link.through->local()));
    }
    add_own(engine::address_kind::local);
    add_own(engine::address_kind::loopback);
    return out;
}

bool puncher::is_direct(const peer_link& link) const {
    const auto now = links_.find(link.mine, link.theirs);
    return now && now->path != engine::path::relay;
}

// What a peer names cannot make us dial our own services (engine::candidates has the same rule).
bool puncher::may_dial(const engine::endpoint& e) const {
    engine::known_endpoints one;
    one.record.push_back(engine::format(e));
    const auto accounts = node_.accounts();
    const auto own = accounts.empty() ? std::vector<std::string>() : accounts.front()->record().endpoints;
    const bool on_loopback = std::any_of(own.begin(), own.end(), [](const auto& text) {
        const auto at = engine::parse_endpoint(text);
        return at && engine::kind_of(at->host) == engine::address_kind::loopback;
    });
    return engine::kind_of(e.host) != engine::address_kind::name && !engine::candidates(one, on_loopback).empty();
}

// ---------------------------------------------------------------- who begins

void puncher::circuit_up(std::shared_ptr<peer_link> link) {
    if (stopping_) return;
    if (const auto found = rounds_.find(link->number()); found != rounds_.end()) {
        found->second->machine.news();
        found->second->timer.cancel();
        return;
    }
    const auto r = std::make_shared<round_of>(io_);
    rounds_[link->number()] = r;
    asio::co_spawn(io_, run(link, r), [this, number = link->number()](std::exception_ptr) { rounds_.erase(number); });
}

awaitable<void> puncher::run(std::shared_ptr<peer_link> link, std::shared_ptr<round_of> r) {
    auto& m = r->machine;
    while (!stopping_ && link->ready() && !is_direct(*link)) {
        m.tick(std::chrono::steady_clock::now());
        if (auto e = m.next_event()) {
            auto verdict = co_await answer(link, std::move(*e));
            m.tick(std::chrono::steady_clock::now());
            m.answer(std::move(verdict));
            continue;
        }
        if (m.finished()) break;
        // A circuit that ends is noticed here: nobody else would say so.
        const auto look = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        r->timer.expires_at(std::min(m.deadline().value_or(look), look));
        auto [ec] = co_await r->timer.async_wait(as_result);
        (void)ec;
    }
}

awaitable<punch::verdict> puncher::answer(std::shared_ptr<peer_link> link, punch::event e) {
    if (std::holds_alternative<punch::candidates_wanted>(e)) {
        punch::own_candidates mine{candidates_for(*link)};
        co_return mine;
    }
    if (auto* q = std::get_if<punch::ask_peer>(&e)) {
        auto reply = co_await link->ask(peer::punch_protocol, std::move(q->message));
        punch::peer_answer said;
        if (reply) said.reply = std::move(*reply);
        co_return said;
    }
    auto& g = std::get<punch::go_and_dial>(e);
    asio::co_spawn(io_, say_go(link, std::move(g.message)), asio::detached);
    asio::steady_timer wait(io_, g.wait);
    auto [ec] = co_await wait.async_wait(as_result);
    (void)ec;
    const bool direct = co_await dial_all(link, std::move(g.theirs));
    services::log(services::area::peer).info("link={} event=punched direct={}", link->number(), direct);
    co_return punch::outcome{direct};
}

awaitable<void> puncher::say_go(std::shared_ptr<peer_link> link, bytes message) {
    const auto reply = co_await link->ask(peer::punch_protocol, std::move(message));
    (void)reply;      // it dials now, or it does not
}

// ---------------------------------------------------------------- who is asked

bytes puncher::punch_asked(std::shared_ptr<peer_link> link, bytes message) {
    auto said = punch::decode(message);
    const bool useful = link->path == engine::path::relay && !stopping_;
    if (!said || !useful) return punch::encode(punch::message(punch::offer{}));
    if (auto* theirs = std::get_if<punch::offer>(&*said)) {
        if (offered_.size() >= offers_kept_max) offered_.clear();
        auto& o = offered_[link->number()];
        if (!o) o = std::make_shared<offer_of>();
        o->candidates = std::move(theirs->candidates);
        return punch::encode(punch::message(punch::offer{candidates_for(*link)}));
    }
    // Whoever says GO without end would have us knock at doors of his choice without end.
    const auto found = offered_.find(link->number());
    if (found == offered_.end() || found->second->dialling || found->second->rounds >= rounds_answered_max) return {};
    const auto o = found->second;
    o->dialling = true;
    ++o->rounds;
    auto dialling = dial_all(link, std::exchange(o->candidates, {}));
    asio::co_spawn(io_, std::move(dialling), [o](std::exception_ptr, bool) { o->dialling = false; });
    return {};
}

// ---------------------------------------------------------------- dialling

// Every candidate at the same time; none is waited for when another has led there.
awaitable<bool> puncher::dial_all(std::shared_ptr<peer_link> link, std::vector<punch::candidate> theirs) {
    for (const auto& c : theirs) {
        const auto e = engine::parse_endpoint(c.endpoint);
        if (!e || !may_dial(*e)) continue;
        if (c.kind == punch::candidate_kind::listener) {
            links_.dial_listener(link, *e);
        } else if (link->through && link->through->alive()) {
            asio::co_spawn(io_, dial_hole(link, *e), asio::detached);
        }
    }
    asio::steady_timer timer(io_);
    const auto end = std::chrono::steady_clock::now() + punch::burst_limit;
    while (!stopping_ && link->ready() && !is_direct(*link) && std::chrono::steady_clock::now() < end) {
        timer.expires_after(link_look);
        auto [ec] = co_await timer.async_wait(as_result);
        (void)ec;
    }
    co_return is_direct(*link);
}

awaitable<void> puncher::dial_hole(std::shared_ptr<peer_link> link, engine::endpoint where) {
    error_code bad;
    const tcp::endpoint to(asio::ip::make_address(where.host, bad), where.port);
    const auto from = link->through->local();
    punch::burst burst(std::chrono::steady_clock::now());
    asio::steady_timer pause(io_);
    while (!bad && to.protocol() == from.protocol() && !stopping_ && link->ready() && !is_direct(*link)) {
        const auto next = burst.next();
        if (!next) break;
        pause.expires_at(*next);
        auto [ec] = co_await pause.async_wait(as_result);
        if (ec || is_direct(*link)) break;
        const auto now = std::chrono::steady_clock::now();
        tcp::socket socket(io_);
        if (!open_shared(socket, from)) break;
        asio::steady_timer limit(io_, burst.dialling(now));
        const auto connecting = std::make_shared<bool>(true);
        limit.async_wait([&socket, connecting = std::weak_ptr(connecting)](error_code late) {
            error_code ignored;
            if (!late && !connecting.expired()) socket.close(ignored);
        });
        auto [failed] = co_await socket.async_connect(to, as_result);
        if (!failed) {
            links_.punched(link, std::move(socket));
            break;
        }
        burst.failed(std::chrono::steady_clock::now(),
                     failed != asio::error::operation_aborted && failed != asio::error::timed_out);
    }
}

void puncher::stop() {
    stopping_ = true;
    for (const auto& [number, r] : rounds_) r->timer.cancel();
}

}  // namespace pp::net
