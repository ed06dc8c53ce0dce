// A relay of a real node on loopback, and its clients over real links:
// throw-away depositors, an owner who is told of news.
#include "daemon/net/nat/circuit_exchange.hpp"
#include "daemon/net/relay_owner.hpp"
#include "daemon/net/server.hpp"
#include "proto/relay/address.hpp"
#include "daemon/services/commands.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <thread>
#include <unistd.h>

using namespace pp;
using namespace pp::net;

namespace {

struct relay_home {
    std::filesystem::path root;
    storage::home_paths home;
    services::config configuration;
    std::unique_ptr<services::node> node;
    std::unique_ptr<server> serving;
    std::thread running;

    relay_home() {
        crypto::initialise();
        ::unsetenv("CREDENTIALS_DIRECTORY");
        ::unsetenv("PEERPOST_PASSPHRASE_FILE");
        root = std::filesystem::temp_directory_path() /
               ("peerpost-relay-" + std::to_string(::getpid()) + "-" + std::to_string(crypto::random_u64()));
        home.root = root;
        configuration.relay.serve = services::relay_rule::invited;
        configuration.imap.listen = configuration.smtp.listen = {};
        configuration.peer.listen = {{"127.0.0.1", 0, services::tls_mode::implicit}};
        configuration.lan.enabled = false;
        configuration.dht.mode = services::dht_mode::off;
        REQUIRE(services::node::init(home, configuration, "Relay").has_value());
        start();
    }
    ~relay_home() {
        stop();
        std::error_code ignored;
        std::filesystem::remove_all(root, ignored);
    }
    void start() {
        auto opened = services::node::open(home, configuration);
        REQUIRE(opened.has_value());
        node = std::move(*opened);
        serving = std::make_unique<server>(*node);
        REQUIRE(serving->start() == "");
        running = std::thread([this] { serving->run(); });
    }
    void stop() {
        if (!serving) return;
        serving->stop();
        running.join();
        serving.reset();
        node.reset();
    }
    boost::json::object command(std::string_view name) {
        auto r = services::run_command(*node, name, {});
        REQUIRE(std::holds_alternative<boost::json::value>(r));
        return std::get<boost::json::value>(r).as_object();
    }
    relay::relay_link link() {
        const auto r = relay::decode_link(std::string(command("relay link").at("link").as_string()));
        REQUIRE(r.has_value());
        return *r;
    }
    std::uint64_t count(const char* what) { return command("relay status").at(what).to_number<std::uint64_t>(); }
};

// Runs one coroutine of a client to its end.
template <class F>
void as_client(F f) {
    asio::io_context io{1};
    asio::thread_pool workers(1);
    bool done = false;
    auto task = f(io, workers);
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr failed) {
        done = true;
        if (failed) std::rethrow_exception(failed);
    });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done && std::chrono::steady_clock::now() < end) io.run_one_for(std::chrono::milliseconds(100));
    io.run_for(std::chrono::milliseconds(50));   // links that hang up
    workers.join();
    REQUIRE(done);
}

std::vector<engine::endpoint> endpoints_of(const relay::relay_link& link) {
    std::vector<engine::endpoint> out;
    for (const auto& text : link.endpoints)
        if (const auto e = engine::parse_endpoint(text)) out.push_back(*e);
    return out;
}
relay::slot_secrets slot_of(const relay::relay_link& link) {
    std::array<std::byte, 32> raw;
    raw.fill(std::byte{0x42});
    return relay::derive_slot(crypto::account_seed(raw), link.relay, 0);
}
relay::collect_options collecting(const relay::relay_link& link) {
    auto s = slot_of(link);
    return {link.relay, s.key.clone(), s.tokens, s.previous_tokens, 1, link.invite, 0, false};
}
bytes content_of(std::size_t n) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(i * 31 + (i >> 8));
    return out;
}
relay::seed_secrets seed_at(const relay::relay_link& link) {
    std::array<std::byte, 32> key;
    key.fill(std::byte{0x24});
    return relay::derive_seed(crypto::blob_key(key), relay::array16{}, link.relay, slot_of(link).id());
}

