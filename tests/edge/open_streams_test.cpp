// Connections end with the address that they are on.
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
