// Connections end with the address that they are on, and when their other end is gone without a word.
#include "daemon/net/open_streams.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <map>

using namespace pp::net;

TEST_CASE("connections on addresses that are gone are closed, each once") {
    asio::io_context io;
    auto& all = asio::use_service<open_streams>(io);
    std::map<std::string, int> closed;
    std::vector<std::unique_ptr<open_streams::entry>> open;
    const auto add = [&](const char* address) {
        const tcp::endpoint local(asio::ip::make_address(address), 4444);
        open.push_back(all.add({local, [&closed, address] { ++closed[address]; }}));
    };
    for (const auto* address : {"192.168.1.2", "192.168.1.77", "127.0.0.1", "::1", "fe80::1", "2001:db8::2", "0.0.0.0"})
        add(address);
    all.close_others({"127.0.0.1", "192.168.1.77"});
    CHECK(closed == std::map<std::string, int>{{"192.168.1.2", 1}, {"2001:db8::2", 1}});
    open.clear();
    add("192.168.1.2");
    add("2001:db8::2");
    all.close_others({});                     // the addresses could not be read
    CHECK(closed.size() == 2);
    all.close_others({"2001:db8::2"});
    CHECK(closed == std::map<std::string, int>{{"192.168.1.2", 2}, {"2001:db8::2", 1}});
}

TEST_CASE("a connection may outlive the io_context it was one of") {
    std::unique_ptr<open_streams::entry> last;
    {
        asio::io_context io;
        last = asio::use_service<open_streams>(io).add({{}, [] {}});
    }
    last.reset();
}

TEST_CASE("a connection ends when nothing is heard of its other end although it owes an acknowledgement") {
    using namespace std::chrono_literals;
    asio::io_context io;
    auto& all = asio::use_service<open_streams>(io);
    std::map<int, int> closed;
    std::map<int, line_state> now_is;
    std::vector<std::unique_ptr<open_streams::entry>> open;
    int watched = 0;
    all.on_watched = [&] { ++watched; };
    enum : int { idle, dead, slow, far, mute };
    for (const int id : {idle, dead, slow, far, mute}) {
        open_streams::one what{{}, [&closed, id] { ++closed[id]; }};
        if (id != mute) what.watched = [id] { return id; };
        open.push_back(all.add(std::move(what)));
    }
    CHECK(watched == 4);
    const std::chrono::steady_clock::time_point begun{1000s};
    for (auto passed = 0s; passed <= 30s; passed += 1s) {
        now_is[idle] = {false, 500s, 1ms};                           // silent, and owes nothing
        // Nothing was said for long, then something is: the silence before does not count.
        now_is[dead] = {passed >= 5s, 500s + passed, 1ms};
        now_is[slow] = {true, std::chrono::seconds(passed.count() % 7), 1ms};   // owes always, and is heard
        now_is[far] = {true, 500s + passed, 4s};
        now_is[mute] = {true, 500s, 1ms};                            // not watched
        const auto found = all.close_silent(begun + passed, [&](int id) {
            return closed[id] ? std::optional<line_state>() : now_is[id];
        });
        INFO(passed.count());
        CHECK(closed[dead] == (passed >= 13s));
        CHECK(closed[far] == (passed >= 12s));
        CHECK(closed[idle] + closed[slow] + closed[mute] == 0);
        CHECK(found == open_streams::lines::owing);
    }
    open.erase(open.begin() + slow);
    CHECK(all.close_silent(begun + 40s, [](int) { return line_state{}; }) == open_streams::lines::quiet);
    open.clear();
    CHECK(all.close_silent(begun + 40s, [](int) { return line_state{}; }) == open_streams::lines::none);
}
