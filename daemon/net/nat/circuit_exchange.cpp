#include "daemon/net/nat/circuit_exchange.hpp"

#include "crypto/primitives.hpp"
#include "daemon/net/pump.hpp"

#include <algorithm>

namespace pp::net {

// Two connections and what may pass between them.
struct circuit_exchange::pipe {
    pipe(asio::io_context& io, const relay::circuit_limits& limits)
        : meter(limits, std::chrono::steady_clock::now()), end(io, limits.time_max) {}
    relay::circuit_meter meter;
    asio::steady_timer end;              // of the time a circuit may have
    std::weak_ptr<side> sides[2];
    unsigned copying = 2;
    void cut();
};

// One connection, from its join to its end.
struct circuit_exchange::side : std::enable_shared_from_this<circuit_exchange::side> {
    side(circuit_exchange& e, any_stream s)
        : exchange(e), stream(std::move(s)), joining(stream, session), timer(stream.executor()) {}

    awaitable<std::variant<relay::joined>> operator()(std::variant<relay::join_asked> question) {
        auto verdict = co_await answer(std::get<relay::join_asked>(question).who);
        co_return verdict;
    }
    awaitable<relay::joined> answer(relay::circuit_join who) {
        using verdict = engine::circuit_table::join_verdict;
        auto& waiting = exchange.waiting_;
        circuit = who.circuit;
        const auto is = exchange.table_.join(who, std::chrono::steady_clock::now());
        if (is == verdict::nobody) co_return relay::joined{false};
        if (is == verdict::both) {
            const auto found = waiting.find(who.circuit);
            if (found == waiting.end()) co_return relay::joined{false};   // gone in this moment
            partner = found->second;
            waiting.erase(found);
            through = std::make_shared<pipe>(exchange.io_, exchange.table_.rules().limits);
            through->sides[0] = partner;
            through->sides[1] = weak_from_this();
            exchange.pipes_[circuit] = through;
            partner->through = through;
            partner->partner = shared_from_this();
            partner->timer.cancel();
            co_return relay::joined{true};
        }
        waiting[who.circuit] = shared_from_this();
        while (!partner && !exchange.stopping_ && !was_cut) {
            const auto until = exchange.table_.join_deadline(who.circuit);
            if (!until || std::chrono::steady_clock::now() >= *until) break;
            timer.expires_at(*until);
            auto [ec] = co_await timer.async_wait(as_result);
            (void)ec;
        }
        if (partner) co_return relay::joined{true};
        waiting.erase(who.circuit);
        exchange.table_.ended(who.circuit);
        co_return relay::joined{false};
    }

