// A swarm of our nodes in virtual time: storing and finding with loss, with half of the nodes dead,
// over IPv6, read-only.
#include "tests/proto/dht/swarm.hpp"

#include <catch2/catch.hpp>

#include <iostream>

using namespace swarm;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

void settle(world& w, std::size_t nodes, std::array<bool, 2> enabled = {true, false}) {
    for (std::size_t i = 0; i < nodes; ++i) {
        w.join(true, 3, enabled);
        w.run_for(milliseconds(100));
    }
    w.run_for(seconds(120));
}

std::size_t holders(const world& w) {
    return static_cast<std::size_t>(std::count_if(w.members.begin(), w.members.end(), [](const member& m) {
        return m.alive && m.machine->stored_items() > 0;
    }));
}

std::int64_t ms(time_point::duration d) { return duration_cast<milliseconds>(d).count(); }

}  // namespace

TEST_CASE("what one node stores the others find", "[swarm]") {
    world w(1);
    settle(w, 60);
    for (const auto& m : w.members) {
        REQUIRE(m.machine->known_nodes(family::ipv4) >= 8);
        REQUIRE(m.machine->self(family::ipv4) != w.members[0].machine->self(family::ipv6));
    }
    const auto item = item_of(7, 100, "hello", "salt");
    const auto op = w.members[5].machine->put(item, std::nullopt, w.now());
    REQUIRE(op.has_value());
    const auto done = w.wait_for<put_finished>(5, *op);
    REQUIRE(done);
    CHECK(done->first.replicas == replicas_wanted);
    CHECK_FALSE(done->first.retry_in);
    CHECK_FALSE(done->first.outdated);
    CHECK(holders(w) == replicas_wanted);

    for (const std::size_t reader : {0u, 17u, 42u, 59u}) {
        const auto get = w.members[reader].machine->get(item.key, item.salt, w.now());
        const auto found = w.wait_for<get_finished>(reader, *get);
        REQUIRE(found);
        REQUIRE(found->first.item);
        CHECK(*found->first.item == item);
        CHECK(found->first.copies >= 1);
        CHECK(found->second < seconds(1));
    }
    // A negative control: without the salt it is another item, which nobody has.
    const auto other = w.members[1].machine->get(item.key, {}, w.now());
    const auto nothing = w.wait_for<get_finished>(1, *other);
    REQUIRE(nothing);
    CHECK_FALSE(nothing->first.item);
    CHECK(nothing->first.answers >= replicas_wanted);
    for (const auto& m : w.members) {
        CHECK(m.machine->open_operations() <= 1);
        CHECK(m.largest <= answer_bytes_max);
    }
}

TEST_CASE("with half of the nodes dead a lookup takes less than a second", "[swarm]") {
    world w(2);
    settle(w, 100);
    constexpr std::uint64_t items = 20;
    for (std::uint64_t i = 0; i < items; ++i) {
        const auto op = w.members[i].machine->put(item_of(i, 1, "value " + std::to_string(i)), std::nullopt, w.now());
        REQUIRE(w.wait_for<put_finished>(i, *op)->first.replicas == replicas_wanted);
    }
    for (std::size_t i = 0; i < w.members.size(); ++i) w.members[i].alive = i % 2 == 0;

    std::int64_t slowest = 0, slowest_put = 0, sum = 0;
    std::size_t missed = 0;
    for (std::uint64_t i = 0; i < items; ++i) {
        const auto wanted = item_of(i, 1, "value " + std::to_string(i));
        const std::size_t reader = 99 - 1 - 2 * i;
        const auto op = w.members[reader].machine->get(wanted.key, {}, w.now());
        const auto found = w.wait_for<get_finished>(reader, *op);
        REQUIRE(found);
        missed += !found->first.item;
        slowest = std::max(slowest, ms(found->second));
        sum += ms(found->second);
    }
    CHECK(missed == 0);
    CHECK(slowest < 1000);
    std::size_t replicas = 0;
    for (std::uint64_t i = 0; i < items; ++i) {
        const std::size_t writer = 2 * i;
        const auto op = w.members[writer].machine->put(item_of(100 + i, 1, "new"), std::nullopt, w.now());
        const auto done = w.wait_for<put_finished>(writer, *op);
        REQUIRE(done);
        CHECK(done->first.replicas >= replicas_enough);
        replicas += done->first.replicas;
        slowest_put = std::max(slowest_put, ms(done->second));
    }
    CHECK(slowest_put < 4000);
    std::cout << "half dead: get mean " << sum / static_cast<std::int64_t>(items) << " ms, slowest " << slowest
              << " ms; slowest put " << slowest_put << " ms, replicas " << static_cast<double>(replicas) / items
              << "\n";
}

