// App passwords, Argon2id.
#include "crypto/password.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace pp;
using namespace pp::crypto;

namespace {

constexpr argon2_cost cheap{.passes = 1, .memory_kib = 8};

}  // namespace

TEST_CASE("an app password is five groups of five base32 characters") {
    std::set<std::string> seen;
    for (int i = 0; i < 50; ++i) {
        const auto password = generate_app_password();
        REQUIRE(password.size() == 29);
        for (std::size_t at = 0; at < password.size(); ++at) {
            const char c = password[at];
            if (at % 6 == 5) CHECK(c == '-');
            else CHECK(((c >= 'a' && c <= 'z') || (c >= '2' && c <= '7')));
        }
        CHECK(seen.insert(password).second);
    }
}

TEST_CASE("the hash of an app password ignores dashes, blanks and case, and nothing else") {
    const auto key = random<row_key>();
    const auto hash = app_password_hash(key, "k3b7q-aaaaa-bbbbb-ccccc-ddddd");
    CHECK(hash == app_password_hash(key, "K3B7Qaaaaabbbbb ccccc-DDDDD "));
    CHECK(hash != app_password_hash(key, "k3b7q-aaaaa-bbbbb-ccccc-dddde"));
    CHECK(hash != app_password_hash(key, "k3b7q-aaaaa-bbbbb-ccccc-dddd"));
    CHECK(hash != app_password_hash(random<row_key>(), "k3b7q-aaaaa-bbbbb-ccccc-ddddd"));
    CHECK(app_password_hash(key, "") == app_password_hash(key, "- -"));
}

TEST_CASE("a stretched passphrase depends on passphrase, salt and cost") {
    const bytes salt(16, std::byte{1}), other_salt(16, std::byte{2});
    const auto key = stretch_passphrase("correct horse", salt, cheap).value();
    const auto same = [&](std::string_view passphrase, bytes_view with, argon2_cost cost) {
        return std::ranges::equal(stretch_passphrase(passphrase, with, cost).value().view(), key.view());
    };
    CHECK(same("correct horse", salt, cheap));
    CHECK_FALSE(same("correct horsf", salt, cheap));
    CHECK_FALSE(same("correct horse", other_salt, cheap));
    CHECK_FALSE(same("correct horse", salt, {.passes = 2, .memory_kib = 8}));
    CHECK_FALSE(same("correct horse", salt, {.passes = 1, .memory_kib = 16}));
}

TEST_CASE("impossible salts and costs are refused") {
    const bytes salt(16);
    CHECK(stretch_passphrase("x", bytes(15), cheap).error() == errc::bad_length);
    CHECK(stretch_passphrase("x", bytes(17), cheap).error() == errc::bad_length);
    CHECK(stretch_passphrase("x", salt, {.passes = 0, .memory_kib = 8}).error() == errc::bad_length);
    CHECK(stretch_passphrase("x", salt, {.passes = 1, .memory_kib = 7}).error() == errc::bad_length);
}

TEST_CASE("a typed app password becomes the one that was shown") {
    const auto shown = generate_app_password();
    CHECK(app_password_as_shown(shown) == shown);
    CHECK(app_password_as_shown("K3B7Qaaaaabbbbb ccccc-DDDDD ") == "k3b7q-aaaaa-bbbbb-ccccc-ddddd");
    CHECK(app_password_as_shown("") == "");
    CHECK(app_password_as_shown("abc") == "abc");
    CHECK(app_password_as_shown("abcde") == "abcde");
}