    circuit_exchange& exchange;
    any_stream stream;
    relay::join_session session;
    pump<relay::join_session> joining;
    asio::steady_timer timer;
    relay::array16 circuit{};
    std::shared_ptr<side> partner;
    std::shared_ptr<pipe> through;
    bool was_cut = false;                // while it waited
    bool answered = false;               // the byte that says yes is written: the stream is the other direction's
};

void circuit_exchange::pipe::cut() {
    end.cancel();
    for (const auto& weak : sides)
        if (const auto s = weak.lock()) {
            s->stream.close();
            s->timer.cancel();
        }
}

relay::reply<relay::reserve_reply> circuit_exchange::reserve(std::shared_ptr<peer_link> link,
                                                             const relay::circuit_tag& tag, std::uint32_t ttl_s) {
    auto reply = table_.reserve(tag, link->number(), ttl_s, link->remote_endpoint(), std::chrono::steady_clock::now());
    if (std::holds_alternative<relay::reserve_reply>(reply)) {
        links_[link->number()] = link;
        link->waits_for_news = true;
        changed_();
    }
    return reply;
}

awaitable<relay::reply<relay::connect_reply>> circuit_exchange::connect(std::shared_ptr<peer_link> caller,
                                                                        relay::circuit_wanted wanted) {
    engine::circuit_table::dice dice;
    crypto::random_bytes(dice.circuit);
    crypto::random_bytes(dice.caller_secret);
    crypto::random_bytes(dice.target_secret);
    auto shown = wanted.show_endpoint ? caller->remote_endpoint() : std::string();
    const auto answer =
        table_.connect(wanted.target, caller->number(), std::move(shown), dice, std::chrono::steady_clock::now());
    if (const auto* no = std::get_if<relay::refusal>(&answer)) co_return *no;
    const auto& call = std::get<engine::circuit_table::call>(answer);
    const auto found = links_.find(call.target);
    const auto target = found == links_.end() ? nullptr : found->second.lock();
    if (!target || !target->ready()) {
        table_.ended(dice.circuit);
        table_.link_gone(call.target);
        links_.erase(call.target);
        co_return relay::refusal{relay::status::not_found, 0};
    }
    const relay::pushed question = call.message;
    auto message = relay::encode(question);
    const auto told = co_await target->ask(relay::push_protocol, std::move(message), 0, incoming_answer_limit);
    if (!told) {   // it comes back over another link; who calls tries again
        table_.ended(dice.circuit);
        co_return relay::refusal{relay::status::not_found, 0};
    }
    const auto said = relay::decode_reply<relay::done_reply>(*told);
    const bool accepted = said && std::holds_alternative<relay::done_reply>(*said);
    auto reply = table_.answered(dice.circuit, accepted, std::chrono::steady_clock::now());
    co_return reply;
}

awaitable<void> circuit_exchange::join(any_stream stream, waiting_room::ticket place, std::function<void()> joined) {
    if (stopping_) co_return;
    const auto me = std::make_shared<side>(*this, std::move(stream));
    place->cut = [weak = std::weak_ptr(me)] {
        const auto alive = weak.lock();
        if (!alive) return;
        alive->was_cut = true;
        alive->stream.close();
        alive->timer.cancel();
    };
    co_await me->joining.run(me, *me);
    place->cut = nullptr;
    me->answered = true;
    const auto other = me->partner;
    const auto p = me->through;
    if (!me->session.open() || !other || !p) {
        me->stream.close();
        if (p) {
            p->cut();
            table_.ended(me->circuit);
            pipes_.erase(me->circuit);
        }
        if (other) other->timer.cancel();
        me->partner.reset();
        co_return;
    }
    joined();
    changed_();
    if (p->sides[1].lock() == me)
        p->end.async_wait([weak = std::weak_ptr(p)](error_code ec) {
            if (const auto alive = weak.lock(); alive && !ec) alive->cut();
        });
    other->timer.cancel();
    // Nobody writes to the other before it has its own answer.
    while (!other->answered && !stopping_) {
        me->timer.expires_after(relay::join_timeout);
        auto [ec] = co_await me->timer.async_wait(as_result);
        if (!ec) break;
    }
    if (other->answered && other->session.open()) co_await copy(me, other, p);
    p->cut();
    me->partner.reset();
    if (--p->copying == 0) {
        table_.ended(me->circuit);
        pipes_.erase(me->circuit);
        changed_();
    }
}

awaitable<void> circuit_exchange::copy(std::shared_ptr<side> from, std::shared_ptr<side> to, std::shared_ptr<pipe> p) {
    bytes room(relay::circuit_buffer_bytes);
    auto early = from->session.early();
    bytes_view pending = early;
    for (;;) {
        while (!pending.empty()) {
            const auto now = std::chrono::steady_clock::now();
            const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(p->meter.allowance(now), pending.size()));
            if (p->meter.spent(now)) co_return;
            if (n == 0) {
                from->timer.expires_at(p->meter.next());
                auto [ec] = co_await from->timer.async_wait(as_result);
                if (ec) co_return;        // cut
                continue;
            }
            p->meter.passed(n);
            const auto failed = co_await to->stream.write(pending.first(n));
            if (failed) co_return;
            pending = pending.subspan(n);
        }
        bytes().swap(early);
        const auto got = co_await from->stream.read_some(room);
        if (got.failed || got.bytes == 0) co_return;
        pending = bytes_view(room).first(got.bytes);
    }
}

void circuit_exchange::link_over(std::uint64_t link) {
    if (links_.erase(link) == 0) return;
    table_.link_gone(link);
    changed_();
}

void circuit_exchange::upkeep() {
    table_.expire(std::chrono::steady_clock::now());
    std::erase_if(links_, [this](const auto& l) {
        const bool gone = l.second.expired();
        if (gone) table_.link_gone(l.first);
        return gone;
    });
    changed_();
}

void circuit_exchange::stop() {
    stopping_ = true;
    for (const auto& [id, one] : waiting_) {
        one->stream.close();
        one->timer.cancel();
    }
    for (const auto& [id, weak] : pipes_)
        if (const auto p = weak.lock()) p->cut();
}

}  // namespace pp::net
