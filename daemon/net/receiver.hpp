// Takes mails in: opens notifications, fetches their blobs in verified ranges, re-encrypts them into the own drive and
// commits them once, then signs the receipt. Also serves the own drive's blobs to those who were notified. Every step
// can be repeated after a crash: "seen" is written in the commit that makes the mail visible. One network thread.
#pragma once

#include "daemon/engine/fetch_end.hpp"
#include "daemon/engine/fetch_seats.hpp"
#include "daemon/engine/inbox.hpp"
#include "daemon/engine/strangers.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/incoming_blob.hpp"
#include "daemon/net/links.hpp"
#include "daemon/net/relay_call.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace pp::net {

inline constexpr std::size_t work_checks_max = 2;               // at the same time: 16 MiB and 10 ms each
inline constexpr std::uint32_t wrong_work_max = 3;              // of one link, then it ends
inline constexpr std::size_t served_blobs_open_max = 8;         // readers kept between ranges
// per peer; each holds two files and an answer in memory
inline constexpr std::size_t fetches_at_once_max = 4;
// Mails of one chunk, per peer; each holds it and its copy in memory, 128 KiB. As many as a link asks for at a time.
inline constexpr std::size_t small_fetches_at_once_max = 32;
// When so many run, a peer gets its first one and no second.
inline constexpr std::size_t fetches_in_all_max = 256;
// Up to here opening and encrypting a mail anew takes less than handing it to another thread and back does.
inline constexpr std::uint64_t reencrypt_at_once_bytes_max = 16 * 1024;
inline constexpr std::size_t broken_off_max = 4096;             // remembered, of all peers
inline constexpr std::chrono::milliseconds refetch_first = std::chrono::seconds(2),
                                           refetch_longest = std::chrono::minutes(5);

class receiver {
public:
    receiver(asio::io_context& io, services::node& node, asio::thread_pool& workers, const links& peers);

    awaitable<bytes> notified(services::account& mine, std::shared_ptr<peer_link> link, bytes message);
    // A range of a blob that is on its way to `theirs`; nobody else gets it, and she gets nothing that was given up.
    awaitable<bytes> serve_range(services::account& mine, crypto::account_key theirs, bytes message);
    // The mail of this inbound row did not come. True when it is waited for no more: it is forgotten, or refused, and
    // then its sender is to be told (on_due).
    awaitable<bool> not_fetched(services::account& mine, storage::id16 id, engine::fetch_failure why,
                                std::uint32_t tries);
    // An inbound row is to be seen to at once: its refusal is to be told, or its mail to be fetched from a relay.
    void on_due(std::function<void(services::account&, const storage::id16&)> f) { due_ = std::move(f); }
    // How many inbound rows there are from a sender.
    using row_counter = std::function<std::size_t(services::account&, const crypto::account_key&)>;
    void count_rows_with(row_counter f) { rows_from_ = std::move(f); }
    // Once, before links: removes parts of mails nobody waits for any more (a crash between commit and removal), and
    // keeps room in Requests for what strangers have announced.
    void tidy(services::account& mine);
    // What is asked of strangers now; each minute.
    void announce_work();
    // Gives up what strangers announced long ago and nobody could fetch; daily.
    awaitable<void> forget_unfetched_requests();
    // Takes up what was not fetched yet from this peer.
    void link_up(services::account& mine, std::shared_ptr<peer_link> link);
    // What becomes of a mail to another account of this node: store, refuse or try_later.
    result<engine::inbox_decision> judge_here(services::account& from, services::account& to,
                                              const storage::outbox_row& row);
    // The same end for a mail that is here already, from another account of this node: no link, no seal.
    awaitable<result<void>> deliver_here(services::account& from, services::account& to, storage::outbox_row row);
    void link_down(services::account& mine, const crypto::account_key& theirs);
    // The user has blocked or removed this peer, and the rows of its mails are gone: nothing waits in memory either.
    void forget(services::account& mine, const crypto::account_key& theirs);
    void stop() { stopping_ = true; }

    // A notification out of a slot of ours. True when what is to be done about it is durable (an inbound row), or
    // nothing is; false: it is to be shown again.
    // paid_by: the token it was paid with there; zeros: a stranger's work for the relay.
    awaitable<bool> came_by_relay(services::account& mine, std::shared_ptr<const peer::notification> note,
                                  relay::token_serial paid_by);
    // One at a time fetches a mail: false while another does.
    bool begin_fetch(const storage::id16& id) { return fetching_.insert(id).second; }
    void end_fetch(const storage::id16& id) { fetching_.erase(id); }
    // What is being fetched over a link stops behind the range that is asked for; a relay brings the rest: on_due.
    void leave_to_relay(const storage::id16& id) {
        if (fetching_.contains(id)) left_to_relay_.insert(id);
    }
    // Fetches from where the last try ended and stores the mail; its inbound row then tells that it is stored.
    // furthest: how many bytes of it have been here at one time, of all tries; grows.
    awaitable<result<void>> fetch_seed(services::account& mine, std::shared_ptr<const peer::notification> note,
                                       std::shared_ptr<relay_call> from, relay::seed_secrets secrets,
                                       std::uint64_t& furthest);

private:
    // What one account fetches from one peer. The rows themselves are in the store; this is who works on which.
    struct wanted_mail {
        storage::id16 notification{};
        std::shared_ptr<const peer::notification> note;   // null when the row cannot be read
    };
    struct lane {                                // small mails do not wait for large ones
        lane(std::size_t at_once, std::shared_ptr<engine::fetch_seats::all> everybody)
            : seats(at_once, std::move(everybody)) {}
        std::deque<wanted_mail> waiting;
        engine::fetch_seats seats;               // of work() coroutines
    };
    struct fetch_queue {
        explicit fetch_queue(std::shared_ptr<engine::fetch_seats::all> everybody)
            : small(small_fetches_at_once_max, everybody), large(fetches_at_once_max, everybody) {}
        std::weak_ptr<peer_link> link;           // the newest
        lane small, large;
        std::set<storage::id16> known;           // waiting or being fetched
        bool is_idle() const {
            const bool nobody_waits = small.waiting.empty() && large.waiting.empty();
            return small.seats.taken() + large.seats.taken() == 0 && nobody_waits && !again;
        }
        void forget_waiting();
        bool again = false;                      // the pause after a failure that was not the link's runs
        std::chrono::milliseconds pause = refetch_first;   // the next one
    };
    using queue_key = std::pair<std::string, crypto::account_key>;   // account label, peer

