// The parts of a node, each by itself: table, lookup, store, tokens, limits, votes.
#include "tests/proto/dht/swarm.hpp"

#include <catch2/catch.hpp>

using namespace swarm;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const time_point start{std::chrono::hours(5)};

// An id whose leading bits are those of first.
node_id id_at(std::uint8_t first, std::uint8_t last = 0) {
    node_id out;
    out.data[0] = std::byte{first};
    out.data.back() = std::byte{last};
    return out;
}
contact closed_contact(std::uint8_t first, std::uint8_t last) {
    return {id_at(first, last), address_of(first * 256u + last)};
}

endpoint at(std::string_view text) { return *parse_endpoint(text); }
contact public_contact(std::string_view address, std::uint8_t r = 1) {
    const auto where = at(address);
    node_id random;
    random.data.back() = std::byte{r};
    return {id_for(where.address_view(), random), where};
}

}  // namespace

TEST_CASE("a bucket holds eight; who lives stays, who fails makes room for who waits", "[table]") {
    routing_table table(network::closed, {});
    for (std::uint8_t i = 1; i <= 9; ++i) {
        CHECK(table.has_room_for(closed_contact(0x80, i)));
        table.answered(closed_contact(0x80, i), start);
    }
    CHECK(table.size() == bucket_nodes);
    CHECK(table.good(start) == bucket_nodes);
    const auto has = [&](std::uint8_t last) {
        const auto all = table.closest(id_at(0x80), 20);
        return std::find(all.begin(), all.end(), closed_contact(0x80, last)) != all.end();
    };
    CHECK_FALSE(has(9));
    table.failed(closed_contact(0x80, 3).at);
    CHECK(has(3));
    CHECK(table.closest_for_answer(id_at(0x80), 20).size() == 7);   // who failed once is not told to others
    table.failed(closed_contact(0x80, 3).at);
    CHECK_FALSE(has(3));
    CHECK(has(9));
    // Nobody waits now: a node is kept until it failed four times.
    for (int i = 0; i < failures_to_drop_always - 1; ++i) table.failed(closed_contact(0x80, 4).at);
    CHECK(table.size() == 8);
    table.answered(closed_contact(0x80, 4), start);   // it was only away
    table.failed(closed_contact(0x80, 4).at);
    CHECK(table.size() == 8);
    for (int i = 0; i < failures_to_drop_always; ++i) table.failed(closed_contact(0x80, 4).at);
    CHECK(table.size() == 7);
}

TEST_CASE("the table is bounded whatever answers", "[table]") {
    routing_table table(network::closed, {});
    for (unsigned i = 0; i < 20'000; ++i) {
        auto c = closed_contact(static_cast<std::uint8_t>(i % 256), static_cast<std::uint8_t>(i / 256));
        c.id.data[1] = static_cast<std::byte>(i * 7);
        c.at.port = static_cast<std::uint16_t>(1 + i);
        table.answered(c, start);
    }
    CHECK(table.size() <= bucket_nodes * 17);   // ids of which the first 16 bits vary
    CHECK(table.closest({}, 8).size() == 8);
    CHECK(table.to_save(saved_nodes_max).size() <= saved_nodes_max);
}

TEST_CASE("an address has one id, and an id does not move while its node lives", "[table]") {
    routing_table table(network::closed, {});
    const auto first = closed_contact(0x80, 1);
    table.answered(first, start);
    table.answered({id_at(0x40, 1), first.at}, start);
    CHECK(table.size() == 1);
    CHECK(table.closest({}, 8).front().id == id_at(0x40, 1));
    table.answered({id_at(0x40, 1), address_of(9)}, start);   // somebody else shows the id
    CHECK(table.closest({}, 8).front().at == first.at);
    table.failed(first.at);
    table.answered({id_at(0x40, 1), address_of(9)}, start);
    CHECK(table.closest({}, 8).front().at == address_of(9));
    table.answered({node_id{}, address_of(10)}, start);       // our own id
    CHECK(table.size() == 1);
}

TEST_CASE("in mainline: public addresses, one of a network per bucket, fitting ids first", "[table]") {
    node_id self;
    self.data[0] = std::byte{0xff};
    routing_table table(network::mainline, self);
    table.answered({id_at(1), at("10.0.0.1:1")}, start);
    table.answered({id_at(1), at("127.0.0.1:1")}, start);
    CHECK(table.size() == 0);
    table.answered({id_at(1, 1), at("20.0.0.1:1")}, start);
    table.answered({id_at(1, 2), at("20.0.0.2:1")}, start);
    CHECK(table.size() == 1);
    for (int i = 1; i < 20; ++i)
        table.answered({id_at(1, static_cast<std::uint8_t>(10 + i)), at("20.0." + std::to_string(i) + ".1:1")}, start);
    CHECK(table.size() == 8);
    // The bucket is full of ids that fit nothing: each that fits takes a place.
    std::size_t fitting = 0;
    for (int i = 0; i < 60 && fitting < 3; ++i) {
        const auto c = public_contact("31.0." + std::to_string(i) + ".1:1");
        if (shared_bits(self, c.id) != 0) continue;
        table.answered(c, start);
        const auto all = table.closest(c.id, 1);
        CHECK(all.front() == c);
        ++fitting;
    }
    CHECK(fitting == 3);
    CHECK(table.size() == 8);
}

