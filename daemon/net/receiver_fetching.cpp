// Fetching over links: who works on which of the mails that were announced and are not here, and the receipt when one
// has come. From relays: receiver_relay.cpp.
#include "daemon/net/receiver.hpp"

#include "daemon/net/await.hpp"
#include "daemon/net/fetch_blob.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/log.hpp"
#include "storage/txn.hpp"

#include <filesystem>
#include <utility>

namespace pp::net {

void receiver::tidy(services::account& mine) {
    auto rows = mine.store().read([](const storage::read_txn& txn) { return txn.inbound(); });
    if (!rows) return;
    std::set<std::string> wanted;
    auto& gate = gate_of(mine);
    gate.release_all();
    for (const auto& row : *rows) {
        wanted.insert(crypto::hex(row.notification));
        const auto sender =
            mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(row.sender); });
        const auto note = peer::decode_opened(row.opened);
        if (!note || row.stage != storage::inbound_stage::wanted || (sender && *sender && (*sender)->accepted))
            continue;
        (void)gate.reserve(row.notification, row.sender, note->plain_bytes, {});   // what was taken before stays taken
    }
    std::error_code ignored;
    const std::filesystem::path incoming = node_.home().account(mine.label()) / "incoming";
    std::vector<std::filesystem::path> left_over;
    for (std::filesystem::directory_iterator it(incoming, ignored), end; !ignored && it != end; it.increment(ignored))
        if (!wanted.contains(it->path().filename().string())) left_over.push_back(it->path());
    for (const auto& path : left_over) std::filesystem::remove(path, ignored);
}

bool receiver::room_for(std::uint64_t bytes) const {
    std::error_code failed;
    const auto space = std::filesystem::space(node_.home().root, failed);
    return failed || space.available >= bytes + node_.configuration().limits.reserve_bytes;
}

void receiver::link_up(services::account& mine, std::shared_ptr<peer_link> link) {
    auto& q = queue_of(mine, link->theirs);
    q.link = link;
    q.pause = refetch_first;
    enqueue_all(mine, link->theirs);
}

void receiver::link_down(services::account& mine, const crypto::account_key& theirs) {
    const auto found = queues_.find({mine.label(), theirs});
    if (found == queues_.end()) return;
    if (found->second.is_idle()) queues_.erase(found);
}

void receiver::forget(services::account& mine, const crypto::account_key& theirs) {
    queue_of(mine, theirs).forget_waiting();
}

void receiver::fetch_queue::forget_waiting() {
    for (auto* way : {&small, &large}) {
        for (const auto& mail : way->waiting) known.erase(mail.notification);
        way->waiting.clear();
    }
}

void receiver::enqueue_all(services::account& mine, const crypto::account_key& theirs) {
    auto rows = mine.store().read([](const storage::read_txn& txn) { return txn.inbound(); });
    if (!rows) return;
    for (auto& row : *rows)
        if (row.sender == theirs && row.stage == storage::inbound_stage::wanted) enqueue(mine, std::move(row));
}

void receiver::enqueue(services::account& mine, storage::inbound_row row) {
    auto& q = queue_of(mine, row.sender);
    if (stopping_ || !q.known.insert(row.notification).second) return;
    wanted_mail mail;
    mail.notification = row.notification;
    if (auto opened = peer::decode_opened(row.opened))
        mail.note = std::make_shared<const peer::notification>(std::move(*opened));
    auto& way = mail.note && incoming_blob::is_small(*mail.note) ? q.small : q.large;
    way.waiting.push_back(std::move(mail));
    auto seat = way.seats.take();
    if (!seat) return;
    auto working = work(mine, row.sender, way, std::move(*seat));
    asio::co_spawn(io_, std::move(working), asio::detached);
}

awaitable<void> receiver::work(services::account& mine, crypto::account_key theirs, lane& way,
                               engine::fetch_seats::seat seat) {
    const auto given_back_at_the_end = std::move(seat);
    auto& q = queue_of(mine, theirs);   // stays while somebody works for it
    while (!way.waiting.empty() && !stopping_) {
        auto link = q.link.lock();
        if (!link || !link->takes_requests())
            if (auto other = links_.find(mine.key(), theirs)) q.link = link = std::move(other);
        if (!link || !link->ready()) {   // the next link takes all of it up again, from the store
            q.forget_waiting();
            break;
        }
        auto mail = std::move(way.waiting.front());
        way.waiting.pop_front();
        const auto notification = mail.notification;
        const bool done = co_await fetch(mine, link, std::move(mail));
        q.known.erase(notification);
        if (done) q.pause = refetch_first;
        if (done) gate_of(mine).release(notification);
        if (done || stopping_) continue;
        const auto best = links_.find(mine.key(), theirs);
        if (q.link.lock() != link || (best && best != link)) {
            // A newer link came up while this fetch hung on the old one, and passed over it as being worked on. It is
            // used from here on: over the old one, which does not know yet that it is over, the same mail would fail
            // again at once, and again, and the thread would never come to hear of its end.
            if (best) q.link = best;
            auto row = mine.store().read([&](const storage::read_txn& txn) { return txn.get_inbound(notification); });
            if (row && *row && (*row)->stage == storage::inbound_stage::wanted) enqueue(mine, std::move(**row));
        } else if (link->ready() && !std::exchange(q.again, true)) {
            // As long as the link is up: a full disk heals, a busy sender answers later.
            asio::co_spawn(io_, again_later(mine, theirs), asio::detached);
        }
    }
}