awaitable<bool> no_more(relay::round_over) { co_return false; }

take_items keep_in(std::vector<relay::listed_item>& items) {
    return [&items](std::vector<relay::listed_item> came) -> awaitable<std::vector<std::uint64_t>> {
        std::vector<std::uint64_t> numbers;
        for (auto& i : came) {
            numbers.push_back(i.number);
            items.push_back(std::move(i));
        }
        co_return numbers;
    };
}

}  // namespace

TEST_CASE("a real relay: deposit, restart, collect, over real links") {
    relay_home home;
    const auto link = home.link();
    const auto content = content_of(3000000);
    std::vector<relay::listed_item> items;
    const auto take = keep_in(items);
    const wait_for_more wait = no_more;
    auto collect = [&](asio::io_context& io, asio::thread_pool& workers) -> awaitable<void> {
        std::string why;
        auto who = throw_away_identity(services::now_s());
        auto where = endpoints_of(home.link());
        auto call = co_await relay_call::dial(io, std::move(who), link.relay, std::move(where), why);
        INFO(why);
        REQUIRE(call);
        auto options = collecting(link);
        const auto over = co_await play(call, std::move(options), take, wait, workers);
        CHECK(over.how == relay::ending::done);
        call->hang_up();
    };
    as_client(collect);
    CHECK(home.count("slots") == 1);

    auto deposit = [&](asio::io_context& io, asio::thread_pool& workers) -> awaitable<void> {
        std::string why;
        auto who = throw_away_identity(services::now_s());
        auto where = endpoints_of(home.link());
        auto call = co_await relay_call::dial(io, std::move(who), link.relay, std::move(where), why);
        REQUIRE(call);
        const auto s = slot_of(link);
        relay::token_serial serial;
        crypto::random_bytes(serial.data);
        relay::deposit_options options;
        options.relay = link.relay;
        options.slot = s.id();
        options.token = relay::issue_token(s.id(), s.tokens, serial, relay::week_of(services::now_s()));
        options.item = bytes(relay::item_bytes, std::byte{7});
        options.body = relay::deposit_options::seed{seed_at(link), content.size()};
        const read_content read = [&](std::uint64_t offset, std::size_t n) -> awaitable<result<bytes>> {
            const auto from = content.begin() + static_cast<std::ptrdiff_t>(offset);
            co_return bytes(from, from + static_cast<std::ptrdiff_t>(n));
        };
        const auto over = co_await play(call, std::move(options), read, workers);
        CHECK(over.how == relay::ending::done);
        CHECK(over.seeded);
        call->hang_up();
    };
    as_client(deposit);
    CHECK(home.count("notifications") == 1);
    CHECK(home.count("blobs") == 1);
    home.stop();
    home.start();
    as_client(collect);
    REQUIRE(items.size() == 1);
    CHECK(items[0].item == bytes(relay::item_bytes, std::byte{7}));
    CHECK(home.count("notifications") == 0);

    auto fetch = [&](asio::io_context& io, asio::thread_pool&) -> awaitable<void> {
        std::string why;
        auto who = throw_away_identity(services::now_s());
        auto where = endpoints_of(home.link());
        auto call = co_await relay_call::dial(io, std::move(who), link.relay, std::move(where), why);
        REQUIRE(call);
        bytes got;
        const keep_piece keep = [&](std::uint64_t, bytes piece) -> awaitable<bool> {
            got.insert(got.end(), piece.begin(), piece.end());
            co_return true;
        };
        relay::fetch_options options{seed_at(link), content.size(), 0};
        const auto over = co_await play(call, std::move(options), keep);
        CHECK(over.how == relay::ending::done);
        CHECK((got == content));
        const auto secrets = seed_at(link);
        const auto before = co_await fate_of_seed(call, secrets.where);
        CHECK(before == engine::seed_fate::there);
        const relay::request gone = relay::seed_delete_request{secrets.where, secrets.deletion};
        auto message = relay::encode(gone);
        const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
        REQUIRE(answer.has_value());
        CHECK(*answer == relay::encode(relay::done_reply{}));
        const auto after = co_await fate_of_seed(call, secrets.where);
        CHECK(after == engine::seed_fate::deleted);
        const auto other = co_await fate_of_seed(call, relay::locator{});
        CHECK(other == engine::seed_fate::not_there);
        // The wrong stream for an operation, and what only a relay may ask.
        auto wrong = relay::encode(relay::request(relay::info_request{}));
        const auto refused = co_await call->ask(relay::seed_protocol, std::move(wrong));
        CHECK(*refused == relay::encode(relay::refusal{relay::status::bad_request, 0}));
        auto push = relay::encode(relay::pushed(relay::news_request{}));
        const auto no = co_await call->ask(relay::push_protocol, std::move(push));
        CHECK(*no == relay::encode(relay::refusal{relay::status::refused, 0}));
        call->hang_up();
    };
    as_client(fetch);
    CHECK(home.count("blobs") == 0);
    CHECK(home.count("bytes") == 0);
}

