// What the courier knows in memory of the rows in the store (engine/open_mails.hpp): taken in from the changes that
// each write tells, so that nothing is read twice; and the mailbox Outgoing, which shows them.
#include "daemon/engine/delivery.hpp"
#include "daemon/engine/inbox.hpp"
#include "daemon/engine/outgoing.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/courier.hpp"
#include "daemon/services/leftovers.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/outgoing.hpp"
#include "storage/txn.hpp"

#include <utility>

namespace pp::net {

// ---------------------------------------------------------------- what is known of the rows

// What it says of this mail is looked at then, or earlier when that was wanted.
void courier::show_at(desk& d, const storage::id16& mail, std::chrono::steady_clock::time_point when) {
    const auto [at, is_new] = d.to_show.emplace(mail, when);
    if (!is_new) at->second = std::min(at->second, when);
}

void courier::learn_row(desk& d, const storage::id16& id, const std::optional<storage::outbox_row>& row) {
    auto soon = std::chrono::steady_clock::now();
    if (row) {   // only a new mail is given its moment; what becomes of it later is shown at once
        const std::chrono::milliseconds age(services::now_ms() - row->submitted_at);
        soon += std::clamp<std::chrono::milliseconds>(outgoing_pause - age, {}, outgoing_pause);
    }
    if (row && engine::is_open(*row)) {
        d.open.changed(*row);
        show_at(d, row->submission, soon);
        return;
    }
    if (const auto mail = d.open.submission_of(id)) show_at(d, *mail, soon);
    d.open.gone(id);
    if (!row) return;
    if (engine::has_leftover(*row) && d.leftovers.insert(id).second) d.next_leftovers = {};
    d.to_bring.erase({row->submitted_at, id});
    const auto r = d.routes.find(row->account);
    if (r == d.routes.end()) return;
    r->second.told.erase(id);
    r->second.answered.erase(id);
    r->second.to_send.erase({row->submitted_at, id});
    r->second.parked.erase({row->submitted_at, id});
}

result<void> courier::learn_inbound(desk& d, const std::vector<storage::id16>& notifications) {
    const auto note = [&d](const storage::id16& id, const std::optional<storage::inbound_row>& row) {
        const auto known = d.coming.find(id);
        if ((known != d.coming.end()) == row.has_value()) return;
        if (row) {
            d.coming.emplace(id, row->sender);
            ++d.coming_from[row->sender];
            d.routes[row->sender];
            return;
        }
        const auto from = d.coming_from.find(known->second);
        if (--from->second == 0) d.coming_from.erase(from);
        d.coming.erase(known);
    };
    return d.account->store().read([&](const storage::read_txn& txn) -> result<void> {
        if (!d.is_loaded) {
            auto all = txn.inbound();
            if (!all) return all.error();
            std::vector<storage::id16> known;
            for (const auto& [id, from] : d.coming) known.push_back(id);
            for (const auto& id : known) {
                auto row = txn.get_inbound(id);
                if (!row) return row.error();
                note(id, *row);
            }
            for (auto& row : *all) note(row.notification, std::move(row));
        }
        for (const auto& id : notifications) {
            auto row = txn.get_inbound(id);
            if (!row) return row.error();
            note(id, *row);
        }
        return {};
    });
}

// Takes in what has changed. At the first time everything has, and when the store was healed.
result<void> courier::learn(desk& d) {
    auto& store = d.account->store();
    if (!d.is_loaded) {
        auto all = store.read([](const storage::read_txn& txn) { return txn.open_outbox_ids(); });
        if (!all) return all.error();
        d.changed.outbox = d.open.ids();   // what is over by now is let go of
        d.changed.outbox.insert(d.changed.outbox.end(), all->begin(), all->end());
        (void)store.read([&](const storage::read_txn& txn) -> result<void> {
            for (const auto& id : services::leftovers(txn)) d.leftovers.insert(id);
            return {};
        });
        relay_inbox_->changed(*d.account, {});
        learn_whom_to_tell(d);
    }
    auto rows = std::exchange(d.changed.outbox, {});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = store.read([&](const storage::read_txn& txn) { return txn.get_outbox(rows[i]); });
        if (!row) {
            d.changed.outbox.insert(d.changed.outbox.end(), rows.begin() + static_cast<std::ptrdiff_t>(i), rows.end());
            return row.error();
        }
        learn_row(d, rows[i], *row);
    }
    auto inbound = std::exchange(d.changed.inbound, {});
    if (auto r = learn_inbound(d, inbound); !r) {
        d.changed.inbound.insert(d.changed.inbound.end(), inbound.begin(), inbound.end());
        return r;
    }
    d.is_loaded = true;
    if (std::exchange(d.outgoing_changed, false))
        if (auto r = learn_outgoing(d); !r) {
            d.outgoing_changed = true;
            return r;
        }
    return {};
}

