// The keyring file: slots, secrets, damage at every byte.
#include "crypto/keyring.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

namespace {

constexpr argon2_cost cheap{.passes = 1, .memory_kib = 8};

unlock_secret passphrase(std::string_view text) { return {slot_kind::passphrase, to_bytes(text)}; }
unlock_secret key_file(unsigned char fill) { return {slot_kind::key_file, bytes(32, static_cast<std::byte>(fill))}; }
unlock_secret credential(unsigned char fill) {
    return {slot_kind::credential, bytes(40, static_cast<std::byte>(fill))};
}

keyring some_keyring() {
    auto out = keyring::create({passphrase("open sesame"), key_file(7)}, cheap);
    out.body().put("node", as_bytes("node seed"));
    out.body().put("account/x/seed", as_bytes("account seed"));
    return out;
}

bool holds_the_secrets(const keyring& ring) {
    const auto names = ring.body().names("");
    return names == std::vector<std::string>{"account/x/seed", "node"} &&
           as_text(*ring.body().get("node")) == "node seed" &&
           as_text(*ring.body().get("account/x/seed")) == "account seed";
}

// The trailing hash made right again, as somebody who wants to deceive would.
void rehash(bytes& file) {
    const auto hash = sha256(bytes_view(file).first(file.size() - 32));
    std::copy(hash.data.begin(), hash.data.end(), file.end() - 32);
}

}  // namespace

TEST_CASE("each slot opens the keyring by itself") {
    auto ring = some_keyring();
    REQUIRE(ring.add_slot(credential(9), cheap).has_value());
    CHECK(ring.slots() == std::vector{slot_kind::passphrase, slot_kind::key_file, slot_kind::credential});
    const auto file = ring.encode_next();
    for (const auto& secret : {passphrase("open sesame"), key_file(7), credential(9)}) {
        const auto opened = keyring::open(file, secret);
        REQUIRE(opened.has_value());
        CHECK(holds_the_secrets(*opened));
        CHECK(opened->generation() == 1);
        CHECK(opened->slots() == ring.slots());
    }
}

TEST_CASE("a wrong secret, or the right one in a slot of another kind, opens nothing") {
    const auto file = some_keyring().encode_next();
    for (const auto& secret : {passphrase("open sesamf"), passphrase(""), passphrase("open sesame "), key_file(8),
                               credential(7), unlock_secret{slot_kind::key_file, bytes(31, std::byte{7})},
                               unlock_secret{slot_kind::passphrase, bytes(32, std::byte{7})},
                               unlock_secret{static_cast<slot_kind>(9), bytes(32, std::byte{7})}})
        CHECK(keyring::open(file, secret).error() == errc::wrong_secret);
}

TEST_CASE("generations count, and two files of one body differ") {
    auto ring = some_keyring();
    CHECK(ring.generation() == 0);
    const auto first = ring.encode_next(), second = ring.encode_next();
    CHECK(first != second);
    CHECK(keyring::peek_generation(first).value() == 1);
    CHECK(keyring::peek_generation(second).value() == 2);
    auto opened = keyring::open(second, key_file(7)).value();
    opened.body().put("new", as_bytes("x"));
    const auto third = opened.encode_next();
    CHECK(keyring::peek_generation(third).value() == 3);
    CHECK(as_text(*keyring::open(third, passphrase("open sesame")).value().body().get("new")) == "x");
}

TEST_CASE("a damaged slot does not keep the others from opening") {
    // Only when the body is sealed again: the body binds all slots.
    auto ring = some_keyring();
    const auto file = ring.encode_next();
    auto damaged = file;
    damaged[16 + 136 + 70] ^= std::byte{1};   // the wrapped key of slot 1
    rehash(damaged);
    CHECK(keyring::open(damaged, key_file(7)).error() == errc::not_authentic);
    CHECK(keyring::open(damaged, passphrase("open sesame")).error() == errc::not_authentic);
    damaged = file;
    damaged[16 + 136 + 40] ^= std::byte{1};   // its commitment
    rehash(damaged);
    CHECK(keyring::open(damaged, key_file(7)).error() == errc::wrong_secret);
}

TEST_CASE("no changed byte is ever opened, with or without the trailing hash made right") {
    const auto file = some_keyring().encode_next();
    const auto secret = key_file(7);
    REQUIRE(keyring::open(file, secret).has_value());
    for (std::size_t at = 0; at < file.size(); ++at)
        for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
            INFO("byte " << at);
            auto damaged = file;
            damaged[at] ^= static_cast<std::byte>(flip);
            const auto plain = keyring::open(damaged, secret);
            REQUIRE_FALSE(plain.has_value());
            if (at < 4) REQUIRE(plain.error() == errc::bad_header);
            else if (at < 6) REQUIRE(plain.error() == errc::unknown_suite);
            else REQUIRE(plain.error() == errc::not_authentic);
            REQUIRE_FALSE(keyring::peek_generation(damaged).has_value());
            if (at < file.size() - 32) {
                rehash(damaged);
                REQUIRE_FALSE(keyring::open(damaged, secret).has_value());
            }
        }
}