TEST_CASE("who is attached is told of news at once") {
    relay_home home;
    const auto link = home.link();
    int rounds = 0;
    std::vector<relay::listed_item> items;
    auto both = [&](asio::io_context& io, asio::thread_pool& workers) -> awaitable<void> {
        std::string why;
        auto who = throw_away_identity(services::now_s());
        auto where = endpoints_of(link);
        auto owner = co_await relay_call::dial(io, std::move(who), link.relay, std::move(where), why);
        REQUIRE(owner);
        asio::steady_timer news(io, asio::steady_timer::time_point::max());
        owner->on_news = [&](const relay::slot_id& slot) {
            CHECK(slot == slot_of(link).id());
            news.cancel();
        };
        const auto take = keep_in(items);
        auto leave_one = [&]() -> awaitable<void> {
            std::string problem;
            auto nobody = throw_away_identity(services::now_s());
            auto to = endpoints_of(link);
            auto call = co_await relay_call::dial(io, std::move(nobody), link.relay, std::move(to), problem);
            REQUIRE(call);
            relay::deposit_options options;
            options.relay = link.relay;
            options.slot = slot_of(link).id();
            options.work_bits_max = 4;
            options.item = bytes(relay::item_bytes, static_cast<std::byte>(rounds));
            const read_content nothing = [](std::uint64_t, std::size_t) -> awaitable<result<bytes>> {
                co_return relay::errc::lost;
            };
            const auto over = co_await play(call, std::move(options), nothing, workers);
            CHECK(over.how == relay::ending::done);
            call->hang_up();
        };
        const wait_for_more wait = [&](relay::round_over) -> awaitable<bool> {
            if (++rounds > 3) co_return false;
            news.expires_at(asio::steady_timer::time_point::max());
            asio::co_spawn(io, leave_one(), asio::detached);
            auto [ec] = co_await news.async_wait(as_result);
            (void)ec;
            co_return true;
        };
        auto options = collecting(link);
        const auto over = co_await play(owner, std::move(options), take, wait, workers);
        CHECK(over.how == relay::ending::done);
        CHECK(home.count("clients") == 1);
        owner->hang_up();
    };
    as_client(both);
    CHECK(items.size() == 3);
    CHECK(home.count("notifications") == 0);
}

TEST_CASE("who is connected is counted once, and no more when the links are down") {
    relay_home home;
    const auto link = home.link();
    std::vector<relay::listed_item> items;
    auto twice = [&](asio::io_context& io, asio::thread_pool& workers) -> awaitable<void> {
        const auto take = keep_in(items);
        const wait_for_more wait = no_more;
        std::vector<std::shared_ptr<relay_call>> calls;
        for (int n = 0; n < 2; ++n) {
            std::string problem;
            auto who = throw_away_identity(services::now_s());
            auto to = endpoints_of(link);
            auto call = co_await relay_call::dial(io, std::move(who), link.relay, std::move(to), problem);
            REQUIRE(call);
            auto options = collecting(link);
            const auto over = co_await play(call, std::move(options), take, wait, workers);
            CHECK(over.how == relay::ending::done);
            calls.push_back(std::move(call));
        }
        CHECK(home.count("clients") == 1);
        for (const auto& call : calls) call->hang_up();
    };
    as_client(twice);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (home.count("clients") > 0 && std::chrono::steady_clock::now() < end)
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(home.count("clients") == 0);
    CHECK(home.count("slots") == 1);
}

