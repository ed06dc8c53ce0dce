// The one thread that writes stores, with group commit: all jobs that wait are one log sync (02-architecture 2.5). Once
// in settle_after, and when enough has come together, the view's file is brought up to the log, in a moment when nobody
// waits for it if there is one. A second, idle-time thread zero-writes the logs ahead.
#pragma once

#include "daemon/services/change_bus.hpp"
#include "daemon/services/light_sleeper.hpp"
#include "storage/account_store.hpp"
#include "storage/txn.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace pp::services {

inline constexpr std::size_t group_jobs_max = 64;
// Bookkeeping that nobody waits for and a crash may undo goes with the next group,
// or after this long in one of its own.
inline constexpr auto lazy_commit_after = std::chrono::milliseconds(200);   // 03-storage 3.7
// Rows in memory are what a start after a crash makes again from the log; so long they may wait for the view's file.
inline constexpr auto settle_after = std::chrono::seconds(1);
inline constexpr std::size_t settle_bytes = 4 * 1024 * 1024;
inline constexpr std::size_t lazy_jobs_max = 4;              // that many do not wait any longer: a backlog flows on

enum class urgency : std::uint8_t { now, lazy };

class store_writer {
public:
    using job = storage::account_store::job;
    using completion = std::function<void(result<void>)>;   // on the writer thread, after the commit; must not block

    explicit store_writer(change_bus& changes);
    ~store_writer();   // stop()

    // The store must live until the completion was called. After stop() the completion gets errc::read_only at once.
    void submit(const std::string& account, storage::account_store& store, job work, completion done,
                urgency how = urgency::now);
    // The same, waiting for the result; not from the writer thread.
    result<void> run(const std::string& account, storage::account_store& store, job work);
    // Runs `work` on the writer thread between two groups, waiting for its result: for what is no group (shredding).
    result<void> run_alone(const std::string& account, storage::account_store& store,
                           std::function<result<void>()> work);
    // Runs work on the writer's thread at a moment when no job waits, and waits for its result: for changes of a store
    // that are no jobs (its full-text index). Not from the writer thread. errc::read_only after stop().
    result<void> run_when_idle(storage::account_store& store, const std::function<result<void>()>& work);
    // The same without waiting; nothing is told of an error. Any thread. Nothing happens after stop().
    void submit_when_idle(storage::account_store& store, std::function<result<void>()> work);
    // Called after each group that changed something, on the writer thread; must not block. nullptr: nobody.
    using observer = std::function<void(const std::string& account, storage::account_store& store)>;
    void on_commit(observer f);
    // Called after each group that changed rows of delivery or contacts, on the writer thread, after the completions of
    // its jobs; must not block. nullptr: nobody.
    using delivery_observer = std::function<void(const std::string& account, const storage::delivery_changes& what)>;
    void on_delivery_changes(delivery_observer f);
    // Urgent jobs that have no outcome yet: while there are any, it is worth while to stay awake for them. Any thread.
    std::size_t in_flight() const { return in_flight_.load(std::memory_order_acquire); }
    // Commits what is queued, then ends the threads.
    void stop();

private:
    struct waiting {
        std::string account;
        storage::account_store* store;
        job work;
        completion done;
        urgency how;
        std::chrono::steady_clock::time_point since;
        std::function<result<void>()> alone;   // instead of `work`
    };
    struct idle_work {
        storage::account_store* store;
        std::function<result<void>()> work;
        completion done;
    };
    void write_loop();
    void look_for_more();
    void finish(waiting& one, result<void> with);
    void heal(const std::string& account, storage::account_store& store);
    void commit(std::vector<waiting>& group);
    void commit_jobs(std::vector<waiting>& group, storage::account_store& store);
    void note_unsettled(storage::account_store& store);
    void settle_all();
    void zero_loop();

    change_bus& changes_;
    std::mutex mutex_;
    std::condition_variable work_, zero_;
    std::deque<waiting> queue_;
    std::deque<idle_work> idle_;
    std::mutex observer_mutex_;                    // held while it is called, so that on_commit() ends it for good
    observer observer_;
    delivery_observer delivery_observer_;          // under observer_mutex_, too
    std::size_t urgent_ = 0;                                 // of queue_
    storage::account_store* to_zero_ = nullptr;
    std::vector<storage::account_store*> unsettled_;         // of the writer thread
    std::chrono::steady_clock::time_point settle_at_{};      // when there are any
    bool stopping_ = false;
    bool awake_ = false;                                     // the writer's thread looks for jobs without being woken
    std::atomic<std::size_t> in_flight_ = 0;
    light_sleeper sleeper_;                                  // of the writer thread
    std::thread writer_, zeroer_;
};

}  // namespace pp::services
