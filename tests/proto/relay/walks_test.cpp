// The three walks of a client against the real server machine: depositing, collecting, fetching.
#include "tests/proto/relay/memory_relay.hpp"

using namespace memory_relay;

namespace {

bytes item(std::uint8_t n) { return bytes(item_bytes, static_cast<std::byte>(n)); }
seed_secrets seed_of_mail() {
    return derive_seed(filled<crypto::blob_key>(0xd0), filled16(0xa0), relay_key, bob_slot().id());
}

// A relay with Bob's slot.
struct with_slot {
    relay_state state;
    with_slot() {
        relay_link link(state);
        state.slots[bob_slot().id()].settings = open_of(bob_slot(), filled16(0x30));
    }
};
deposit_options to_bob(std::optional<delivery_token> token, bytes what) {
    return {relay_key, bob_slot().id(), token, 0, std::move(what), std::nullopt};
}

}  // namespace

TEST_CASE("a slot is opened, filled, emptied") {
    relay_state state;
    {
        relay_link link(state);
        collector bob(collecting());
        const auto out = run(bob, link, [](auto&) { return true; });
        CHECK(out.over.how == ending::done);
        CHECK(state.slots.size() == 1);
        CHECK(link.server.attached().size() == 1);
    }
    for (std::uint8_t n = 0; n < 70; ++n) {   // each on a link of its own, as strangers to each other
        relay_link link(state);
        depositor alice(to_bob(token_for_bob(n), item(n)));
        REQUIRE(run(alice, link).how == ending::done);
        CHECK(link.server.attached().empty());
    }
    relay_link link(state);
    collector bob(collecting());
    const auto out = run(bob, link, [](auto& i) { return i.number % 7 != 0; }, 2);
    CHECK(out.over.how == ending::done);
    REQUIRE(out.items.size() == 70 + 10);              // what was not durable is shown again in the next round
    for (std::size_t i = 0; i < 70; ++i) {
        CHECK(out.items[i].item == item(static_cast<std::uint8_t>(i)));
        CHECK(out.items[i].paid_by == token_for_bob(static_cast<std::uint8_t>(i)).serial);
    }
    CHECK(state.slots.begin()->second.items.size() == 10);
}

TEST_CASE("nothing is deleted before it is called durable") {
    with_slot relay;
    relay_link one(relay.state);
    depositor alice(to_bob(token_for_bob(), item(1)));
    REQUIRE(run(alice, one).how == ending::done);
    relay_link two(relay.state);
    collector bob(collecting());
    const auto out = run(bob, two, [](auto&) { return false; });
    CHECK(out.items.size() == 1);
    CHECK(relay.state.slots.begin()->second.items.size() == 1);
    CHECK(std::count(relay.state.told.begin(), relay.state.told.end(), "erase") == 0);
}

TEST_CASE("a mail's ciphertext goes through a relay and is deleted with proof") {
    for (const std::size_t size : {std::size_t{1}, std::size_t{584}, std::size_t{16384}, std::size_t{16385},
                                   std::size_t{300000}, std::size_t{3000000}}) {
        INFO(size << " bytes");
        with_slot relay;
        const auto content = pattern(size, 3);
        relay_link one(relay.state);
        auto options = to_bob(token_for_bob(), item(1));
        options.body = deposit_options::seed{seed_of_mail(), size};
        depositor alice(std::move(options));
        const auto left = run(alice, one, content);
        REQUIRE(left.how == ending::done);
        CHECK(left.seeded);
        const auto& kept = relay.state.seeds.begin()->second;
        CHECK(kept.data.size() == seed_bytes(size));
        CHECK(is_seed_size(kept.data.size()));
        if (size >= 64)
            CHECK(std::search(kept.data.begin(), kept.data.end(), content.begin(), content.begin() + 64) ==
                  kept.data.end());
        // All but the last piece, then on from there.
        relay_link two(relay.state);
        bytes got;
        seed_fetch first({seed_of_mail(), size, 0});
        const auto half = run(first, two, got, size);
        CHECK(half.how == ending::unwilling);
        CHECK(half.have_bytes == (size - 1) / piece_bytes_max * piece_bytes_max);
        seed_fetch rest({seed_of_mail(), size, half.have_bytes});
        CHECK(run(rest, two, got).how == ending::done);
        CHECK((got == content));   // three megabytes are not to be printed
        const request wrong = seed_delete_request{seed_of_mail().where, filled<deletion_secret>(9)};
        CHECK(two.status_of<done_reply>(wrong) == status::bad_proof);
        const request right = seed_delete_request{seed_of_mail().where, seed_of_mail().deletion};
        CHECK(two.status_of<done_reply>(right) == status::ok);
        CHECK(relay.state.seeds.begin()->second.data.empty());
        // The sender, wanting to keep it longer, learns that it is not needed any more.
        relay_link three(relay.state);
        auto again = to_bob(token_for_bob(1), {});
        again.body = deposit_options::seed{seed_of_mail(), size};
        depositor renew(std::move(again));
        const auto told = run(renew, three, content);
        CHECK(told.how == ending::done);
        CHECK(told.fetched);
    }
}

