#include "daemon/net/relay_inbox.hpp"

#include "daemon/net/dice.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"
#include "daemon/services/way_news.hpp"

namespace pp::net {

namespace {
constexpr std::size_t tokens_in_an_answer = 6;   // beside receipt and return path: what one item holds
}  // namespace

// ---------------------------------------------------------------- items
awaitable<std::vector<std::uint64_t>> relay_inbox::take(services::account& mine,
                                                        std::vector<relay::listed_item> items) {
    std::vector<std::uint64_t> done;
    for (auto& item : items) {
        if (stopping_) break;
        const bool durable = co_await take_one(mine, std::move(item.item), item.paid_by);
        if (durable) done.push_back(item.number);
    }
    if (!done.empty()) wake(mine);
    co_return done;
}

awaitable<bool> relay_inbox::take_one(services::account& mine, bytes item, relay::token_serial paid_by) {
    const auto secret = mine.prekey(peer::prekey_id_of(item));
    if (!secret) co_return true;   // its key was destroyed, or never was: nobody can open it any more
    auto opened = peer::open_notification(item, *secret, mine.key());
    if (opened) {
        auto note = std::make_shared<const peer::notification>(std::move(*opened));
        const bool taken = co_await mails_.came_by_relay(mine, note, paid_by);
        if (taken) listener_->item_came(mine, note->sender);
        if (taken) see_to(mine, note->id);   // it may have been announced over a link before
        co_return taken;
    }
    auto letter = peer::open_letter(item, *secret, mine.key());
    if (!letter) {
        services::log(services::area::delivery)
            .info("event=item_useless reason={}", services::field(letter.error().message()));
        co_return true;
    }
    const auto from = letter->sender;
    const bool read = co_await read_letter(mine, std::move(*letter), paid_by);
    if (read) listener_->item_came(mine, from);
    co_return read;
}

awaitable<bool> relay_inbox::read_letter(services::account& mine, peer::sealed_letter letter,
                                         relay::token_serial paid_by) {
    for (auto& receipt : letter.content.receipts) {
        const bool booked = co_await listener_->receipt_told(mine, std::move(receipt));
        if (!booked) co_return false;
    }
    for (auto& refusal : letter.content.refusals) {
        const bool booked = co_await listener_->refusal_told(mine, letter.sender, std::move(refusal));
        if (!booked) co_return false;
    }
    if (letter.content.grants.empty() && letter.content.ways.empty()) co_return true;
    const auto from = letter.sender;
    auto moved = std::make_shared<bool>(false);
    auto written = commit(with_.node, mine, [letter = std::move(letter), paid_by, moved](storage::write_txn& txn) {
        const auto slot_of = [&] {
            const auto c = services::correspondent_of(txn, letter.sender);
            return c.way ? c.way->slot : std::string();
        };
        const auto before = slot_of();
        auto learned = services::learn_from(txn, letter.sender, letter.content, letter.written_at, services::now_s(),
                                            paid_by);
        *moved = slot_of() != before;
        return learned;
    });
    const auto r = co_await std::move(written);
    if (r && *moved) listener_->way_came(mine, from);
    co_return r.has_value();
}

// ---------------------------------------------------------------- what is to be done
relay_inbox::desk& relay_inbox::desk_of(services::account& mine) {
    auto& d = desks_[mine.label()];
    if (!d) {
        d = std::make_unique<desk>(with_.io);
        d->account = &mine;
        asio::co_spawn(with_.io, work(*d), asio::detached);
    }
    return *d;
}

void relay_inbox::wake(services::account& mine) {
    if (stopping_) return;
    auto& d = desk_of(mine);
    d.woken = true;
    d.timer.cancel();
}

void relay_inbox::changed(services::account& mine, const std::vector<storage::id16>& notifications) {
    if (stopping_) return;
    auto& all = desk_of(mine).changed;
    all.insert(all.end(), notifications.begin(), notifications.end());
    wake(mine);
}

void relay_inbox::changed_all(services::account& mine) {
    desk_of(mine).is_loaded = false;
    changed(mine, {});
}

void relay_inbox::see_to(services::account& mine, const storage::id16& id) {
    if (const auto d = desks_.find(mine.label()); d != desks_.end()) {
        if (const auto t = d->second->trials.find(id); t != d->second->trials.end() && !t->second.running) {
            t->second.told = false;
            set_due(*d->second, id, {});
        }
    }
    wake(mine);
}

void relay_inbox::stop() {
    stopping_ = true;
    for (auto& [label, d] : desks_) d->timer.cancel();
}

awaitable<void> relay_inbox::work(desk& d) {
    while (!stopping_) {
        d.woken = false;
        const auto next = begin_what_is_due(d);
        if (d.woken) {
            co_await asio::post(with_.io, asio::use_awaitable);   // others have their turn
            continue;
        }
        d.timer.expires_at(next);
        auto [ec] = co_await d.timer.async_wait(as_result);
        (void)ec;
    }
}

void relay_inbox::set_due(desk& d, const storage::id16& id, std::chrono::steady_clock::time_point when) {
    auto& t = d.trials[id];
    if (t.place == 0) t.place = ++d.next_place;
    d.due.erase({t.next, t.place});
    t.next = when;
    d.due.emplace(std::pair(when, t.place), id);
}

void relay_inbox::learn_row(desk& d, const storage::inbound_row& row) {
    if (d.trials.contains(row.notification)) return;
    d.trials[row.notification].sender = row.sender;
    set_due(d, row.notification, {});
}

void relay_inbox::forget_row(desk& d, const storage::id16& id) {
    const auto known = d.trials.find(id);
    if (known == d.trials.end() || known->second.running) return;   // its end sees to it
    d.due.erase({known->second.next, known->second.place});
    d.trials.erase(known);
}

result<void> relay_inbox::learn(desk& d) {
    const auto changed = std::exchange(d.changed, {});
    auto learned = d.account->store().read([&](const storage::read_txn& txn) -> result<void> {
        if (!d.is_loaded) {
            auto all = txn.inbound();
            if (!all) return all.error();
            for (const auto& row : *all) learn_row(d, row);
            d.is_loaded = true;
        }
        for (const auto& id : changed) {
            auto row = txn.get_inbound(id);
            if (!row) return row.error();
            if (*row) learn_row(d, **row);
            else forget_row(d, id);
        }
        return {};
    });
    if (!learned) d.changed.insert(d.changed.end(), changed.begin(), changed.end());
    return learned;
}

bool relay_inbox::may_begin(const desk& d, const crypto::account_key& sender) {
    if (d.running < relay_fetches_at_once_max) return true;
    return d.running < relay_fetches_of_all_max && !d.running_of.contains(sender);
}

std::chrono::steady_clock::time_point relay_inbox::begin_what_is_due(desk& d) {
    const auto now = std::chrono::steady_clock::now();
    if (!learn(d)) return now + relay_retry_longest;
    for (auto it = d.due.begin(); it != d.due.end() && d.running < relay_fetches_of_all_max;) {
        const auto when = it->first.first;
        const auto id = it->second;
        if (when > now) return when;
        const auto sender = d.trials[id].sender;
        const auto here = it++;
        if (!may_begin(d, sender)) continue;   // the end of one wakes us
        auto row = d.account->store().read([&](const storage::read_txn& txn) { return txn.get_inbound(id); });
        if (!row) {
            set_due(d, id, now + relay_retry_longest);
            continue;
        }
        d.due.erase(here);
        if (!*row) {
            d.trials.erase(id);
            continue;
        }
        d.trials[id].running = true;
        ++d.running;
        ++d.running_of[sender];
        asio::co_spawn(with_.io, one(d, std::move(**row)), asio::detached);
    }
    return std::chrono::steady_clock::time_point::max();
}

awaitable<void> relay_inbox::one(desk& d, storage::inbound_row row) {
    const auto id = row.notification;
    auto& mine = *d.account;
    bool done = false, cleaned = d.trials[id].cleaned, told = d.trials[id].told, moved = false;
    auto why = engine::fetch_failure::not_reached;
    auto opened = peer::decode_opened(row.opened);
    if (opened) {
        auto note = std::make_shared<const peer::notification>(std::move(*opened));
        if (row.stage == storage::inbound_stage::wanted) {
            // A live link brings it from the sender's drive; only what hangs or crawls there is looked for at relays.
            const auto link = with_.peers.find(mine.key(), note->sender);
            const bool comes = link && !engine::crawls(link->path, note->cipher_bytes);
            if (note->answer && (!comes || d.trials[id].failures > 0)) {
                if (link && !comes && !std::exchange(d.trials[id].left_link, true)) mails_.leave_to_relay(id);
                const auto came = co_await fetch(mine, note, d.trials[id].furthest);
                cleaned = cleaned || came.cleaned;
                moved = came.furthest > std::exchange(d.trials[id].furthest, came.furthest);
                if (came.failed) why = *came.failed;
                else row.stage = storage::inbound_stage::stored;
            }
        }
        if (row.stage != storage::inbound_stage::wanted && !stopping_) {
            if (!cleaned && note->answer) cleaned = co_await clean(mine, note);
            // Once: each letter costs a token of hers, and a relay that is away to be cleaned may be so for long.
            if (!told) told = co_await answer(mine, row, note);
            // else its time at the relay runs out
            done = told && (cleaned || !note->answer || d.trials[id].failures > 6);
        }
    }
    if (done) {
        auto written = commit(with_.node, mine, [id](storage::write_txn& txn) { return txn.erase_inbound(id); });
        const auto r = co_await std::move(written);
        done = r.has_value();
    }
    bool over = false;   // then the next look finds what is to be told, or nothing
    if (!done && row.stage == storage::inbound_stage::wanted && !stopping_) {
        const auto tries = d.trials[id].failures + 1;
        over = co_await mails_.not_fetched(mine, id, why, tries);
    }
    auto& t = d.trials[id];
    t.running = false;
    t.cleaned = cleaned;
    t.told = told;
    if (moved) t.failures = 0;   // a large mail breaks off often, and goes on soon
    auto next = std::chrono::steady_clock::time_point{};
    if (over) {
        t.failures = 0;
    } else if (!done) {
        const auto longest = std::min(relay_retry_longest, with_.node.configuration().delivery.retry_max);
        auto wait = std::min(relay_retry_first * (1 << std::min(t.failures, 12u)), longest);
        wait += std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * dice() / 4));
        next = std::chrono::steady_clock::now() + wait;
        ++t.failures;
    }
    set_due(d, id, next);   // when its row is gone, the next look lets go of it
    --d.running;
    if (--d.running_of[row.sender] == 0) d.running_of.erase(row.sender);
    if (!stopping_) wake(mine);
}

