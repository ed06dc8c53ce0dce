#include "daemon/net/courier.hpp"

#include "daemon/engine/contacts.hpp"
#include "daemon/engine/delivery.hpp"
#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/inbox.hpp"
#include "daemon/engine/outgoing.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/dice.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/net/serve_relay.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/outgoing.hpp"
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
    outbox.set_bench(bench_, [this](const std::string& label) { wake(label); });
    outbox.set_found_slots([this](const crypto::account_key& peer) { return finder_.slots_of(peer); });
}

void courier::set_receiver(receiver& r) {
    receiver_ = &r;
    r.on_refused([this](services::account& mine, const storage::id16& id) { relay_inbox_->refused(mine, id); });
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
        asio::co_spawn(io_, work(d), asio::detached);
    }
    return d;
}

void courier::wake(const std::string& label) {
    if (stopping_) return;
    if (auto* a = node_.find_account(label)) poke(desk_of(*a));
}

void courier::poke(desk& d) {
    d.woken = true;
    d.timer->cancel();
}

awaitable<void> courier::work(desk& d) {
    while (!stopping_) {
        d.woken = false;
        co_await pass(d);
        if (d.woken || stopping_) continue;
        auto next = std::min({d.next_release, d.next_judgement, d.next_healing});
        for (const auto& [peer, r] : d.routes) {
            if (r.wanted && !r.dialling) next = std::min(next, r.next_dial);
            next = std::min(next, r.next_due);
        }
        if (rests(d))
            next = std::min(next, d.next_booking ? *d.next_booking : std::chrono::steady_clock::now() + healing_retry);
        d.timer->expires_at(next);
        auto [ec] = co_await d.timer->async_wait(as_result);
        (void)ec;
    }
}

// Brings the mailbox Outgoing in step, and watches it: what the user deletes there is cancelled.
awaitable<void> courier::show_outgoing(desk& d) {
    auto& mine = *d.account;
    const auto now = services::now_ms();
    using services::outgoing_change;
    const services::outgoing_facts facts{mine.domain(), node_.configuration().delivery};
    auto due = services::outgoing_due(mine.store(), facts, now);
    if (!due)
        services::log(services::area::delivery)
            .warn("event=outgoing_not_written reason={}", services::field(due.error().message()));
    if (due && !due->empty()) {
        auto notes = std::make_shared<std::vector<services::outgoing_note>>(std::move(*due));
        auto what = std::make_shared<outgoing_change>(outgoing_change::none);
        auto written = commit(node_, mine, [now, what, notes, facts](storage::write_txn& txn) -> result<void> {
            auto done = services::update_outgoing(txn, *notes, facts, now);
            if (!done) return done.error();
            *what = *done;
            return {};
        });
        const auto r = co_await std::move(written);
        if (r && notes->size() == services::outgoing_notes_max) d.woken = true;   // there may be more
        if (r && *what == outgoing_change::cancel) services::log(services::area::delivery).info("event=cancelled");
        if (!r)
            services::log(services::area::delivery)
                .warn("event=outgoing_not_written reason={}", services::field(r.error().message()));
    }
    auto box = mine.store().read([](const storage::read_txn& txn) { return txn.find_mailbox(engine::outgoing_name); });
    const auto id = box && *box ? (*box)->id : storage::no_mailbox;
    if (id == std::exchange(d.outgoing, id) || id == storage::no_mailbox) co_return;
    auto wake_up = [this, label = mine.label()](storage::mailbox_id) {
        asio::post(io_, [this, label] { wake(label); });
    };
    d.outgoing_changes = node_.changes().subscribe(mine.label(), id, std::move(wake_up));
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
    return d.next_booking || !d.account->store().writable();
}

void courier::rest(services::account& mine) {
    auto& d = desk_of(mine);
    d.next_booking = std::chrono::steady_clock::now() + booking_retry;
    poke(d);   // whoever waits for something waits for that, too
}