TEST_CASE("a deposit that is cut anywhere is done by doing it again") {
    const auto content = pattern(1500000, 5);
    int cuts = 0;
    std::uint64_t moved_most = 0;
    for (int limit = 0;; ++limit) {
        with_slot relay;
        deposit_over over;
        std::uint64_t moved = 0;
        for (int tries = 0; tries < 2; ++tries) {
            relay_link link(relay.state, static_cast<std::uint8_t>(tries));
            if (tries == 0) link.cut_after = limit;
            auto options = to_bob(token_for_bob(), item(1));
            options.body = deposit_options::seed{seed_of_mail(), content.size()};
            depositor alice(std::move(options));
            over = run(alice, link, content);
            moved += over.moved_bytes;
            if (tries == 0 && over.how == ending::done) break;
            if (tries == 0) {
                CHECK(over.how == ending::lost);
                CHECK(over.moved_bytes >= moved_most);
                moved_most = over.moved_bytes;
                ++cuts;
            }
        }
        CHECK(over.how == ending::done);
        CHECK(relay.state.seeds.begin()->second.phase == seed_phase::whole);
        CHECK(relay.state.seed_bytes_written == seed_bytes(content.size()));   // nothing was sent twice
        CHECK(moved == seed_bytes(content.size()));
        CHECK(relay.state.slots.begin()->second.items.size() == 1);
        if (cuts < limit) break;
    }
    CHECK(moved_most == seed_bytes(content.size()));   // DEPOSIT alone was lost
    CHECK(cuts == 9);   // INFO, BEGIN, 6 pieces, DEPOSIT
}

TEST_CASE("an upload goes on where the relay has bytes, not where it ended") {
    with_slot relay;
    relay.state.forget_at = 600000;
    const auto content = pattern(1000000, 5);
    relay_link link(relay.state);
    auto options = to_bob(token_for_bob(), item(1));
    options.body = deposit_options::seed{seed_of_mail(), content.size()};
    depositor alice(std::move(options));
    CHECK(run(alice, link, content).how == ending::done);
    bytes got;
    seed_fetch bob({seed_of_mail(), content.size(), 0});
    CHECK(run(bob, link, got).how == ending::done);
    CHECK((got == content));   // three megabytes are not to be printed
}

TEST_CASE("a relay that always loses bytes ends the walk") {
    with_slot relay;
    auto options = to_bob(token_for_bob(), item(1));
    options.body = deposit_options::seed{seed_of_mail(), 100000};
    depositor alice(std::move(options));
    int asked = 0;
    for (;;) {
        auto e = alice.next_event();
        REQUIRE(e.has_value());
        REQUIRE(++asked < 1000);
        if (auto* q = std::get_if<ask_relay>(&*e)) {
            const auto r = decode_request(q->message);
            REQUIRE(r.has_value());
            relay_link link(relay.state);
            if (operation_of(*r) == operation::seed_put)
                alice.answer(result<bytes>(encode(refusal{status::wrong_offset, 0})));
            else alice.answer(link.ask(std::move(q->message)));
        } else if (auto* p = std::get_if<seed_piece_wanted>(&*e)) {
            alice.answer(result<bytes>(bytes(p->length_bytes)));
        } else {
            CHECK(std::get<deposit_over>(*e).how == ending::lost);
            break;
        }
    }
}

TEST_CASE("a stranger works, and only as much as she wants") {
    with_slot relay;
    relay_link link(relay.state);
    depositor unwilling(to_bob(std::nullopt, item(1)));
    CHECK(run(unwilling, link).how == ending::unwilling);
    auto options = to_bob(std::nullopt, item(1));
    options.work_bits_max = 4;
    depositor willing(std::move(options));
    CHECK(run(willing, link).how == ending::done);
    CHECK(relay.state.work_checks == 1);
    const auto& items = relay.state.slots.begin()->second.items;
    REQUIRE(items.size() == 1);
    CHECK(items.begin()->second.paid_by == token_serial{});
}

TEST_CASE("a token that was spent is replaced by work") {
    with_slot relay;
    relay_link link(relay.state);
    depositor one(to_bob(token_for_bob(), item(1)));
    CHECK(run(one, link).how == ending::done);
    depositor two(to_bob(token_for_bob(), item(2)));
    const auto over = run(two, link);
    CHECK(over.how == ending::unwilling);
    auto options = to_bob(token_for_bob(), item(3));
    options.work_bits_max = 4;
    depositor three(std::move(options));
    CHECK(run(three, link).how == ending::done);
}

