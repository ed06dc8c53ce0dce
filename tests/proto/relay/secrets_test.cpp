// Names and secrets: who can tell what from them, and who cannot; sizes; texts; circuits.
#include "proto/relay/address.hpp"
#include "proto/relay/circuit.hpp"
#include "tests/proto/relay/memory_relay.hpp"

using namespace memory_relay;
using namespace std::chrono_literals;

TEST_CASE("a serial names its contact to its maker alone") {
    const auto s = bob_slot();
    const auto alice = filled<account_key>(0x10), carol = filled<account_key>(0x20);
    std::set<token_serial> all;
    std::set<std::vector<std::byte>> tails;
    for (int i = 0; i < 200; ++i) {
        const auto serial = make_serial(s.serials, alice);
        CHECK(is_serial_of(s.serials, serial, alice));
        CHECK_FALSE(is_serial_of(s.serials, serial, carol));
        CHECK_FALSE(is_serial_of(filled<crypto::row_key>(1), serial, alice));
        all.insert(serial);
        tails.insert({serial.data.begin() + 8, serial.data.end()});
    }
    CHECK(all.size() == 200);
    CHECK(tails.size() == 200);     // no part of it stays the same for one contact
}

TEST_CASE("slots of one account at two relays have nothing in common") {
    const auto one = bob_slot(), two = derive_slot(filled<crypto::account_seed>(0x41), filled<account_key>(2), 1);
    CHECK(one.public_key() != two.public_key());
    CHECK(one.tokens != two.tokens);
    CHECK(one.id() != two.id());
    CHECK(bob_slot(0).public_key() == one.public_key());
    CHECK(bob_slot(0).previous_tokens == token_key{});
    CHECK(bob_slot(0).tokens == one.previous_tokens);
}

TEST_CASE("the recipients of one mail cannot touch each other's seeds") {
    const auto key = [] { return filled<crypto::blob_key>(0xd0); };
    const auto a = derive_seed(key(), filled16(1), relay_key, bob_slot().id());
    for (const auto& b : {derive_seed(key(), filled16(2), relay_key, bob_slot().id()),
                          derive_seed(key(), filled16(1), filled<account_key>(9), bob_slot().id()),
                          derive_seed(key(), filled16(1), relay_key, filled<slot_id>(9))}) {
        CHECK(a.where != b.where);
        CHECK(a.deletion != b.deletion);
        CHECK_FALSE(std::equal(a.mask.view().begin(), a.mask.view().end(), b.mask.view().begin()));
    }
}

TEST_CASE("a mask can be put on and taken off in any pieces") {
    const auto content = pattern(1000, 1);
    const auto mask = filled<crypto::mask_key>(7);
    auto whole = content;
    crypto::mask_stream(mask, 0, whole);
    CHECK(whole != content);
    for (const std::size_t cut : {0, 1, 63, 64, 65, 127, 128, 500, 999, 1000}) {
        INFO(cut);
        auto pieces = content;
        crypto::mask_stream(mask, 0, mutable_bytes_view(pieces).first(cut));
        crypto::mask_stream(mask, cut, mutable_bytes_view(pieces).subspan(cut));
        CHECK(pieces == whole);
        auto tail = bytes(whole.begin() + static_cast<std::ptrdiff_t>(cut), whole.end());
        crypto::mask_stream(mask, cut, tail);
        CHECK(std::equal(tail.begin(), tail.end(), content.begin() + static_cast<std::ptrdiff_t>(cut), content.end()));
    }
    auto far = content;
    crypto::mask_stream(mask, std::uint64_t{300} << 30, far);   // beyond 2^32 blocks
    CHECK(far != whole);
    crypto::mask_stream(mask, std::uint64_t{300} << 30, far);
    CHECK(far == content);
}

TEST_CASE("sizes of seeds are few") {
    CHECK(seed_bytes(0) == seed_bytes_min);
    CHECK(seed_bytes(1) == seed_bytes_min);
    CHECK(seed_bytes(seed_bytes_min) == seed_bytes_min);
    CHECK(seed_bytes(seed_bytes_min + 1) == 18432);
    CHECK(seed_bytes(seed_bytes_max) == seed_bytes_max);
    CHECK(seed_bytes(seed_bytes_max + 1) == 0);
    CHECK(seed_bytes(~std::uint64_t{0}) == 0);
    std::set<std::uint64_t> sizes;
    for (std::uint64_t n = 1; n < (1 << 20); n += 37) {
        const auto size = seed_bytes(n);
        CHECK(size >= n);
        CHECK((n < seed_bytes_min || size <= n + n / 8 + 1));
        CHECK(is_seed_size(size));
        CHECK_FALSE(is_seed_size(size + 1));
        sizes.insert(size);
    }
    CHECK(sizes.size() == 1 + 6 * 8);
    CHECK_FALSE(is_seed_size(0));
    CHECK_FALSE(is_seed_size(~std::uint64_t{0}));
}

