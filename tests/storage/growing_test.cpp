// The map of the view grows while others read, and when the system has no room for it.
#include "storage/store_state.hpp"
#include "tests/storage/store_fixture.hpp"

#include <sys/resource.h>

#include <thread>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

TEST_CASE("readers that always overlap do not keep the map from growing") {
    temporary_folder t;
    const store_secrets secrets(account_keys::generate());
    auto made = view_env::open(t.path / "view", secrets.view, secrets.shred_check, 1 << 20, true);
    REQUIRE(made.has_value());
    auto& env = **made;
    constexpr int rounds_max = 1000;
    std::atomic<int> inside = 0, finished = 0;
    std::atomic<bool> grown = false;
    std::vector<std::thread> readers;
    for (int n = 0; n < 4; ++n)
        readers.emplace_back([&, n] {
            for (int round = 0; round < rounds_max && !grown; ++round) {
                const std::shared_lock hold(env.readers());
                ++inside;
                std::this_thread::sleep_for(std::chrono::milliseconds(3 + n));
                // a reader may read within a reading
                const std::shared_lock again(env.readers());
            }
            ++finished;
        });
    while (inside < 8) std::this_thread::yield();
    const bool done = static_cast<bool>(env.grow());
    const int readers_gone = finished;
    grown = true;
    for (auto& reader : readers) reader.join();
    CHECK(done);
    CHECK(readers_gone == 0);
}

TEST_CASE("a map that cannot grow is an error, and goes on when there is room") {
    temporary_folder t;
    const store_secrets secrets(account_keys::generate());
    auto made = view_env::open(t.path / "view", secrets.view, secrets.shred_check, 256 << 20, true);
    REQUIRE(made.has_value());
    auto& env = **made;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    const rlimit tight{pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + (64 << 20), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_AS, &tight) == 0);
    const auto grown = env.grow();
    const auto room = env.keep_room();
    REQUIRE(::setrlimit(RLIMIT_AS, &before) == 0);
    CHECK_FALSE(grown);
    CHECK_FALSE(room);
    REQUIRE(env.env() == nullptr);   // else the next look at a page ends the process
    REQUIRE(env.reopen());
    CHECK(env.grow());
    CHECK(env.keep_room());
}
