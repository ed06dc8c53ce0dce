#include "daemon/net/finder.hpp"

#include "daemon/engine/delivery.hpp"
#include "daemon/engine/endpoints.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/services/log.hpp"
#include "proto/peer/first_contact.hpp"
#include "proto/relay/address.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace pp::net {

namespace {

// "host:port" as a record carries it; nullopt for what nobody on this network could dial.
std::optional<dht::host_port> to_record(const std::string& text, dht::network kind) {
    const auto e = engine::parse_endpoint(text);
    if (!e) return std::nullopt;
    dht::host_port out;
    const auto where = engine::kind_of(e->host);
    if (where == engine::address_kind::name) {
        if (e->host.size() > dht::record_name_bytes_max) return std::nullopt;
        out.name = e->host;
        out.port = e->port;
        return out;
    }
    // Addresses of the own LAN tell more of a house than a stranger needs, and nobody reaches them (04-network 4.5.3).
    if (kind == dht::network::mainline && where != engine::address_kind::global) return std::nullopt;
    const auto at = dht::parse_endpoint(engine::format(*e));
    if (!at) return std::nullopt;
    out.at = *at;
    return out;
}

// Its relays as the short form has them: key and one place each.
std::vector<dht::record_relay> relays_of(const peer::account_record& own, dht::network kind) {
    std::vector<dht::record_relay> out;
    for (const auto& text : own.relays) {
        const auto slot = relay::decode_address(text);
        if (!slot || out.size() == dht::record_relays_max) continue;
        for (const auto& endpoint : slot->endpoints)
            if (auto host = to_record(endpoint, kind)) {
                out.push_back({*dht::relay_key::from(slot->relay.view()), std::move(*host),
                               *dht::relay_slot::from(slot->slot.view())});
                break;
            }
    }
    return out;
}

// proto/dht/SPEC.md, field 7.
crypto::hash256 hash_of_devices(const peer::account_record& own) {
    bytes all;
    for (const auto& device : own.devices) {
        const auto one = peer::encode(device);
        all.insert(all.end(), one.begin(), one.end());
    }
    return crypto::sha256(all);
}

std::string to_text(const dht::host_port& h) {
    return h.at ? dht::to_text(*h.at) : engine::format({h.name, h.port});
}

}  // namespace

finder::finder(asio::io_context& io, services::node& node, dht_socket& dht, dht::network kind)
    : io_(io), node_(node), dht_(dht), kind_(kind), dice_(crypto::random<dht::dice_seed>()), timer_(io),
      prefetch_timer_(io) {}

void finder::start(listener& l) {
    listener_ = &l;
    if (!dht_.running()) return;
    if (node_.configuration().dht.publish != services::dht_publish::off)
        asio::co_spawn(io_, publish_loop(), asio::detached);
    asio::co_spawn(io_, prefetch_loop(), asio::detached);
}

void finder::stop() {
    stopping_ = true;
    timer_.cancel();
    prefetch_timer_.cancel();
}

// A record stands under keys of its day: what was put there by a wrong clock nobody finds. And while a machine sleeps,
// what it has put there ends.
void finder::notice_clock_jump() {
    const auto wall = services::now_ms();
    const auto now = std::chrono::steady_clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_steady_);
    if (last_wall_ != 0 && engine::clock_jumped(std::chrono::milliseconds(wall - last_wall_), passed))
        for (auto& [label, p] : publications_) p.schedule.changed(now);
    last_wall_ = wall;
    last_steady_ = now;
}

// ---------------------------------------------------------------- being found

awaitable<void> finder::publish_loop() {
    // Accounts added while running are taken up with the next look.
    constexpr auto look = std::chrono::seconds(30);
    while (!stopping_) {
        notice_clock_jump();
        const auto now = std::chrono::steady_clock::now();
        auto next = now + look;
        for (auto* a : node_.accounts()) {
            auto known = publications_.find(a->label());
            if (known == publications_.end())
                known = publications_.emplace(a->label(), publication{dht::publish_schedule(dice_, now), 0, {}}).first;
            auto& schedule = known->second.schedule;
            auto& published = known->second.record_sequence;
            const auto sequence = a->record().sequence;
            if (std::exchange(published, sequence) != sequence) schedule.changed(now);
            if (now >= schedule.due_at()) {
                // Before the first await: a publication that takes long is not begun twice.
                schedule.published(dice_, now);
                asio::co_spawn(io_, publish(*a), asio::detached);
            }
            next = std::min(next, schedule.due_at());
        }
        timer_.expires_at(next);
        auto [ec] = co_await timer_.async_wait(as_result);
        (void)ec;
    }
}

