#include "daemon/engine/contacts.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <limits>
#include <set>

using namespace pp;
using namespace pp::engine;

namespace {

constexpr peer::unix_s day = 86400;
const peer::invite_link invitation{people::alice().record(), people::filled16(0x90), people::now + day};

bytes record_with(std::uint64_t sequence, std::vector<std::string> endpoints, std::string name = "Alice") {
    auto r = people::alice().record();
    r.sequence = sequence;
    r.endpoints = std::move(endpoints);
    r.name = std::move(name);
    peer::sign(r, people::alice().account);
    return peer::encode(r);
}

}  // namespace

TEST_CASE("an invite makes an accepted contact that still owes its token") {
    const auto c = contact_from_invite(invitation, people::now);
    REQUIRE(c);
    CHECK(c->account == people::alice().address());
    CHECK(c->name == "Alice");
    CHECK(c->accepted);
    CHECK(c->how == storage::known_by::invite_used);
    CHECK(c->endpoints.size() == 2);
    CHECK(c->invite_token == to_bytes(bytes_view(invitation.token)));
    CHECK(c->record == peer::encode(invitation.record));
    CHECK(contact_from_invite(invitation, people::now + day - 1));
    CHECK(contact_from_invite(invitation, people::now + day).error() == peer::errc::expired);
}

TEST_CASE("adding somebody who is known keeps what is known") {
    auto known = contact_from_record(invitation.record, storage::known_by::request, people::now - day);
    CHECK_FALSE(known.accepted);
    known.name = "Al";
    known.blocked = true;
    REQUIRE(endpoint_worked(known, "10.0.0.1:5"));
    const auto fresh = *contact_from_invite(invitation, people::now);
    auto c = added_again(known, fresh, people::now * 1000);
    CHECK(c.accepted);
    CHECK_FALSE(c.blocked);
    CHECK(c.name == "Al");
    CHECK(c.endpoints == std::vector<std::string>{fresh.endpoints[0], fresh.endpoints[1], "10.0.0.1:5"});
    CHECK(c.since == known.since);
    CHECK(c.how == storage::known_by::invite_used);
    CHECK(c.record == known.record);
    CHECK(c.invite_token == fresh.invite_token);

    storage::contact by_address;                       // says nothing but who she is
    by_address.account = known.account;
    CHECK(added_again(c, by_address, people::now * 1000).record == c.record);
    CHECK(added_again(c, by_address, people::now * 1000).invite_token == c.invite_token);
    CHECK(added_again(c, by_address, people::now * 1000).how == storage::known_by::invite_used);

    auto later = fresh;
    later.name = "Alice B";
    later.record = record_with(invitation.record.sequence + 1, {}, "Alice B");
    CHECK(added_again(c, later, people::now * 1000).record == later.record);
    CHECK(added_again(c, later, people::now * 1000).name == "Al");          // given by the user
    CHECK(added_again(fresh, later, people::now * 1000).name == "Alice B");
    CHECK(added_again(later, fresh, people::now * 1000).record == later.record);
}

TEST_CASE("a record counts when it is newer, right and of this account") {
    auto c = *contact_from_invite(invitation, people::now);
    const auto newer = record_with(invitation.record.sequence + 1, {"203.0.113.4:1"}, "Alice B");
    const auto merged = merge_record(c, newer, people::now);
    REQUIRE(merged);
    CHECK(*merged);
    CHECK(c.record == newer);
    CHECK(c.name == "Alice B");   // she calls herself otherwise now
    CHECK(c.endpoints.front() == "203.0.113.4:1");
    CHECK(c.endpoints.size() == 3);
    CHECK_FALSE(*merge_record(c, newer, people::now));
    CHECK_FALSE(*merge_record(c, record_with(invitation.record.sequence, {"198.51.100.1:1"}), people::now));
    CHECK(c.record == newer);

    auto forged = record_with(invitation.record.sequence + 9, {"198.51.100.1:1"});
    forged[60] ^= std::byte{1};
    CHECK_FALSE(merge_record(c, forged, people::now));
    CHECK(merge_record(c, peer::encode(people::bob().record()), people::now).error() == peer::errc::wrong_peer);
    CHECK_FALSE(merge_record(c, {}, people::now));
    CHECK(c.record == newer);
    for (std::uint64_t i = 2; i < 40; ++i)
        CHECK(*merge_record(c, record_with(invitation.record.sequence + i, {"203.0.113.4:" + std::to_string(i)}),
                            people::now));
    CHECK(c.endpoints.size() == contact_endpoints_max);
}

