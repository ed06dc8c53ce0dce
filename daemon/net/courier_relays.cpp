// What the courier does with relays: when a mail is brought there, what broken walks have left, tokens for contacts,
// what letters say of mails that were sent.
#include "daemon/net/courier.hpp"

#include "daemon/net/await.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/leftovers.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"

namespace pp::net {

// As many as there is room for, the oldest first.
void courier::bring_to_relays(desk& d) {
    const auto now = std::chrono::steady_clock::now();
    d.next_bringing = std::chrono::steady_clock::time_point::max();
    for (auto it = d.to_bring.begin(); it != d.to_bring.end() && !rests(d) && !stopping_;) {
        if (!relay_outbox_->has_room()) {
            d.next_bringing = now + redial_first;   // another account's end does not wake this one
            return;
        }
        const auto id = it->second;
        auto row = d.account->store().read([&](const storage::read_txn& txn) { return txn.get_outbox(id); });
        it = d.to_bring.erase(it);
        if (!row || !*row || !engine::is_open(**row)) continue;
        const auto& r = d.routes[(*row)->account];
        const auto rest = relay_outbox_->not_before(id);
        const auto link = links_.find(d.account->key(), (*row)->account);
        const bool linked = link && !crawls(d, **row, *link);
        const bool rests_for_all = relay_outbox_->not_before((*row)->account) > now;
        if (linked || rests_for_all || r.in_flight.contains(id) || taking_back_.contains(id))
            d.open.look(id, 0);
        else if (rest > now)
            look_later(d, id, rest);
        else if (relay_outbox_->begin(id))
            asio::co_spawn(io_, leave_at_relay(d, std::move(**row)), asio::detached);
        else
            look_later(d, id, now + redial_first);
    }
}

awaitable<void> courier::leave_at_relay(desk& d, storage::outbox_row row) {
    const auto id = row.id;
    const auto to = row.account;
    co_await relay_outbox_->bring(*d.account, std::move(row));
    d.open.look(id, 0);
    if (d.leftovers.contains(id)) d.next_leftovers = {};   // the mail went another way meanwhile
    const auto r = d.routes.find(to);
    const bool known = relay_outbox_->not_before(to) <= std::chrono::steady_clock::now();
    if (known && r != d.routes.end())
        for (const auto& [submitted, one] : std::exchange(r->second.parked, {})) d.open.look(one, 0);
    if (!stopping_) poke(d);
}

// ---------------------------------------------------------------- what a walk that broke off has left

bool courier::has_leftovers_to_take(desk& d) const {
    return !d.leftovers.empty() && !d.taking_leftovers && !rests(d) &&
           std::chrono::steady_clock::now() >= d.next_leftovers;
}

// One after the other; a relay that is away is asked again after a pause.
awaitable<void> courier::take_leftovers(desk& d) {
    auto& mine = *d.account;
    const auto known = std::vector(d.leftovers.begin(), d.leftovers.end());
    std::set<storage::id16> over;
    for (const auto& id : known) {
        if (stopping_) co_return;
        if (relay_outbox_->is_under_way(id)) continue;
        const auto get = [&](const storage::read_txn& txn) { return txn.get_outbox(id); };
        auto row = mine.store().read(get);
        // A mail that was deleted meanwhile took the key to what lies there with it.
        if (row && *row && engine::has_leftover(**row) && mine.store().open_blob((*row)->mail_serial)) {
            co_await relay_outbox_->take_back(mine, std::move(**row));
            row = mine.store().read(get);
            if (!row || (*row && engine::has_leftover(**row))) continue;
        }
        over.insert(id);
    }
    if (!over.empty() && !stopping_) {
        auto written = commit(node_, mine, [over](storage::write_txn& txn) {
            return services::forget_leftovers(txn, over);
        });
        const auto r = co_await std::move(written);
        if (r) std::erase_if(d.leftovers, [&](const auto& id) { return over.contains(id); });
    }
    if (stopping_) co_return;
    const auto pause = std::min<std::chrono::milliseconds>(ask_back_pause, node_.configuration().delivery.retry_max);
    const bool is_new = std::any_of(d.leftovers.begin(), d.leftovers.end(), [&](const auto& id) {
        return !std::binary_search(known.begin(), known.end(), id);
    });
    d.next_leftovers = std::chrono::steady_clock::now() + (is_new ? std::chrono::milliseconds() : pause);
    d.taking_leftovers = false;
    poke(d);
}

// With only an address somebody is found who is not there:
// what the DHT says of her relays is kept for whom it is of use.
void courier::found_way(const crypto::account_key& peer, peer::return_path way, std::uint8_t work_bits,
                        std::int64_t told_at) {
    for (auto& [label, d] : desks_)
        asio::co_spawn(io_, keep_found(*d.account, peer, way, work_bits, told_at), asio::detached);
}

awaitable<void> courier::keep_found(services::account& mine, crypto::account_key peer, peer::return_path way,
                                    std::uint8_t work_bits, std::int64_t told_at) {
    auto written = commit(node_, mine, [peer, way = std::move(way), work_bits, told_at](storage::write_txn& txn) {
        return services::learn_found(txn, peer, way, work_bits, told_at);
    });
    const auto r = co_await std::move(written);
    if (!r || stopping_) co_return;   // found again with the next search
    relay_outbox_->look_again();
    desk_of(mine).open.look_at_all_to(peer, 0);
    poke(desk_of(mine));
}

bool courier::is_known(services::account& mine, const crypto::account_key& theirs) const {
    const auto contact = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(theirs); });
    return contact && contact->has_value();
}