awaitable<void> finder::publish(services::account& a) {
    const auto own = a.record();
    dht::record of_account;
    of_account.sequence_ms = static_cast<std::uint64_t>(services::now_ms());
    of_account.lifetime_s = record_lifetime_s;
    if (!own.prekeys.empty())
        of_account.prekey =
            dht::record::offered_prekey{own.prekeys.front().id, own.prekeys.front().key, own.prekeys.front().not_after};
    of_account.relays = relays_of(own, kind_);
    of_account.devices_hash = hash_of_devices(own);
    of_account.work_bits = peer::work_asked(own);
    const bool with_devices = node_.configuration().dht.publish == services::dht_publish::full;
    if (with_devices)   // under their keys stands where they are
        for (const auto& device : own.devices) of_account.devices.push_back(device.device);

    dht::record of_device;
    of_device.sequence_ms = of_account.sequence_ms;
    of_device.lifetime_s = record_lifetime_s;
    for (const auto& text : own.endpoints)
        if (auto host = to_record(text, kind_)) of_device.addresses.push_back({std::nullopt, std::move(*host)});

    for (const auto day : crypto::discovery_days_of(a.key(), services::now_s())) {
        auto fewest = co_await put(a, of_account, day, false);
        if (stopping_) co_return;
        if (with_devices) {
            const auto of_this_device = co_await put(a, of_device, day, true);
            fewest = std::min(fewest, of_this_device);
        }
        if (stopping_) co_return;
        publications_.at(a.label()).stands = standing{fewest, std::chrono::steady_clock::now()};
    }
}

std::optional<finder::standing> finder::standing_of(const std::string& label) const {
    const auto known = publications_.find(label);
    return known == publications_.end() ? std::nullopt : known->second.stands;
}

awaitable<std::size_t> finder::put(services::account& a, dht::record r, dht::discovery_day day, bool of_device) {
    const auto* device = of_device ? &node_.device() : nullptr;
    auto sequence = services::now_s();
    auto item = dht::seal_record(r, a.identity(), day, device, sequence);
    auto done = co_await dht_.put(std::move(item));
    if (!done.outdated || stopping_) co_return done.replicas;
    // Our clock was wrong before, or another device publishes too: one above what is there (04-network 4.5.3).
    services::log(services::area::peer)
        .warn("event=dht_record_outdated ahead_s={}", done.newer_sequence.value_or(sequence) - sequence);
    if (!done.newer_sequence || *done.newer_sequence == std::numeric_limits<std::int64_t>::max())
        co_return done.replicas;
    auto higher = dht::seal_record(r, a.identity(), day, device, std::max(*done.newer_sequence + 1, services::now_s()));
    auto again = co_await dht_.put(std::move(higher));
    co_return again.replicas;
}

// ---------------------------------------------------------------- finding

void finder::look_for(const crypto::account_key& peer, std::vector<crypto::device_key> known) {
    if (!dht_.running() || stopping_ || running_ >= searches_max) return;
    forget_old();
    if (!searches_.contains(peer) && searches_.size() >= found_people_max) return;
    auto& s = searches_[peer];
    if (s.running || std::chrono::steady_clock::now() < s.again_at) return;
    s.running = true;
    ++running_;
    asio::co_spawn(io_, find(peer, std::move(known)), [this, peer](std::exception_ptr) {
        --running_;
        searches_[peer].running = false;
    });
}

// Where contacts are is known before somebody writes to them: the lookup of a moment tells nobody of a mail.
awaitable<void> finder::prefetch_loop() {
    const auto seconds = [this](auto most) {
        const auto n = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(most).count());
        return std::chrono::seconds(dice_.number() % n);
    };
    auto wait = std::chrono::duration_cast<std::chrono::seconds>(prefetch_first) +
                seconds(std::chrono::hours(1) - prefetch_first);
    while (!stopping_) {
        prefetch_timer_.expires_after(wait);
        auto [ec] = co_await prefetch_timer_.async_wait(as_result);
        if (ec || stopping_) co_return;
        std::vector<std::pair<crypto::account_key, std::vector<crypto::device_key>>> all;
        for (auto* a : node_.accounts()) {
            const auto contacts = a->store().read([](const storage::read_txn& txn) { return txn.contacts(); });
            if (!contacts) continue;
            for (const auto& c : *contacts) {
                if (!c.accepted || engine::is_out(c)) continue;
                auto& [peer, devices] = all.emplace_back(c.account, std::vector<crypto::device_key>());
                if (const auto record = peer::decode_account_record(c.record))
                    for (const auto& device : record->devices) devices.push_back(device.device);
            }
        }
        for (std::size_t left = all.size(); left > 0 && !stopping_; --left) {   // Fisher and Yates, one at a time
            std::swap(all[left - 1], all[dice_.number() % left]);
            look_for(all[left - 1].first, std::move(all[left - 1].second));
            prefetch_timer_.expires_after(std::chrono::seconds(1) + seconds(prefetch_pause));
            auto [cut] = co_await prefetch_timer_.async_wait(as_result);
            if (cut) co_return;
        }
        wait = std::chrono::duration_cast<std::chrono::seconds>(prefetch_interval) - seconds(std::chrono::hours(2));
    }
}