awaitable<void> receiver::again_later(services::account& mine, crypto::account_key theirs) {
    auto& q = queue_of(mine, theirs);
    asio::steady_timer pause(io_, q.pause);
    q.pause = std::min(q.pause * 2, refetch_longest);
    auto [ec] = co_await pause.async_wait(as_result);
    (void)ec;
    q.again = false;
    if (!stopping_) enqueue_all(mine, theirs);
}

// True when there is nothing more to fetch: the mail is here, or it comes never.
awaitable<bool> receiver::fetch(services::account& mine, std::shared_ptr<peer_link> link, wanted_mail mail) {
    const auto begun = std::chrono::steady_clock::now();
    const auto note = mail.note;
    if (!note) {
        services::log(services::area::delivery)
            .error("event=notification_unreadable notification={}", short_id(mail.notification));
        co_return false;
    }
    if (!begin_fetch(note->id)) co_return false;   // from a relay, at this moment
    auto fetched = co_await fetch_and_store(mine, link, note);
    end_fetch(note->id);
    if (left_to_relay_.erase(note->id) > 0 && !fetched) {
        services::log(services::area::delivery)
            .info("event=fetch_goes_on_at_relay notification={}", short_id(mail.notification));
        if (due_ && !stopping_) due_(mine, note->id);
        co_return false;
    }
    if (!fetched) {
        services::log(services::area::delivery)
            .warn("event=fetch_stopped notification={} reason={}", short_id(mail.notification),
                  services::field(fetched.error().message()));
        using engine::fetch_failure;
        const auto why = fetched.error() == peer::errc::withdrawn      ? fetch_failure::withdrawn
                         : fetched.error() == storage::errc::not_found ? fetch_failure::gone
                         : fetched.error() == peer::errc::forged_author ? fetch_failure::forged
                                                                        : fetch_failure::not_reached;
        if (why == fetch_failure::not_reached) co_return false;   // relay_inbox counts these, with and without links
        const bool over = co_await not_fetched(mine, mail.notification, why, 0);
        co_return over;
    }
    const auto took = std::chrono::steady_clock::now() - begun;
    services::log(services::area::delivery)
        .info("event=fetched notification={} bytes={} took_ms={}", short_id(mail.notification), note->plain_bytes,
              std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
    co_await send_receipt(mine, note);
    co_return true;
}

awaitable<result<void>> receiver::fetch_and_store(services::account& mine, std::shared_ptr<peer_link> link,
                                                  std::shared_ptr<const peer::notification> note) {
    auto opened = incoming_blob::of(*note, node_.home().account(mine.label()) / "incoming");
    if (!opened) co_return opened.error();
    const auto come = *opened;
    auto& q = queue_of(mine, note->sender);   // stays while somebody works for it
    fetch_terms terms;
    terms.may_keep = [this, come, &q](std::uint64_t n) -> result<void> {
        if (stopping_) return peer::errc::timed_out;
        if (!come->is_in_memory() && !room_for(n)) return storage::errc::full;
        q.pause = refetch_first;              // it moves
        return {};
    };
    terms.may_go_on = [this, note]() -> result<void> {
        if (left_to_relay_.contains(note->id)) return peer::errc::timed_out;
        return {};
    };
    if (broken_off_.erase(note->id) > 0) terms.first_range = 1;
    auto fetching = fetch_blob(link, note, come, std::move(terms));
    if (const auto r = co_await std::move(fetching); !r) {
        if (broken_off_.size() >= broken_off_max) broken_off_.clear();   // then they are asked for as the first time
        broken_off_.insert(note->id);
        co_return r;
    }
    co_return co_await store_fetched(mine, note, come);
}

awaitable<void> receiver::send_receipt(services::account& mine, std::shared_ptr<const peer::notification> note) {
    peer::receipt_message message;
    message.signed_receipt =
        peer::encode(peer::make_receipt(*note, mine.certificate(), node_.device(), services::now_s()));
    const auto encoded = peer::encode(message);
    auto& q = queue_of(mine, note->sender);
    // Over the newest link; again when that was replaced meanwhile. Lost with the last one: the sender asks again when
    // the next link is up, and gets it then.
    for (auto link = q.link.lock(); link && !stopping_;) {
        auto copy = encoded;
        const auto reply = co_await link->ask(peer::receipt_protocol, std::move(copy));
        if (reply) break;
        const auto newest = q.link.lock();
        link = newest == link ? nullptr : newest;
    }
}

}  // namespace pp::net
