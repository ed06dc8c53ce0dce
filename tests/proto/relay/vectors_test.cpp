// The bytes of version 1 are those of proto/relay/SPEC.md: each block ```hex name there against what the code makes
// from fixed keys. A failing line here means that relays in the field would no longer be understood.
#include "proto/relay/address.hpp"
#include "proto/relay/circuit.hpp"
#include "proto/wire/byte_writer.hpp"
#include "tests/proto/relay/memory_relay.hpp"
#include "tests/proto/specification.hpp"

#include <iostream>

using namespace memory_relay;

namespace {

constexpr std::uint64_t work_solution = 11;
work a_work() {
    return {filled16(0x30), filled<slot_id>(0x4a), work_purpose::item, filled<crypto::hash256>(0), 8};
}

bytes seed_secret_bytes() {
    const auto s = derive_seed(filled<crypto::blob_key>(0xd0), filled16(0xa0), relay_key, bob_slot().id());
    wire::byte_writer out;
    return out.fixed(s.where).fixed(s.deletion).raw(s.mask.view()).take();
}

std::map<std::string, bytes> made() {
    const auto nonce = filled16(0x30);
    const auto bob = bob_slot();
    relay_state state;
    auto info = state.announced;
    info.nonce = nonce;
    info.stranger_bits = 8;
    std::map<std::string, bytes> v;
    v["refusal"] = encode(refusal{status::full, 60});
    v["info-request"] = encode(request(info_request{filled<slot_id>(0x4a)}));
    v["info-reply"] = encode(info);
    v["open-request"] = encode(request(open_of(bob, nonce, 8)));
    v["attach-request"] = encode(request(attach_of(bob, nonce)));
    auto deposit = encode(request(deposit_request{bob.id(), token_for_bob(), bytes(item_bytes)}));
    deposit.resize(deposit.size() - item_bytes);
    v["deposit-request-begin"] = deposit;
    const auto t = token_for_bob();
    v["token"] = wire::byte_writer().fixed(t.serial).u16(t.week).raw(bytes_view(t.mac)).take();
    v["seed-secrets"] = seed_secret_bytes();
    v["seed-begin-request"] = encode(request(
        seed_begin_request{bob.id(), work_payment{77}, filled<locator>(0x60), 18432, filled<crypto::hash256>(0x80)}));
    v["seed-reply"] = encode(seed_reply{seed_phase::partial, 18432, 4096, 86400});
    v["seed-put-request"] = encode(request(seed_put_request{filled<locator>(0x60), 4096, pattern(5, 1)}));
    v["seed-get-request"] = encode(request(seed_get_request{filled<locator>(0x60), 4096, 262144}));
    v["news"] = encode(pushed(news_request{filled<slot_id>(0x4a)}));
    v["join"] = encode(circuit_join{filled16(0x10), circuit_side::target, filled16(0x20)});
    return v;
}
pp::relay::relay_link a_link() { return {relay_key, filled16(0x90), {"relay.example:41443"}}; }
slot_address an_address() { return {relay_key, bob_slot().id(), {"relay.example:41443"}}; }

}  // namespace

TEST_CASE("relay version 1 keeps its bytes", "[wire][golden]") {
    auto spec = pp::test::blocks_of_specification(PEERPOST_SOURCE_DIR "/proto/relay/SPEC.md");
    REQUIRE(spec.size() > 10);
    for (const auto& [name, value] : made()) {
        INFO(name << " " << crypto::hex(value));
        CHECK(crypto::hex(value) == spec[name]);
        spec.erase(name);
    }
    CHECK(encode_link(a_link()) == spec["link"]);
    CHECK(encode_address(an_address()) == spec["address"]);
    spec.erase("link");
    spec.erase("address");
    CHECK(is_solved(a_work(), work_solution));
    CHECK(spec["work"].ends_with("solution" + std::to_string(work_solution)));
    spec.erase("work");
    CHECK(spec.empty());                    // every vector of the specification is tested
}

TEST_CASE("what the relay's vectors say is understood", "[wire][golden]") {
    for (const auto& [name, value] : made()) {
        INFO(name);
        if (name.ends_with("request")) {
            const auto r = decode_request(value);
            REQUIRE(r.has_value());
            CHECK(encode(*r) == value);
            for (std::size_t n = 0; n < value.size(); ++n)
                CHECK_FALSE(decode_request(bytes_view(value).first(n)).has_value());
            auto longer = value;
            longer.push_back(std::byte{0});
            CHECK_FALSE(decode_request(longer).has_value());
        }
    }
    CHECK(*decode_link(encode_link(a_link())) == a_link());
    CHECK(*decode_join(made()["join"]) == circuit_join{filled16(0x10), circuit_side::target, filled16(0x20)});
    CHECK(std::get<news_request>(*decode_pushed(made()["news"])).slot == filled<slot_id>(0x4a));
}

TEST_CASE("replies have one encoding", "[wire]") {
    const auto both = [](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        const auto wire = encode(value);
        const auto back = decode_reply<T>(wire);
        REQUIRE(back.has_value());
        CHECK(std::get<T>(*back) == value);
        for (std::size_t n = 0; n < wire.size(); ++n)
            CHECK_FALSE(decode_reply<T>(bytes_view(wire).first(n)).has_value());
        auto longer = wire;
        longer.push_back(std::byte{0});
        CHECK_FALSE(decode_reply<T>(longer).has_value());
        const auto no = encode(refusal{status::busy, 7});
        CHECK(std::get<refusal>(*decode_reply<T>(no)) == refusal{status::busy, 7});
    };
    both(relay_state().announced);
    both(done_reply{});
    both(attach_reply{3, 4});
    both(list_reply{true, {{1, filled<token_serial>(1), pattern(item_bytes, 1)}, {9, {}, pattern(item_bytes, 2)}}});
    both(deposit_reply{5});
    both(seed_reply{seed_phase::whole, 16384, 16384, 1});
    both(seed_piece_reply{16384, pattern(100, 3)});
    both(reserve_reply{60, "[2001:db8::7]:4"});
    both(connect_reply{filled16(1), filled16(2), 3, 4, 5});
    // What no relay would say.
    auto wire = encode(list_reply{false, {{9, {}, pattern(item_bytes, 1)}, {9, {}, pattern(item_bytes, 2)}}});
    CHECK_FALSE(decode_reply<list_reply>(wire).has_value());
    CHECK_FALSE(decode_reply<list_reply>(encode(list_reply{true, {}})).has_value());
    CHECK_FALSE(decode_reply<seed_reply>(encode(seed_reply{seed_phase::whole, 16384, 16383, 1})).has_value());
    CHECK_FALSE(decode_reply<seed_reply>(encode(seed_reply{seed_phase::partial, 16385, 1, 1})).has_value());
    CHECK_FALSE(decode_reply<done_reply>(bytes{std::byte{14}, {}, {}, {}, {}}).has_value());
}