// Looks at everything that is open and sets in motion what can move.
awaitable<void> courier::pass(desk& d) {
    auto& mine = *d.account;
    if (d.next_booking && *d.next_booking <= std::chrono::steady_clock::now()) d.next_booking.reset();
    co_await heal(d);
    co_await show_outgoing(d);
    struct open_work {
        std::vector<storage::outbox_row> rows;
        std::vector<storage::inbound_row> inbound;
        std::vector<storage::contact> contacts;
    };
    auto open = mine.store().read([](const storage::read_txn& txn) -> result<open_work> {
        auto rows = txn.outbox(true);
        auto inbound = txn.inbound();
        auto contacts = txn.contacts();
        if (!rows) return rows.error();
        if (!inbound) return inbound.error();
        if (!contacts) return contacts.error();
        return open_work{std::move(*rows), std::move(*inbound), std::move(*contacts)};
    });
    if (!open) {
        services::log(services::area::delivery)
            .error("event=queue_unreadable reason={}", services::field(open.error().message()));
        co_return;
    }
    co_await look_at_people(d, open->contacts);
    std::map<crypto::account_key, std::deque<storage::outbox_row>> by_peer;
    // of rows that may be over
    for (auto& [peer, r] : d.routes) r.next_due = std::chrono::steady_clock::time_point::max();
    d.next_release = d.next_judgement = std::chrono::steady_clock::time_point::max();
    notice_clock_jumps();
    for (auto& row : open->rows) {
        if (const auto now = services::now_ms(); engine::is_held(row, now)) {
            const auto wait = std::min(std::chrono::milliseconds(row.hold_until - now), release_look);
            d.next_release = std::min(d.next_release, std::chrono::steady_clock::now() + wait);
            continue;
        }
        const auto& times = node_.configuration().delivery;
        if (taking_back_.contains(row.id)) continue;
        if (rests(d)) {
            if (row.account != mine.key() && !node_.find_account(row.account))
                by_peer[row.account].push_back(std::move(row));
            continue;
        }
        auto now_is = judged(d, row);
        if (auto told = engine::delay_noticed(now_is, services::now_ms(), times)) {
            now_is = std::move(*told);
            auto late = now_is;
            co_await book(mine, std::move(late));
        }
        if (!engine::is_open(now_is)) {
            if (taking_back_.insert(row.id).second) asio::co_spawn(io_, give_up(d, std::move(now_is)), asio::detached);
        } else if (now_is.account == mine.key()) {
            co_await release_to_self(mine, std::move(now_is));
        } else if (auto* local = node_.find_account(now_is.account)) {
            const auto account = now_is.account;
            if (!co_await deliver_here(mine, *local, std::move(now_is)))
                d.routes[account].next_due = std::chrono::steady_clock::now() + local_retry;
        } else {
            by_peer[now_is.account].push_back(std::move(now_is));
        }
    }
    for (auto& [peer, r] : d.routes) r.wanted = r.greet;
    for (const auto& [peer, rows] : by_peer) d.routes[peer].wanted = true;
    for (const auto& row : open->inbound) d.routes[row.sender].wanted = true;
    for (const auto& c : open->contacts)
        if (!c.invite_token.empty() && !engine::is_out(c)) d.routes[c.account].wanted = true;

    const auto now = std::chrono::steady_clock::now();
    std::set<crypto::account_key> token_first;   // whoever presents an invite is no stranger afterwards
    for (const auto& c : open->contacts)
        if (!c.invite_token.empty() && !engine::is_out(c)) token_first.insert(c.account);
    for (auto& [peer, r] : d.routes) {
        if (!token_first.contains(peer)) r.token_shown = false;
        if (!r.wanted) continue;
        if (auto link = links_.find(mine.key(), peer)) {
            r.greet = false;
            // Also when the invite was used while the link was up already.
            if (token_first.contains(peer) && !rests(d) && !std::exchange(r.token_shown, true))
                asio::co_spawn(io_, present_token(mine, link), asio::detached);
            r.next_due = std::chrono::steady_clock::time_point::max();
            // else its end wakes us
            const bool takes_mail = link->takes_requests() && !token_first.contains(peer) && !rests(d);
            if (const auto rows = by_peer.find(peer); rows != by_peer.end() && !r.sending && takes_mail) {
                auto untold = untold_on_this_link(r, std::move(rows->second));
                if (!untold.empty()) {
                    r.sending = true;
                    asio::co_spawn(io_, send_all(d, link, std::move(untold)), asio::detached);
                }
            }
            r.next_dial = std::chrono::steady_clock::time_point::max();   // link_down sets it again
        } else {
            if (const auto rows = by_peer.find(peer); rows != by_peer.end() && !rests(d))
                bring_to_relays(d, r, rows->second);
            if (!r.dialling && now >= r.next_dial) {
                r.dialling = true;
                asio::co_spawn(io_, dial(d, peer, by_peer.contains(peer)), asio::detached);
            }
        }
    }
    std::erase_if(d.routes, [&](const auto& one) {   // nobody is remembered for having called
        const auto& r = one.second;
        return !r.wanted && !r.dialling && !r.sending && !links_.find(mine.key(), one.first);
    });
}