TEST_CASE("a file cut at any byte is refused, with or without the trailing hash made right") {
    const auto file = some_keyring().encode_next();
    for (std::size_t cut = 0; cut < file.size(); ++cut) {
        bytes part(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(cut));
        REQUIRE_FALSE(keyring::open(part, key_file(7)).has_value());
        REQUIRE_FALSE(keyring::peek_generation(part).has_value());
        if (cut < 32) continue;
        rehash(part);
        REQUIRE_FALSE(keyring::open(part, key_file(7)).has_value());
    }
    auto longer = file;
    longer.push_back(std::byte{0});
    CHECK(keyring::open(longer, key_file(7)).error() == errc::not_authentic);
}

TEST_CASE("costs, counts and kinds from a hostile file are refused before they are paid") {
    const auto file = some_keyring().encode_next();
    const auto with = [&](std::size_t at, bytes_view value) {
        auto changed = file;
        std::copy(value.begin(), value.end(), changed.begin() + static_cast<std::ptrdiff_t>(at));
        rehash(changed);
        return keyring::open(changed, passphrase("open sesame")).error();
    };
    const bytes ones(4, std::byte{0xff}), zeros(4);
    CHECK(with(16 + 4, ones) == errc::bad_header);              // passes
    CHECK(with(16 + 4, zeros) == errc::bad_header);
    CHECK(with(16 + 8, ones) == errc::bad_header);              // memory
    CHECK(with(16 + 8, zeros) == errc::bad_header);
    CHECK(with(16 + 12, ones) == errc::unknown_suite);          // reserved
    CHECK(with(16, ones) == errc::unknown_suite);               // kind
    CHECK(with(16 + 136 + 4, ones) == errc::bad_header);        // a cost where there is none
    CHECK(with(6, bytes(2, std::byte{0xff})) == errc::bad_header);   // number of slots
    CHECK(with(6, bytes(2)) == errc::bad_header);
}

TEST_CASE("slots have a limit, and secrets a strength") {
    auto ring = keyring::create({key_file(1)});
    CHECK(ring.add_slot({slot_kind::key_file, bytes(31)}).error() == errc::bad_length);
    CHECK(ring.add_slot({slot_kind::credential, {}}).error() == errc::bad_length);
    CHECK(ring.add_slot(passphrase(""), cheap).error() == errc::bad_length);
    CHECK(ring.add_slot(passphrase("x"), {.passes = 0, .memory_kib = 8}).error() == errc::bad_length);
    CHECK(ring.add_slot(passphrase("x"), {.passes = 1, .memory_kib = ~0u}).error() == errc::bad_length);
    for (std::size_t i = 1; i < keyring_slots_max; ++i)
        REQUIRE(ring.add_slot(key_file(static_cast<unsigned char>(i + 1))).has_value());
    CHECK(ring.add_slot(key_file(99)).error() == errc::bad_length);
    CHECK(keyring::open(ring.encode_next(), key_file(keyring_slots_max)).has_value());
}

TEST_CASE("a body keeps, replaces and forgets secrets") {
    keyring_body body;
    body.put("a/1", as_bytes("one"));
    body.put("a/2", as_bytes("two"));
    body.put("b", {});
    CHECK(body.names("a/") == std::vector<std::string>{"a/1", "a/2"});
    CHECK(body.names("c").empty());
    CHECK(body.get("b")->empty());
    body.put("a/1", body.get("a/2")->first(2));
    CHECK(as_text(*body.get("a/1")) == "tw");
    body.put("a/1", *body.get("a/1"));
    CHECK(as_text(*body.get("a/1")) == "tw");
    CHECK(body.erase("a/1"));
    CHECK_FALSE(body.erase("a/1"));
    CHECK_FALSE(body.get("a/1"));
    keyring_body other;
    other.put("old", as_bytes("x"));
    other = std::move(body);
    CHECK(other.names("") == std::vector<std::string>{"a/2", "b"});
}

TEST_CASE("a body keeps its bytes", "[golden]") {
    keyring_body body;
    body.put("node", as_bytes("\x01\x02"));
    body.put("ca", as_bytes("x"));
    CHECK(hex(body.encode()) == "02006361" "0100000078" "04006e6f6465" "020000000102");
}

TEST_CASE("a body cut anywhere, out of order or with a name twice is refused") {
    keyring_body body;
    body.put("ca", as_bytes("x"));
    body.put("node", as_bytes("yz"));
    const auto whole = body.encode();
    const std::size_t first = 2 + 2 + 4 + 1;
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        const auto part = keyring_body::decode(bytes_view(whole).first(cut));
        CHECK(part.has_value() == (cut == 0 || cut == first || cut == whole.size()));
        if (!part) CHECK(part.error() == errc::bad_header);
    }
    bytes turned(whole.begin() + first, whole.end());
    turned.insert(turned.end(), whole.begin(), whole.begin() + first);
    CHECK(keyring_body::decode(turned).error() == errc::bad_header);
    bytes twice(whole.begin(), whole.begin() + first);
    twice.insert(twice.end(), whole.begin(), whole.begin() + first);
    CHECK(keyring_body::decode(twice).error() == errc::bad_header);
    CHECK(keyring_body::decode(from_hex("000000000000").value()).error() == errc::bad_header);   // no name
}