// Contacts get a hand full of delivery tokens and the way to us: once a week, and sooner for a slot that is new to
// them, or when they have spent it.
awaitable<void> courier::hand_tokens(services::account& mine, std::shared_ptr<peer_link> link) {
    auto letter = std::make_shared<peer::letter>();
    const auto way = way_to(mine);
    if (!way || way->slot.empty()) co_return;
    // The tokens that are due, which are booked as given.
    const auto take = [&mine, theirs = link->theirs](const storage::read_txn& txn, engine::correspondent& c) {
        std::vector<peer::token_grant> out;
        std::vector<relay::slot_id> slots;
        const auto relays = services::own_relays(txn);
        for (const auto& r : relays) slots.push_back(engine::slot_of(r, mine.identity()).id());
        if (!engine::is_due_for_tokens(c, slots, services::now_s())) return out;
        for (const auto& r : relays)
            if (auto grant = engine::grant_tokens(c, theirs, r.relay, engine::slot_of(r, mine.identity()),
                                                  engine::tokens_given_at_once, services::now_s()))
                out.push_back(std::move(*grant));
        engine::hand_given(c, slots);
        return out;
    };
    bool due = false;
    (void)mine.store().read([&](const storage::read_txn& txn) -> result<void> {
        auto c = services::correspondent_of(txn, link->theirs);
        due = !take(txn, c).empty();
        return {};
    });
    if (!due) co_return;
    auto written = commit(node_, mine, [take, theirs = link->theirs, letter](storage::write_txn& txn) -> result<void> {
        letter->grants.clear();
        auto contact = txn.get_contact(theirs);
        if (!contact) return contact.error();
        if (!*contact || !(*contact)->accepted || (*contact)->blocked) return {};
        auto c = services::correspondent_of(txn, theirs);
        letter->grants = take(txn, c);
        if (letter->grants.empty()) return {};
        return txn.put_setting(engine::correspondent_setting(theirs), engine::encode(c));
    });
    const auto r = co_await std::move(written);
    if (!r || letter->grants.empty()) co_return;
    letter->ways.push_back(*way);
    auto what = *letter;
    const bool heard = co_await tell(link, std::move(what));
    (void)heard;   // without a link there is a new hand with the next letter
}

// She has paid with another of our tokens.
void courier::item_came(services::account& mine, const crypto::account_key& from) {
    if (auto link = links_.find(mine.key(), from)) asio::co_spawn(io_, hand_tokens(mine, link), asio::detached);
}

awaitable<bool> courier::refusal_told(services::account& mine, crypto::account_key by, peer::refusal_note what) {
    auto row = mine.store().read([&](const storage::read_txn& txn) { return txn.outbox_of_notification(what.id); });
    if (!row) co_return false;
    if (!*row || (*row)->account != by || !engine::is_open(**row)) co_return true;
    auto refused = engine::refusal_came(std::move(**row), what.reason, services::now_ms());
    co_await book(mine, std::move(refused));
    wake(mine.label());
    co_return true;
}

}  // namespace pp::net