TEST_CASE("loss and duplication slow a lookup down and lose nothing", "[swarm]") {
    world w(3, {milliseconds(10), milliseconds(80), 0.05, 0.05});
    settle(w, 60);
    std::size_t replicas = 0, found_items = 0;
    constexpr std::uint64_t items = 20;
    for (std::uint64_t i = 0; i < items; ++i) {
        const auto item = item_of(i, 1, "v");
        const auto put = w.members[i].machine->put(item, std::nullopt, w.now());
        const auto done = w.wait_for<put_finished>(i, *put);
        REQUIRE(done);
        replicas += done->first.replicas;
        const auto get = w.members[59 - i].machine->get(item.key, {}, w.now());
        const auto found = w.wait_for<get_finished>(59 - i, *get);
        REQUIRE(found);
        CHECK(found->second < seconds(1));
        found_items += found->first.item.has_value();
    }
    CHECK(found_items == items);
    CHECK(replicas >= items * 7);   // resent puts bring nearly all there
}

TEST_CASE("a newer value wins over an older one, and an older one cannot come back", "[swarm]") {
    world w(4);
    settle(w, 40);
    const auto old_item = item_of(1, 10, "old"), new_item = item_of(1, 11, "new");
    const auto first = w.members[3].machine->put(old_item, std::nullopt, w.now());
    REQUIRE(w.wait_for<put_finished>(3, *first)->first.replicas == replicas_wanted);
    const auto second = w.members[4].machine->put(new_item, std::nullopt, w.now());
    REQUIRE(w.wait_for<put_finished>(4, *second)->first.replicas == replicas_wanted);

    const auto get = w.members[20].machine->get(old_item.key, {}, w.now());
    REQUIRE(w.wait_for<get_finished>(20, *get)->first.item == new_item);

    const auto replay = w.members[5].machine->put(old_item, std::nullopt, w.now());
    const auto refused = w.wait_for<put_finished>(5, *replay);
    REQUIRE(refused);
    CHECK(refused->first.outdated);
    CHECK(refused->first.newer_sequence == 11);
    CHECK(refused->first.replicas == 0);
    CHECK_FALSE(refused->first.retry_in);
    // The same number for another value is refused too; the same value again only lives longer.
    const auto twice = w.members[6].machine->put(item_of(1, 11, "other"), std::nullopt, w.now());
    CHECK(w.wait_for<put_finished>(6, *twice)->first.outdated);
    const auto again = w.members[7].machine->put(new_item, std::nullopt, w.now());
    CHECK(w.wait_for<put_finished>(7, *again)->first.replicas == replicas_wanted);
    // cas: the writer says which number it has read.
    const auto wrong = w.members[8].machine->put(item_of(1, 12, "x"), 10, w.now());
    CHECK(w.wait_for<put_finished>(8, *wrong)->first.outdated);
    const auto right = w.members[8].machine->put(item_of(1, 12, "x"), 11, w.now());
    CHECK(w.wait_for<put_finished>(8, *right)->first.replicas == replicas_wanted);
}

TEST_CASE("an item ends after two hours unless it is put again", "[swarm]") {
    world w(5);
    settle(w, 12);
    const auto item = item_of(1, 1, "v");
    const auto put = w.members[0].machine->put(item, std::nullopt, w.now());
    REQUIRE(w.wait_for<put_finished>(0, *put)->first.replicas == replicas_wanted);
    w.run_for(std::chrono::minutes(60));
    // Anybody may put it again: the signature goes along.
    const auto again = w.members[9].machine->put(item, std::nullopt, w.now());
    REQUIRE(w.wait_for<put_finished>(9, *again)->first.replicas == replicas_wanted);
    w.run_for(std::chrono::minutes(90));
    const auto get = w.members[11].machine->get(item.key, {}, w.now());
    CHECK(w.wait_for<get_finished>(11, *get)->first.item == item);
    w.run_for(std::chrono::minutes(31));
    const auto late = w.members[11].machine->get(item.key, {}, w.now());
    CHECK_FALSE(w.wait_for<get_finished>(11, *late)->first.item);
    CHECK(holders(w) == 0);
}