std::vector<std::string> finder::endpoints_of(const crypto::account_key& peer) const {
    const auto found = searches_.find(peer);
    return found == searches_.end() ? std::vector<std::string>() : found->second.endpoints;
}

awaitable<finder::answer> finder::read(dht::record_place place) {
    answer out;
    const auto key = dht::key_of(place);
    if (!key) co_return out;
    auto salt = dht::salt_of(place);
    auto got = co_await dht_.get(*key, std::move(salt));
    out.reached = got.answers > 0;
    if (!got.item) co_return out;
    if (auto r = dht::open_record(got.item->value, place, services::now_s())) out.record = std::move(*r);
    co_return out;
}

awaitable<void> finder::find(crypto::account_key peer, std::vector<crypto::device_key> known) {
    std::vector<std::string> endpoints;
    bool reached = false;
    for (const auto day : crypto::discovery_days_of(peer, services::now_s())) {
        // Her devices as we know them; else, or when none of them is there, as the record of her account names them.
        auto devices = known;
        for (const bool ask_account : {false, true}) {
            dht::record_place place{peer, day, std::nullopt};
            if (ask_account) {
                auto account = co_await read(place);
                if (stopping_) co_return;
                reached = reached || account.reached;
                devices.clear();
                if (account.record) note_way(peer, *account.record);
                if (account.record)
                    for (const auto& device : account.record->devices)
                        if (std::find(known.begin(), known.end(), device) == known.end()) devices.push_back(device);
            }
            if (devices.size() > devices_asked_max) devices.resize(devices_asked_max);
            for (const auto& device : devices) {
                place.device = device;
                auto of_device = co_await read(place);
                if (stopping_) co_return;
                reached = reached || of_device.reached;
                if (!of_device.record) continue;
                for (const auto& address : of_device.record->addresses)
                    if (!address.over) endpoints.push_back(to_text(address.host));
            }
            if (!endpoints.empty()) break;
        }
        if (!endpoints.empty()) break;
    }
    auto& s = searches_[peer];
    const auto now = std::chrono::steady_clock::now();
    s.again_at = now + (!endpoints.empty() ? std::chrono::duration_cast<std::chrono::milliseconds>(found_lifetime)
                        : reached          ? std::chrono::duration_cast<std::chrono::milliseconds>(not_found_lifetime)
                                  : std::chrono::duration_cast<std::chrono::milliseconds>(not_reached_lifetime));
    services::log(services::area::peer).info("event=dht_searched found={} reached={}", endpoints.size(), reached);
    // What was found before stays when nothing is found now: an old address is better than none.
    if (endpoints.empty()) co_return;
    s.endpoints = std::move(endpoints);
    listener_->found(peer);
}

// Where her mail may wait while she is away. A relay is dialled only when something is to be left there.
void finder::note_way(const crypto::account_key& peer, const dht::record& of_account) {
    std::vector<relay::slot_address> slots;
    for (const auto& at : of_account.relays) {
        if (!at.slot) continue;
        relay::slot_address slot{
            *crypto::account_key::from(at.key.view()), *relay::slot_id::from(at.slot->view()), {to_text(at.host)}};
        if (relay::encode_address(slot).size() <= relay::slot_address_bytes_max) slots.push_back(std::move(slot));
    }
    if (slots.empty() || !of_account.prekey) return;
    peer::return_path way{of_account.prekey->id, of_account.prekey->key, of_account.prekey->not_after,
                          relay::encode_address(slots.front())};
    searches_[peer].slots = std::move(slots);
    services::log(services::area::peer).info("event=dht_found_relays relays={}", of_account.relays.size());
    listener_->found_way(peer, std::move(way), of_account.work_bits,
                         static_cast<std::int64_t>(of_account.sequence_ms / 1000));
}

std::vector<relay::slot_address> finder::slots_of(const crypto::account_key& peer) const {
    const auto found = searches_.find(peer);
    return found == searches_.end() ? std::vector<relay::slot_address>() : found->second.slots;
}

// Makes room for others: who was looked for longest ago goes.
void finder::forget_old() {
    if (searches_.size() < found_people_max) return;
    auto oldest = searches_.end();
    for (auto it = searches_.begin(); it != searches_.end(); ++it)
        if (!it->second.running && (oldest == searches_.end() || it->second.again_at < oldest->second.again_at))
            oldest = it;
    if (oldest != searches_.end()) searches_.erase(oldest);
}

}  // namespace pp::net