// ---------------------------------------------------------------- seeds
std::vector<relay_inbox::source> relay_inbox::sources_of(services::account& mine, const peer::notification& note) {
    std::vector<source> out;
    const auto add = [&](const crypto::account_key& relay, const relay::slot_id& slot,
                         std::vector<engine::endpoint> endpoints) {
        for (const auto& known : out)
            if (known.relay == relay && known.slot == slot) return;
        out.push_back({relay, slot, std::move(endpoints)});
    };
    for (const auto& r : services::own_relays(mine.store()))
        add(r.relay, engine::slot_of(r, mine.identity()).id(), endpoints_of(r.endpoints));
    std::vector<relay::slot_address> hers;
    if (note.answer)
        if (auto way = relay::decode_address(note.answer->way.slot)) hers.push_back(std::move(*way));
    auto reach =
        services::how_to_reach(mine.store(), with_.peers.record_of(mine, note.sender), note.sender, services::now_s());
    hers.insert(hers.end(), reach.slots.begin(), reach.slots.end());
    for (const auto& slot : hers) add(slot.relay, slot.slot, dialable(mine, slot.endpoints));
    return out;
}

awaitable<relay_inbox::fetched> relay_inbox::fetch(services::account& mine,
                                                   std::shared_ptr<const peer::notification> note,
                                                   std::uint64_t furthest) {
    using engine::seed_fate;
    fetched out{engine::fetch_failure::not_reached};
    out.furthest = furthest;
    if (!mails_.begin_fetch(note->id)) co_return out;   // over a link, at this moment
    bool here = false, forged = false;
    std::vector<seed_fate> fates;
    for (auto& from : sources_of(mine, *note)) {
        auto& fate = fates.emplace_back(seed_fate::no_answer);
        if (from.endpoints.empty()) continue;
        std::string why;
        auto nobody = throw_away_identity(services::now_s());
        auto call = co_await relay_call::dial(with_.io, std::move(nobody), from.relay, std::move(from.endpoints), why);
        if (stopping_) break;
        if (!call) continue;
        auto secrets = relay::derive_seed(note->key, note->id, from.relay, from.slot);
        const auto where = secrets.where;
        const auto deletion = secrets.deletion;
        const auto got = co_await mails_.fetch_seed(mine, note, call, std::move(secrets), out.furthest);
        if (got) {
            here = true;
            out.cleaned = co_await delete_seed(call, where, deletion);
        } else {
            forged = got.error() == peer::errc::forged_author;
            fate = co_await fate_of_seed(call, where);
            services::log(services::area::delivery)
                .info("event=seed_not_fetched notification={} reason={} fate={}", short_id(note->id),
                      services::field(got.error().message()), static_cast<unsigned>(fate));
        }
        call->hang_up();
        if (here || forged || stopping_) break;
    }
    mails_.end_fetch(note->id);
    if (here) out.failed.reset();
    else if (forged) out.failed = engine::fetch_failure::forged;
    else if (!stopping_)
        out.failed = engine::asked_at_relays(fates, with_.peers.find(mine.key(), note->sender) != nullptr);
    co_return out;
}

