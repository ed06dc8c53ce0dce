// Records: the bytes of proto/dht/SPEC.md, what opens and what does not, and when they are published.
#include "proto/dht/publish_schedule.hpp"
#include "proto/dht/record.hpp"
#include "tests/proto/dht/swarm.hpp"
#include "tests/proto/specification.hpp"

#include <catch2/catch.hpp>

#include <iostream>
#include <set>

using namespace swarm;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr crypto::discovery_day day = 20'000;
constexpr unix_s made_at = 1'728'000'000;

crypto::signing_key key_from(std::uint8_t first) {
    crypto::ed25519_seed seed;
    for (std::size_t i = 0; i < 32; ++i) seed.mutable_view()[i] = static_cast<std::byte>(first + i);
    return crypto::signing_key(seed);
}
const crypto::signing_key& account() {
    static const auto key = key_from(1);
    return key;
}
const crypto::signing_key& device() {
    static const auto key = key_from(0x21);
    return key;
}
record_place account_place() {
    record_place out;
    out.account = *account_key::from(account().public_key());
    out.day = day;
    return out;
}
record_place device_place() {
    auto out = account_place();
    out.device = *device_key::from(device().public_key());
    return out;
}
template <class T>
T filled(std::uint8_t first) {
    T out;
    for (std::size_t i = 0; i < out.data.size(); ++i) out.data[i] = static_cast<std::byte>(first + i);
    return out;
}

