// A node dials somebody who is to be found in two places, and answers slowly.
#include "daemon/net/relay_call.hpp"
#include "daemon/net/tls.hpp"
#include "tests/edge/loopback_node.hpp"

using namespace pp;
using namespace pp::net;

namespace {

// Alice, at two listeners of one device. She looks at what has come after `thinks` only.
struct slow_alice : peer_link::owner {
    asio::io_context& io;
    std::chrono::milliseconds thinks;
    relay_identity she = throw_away_identity(services::now_s());
    std::shared_ptr<asio::ssl::context> tls;
    std::vector<std::unique_ptr<tcp::acceptor>> doors;
    std::size_t greetings = 0;
    bool refuses_the_first = false;

    slow_alice(asio::io_context& i, std::chrono::milliseconds t) : io(i), thinks(t) {
        auto shown = crypto::device_identity::of(she.device);
        tls = make_peer_tls(*shown, true);
        for (int n = 0; n < 2; ++n) {
            doors.push_back(
                std::make_unique<tcp::acceptor>(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)));
            asio::co_spawn(io, open(*doors.back()), asio::detached);
        }
    }
    std::vector<engine::endpoint> places() const {
        std::vector<engine::endpoint> out;
        for (const auto& door : doors) out.push_back({"127.0.0.1", door->local_endpoint().port()});
        return out;
    }
    awaitable<void> open(tcp::acceptor& door) {
        auto [ec, socket] = co_await door.async_accept(as_result);
        if (ec) co_return;
        any_stream stream(std::move(socket));
        const auto failed = co_await stream.start_tls_as_server(tls, std::chrono::seconds(5));
        if (failed) co_return;
        asio::steady_timer timer(io, thinks);
        auto [cancelled] = co_await timer.async_wait(as_result);
        if (cancelled) co_return;
        const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
        REQUIRE(device.has_value());
        peer::link_options options;
        options.peer_device = *device;
        options.now = services::now_s();
        auto link = std::make_shared<peer_link>(std::move(stream), options, *this);
        co_await link->run();
    }
    peer::hello_verdict greeted(peer_link&, const peer::hello&) override {
        peer::hello_verdict verdict;
        verdict.accept = ++greetings > 1 || !refuses_the_first;
        verdict.mine.mine = she.certificate;
        verdict.mine.record = she.record;
        return verdict;
    }
    void came_up(peer_link&) override {}
    awaitable<bytes> requested(std::shared_ptr<peer_link>, std::string, bytes) override { co_return bytes(); }
    void ended(peer_link&) override {}
};

struct dialling {
    bobs_node n;
    slow_alice alice;
    std::optional<bool> joined;
    std::string why;

    explicit dialling(std::chrono::milliseconds thinks) : alice(n.io, thinks) {}
    ~dialling() {
        for (auto& door : alice.doors) door->close();
        n.close();
    }
    awaitable<void> dial() {
        auto places = alice.places();
        joined = co_await n.peers->dial(n.bob(), alice.she.certificate.account, std::move(places), why);
    }
    void run() {
        asio::co_spawn(n.io, dial(), asio::detached);
        n.run_until([&] { return joined.has_value(); });
        n.io.run_for(alice.thinks + std::chrono::milliseconds(200));   // the other way has come so far, too
    }
};

}  // namespace

TEST_CASE("who is dialled at two places hears one HELLO while it is unanswered") {
    const watchdog watched;
    dialling d(3 * dial_stagger);
    d.run();
    CHECK(d.joined.value());
    CHECK(d.alice.greetings == 1);
}

TEST_CASE("the second way is taken when the first ends without an answer") {
    const watchdog watched;
    dialling d(3 * dial_stagger);
    d.alice.refuses_the_first = true;
    d.run();
    CHECK(d.joined.value());
    CHECK(d.alice.greetings == 2);
}

TEST_CASE("a HELLO that is not answered keeps the second way waiting for a moment only") {
    const watchdog watched;
    dialling d(hello_turn_limit + 2 * dial_stagger);
    d.run();
    CHECK(d.joined.value());
    CHECK(d.alice.greetings == 2);
}