awaitable<bool> relay_inbox::clean(services::account& mine, std::shared_ptr<const peer::notification> note) {
    bool all = true;
    for (auto& at : sources_of(mine, *note)) {
        if (stopping_) co_return false;
        if (at.endpoints.empty()) continue;   // there is no way to it
        std::string why;
        auto nobody = throw_away_identity(services::now_s());
        auto call = co_await relay_call::dial(with_.io, std::move(nobody), at.relay, std::move(at.endpoints), why);
        if (!call) {
            all = false;
            continue;
        }
        const auto secrets = relay::derive_seed(note->key, note->id, at.relay, at.slot);
        const bool gone = co_await delete_seed(call, secrets.where, secrets.deletion);
        all = all && gone;
        call->hang_up();
    }
    co_return all;
}

// ---------------------------------------------------------------- answers
awaitable<bool> relay_inbox::answer(services::account& mine, storage::inbound_row row,
                                    std::shared_ptr<const peer::notification> note) {
    peer::letter content;
    if (row.stage == storage::inbound_stage::refused) {
        content.refusals.push_back({note->id, row.reason});
        if (auto link = with_.peers.find(mine.key(), note->sender)) {
            auto message = peer::encode(content);
            const auto heard = co_await link->ask(peer::letter_protocol, std::move(message));
            co_return heard.has_value();
        }
    } else {
        const auto receipt =
            peer::encode(peer::make_receipt(*note, mine.certificate(), with_.node.device(), services::now_s()));
        if (auto link = with_.peers.find(mine.key(), note->sender)) {
            auto message = peer::encode(peer::receipt_message{receipt});
            const auto heard = co_await link->ask(peer::receipt_protocol, std::move(message));
            co_return heard.has_value();
        }
        content.receipts.push_back(receipt);
    }
    const bool left = co_await send_letter(mine, note->sender, std::move(content), engine::work_willing_bits);
    if (left)
        services::log(services::area::delivery)
            .info("event=answered_by_letter notification={} refused={}", short_id(note->id),
                  row.stage == storage::inbound_stage::refused);
    co_return left;
}