TEST_CASE("checks name what was silent for a quarter of an hour, each once a minute", "[table]") {
    routing_table table(network::closed, {});
    table.answered(closed_contact(0x80, 1), start);
    table.answered(closed_contact(0x80, 2), start + minutes(10));
    CHECK_FALSE(table.next_to_check(start + minutes(14)));
    const auto due = table.next_to_check(start + minutes(15));
    REQUIRE(due);
    CHECK(*due == closed_contact(0x80, 1));
    CHECK_FALSE(table.next_to_check(start + minutes(15) + seconds(59)));
    CHECK(table.next_to_check(start + minutes(16)));
    table.remembered(closed_contact(0x40, 3));
    CHECK(table.next_to_check(start + minutes(16)) == closed_contact(0x40, 3));   // never answered yet
    CHECK(table.good(start + minutes(16)) == 1);
}

TEST_CASE("buckets are refreshed each quarter of an hour, down to the deepest with nodes", "[table]") {
    routing_table table(network::closed, {});
    table.answered(closed_contact(0x10, 1), start);   // shares three bits
    std::vector<std::size_t> seen;
    while (const auto bits = table.next_to_refresh(start)) seen.push_back(*bits);
    CHECK(seen == std::vector<std::size_t>{0, 1, 2, 3});
    CHECK_FALSE(table.next_to_refresh(start + minutes(14)));
    CHECK(table.next_to_refresh(start + minutes(15)) == 0u);
}

TEST_CASE("a new id of ours moves the nodes to its buckets", "[table]") {
    routing_table table(network::closed, {});
    for (std::uint8_t i = 1; i <= 8; ++i) table.answered(closed_contact(0x80, i), start);
    for (std::uint8_t i = 1; i <= 8; ++i) table.answered(closed_contact(0x40, i), start);
    table.change_self(id_at(0xc0), start);
    CHECK(table.size() == 16);
    table.change_self(id_at(0x80, 1), start);   // the id of a node there
    CHECK(table.size() == 15);
    CHECK_FALSE(table.next_to_refresh(start));
}

TEST_CASE("a lookup asks four at a time, nearest first, until the nearest eight have answered", "[lookup]") {
    lookup l(network::closed, {}, id_at(0xff));
    for (std::uint8_t i = 1; i <= 40; ++i) l.add(closed_contact(0, i));
    std::vector<endpoint> asked;
    while (const auto to = l.next()) asked.push_back(*to);
    REQUIRE(asked.size() == lookup_alpha);
    for (std::uint8_t i = 1; i <= lookup_alpha; ++i) CHECK(asked[i - 1u] == closed_contact(0, i).at);
    for (std::uint8_t i = 1; i <= replicas_wanted; ++i) {
        CHECK_FALSE(l.finished());
        l.answered(closed_contact(0, i), as_bytes("t"));
        (void)l.next();
    }
    CHECK_FALSE(l.next());
    CHECK(l.finished());   // those asked beyond the eighth are not waited for
    CHECK(l.nearest_with_token(20).size() == replicas_wanted);
    CHECK(l.answers() == replicas_wanted);
}

TEST_CASE("a slow node frees its place, is not waited for when eight answered, and may still answer", "[lookup]") {
    lookup l(network::closed, {}, id_at(0xff));
    for (std::uint8_t i = 1; i <= 9; ++i) l.add(closed_contact(0, i));
    for (int i = 0; i < 4; ++i) REQUIRE(l.next());
    REQUIRE_FALSE(l.next());
    l.slow(closed_contact(0, 1).at);
    CHECK(l.next() == closed_contact(0, 5).at);
    for (std::uint8_t i = 2; i <= 8; ++i) {
        l.answered(closed_contact(0, i), as_bytes("t"));
        (void)l.next();
    }
    CHECK_FALSE(l.finished());   // seven, and the ninth is asked
    auto without = l;
    without.failed(closed_contact(0, 9).at);
    CHECK_FALSE(without.finished());   // only seven have answered: now the slow one is waited for
    auto late = without;
    late.answered(closed_contact(0, 1), as_bytes("t"));
    CHECK(late.finished());
    without.failed(closed_contact(0, 1).at);
    CHECK(without.finished());
    l.answered(closed_contact(0, 9), as_bytes("t"));
    CHECK(l.finished());
}

