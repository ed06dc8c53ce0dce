// One simulated machine with a real node on it: the daemon's classes as `peerpost serve` puts them together, on this
// machine's sockets, disk and clock. It can lose its power at any moment and be switched on again.
#pragma once

#include "daemon/net/server.hpp"
#include "daemon/services/node.hpp"
#include "tests/simulation/scheduler.hpp"

#include <memory>
#include <string>

namespace pp::sim {

inline constexpr std::uint16_t submission_port = 1465, imap_port = 1143;

class machine {
public:
    machine(int number, const std::filesystem::path& home, services::config c);

    host& os() { return os_; }
    int number() const { return os_.number; }
    const std::string& name() const { return name_; }
    bool running() const { return running_; }          // its process has not ended
    bool serving() const { return serving_; }          // and accepts connections
    services::node* node() { return serving_ ? node_.get() : nullptr; }

    void switch_on();                                  // running() must be false
    // Between two events: the process is gone, its connections too. Half open: nobody tells the others.
    void power_off(std::string_view why);
    void stop();                                       // as SIGTERM does
    // What could not be started, or ended in a way it must not; empty: nothing.
    std::string complaint;
    unsigned crashes = 0;
    // Its home is open and it has not spoken to anybody yet.
    std::function<void(services::node&)> opened;

private:
    void live();

    host os_;
    std::string name_;
    storage::home_paths home_;
    services::config configuration_;
    std::unique_ptr<services::node> node_;
    std::unique_ptr<net::server> server_;
    bool running_ = false, serving_ = false;
};

}  // namespace pp::sim