awaitable<bool> relay_inbox::leave_way(services::account& mine, crypto::account_key to) {
    peer::letter nothing_else;
    co_return co_await send_letter(mine, to, std::move(nothing_else), engine::work_bits_for_news);
}

// Adds the way to us and tokens, pays with one of hers, and leaves it in her slot.
awaitable<bool> relay_inbox::send_letter(services::account& mine, crypto::account_key to, peer::letter content,
                                         std::uint8_t work_bits_max) {
    const auto record = with_.peers.record_of(mine, to);
    const auto reach = services::how_to_reach(mine.store(), record, to, services::now_s());
    if (!reach.prekey) co_return false;
    for (const auto& slot : reach.slots) {
        std::string why;
        auto nobody = throw_away_identity(services::now_s());
        auto call =
            co_await relay_call::dial(with_.io, std::move(nobody), slot.relay, dialable(mine, slot.endpoints), why);
        if (!call) continue;
        auto letter = co_await seal_for(mine, to, content, slot, reach);
        if (!letter || stopping_) {
            call->hang_up();
            co_return false;
        }
        relay::deposit_options options{slot.relay, slot.slot};
        if (letter->paid) options.token = letter->paid->token;
        options.work_bits_max = work_bits_max;
        options.item = letter->item;
        read_content nothing = [](std::uint64_t, std::size_t) -> awaitable<result<bytes>> {
            co_return relay::errc::lost;
        };
        const auto over = co_await play(call, std::move(options), std::move(nothing), with_.workers);
        call->hang_up();
        co_await book_letter(mine, to, std::move(*letter), over);
        if (over.how == relay::ending::done) co_return true;
        services::log(services::area::delivery)
            .info("event=letter_not_left how={} status={}", static_cast<unsigned>(over.how),
                  static_cast<unsigned>(over.why.why));
    }
    co_return false;
}

