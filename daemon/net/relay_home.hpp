// The kept link to one relay that an account uses: proves ownership of the slot, takes what lies there and comes there,
// and is made again when it breaks (04-network 4.5.7). It is of a throw-away identity: the slot's key is all the relay
// learns. One network thread.
#pragma once

#include "daemon/engine/relay_trouble.hpp"
#include "daemon/net/relay_owner.hpp"

namespace pp::net {

inline constexpr std::array<std::chrono::seconds, 6> relay_pauses{
    std::chrono::seconds(1),  std::chrono::seconds(2),  std::chrono::seconds(5),
    std::chrono::seconds(15), std::chrono::seconds(60), std::chrono::minutes(5)};   // between two tries

class relay_home : public std::enable_shared_from_this<relay_home> {
public:
    // Stores items and says which are durable, or for ever of no use.
    using take =
        std::function<awaitable<std::vector<std::uint64_t>>(services::account&, std::vector<relay::listed_item>)>;

    relay_home(relay_context with, services::account& mine, engine::own_relay at, take items);
    void start();
    void stop();

    const engine::own_relay& at() const { return at_; }
    bool attached() const { return attached_ && call_ && call_->alive(); }
    // Why there is no link that shows us our slot, in words; empty while there is one, and before the first try.
    std::string trouble() const { return attached() ? std::string() : trouble_; }
    // When the newest look at what lies there began that is over: everything was taken, or it could not be reached.
    std::chrono::steady_clock::time_point looked_at() const { return looked_at_; }
    void look_again();                           // now, not at the next news: they may have been lost
    void network_changed();                      // what could not be reached may be now
    // The link while there is one; null else. A reservation of circuits can be asked for over a call of its own
    // (call_as_myself): this link does not say whose it is.
    std::shared_ptr<relay_call> call() const { return call_; }

private:
    awaitable<void> live();
    awaitable<bool> visit();                     // one link, to its end; true when it was attached
    awaitable<bool> wait_for_news(relay::round_over round);
    awaitable<void> note_opened();
    awaitable<void> learn();                     // from tries_: keeps the marks, and tells the owner what is due
    awaitable<void> pause(std::chrono::milliseconds how_long);

    relay_context with_;
    services::account& mine_;
    engine::own_relay at_;
    take take_;
    std::shared_ptr<relay_call> call_;
    asio::steady_timer timer_;
    std::size_t failures_ = 0;                   // one after the other
    std::chrono::steady_clock::time_point look_begun_{}, looked_at_{};
    std::string trouble_;
    engine::relay_tries tries_;
    bool attached_ = false, news_ = false, stopping_ = false;
};

// All of them, of all accounts; kept in step with what the accounts use.
class relay_homes {
public:
    relay_homes(relay_context with, relay_home::take items) : with_(with), take_(std::move(items)) {}
    void update(services::account& mine);        // its list has changed, or the daemon starts
    void stop();
    void look_again();                           // at all of them
    void network_changed();
    // Whether each slot of the account was looked at since then, as far as its relay can be reached.
    bool were_read_since(const services::account& mine, std::chrono::steady_clock::time_point when) const;
    std::vector<std::shared_ptr<relay_home>> of(const services::account& mine) const;

private:
    relay_context with_;
    relay_home::take take_;
    // by account label and relay
    std::map<std::pair<std::string, crypto::account_key>, std::shared_ptr<relay_home>> all_;
    bool stopping_ = false;
};

}  // namespace pp::net