TEST_CASE("a full slot keeps the oldest and refuses the newest") {
    with_slot relay;
    relay.state.items_max = 1;
    relay_link link(relay.state);
    depositor one(to_bob(token_for_bob(0), item(1)));
    CHECK(run(one, link).how == ending::done);
    depositor two(to_bob(token_for_bob(1), item(2)));
    const auto over = run(two, link);
    CHECK(over.how == ending::refused);
    CHECK(over.why.why == status::full);
    CHECK(over.why.retry_after_s == 60);
    CHECK(relay.state.slots.begin()->second.items.begin()->second.item == item(1));
}

TEST_CASE("what a full relay has of a seed when it refuses the rest is known to lie there") {
    const auto content = pattern(300000, 5);
    for (const std::uint64_t room : {0, 200000}) {
        with_slot relay;
        relay.state.disk_bytes = room;
        relay_link link(relay.state);
        auto options = to_bob(token_for_bob(), item(1));
        options.body = deposit_options::seed{seed_of_mail(), content.size()};
        depositor alice(std::move(options));
        const auto over = run(alice, link, content);
        CHECK(over.how == ending::refused);
        CHECK(over.why.why == status::relay_full);
        CHECK(over.begun);
        CHECK_FALSE(over.seeded);
        CHECK(relay.state.seeds.size() == 1);
    }
    with_slot relay;
    relay_link link(relay.state);
    depositor alice(to_bob(token_for_bob(), item(1)));   // no seed at all
    CHECK_FALSE(run(alice, link).begun);
}

TEST_CASE("a slot is opened for work where the policy asks for it") {
    relay_state state;
    state.policy = {status::work_needed};
    relay_link link(state);
    collector lazy(collecting());
    CHECK(run(lazy, link, [](auto&) { return true; }).over.how == ending::unwilling);
    collector bob(collecting(4));
    CHECK(run(bob, link, [](auto&) { return true; }).over.how == ending::done);
    CHECK(state.slots.size() == 1);
    state.policy = {status::refused};
    state.slots.clear();
    collector nobody(collecting(4));
    const auto out = run(nobody, link, [](auto&) { return true; });
    CHECK(out.over.how == ending::refused);
    CHECK(out.over.why.why == status::refused);
}

TEST_CASE("an open relay that has forgotten an invite takes work instead, another one does not") {
    for (const auto policy : {serving::open, serving::invited}) {
        relay_state state;
        state.announced.policy = policy;
        state.policy = {status::work_needed};
        state.knows_invites = false;
        relay_link link(state);
        auto options = collecting(4);
        options.invite.fill(std::byte{5});
        collector bob(std::move(options));
        const auto out = run(bob, link, [](auto&) { return true; });
        CHECK(out.over.how == (policy == serving::open ? ending::done : ending::refused));
        CHECK(state.slots.size() == (policy == serving::open ? 1u : 0u));
    }
}

TEST_CASE("walks end when a relay talks nonsense") {
    for (const auto& nonsense :
         {bytes{}, bytes{std::byte{0}}, bytes(5, std::byte{0xff}), bytes(100, std::byte{0}), encode(list_reply{})}) {
        depositor d(to_bob(token_for_bob(), item(1)));
        auto e = d.next_event();
        d.answer(result<bytes>(nonsense));
        e = d.next_event();
        CHECK(std::get<deposit_over>(*e).how == ending::lost);
        collector c(collecting());
        auto f = c.next_event();
        c.answer(result<bytes>(nonsense));
        f = c.next_event();
        CHECK(std::get<collect_over>(*f).how == ending::lost);
        seed_fetch s({seed_of_mail(), 100, 0});
        auto g = s.next_event();
        s.answer(result<bytes>(nonsense));
        g = s.next_event();
        CHECK(std::get<fetch_over>(*g).how == ending::lost);
    }
}

TEST_CASE("a relay that gives a seed in smaller pieces than it was asked for is left") {
    const std::size_t size = 300000;
    for (const std::size_t given : {std::size_t{1}, piece_bytes_max - 1, piece_bytes_max}) {
        seed_fetch s({seed_of_mail(), size, 0});
        auto e = s.next_event();
        s.answer(result<bytes>(encode(seed_piece_reply{seed_bytes(size), bytes(given)})));
        e = s.next_event();
        const auto* over = std::get_if<fetch_over>(&*e);
        CHECK((over != nullptr) == (given < piece_bytes_max));
        if (over) CHECK(over->how == ending::lost);
    }
}

TEST_CASE("polls come at random, within bounds") {
    CHECK(poll_pause(300, 0.0) == std::chrono::seconds(75));
    CHECK(poll_pause(300, 0.999999) == std::chrono::seconds(900));
    CHECK(poll_pause(0, 0.5) >= std::chrono::milliseconds(2500));
    double sum = 0;
    for (int i = 0; i < 1000; ++i) sum += static_cast<double>(poll_pause(300, i / 1000.0).count());
    CHECK(sum / 1000 > 270000);
    CHECK(sum / 1000 < 330000);
}
