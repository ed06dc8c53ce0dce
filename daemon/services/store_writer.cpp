#include "daemon/services/store_writer.hpp"

#include "storage/txn.hpp"

#include <algorithm>
#include <future>
#include <optional>

namespace pp::services {

store_writer::store_writer(change_bus& changes) : changes_(changes) {
    writer_ = std::thread([this] { write_loop(); });
    zeroer_ = std::thread([this] { zero_loop(); });
}

store_writer::~store_writer() { stop(); }

void store_writer::submit(const std::string& account, storage::account_store& store, job work, completion done,
                          urgency how) {
    {
        std::unique_lock lock(mutex_);
        if (!stopping_) {
            queue_.push_back(
                {account, &store, std::move(work), std::move(done), how, std::chrono::steady_clock::now(), {}});
            if (how == urgency::now) {
                ++urgent_;
                ++in_flight_;
            }
            const bool awake = awake_;
            lock.unlock();   // or who is woken would wait at once for this lock
            if (!awake) work_.notify_one();
            return;
        }
    }
    done(storage::errc::read_only);
}

result<void> store_writer::run(const std::string& account, storage::account_store& store, job work) {
    std::promise<result<void>> outcome;
    auto future = outcome.get_future();
    submit(account, store, std::move(work), [&outcome](result<void> r) { outcome.set_value(std::move(r)); });
    return future.get();
}

result<void> store_writer::run_when_idle(storage::account_store& store, const std::function<result<void>()>& work) {
    std::promise<result<void>> outcome;
    auto future = outcome.get_future();
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return storage::errc::read_only;
        idle_.push_back({&store, work, [&outcome](result<void> r) { outcome.set_value(std::move(r)); }});
        work_.notify_one();
    }
    return future.get();
}

void store_writer::submit_when_idle(storage::account_store& store, std::function<result<void>()> work) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    idle_.push_back({&store, std::move(work), [](const result<void>&) {}});
    work_.notify_one();
}

result<void> store_writer::run_alone(const std::string& account, storage::account_store& store,
                                     std::function<result<void>()> work) {
    std::promise<result<void>> outcome;
    auto future = outcome.get_future();
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return storage::errc::read_only;
        queue_.push_back({account,
                          &store,
                          {},
                          [&outcome](result<void> r) { outcome.set_value(std::move(r)); },
                          urgency::now,
                          std::chrono::steady_clock::now(),
                          std::move(work)});
        ++urgent_;
        ++in_flight_;
        work_.notify_one();
    }
    return future.get();
}

void store_writer::on_commit(observer f) {
    const std::lock_guard lock(observer_mutex_);
    observer_ = std::move(f);
}

void store_writer::on_delivery_changes(delivery_observer f) {
    const std::lock_guard lock(observer_mutex_);
    delivery_observer_ = std::move(f);
}

void store_writer::stop() {
    std::deque<idle_work> given_up;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        given_up.swap(idle_);
    }
    for (const auto& idle : given_up) idle.done(storage::errc::read_only);
    work_.notify_all();
    zero_.notify_all();
    if (writer_.joinable()) writer_.join();
    if (zeroer_.joinable()) zeroer_.join();
}

void store_writer::write_loop() {
    std::vector<waiting> group;
    while (true) {
        std::optional<idle_work> idle;
        {
            std::unique_lock lock(mutex_);
            const auto wanted = [this] { return stopping_ || !queue_.empty() || !idle_.empty(); };
            bool settle_now = false;
            if (unsettled_.empty()) work_.wait(lock, wanted);
            else
                settle_now =
                    !work_.wait_until(lock, settle_at_, wanted) || std::chrono::steady_clock::now() >= settle_at_;
            if (settle_now && !stopping_) {
                lock.unlock();
                settle_all();
                continue;
            }
            if (!queue_.empty())
                work_.wait_until(lock, queue_.front().since + lazy_commit_after, [this] {
                    return stopping_ || urgent_ > 0 || queue_.size() >= lazy_jobs_max || !idle_.empty();
                });
            if (queue_.empty() && !idle_.empty()) {
                idle = std::move(idle_.front());
                idle_.pop_front();
            }
        }
        if (idle) {
            idle->done(idle->work());
            continue;
        }
        {
            const std::lock_guard lock(mutex_);
            if (queue_.empty() && !stopping_) continue;
            if (queue_.empty()) return;   // stopping, and everything is committed
            // One group is of one store; jobs of another store keep their order for the next round.
            auto* store = queue_.front().store;
            if (queue_.front().alone) {
                --urgent_;
                group.push_back(std::move(queue_.front()));
                queue_.pop_front();
            }
            for (auto it = queue_.begin(); it != queue_.end() && group.size() < group_jobs_max;) {
                if (!group.empty() && group.front().alone) break;
                if (it->store == store && it->alone) break;   // what came before it goes first
                if (it->store == store) {
                    if (it->how == urgency::now) --urgent_;
                    group.push_back(std::move(*it));
                    it = queue_.erase(it);
                } else {
                    ++it;
                }
            }
        }
        commit(group);
        group.clear();
        look_for_more();
    }
}

