#include "daemon/net/serve_relay.hpp"

#include "daemon/net/await.hpp"
#include "daemon/services/log.hpp"
#include "proto/peer/protocols.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <set>

namespace pp::net {

static_assert(peer::relay_request_bytes_max == relay::request_bytes_max &&
              peer::relay_reply_bytes_max == relay::reply_bytes_max &&
              peer::relay_seed_bytes_max == relay::seed_message_bytes_max);
static_assert(peer::relay_protocol == relay::control_protocol && peer::relay_seed_protocol == relay::seed_protocol &&
              peer::relay_push_protocol == relay::push_protocol);

awaitable<bytes> relay_service::requested(services::account& mine, std::shared_ptr<peer_link> link,
                                          std::string protocol, bytes message) {
    auto* role = node_.relay();
    const auto accounts = node_.accounts();
    const relay::refusal no{relay::status::refused, 0};
    if (!role || protocol == relay::push_protocol || accounts.front() != &mine) co_return relay::encode(no);

    auto& place = clients_[link->number()];
    if (!place) {
        relay::server_options options;
        options.relay = mine.key();
        crypto::random_bytes(options.nonce);
        options.announced = role->announced();
        place = std::make_shared<client>(std::move(options));
        place->link = link;
    }
    const auto one = place;
    // Seeds go over streams of their own class and nothing else does: a list never waits behind them.
    const auto decoded = message.empty() ? relay::operation::info : static_cast<relay::operation>(message.front());
    const relay::refusal bad{relay::status::bad_request, 0};
    if (relay::is_bulk(decoded) != (protocol == relay::seed_protocol)) co_return relay::encode(bad);
    if (decoded == relay::operation::list)
        for (auto& [slot, told] : one->hinted) told = false;

    one->session.requested(std::move(message));
    for (auto asked = one->session.next_event(); asked; asked = one->session.next_event()) {
        std::optional<relay::slot_id> deposited;
        if (const auto* item = std::get_if<relay::item_deposit>(&*asked)) deposited = item->slot;
        auto verdict = co_await answer(std::move(*asked), link, one);
        if (const auto* stored = std::get_if<relay::reply<relay::deposit_reply>>(&verdict);
            deposited && stored && std::holds_alternative<relay::deposit_reply>(*stored))
            tell(*deposited);
        one->session.answer(std::move(verdict));
    }
    auto reply = one->session.take_output();
    if (const auto& slots = one->session.attached(); slots.size() != one->attached) {
        if (slots.size() > one->attached) {
            one->touched_at = services::now_s();
            role->submit(role->desk().touch(slots.back(), one->touched_at), [](const result<void>&) {});
        }
        one->attached = slots.size();
        link->waits_for_news = !slots.empty() || circuits_.has_reserved(link->number());
        count();
    }
    co_return reply;
}

engine::relay_client relay_service::describe(const crypto::account_key& who) const {
    engine::relay_client out{who, node_.find_account(who) != nullptr, false};
    for (auto* a : node_.accounts()) {
        const auto contact = a->store().read([&](const storage::read_txn& txn) { return txn.get_contact(who); });
        if (contact && *contact && (*contact)->accepted && !(*contact)->blocked) out.is_contact = true;
    }
    return out;
}

awaitable<relay::verdict> relay_service::answer(relay::event asked, std::shared_ptr<peer_link> link,
                                                std::shared_ptr<client> one) {
    auto& role = *node_.relay();
    if (const auto* r = std::get_if<relay::reserve>(&asked)) {
        relay::reply<relay::reserve_reply> reply = relay::refusal{relay::status::refused, 0};
        if (role.desk().may_reserve(describe(link->theirs), !one->session.attached().empty())) {
            const auto tag = relay::circuit_tag_of(link->theirs, link->mine);
            reply = circuits_.reserve(link, tag, r->ttl_s);
        }
        co_return reply;
    }
    if (const auto* c = std::get_if<relay::circuit_wanted>(&asked)) {
        const auto wanted = *c;
        auto reply = co_await circuits_.connect(link, wanted);
        co_return reply;
    }
    // Who it is matters for opening a slot alone; nothing else looks.
    const bool opens =
        std::holds_alternative<relay::may_open>(asked) || std::holds_alternative<relay::slot_open>(asked);
    const auto asker = opens ? describe(link->theirs) : engine::relay_client{};
    auto step = role.desk().answer(std::move(asked), asker, services::now_s());
    switch (step.where) {
    case engine::relay_step::place::here: break;
    case engine::relay_step::place::worker: {
        auto verdict = co_await offload(workers_, std::move(step.run));
        co_return verdict;
    }
    case engine::relay_step::place::writer: {
        const auto written = co_await commit(std::move(step.job));
        co_return step.told(written);
    }
    }
    co_return step.run();
}

awaitable<result<void>> relay_service::commit(services::relay_role::job work) {
    promise_slot<result<void>> slot(co_await asio::this_coro::executor);
    node_.relay()->submit(std::move(work), slot.setter());
    co_return co_await slot.wait();
}

// ---------------------------------------------------------------- news
void relay_service::tell(const relay::slot_id& slot) {
    for (const auto& [number, one] : clients_) {
        const auto& slots = one->session.attached();
        const auto link = one->link.lock();
        if (!link || !link->ready() || std::find(slots.begin(), slots.end(), slot) == slots.end() || one->hinted[slot])
            continue;
        one->hinted[slot] = true;
        auto telling = hint(one, slot);
        asio::co_spawn(link->executor(), std::move(telling), asio::detached);
    }
}

awaitable<void> relay_service::hint(std::shared_ptr<client> to, relay::slot_id slot) {
    const auto now = std::chrono::steady_clock::now();
    const auto at = std::max(now, to->last_hint + relay::hint_pause);
    to->last_hint = at;
    if (at > now) {
        asio::steady_timer pause(co_await asio::this_coro::executor, at);
        auto [ec] = co_await pause.async_wait(as_result);
        (void)ec;
    }
    const auto link = to->link.lock();
    if (!link || !link->ready()) co_return;
    const relay::pushed news = relay::news_request{slot};
    auto message = relay::encode(news);
    const auto told = co_await link->ask(relay::push_protocol, std::move(message));
    (void)told;   // a client that does not understand polls
}

void relay_service::count() {
    if (!node_.relay()) return;
    // Two links may prove one slot: that for what waits in it, and that on which its owner can be called.
    std::set<relay::slot_id> slots;
    for (const auto& [number, one] : clients_)
        if (!one->link.expired()) slots.insert(one->session.attached().begin(), one->session.attached().end());
    node_.relay()->clients = slots.size();
    node_.relay()->open_circuits = circuits_.circuits();
    node_.relay()->reservations = circuits_.reservations();
}

void relay_service::link_over(const peer_link& link) {
    if (clients_.erase(link.number()) > 0) count();
    circuits_.link_over(link.number());
}

// Who is attached for half a year has not been away for half a year.
void relay_service::touch_slots(std::int64_t now) {
    auto& role = *node_.relay();
    for (const auto& [number, one] : clients_) {
        const auto since = now - one->touched_at;
        if (one->session.attached().empty() || (since >= 0 && since < attached_touch_s)) continue;
        one->touched_at = now;
        for (const auto& slot : one->session.attached())
            role.submit(role.desk().touch(slot, now), [](const result<void>&) {});
    }
}

awaitable<void> relay_service::upkeep(std::int64_t now) {
    auto* role = node_.relay();
    if (!role) co_return;
    std::erase_if(clients_, [](const auto& c) { return c.second->link.expired(); });
    circuits_.upkeep();
    count();
    touch_slots(now);
    const bool idle_slots = grace_.is_over(now, std::chrono::steady_clock::now());
    for (;;) {
        auto sweep = [role, now, idle_slots] { return role->store().sweep(now, idle_slots); };
        const auto swept = co_await offload(workers_, std::move(sweep));
        if (!swept)
            services::log(services::area::main)
                .error("event=relay_not_swept reason={}", services::field(swept.error().message()));
        if (!swept || *swept < storage::relay::sweep_rows_max) co_return;
    }
}

}  // namespace pp::net
