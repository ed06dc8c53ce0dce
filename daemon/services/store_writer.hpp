// The one thread that writes stores, with group commit: all jobs that wait are one log sync and one view commit
// (02-architecture 2.5). Also zero-writes the logs ahead when there is nothing else to do.
#pragma once

#include "daemon/services/change_bus.hpp"
#include "storage/account_store.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace pp::services {

inline constexpr std::size_t group_jobs_max = 64;

class store_writer {
public:
    using job = storage::account_store::job;
    using completion = std::function<void(result<void>)>;   // on the writer thread, after the commit; must not block

    explicit store_writer(change_bus& changes);
    ~store_writer();   // stop()

    // The store must live until the completion was called. After stop() the completion gets errc::read_only at once.
    void submit(std::string account, storage::account_store& store, job work, completion done);
    // The same, waiting for the result; not from the writer thread.
    result<void> run(const std::string& account, storage::account_store& store, job work);
    // Commits what is queued, then ends the thread.
    void stop();

private:
    struct waiting {
        std::string account;
        storage::account_store* store;
        job work;
        completion done;
    };
    void loop();
    void commit(std::vector<waiting> group);

    change_bus& changes_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<waiting> queue_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace pp::services
