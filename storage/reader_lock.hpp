// Many readers, or one who is alone with the map. std::shared_mutex lets readers in while one is inside: those that
// overlap would keep the writer waiting for ever, and with it every change. Here they make way for a while when one
// waits to be alone. Only for a while: a reader that reads within a reading must not wait for who waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

namespace pp::storage {

class reader_lock {
public:
    void lock_shared() {
        if (waiting_.load(std::memory_order_acquire) > 0) make_way();
        mutex_.lock_shared();
    }
    void unlock_shared() { mutex_.unlock_shared(); }
    void lock() {
        waiting_.fetch_add(1, std::memory_order_acq_rel);
        mutex_.lock();
        {
            const std::lock_guard hold(way_mutex_);
            waiting_.fetch_sub(1, std::memory_order_acq_rel);
        }
        way_.notify_all();
    }
    bool try_lock() { return mutex_.try_lock(); }
    void unlock() { mutex_.unlock(); }

private:
    static constexpr std::chrono::milliseconds patience{100};   // twice what a reading may take (account_store::read)

    void make_way() {
        std::unique_lock hold(way_mutex_);
        way_.wait_for(hold, patience, [this] { return waiting_.load(std::memory_order_acquire) == 0; });
    }

    std::shared_mutex mutex_;
    std::mutex way_mutex_;
    std::condition_variable way_;
    std::atomic<int> waiting_ = 0;
};

}  // namespace pp::storage
