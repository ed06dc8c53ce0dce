// A node of Bob's with his links, whose network thread is the test's.
#pragma once

#include "daemon/net/links.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace pp::net {

// What never comes back to its thread cannot be failed by a CHECK.
class watchdog {
public:
    watchdog() : thread_([this] { watch(); }) {}
    ~watchdog() {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

private:
    void watch() {
        std::unique_lock lock(mutex_);
        if (changed_.wait_for(lock, std::chrono::seconds(30), [this] { return over_; })) return;
        std::fputs("the network thread does not come back\n", stderr);
        std::abort();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::thread thread_;
};

struct bobs_node {
    std::filesystem::path root;
    std::unique_ptr<services::node> node;
    asio::io_context io{1};
    std::unique_ptr<links> peers;

    explicit bobs_node(services::config configuration = {}) {
        crypto::initialise();
        ::unsetenv("CREDENTIALS_DIRECTORY");
        ::unsetenv("PEERPOST_PASSPHRASE_FILE");
        root = std::filesystem::temp_directory_path() /
               ("peerpost-edge-" + std::to_string(::getpid()) + "-" + std::to_string(crypto::random_u64()));
        storage::home_paths home;
        home.root = root;
        configuration.dht.mode = services::dht_mode::off;
        REQUIRE(services::node::init(home, configuration, "Bob").has_value());
        auto opened = services::node::open(home, configuration);
        REQUIRE(opened.has_value());
        node = std::move(*opened);
        peers = std::make_unique<links>(io, *node);
    }
    ~bobs_node() {
        close();
        node->writer().stop();
        std::error_code ignored;
        std::filesystem::remove_all(root, ignored);
    }
    // Ends the links and what waits for them.
    void close() {
        peers->stop();
        io.run_for(std::chrono::milliseconds(200));
    }
    services::account& bob() { return *node->accounts().front(); }

    void run_until(const std::function<bool()>& enough) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!enough() && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(100));
        REQUIRE(enough());
    }
};

}  // namespace pp::net
