// The relay role of a node: what it keeps for others, under the policy of its configuration, and the one thread that
// writes it with group commit (proto/relay/SPEC.md; storage/relay/README.md).
#pragma once

#include "daemon/engine/circuit_table.hpp"
#include "daemon/engine/relay_desk.hpp"
#include "daemon/services/config.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace pp::services {

inline constexpr std::size_t relay_group_jobs_max = 256;

class relay_role {
public:
    // errc::damaged, errc::wrong_secret, errc::io_error... [relay] serve is not "off".
    static result<std::unique_ptr<relay_role>> open(const std::filesystem::path& folder, const crypto::row_key& key,
                                                    const config& c);
    ~relay_role();   // stop()

    storage::relay::relay_store& store() { return *store_; }
    engine::relay_desk& desk() { return desk_; }
    const relay::info_reply& announced() const { return announced_; }
    const engine::circuit_rules& circuits() const { return circuit_rules_; }

    using job = storage::relay::relay_store::job;
    using completion = std::function<void(result<void>)>;   // on the writer thread, after the commit; must not block
    // After stop() the completion gets errc::read_only at once.
    void submit(job work, completion done);
    // The same, waiting for the result; not from the writer thread.
    result<void> run(job work);
    // Commits what is queued, then ends the thread.
    void stop();

    std::atomic<std::size_t> open_circuits = 0, reservations = 0;
    std::atomic<std::size_t> clients = 0;       // slots that a link has proved; set by the network layer

private:
    relay_role(std::unique_ptr<storage::relay::relay_store> store, engine::relay_policy policy,
               engine::circuit_rules circuits);
    void write_loop();

    struct waiting {
        job work;
        completion done;
    };
    std::unique_ptr<storage::relay::relay_store> store_;
    engine::relay_desk desk_;
    relay::info_reply announced_;
    engine::circuit_rules circuit_rules_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<waiting> queue_;
    bool stopping_ = false;
    std::thread writer_;
};

}  // namespace pp::services
