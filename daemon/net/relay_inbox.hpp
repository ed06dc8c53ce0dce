// What comes through relays for an account: takes items out of its slots, fetches mails from seeds, and answers their
// senders through their relays (proto/relay/SPEC.md, "Walks of a client"; proto/peer/SPEC.md, "Letter"). All that is to
// be done stands in inbound rows of the store, so that it goes on after a restart. One network thread.
#pragma once

#include "daemon/net/receiver.hpp"
#include "daemon/net/relay_owner.hpp"
#include "proto/peer/letter.hpp"

namespace pp::net {

inline constexpr std::size_t relay_fetches_at_once_max = 4;      // of one account
// With as many as that under way, whoever has none of them gets one all the same: a sender whose mails lie at a relay
// that is slow, or means to be, holds up his own.
inline constexpr std::size_t relay_fetches_of_all_max = 16;
inline constexpr auto relay_retry_first = std::chrono::milliseconds(std::chrono::seconds(2));
inline constexpr auto relay_retry_longest = std::chrono::milliseconds(std::chrono::minutes(10));

class relay_inbox {
public:
    // Who hears what letters say of mails that were sent. True when it is durable, or of no use.
    struct listener {
        virtual ~listener() = default;
        virtual awaitable<bool> receipt_told(services::account& mine, bytes signed_receipt) = 0;
        virtual awaitable<bool> refusal_told(services::account& mine, crypto::account_key by,
                                             peer::refusal_note what) = 0;
        virtual void item_came(services::account& mine, const crypto::account_key& from) = 0;
        // Mail for her is left elsewhere from now on.
        virtual void way_came(services::account& mine, const crypto::account_key& from) = 0;
    };

    relay_inbox(relay_context with, receiver& mails) : with_(with), mails_(mails) {}
    void set_listener(listener* l) { listener_ = l; }

    awaitable<std::vector<std::uint64_t>> take(services::account& mine, std::vector<relay::listed_item> items);
    // Something may be possible that was not: rows are new, a link is up, the daemon starts.
    void wake(services::account& mine);
    // Rows of these notifications were written or erased. (All of them are read once, at the first look.)
    void changed(services::account& mine, const std::vector<storage::id16>& notifications);
    void changed_all(services::account& mine);   // nobody knows which: all are read again
    // Now, not after the pause of its last try.
    void see_to(services::account& mine, const storage::id16& id);
    // A letter with nothing but the way to us and a hand of tokens (engine/way_news.hpp). True when it lies at a relay
    // of hers; then it is owed no more.
    awaitable<bool> leave_way(services::account& mine, crypto::account_key to);
    void stop();

private:
    struct trial {
        std::uint32_t failures = 0;
        std::chrono::steady_clock::time_point next{};
        bool cleaned = false;                    // no seed of it is left
        bool told = false;                       // its sender has the answer, or it is left for her
        std::uint64_t furthest = 0;              // bytes that were here at one time: what comes anew is no progress
        bool left_link = false;                  // where it crawled: once, a relay may have nothing
        bool running = false;
        std::uint64_t place = 0;                 // rising, as they came
        crypto::account_key sender;
    };
    struct desk {
        explicit desk(asio::io_context& io) : timer(io) {}
        services::account* account = nullptr;
        asio::steady_timer timer;
        bool woken = false;
        std::size_t running = 0;
        std::map<crypto::account_key, std::size_t> running_of;   // the same by sender
        std::map<storage::id16, trial> trials;   // of every inbound row
        // Of those that do not run, when the next one is; an id for each place.
        std::map<std::pair<std::chrono::steady_clock::time_point, std::uint64_t>, storage::id16> due;
        std::uint64_t next_place = 0;
        std::vector<storage::id16> changed;      // told and not yet taken in
        bool is_loaded = false;
    };
    // Where a seed of this mail may lie, ours first.
    struct source {
        crypto::account_key relay;
        relay::slot_id slot;
        std::vector<engine::endpoint> endpoints;
    };

    awaitable<bool> take_one(services::account& mine, bytes item, relay::token_serial paid_by);
    awaitable<bool> read_letter(services::account& mine, peer::sealed_letter letter, relay::token_serial paid_by);
    awaitable<void> work(desk& d);
    desk& desk_of(services::account& mine);
    result<void> learn(desk& d);
    void learn_row(desk& d, const storage::inbound_row& row);
    void forget_row(desk& d, const storage::id16& id);
    static bool may_begin(const desk& d, const crypto::account_key& sender);
    void set_due(desk& d, const storage::id16& id, std::chrono::steady_clock::time_point when);
    std::chrono::steady_clock::time_point begin_what_is_due(desk& d);
    awaitable<void> one(desk& d, storage::inbound_row row);
    struct fetched {
        std::optional<engine::fetch_failure> failed;     // nothing: the mail is here
        bool cleaned = false;                    // and its seed is not there any more
        std::uint64_t furthest = 0;              // as of the trial
    };
    awaitable<fetched> fetch(services::account& mine, std::shared_ptr<const peer::notification> note,
                             std::uint64_t furthest);
    awaitable<bool> clean(services::account& mine, std::shared_ptr<const peer::notification> note);
    awaitable<bool> answer(services::account& mine, storage::inbound_row row,
                           std::shared_ptr<const peer::notification> note);
    struct sealed {                              // a letter that is about to be left
        bytes item;
        std::optional<engine::held_token> paid;
        std::size_t granted = 0;
        storage::unix_ms news = 0;               // what is owed her and stands in it
        bool is_full_hand = false;
    };
    awaitable<bool> send_letter(services::account& mine, crypto::account_key to, peer::letter content,
                                std::uint8_t work_bits_max);
    awaitable<std::optional<sealed>> seal_for(services::account& mine, crypto::account_key to, peer::letter content,
                                              relay::slot_address slot, engine::reachable_by reach);
    awaitable<void> book_letter(services::account& mine, crypto::account_key to, sealed letter,
                                relay::deposit_over over);
    std::vector<source> sources_of(services::account& mine, const peer::notification& note);

    relay_context with_;
    receiver& mails_;
    listener* listener_ = nullptr;
    std::map<std::string, std::unique_ptr<desk>> desks_;
    bool stopping_ = false;
};

}  // namespace pp::net