TEST_CASE("a read-only node finds and stores, and nobody takes it for a node", "[swarm]") {
    world w(6);
    settle(w, 30);
    const auto shy = w.join(false);
    w.run_for(seconds(30));
    REQUIRE(w.members[shy].machine->known_nodes(family::ipv4) >= 8);
    const auto item = item_of(1, 1, "v");
    const auto put = w.members[shy].machine->put(item, std::nullopt, w.now());
    REQUIRE(w.wait_for<put_finished>(shy, *put)->first.replicas == replicas_wanted);
    const auto get = w.members[shy].machine->get(item.key, {}, w.now());
    REQUIRE(w.wait_for<get_finished>(shy, *get)->first.item == item);
    w.run_for(std::chrono::minutes(40));
    CHECK(w.members[shy].machine->stored_items() == 0);
    for (std::size_t i = 0; i < shy; ++i) {
        const auto saved = w.members[i].machine->save();
        const auto compact = to_compact(address_of(shy));
        CHECK(std::search(saved.begin(), saved.end(), compact.begin(), compact.end()) == saved.end());
    }
}

TEST_CASE("few replicas: the put is tried again by itself until there are enough", "[swarm]") {
    world w(7);
    settle(w, 3);
    const auto put = w.members[0].machine->put(item_of(1, 1, "v"), std::nullopt, w.now());
    const auto first = w.wait_for<put_finished>(0, *put);
    REQUIRE(first);
    CHECK(first->first.replicas == 2);   // all there are
    REQUIRE(first->first.retry_in == milliseconds(5000));
    for (int i = 0; i < 20; ++i) w.join();
    const auto second = w.wait_for<put_finished>(0, *put);
    REQUIRE(second);
    CHECK(second->second >= seconds(5));
    CHECK(second->first.replicas >= replicas_enough);
    CHECK_FALSE(second->first.retry_in);
    CHECK(w.members[0].machine->open_operations() <= 1);
}

TEST_CASE("a put that nobody takes is tried five times, then it is over", "[swarm]") {
    world w(8);
    w.join();
    const auto put = w.members[0].machine->put(item_of(1, 1, "v"), std::nullopt, w.now());
    std::vector<std::int64_t> waits;
    while (true) {
        const auto done = w.wait_for<put_finished>(0, *put, seconds(400));
        REQUIRE(done);
        CHECK(done->first.answers == 0);
        if (!done->first.retry_in) break;
        waits.push_back(done->first.retry_in->count());
    }
    CHECK(waits == std::vector<std::int64_t>{5000, 15000, 60000, 300000});
    CHECK(w.members[0].machine->open_operations() == 0);
}

TEST_CASE("IPv6: items are stored and found in both families", "[swarm]") {
    world w(9);
    settle(w, 30, {true, true});
    for (const auto& m : w.members) {
        REQUIRE(m.machine->known_nodes(family::ipv4) >= 8);
        REQUIRE(m.machine->known_nodes(family::ipv6) >= 8);
    }
    const auto item = item_of(1, 1, std::string(990, 'x'));
    const auto put = w.members[2].machine->put(item, std::nullopt, w.now());
    const auto done = w.wait_for<put_finished>(2, *put);
    REQUIRE(done);
    CHECK(done->first.replicas == 2 * replicas_wanted);
    const auto only6 = w.join(true, 3, {false, true});
    w.run_for(seconds(30));
    const auto get = w.members[only6].machine->get(item.key, {}, w.now());
    CHECK(w.wait_for<get_finished>(only6, *get)->first.item == item);
    const auto only4 = w.join(true, 3, {true, false});
    w.run_for(seconds(30));
    const auto get4 = w.members[only4].machine->get(item.key, {}, w.now());
    CHECK(w.wait_for<get_finished>(only4, *get4)->first.item == item);
    for (const auto& m : w.members) CHECK(m.largest <= answer_bytes_max);
}