// Those whose notification has not gone over the link that is up, and those that are due again (told to try later, or
// no receipt for long). Of the others, when the first is due.
std::deque<storage::outbox_row> courier::untold_on_this_link(route& r, std::deque<storage::outbox_row> rows) {
    const auto wall = services::now_ms();
    const auto now = std::chrono::steady_clock::now();
    std::deque<storage::outbox_row> untold;
    for (auto& row : rows) {
        if (r.told.contains(row.id) && !engine::is_due(row, wall)) {
            r.next_due = std::min(r.next_due, now + std::chrono::milliseconds(row.next_attempt_at - wall));
            continue;
        }
        r.told.erase(row.id);
        untold.push_back(std::move(row));
    }
    return untold;
}

awaitable<void> courier::dial(desk& d, crypto::account_key peer, bool for_mail) {
    std::string why;
    const auto begun = std::chrono::steady_clock::now();
    const bool up = co_await links_.dial(*d.account, peer, endpoints_of(*d.account, peer), why);
    if (stopping_) co_return;
    auto& r = d.routes[peer];
    r.dialling = false;
    const bool something_waits = for_mail || !r.greet;
    r.greet = false;   // one try is what greeting is worth
    const auto now = std::chrono::steady_clock::now();
    if (!up) {
        if (r.failures++ == 0) r.first_failure = now;
        r.tried_at = begun;
        const bool fresh = now - r.first_failure < redial_fresh;
        const auto most = fresh ? std::chrono::duration_cast<std::chrono::milliseconds>(redial_max_fresh)
                                : std::chrono::duration_cast<std::chrono::milliseconds>(redial_max_old);
        const auto longest = std::min(most, node_.configuration().delivery.retry_max);
        auto wait = std::min<std::chrono::milliseconds>(redial_first * (1 << std::min(r.failures - 1, 10u)), longest);
        wait += std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * dice() / 4));
        r.next_dial = now + wait;
        if (something_waits) look_for(*d.account, peer);
        if (for_mail) co_await note_failure(*d.account, peer, why, wait);
    }
    poke(d);
}

// The rows tell why they wait, for `queue`; in the store, so that it is known after a restart.
awaitable<void> courier::note_failure(services::account& mine, crypto::account_key peer, std::string why,
                                      std::chrono::milliseconds wait) {
    auto write_reason = [this, peer, why = std::move(why), wait](storage::write_txn& txn) -> result<void> {
        auto rows = txn.outbox(true);
        if (!rows) return rows.error();
        const auto now = services::now_ms();
        for (auto& row : *rows) {
            // What waits at a relay has not failed: her node is looked for beside that.
            if (row.account != peer || engine::is_held(row, now) || row.state == storage::outbox_state::seeded)
                continue;
            // what a relay said tells more
            const auto& reason = row.deposit.empty() || row.last_error.empty() ? why : row.last_error;
            row = engine::attempt_failed(row, reason, now, 0, node_.configuration().delivery);
            row.next_attempt_at = now + wait.count();   // dialling keeps one clock for all mails to a peer
            if (auto r = txn.put_outbox(row); !r) return r;
        }
        return {};
    };
    auto written = commit(node_, mine, std::move(write_reason));
    auto r = co_await std::move(written);
    (void)r;   // a full disk: the reason is not kept, the mail is
}

std::vector<engine::endpoint> courier::endpoints_of(services::account& mine, const crypto::account_key& peer) {
    engine::known_endpoints known;
    known.lan = lan_.endpoints_of(peer);
    auto contact = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(peer); });
    if (contact && *contact) known.last_good = (*contact)->endpoints;
    known.found = finder_.endpoints_of(peer);
    if (const auto record = links_.record_of(mine, peer)) known.record = record->endpoints;
    // Nodes of one machine find each other there; nobody else makes us dial our own services.
    const auto own = mine.record().endpoints;
    const bool on_loopback = std::any_of(own.begin(), own.end(), [](const auto& text) {
        const auto e = engine::parse_endpoint(text);
        return e && engine::kind_of(e->host) == engine::address_kind::loopback;
    });
    return engine::candidates(known, on_loopback);
}

