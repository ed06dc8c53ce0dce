// Does the work that recipients ask of strangers (proto/peer/first_contact.hpp), one task at a time on a thread of its
// own: minutes of it hold up nothing else. What it has found is kept until the mail has gone, not over a restart.
#pragma once

#include "daemon/net/asio.hpp"
#include "proto/peer/first_contact.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace pp::net {

inline constexpr std::size_t work_waiting_max = 64;        // tasks; beyond it mails wait for their next attempt
inline constexpr std::size_t work_solutions_max = 1024;    // kept; the oldest goes

class work_bench {
public:
    explicit work_bench(asio::io_context& io) : io_(io) {}
    ~work_bench() { stop(); }
    void stop();

    std::optional<std::uint64_t> solution_of(const peer::notification_id& id) const;
    // done is called on the network thread, when it is solved. Nothing happens when it is under way or too much waits.
    void begin(std::shared_ptr<const peer::notification> what, std::uint8_t bits, std::function<void()> done);

private:
    asio::io_context& io_;
    std::atomic<bool> stopping_{false};
    std::optional<asio::thread_pool> worker_;              // from the first task on
    std::map<peer::notification_id, std::uint8_t> under_way_;
    std::map<peer::notification_id, std::uint64_t> solutions_;
    std::deque<peer::notification_id> order_;
};

}  // namespace pp::net