TEST_CASE("a saved table brings a node back without its entry nodes", "[swarm]") {
    world w(10);
    settle(w, 40);
    const auto saved = w.members[10].machine->save();
    for (std::size_t i = 0; i < 3; ++i) w.members[i].alive = false;   // what everybody bootstrapped from
    const auto back = w.join(true, 0);
    REQUIRE(w.members[back].machine->load(saved).has_value());
    // Its old self still is there under that id; the new one is somebody else to the others, and that does no harm.
    const auto item = item_of(1, 1, "v");
    const auto put = w.members[20].machine->put(item, std::nullopt, w.now());
    REQUIRE(w.wait_for<put_finished>(20, *put)->first.replicas >= replicas_enough);
    const auto get = w.members[back].machine->get(item.key, {}, w.now());
    const auto found = w.wait_for<get_finished>(back, *get);
    REQUIRE(found);
    CHECK(found->first.item == item);
    CHECK(found->second < seconds(2));
}

TEST_CASE("in mainline nodes with made-up ids around a target neither hide a value nor bring an old one back",
          "[swarm]") {
    world w(12, {}, network::mainline);
    settle(w, 60);
    for (std::size_t i = 0; i < w.members.size(); ++i)   // all of them learnt their address from each other
        REQUIRE(id_fits(w.members[i].machine->self(family::ipv4), w.at(i)));

    constexpr std::size_t honest = 60, liars = 30;
    const auto old_item = item_of(1, 1, "old"), item = item_of(1, 2, "new");
    const auto target = target_of(item.key, {});
    // A liar's id differs from the target in the last byte only; it names the other liars, and has an old value.
    const auto id_of_liar = [&](std::size_t number) {
        auto id = target;
        id.data.back() ^= static_cast<std::byte>(number);
        return id;
    };
    std::size_t lies = 0;
    w.liars_from = honest;
    w.lie = [&](std::size_t liar, bytes_view datagram) -> std::optional<bytes> {
        const auto document = bencode_document::parse(datagram);
        const auto m = decode_message(*document);
        if (!m || m->kind != message_kind::query) return std::nullopt;
        ++lies;
        reply_fields r;
        r.with_nodes = true;
        for (std::size_t i = 0; i < 8; ++i) {
            const auto other = honest + (liar - honest + 1 + i) % liars;
            r.nodes.push_back({id_of_liar(other), w.at(other)});
        }
        r.token = as_bytes("liar");
        if (m->method == method::get && m->target == target) {
            r.key = old_item.key.view();
            r.signature = old_item.sig.view();
            r.sequence = old_item.sequence;
            r.value = old_item.value;
        }
        return encode_reply(m->transaction, id_of_liar(liar), r);
    };
    query_fields hello;
    for (std::size_t liar = honest; liar < honest + liars; ++liar)
        for (std::size_t to = 0; to < honest; ++to)
            w.send_as(liar, to, encode_query(as_bytes("aa"), id_of_liar(liar), false, hello));
    w.run_for(seconds(60));
    REQUIRE(lies > 0);   // they are asked

    const auto put = w.members[5].machine->put(item, std::nullopt, w.now());
    const auto done = w.wait_for<put_finished>(5, *put);
    REQUIRE(done);
    CHECK(holders(w) == replicas_wanted);
    const auto before = lies;
    for (const std::size_t reader : {7u, 23u, 44u, 58u}) {
        const auto get = w.members[reader].machine->get(item.key, {}, w.now());
        const auto found = w.wait_for<get_finished>(reader, *get);
        REQUIRE(found);
        CHECK(found->first.item == item);
    }
    CHECK(lies > before);
}

TEST_CASE("a swarm at rest says little", "[swarm]") {
    world w(11);
    settle(w, 25);
    w.run_for(std::chrono::minutes(16));
    std::size_t before = 0, after = 0;
    for (const auto& m : w.members) before += m.sent;
    w.run_for(std::chrono::minutes(30));
    for (const auto& m : w.members) after += m.sent;
    const auto per_minute = static_cast<double>(after - before) / 25 / 30;
    std::cout << "at rest: " << per_minute << " datagrams per node and minute\n";
    CHECK(per_minute < 60);
    for (const auto& m : w.members) CHECK(m.machine->good_nodes(family::ipv4, w.now()) >= 8);
}
