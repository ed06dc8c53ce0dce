#include "daemon/net/nat/reservations.hpp"

#include "daemon/net/dice.hpp"
#include "daemon/services/log.hpp"
#include "proto/relay/client_events.hpp"

#include <algorithm>

namespace pp::net {

namespace {

constexpr peer::unix_s device_life_s = 2 * 86400;      // longer than any such link; the clocks of two nodes may differ

// The account on a device of its own: links of our real device, to the same node, are not in its way.
relay_identity reservation_identity(const services::account& mine, peer::unix_s now) {
    auto device = crypto::signing_key::generate();
    relay_identity out{std::move(device), {}, peer::encode(mine.record())};
    out.certificate = peer::certify_device(mine.identity(), *crypto::device_key::from(out.device.public_key()),
                                           mine.certificate().drive, "", now + device_life_s);
    return out;
}

template <class Reply>
awaitable<std::optional<relay::reply<Reply>>> ask(std::shared_ptr<relay_call> call, relay::request what) {
    auto message = relay::encode(what);
    const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
    co_return relay::reply_in<Reply>(answer);
}

template <class Reply>
const Reply* good(const std::optional<relay::reply<Reply>>& r) { return r ? std::get_if<Reply>(&*r) : nullptr; }

}  // namespace

void reservations::start(came f) {
    came_ = std::move(f);
    asio::co_spawn(io_, look_loop(), asio::detached);
}

void reservations::stop() {
    stopping_ = true;
    timer_.cancel();
    for (const auto& [key, p] : places_) {
        p->timer.cancel();
        if (p->call) p->call->cut();
    }
}

void reservations::network_changed() {
    for (const auto& [key, p] : places_) {
        p->failures = 0;
        ++p->generation;
        p->timer.cancel();
        if (p->call) p->call->cut();       // it is not worth the minute its pings take to say so
    }
}

awaitable<void> reservations::look_loop() {
    while (!stopping_) {
        std::map<place_key, relay::slot_address> wanted;
        for (auto* a : node_.accounts())
            for (const auto& text : a->record().relays)
                if (auto at = relay::decode_address(text)) wanted[{a->label(), at->relay}] = std::move(*at);
        for (auto it = places_.begin(); it != places_.end();) {
            const auto still = wanted.find(it->first);
            if (still != wanted.end() && still->second == it->second->at) {
                ++it;
                continue;
            }
            it->second->wanted = false;
            it->second->timer.cancel();
            if (it->second->call) it->second->call->hang_up();
            it = places_.erase(it);
        }
        for (auto& [key, at] : wanted) {
            if (places_.contains(key)) continue;
            auto* mine = node_.find_account(key.first);
            if (!mine || node_.find_account(at.relay)) continue;      // our own relay has no way to us that others lack
            const auto p = std::make_shared<place>(io_);
            p->at = at;
            places_[key] = p;
            asio::co_spawn(io_, keep(*mine, p), asio::detached);
        }
        timer_.expires_after(relays_look);
        auto [ec] = co_await timer_.async_wait(as_result);
        (void)ec;
    }
}

awaitable<void> reservations::keep(services::account& mine, std::shared_ptr<place> p) {
    while (!stopping_ && p->wanted) {
        const auto generation = p->generation;
        auto pause = co_await hold(mine, p);
        p->reserved = false;
        p->call.reset();
        if (stopping_ || !p->wanted) co_return;
        if (p->generation != generation) continue;
        pause += std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(pause.count()) * dice() / 4));
        p->timer.expires_after(pause);
        auto [ec] = co_await p->timer.async_wait(as_result);
        (void)ec;
    }
}

// One link, as long as it lives; then how long to wait before the next.
awaitable<std::chrono::milliseconds> reservations::hold(services::account& mine, std::shared_ptr<place> p) {
    const auto failed = [p] {
        const auto n = std::min(p->failures++, relay_reconnect.size() - 1);
        return std::chrono::milliseconds(relay_reconnect[n]);
    };
    std::vector<engine::endpoint> endpoints;
    for (const auto& text : p->at.endpoints)
        if (auto e = engine::parse_endpoint(text)) endpoints.push_back(std::move(*e));
    std::string why;
    auto who = reservation_identity(mine, services::now_s());
    auto call = co_await relay_call::dial(io_, std::move(who), p->at.relay, std::move(endpoints), why);
    if (!call) co_return failed();
    p->call = call;
    call->on_incoming = [this, weak = std::weak_ptr(call)](const relay::incoming_request& request) {
        const auto alive = weak.lock();
        if (!alive || stopping_ || coming_ >= calls_at_once_max) return false;
        ++coming_;
        asio::co_spawn(io_, accept(alive, request), [this](std::exception_ptr) { --coming_; });
        return true;
    };
    call->on_ended = [weak = std::weak_ptr(p)] {
        if (const auto alive = weak.lock()) alive->timer.cancel();
    };
    const relay::request info_wanted = relay::info_request{};
    const auto info = co_await ask<relay::info_reply>(call, info_wanted);
    const auto* said = good<relay::info_reply>(info);
    if (!said) co_return failed();
    if (said->reservation_s == 0) {
        call->hang_up();
        co_return no_circuits_pause;
    }
    bool attached = false;
    while (call->alive() && p->wanted && !stopping_) {
        const relay::request wanted = relay::reserve_request{said->reservation_s};
        const auto reserved = co_await ask<relay::reserve_reply>(call, wanted);
        if (const auto* yes = good<relay::reserve_reply>(reserved)) {
            if (!std::exchange(p->reserved, true))
                services::log(services::area::peer).info("event=relay_reserved ttl_s={}", yes->ttl_s);
            p->failures = 0;
            // Until half of it is over, or the link is.
            p->timer.expires_after(std::chrono::seconds(std::max<std::uint32_t>(yes->ttl_s, 60)) / 2);
            if (!call->alive()) break;
            auto [ec] = co_await p->timer.async_wait(as_result);
            (void)ec;
            continue;
        }
        const bool refused = reserved && std::get<relay::refusal>(*reserved).why == relay::status::refused;
        if (!refused || attached) {
            call->hang_up();
            co_return refused ? std::chrono::milliseconds(no_circuits_pause) : failed();
        }
        // Neither own nor contact: whoever has a slot may, and says so.
        auto secrets = relay::derive_slot(*crypto::account_seed::from(mine.identity().seed().view()), p->at.relay, 0);
        relay::attach_request attach;
        attach.key = secrets.public_key();
        attach.sig = secrets.key.sign(relay::signed_part(attach, p->at.relay, said->nonce));
        const relay::request proof = std::move(attach);
        const auto proved = co_await ask<relay::attach_reply>(call, proof);
        if (!good<relay::attach_reply>(proved)) {
            call->hang_up();
            co_return failed();
        }
        attached = true;
    }
    co_return failed();
}

awaitable<void> reservations::accept(std::shared_ptr<relay_call> call, relay::incoming_request request) {
    auto end = co_await come_to(io_, call, std::move(request));
    if (end.stream && !stopping_) came_(std::move(end));
}

}  // namespace pp::net
