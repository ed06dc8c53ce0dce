// The relay's machine: proofs, limits and what it tells whom.
#include "tests/proto/relay/memory_relay.hpp"

using namespace memory_relay;

namespace {

const array16 nonce = filled16(0x30);
bytes item(std::uint8_t n) { return bytes(item_bytes, static_cast<std::byte>(n)); }
struct fixture {
    relay_state state;
    relay_link link{state};
    slot_id bob = bob_slot().id();
    void open() { REQUIRE(link.status_of<done_reply>(open_of(bob_slot(), nonce)) == status::ok); }
    void attach() { REQUIRE(link.status_of<attach_reply>(attach_of(bob_slot(), nonce)) == status::ok); }
    status deposit(payment paid, bytes what) {
        return link.status_of<deposit_reply>(deposit_request{bob, paid, std::move(what)});
    }
};

}  // namespace

TEST_CASE_METHOD(fixture, "INFO tells nobody which slots there are") {
    const auto before = link.raw(encode(request(info_request{bob})));
    open();
    relay_state other;
    relay_link elsewhere(other);
    CHECK(before == elsewhere.raw(encode(request(info_request{}))));
    const auto answer = std::get<info_reply>(link.get<info_reply>(info_request{bob}));
    CHECK(answer.nonce == nonce);
    CHECK(answer.stranger_bits == 1);
}

TEST_CASE_METHOD(fixture, "ownership is proved on this link, to this relay") {
    open();
    // another link
    CHECK(link.status_of<attach_reply>(attach_of(bob_slot(), filled16(0x31))) == status::bad_proof);
    // another relay
    CHECK(link.status_of<attach_reply>(attach_of(bob_slot(), nonce, filled<account_key>(2))) == status::bad_proof);
    CHECK(link.status_of<list_reply>(list_request{bob, 0, 1}) == status::not_attached);
    CHECK(link.status_of<done_reply>(erase_request{bob, {1}}) == status::not_attached);
    CHECK(link.status_of<done_reply>(close_request{bob}) == status::not_attached);
    attach();
    CHECK(link.status_of<list_reply>(list_request{bob, 0, 1}) == status::ok);
    relay_link second(state, 0x31);
    CHECK(second.status_of<list_reply>(list_request{bob, 0, 1}) == status::not_attached);
    CHECK(link.status_of<done_reply>(close_request{bob}) == status::ok);
    CHECK(link.server.attached().empty());
    CHECK(link.status_of<attach_reply>(attach_of(bob_slot(), nonce)) == status::no_slot);
}

TEST_CASE_METHOD(fixture, "settings are signed as a whole") {
    for (int field = 0; field < 5; ++field) {
        relay_link fresh(state);
        auto r = open_of(bob_slot(), nonce);
        if (field == 0) r.tokens = filled<token_key>(1);
        if (field == 1) r.previous_tokens = filled<token_key>(1);
        if (field == 2) r.stranger_bits = 7;
        if (field == 3) r.invite = filled16(1);
        if (field == 4) r.key = filled<slot_key>(1);
        CHECK(fresh.status_of<done_reply>(r) == status::bad_proof);
    }
    CHECK(state.slots.empty());
}

TEST_CASE_METHOD(fixture, "tokens") {
    open();
    const auto good = token_for_bob();
    CHECK(deposit(good, item(1)) == status::ok);
    auto wrong = good;
    wrong.mac[15] ^= std::byte{1};
    CHECK(deposit(wrong, item(2)) == status::work_needed);
    wrong = good;
    wrong.serial.data[3] ^= std::byte{1};
    CHECK(deposit(wrong, item(2)) == status::work_needed);
    wrong = good;
    ++wrong.week;
    CHECK(deposit(wrong, item(2)) == status::work_needed);
    const auto of_week = [&](int week, std::uint32_t generation) {
        const auto s = bob_slot(generation);
        return issue_token(s.id(), s.tokens, filled<token_serial>(static_cast<std::uint8_t>(week * 4 + generation)),
                           static_cast<std::uint16_t>(week_of(now) + week));
    };
    CHECK(deposit(of_week(0, 1), item(3)) == status::ok);
    CHECK(deposit(of_week(-1, 1), item(3)) == status::work_needed);
    CHECK(deposit(of_week(token_weeks_max, 1), item(4)) == status::ok);
    CHECK(deposit(of_week(token_weeks_max + 1, 1), item(4)) == status::work_needed);
    CHECK(deposit(of_week(1, 0), item(5)) == status::ok);              // the generation before
    REQUIRE(link.status_of<done_reply>(open_of(bob_slot(2), nonce)) == status::ok);
    CHECK(deposit(of_week(2, 0), item(6)) == status::work_needed);     // two before: revoked
    CHECK(deposit(of_week(2, 1), item(6)) == status::ok);
    // A slot without token keys takes no token, not one made with zeros either.
    auto none = open_of(bob_slot(), nonce);
    none.tokens = none.previous_tokens = {};
    none.sig = bob_slot().key.sign(signed_part(none, relay_key, nonce));
    REQUIRE(link.status_of<done_reply>(none) == status::ok);
    CHECK(deposit(issue_token(bob, {}, filled<token_serial>(5), week_of(now)), item(7)) == status::work_needed);
}