record account_record() {
    record r;
    r.sequence_ms = made_at * 1000ull + 5;
    r.lifetime_s = 7200;
    r.addresses = {{std::nullopt, {*parse_endpoint("31.1.2.3:41443"), "", 0}},
                   {std::nullopt, {*parse_endpoint("[2a00:1::7]:41443"), "", 0}},
                   {std::nullopt, {std::nullopt, "home.example.org", 443}},
                   {filled<relay_key>(0x50), {*parse_endpoint("31.9.9.9:443"), "", 0}}};
    r.token = filled<prober_token>(0x60);
    r.capabilities = 3;
    r.relays = {{filled<relay_key>(0x50), {*parse_endpoint("31.9.9.9:443"), "", 0}},
                {filled<relay_key>(0x70), {std::nullopt, "relay.example.org", 443}}};
    r.devices_hash = filled<crypto::hash256>(0x80);
    r.prekey = record::offered_prekey{9, filled<crypto::prekey>(0xa0), made_at + 86'400};
    r.devices = {*device_key::from(device().public_key())};
    return r;
}
// Of somebody whose mail waits at relays.
record first_contact_record() {
    record r;
    r.sequence_ms = made_at * 1000ull;
    r.lifetime_s = 7200;
    r.relays = {{filled<relay_key>(0x50), {*parse_endpoint("31.9.9.9:443"), "", 0}, filled<relay_slot>(0xc0)},
                {filled<relay_key>(0x70), {std::nullopt, "relay.example.org", 443}, filled<relay_slot>(0xd0)}};
    r.prekey = record::offered_prekey{9, filled<crypto::prekey>(0xa0), made_at + 86'400};
    r.work_bits = 8;
    return r;
}
record device_record() {
    record r;
    r.sequence_ms = made_at * 1000ull;
    r.lifetime_s = 7200;
    r.addresses = {{std::nullopt, {*parse_endpoint("31.1.2.3:41443"), "", 0}}};
    return r;
}

}  // namespace

TEST_CASE("the bytes of version 1 are those of SPEC.md", "[record][golden]") {
    const auto spec = pp::test::blocks_of_specification(PEERPOST_SOURCE_DIR "/proto/dht/SPEC.md");
    REQUIRE(spec.size() == 6);
    const auto same = [&](const std::string& name, bytes_view made) {
        if (spec.at(name) == crypto::hex(made)) return;
        std::cout << "```hex " << name << "\n" << crypto::hex(made) << "\n```\n";
        FAIL_CHECK(name);
    };
    same("blinded-key", key_of(account_place())->view());
    same("device-salt", salt_of(device_place()));
    same("record-account", encode_fields(account_record()));
    same("record-first-contact", encode_fields(first_contact_record()));
    same("record-device", encode_fields(device_record()));
    const auto sealed = crypto::from_hex(spec.at("record-device-sealed"));
    REQUIRE(sealed.has_value());
    const auto opened = open_record(*sealed, device_place(), made_at);
    if (!opened) same("record-device-sealed", seal_record(device_record(), account(), day, &device(), made_at).value);
    else CHECK(*opened == device_record());
}

TEST_CASE("a record opens for who knows account, day and device, and for nobody else", "[record]") {
    const auto item = seal_record(account_record(), account(), day, nullptr, made_at);
    CHECK(verify(item).has_value());   // BEP 44, with the ordinary check of any node
    CHECK(item.key == *key_of(account_place()));
    CHECK(item.salt.empty());
    CHECK(item.sequence == made_at);
    CHECK(*open_record(item.value, account_place(), made_at) == account_record());

    auto wrong = account_place();
    wrong.day = day + 1;
    CHECK(open_record(item.value, wrong, made_at).error() == errc::not_for_us);
    CHECK(open_record(item.value, device_place(), made_at).error() == errc::not_for_us);
    wrong = account_place();
    wrong.account = *account_key::from(device().public_key());
    CHECK(open_record(item.value, wrong, made_at).error() == errc::not_for_us);
    wrong.account = {};
    CHECK(open_record(item.value, wrong, made_at).error() == errc::not_for_us);

    const auto of_device = seal_record(device_record(), account(), day, &device(), made_at);
    CHECK(verify(of_device).has_value());
    CHECK(of_device.key == item.key);
    CHECK(of_device.salt == salt_of(device_place()));
    CHECK(*open_record(of_device.value, device_place(), made_at) == device_record());
    auto other_day = device_place();
    ++other_day.day;
    CHECK(salt_of(other_day) != of_device.salt);   // days cannot be joined by the salt
}

TEST_CASE("every damaged byte and every cut of a sealed record is noticed", "[record]") {
    const auto item = seal_record(device_record(), account(), day, &device(), made_at);
    for (std::size_t i = 0; i < item.value.size(); ++i) {
        auto damaged = item.value;
        damaged[i] ^= std::byte{1};
        CHECK_FALSE(open_record(damaged, device_place(), made_at).has_value());
        CHECK_FALSE(open_record(bytes_view(item.value).first(i), device_place(), made_at).has_value());
    }
}

TEST_CASE("slots stand for the relays in their order, for all of them or for none", "[record]") {
    const auto r = first_contact_record();
    CHECK(*decode_fields(encode_fields(r)) == r);
    CHECK(*open_record(seal_record(r, account(), day, nullptr, made_at).value, account_place(), made_at) == r);
    auto half = r;
    half.relays[1].slot.reset();
    const auto read = decode_fields(encode_fields(half));
    for (const auto& relay : read->relays) CHECK_FALSE(relay.slot);
    const auto fields = encode_fields(r);
    const std::size_t slot_field = 2 + 16, work_field = 2 + 1;
    const auto without = [&](std::size_t from, std::size_t bytes_) {
        auto out = fields;
        out.erase(out.begin() + static_cast<std::ptrdiff_t>(from),
                  out.begin() + static_cast<std::ptrdiff_t>(from + bytes_));
        return out;
    };
    const auto slots = fields.size() - work_field - 2 * slot_field;
    CHECK(decode_fields(without(slots, 2 * slot_field)).has_value());
    CHECK(decode_fields(without(slots, slot_field)).error() == errc::bad_record);      // of one of two
    auto more = fields;                                                               // of three of two
    more.insert(more.begin() + static_cast<std::ptrdiff_t>(slots), fields.begin() + static_cast<std::ptrdiff_t>(slots),
                fields.begin() + static_cast<std::ptrdiff_t>(slots + slot_field));
    CHECK(decode_fields(more).error() == errc::bad_record);
    auto no_work = fields;
    no_work.back() = std::byte{0};
    CHECK(decode_fields(no_work).error() == errc::bad_record);                        // one encoding of none
}

TEST_CASE("a record ends with its lifetime", "[record]") {
    const auto item = seal_record(device_record(), account(), day, &device(), made_at);
    CHECK(open_record(item.value, device_place(), made_at + 7200).has_value());
    CHECK(open_record(item.value, device_place(), made_at + 7201).error() == errc::expired);
}

TEST_CASE("who knows the address cannot make the account's record, and a device cannot speak for another", "[record]") {
    // Sealed rightly, signed by another key: as if somebody else had the account's address only.
    const auto forged = seal_record(device_record(), account(), day, &device(), made_at);
    auto other = device_place();
    other.device = *device_key::from(key_from(0x77).public_key());
    CHECK_FALSE(open_record(forged.value, other, made_at).has_value());
    // The account's scalar alone does not sign for the device: a value opened under the device's place is signed by it.
    auto by_account = device_place();
    by_account.device = *device_key::from(account().public_key());
    const auto self_signed = seal_record(device_record(), account(), day, &account(), made_at);
    CHECK(open_record(self_signed.value, by_account, made_at).has_value());
    CHECK_FALSE(open_record(self_signed.value, device_place(), made_at).has_value());
}

TEST_CASE("the size of a value is one of four and fits the DHT whatever is in the record", "[record]") {
    std::set<std::size_t> sizes;
    record r;
    r.sequence_ms = 1;
    const auto add = [&] {
        const auto item = seal_record(r, account(), day, nullptr, 1);
        CHECK(verify(item).has_value());
        const auto text = *bencode_document::parse(item.value)->root().text();
        sizes.insert(text.size() - 1 - crypto::row_overhead_bytes);
        CHECK(open_record(item.value, account_place(), 0).has_value());
    };
    add();
    r = account_record();
    add();
    for (std::size_t i = 0; i < 20; ++i) {
        r.addresses.push_back(
            {filled<relay_key>(static_cast<std::uint8_t>(i)), {std::nullopt, std::string(40, 'a'), 443}});
        r.devices.push_back(filled<device_key>(static_cast<std::uint8_t>(i)));
        r.relays.push_back({filled<relay_key>(1), {std::nullopt, std::string(40, 'b'), 443}});
        add();
    }
    r = device_record();
    for (int i = 0; i < 5; ++i) r.addresses.push_back({std::nullopt, {std::nullopt, std::string(25, 'c'), 443}});
    add();
    CHECK(sizes == std::set<std::size_t>(std::begin(record_sizes), std::end(record_sizes)));
    // What is left out is the least wanted: the last addresses.
    r = account_record();
    for (int i = 0; i < 6; ++i)
        r.addresses.push_back({filled<relay_key>(1), {std::nullopt, std::string(40, 'a'), 443}});
    const auto opened = open_record(seal_record(r, account(), day, nullptr, 1).value, account_place(), made_at);
    REQUIRE(opened.has_value());
    REQUIRE(opened->addresses.size() >= 4);
    CHECK(opened->addresses.size() < r.addresses.size());
    r.addresses.resize(opened->addresses.size());
    CHECK(*opened == r);
}

TEST_CASE("fields have one order and one form; new ones are passed over unless they must be understood", "[record]") {
    const auto decodes = [](std::string_view hex) { return decode_fields(*crypto::from_hex(hex)).has_value(); };
    const std::string sequence = "01080000000000000001";
    CHECK(decodes(sequence));
    CHECK(decodes(sequence + "020400001c20"));
    CHECK_FALSE(decodes(""));
    CHECK_FALSE(decodes("020400001c20"));                        // no sequence
    CHECK_FALSE(decodes("020400001c20" + sequence));             // order
    CHECK_FALSE(decodes(sequence + sequence));                   // twice
    CHECK_FALSE(decodes(sequence + "0203001c20"));               // a short number
    CHECK_FALSE(decodes(sequence + "0205001c200000"));
    CHECK(decodes(sequence + "0307011f0102031000"));
    CHECK_FALSE(decodes(sequence + "0306011f01020310"));
    CHECK_FALSE(decodes(sequence + "0308011f010203100000"));     // something after the port
    CHECK_FALSE(decodes(sequence + "0307051f0102031000"));       // no such kind of host
    CHECK(decodes(sequence + "030403" "00" "01bb"));
    CHECK_FALSE(decodes(sequence + "030503" "01" "0a" "01bb"));  // a line feed in a name
    std::string nine = sequence;
    for (int i = 0; i < 8; ++i) nine += "0307011f0102031000";
    CHECK(decodes(nine));
    CHECK_FALSE(decodes(nine + "0307011f0102031000"));
    CHECK(decodes(sequence + "200201ff"));                       // unknown
    CHECK_FALSE(decodes(sequence + "810201ff"));                 // must be understood
    CHECK_FALSE(decodes(sequence + "20ff01ff"));
    for (const auto& r : {account_record(), device_record()}) {
        const auto wire = encode_fields(r);
        CHECK(*decode_fields(wire) == r);
        for (std::size_t cut = 0; cut < wire.size(); ++cut) {
            const auto part = decode_fields(bytes_view(wire).first(cut));
            if (part) CHECK(encode_fields(*part).size() >= cut);   // cut between two fields
        }
    }
}

TEST_CASE("publishing: soon after the start, after changes but not often, else about hourly", "[record]") {
    dice random(seed_of(3));
    const time_point start{std::chrono::hours(5)};
    for (int i = 0; i < 50; ++i) {
        publish_schedule s(random, start);
        CHECK(s.due_at() >= start + milliseconds(500));
        CHECK(s.due_at() <= start + milliseconds(2000));
        const auto first = s.due_at();
        for (int ms = 0; ms < 60'000; ms += 100)
            s.changed(start + milliseconds(ms));  // never still does not mean never
        CHECK(s.due_at() == first + seconds(2));
        s.published(random, start + seconds(10));
        CHECK(s.due_at() >= start + seconds(10) + minutes(50));
        CHECK(s.due_at() <= start + seconds(10) + minutes(60));
        s.changed(start + seconds(11));
        CHECK(s.due_at() == start + seconds(70));
        s.published(random, start + seconds(70));
        s.changed(start + minutes(20));
        CHECK(s.due_at() == start + minutes(20) + seconds(2));
        s.changed(start + minutes(20) + seconds(1));
        CHECK(s.due_at() == start + minutes(20) + seconds(2));
    }
}

TEST_CASE("a record goes through a swarm", "[record][swarm]") {
    world w(20);
    for (int i = 0; i < 20; ++i) {
        w.join();
        w.run_for(milliseconds(100));
    }
    w.run_for(seconds(60));
    const auto item = seal_record(account_record(), account(), day, nullptr, made_at);
    const auto put = w.members[3].machine->put(item, std::nullopt, w.now());
    REQUIRE(put.has_value());
    CHECK(w.wait_for<put_finished>(3, *put)->first.replicas == replicas_wanted);
    const auto get = w.members[15].machine->get(*key_of(account_place()), salt_of(account_place()), w.now());
    const auto found = w.wait_for<get_finished>(15, *get);
    REQUIRE(found->first.item);
    CHECK(*open_record(found->first.item->value, account_place(), made_at) == account_record());
}