    // ---- receiver.cpp: notifications, policy, the commit of a mail
    result<engine::inbox_facts> facts_about(services::account& mine, const peer::notification& note) const;
    engine::stranger_gate& gate_of(services::account& mine);
    // Nothing: the stranger's mail may come, and has its room. Else the answer.
    awaitable<std::optional<bytes>> admit_stranger(services::account& mine, std::shared_ptr<peer_link> link,
                                                   std::shared_ptr<const peer::notification> note);
    awaitable<bytes> take(services::account& mine, std::shared_ptr<const peer::notification> note, bytes ride_along,
                          std::optional<storage::contact> sender);
    awaitable<result<void>> store_mail(services::account& mine, std::shared_ptr<storage::blob_writer> blob,
                                       std::shared_ptr<const peer::notification> note);
    // Opens what has come whole, over a link or from a relay, and stores it.
    awaitable<result<void>> store_fetched(services::account& mine, std::shared_ptr<const peer::notification> note,
                                          std::shared_ptr<incoming_blob> come);

    // ---- receiver_fetching.cpp: over links
    fetch_queue& queue_of(services::account& mine, const crypto::account_key& theirs) {
        return queues_.try_emplace(queue_key{mine.label(), theirs}, seats_).first->second;
    }
    void enqueue(services::account& mine, storage::inbound_row row);
    void enqueue_all(services::account& mine, const crypto::account_key& theirs);
    awaitable<void> work(services::account& mine, crypto::account_key theirs, lane& way,
                         engine::fetch_seats::seat seat);
    awaitable<void> again_later(services::account& mine, crypto::account_key theirs);
    bool room_for(std::uint64_t bytes) const;        // on the disk, beside what is kept free
    awaitable<bool> fetch(services::account& mine, std::shared_ptr<peer_link> link, wanted_mail mail);
    awaitable<result<void>> fetch_and_store(services::account& mine, std::shared_ptr<peer_link> link,
                                            std::shared_ptr<const peer::notification> note);
    awaitable<void> send_receipt(services::account& mine, std::shared_ptr<const peer::notification> note);

    // ---- receiver_relay.cpp: out of slots and seeds
    enum class admission : std::uint8_t { yes, later, never };
    awaitable<admission> admit_from_relay(services::account& mine, std::shared_ptr<const peer::notification> note,
                                          relay::token_serial paid_by);
    awaitable<void> use_own_invite(services::account& mine, std::shared_ptr<const peer::notification> note);
    awaitable<bool> keep_seed(bytes& pending, std::uint64_t& kept, error_code& failed,
                              std::shared_ptr<incoming_blob> partial, std::shared_ptr<const peer::notification> note,
                              bytes content);

    // ---- receiver_serving.cpp: what of ours others fetch
    struct standing {
        enum class what : std::uint8_t { not_hers, hers, given_up };
        what state = what::not_hers;
        storage::id16 row{};
    };
    result<standing> standing_of(services::account& mine, const crypto::account_key& theirs,
                                 const crypto::blob_id& blob);

    asio::io_context& io_;
    services::node& node_;
    asio::thread_pool& workers_;
    const links& links_;
    std::shared_ptr<engine::fetch_seats::all> seats_ =
        std::make_shared<engine::fetch_seats::all>(engine::fetch_seats::all{fetches_in_all_max, 0});
    std::map<queue_key, fetch_queue> queues_;
    std::set<storage::id16> fetching_, left_to_relay_;
    std::set<storage::id16> broken_off_;                         // whose last fetch over a link was: with care now
    std::map<std::string, engine::stranger_gate> gates_;         // by account label
    std::size_t work_checks_ = 0;                                // that run
    struct served {
        std::string account;
        crypto::account_key theirs;
        storage::id16 row{};                     // why she gets it
        crypto::blob_id blob;
        std::shared_ptr<storage::cipher_reader> reader;
    };
    std::deque<served> served_;                                  // most recent last
    std::function<void(services::account&, const storage::id16&)> due_;
    row_counter rows_from_;
    bool stopping_ = false;
};

}  // namespace pp::net