TEST_CASE_METHOD(fixture, "work is worth something once, here, for this") {
    open();
    const auto content = crypto::sha256(item(1));
    const work task{nonce, bob, work_purpose::item, content, 1};
    const auto good = *solve(task, [] { return true; });
    CHECK(deposit(work_payment{good}, item(1)) == status::ok);
    // One bit of work: a wrong task fits by chance in half of the cases, so look for one that does not.
    const auto fails = [&](work other, payment paid, bytes what) {
        other.bits = 1;
        if (!is_solved(other, std::get<work_payment>(paid).solution))
            CHECK(deposit(paid, std::move(what)) == status::work_needed);
    };
    work other = task;
    other.content = crypto::sha256(item(2));
    fails(other, work_payment{good}, item(2));
    CHECK_FALSE(is_solved({nonce, bob, work_purpose::item, content, work_bits_max}, good));
    CHECK_FALSE(is_solved({nonce, bob, work_purpose::item, content, 255}, good));
    CHECK_FALSE(solve({nonce, bob, work_purpose::item, content, 255}, [] { return true; }).has_value());
    CHECK_FALSE(solve({nonce, bob, work_purpose::item, content, work_bits_max}, [] { return false; }).has_value());
    auto closed = open_of(bob_slot(), nonce, work_closed);
    REQUIRE(link.status_of<done_reply>(closed) == status::ok);
    CHECK(deposit(work_payment{good}, item(1)) == status::refused);
}

TEST_CASE_METHOD(fixture, "who guesses is stopped") {
    open();
    auto wrong = token_for_bob();
    wrong.mac[0] ^= std::byte{1};
    for (std::uint32_t i = 0; i < failed_proofs_max; ++i) CHECK(deposit(wrong, item(1)) == status::work_needed);
    CHECK(deposit(token_for_bob(), item(1)) == status::refused);
    CHECK(link.status_of<info_reply>(info_request{}) == status::refused);
    relay_link fresh(state);
    CHECK(fresh.status_of<deposit_reply>(deposit_request{bob, token_for_bob(), item(1)}) == status::ok);
}

TEST_CASE_METHOD(fixture, "what does not decode is refused and changes nothing") {
    open();
    attach();
    const auto events = state.told.size();
    for (const auto& wire : {bytes{}, bytes{std::byte{0}}, bytes{std::byte{99}}, bytes(3000, std::byte{7}),
                             bytes(600000, std::byte{16}), encode(pushed(news_request{bob}))})
        CHECK(link.raw(wire) == encode(refusal{status::bad_request, 0}));
    CHECK(state.told.size() == events);
    CHECK(link.status_of<list_reply>(list_request{bob, 0, 1}) == status::ok);
}

TEST_CASE_METHOD(fixture, "a relay without seeds or circuits says so before it asks anybody") {
    open();
    state.announced.seed_total_max = 0;
    state.announced.reservation_s = 0;
    relay_link bare(state);
    const auto events = state.told.size();
    CHECK(bare.status_of<seed_reply>(seed_begin_request{bob, token_for_bob(), {}, seed_bytes_min, {}}) ==
          status::refused);
    CHECK(bare.status_of<reserve_reply>(reserve_request{60}) == status::refused);
    CHECK(bare.status_of<connect_reply>(connect_request{filled<circuit_tag>(0x70), false}) == status::refused);
    CHECK(state.told.size() == events);
    CHECK(link.status_of<seed_reply>(seed_begin_request{bob, token_for_bob(), {}, std::uint64_t{1} << 40, {}}) ==
          status::too_large);
    CHECK(std::get<reserve_reply>(link.get<reserve_reply>(reserve_request{3600})).observed == "192.0.2.7:50000");
    CHECK(link.status_of<connect_reply>(connect_request{filled<circuit_tag>(0x70), true}) == status::ok);
}

TEST_CASE_METHOD(fixture, "a link proves so many slots and no more") {
    for (std::uint8_t n = 0; n <= attached_slots_max; ++n) {
        const auto s = derive_slot(filled<crypto::account_seed>(n), relay_key, 0);
        REQUIRE(link.status_of<done_reply>(open_of(s, nonce)) == status::ok);
        CHECK(link.status_of<attach_reply>(attach_of(s, nonce)) ==
              (n < attached_slots_max ? status::ok : status::busy));
        if (n == 0) CHECK(link.status_of<attach_reply>(attach_of(s, nonce)) == status::ok);   // again is no second one
    }
    CHECK(link.server.attached().size() == attached_slots_max);
    link.server.link_ended();
    CHECK_FALSE(link.server.next_event().has_value());
    CHECK(link.server.finished());
}
