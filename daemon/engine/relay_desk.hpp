// A relay's decisions between its protocol machine (proto/relay) and its store (storage/relay): who may open a slot,
// which answer a refusal of the store is, and where each step belongs. Pure but for reads of the store; the daemon
// brings the clock, the threads and what it knows of the client in this moment. Nothing of the client is kept.
#pragma once

#include "proto/relay/server_session.hpp"
#include "storage/relay/relay_store.hpp"

#include <functional>

namespace pp::engine {

// The account that the link's HELLO proves, as the policy sees it.
struct relay_client {
    crypto::account_key account;
    bool is_own = false;                 // of this node
    bool is_contact = false;             // of one of this node's accounts, not blocked
};

struct relay_policy {
    relay::serving serve = relay::serving::off;
    std::uint8_t open_bits = relay::work_bits_default;   // work for a slot under policy open
    std::uint32_t poll_s = relay::poll_default_s;
    std::uint32_t reservation_s = 0;     // 0: no circuits
};
// What INFO says; nonce and stranger bits are the machine's.
relay::info_reply announce(const relay_policy& policy, const storage::relay::store_limits& limits);

// What answers one event of the machine, and where it is to run.
struct relay_step {
    enum class place : std::uint8_t {
        here,            // run(), on the thread of the link: a read of the index
        worker,          // run(), on a thread that may wait for the disk or compute
        writer,          // job in a group commit, then told() with its result
    };
    place where = place::here;
    std::function<relay::verdict()> run;
    storage::relay::relay_store::job job;
    std::function<relay::verdict(const result<void>&)> told;
};

class relay_desk {
public:
    relay_desk(storage::relay::relay_store& store, relay_policy policy) : store_(store), policy_(policy) {}

    // Of every event but reserve and circuit_wanted, which are about live links: those are refused.
    // `now` in Unix seconds.
    relay_step answer(relay::event asked, const relay_client& client, std::int64_t now);
    // Who may reserve circuits: whom the policy lets open a slot without more, and who has proved a slot on the link.
    bool may_reserve(const relay_client& client, bool has_slot) const;
    // After an ATTACH: the owner was here.
    storage::relay::relay_store::job touch(const relay::slot_id& slot, std::int64_t now) const;

private:
    relay_step on(relay::slot_wanted q, const relay_client&, std::int64_t now);
    relay_step on(relay::work_check q, const relay_client&, std::int64_t now);
    relay_step on(relay::may_open q, const relay_client& client, std::int64_t now);
    relay_step on(relay::slot_open q, const relay_client& client, std::int64_t now);
    relay_step on(relay::item_deposit q, const relay_client&, std::int64_t now);
    relay_step on(relay::items_wanted q, const relay_client&, std::int64_t now);
    relay_step on(relay::items_erase q, const relay_client&, std::int64_t now);
    relay_step on(relay::slot_close q, const relay_client&, std::int64_t now);
    relay_step on(relay::seed_begin q, const relay_client&, std::int64_t now);
    relay_step on(relay::seed_wanted q, const relay_client&, std::int64_t now);
    relay_step on(relay::seed_put q, const relay_client&, std::int64_t now);
    relay_step on(relay::seed_get q, const relay_client&, std::int64_t now);
    relay_step on(relay::seed_delete q, const relay_client&, std::int64_t now);
    relay_step on(relay::reserve q, const relay_client&, std::int64_t now);
    relay_step on(relay::circuit_wanted q, const relay_client&, std::int64_t now);

    storage::relay::relay_store& store_;
    relay_policy policy_;
};

// The status that tells a client of an error of the store.
relay::refusal refusal_of(const error_code& error);

}  // namespace pp::engine
