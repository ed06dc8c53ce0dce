// 06-security 6.1.4: 100 000 requests from 100 000 keys neither fill the disk nor hide a contact's mail.
#include "daemon/engine/inbox.hpp"
#include "daemon/engine/requests.hpp"
#include "daemon/engine/strangers.hpp"
#include "tests/engine/accounts.hpp"

#include <catch2/catch.hpp>

#include <cstring>

using namespace pp;
using namespace pp::engine;

namespace {

constexpr storage::unix_ms start = 1'767'225'600'000;

crypto::account_key key_number(std::uint32_t n) {
    crypto::account_key k;
    std::memcpy(k.data.data(), &n, sizeof n);
    return k;
}
storage::id16 id_number(std::uint32_t n) {
    storage::id16 id{};
    std::memcpy(id.data(), &n, sizeof n);
    return id;
}
std::string address_number(std::uint32_t n) {
    return std::to_string(20 + n % 200) + "." + std::to_string(n / 200 % 250) + ".7.8:41443";
}

}  // namespace

TEST_CASE("100 000 requests from 100 000 keys") {
    for (const storage::unix_ms spread : {60'000, 10 * 3'600'000}) {   // within a minute, within ten hours
        stranger_gate gate(8);
        storage::mailbox requests;
        std::uint32_t passed = 0, full = 0;
        std::uint8_t most_bits = 0;
        for (std::uint32_t n = 0; n < 100'000; ++n) {
            const auto now = start + spread * n / 100'000;
            most_bits = std::max(most_bits, gate.work_bits(now));
            if (gate.admit(key_number(n), source_prefix(address_number(n)), now)) continue;
            ++passed;
            const auto bytes = n % 3 == 0 ? request_bytes_max : 50'000;
            if (!gate.reserve(id_number(n), key_number(n), bytes, requests)) {
                ++full;
                continue;
            }
            if (n % 2 == 0) {                                          // fetched and stored; the others never come
                gate.release(id_number(n));
                ++requests.messages;
                requests.size_bytes += bytes;
            }
            CHECK(requests.size_bytes <= requests_bytes_max);
            CHECK(requests.messages <= requests_mails_max);
        }
        CHECK(passed <= requests_per_hour_max * (1 + spread / request_hour_ms));
        CHECK(full > 0);
        CHECK(most_bits == 8 + raised_bits_max);
        CHECK(gate.tracked() <= 3 * 24 * requests_per_hour_max);
        // Somebody known is not asked for anything of that.
        inbox_facts facts;
        facts.mail_bytes_max = 100ull << 20;
        facts.room_for_requests = has_room_for_requests(requests);
        facts.sender = storage::contact();
        const auto known = decide_by_policy(facts, 50ull << 20);
        CHECK((known.action == inbox_action::store && known.mailbox == inbox_name));
    }
}

TEST_CASE("one key, one network") {
    stranger_gate gate(8);
    const auto one = key_number(1);
    for (std::uint32_t i = 0; i < requests_per_key_max; ++i) CHECK_FALSE(gate.admit(one, "", start + i));
    REQUIRE(gate.admit(one, "", start + 1000));
    CHECK(gate.admit(one, "", start + 1000)->find("day") != std::string_view::npos);
    CHECK_FALSE(gate.admit(key_number(2), "", start + 1000));
    CHECK_FALSE(gate.admit(one, "", start + request_day_ms));
    const auto prefix = source_prefix("192.0.2.7:1");
    for (std::uint32_t i = 0; i < requests_per_prefix_max; ++i)
        CHECK_FALSE(gate.admit(key_number(100 + i), prefix, start + request_day_ms));
    CHECK(gate.admit(key_number(99), source_prefix("192.0.2.200:2"), start + request_day_ms));
    CHECK_FALSE(gate.admit(key_number(99), source_prefix("192.0.3.7:1"), start + request_day_ms));
    CHECK_FALSE(gate.admit(key_number(98), prefix, start + request_day_ms + request_hour_ms));
    CHECK_FALSE(gate.admit(key_number(97), prefix, start));            // a clock put back begins anew
}

TEST_CASE("what is one source") {
    CHECK(source_prefix("192.0.2.7:1") == source_prefix("192.0.2.99:5"));
    CHECK(source_prefix("192.0.2.7:1") != source_prefix("192.0.3.7:1"));
    CHECK(source_prefix("[2001:db8:1:2::7]:1") == source_prefix("[2001:db8:1:9::8]:1"));
    CHECK(source_prefix("[2001:db8:2::7]:1") != source_prefix("[2001:db8:1::7]:1"));
    CHECK(source_prefix("[::ffff:192.0.2.7]:1") == source_prefix("192.0.2.7:1"));
    CHECK(source_prefix("127.0.0.1:1").empty());
    CHECK(source_prefix("[::1]:1").empty());
    CHECK(source_prefix("").empty());
    CHECK(source_prefix("host.example:1").empty());
}

TEST_CASE("work is raised under load, falls again, and what was announced is taken for an hour") {
    stranger_gate gate(8);
    CHECK(gate.work_bits(start) == 8);
    std::uint32_t n = 0;
    const auto admit = [&](std::uint32_t many) {
        while (many-- > 0) REQUIRE_FALSE(gate.admit(key_number(n++), "", start + 1));
    };
    admit(raised_from);
    CHECK(gate.work_bits(start + 2) == 9);
    CHECK(gate.work_bits_taken(start + 2) == 8);
    admit(raised_from);
    CHECK(gate.work_bits(start + 3) == 10);
    CHECK(gate.work_bits_taken(start + 3) == 8);                       // of those within the hour the least
    admit(8 * raised_from - 2 * raised_from - 1);
    CHECK(gate.work_bits(start + 4) == 8 + 3);
    CHECK(gate.work_bits_taken(start + 5 + old_bits_taken_ms) >= 8);
    CHECK(gate.work_bits(start + 3 * request_hour_ms) == 8);
    stranger_gate none(0);
    for (std::uint32_t i = 0; i < 500; ++i) CHECK_FALSE(none.admit(key_number(i), "", start));
    CHECK(none.work_bits(start) == 0);
}

TEST_CASE("parallel announcements see each other's room") {
    stranger_gate gate(0);
    storage::mailbox requests;
    requests.size_bytes = requests_bytes_max - 3 * request_bytes_max;
    CHECK(gate.reserve(id_number(1), key_number(1), request_bytes_max, requests));
    CHECK(gate.reserve(id_number(1), key_number(1), request_bytes_max, requests));     // asked again: the same room
    // one key, one large mail at a time
    CHECK_FALSE(gate.reserve(id_number(2), key_number(1), 1, requests));
    CHECK(gate.reserve(id_number(3), key_number(3), request_bytes_max, requests));
    CHECK(gate.reserve(id_number(4), key_number(4), request_bytes_max, requests));
    CHECK_FALSE(gate.reserve(id_number(5), key_number(5), 1, requests));
    gate.release(id_number(3));
    CHECK(gate.reserve(id_number(5), key_number(5), 1, requests));
    CHECK_FALSE(gate.reserve(id_number(6), key_number(6), ~std::uint64_t(0), {}));     // no overflow
    requests = {};
    requests.messages = requests_mails_max - 3;
    CHECK_FALSE(gate.reserve(id_number(7), key_number(7), 1, requests));
}

TEST_CASE("strangers are forgotten, people are not") {
    std::vector<storage::contact> all;
    for (std::uint32_t n = 0; n < strangers_kept_max - 1; ++n) {
        auto& c = all.emplace_back();
        c.account = key_number(n);
        c.how = storage::known_by::request;
        c.accepted = false;
        c.since = start - n;
    }
    CHECK_FALSE(stranger_to_forget(all));
    auto oldest = all.back();
    oldest.account = key_number(999'999);
    oldest.since = 1;
    auto accepted = oldest, blocked = oldest;
    accepted.accepted = true;
    blocked.blocked = true;
    accepted.since = blocked.since = 0;
    all.push_back(accepted);
    all.push_back(blocked);
    CHECK_FALSE(stranger_to_forget(all));
    all.push_back(oldest);
    REQUIRE(stranger_to_forget(all));
    CHECK(*stranger_to_forget(all) == oldest.account);
}
