// Reaching people: when each is dialled and at which endpoints, what a link that comes or goes changes, and what is
// known of where somebody is.
#include "daemon/net/courier.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/dice.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/net/serve_relay.hpp"
#include "daemon/services/correspondents.hpp"

#include <algorithm>

namespace pp::net {

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
        if (for_mail) co_await note_failure(d, peer, why, wait);
    }
    poke(d);
}

// The rows tell why they wait, for `queue`; in the store, so that it is known after a restart.
awaitable<void> courier::note_failure(desk& d, crypto::account_key peer, std::string why,
                                      std::chrono::milliseconds wait) {
    const auto reason = std::hash<std::string>()(why);
    for (std::size_t always = failures_noted_always; !stopping_; always = 0) {
        const auto ids = d.open.not_told(peer, reason, always, failures_noted_at_once);
        if (ids.empty()) co_return;
        auto write_reason = [this, ids, why, wait](storage::write_txn& txn) -> result<void> {
            const auto now = services::now_ms();
            for (const auto& id : ids) {
                auto known = txn.get_outbox(id);
                if (!known) return known.error();
                // What waits at a relay has not failed: her node is looked for beside that.
                if (!*known || !engine::is_open(**known) || engine::is_held(**known, now) ||
                    (*known)->state == storage::outbox_state::seeded)
                    continue;
                auto row = std::move(**known);
                // what a relay said tells more
                const auto& sentence = row.deposit.empty() || row.last_error.empty() ? why : row.last_error;
                row = engine::attempt_failed(row, sentence, now, 0, node_.configuration().delivery);
                row.next_attempt_at = now + wait.count();   // dialling keeps one clock for all mails to a peer
                if (auto r = txn.put_outbox(row); !r) return r;
            }
            return {};
        };
        auto written = commit(node_, *d.account, std::move(write_reason));
        const auto r = co_await std::move(written);
        if (!r) co_return;   // a full disk: the reason is not kept, the mail is
        for (const auto& id : ids) d.open.told(id, reason);
        if (ids.size() < failures_noted_at_once) co_return;
    }
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

// ---------------------------------------------------------------- links come and go

void courier::link_up(services::account& mine, std::shared_ptr<peer_link> link) {
    auto& d = desk_of(mine);
    // Who is nothing to us leaves nothing behind: depositors come with a new name each time.
    if (!d.routes.contains(link->theirs) && !is_known(mine, link->theirs)) return;
    auto& r = d.routes[link->theirs];
    r.failures = 0;
    r.told.clear();
    r.parked.clear();
    d.open.look_at_all_to(link->theirs, 0);
    const auto known = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(link->theirs); });
    link->was_welcome = !(known && *known && engine::is_out(**known));
    r.token_shown = false;   // pass() presents an invite
    asio::co_spawn(io_, hand_tokens(mine, link), asio::detached);
    if (d.to_tell.contains(link->theirs)) asio::co_spawn(io_, tell_record(mine, link), asio::detached);
    receiver_->link_up(mine, link);
    relay_inbox_->wake(mine);
    poke(d);
}

void courier::link_over(const peer_link& link) { relay_->link_over(link); }

void courier::link_down(services::account& mine, const crypto::account_key& theirs) {
    auto& d = desk_of(mine);
    receiver_->link_down(mine, theirs);
    if (!d.routes.contains(theirs)) return;
    auto& r = d.routes[theirs];
    r.to_send.clear();
    d.open.look_at_all_to(theirs, 0);   // relays may be the way now
    if (!r.wanted && !r.greet && !r.dialling && r.senders == 0) {   // 100 000 strangers leave nothing behind
        d.routes.erase(theirs);
        poke(d);
        return;
    }
    r.unlinked_since = services::now_ms();
    const auto now = std::chrono::steady_clock::now();
    r.next_dial = now < hasty_until_ ? now : now + redial_first;
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

}  // namespace pp::net