awaitable<void> courier::learn_people(desk& d) {
    auto people = d.account->store().read([](const storage::read_txn& txn) { return txn.contacts(); });
    if (!people) {
        d.changed.people = true;
        co_return;
    }
    d.token_first.clear();
    for (const auto& c : *people)
        if (!c.invite_token.empty() && !engine::is_out(c)) d.token_first.insert(c.account);
    for (const auto& who : d.token_first) d.routes[who];
    co_await look_at_people(d, *people);
}

// Something may be otherwise than was thought: a row was not written, or the clock jumped.
void courier::look_at_everything(desk& d) {
    d.open.look_at_all(0);
    d.changed.people = true;
    for (const auto& mail : d.open.submissions_in_outgoing()) d.to_show.emplace(mail, std::chrono::steady_clock::now());
}

void courier::look_later(desk& d, const storage::id16& id, storage::unix_ms when) {
    d.open.look(id, std::max(when, services::now_ms() + look_pause_ms));
}

void courier::look_later(desk& d, const storage::id16& id, std::chrono::steady_clock::time_point when) {
    const auto wait = when - std::chrono::steady_clock::now();
    look_later(d, id, services::now_ms() + std::chrono::duration_cast<std::chrono::milliseconds>(wait).count());
}

// ---------------------------------------------------------------- Outgoing

// Brings the mailbox Outgoing in step, and watches it: what the user deletes there is cancelled.
awaitable<void> courier::show_outgoing(desk& d) {
    auto& mine = *d.account;
    const auto now = services::now_ms();
    using services::outgoing_change;
    const services::outgoing_facts facts{mine.domain(), node_.configuration().delivery};
    std::vector<std::vector<storage::id16>> mails;
    std::vector<storage::id16> shown;
    const auto steady = std::chrono::steady_clock::now();
    for (auto it = d.to_show.begin(); it != d.to_show.end() && mails.size() < services::outgoing_notes_max;) {
        if (it->second > steady) {
            ++it;
            continue;
        }
        if (auto rows = d.open.of_submission(it->first); !rows.empty()) {
            mails.push_back(std::move(rows));
            shown.push_back(it->first);
        }
        it = d.to_show.erase(it);
    }
    if (mails.size() == services::outgoing_notes_max) d.woken = true;   // there may be more
    if (mails.empty()) co_return;
    auto due = services::outgoing_due(mine.store(), mails, facts, now);
    bool all_well = due.has_value();
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
        if (r && *what == outgoing_change::cancel) services::log(services::area::delivery).info("event=cancelled");
        all_well = r.has_value();
        if (!r)
            services::log(services::area::delivery)
                .warn("event=outgoing_not_written reason={}", services::field(r.error().message()));
    }
    if (!all_well)
        for (const auto& mail : shown) d.to_show.emplace(mail, std::chrono::steady_clock::now() + booking_retry);
}

// What the user has deleted there, and which mailbox it is.
result<void> courier::learn_outgoing(desk& d) {
    auto& mine = *d.account;
    const auto known = d.outgoing;
    mail::uid_set gone;
    auto looked = mine.store().read([&](const storage::read_txn& txn) -> result<void> {
        auto box = txn.find_mailbox(engine::outgoing_name);
        if (!box) return box.error();
        d.outgoing = *box ? (*box)->id : storage::no_mailbox;
        if (d.outgoing == known && *box) {
            auto news = txn.changes_since(d.outgoing, d.outgoing_modseq, 0);
            if (!news) return news.error();
            gone = std::move(news->vanished);
        }
        d.outgoing_modseq = *box ? (*box)->highest_modseq : 0;
        return {};
    });
    if (!looked) return looked;
    std::vector<storage::id16> touched;
    if (d.outgoing != known) touched = d.open.submissions_in_outgoing();
    for (const auto& range : gone.ranges())
        for (const auto& mail : d.open.submissions_in_outgoing(range.first, range.last)) touched.push_back(mail);
    for (const auto& mail : touched) d.to_show[mail] = {};
    if (d.outgoing == known || d.outgoing == storage::no_mailbox) return {};
    auto wake_up = [this, label = mine.label()](storage::mailbox_id) {
        asio::post(io_, [this, label] {
            if (const auto found = desks_.find(label); found != desks_.end()) found->second.outgoing_changed = true;
            wake(label);
        });
    };
    d.outgoing_changes = node_.changes().subscribe(mine.label(), d.outgoing, std::move(wake_up));
    return {};
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

}  // namespace pp::net
