// Whether the work that is done for relays on worker threads is still wanted: minutes of it must not hold up the end of
// the daemon, and it is worth nothing afterwards (proto/relay/SPEC.md, "Work"). One for each io_context; stopped on its
// thread, asked on any.
#pragma once

#include "daemon/net/asio.hpp"

#include <atomic>
#include <memory>

namespace pp::net {

class relay_work : public asio::execution_context::service {
public:
    using key_type = relay_work;
    inline static asio::execution_context::id id;
    explicit relay_work(asio::execution_context& of) : service(of) {}

    void stop() { *wanted_ = false; }
    std::shared_ptr<const std::atomic<bool>> wanted() const { return wanted_; }

private:
    void shutdown() override { stop(); }
    std::shared_ptr<std::atomic<bool>> wanted_ = std::make_shared<std::atomic<bool>>(true);
};

}  // namespace pp::net
