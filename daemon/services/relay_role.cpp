#include "daemon/services/relay_role.hpp"

#include <future>

namespace pp::services {

namespace {

storage::relay::store_limits limits_of(const config& c) {
    storage::relay::store_limits out;
    out.bytes_total_max = c.relay.storage_bytes_max;
    out.seed_total_max = out.seed_bytes_max = c.relay.slot_bytes_max;
    out.slots_max = c.relay.slots_max;
    out.reserve_bytes = c.limits.reserve_bytes;
    return out;
}

engine::relay_policy policy_of(const config& c) {
    engine::relay_policy out;
    switch (c.relay.serve) {
    case relay_rule::off: out.serve = relay::serving::off; break;
    case relay_rule::self: out.serve = relay::serving::self; break;
    case relay_rule::contacts: out.serve = relay::serving::contacts; break;
    case relay_rule::invited: out.serve = relay::serving::invited; break;
    case relay_rule::open: out.serve = relay::serving::open; break;
    }
    out.open_bits = static_cast<std::uint8_t>(c.relay.open_bits);
    out.reservation_s = c.relay.circuits_max > 0 ? relay::reservation_s_max : 0;
    return out;
}

engine::circuit_rules circuit_rules_of(const config& c) {
    engine::circuit_rules out;
    out.circuits_max = c.relay.circuits_max;
    out.per_client_max = c.relay.circuits_per_client_max;
    out.reservations_max = c.relay.slots_max;
    out.limits.bytes_max = c.relay.circuit_bytes_max;
    out.limits.rate_bytes_per_s = c.relay.circuit_rate_bytes_per_s;
    out.limits.time_max = std::chrono::seconds(c.relay.circuit_seconds_max);
    return out;
}

}  // namespace

relay_role::relay_role(std::unique_ptr<storage::relay::relay_store> store, engine::relay_policy policy,
                       engine::circuit_rules circuits)
    : store_(std::move(store)),
      desk_(*store_, policy),
      announced_(engine::announce(policy, store_->limits())),
      circuit_rules_(circuits),
      writer_([this] { write_loop(); }) {}

relay_role::~relay_role() { stop(); }

result<std::unique_ptr<relay_role>> relay_role::open(const std::filesystem::path& folder, const crypto::row_key& key,
                                                     const config& c) {
    auto store = storage::relay::relay_store::open(folder, key, limits_of(c));
    if (!store) return store.error();
    return std::unique_ptr<relay_role>(new relay_role(std::move(*store), policy_of(c), circuit_rules_of(c)));
}

void relay_role::submit(job work, completion done) {
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_) {
            queue_.push_back({std::move(work), std::move(done)});
            work_.notify_one();
            return;
        }
    }
    done(storage::errc::read_only);
}

result<void> relay_role::run(job work) {
    std::promise<result<void>> told;
    auto result = told.get_future();
    submit(std::move(work), [&told](pp::result<void> r) { told.set_value(std::move(r)); });
    return result.get();
}

void relay_role::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        work_.notify_one();
    }
    if (writer_.joinable()) writer_.join();
}

void relay_role::write_loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        std::vector<job> jobs;
        std::vector<completion> done;
        while (!queue_.empty() && jobs.size() < relay_group_jobs_max) {
            jobs.push_back(std::move(queue_.front().work));
            done.push_back(std::move(queue_.front().done));
            queue_.pop_front();
        }
        lock.unlock();
        auto results = store_->write(jobs);
        for (std::size_t i = 0; i < done.size(); ++i) done[i](std::move(results[i]));
        jobs.clear();
        done.clear();
        lock.lock();
    }
}

}  // namespace pp::services
