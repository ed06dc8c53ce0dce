// What a name stands for is looked at before it is dialled.
#include "daemon/net/connect.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::net;

TEST_CASE("a name that somebody has told leads to no service of this machine") {
    asio::io_context io;
    tcp::acceptor listener(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const auto dialled = [&](const char* host, bool may_be_here) {
        io.restart();
        error_code said = asio::error::in_progress;
        tcp::socket socket(io);
        const engine::endpoint to{host, listener.local_endpoint().port(), may_be_here};
        auto dial = [&]() -> awaitable<void> {
            said = co_await connect(socket, to, std::chrono::seconds(10), port_use::own);
        };
        asio::co_spawn(io, dial(), asio::detached);
        io.run();
        return said;
    };
    CHECK(dialled("localhost", true) == error_code());            // in the configuration
    CHECK(dialled("localhost", false) == asio::error::host_not_found);
    CHECK(dialled("LOCALHOST", false) == asio::error::host_not_found);
    CHECK(dialled("127.0.0.1", true) == error_code());
}
