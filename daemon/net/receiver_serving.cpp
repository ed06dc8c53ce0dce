// What the receiver does about mails that do not come, or no longer: serves the own drive's blobs to those they are for
// while they are for them, and ends waiting for what was announced (engine/fetch_end.hpp).
#include "daemon/net/receiver.hpp"

#include "daemon/engine/fetch_end.hpp"
#include "daemon/net/fetch_blob.hpp"
#include "daemon/net/short_id.hpp"
#include "daemon/services/log.hpp"
#include "storage/txn.hpp"

#include <filesystem>

namespace pp::net {

// ---------------------------------------------------------------- serving

// Whether a mail of this blob is on its way to her, or has been; or was given up, or never was hers.
result<receiver::standing> receiver::standing_of(services::account& mine, const crypto::account_key& theirs,
                                                 const crypto::blob_id& blob) {
    standing out;
    auto rows = mine.store().read([&](const storage::read_txn& txn) -> result<std::vector<storage::outbox_row>> {
        auto serial = txn.mail_of_blob(blob);
        if (!serial) return serial.error();
        return *serial ? txn.outbox_of_mail(**serial) : std::vector<storage::outbox_row>();
    });
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
        if (row.account != theirs) continue;
        out.row = row.id;
        out.state = row.state == storage::outbox_state::failed ? standing::what::given_up : standing::what::hers;
        if (out.state == standing::what::hers) break;
    }
    return out;
}

awaitable<bytes> receiver::serve_range(services::account& mine, crypto::account_key theirs, bytes message) {
    peer::fetch_reply reply;
    const auto request = peer::decode_fetch_request(message);
    if (!request) co_return peer::encode(reply);
    std::shared_ptr<storage::cipher_reader> reader;
    for (auto it = served_.begin(); it != served_.end(); ++it)
        if (it->account == mine.label() && it->blob == request->blob && it->theirs == theirs) {
            // What was reported as failed must not arrive: the row is looked at for each range.
            const auto row = mine.store().read([&](const storage::read_txn& txn) { return txn.get_outbox(it->row); });
            auto used = std::move(*it);
            served_.erase(it);
            if (!row || !*row || (*row)->state == storage::outbox_state::failed) break;
            reader = used.reader;
            served_.push_back(std::move(used));
            break;
        }
    if (!reader) {
        const auto known = standing_of(mine, theirs, request->blob);
        if (known) reply.withdrawn = known->state == standing::what::given_up;
        if (!known || known->state != standing::what::hers) co_return peer::encode(reply);
        auto opened = mine.store().open_cipher(request->blob);
        if (!opened) co_return peer::encode(reply);
        reader = *opened;
        if (reader->chunks() > request->chunks) {   // she will come again
            served_.push_back({mine.label(), theirs, known->row, request->blob, reader});
            if (served_.size() > served_blobs_open_max) served_.pop_front();
        }
    }
    auto found = range_of(*reader, *request);
    if (!found)
        services::log(services::area::store)
            .error("event=blob_unreadable reason={}", services::field(found.error().message()));
    if (found && *found) reply = std::move(**found);
    co_return peer::encode(reply);
}

// ---------------------------------------------------------------- what does not come

awaitable<bool> receiver::not_fetched(services::account& mine, storage::id16 id, engine::fetch_failure why,
                                      std::uint32_t tries) {
    if (fetching_.contains(id)) co_return false;   // at this moment, over a link or from a relay
    auto verdict = std::make_shared<engine::fetch_verdict>(engine::fetch_verdict::again);
    auto written = commit(node_, mine, [this, id, why, tries, verdict](storage::write_txn& txn) -> result<void> {
        *verdict = engine::fetch_verdict::again;
        auto row = txn.get_inbound(id);
        if (!row) return row.error();
        if (!*row) return {};
        const auto attempts = (*row)->attempts;
        auto end =
            engine::after_failure(std::move(**row), why, tries, services::now_ms(), node_.configuration().delivery);
        *verdict = end.what;
        if (end.what == engine::fetch_verdict::forget) return txn.erase_inbound(id);
        const bool changed = end.what == engine::fetch_verdict::refuse || end.row.attempts != attempts;
        return changed ? txn.put_inbound(end.row) : result<void>();
    });
    const auto r = co_await std::move(written);
    if (!r || *verdict == engine::fetch_verdict::again) co_return false;
    services::log(services::area::delivery).info("event=not_waited_for notification={} refused={}", short_id(id),
                                                 *verdict == engine::fetch_verdict::refuse);
    gate_of(mine).release(id);
    std::error_code ignored;
    std::filesystem::remove(node_.home().account(mine.label()) / "incoming" / crypto::hex(id), ignored);
    if (*verdict == engine::fetch_verdict::refuse && due_) due_(mine, id);
    co_return true;
}

}  // namespace pp::net