TEST_CASE("a contact's own name follows it, a name the user has given stays") {
    auto c = *contact_from_invite(invitation, people::now);
    const auto after = [&](std::uint64_t later, const std::string& name) {
        REQUIRE(*merge_record(c, record_with(invitation.record.sequence + later, {}, name), people::now));
        return c.name;
    };
    CHECK(after(1, "Alice B") == "Alice B");
    CHECK(after(2, "Alice C") == "Alice C");
    CHECK(after(3, "") == "Alice C");          // without one, what she was called before
    c.name = "Sister";
    CHECK(after(5, "Alice E") == "Sister");
    c.name.clear();
    CHECK(after(6, "Alice F") == "Alice F");
    CHECK_FALSE(*merge_record(c, record_with(invitation.record.sequence, {}, "Alice A"), people::now));
    CHECK(c.name == "Alice F");
}

TEST_CASE("an invite is good once, and until its date") {
    storage::invite i;
    i.expires_at = 1000;
    i.uses_left = 2;
    const auto left = use_invite(i, 1000);
    REQUIRE(left);
    CHECK(left->uses_left == 1);
    CHECK(use_invite(*left, 1000)->uses_left == 0);
    CHECK_FALSE(use_invite(use_invite(*left, 1000), 1000));
    CHECK_FALSE(use_invite(i, 1001));
    CHECK_FALSE(use_invite(std::nullopt, 0));
}

TEST_CASE("prekeys are renewed each week and outlive the mail sealed to them") {
    auto plan = plan_prekeys({}, people::now);
    CHECK(plan.make_new);
    CHECK(plan.new_id > 0);
    std::vector<prekey_age> ours;
    std::size_t most = 0;
    for (peer::unix_s now = people::now; now < people::now + 200 * day; now += day) {
        plan = plan_prekeys(ours, now);
        for (const auto id : plan.forget) {
            const auto old = std::find_if(ours.begin(), ours.end(), [&](const prekey_age& p) { return p.id == id; });
            REQUIRE(old != ours.end());
            CHECK(now > prekey_not_after(old->made_at) + 6 * day);
            ours.erase(old);
        }
        if (plan.make_new) {
            for (const auto& p : ours) CHECK(p.id < plan.new_id);
            ours.insert(ours.begin(), {plan.new_id, now});
        }
        CHECK(now - ours.front().made_at < 7 * day);
        most = std::max(most, ours.size());
    }
    CHECK(most == 7);
    const prekey_age future[] = {{5, people::now + 3650 * day}};
    CHECK(plan_prekeys(future, people::now).make_new);      // the clock was wrong
    CHECK(plan_prekeys(future, people::now).new_id == 6);
    CHECK(plan_prekeys(future, people::now).forget.empty());
}

TEST_CASE("after a recovery no prekey has the id of one before it") {
    std::set<std::uint32_t> given;
    for (const auto begun : {people::now, people::now + day / 1440, people::now + 30 * day, people::now + 400 * day}) {
        std::vector<prekey_age> ours;                        // nothing is known of earlier lives
        for (auto now = begun; now < begun + 29 * day; now += day) {
            const auto plan = plan_prekeys(ours, now);
            if (!plan.make_new) continue;
            CHECK(given.insert(plan.new_id).second);
            ours.insert(ours.begin(), {plan.new_id, now});
        }
    }
    for (const peer::unix_s odd : {peer::unix_s{-5}, peer::unix_s{0}, std::numeric_limits<peer::unix_s>::max() / 2}) {
        const auto id = plan_prekeys({}, odd).new_id;        // clocks that are wrong
        CHECK(id > 0);
        CHECK(id <= first_prekey_id_max);
    }
}

TEST_CASE("the newest prekey that is still good is used") {
    auto r = people::alice().record();
    REQUIRE(usable_prekey(r, people::now));
    CHECK(usable_prekey(r, people::now)->id == 7);
    r.prekeys.insert(r.prekeys.begin(), {8, r.prekeys[0].key, people::now - 1});
    CHECK(usable_prekey(r, people::now)->id == 7);
    CHECK_FALSE(usable_prekey(r, people::later + 1));
}

TEST_CASE("our record grows whatever the clock says") {
    own_record_values values;
    values.name = "Alice";
    values.devices = {people::alice().certificate()};
    values.endpoints = {"192.0.2.1:1"};
    auto r = make_own_record(values, people::alice().account, 5000);
    CHECK(r.sequence == 5000);
    CHECK(peer::verify(r, people::now));
    CHECK(r.account == people::alice().address());
    values.last_sequence = 9000;
    CHECK(make_own_record(values, people::alice().account, 5000).sequence == 9001);
    CHECK(make_own_record(values, people::alice().account, -7).sequence == 9001);
}
