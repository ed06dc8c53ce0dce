// Keeps the full-text indexes of all accounts, on one thread of low priority: waits until an account has been quiet for
// a moment, then reads what is new. Deliveries come first: its commits are small and done only while nothing else waits
// to be written. Without new mail it sleeps.
#pragma once

#include "daemon/services/store_writer.hpp"

#include <atomic>
#include <chrono>
#include <map>

namespace pp::services {

struct text_indexer_times {
    std::chrono::milliseconds quiet{2000};         // after the last change of an account
    std::chrono::milliseconds patience{30000};     // under changes that do not end
    std::chrono::milliseconds retry{60000};        // after an error, or when the disk had no room
};

class text_indexer {
public:
    using times = text_indexer_times;

    // Begins with these accounts; further ones join with their first commit.
    text_indexer(store_writer& writer, const std::vector<std::pair<std::string, storage::account_store*>>& accounts,
                 times t = {});
    ~text_indexer();   // ends after the mail or page under way

private:
    using clock = std::chrono::steady_clock;
    struct work {
        std::string account;
        clock::time_point due, latest;             // due never later than latest
        bool waiting = false;
    };
    void changed(const std::string& account, storage::account_store& store);
    void run();
    bool catch_up(const std::string& account, storage::account_store& store);   // false: try again later

    store_writer& writer_;
    const times times_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::map<storage::account_store*, work> accounts_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace pp::services