// What it is paid with and what it gives is written first. Nothing: the disk is full.
awaitable<std::optional<relay_inbox::sealed>> relay_inbox::seal_for(services::account& mine, crypto::account_key to,
                                                                    peer::letter content, relay::slot_address slot,
                                                                    engine::reachable_by reach) {
    auto whole = std::make_shared<peer::letter>();
    auto out = std::make_shared<sealed>();
    auto give = [&mine, to, slot, content = std::move(content), whole, out,
                 way = way_to(mine)](storage::write_txn& txn) -> result<void> {
        *whole = content;
        *out = {};
        out->is_full_hand = content.receipts.empty() && content.refusals.empty();
        auto c = services::correspondent_of(txn, to);
        if (auto token = engine::take_token(c, slot.relay, slot.slot, services::now_s()))
            out->paid = engine::held_token{slot.relay, slot.slot, *token};
        if (way) {
            whole->ways.push_back(*way);
            out->news = services::news_in(txn, to, way->slot, mine.identity());
        }
        const auto used = services::own_relays(txn);
        const auto wanted = out->is_full_hand ? engine::tokens_given_at_once : tokens_in_an_answer;
        if (!used.empty())
            if (auto grant = engine::grant_tokens(c, to, used.front().relay,
                                                  engine::slot_of(used.front(), mine.identity()), wanted,
                                                  services::now_s())) {
                out->granted = grant->tokens.size();
                whole->grants.push_back(std::move(*grant));
            }
        return txn.put_setting(engine::correspondent_setting(to), engine::encode(c));
    };
    auto written = commit(with_.node, mine, std::move(give));
    if (const auto r = co_await std::move(written); !r) co_return std::nullopt;
    if (peer::encode(*whole).size() > peer::sealed_parts_bytes_max) whole->grants.clear();
    out->is_full_hand = out->is_full_hand && !whole->grants.empty();
    const peer::sealed_letter letter{mine.key(), to, services::now_s(), std::move(*whole)};
    out->item = peer::seal_letter(letter, mine.identity(), reach.prekey_id, *reach.prekey);
    co_return std::move(*out);
}

awaitable<void> relay_inbox::book_letter(services::account& mine, crypto::account_key to, sealed letter,
                                         relay::deposit_over over) {
    const bool left = over.how == relay::ending::done;
    // Of one that broke off nobody knows.
    const bool refused = over.how == relay::ending::unwilling || over.how == relay::ending::refused;
    // A token that is refused itself is not tried again.
    using relay::status;
    const auto why = over.why.why;
    if (why != status::no_slot && why != status::full && why != status::relay_full && why != status::busy)
        letter.paid.reset();
    if (!refused && !(left && (letter.news != 0 || letter.is_full_hand))) co_return;
    auto note = [&mine, to, left, paid = letter.paid, granted = letter.granted, news = letter.news,
                 is_full_hand = letter.is_full_hand](storage::write_txn& txn) -> result<void> {
        if (!left || is_full_hand) {
            auto c = services::correspondent_of(txn, to);
            if (!left) {
                engine::letter_refused(c, paid ? &*paid : nullptr, granted);
            } else {
                const auto relays = services::own_relays(txn);
                std::vector<relay::slot_id> slots;   // the tokens are for the first
                if (!relays.empty()) slots.push_back(engine::slot_of(relays.front(), mine.identity()).id());
                engine::hand_given(c, slots);
            }
            if (auto r = txn.put_setting(engine::correspondent_setting(to), engine::encode(c)); !r) return r;
        }
        return left ? services::news_told(txn, to, news) : result<void>();
    };
    auto written = commit(with_.node, mine, std::move(note));
    const auto r = co_await std::move(written);
    (void)r;   // told once more, or a token less
}

}  // namespace pp::net