TEST_CASE("a lookup does not ask itself, twice, or who cannot be asked; a false name is a failure", "[lookup]") {
    lookup l(network::closed, {}, id_at(0xff));
    l.add({id_at(0xff), address_of(1)});
    l.add({id_at(1), at("0.0.0.0:5")});
    CHECK(l.finished());
    l.add({id_at(1), address_of(1)});
    l.add({id_at(1), address_of(2)});
    l.add({id_at(2), address_of(1)});
    CHECK(l.next() == address_of(1));
    CHECK_FALSE(l.next());
    l.answered({id_at(9), address_of(1)}, as_bytes("t"));   // another id than it was named with
    CHECK(l.finished());
    CHECK(l.answers() == 0);
    l.add_entry(address_of(3));
    CHECK(l.next() == address_of(3));
    l.answered({id_at(0xff), address_of(3)}, as_bytes("t"));   // we ourselves
    CHECK(l.answers() == 0);
    l.add_entry(address_of(4));
    CHECK(l.next() == address_of(4));
    l.answered({id_at(4), address_of(4)}, as_bytes("t"));
    CHECK(l.answers() == 1);
    l.answered({id_at(5), address_of(5)}, as_bytes("t"));      // never asked
    CHECK(l.answers() == 1);
}

TEST_CASE("in mainline made-up ids around the target do not end a lookup, and one network counts once", "[lookup]") {
    const auto honest = public_contact("31.0.0.1:1");
    lookup l(network::mainline, {}, id_at(0xff));
    for (int i = 0; i < 20; ++i)
        l.add({id_at(0, static_cast<std::uint8_t>(i + 1)), at("20.0." + std::to_string(i) + ".1:1")});
    l.add(honest);
    l.add({id_at(0, 77), at("20.0.3.9:1")});       // the network of another candidate
    l.add({id_at(0, 78), at("192.168.1.1:1")});
    std::size_t asked = 0;
    bool honest_asked = false;
    while (!l.finished()) {
        const auto to = l.next();
        REQUIRE(to);
        ++asked;
        const auto last = std::to_integer<int>(to->address[2]);
        if (*to == honest.at) {
            honest_asked = true;
            l.answered(honest, as_bytes("t"));
        } else {
            l.answered({id_at(0, static_cast<std::uint8_t>(last + 1)), *to}, as_bytes("t"));
        }
    }
    CHECK(honest_asked);
    CHECK(asked == 21);
    CHECK(l.nearest_with_token(8).front().at == honest.at);
}

TEST_CASE("a lookup is bounded in what it keeps and asks", "[lookup]") {
    lookup l(network::closed, {}, id_at(0xff));
    for (unsigned i = 0; i < 1000; ++i)
        l.add(closed_contact(static_cast<std::uint8_t>(i / 200), static_cast<std::uint8_t>(i % 200 + 1)));
    std::size_t asked = 0;
    while (const auto to = l.next()) {
        ++asked;
        l.failed(*to);
    }
    CHECK(asked == lookup_queries_max);
    CHECK(l.finished());
}

TEST_CASE("tokens are of an address and a target, for five to ten minutes", "[token]") {
    dice random(seed_of(1));
    write_tokens tokens(random, start);
    const auto asker = at("20.0.0.1:5"), other_port = at("20.0.0.1:6"), other = at("20.0.0.2:5");
    const auto token = tokens.token_for(asker, id_at(1));
    CHECK(tokens.good(token.view(), asker, id_at(1)));
    CHECK(tokens.good(token.view(), other_port, id_at(1)));   // a NAT may give another port
    CHECK_FALSE(tokens.good(token.view(), other, id_at(1)));
    CHECK_FALSE(tokens.good(token.view(), asker, id_at(2)));
    CHECK_FALSE(tokens.good(token.view().first(7), asker, id_at(1)));
    CHECK_FALSE(tokens.good({}, asker, id_at(1)));
    tokens.tick(random, start + minutes(9));
    CHECK(tokens.good(token.view(), asker, id_at(1)));
    CHECK(tokens.token_for(asker, id_at(1)) != token);
    tokens.tick(random, start + minutes(10));
    CHECK_FALSE(tokens.good(token.view(), asker, id_at(1)));
    const auto before_sleep = tokens.token_for(asker, id_at(1));
    tokens.tick(random, start + std::chrono::hours(10));
    CHECK_FALSE(tokens.good(before_sleep.view(), asker, id_at(1)));
}

