#include "daemon/net/relay_home.hpp"

#include "daemon/net/dice.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/own_relays.hpp"

namespace pp::net {

relay_home::relay_home(relay_context with, services::account& mine, engine::own_relay at, take items)
    : with_(with), mine_(mine), at_(std::move(at)), take_(std::move(items)), timer_(with.io) {}

void relay_home::start() {
    asio::co_spawn(with_.io, live(), [self = shared_from_this()](std::exception_ptr) {});
}

void relay_home::stop() {
    stopping_ = true;
    timer_.cancel();
    if (call_) call_->hang_up();
}

awaitable<void> relay_home::pause(std::chrono::milliseconds how_long) {
    if (stopping_) co_return;
    timer_.expires_after(how_long);
    auto [ec] = co_await timer_.async_wait(as_result);
    (void)ec;
}

awaitable<void> relay_home::live() {
    while (!stopping_) {
        const bool was_there = co_await visit();
        looked_at_ = look_begun_;
        if (!stopping_) co_await learn();
        if (was_there) failures_ = 0;
        const auto wait = std::chrono::milliseconds(relay_pauses[std::min(failures_, relay_pauses.size() - 1)]);
        if (failures_ < relay_pauses.size()) ++failures_;
        // Clients of a relay that starts anew do not all come in one second.
        co_await pause(wait + std::chrono::milliseconds(
                                  static_cast<std::int64_t>(static_cast<double>(wait.count()) * dice() / 4)));
    }
}

void relay_home::look_again() {
    news_ = true;
    timer_.cancel();
}

void relay_home::network_changed() {
    failures_ = 0;
    if (tries_.refused == 0) tries_ = {};   // it was not reached over another network
    look_again();
}

awaitable<bool> relay_home::visit() {
    std::string why;
    look_begun_ = std::chrono::steady_clock::now();
    auto nobody = throw_away_identity(services::now_s());
    call_ = co_await relay_call::dial(with_.io, std::move(nobody), at_.relay, endpoints_of(at_.endpoints), why);
    if (!call_ || stopping_) {
        if (call_) call_->hang_up();
        services::log(services::area::peer).debug("event=relay_not_reached reason={}", services::field(why));
        trouble_ = std::move(why);
        tries_.was_away(services::now_ms());
        co_return false;
    }
    call_->on_news = [this](const relay::slot_id&) {
        news_ = true;
        timer_.cancel();
    };
    call_->on_ended = [this] { timer_.cancel(); };
    auto secrets = engine::slot_of(at_, mine_.identity());
    relay::collect_options options{at_.relay, secrets.key.clone(), secrets.tokens, secrets.previous_tokens};
    options.invite = at_.invite;
    options.work_bits_max = engine::work_willing_bits;
    options.settings_changed = !at_.opened;
    attached_ = false;
    take_items hand_on = [this](std::vector<relay::listed_item> items) { return take_(mine_, std::move(items)); };
    wait_for_more wait = [this](relay::round_over round) { return wait_for_news(std::move(round)); };
    const auto over = co_await play(call_, std::move(options), std::move(hand_on), std::move(wait), with_.workers);
    call_->on_news = nullptr;
    call_->on_ended = nullptr;
    call_->hang_up();
    const bool was_there = std::exchange(attached_, false);
    trouble_ = "the link to the relay was lost";
    if (over.how == relay::ending::refused && !stopping_) {
        // The slot is not there, and the relay wants to know whose it is to be.
        services::log(services::area::peer).info("event=relay_refuses status={}", static_cast<unsigned>(over.why.why));
        const auto failed = co_await open_slot_at(with_, mine_, at_);
        if (failed.empty()) co_await note_opened();
        else trouble_ = failed;
        if (!failed.empty() && over.why.why != relay::status::busy) tries_.was_refused();
    } else if (!was_there) {
        tries_.was_away(services::now_ms());
    }
    co_return was_there;
}

awaitable<bool> relay_home::wait_for_news(relay::round_over round) {
    if (!std::exchange(attached_, true))
        services::log(services::area::peer).info("event=relay_attached items={}", round.seen);
    tries_.worked();
    co_await learn();
    looked_at_ = look_begun_;
    if (!at_.opened) co_await note_opened();
    // News are told; a look now and then is for those that got lost, and for what could not be stored the last time.
    if (!news_ && !stopping_ && call_->alive()) co_await pause(relay::poll_pause(round.relay.poll_s, dice()));
    news_ = false;
    look_begun_ = std::chrono::steady_clock::now();
    co_return !stopping_ && call_->alive();
}

awaitable<void> relay_home::note_opened() {
    at_.opened = true;
    auto written = commit(with_.node, mine_, [relay = at_.relay](storage::write_txn& txn) -> result<void> {
        auto all = services::own_relays(txn);
        for (auto& r : all)
            if (r.relay == relay) r.opened = true;
        return txn.put_setting(engine::own_relays_setting, engine::encode(all));
    });
    const auto r = co_await std::move(written);
    (void)r;   // noted with the next link
}

// ---------------------------------------------------------------- all of them
void relay_homes::update(services::account& mine) {
    if (stopping_) return;
    const auto used = services::own_relays(mine.store());
    for (auto it = all_.begin(); it != all_.end();) {
        const bool stays = it->first.first != mine.label() || std::any_of(used.begin(), used.end(), [&](const auto& r) {
            return r.relay == it->first.second && r.endpoints == it->second->at().endpoints;
        });
        if (!stays) it->second->stop();
        it = stays ? std::next(it) : all_.erase(it);
    }
    for (const auto& r : used) {
        auto& home = all_[{mine.label(), r.relay}];
        if (home) continue;
        home = std::make_shared<relay_home>(with_, mine, r, take_);
        home->start();
    }
}

void relay_homes::stop() {
    stopping_ = true;
    for (const auto& [key, home] : all_) home->stop();
}

void relay_homes::look_again() {
    for (const auto& [key, home] : all_) home->look_again();
}

void relay_homes::network_changed() {
    for (const auto& [key, home] : all_) home->network_changed();
}

bool relay_homes::were_read_since(const services::account& mine, std::chrono::steady_clock::time_point when) const {
    return std::all_of(all_.begin(), all_.end(), [&](const auto& one) {
        return one.first.first != mine.label() || one.second->looked_at() >= when;
    });
}

std::vector<std::shared_ptr<relay_home>> relay_homes::of(const services::account& mine) const {
    std::vector<std::shared_ptr<relay_home>> out;
    for (const auto& [key, home] : all_)
        if (key.first == mine.label()) out.push_back(home);
    return out;
}

}  // namespace pp::net
