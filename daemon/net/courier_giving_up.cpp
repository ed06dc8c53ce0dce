// Giving a mail up (daemon/README.md, "When a mail is given up"): never before she was asked once more, never while a
// relay may still hand it out.
#include "daemon/net/courier.hpp"

#include "daemon/engine/last_word.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/log.hpp"

namespace pp::net {

namespace {
// A mail that is late and still asked for is looked at so often.
constexpr storage::unix_ms late_look_ms = 1000;
constexpr std::size_t rows_redated_at_once = 256;
}  // namespace

// A clock that was put forward or back, or a machine that slept, is as if peerpost had just begun.
void courier::notice_clock_jumps() {
    const auto wall = services::now_ms();
    const auto steady = std::chrono::steady_clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(steady - last_steady_);
    const auto boot = services::since_boot();
    const std::chrono::milliseconds by_the_clock(wall - last_wall_), set_by = by_the_clock - (boot - last_boot_);
    if (fresh_since_ == 0) {
        run_since_ = wall;
        begin_afresh(wall);
    } else {
        // Neither serving nor sleeping explains it: the clock was wrong, and what was submitted by it is of another
        // time.
        if (engine::clock_jumped(set_by, {})) {
            for (auto& [label, d] : desks_) {
                ++redating_;
                asio::co_spawn(io_, redate(d, run_since_, wall - set_by.count(), set_by), asio::detached);
            }
            run_since_ += set_by.count();
        }
        if (engine::clock_jumped(by_the_clock, passed) || wall < fresh_since_) begin_afresh(wall);
    }
    last_wall_ = wall;
    last_steady_ = steady;
    last_boot_ = boot;
}

awaitable<void> courier::redate(desk& d, storage::unix_ms from, storage::unix_ms until, std::chrono::milliseconds by) {
    auto ids = d.open.ids();
    ids.insert(ids.end(), d.changed.outbox.begin(), d.changed.outbox.end());
    for (std::size_t begin = 0; begin < ids.size() && !stopping_; begin += rows_redated_at_once) {
        const auto end = std::min(ids.size(), begin + rows_redated_at_once);
        std::vector<storage::id16> some(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                        ids.begin() + static_cast<std::ptrdiff_t>(end));
        auto written = commit(node_, *d.account, [some = std::move(some), from, until,
                                                  by](storage::write_txn& txn) -> result<void> {
            for (const auto& id : some) {
                auto row = txn.get_outbox(id);
                if (!row) return row.error();
                if (!*row) continue;
                if (const auto now_is = engine::redated(std::move(**row), from, until, by))
                    if (auto r = txn.put_outbox(*now_is); !r) return r;
            }
            return {};
        });
        const auto r = co_await std::move(written);
        if (!r) break;   // a full disk: they keep their times
    }
    --redating_;
    for (auto& [peer, r] : d.routes) {   // in the order of before
        r.to_send.clear();
        r.parked.clear();
    }
    d.to_bring.clear();
    look_at_everything(d);
    if (stopping_) co_return;
    for (auto& [label, other] : desks_) poke(other);
}

// Links may be dead without knowing it: everybody is asked again, and what lies in our slots is read again.
void courier::begin_afresh(storage::unix_ms wall) {
    const bool at_start = std::exchange(fresh_since_, wall) == 0;
    fresh_steady_ = std::chrono::steady_clock::now();
    if (at_start) return;
    services::log(services::area::delivery).info("event=clock_jumped");
    relay_homes_->look_again();
    for (auto& [label, d] : desks_) {
        look_at_everything(d);
        for (auto& [peer, r] : d.routes) {
            r.told.clear();
            r.answered.clear();
            r.failures = 0;
            r.next_dial = {};
        }
    }
}

// Since the start, or since the clock jumped: has she been tried, or has she answered, and were our slots read?
bool courier::was_asked(desk& d, const storage::outbox_row& row) const {
    const auto r = d.routes.find(row.account);
    if (r == d.routes.end() || !relay_homes_->were_read_since(*d.account, fresh_steady_)) return false;
    const bool linked = links_.find(d.account->key(), row.account) != nullptr;
    return linked ? r->second.answered.contains(row.id) : r->second.tried_at >= fresh_steady_;
}

// She has said what becomes of this mail, or she cannot be asked any better.
void courier::answered(services::account& mine, const crypto::account_key& theirs, const storage::outbox_row& row) {
    if (engine::begins_at(row) < fresh_since_) desk_of(mine).routes[theirs].answered.insert(row.id);
}

// A mail that lies at relays must not arrive after its sender was told that it failed.
awaitable<void> courier::give_up(desk& d, storage::outbox_row row) {
    const auto id = row.id;
    auto& mine = *d.account;
    if (!row.deposit.empty()) {
        co_await relay_outbox_->take_back(mine, row);
        const auto known = mine.store().read([&](const storage::read_txn& txn) { return txn.get_outbox(id); });
        if (known && *known) row = engine::last_word(**known, services::now_ms(), node_.configuration().delivery);
        if (engine::is_open(row)) {
            services::log(services::area::delivery).info("event=undecided notification={}", short_id(row.notification));
            asked_back_[id] =
                std::chrono::steady_clock::now() + std::min(ask_back_pause, node_.configuration().delivery.retry_max);
        }
    }
    if (!stopping_ && !engine::is_open(row)) co_await book(mine, std::move(row));
    taking_back_.erase(id);
    d.open.look(id, 0);
    if (!stopping_) poke(d);
}

// The row failed, when its time is over and it may be given up now; else as it was.
storage::outbox_row courier::judged(desk& d, const storage::outbox_row& row) {
    const auto& times = node_.configuration().delivery;
    const auto now = services::now_ms();
    if (const auto next = engine::next_judgement(row, now, times); next > now) {
        look_later(d, row.id, next);
        return row;
    }
    if (relay_outbox_->is_under_way(row.id)) return row;   // its end wakes us
    if (!engine::may_give_up(row, fresh_since_, was_asked(d, row), now, times)) {
        look_later(d, row.id, now + late_look_ms);
        return row;
    }
    if (const auto again = asked_back_.find(row.id); again != asked_back_.end()) {
        if (std::chrono::steady_clock::now() < again->second) {
            look_later(d, row.id, again->second);
            return row;
        }
        asked_back_.erase(again);
    }
    return engine::give_up_when_late(row, now, times);
}

}  // namespace pp::net
