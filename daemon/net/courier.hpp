// Brings submitted mails to their recipients: takes open outbox rows, sees to a link, seals and sends notifications,
// books replies and receipts. Decides when to dial whom, for everything that needs a link. Restart-safe: all it knows
// is in the store; a step that is repeated is recognised by the other side. One network thread.
#pragma once

#include "daemon/engine/delivery_report.hpp"
#include "daemon/engine/open_mails.hpp"
#include "daemon/net/discovery.hpp"
#include "daemon/net/finder.hpp"
#include "daemon/net/links.hpp"
#include "daemon/net/relay_home.hpp"
#include "daemon/net/relay_inbox.hpp"
#include "daemon/net/relay_outbox.hpp"
#include "daemon/net/work_bench.hpp"
#include "proto/peer/letter.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>

namespace pp::net {

class receiver;
class relay_service;

inline constexpr std::size_t notifications_in_flight_max = 16;   // per link
inline constexpr auto redial_first = std::chrono::seconds(1);
// while the first failure is less than an hour ago
inline constexpr auto redial_max_fresh = std::chrono::seconds(30);
inline constexpr auto redial_max_old = std::chrono::minutes(10);
inline constexpr auto redial_fresh = std::chrono::hours(1);

// Held mails are looked at so often at least: a timer does not count the time a machine sleeps.
inline constexpr auto release_look = std::chrono::milliseconds(std::chrono::minutes(1));
// What changes again and again, or cannot be done now, is not looked at again before.
inline constexpr storage::unix_ms look_pause_ms = 500;
// A mail that is delivered at the first attempt does not appear in Outgoing; it takes a moment.
inline constexpr auto outgoing_pause = std::chrono::milliseconds(250);
inline constexpr std::size_t looks_at_once_max = 64;             // rows; then everybody else has his turn
// An attempt to reach somebody is noted in so many of the rows that wait for her, the oldest, and in the others when
// its reason is new: with thousands of rows the disk would do nothing else.
inline constexpr std::size_t failures_noted_always = 64, failures_noted_at_once = 256;
inline constexpr auto healing_retry = std::chrono::seconds(10);
// after a row that could not be written: a full disk, say
inline constexpr auto booking_retry = std::chrono::seconds(10);
// Between two attempts to take back from relays what lies there.
inline constexpr auto ask_back_pause = std::chrono::milliseconds(std::chrono::minutes(10));
inline constexpr auto local_retry = std::chrono::seconds(30);         // another account of this node: no room, say
inline constexpr auto finished_rows_kept = std::chrono::milliseconds(std::chrono::hours(7 * 24));

class courier : public links::listener,
                public discovery::listener,
                public finder::listener,
                public relay_inbox::listener {
public:
    courier(asio::io_context& io, services::node& node, links& peers, const discovery& lan, finder& people);
    void set_receiver(receiver& r);
    void set_relay(relay_service& r) { relay_ = &r; }
    void set_relay_mail(relay_inbox& inbox, relay_outbox& outbox, relay_homes& homes);

    // Begins: tells every contact that we are there, and takes up what is open.
    void start();
    void stop();
    // An outbox row, a contact or an invite token is new.
    void wake(const std::string& label);
    // A write has changed rows of delivery, or contacts; every one of them is told.
    void changed(const std::string& label, const storage::delivery_changes& what);

    // The network is another: who could not be reached may be now,
    // and links that end are dialled again without a pause.
    void dial_at_once();
    // The account's own record has changed.
    void record_changed(const std::string& label);

    // Takes rows away that were over finished_rows_kept ago; daily.
    awaitable<void> forget_old_rows();
    // The same for contacts the user removed long ago (engine/people.hpp).
    awaitable<void> forget_removed_contacts();

    void link_up(services::account& mine, std::shared_ptr<peer_link> link) override;
    void link_down(services::account& mine, const crypto::account_key& theirs) override;
    void link_over(const peer_link& link) override;
    awaitable<bytes> requested(services::account& mine, std::shared_ptr<peer_link> link, std::string protocol,
                               bytes message) override;
    std::vector<crypto::account_key> looked_for() override;
    void seen_on_lan(const crypto::account_key& peer) override;
    void found(const crypto::account_key& peer) override;
    void found_way(const crypto::account_key& peer, peer::return_path way, std::uint8_t work_bits,
                   std::int64_t told_at) override;
    awaitable<bool> receipt_told(services::account& mine, bytes signed_receipt) override;
    awaitable<bool> refusal_told(services::account& mine, crypto::account_key by, peer::refusal_note what) override;
    void item_came(services::account& mine, const crypto::account_key& from) override;
    void way_came(services::account& mine, const crypto::account_key& from) override;

private:
    // What is known of reaching one peer for one account.
    struct route {
        bool wanted = false;                         // something waits for a link to this peer
        bool dialling = false;
        std::size_t senders = 0;                     // send_some() coroutines
        bool greet = false;                          // dial once although there is nothing to send
        // the invite that mails wait for was presented over the link that is up
        bool token_shown = false;
        std::uint32_t failures = 0;
        std::chrono::steady_clock::time_point next_dial{}, first_failure{};
        std::set<storage::id16> told;                // rows whose notification went over the link that is up
        engine::open_mails::ordered to_send;         // those that are to go over it now
        std::set<storage::id16> in_flight;           // and those whose answer is awaited
        // Rows for a relay while none of hers is known; when the pause is over one is tried, for all of them.
        engine::open_mails::ordered parked;
        std::chrono::steady_clock::time_point parked_until{};
        storage::unix_ms unlinked_since = 0;         // when the last link ended; 0: there was none
        std::chrono::steady_clock::time_point tried_at{};   // when the last dial began that came to nothing
        std::set<storage::id16> answered;            // old rows she has said something of since fresh_since_
    };
    struct desk {                                    // one account's
        services::account* account = nullptr;
        std::map<crypto::account_key, route> routes;
        std::unique_ptr<asio::steady_timer> timer;
        bool woken = false, working = false;
        storage::mailbox_id outgoing = storage::no_mailbox;      // the mailbox that is watched
        services::change_bus::subscription outgoing_changes;
        std::uint64_t outgoing_modseq = 0;           // up to which its changes are known
        bool outgoing_changed = true;
        // What is open. Known from the changes that are told; all of it is read once, at the start.
        engine::open_mails open;
        bool is_loaded = false;
        storage::delivery_changes changed;           // told and not yet taken in
        // Mails whose message in Outgoing may have to be another, and when to see to it.
        std::map<storage::id16, std::chrono::steady_clock::time_point> to_show;
        engine::open_mails::ordered to_bring;        // rows that are to be left at a relay, as soon as there is room
        std::chrono::steady_clock::time_point next_bringing = std::chrono::steady_clock::time_point::max();
        // Rows that are over and left something at a relay (engine/leftovers.hpp), and when to see to them.
        std::set<storage::id16> leftovers;
        std::chrono::steady_clock::time_point next_leftovers{};
        bool taking_leftovers = false;
        // Contacts who are owed word of another way to us (engine/way_news.hpp), and when they are to be told.
        struct untold {
            storage::unix_ms since = 0;
            std::chrono::steady_clock::time_point when{};
            std::uint32_t failures = 0;
        };
        std::map<crypto::account_key, untold> to_tell;
        std::chrono::steady_clock::time_point next_telling = std::chrono::steady_clock::time_point::max();
        std::chrono::steady_clock::time_point no_letter_before{};
        bool telling = false;
        std::map<storage::id16, crypto::account_key> coming;     // inbound rows by notification: from whom
        std::map<crypto::account_key, std::size_t> coming_from;
        std::set<crypto::account_key> token_first;   // whoever is presented an invite is no stranger afterwards
        // of a store that takes no changes
        std::chrono::steady_clock::time_point next_healing = std::chrono::steady_clock::time_point::max();
        // a row was not written: nothing is sent until then
        std::optional<std::chrono::steady_clock::time_point> next_booking;
    };

    // ---- courier.cpp: the loop of a desk
    desk& desk_of(services::account& a);             // made, with its loop, when it is new
    void poke(desk& d);                              // the loop is to look again
    awaitable<void> work(desk& d);
    awaitable<void> heal(desk& d);
    bool rests(desk& d) const;                       // nothing can be written: nothing is begun
    void rest(services::account& mine);
    awaitable<void> pass(desk& d);
    awaitable<void> look_at_what_is_due(desk& d);
    awaitable<void> look_at(desk& d, storage::outbox_row row);
    void see_to(desk& d, const storage::outbox_row& row);
    bool crawls(desk& d, const storage::outbox_row& row, const peer_link& link) const;
    void send_what_waits(desk& d, const crypto::account_key& peer, route& r);

    // ---- courier_rows.cpp: what is known of the rows in the store, and the mailbox Outgoing
    result<void> learn(desk& d);                     // takes in what the writes have told
    result<void> learn_inbound(desk& d, const std::vector<storage::id16>& notifications);
    void learn_row(desk& d, const storage::id16& id, const std::optional<storage::outbox_row>& row);
    awaitable<void> learn_people(desk& d);
    void look_at_everything(desk& d);
    void look_later(desk& d, const storage::id16& id, storage::unix_ms when);
    void look_later(desk& d, const storage::id16& id, std::chrono::steady_clock::time_point when);
    void show_at(desk& d, const storage::id16& mail, std::chrono::steady_clock::time_point when);
    awaitable<void> show_outgoing(desk& d);
    result<void> learn_outgoing(desk& d);

    // ---- courier_dialling.cpp: reaching people
    awaitable<void> dial(desk& d, crypto::account_key peer, bool for_mail);
    awaitable<void> note_failure(desk& d, crypto::account_key peer, std::string why,
                                 std::chrono::milliseconds wait);
    void look_for(services::account& mine, const crypto::account_key& peer);
    std::vector<engine::endpoint> endpoints_of(services::account& mine, const crypto::account_key& peer);

    // ---- courier_giving_up.cpp
    void notice_clock_jumps();
    awaitable<void> redate(desk& d, storage::unix_ms from, storage::unix_ms until, std::chrono::milliseconds by);
    void begin_afresh(storage::unix_ms wall);
    bool was_asked(desk& d, const storage::outbox_row& row) const;
    void answered(services::account& mine, const crypto::account_key& theirs, const storage::outbox_row& row);
    awaitable<void> give_up(desk& d, storage::outbox_row row);
    storage::outbox_row judged(desk& d, const storage::outbox_row& row);

    // ---- courier_sending.cpp: one mail to one peer, and what comes back
    awaitable<void> send_some(desk& d, std::shared_ptr<peer_link> link);
    awaitable<void> send(services::account& mine, std::shared_ptr<peer_link> link, storage::outbox_row row);
    awaitable<void> begin_work(services::account& mine, storage::outbox_row row, peer::notification note,
                               std::uint8_t bits);
    awaitable<void> work_done(services::account& mine, storage::id16 row);
    using report_blob = std::shared_ptr<storage::blob_writer>;
    report_blob report_of_change(services::account& mine, const storage::outbox_row& after);
    report_blob report_of(services::account& mine, engine::report_kind kind, std::vector<storage::outbox_row> rows);
    awaitable<void> tell_delay(desk& d, storage::id16 submission);
    // Writes the row, and the report that is due, in one commit.
    awaitable<void> book(services::account& mine, storage::outbox_row row,
                         services::urgency how = services::urgency::now);
    awaitable<void> release_to_self(services::account& mine, storage::outbox_row row);
    awaitable<bool> deliver_here(services::account& mine, services::account& theirs, storage::outbox_row row);
    awaitable<bytes> receipt_came(services::account& mine, std::shared_ptr<peer_link> link, bytes message);
    awaitable<void> present_token(services::account& mine, std::shared_ptr<peer_link> link);
    awaitable<bytes> token_came(services::account& mine, std::shared_ptr<peer_link> link, bytes message);

    // ---- courier_relays.cpp: what lies at relays; delivery tokens
    void bring_to_relays(desk& d);
    awaitable<void> leave_at_relay(desk& d, storage::outbox_row row);
    bool has_leftovers_to_take(desk& d) const;
    awaitable<void> take_leftovers(desk& d);
    awaitable<void> keep_found(services::account& mine, crypto::account_key peer, peer::return_path way,
                               std::uint8_t work_bits, std::int64_t told_at);
    bool is_known(services::account& mine, const crypto::account_key& theirs) const;
    awaitable<void> hand_tokens(services::account& mine, std::shared_ptr<peer_link> link);

    // ---- courier_people.cpp
    awaitable<void> look_at_people(desk& d, const std::vector<storage::contact>& people);

    // ---- courier_letters.cpp: what accounts tell each other beside mail
    awaitable<bool> tell(std::shared_ptr<peer_link> link, peer::letter what);
    awaitable<bytes> letter_came(services::account& mine, std::shared_ptr<peer_link> link, bytes message);

    // ---- courier_ways.cpp: who is owed word of another way to us
    void learn_whom_to_tell(desk& d);
    void set_next_telling(desk& d);
    bool has_somebody_to_tell(desk& d) const;
    awaitable<void> tell_one(desk& d);
    awaitable<void> tell_record(services::account& mine, std::shared_ptr<peer_link> link);
    awaitable<void> bring_anew(services::account& mine, crypto::account_key to);

    asio::io_context& io_;
    services::node& node_;
    links& links_;
    const discovery& lan_;
    finder& finder_;
    work_bench bench_{io_};
    receiver* receiver_ = nullptr;
    relay_service* relay_ = nullptr;
    relay_inbox* relay_inbox_ = nullptr;
    relay_outbox* relay_outbox_ = nullptr;
    relay_homes* relay_homes_ = nullptr;
    // Since when this node serves without a break; what is older is asked for once more before it is given up.
    storage::unix_ms fresh_since_ = 0;
    std::chrono::steady_clock::time_point fresh_steady_{};
    storage::unix_ms last_wall_ = 0;
    std::chrono::steady_clock::time_point last_steady_{};
    std::chrono::milliseconds last_boot_{};
    storage::unix_ms run_since_ = 0;             // when this node began to serve, by the clock as it is now
    std::size_t redating_ = 0;                   // rows are dated anew: nobody judges their age
    std::set<storage::id16> taking_back_;
    // undecided ones, and when to ask again
    std::map<storage::id16, std::chrono::steady_clock::time_point> asked_back_;
    std::map<std::string, desk> desks_;
    std::chrono::steady_clock::time_point hasty_until_{};     // after dial_at_once()
    bool stopping_ = false;
};

}  // namespace pp::net
