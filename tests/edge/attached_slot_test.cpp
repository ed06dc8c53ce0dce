// A relay in months that pass, and an owner who is attached all the time.
#include "daemon/net/relay_call.hpp"
#include "daemon/net/serve_relay.hpp"
#include "tests/edge/loopback_node.hpp"

using namespace pp;
using namespace pp::net;

namespace {

constexpr std::int64_t day = 86400;

services::config serving() {
    services::config out;
    out.relay.serve = services::relay_rule::invited;
    return out;
}

struct relaying_node : bobs_node, links::listener {
    asio::thread_pool workers{1};
    relay_service service{io, *node, workers};
    tcp::acceptor door{io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)};

    relaying_node() : bobs_node(serving()) {
        peers->set_listener(this);
        asio::co_spawn(io, open(), asio::detached);
    }
    ~relaying_node() override {
        door.close();
        close();
        workers.join();
        node->relay()->stop();
    }
    awaitable<void> open() {
        for (;;) {
            auto [ec, socket] = co_await door.async_accept(as_result);
            if (ec) co_return;
            peers->accepted(std::move(socket));
        }
    }
    void link_up(services::account&, std::shared_ptr<peer_link>) override {}
    void link_down(services::account&, const crypto::account_key&) override {}
    void link_over(const peer_link& link) override { service.link_over(link); }
    awaitable<bytes> requested(services::account& mine, std::shared_ptr<peer_link> link, std::string protocol,
                               bytes message) override {
        auto reply = co_await service.requested(mine, std::move(link), std::move(protocol), std::move(message));
        co_return reply;
    }

    relay::array16 invite() {
        relay::array16 out;
        crypto::random_bytes(out);
        const auto ends = services::now_s() + day;
        const auto job = [out, ends](storage::relay::change& c) { return c.add_invite(out, 1, ends); };
        REQUIRE(node->relay()->run(job).has_value());
        return out;
    }
    // The minute's upkeep at that time, and what it has begun.
    void upkeep(std::int64_t at) {
        bool done = false;
        asio::co_spawn(io, service.upkeep(at), [&](std::exception_ptr) { done = true; });
        run_until([&] { return done; });
        REQUIRE(node->relay()->run([](storage::relay::change&) -> result<void> { return {}; }).has_value());
    }
    std::uint64_t slots_after_sweep(std::int64_t at) {
        REQUIRE(node->relay()->store().sweep(at).has_value());
        return node->relay()->store().status()->slots;
    }
};

}  // namespace

TEST_CASE("the slot of an owner who is attached for half a year stays") {
    const watchdog watched;
    relaying_node n;
    const auto relay = n.bob().key();
    auto secrets = relay::derive_slot(crypto::random<crypto::account_seed>(), relay, 0);
    relay::collect_options options{relay, secrets.key.clone(), secrets.tokens, secrets.previous_tokens};
    options.invite = n.invite();
    bool attached = false, stays = true, over = false;
    asio::steady_timer news(n.io, asio::steady_timer::time_point::max());
    const wait_for_more wait = [&](relay::round_over) -> awaitable<bool> {
        attached = true;
        auto [ec] = co_await news.async_wait(as_result);
        (void)ec;
        co_return stays;
    };
    auto owner = [&]() -> awaitable<void> {
        std::string why;
        auto nobody = throw_away_identity(services::now_s());
        std::vector<engine::endpoint> where{{"127.0.0.1", n.door.local_endpoint().port()}};
        auto call = co_await relay_call::dial(n.io, std::move(nobody), relay, std::move(where), why);
        INFO(why);
        REQUIRE(call);
        const take_items take = [](std::vector<relay::listed_item>) -> awaitable<std::vector<std::uint64_t>> {
            co_return std::vector<std::uint64_t>{};
        };
        const auto how = co_await play(call, std::move(options), take, wait, n.workers);
        CHECK(how.how == relay::ending::done);
        call->hang_up();
        over = true;
    };
    asio::co_spawn(n.io, owner(), asio::detached);
    n.run_until([&] { return attached; });

    const auto begin = services::now_s();
    for (int month = 1; month <= 12; ++month) {
        n.upkeep(begin + month * 30 * day);
        CHECK(n.slots_after_sweep(begin + month * 30 * day) == 1);
    }
    stays = false;
    news.cancel();
    n.run_until([&] { return over && n.peers->count() == 0; });
    n.upkeep(begin + 365 * day);
    CHECK(n.slots_after_sweep(begin + 539 * day) == 1);
    CHECK(n.slots_after_sweep(begin + 541 * day) == 0);
}