// What is over is kept for a while, so that `queue --all` can tell of it; a failed row also keeps its mail.
awaitable<void> courier::forget_old_rows() {
    for (auto* a : node_.accounts()) {
        auto written = commit(node_, *a, [](storage::write_txn& txn) -> result<void> {
            auto rows = txn.outbox(false);
            if (!rows) return rows.error();
            const auto now = services::now_ms();
            for (const auto& row : *rows) {
                const bool over =
                    row.state == storage::outbox_state::delivered || row.state == storage::outbox_state::failed;
                if (!over || now - row.state_since < finished_rows_kept.count()) continue;
                if (auto r = txn.erase_outbox(row.id); !r) return r;
            }
            auto inbound = txn.inbound();
            if (!inbound) return inbound.error();
            for (const auto& row : *inbound)
                // neither mail nor answer goes anywhere any more
                if (now - row.received_at >= engine::submitted_ago_s_max * 1000)
                    if (auto r = txn.erase_inbound(row.notification); !r) return r;
            return {};
        });
        auto r = co_await std::move(written);
        (void)r;   // again tomorrow
    }
}

// ---------------------------------------------------------------- links come and go

void courier::link_up(services::account& mine, std::shared_ptr<peer_link> link) {
    auto& d = desk_of(mine);
    // Who is nothing to us leaves nothing behind: depositors come with a new name each time.
    if (!d.routes.contains(link->theirs) && !is_known(mine, link->theirs)) return;
    auto& r = d.routes[link->theirs];
    r.failures = 0;
    r.told.clear();
    r.next_due = std::chrono::steady_clock::time_point::max();
    const auto known = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(link->theirs); });
    link->was_welcome = !(known && *known && engine::is_out(**known));
    r.token_shown = false;   // pass() presents an invite
    asio::co_spawn(io_, hand_tokens(mine, link), asio::detached);
    receiver_->link_up(mine, link);
    relay_inbox_->wake(mine);
    poke(d);
}

void courier::link_down(services::account& mine, const crypto::account_key& theirs) {
    auto& d = desk_of(mine);
    receiver_->link_down(mine, theirs);
    if (!d.routes.contains(theirs)) return;
    auto& r = d.routes[theirs];
    if (!r.wanted && !r.greet && !r.dialling && !r.sending) {   // 100 000 strangers leave nothing behind
        d.routes.erase(theirs);
        poke(d);
        return;
    }
    r.unlinked_since = services::now_ms();
    const auto now = std::chrono::steady_clock::now();
    r.next_dial = now < hasty_until_ ? now : now + redial_first;
    r.next_due = std::chrono::steady_clock::time_point::max();
    poke(d);
}

void courier::dial_at_once() {
    hasty_until_ = std::chrono::steady_clock::now() + redial_first;
    for (auto& [label, d] : desks_) {
        for (auto& [peer, r] : d.routes) {
            r.failures = 0;
            r.next_dial = {};
        }
        poke(d);
    }
}

// She is not where she was: the DHT may know where she is now.
void courier::look_for(services::account& mine, const crypto::account_key& peer) {
    std::vector<crypto::device_key> devices;
    const auto record = links_.record_of(mine, peer);
    // Her own record tells her relays, those of her devices do not.
    if (record && !services::how_to_reach(mine.store(), record, peer, services::now_s()).slots.empty())
        for (const auto& device : record->devices) devices.push_back(device.device);
    finder_.look_for(peer, std::move(devices));
}

void courier::found(const crypto::account_key& peer) { seen_on_lan(peer); }   // dial at once, whatever failed before

void courier::seen_on_lan(const crypto::account_key& peer) {
    for (auto& [label, d] : desks_) {
        auto& r = d.routes[peer];
        r.failures = 0;
        r.next_dial = {};
        poke(d);
    }
}

std::vector<crypto::account_key> courier::looked_for() {
    std::set<crypto::account_key> all;
    for (auto& [label, d] : desks_) {
        for (const auto& [peer, r] : d.routes) all.insert(peer);
        auto contacts = d.account->store().read([](const storage::read_txn& txn) { return txn.contacts(); });
        if (contacts)
            for (const auto& c : *contacts)
                if (c.accepted) all.insert(c.account);
    }
    return {all.begin(), all.end()};
}

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
