// Two links over loopback: its owner is told that a link is ready, also when the HELLO took long to look at.
#include "crypto/certificate.hpp"
#include "daemon/net/peer_link.hpp"
#include "daemon/net/tls.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <boost/asio/connect.hpp>

#include <thread>
#include <utility>

using namespace pp;
using namespace pp::net;

namespace {

struct slow_owner : peer_link::owner {
    peer::hello mine;
    std::chrono::milliseconds takes{0};
    bool told = false;
    peer::hello_verdict greeted(peer_link& link, const peer::hello&) override {
        std::this_thread::sleep_for(takes);
        CHECK_FALSE(link.ready());
        peer::hello_verdict verdict;
        verdict.accept = true;
        verdict.mine = mine;
        return verdict;
    }
    void came_up(peer_link& link) override {
        CHECK(link.ready());
        CHECK_FALSE(told);
        told = true;
    }
    awaitable<bytes> requested(std::shared_ptr<peer_link>, std::string, bytes) override { co_return bytes(); }
    void ended(peer_link&) override {}
};

}  // namespace

TEST_CASE("a link is told to be ready, however long its HELLO was looked at") {
    crypto::initialise();
    for (const auto takes : {std::chrono::milliseconds(0), 3 * turn_time}) {
        INFO(takes.count() << " ms");
        asio::io_context io{1};
        const auto& alice = people::alice();
        const auto& bob = people::bob();
        tcp::acceptor door(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
        tcp::socket out(io), in(io);
        out.connect(door.local_endpoint());
        door.accept(in);

        slow_owner alices, bobs;
        std::vector<std::shared_ptr<peer_link>> made;
        alices.takes = bobs.takes = takes;
        bobs.mine = bob.greeting();
        auto dial = [&]() -> awaitable<void> {
            any_stream stream(std::move(out));
            auto shown = crypto::device_identity::of(alice.device);
            auto tls = make_peer_tls(*shown, false);
            const auto failed = co_await stream.start_tls_as_client(std::move(tls), std::chrono::seconds(5));
            REQUIRE_FALSE(failed);
            peer::link_options options;
            options.dialler = true;
            options.peer_device = bob.device_id();
            options.mine = alice.greeting(bob.address());
            options.expected = bob.address();
            options.now = people::now;
            auto link = std::make_shared<peer_link>(std::move(stream), options, alices);
            made.push_back(link);
            co_await link->run();
        };
        auto take = [&]() -> awaitable<void> {
            any_stream stream(std::move(in));
            auto shown = crypto::device_identity::of(bob.device);
            auto tls = make_peer_tls(*shown, true);
            const auto failed = co_await stream.start_tls_as_server(std::move(tls), std::chrono::seconds(5));
            REQUIRE_FALSE(failed);
            peer::link_options options;
            options.peer_device = alice.device_id();
            options.now = people::now;
            auto link = std::make_shared<peer_link>(std::move(stream), options, bobs);
            made.push_back(link);
            co_await link->run();
        };
        asio::co_spawn(io, dial(), asio::detached);
        asio::co_spawn(io, take(), asio::detached);
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!(alices.told && bobs.told) && std::chrono::steady_clock::now() < end)
            io.run_one_for(std::chrono::milliseconds(100));
        CHECK(alices.told);
        CHECK(bobs.told);
        for (const auto& link : std::exchange(made, {})) link->close();
        io.run_for(std::chrono::seconds(5));   // or what waits in a link and the link would hold each other
    }
}