TEST_CASE("texts survive mail clients and nothing else") {
    const pp::relay::relay_link link{relay_key, filled16(0x90), {"relay.example:41443", "[2001:db8::7]:41443"}};
    auto text = encode_link(link);
    CHECK(*decode_link(text) == link);
    CHECK(*decode_link("<" + text.substr(0, 40) + "\r\n  " + text.substr(40) + ">\n") == link);
    for (std::size_t i = 15; i < text.size(); ++i) {
        auto damaged = text;
        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        CHECK(decode_link(damaged) != result<pp::relay::relay_link>(link));
        CHECK_FALSE(decode_link(text.substr(0, i)).has_value());
    }
    CHECK_FALSE(decode_link("peerpost:relay/").has_value());
    CHECK_FALSE(decode_link(std::string(2000, 'A')).has_value());
    slot_address address{relay_key, bob_slot().id(), {"relay.example:41443", "[2001:db8::7]:41443"}};
    CHECK(*decode_address(encode_address(address)) == address);
    CHECK_FALSE(decode_address(text).has_value());
    address.endpoints = {"a.example:1", std::string(60, 'b') + ":2", "c.example:3"};
    const auto shorter = encode_address(address);
    CHECK(shorter.size() <= slot_address_bytes_max);
    CHECK(decode_address(shorter)->endpoints == std::vector<std::string>{"a.example:1", std::string(60, 'b') + ":2"});
    address.endpoints = {std::string(100, 'b')};
    CHECK(encode_address(address).empty());
}

namespace {
struct joining {
    join_session s;
    joining() { s.tick(wire::time_point(1h)); }
    std::optional<circuit_join> give(bytes_view in) {
        if (!in.empty()) s.received(in);
        auto e = s.next_event();
        return e ? std::optional(std::get<join_asked>(*e).who) : std::nullopt;
    }
};
}  // namespace

TEST_CASE("a circuit is joined in any pieces and then only bytes") {
    const circuit_join who{filled16(1), circuit_side::target, filled16(2)};
    auto wire = encode(who);
    CHECK(wire.size() == join_bytes);
    wire.push_back(std::byte{'T'});     // the first byte of what runs inside
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        joining j;
        auto asked = j.give(bytes_view(wire).first(cut));
        if (!asked) asked = j.give(bytes_view(wire).subspan(cut));
        else j.s.received(bytes_view(wire).subspan(cut));
        REQUIRE(asked);
        CHECK(*asked == who);
        j.s.answer(joined{true});
        CHECK_FALSE(j.s.next_event().has_value());
        CHECK(j.s.take_output() == bytes{std::byte{1}});
        CHECK(j.s.open());
        CHECK(j.s.early() == bytes{std::byte{'T'}});
        CHECK(j.s.finished());
    }
    for (std::size_t i = 0; i < 4; ++i) {
        joining j;
        auto wrong = encode(who);
        wrong[i] ^= std::byte{1};
        CHECK_FALSE(j.give(wrong));
        CHECK(j.s.finished());
        CHECK_FALSE(j.s.open());
    }
    joining refused;
    REQUIRE(refused.give(encode(who)));
    refused.s.answer(joined{false});
    CHECK_FALSE(refused.s.next_event().has_value());
    CHECK(refused.s.take_output() == bytes{std::byte{0}});
    CHECK_FALSE(refused.s.open());
    joining slow;
    CHECK_FALSE(slow.give(bytes_view(wire).first(5)));
    slow.s.tick(wire::time_point(1h) + join_timeout - 1ms);
    CHECK_FALSE(slow.give({}));
    CHECK_FALSE(slow.s.finished());
    slow.s.tick(wire::time_point(1h) + join_timeout);
    CHECK_FALSE(slow.give({}));
    CHECK(slow.s.finished());
}

TEST_CASE("a circuit is held to its limits") {
    const wire::time_point start(1h);
    circuit_meter m({1000, 100, 5000, 60s}, start);
    CHECK(m.allowance(start) == 1000);
    m.passed(1000);
    CHECK(m.allowance(start) == 0);
    CHECK(m.next() == start + 10001ms);
    CHECK(m.allowance(start + 1s) == 100);
    m.passed(100);
    CHECK(m.allowance(start + 1s) == 0);
    CHECK(m.allowance(start + 30s) == 1000);      // no more than the burst
    m.passed(1000);
    CHECK(m.allowance(start - 1h) == 0);          // time that runs backwards gives nothing
    CHECK_FALSE(m.spent(start + 59s));
    CHECK(m.spent(start + 60s));
    CHECK(m.allowance(start + 60s) == 0);
    circuit_meter whole({1 << 20, 1 << 20, 5000, 3600s}, start);
    CHECK(whole.allowance(start) == 5000);
    whole.passed(5000);
    CHECK(whole.spent(start));
    CHECK(whole.allowance(start + 10s) == 0);
    // Small steps do not lose what they gather.
    circuit_meter slow({1000, 10, 1 << 20, 3600s}, start);
    slow.passed(1000);
    std::uint64_t got = 0;
    for (int ms = 0; ms <= 100000; ms += 7) {
        const auto n = slow.allowance(start + std::chrono::milliseconds(ms));
        slow.passed(n);
        got += n;
    }
    CHECK(got >= 900);
    CHECK(got <= 1000);
}
