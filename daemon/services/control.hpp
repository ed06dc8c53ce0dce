// The control socket of a running daemon: DIR/control.sock, mode 0600, for the same user and root only. A client sends
// one line {"command": "...", "arguments": {...}} and gets any number of lines {"progress": {...}}, then one line
// {"result": ...} or {"error": {"exit_code": n, "text": "..."}}; then the connection ends.
//
// A thread per connection, so that a slow or hostile client holds up nobody else; all limits are below.
#pragma once

#include "daemon/services/commands.hpp"

#include <condition_variable>
#include <set>
#include <thread>

namespace pp::services {

inline constexpr std::size_t control_connections_max = 16;
inline constexpr std::size_t control_request_bytes_max = 1 << 20;
inline constexpr std::chrono::seconds control_request_timeout{10};   // the whole request must be there by then
inline constexpr std::chrono::seconds control_reply_timeout{30};     // for one line of ours to be taken

class control {
public:
    using handler =
        std::function<command_result(std::string_view, const boost::json::object&, const command_progress&)>;

    // handler runs on the thread of a connection.
    explicit control(handler run);
    ~control();   // stop(), then waits for every connection

    // Takes the place of a socket left behind: the caller holds home.lock, so nobody answers there.
    result<void> start(const std::filesystem::path& socket);
    // No new requests; open ones are cut off. Thread-safe. True when all have ended within the time; a command that
    // still runs (a long check) keeps using the node until the process ends.
    bool stop(std::chrono::milliseconds patience);

private:
    void accept_loop();
    void serve(int connection);
    void forget(int connection);

    handler run_;
    std::filesystem::path socket_;
    int listener_ = -1;
    int wake_[2] = {-1, -1};   // a pipe: closing its end wakes the accept loop
    std::thread acceptor_;
    std::mutex mutex_;
    std::condition_variable ended_;
    std::set<int> connections_;
    bool stopping_ = false;
};

}  // namespace pp::services
