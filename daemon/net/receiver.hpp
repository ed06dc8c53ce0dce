// Takes mails in: opens notifications, fetches their blobs in verified ranges, re-encrypts them into the own drive and
// commits them once, then signs the receipt. Also serves the own drive's blobs to those who were notified. Every step
// can be repeated after a crash: "seen" is written in the commit that makes the mail visible. One network thread.
#pragma once

#include "daemon/net/await.hpp"
#include "daemon/net/links.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>

namespace pp::net {

inline constexpr std::chrono::milliseconds refetch_first = std::chrono::seconds(2), refetch_longest = std::chrono::minutes(5);
inline constexpr std::size_t served_blobs_open_max = 8;         // readers kept between ranges

class receiver {
public:
    receiver(asio::io_context& io, services::node& node, asio::thread_pool& workers);

    awaitable<bytes> notified(services::account& mine, std::shared_ptr<peer_link> link, bytes message);
    awaitable<bytes> serve_range(services::account& mine, bytes message);
    // Takes up what was not fetched yet from this peer.
    void link_up(services::account& mine, std::shared_ptr<peer_link> link);
    // The same end for a mail that is here already, from another account of this node: no link, no seal.
    awaitable<result<void>> deliver_here(services::account& from, services::account& to, storage::outbox_row row);
    void stop() { stopping_ = true; }

private:
    using fetch_key = std::pair<std::string, storage::id16>;    // account label, notification

    awaitable<bytes> take(services::account& mine, std::shared_ptr<const peer::notification> note, bytes ride_along,
                          std::optional<storage::contact> sender, std::string_view mailbox);
    awaitable<void> fetch(services::account& mine, std::shared_ptr<peer_link> link, storage::inbound_row row);
    awaitable<result<void>> fetch_and_store(services::account& mine, std::shared_ptr<peer_link> link,
                                            std::shared_ptr<const peer::notification> note);
    awaitable<result<void>> fetch_blob(std::shared_ptr<peer_link> link, const peer::notification& note,
                                       storage::partial_blob& partial, crypto::blob_header& header);
    awaitable<void> send_receipt(services::account& mine, std::shared_ptr<peer_link> link,
                                 std::shared_ptr<const peer::notification> note);
    awaitable<result<void>> store_mail(services::account& mine, std::shared_ptr<storage::blob_writer> blob,
                                       std::shared_ptr<const peer::notification> note, std::string_view mailbox);

    asio::io_context& io_;
    services::node& node_;
    asio::thread_pool& workers_;
    std::set<fetch_key> fetching_;
    struct served {
        std::string account;
        crypto::blob_id blob;
        std::shared_ptr<storage::cipher_reader> reader;
    };
    std::deque<served> served_;                                  // most recent last
    bool stopping_ = false;
};

}  // namespace pp::net