TEST_CASE("a caller does not wait for a target that says nothing") {
    relay_home home;
    const auto link = home.link();
    asio::io_context targets{1};
    asio::thread_pool workers(1);
    auto who = throw_away_identity(services::now_s());
    const auto target = who.certificate.account;
    std::shared_ptr<relay_call> reserved;
    std::vector<relay::listed_item> items;
    const auto take = keep_in(items);
    const wait_for_more wait = no_more;
    auto reserve = [&]() -> awaitable<void> {
        std::string why;
        auto where = endpoints_of(link);
        auto call = co_await relay_call::dial(targets, std::move(who), link.relay, std::move(where), why);
        REQUIRE(call);
        auto options = collecting(link);   // who has a slot may reserve
        const auto over = co_await play(call, std::move(options), take, wait, workers);
        CHECK(over.how == relay::ending::done);
        const relay::request wanted = relay::reserve_request{relay::reservation_s_max};
        auto message = relay::encode(wanted);
        const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
        const auto reply = relay::reply_in<relay::reserve_reply>(answer);
        REQUIRE(reply);
        REQUIRE(std::holds_alternative<relay::reserve_reply>(*reply));
        reserved = call;
    };
    asio::co_spawn(targets, reserve(), asio::detached);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!reserved && std::chrono::steady_clock::now() < end) targets.run_one_for(std::chrono::milliseconds(100));
    REQUIRE(reserved);
    CHECK(home.count("reservations") == 1);
    // From here on nobody reads there, and the connection stays.
    auto call_it = [&](asio::io_context& io, asio::thread_pool&) -> awaitable<void> {
        std::string why;
        auto nobody = throw_away_identity(services::now_s());
        auto where = endpoints_of(link);
        auto call = co_await relay_call::dial(io, std::move(nobody), link.relay, std::move(where), why);
        REQUIRE(call);
        const relay::request wanted = relay::connect_request{relay::circuit_tag_of(target, link.relay), false};
        auto message = relay::encode(wanted);
        const auto begun = std::chrono::steady_clock::now();
        const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
        CHECK(std::chrono::steady_clock::now() - begun < 2 * incoming_answer_limit);
        const auto reply = relay::reply_in<relay::connect_reply>(answer);
        REQUIRE(reply);
        REQUIRE(std::holds_alternative<relay::refusal>(*reply));
        CHECK(std::get<relay::refusal>(*reply).why == relay::status::not_found);
        call->hang_up();
    };
    as_client(call_it);
    reserved->hang_up();   // or what waits in it and it would hold each other
    targets.run_for(std::chrono::milliseconds(200));
    workers.join();
}

TEST_CASE("a node that is no relay refuses, politely") {
    relay_home home;
    const auto link = home.link();
    home.stop();
    home.configuration.relay.serve = services::relay_rule::off;
    home.start();
    CHECK(home.command("relay status").at("serve") == "off");
    auto ask = [&](asio::io_context& io, asio::thread_pool&) -> awaitable<void> {
        std::string why;
        auto who = throw_away_identity(services::now_s());
        std::vector<engine::endpoint> where;
        for (const auto& text : home.node->accounts().front()->record().endpoints)
            where.push_back(*engine::parse_endpoint(text));
        auto call = co_await relay_call::dial(io, std::move(who), link.relay, std::move(where), why);
        REQUIRE(call);
        auto message = relay::encode(relay::request(relay::info_request{}));
        const auto answer = co_await call->ask(relay::control_protocol, std::move(message));
        REQUIRE(answer.has_value());
        CHECK(*answer == relay::encode(relay::refusal{relay::status::refused, 0}));
        call->hang_up();
    };
    as_client(ask);
}
