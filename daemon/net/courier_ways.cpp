// Another way leads to us: each contact is told once, over the link when there is one, else by a letter left at her
// relay (engine/way_news.hpp); and what is done when a contact tells us of another way to her.
#include "daemon/engine/deposit.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/courier.hpp"
#include "daemon/net/dice.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"
#include "daemon/services/way_news.hpp"

namespace pp::net {

namespace {
// Until the slot that is to be told of is there.
constexpr auto slot_look = std::chrono::milliseconds(std::chrono::seconds(30));
constexpr std::size_t rows_in_a_write_max = 256;
}  // namespace

// ---------------------------------------------------------------- whom we owe word of it

// Read at the start and after each change; a change begins the pauses anew.
void courier::learn_whom_to_tell(desk& d) {
    std::map<crypto::account_key, storage::unix_ms> owed;
    (void)d.account->store().read([&](const storage::read_txn& txn) -> result<void> {
        owed = services::owed_news(txn, services::now_ms());
        return {};
    });
    std::erase_if(d.to_tell, [&](const auto& one) { return !owed.contains(one.first); });
    const auto now = std::chrono::steady_clock::now();
    const auto longest = node_.configuration().delivery.retry_max;
    for (const auto& [who, since] : owed) {
        auto& one = d.to_tell[who];
        if (one.since != since) one = {since, now + engine::first_letter_in(dice(), longest), 0};
    }
    set_next_telling(d);
}

void courier::set_next_telling(desk& d) {
    d.next_telling = std::chrono::steady_clock::time_point::max();
    for (const auto& [who, one] : d.to_tell) d.next_telling = std::min(d.next_telling, one.when);
    d.next_telling = std::max(d.next_telling, d.no_letter_before);
}

bool courier::has_somebody_to_tell(desk& d) const {
    return !d.telling && !rests(d) && std::chrono::steady_clock::now() >= d.next_telling;
}

// Whose turn it is. One letter after the other, with a pause.
awaitable<void> courier::tell_one(desk& d) {
    auto& mine = *d.account;
    const auto longest = node_.configuration().delivery.retry_max;
    const auto first = std::ranges::min_element(d.to_tell, {}, [](const auto& one) { return one.second.when; });
    if (first != d.to_tell.end()) {
        const auto who = first->first;
        const auto since = first->second.since;
        bool tried = true;
        if (auto link = links_.find(mine.key(), who)) {
            co_await tell_record(mine, link);
        } else if (way_to(mine) && engine::is_usable(services::own_relays(mine.store()))) {
            const bool left = co_await relay_inbox_->leave_way(mine, who);
            if (left) services::log(services::area::delivery).info("event=way_told_by_letter");
            d.no_letter_before = std::chrono::steady_clock::now() + engine::next_letter_in(dice(), longest);
        } else {
            tried = false;   // opened soon
            d.no_letter_before = std::chrono::steady_clock::now() + std::min(slot_look, longest);
        }
        if (stopping_) co_return;
        learn_whom_to_tell(d);   // she was told, or is a contact no more, or the debt is too old
        if (const auto known = d.to_tell.find(who); tried && known != d.to_tell.end() && known->second.since == since) {
            auto& one = known->second;
            one.when = std::chrono::steady_clock::now() + engine::letter_again_in(one.failures++, dice(), longest);
        }
        set_next_telling(d);
    }
    d.telling = false;
    poke(d);
}

// Our record, over a link; then she knows the way as well.
awaitable<void> courier::tell_record(services::account& mine, std::shared_ptr<peer_link> link) {
    const auto who = link->theirs;
    const auto record = mine.record();
    storage::unix_ms since = 0;
    (void)mine.store().read([&](const storage::read_txn& txn) -> result<void> {
        since = services::news_in(txn, who, record.relays.empty() ? std::string() : record.relays.front(),
                                  mine.identity());
        return {};
    });
    peer::letter what;
    what.records.push_back(peer::encode(record));
    const bool heard = co_await tell(link, std::move(what));
    if (!heard || since == 0 || stopping_) co_return;   // a link that is gone: with the next one
    auto written = commit(node_, mine, [who, since](storage::write_txn& txn) {
        return services::news_told(txn, who, since);
    });
    const auto r = co_await std::move(written);
    if (r && !stopping_) {
        auto& d = desk_of(mine);
        if (const auto one = d.to_tell.find(who); one != d.to_tell.end() && one->second.since == since)
            d.to_tell.erase(one);
        set_next_telling(d);
    }
}

// ---------------------------------------------------------------- what a contact tells

void courier::way_came(services::account& mine, const crypto::account_key& from) {
    relay_outbox_->look_again();
    asio::co_spawn(io_, bring_anew(mine, from), asio::detached);
}

// What waits because her old relay has refused it does not wait any longer.
awaitable<void> courier::bring_anew(services::account& mine, crypto::account_key to) {
    const auto reach =
        services::how_to_reach(mine.store(), links_.record_of(mine, to), to, services::now_s());
    if (reach.slots.empty() || stopping_) co_return;
    std::vector<storage::id16> ids;
    for (const auto& [submitted, id] : desk_of(mine).open.waiting_for(to)) ids.push_back(id);
    for (std::size_t begin = 0; begin < ids.size() && !stopping_; begin += rows_in_a_write_max) {
        const auto end = std::min(ids.size(), begin + rows_in_a_write_max);
        std::vector<storage::id16> some(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                        ids.begin() + static_cast<std::ptrdiff_t>(end));
        auto written = commit(node_, mine, [some = std::move(some),
                                            slot = reach.slots.front()](storage::write_txn& txn) -> result<void> {
            for (const auto& id : some) {
                auto row = txn.get_outbox(id);
                if (!row) return row.error();
                if (!*row) continue;
                if (auto now_is = engine::way_came(std::move(**row), slot, services::now_ms()))
                    if (auto r = txn.put_outbox(*now_is); !r) return r;
            }
            return {};
        });
        const auto r = co_await std::move(written);
        if (!r) break;   // a full disk: with their next attempt
    }
    if (stopping_) co_return;
    auto& d = desk_of(mine);
    d.open.look_at_all_to(to, 0);
    if (const auto r = d.routes.find(to); r != d.routes.end())
        for (const auto& [submitted, one] : std::exchange(r->second.parked, {})) d.open.look(one, 0);
    poke(d);
}

}  // namespace pp::net
