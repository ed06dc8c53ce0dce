// The loop of each account: looks at what has changed and at what is due, and sets in motion what can move. What that
// is, is in courier_*.cpp.
#include "daemon/net/courier.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/deposit.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/net/serve_relay.hpp"
#include "daemon/services/log.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <utility>

namespace pp::net {

courier::courier(asio::io_context& io, services::node& node, links& peers, const discovery& lan,
                 finder& people)
    : io_(io), node_(node), links_(peers), lan_(lan), finder_(people) {}

void courier::set_relay_mail(relay_inbox& inbox, relay_outbox& outbox, relay_homes& homes) {
    relay_inbox_ = &inbox;
    relay_outbox_ = &outbox;
    relay_homes_ = &homes;
    outbox.set_bench(bench_, [this](const std::string& label, const storage::id16& row) {
        if (const auto found = desks_.find(label); found != desks_.end()) found->second.open.look(row, 0);
        wake(label);
    });
    outbox.set_found_slots([this](const crypto::account_key& peer) { return finder_.slots_of(peer); });
}

void courier::set_receiver(receiver& r) {
    receiver_ = &r;
    r.on_due([this](services::account& mine, const storage::id16& id) { relay_inbox_->see_to(mine, id); });
    r.count_rows_with([this](services::account& mine, const crypto::account_key& from) {
        const auto& counts = desk_of(mine).coming_from;
        const auto found = counts.find(from);
        return found == counts.end() ? std::size_t{0} : found->second;
    });
}

// ---------------------------------------------------------------- the desk of each account

void courier::start() {
    notice_clock_jumps();
    for (auto* a : node_.accounts()) {
        auto& d = desk_of(*a);
        receiver_->tidy(*a);
        relay_inbox_->wake(*a);
        // Whoever has mail for us learns that we are back; nobody has to wait for his own next try.
        auto contacts = a->store().read([](const storage::read_txn& txn) { return txn.contacts(); });
        if (contacts)
            for (const auto& c : *contacts)
                if (c.accepted && !c.blocked) d.routes[c.account].greet = true;   // strangers learn nothing
        poke(d);
    }
}

void courier::stop() {
    stopping_ = true;
    bench_.stop();
    for (auto& [label, d] : desks_) d.timer->cancel();
}

courier::desk& courier::desk_of(services::account& a) {
    auto& d = desks_[a.label()];
    if (!d.account) {
        d.account = &a;
        d.timer = std::make_unique<asio::steady_timer>(io_);
        d.changed.people = true;
        asio::co_spawn(io_, work(d), asio::detached);
    }
    return d;
}

void courier::wake(const std::string& label) {
    if (stopping_) return;
    if (auto* a = node_.find_account(label)) poke(desk_of(*a));
}

void courier::changed(const std::string& label, const storage::delivery_changes& what) {
    if (stopping_) return;
    const auto found = desks_.find(label);
    if (found == desks_.end()) return;   // its first look reads everything
    auto& d = found->second;
    d.changed.outbox.insert(d.changed.outbox.end(), what.outbox.begin(), what.outbox.end());
    d.changed.inbound.insert(d.changed.inbound.end(), what.inbound.begin(), what.inbound.end());
    d.changed.people = d.changed.people || what.people || what.all;
    if (what.all) {
        d.is_loaded = false;
        relay_inbox_->changed_all(*d.account);
    }
    if (!what.inbound.empty()) relay_inbox_->changed(*d.account, what.inbound);
    poke(d);
}

void courier::poke(desk& d) {
    d.woken = true;
    d.timer->cancel();
}

awaitable<void> courier::work(desk& d) {
    while (!stopping_) {
        d.woken = false;
        co_await pass(d);
        if (stopping_) co_return;
        if (d.woken) {   // what woke it may have been the pass itself, without waiting for anything: others have a turn
            co_await asio::post(io_, asio::use_awaitable);
            continue;
        }
        const auto now = std::chrono::steady_clock::now();
        auto next = std::min(d.next_healing, d.next_bringing);
        for (const auto& [peer, r] : d.routes) {
            if (r.wanted && !r.dialling) next = std::min(next, r.next_dial);
            if (r.wanted && !r.parked.empty()) next = std::min(next, r.parked_until);
        }
        for (const auto& [mail, when] : d.to_show) next = std::min(next, when);
        if (!d.leftovers.empty() && !d.taking_leftovers && !rests(d)) next = std::min(next, d.next_leftovers);
        if (!d.telling && !rests(d)) next = std::min(next, d.next_telling);
        if (const auto look = d.open.next_look(); look && !rests(d)) {
            // A timer does not count the time a machine sleeps: looked at so often at least.
            const auto wait = std::clamp<storage::unix_ms>(*look - services::now_ms(), 0, release_look.count());
            next = std::min<std::chrono::steady_clock::time_point>(next, now + std::chrono::milliseconds(wait));
        }
        if (rests(d))
            next = std::min(next, d.next_booking ? *d.next_booking : now + healing_retry);
        d.timer->expires_at(next);
        auto [ec] = co_await d.timer->async_wait(as_result);
        (void)ec;
    }
}

// After an error of the disk, or a start on a full one, the store shows what it had before; what was accepted since
// lies in its log and goes nowhere. Every write tries to bring it back, and so does this one when nobody writes.
awaitable<void> courier::heal(desk& d) {
    auto& mine = *d.account;
    const auto never = std::chrono::steady_clock::time_point::max();
    const auto now = std::chrono::steady_clock::now();
    if (!mine.store().writable() && (d.next_healing <= now || d.next_healing == never)) {
        auto nothing = commit(node_, mine, [](storage::write_txn&) -> result<void> { return {}; });
        const auto healed = co_await std::move(nothing);
        if (healed) services::log(services::area::store).info("event=writable_again");
        d.next_healing = now + healing_retry;
    }
    if (mine.store().writable()) d.next_healing = never;
}

// What becomes of a mail cannot be written now.
// What is done all the same would be done again with every look at the queue.
bool courier::rests(desk& d) const {
    return d.next_booking || redating_ > 0 || !d.account->store().writable();
}

void courier::rest(services::account& mine) {
    auto& d = desk_of(mine);
    d.next_booking = std::chrono::steady_clock::now() + booking_retry;
    poke(d);   // whoever waits for something waits for that, too
}

// ---------------------------------------------------------------- what is done about them

// Looks at what has changed and at what is due, and sets in motion what can move.
awaitable<void> courier::pass(desk& d) {
    auto& mine = *d.account;
    if (d.next_booking && *d.next_booking <= std::chrono::steady_clock::now()) {
        d.next_booking.reset();
        look_at_everything(d);
    }
    co_await heal(d);
    if (const auto learned = learn(d); !learned) {
        services::log(services::area::delivery)
            .error("event=queue_unreadable reason={}", services::field(learned.error().message()));
        if (!d.next_booking) d.next_booking = std::chrono::steady_clock::now() + booking_retry;
        co_return;
    }
    co_await show_outgoing(d);
    if (std::exchange(d.changed.people, false)) co_await learn_people(d);
    notice_clock_jumps();
    co_await look_at_what_is_due(d);
    bring_to_relays(d);
    if (has_leftovers_to_take(d)) {
        d.taking_leftovers = true;
        asio::co_spawn(io_, take_leftovers(d), asio::detached);
    }
    if (has_somebody_to_tell(d)) {
        d.telling = true;
        asio::co_spawn(io_, tell_one(d), asio::detached);
    }

    const auto now = std::chrono::steady_clock::now();
    for (auto& [peer, r] : d.routes) {
        const bool presents = d.token_first.contains(peer);
        if (!presents) r.token_shown = false;
        r.wanted = r.greet || presents || d.open.any_waits_for(peer) || d.coming_from.contains(peer);
        if (!r.wanted) continue;
        if (auto link = links_.find(mine.key(), peer)) {
            r.greet = false;
            // Also when the invite was used while the link was up already.
            if (presents && !rests(d) && !std::exchange(r.token_shown, true))
                asio::co_spawn(io_, present_token(mine, link), asio::detached);
            send_what_waits(d, peer, r);
            r.next_dial = std::chrono::steady_clock::time_point::max();   // link_down sets it again
        } else {
            if (!r.parked.empty() && now >= r.parked_until) {
                d.open.look(r.parked.begin()->second, 0);
                r.parked.erase(r.parked.begin());
                r.parked_until = now + redial_first;
            }
            if (!r.dialling && now >= r.next_dial) {
                r.dialling = true;
                asio::co_spawn(io_, dial(d, peer, d.open.any_waits_for(peer)), asio::detached);
            }
        }
    }
    std::erase_if(d.routes, [&](const auto& one) {   // nobody is remembered for having called
        const auto& r = one.second;
        return !r.wanted && !r.dialling && r.senders == 0 && !links_.find(mine.key(), one.first);
    });
}

awaitable<void> courier::look_at_what_is_due(desk& d) {
    for (std::size_t n = 1; !rests(d) && !stopping_; ++n) {
        const auto id = d.open.take_due(services::now_ms());
        if (!id) break;
        auto row = d.account->store().read([&](const storage::read_txn& txn) { return txn.get_outbox(*id); });
        if (!row) {
            d.open.look(*id, services::now_ms() + std::chrono::milliseconds(booking_retry).count());
            continue;
        }
        if (*row && engine::is_open(**row)) co_await look_at(d, std::move(**row));
        if (n % looks_at_once_max == 0) co_await asio::post(io_, asio::use_awaitable);   // others have their turn
    }
}

awaitable<void> courier::look_at(desk& d, storage::outbox_row row) {
    auto& mine = *d.account;
    const auto id = row.id;
    d.to_bring.erase({row.submitted_at, id});
    if (engine::is_held(row, services::now_ms())) {
        d.open.set_waits(id, false);
        d.open.look(id, row.hold_until);
        co_return;
    }
    // What says in Outgoing that it is held is to say that it goes.
    if (row.hold_until != 0 && row.outgoing_uid != 0)
        show_at(d, row.submission, std::chrono::steady_clock::now());
    if (taking_back_.contains(id)) {   // its end looks again
        d.open.set_waits(id, false);
        co_return;
    }
    auto now_is = judged(d, row);
    if (auto told = engine::delay_noticed(now_is, services::now_ms(), node_.configuration().delivery)) {
        now_is = std::move(*told);
        co_await tell_delay(d, now_is.submission);
    }
    if (!engine::is_open(now_is)) {
        d.open.set_waits(id, false);
        if (taking_back_.insert(id).second) asio::co_spawn(io_, give_up(d, std::move(now_is)), asio::detached);
    } else if (now_is.account == mine.key()) {
        co_await release_to_self(mine, std::move(now_is));
    } else if (auto* local = node_.find_account(now_is.account)) {
        if (!co_await deliver_here(mine, *local, std::move(now_is)))
            look_later(d, id, std::chrono::steady_clock::now() + local_retry);
    } else {
        d.open.set_waits(id, true);
        see_to(d, now_is);
    }
}

// A mail to another node. When there is a link: has its notification gone over it, and is it due again (told to try
// later, or no receipt for long)?
void courier::see_to(desk& d, const storage::outbox_row& row) {
    auto& r = d.routes[row.account];
    if (r.in_flight.contains(row.id)) return;   // its end looks again
    r.parked.erase({row.submitted_at, row.id});
    const auto link = links_.find(d.account->key(), row.account);
    const auto now = services::now_ms();
    if (link) {
        if (!r.told.contains(row.id) || engine::is_due(row, now)) {
            r.told.erase(row.id);
            r.to_send.emplace(row.submitted_at, row.id);
            return;
        }
        look_later(d, row.id, row.next_attempt_at);
        if (!crawls(d, row, *link)) return;
    }
    const auto& times = node_.configuration().delivery;
    const auto since = std::max(r.unlinked_since, fresh_since_);
    if (!engine::deposit_is_due(row, since, now, times)) {
        const auto due = engine::deposit_due_at(row, since, now, times);
        if (due > now) look_later(d, row.id, due);   // else its time is over: judged() looks again
    } else if (const auto rest = relay_outbox_->not_before(row.account); rest > std::chrono::steady_clock::now()) {
        if (link) return look_later(d, row.id, rest);
        if (r.parked.empty()) r.parked_until = rest;
        r.parked.emplace(row.submitted_at, row.id);
    } else {
        d.to_bring.emplace(row.submitted_at, row.id);
    }
}

// What goes over a circuit longer than a mail may wait for its way goes to the relay as well, which has it at once.
bool courier::crawls(desk& d, const storage::outbox_row& row, const peer_link& link) const {
    if (link.path != engine::path::relay) return false;
    const auto blob = d.account->store().open_blob(row.mail_serial);
    return blob && engine::crawls(link.path, (*blob)->ref().cipher_bytes);
}

void courier::send_what_waits(desk& d, const crypto::account_key& peer, route& r) {
    const auto link = links_.find(d.account->key(), peer);
    // else its end wakes us
    if (!link || !link->takes_requests() || d.token_first.contains(peer) || rests(d)) return;
    const auto wanted = std::min(r.to_send.size(), notifications_in_flight_max);
    for (auto n = r.senders; n < wanted; ++n) {
        ++r.senders;   // first: a sender that finds nothing to send is over before co_spawn() comes back
        asio::co_spawn(io_, send_some(d, link), asio::detached);
    }
}

// ---------------------------------------------------------------- what peers ask over links

awaitable<bytes> courier::requested(services::account& mine, std::shared_ptr<peer_link> link, std::string protocol,
                                    bytes message) {
    if (protocol == peer::notify_protocol) {
        auto reply = co_await receiver_->notified(mine, link, std::move(message));
        co_return reply;
    }
    if (protocol == peer::drive_protocol) {
        auto reply = co_await receiver_->serve_range(mine, link->theirs, std::move(message));
        co_return reply;
    }
    if (protocol == peer::receipt_protocol) {
        auto reply = co_await receipt_came(mine, link, std::move(message));
        co_return reply;
    }
    if (protocol == peer::relay_protocol || protocol == peer::relay_seed_protocol ||
        protocol == peer::relay_push_protocol) {
        auto reply = co_await relay_->requested(mine, link, std::move(protocol), std::move(message));
        co_return reply;
    }
    if (protocol == peer::letter_protocol) {
        auto reply = co_await letter_came(mine, link, std::move(message));
        co_return reply;
    }
    auto reply = co_await token_came(mine, link, std::move(message));
    co_return reply;
}

}  // namespace pp::net