TEST_CASE("the store follows BEP 44", "[store]") {
    item_store store;
    const node_id self;
    const auto item = item_of(1, 5, "five");
    CHECK_FALSE(store.put(item, std::nullopt, self, start));
    CHECK_FALSE(store.put(item, std::nullopt, self, start));                                   // refreshed
    CHECK(store.put(item_of(1, 4, "four"), std::nullopt, self, start) == krpc_error::sequence_too_low);
    CHECK(store.put(item_of(1, 5, "other"), std::nullopt, self, start) == krpc_error::sequence_too_low);
    CHECK(store.put(item_of(1, 6, "six"), 4, self, start) == krpc_error::cas_mismatch);
    CHECK_FALSE(store.put(item_of(1, 6, "six"), 5, self, start));
    auto forged = item_of(1, 7, "seven");
    forged.sequence = 8;
    CHECK(store.put(forged, std::nullopt, self, start) == krpc_error::bad_signature);
    CHECK(store.put(item_of(1, 7, std::string(1001, 'x')), std::nullopt, self, start) == krpc_error::value_too_large);
    CHECK(store.put(item_of(1, 7, "x", std::string(65, 's')), std::nullopt, self, start) == krpc_error::salt_too_large);
    const auto* found = store.find(target_of(item.key, {}), start);
    REQUIRE(found);
    CHECK(found->sequence == 6);
    CHECK(store.find(target_of(item.key, {}), start + hours(2) - seconds(1)));
    CHECK_FALSE(store.find(target_of(item.key, {}), start + hours(2)));
    CHECK(store.size() == 0);
}

TEST_CASE("a full store keeps what is nearest to us", "[store]") {
    item_store store;
    const node_id self;
    node_id farthest;
    for (std::size_t i = 0; i < stored_items_max + 500; ++i) {
        const auto value = bencode_writer().integer(static_cast<std::int64_t>(i)).take();
        const auto refused = store.put_immutable(value, self, start);
        CHECK((!refused || *refused == krpc_error::server));
    }
    CHECK(store.size() == stored_items_max);
    std::vector<node_id> all;
    for (std::size_t i = 0; i < stored_items_max + 500; ++i)
        all.push_back(target_of_immutable(bencode_writer().integer(static_cast<std::int64_t>(i)).take()));
    std::sort(all.begin(), all.end());   // self is zero: this is by distance
    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK((store.find(all[i], start) != nullptr) == (i < stored_items_max));
    // What expired makes room for anything.
    CHECK_FALSE(store.put_immutable(as_bytes("1:x"), self, start + hours(2)));
    CHECK(store.size() == 1);
}

TEST_CASE("limits: fifty at once, then ten a second, for each address by itself", "[limits]") {
    dice random(seed_of(1));
    rate_limits limits(random);
    const auto loud = at("20.0.0.1:5");
    int answered = 0;
    for (int i = 0; i < 200; ++i) answered += limits.question(loud, start);
    CHECK(answered == 50);
    CHECK(limits.question(at("20.0.0.2:5"), start));
    answered = 0;
    for (int i = 0; i < 200; ++i) answered += limits.question(loud, start + seconds(2));
    CHECK(answered == 20);
    const auto v6 = at("[2a00::1]:5");
    for (int i = 0; i < 60; ++i) limits.question(v6, start);
    CHECK_FALSE(limits.question(at("[2a00::2]:5"), start));   // the same customer
    std::size_t sent = 0;
    while (limits.answer(1000, start)) sent += 1000;
    CHECK(sent == 262'000);
}

TEST_CASE("our address is what different networks agree on", "[votes]") {
    external_votes votes;
    const auto truth = at("31.1.1.1:100"), lie = at("66.6.6.6:1");
    for (int i = 0; i < 20; ++i)
        CHECK_FALSE(votes.vote(at("20.0.0." + std::to_string(i + 1) + ":1"), lie));  // one network
    CHECK_FALSE(votes.vote(at("21.0.0.1:1"), truth));
    CHECK_FALSE(votes.vote(at("22.0.0.1:1"), truth));
    CHECK_FALSE(votes.vote(at("23.0.0.1:1"), truth));
    CHECK(votes.vote(at("24.0.0.1:1"), truth) == truth);
    // Four of eight are not enough to move us.
    for (int i = 0; i < 3; ++i) CHECK_FALSE(votes.vote(at("4" + std::to_string(i) + ".0.0.1:1"), lie));
}

TEST_CASE("dice of one seed fall alike, of two differently", "[dice]") {
    dice a(seed_of(1)), b(seed_of(1)), c(seed_of(2));
    const auto first = a.number();
    CHECK(first == b.number());
    CHECK(first != c.number());
    CHECK(first != a.number());
    for (int i = 0; i < 100; ++i) {
        const auto f = a.fraction();
        CHECK((f >= 0 && f < 1));
    }
}