// A client that waited for this commit may have the next change at once.
void store_writer::look_for_more() {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || !queue_.empty() || !idle_.empty()) return;
        awake_ = true;
    }
    sleeper_.stay_awake([this] { return in_flight() > 0; });
    const std::lock_guard lock(mutex_);
    awake_ = false;   // what came meanwhile is in the queue
}

void store_writer::note_unsettled(storage::account_store& store) {
    if (store.unsettled_bytes() == 0) {
        std::erase(unsettled_, &store);
        return;
    }
    if (unsettled_.empty()) settle_at_ = std::chrono::steady_clock::now() + settle_after;
    if (std::find(unsettled_.begin(), unsettled_.end(), &store) == unsettled_.end()) unsettled_.push_back(&store);
    if (store.unsettled_bytes() < settle_bytes) return;
    (void)store.settle();   // an error is kept by the store, which is read-only then
    std::erase(unsettled_, &store);
}

void store_writer::settle_all() {
    for (auto* store : std::exchange(unsettled_, {})) (void)store->settle();
}

// After a full disk: is there room again? Then the view has what only the log had until now, and whoever keeps in mind
// what it showed begins anew.
void store_writer::heal(const std::string& account, storage::account_store& store) {
    if (store.writable()) return;
    (void)store.try_heal();
    if (!store.writable()) return;
    storage::delivery_changes unknown;
    unknown.all = true;
    const std::lock_guard lock(observer_mutex_);
    if (delivery_observer_) delivery_observer_(account, unknown);
}

void store_writer::finish(waiting& one, result<void> with) {
    one.done(std::move(with));
    if (one.how == urgency::now) --in_flight_;   // only now: who looks at it finds the outcome
}

void store_writer::commit(std::vector<waiting>& group) {
    auto& store = *group.front().store;
    heal(group.front().account, store);
    if (group.front().alone)
        finish(group.front(), group.front().alone());
    else
        commit_jobs(group, store);
    note_unsettled(store);
    {
        const std::lock_guard lock(observer_mutex_);
        if (observer_) observer_(group.front().account, store);
    }
    if (!store.wants_housekeeping()) return;   // not woken for nothing after each commit
    {
        const std::lock_guard lock(mutex_);
        to_zero_ = &store;
    }
    zero_.notify_one();
}

void store_writer::commit_jobs(std::vector<waiting>& group, storage::account_store& store) {
    std::vector<std::vector<storage::mailbox_id>> touched(group.size());
    std::vector<storage::delivery_changes> delivery(group.size());
    std::vector<job> jobs;
    jobs.reserve(group.size());
    for (std::size_t i = 0; i < group.size(); ++i)
        jobs.push_back([&work = group[i].work, &seen = touched[i],
                        &changed = delivery[i]](storage::write_txn& txn) -> result<void> {
            auto r = work(txn);
            if (r) seen = txn.touched();
            if (r) changed = txn.delivery_touched();
            return r;
        });
    const auto results = store.write(jobs);
    for (std::size_t i = 0; i < group.size(); ++i) {
        // The waiter first: an own change is answered before the bus tells it to everybody.
        finish(group[i], results[i]);
        if (results[i])
            for (const auto box : touched[i]) changes_.publish(group[i].account, box);
    }
    storage::delivery_changes all;
    for (std::size_t i = 0; i < group.size(); ++i) {
        if (!results[i]) continue;
        const auto& one = delivery[i];
        all.outbox.insert(all.outbox.end(), one.outbox.begin(), one.outbox.end());
        all.inbound.insert(all.inbound.end(), one.inbound.begin(), one.inbound.end());
        all.people = all.people || one.people;
    }
    const std::lock_guard lock(observer_mutex_);
    if (delivery_observer_ && !all.empty()) delivery_observer_(group.front().account, all);
}

void store_writer::zero_loop() {
    while (true) {
        storage::account_store* store = nullptr;
        {
            std::unique_lock lock(mutex_);
            zero_.wait(lock, [this] { return stopping_ || to_zero_; });
            if (stopping_) return;
            store = std::exchange(to_zero_, nullptr);
        }
        while (store->housekeeping()) {
            const std::lock_guard lock(mutex_);
            if (stopping_) return;
        }
    }
}

}  // namespace pp::services
