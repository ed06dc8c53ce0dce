// Account labels, key types, comparison.
#include "crypto/primitives.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

namespace {

account_key key_of(unsigned char seed) {
    account_key key;
    for (std::size_t i = 0; i < key.data.size(); ++i) key.data[i] = static_cast<std::byte>(seed + i * 7);
    return key;
}

}  // namespace

TEST_CASE("an account label keeps its form", "[golden]") {
    // Changing this line changes the address of every account.
    const account_key zero{};
    CHECK(account_label(zero) == "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaai4hib");
}

TEST_CASE("a label comes back in any case and has 56 characters") {
    for (unsigned char seed : {0, 1, 77, 255}) {
        const auto label = account_label(key_of(seed));
        CHECK(label.size() == 56);
        CHECK(parse_account_label(label).value() == key_of(seed));
        std::string upper = label;
        for (auto& c : upper)
            if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
        CHECK(parse_account_label(upper).value() == key_of(seed));
        CHECK(parse_account_label(label + "a").error() == errc::bad_text);
        CHECK(parse_account_label("").error() == errc::bad_text);
        for (std::size_t cut = 0; cut < label.size(); ++cut)
            CHECK(parse_account_label(label.substr(0, cut)).error() == errc::bad_text);
    }
}

TEST_CASE("every single mistyped character of a label is an error") {
    const std::string alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    for (unsigned char seed : {3, 90}) {
        const auto label = account_label(key_of(seed));
        for (std::size_t i = 0; i < label.size(); ++i) {
            for (const char c : alphabet) {
                if (c == label[i]) continue;
                auto wrong = label;
                wrong[i] = c;
                INFO(wrong);
                CHECK(parse_account_label(wrong).error() == errc::bad_checksum);
            }
            auto foreign = label;
            foreign[i] = '1';
            CHECK(parse_account_label(foreign).error() == errc::bad_text);
        }
        for (std::size_t i = 0; i + 1 < label.size(); ++i) {
            auto swapped = label;
            std::swap(swapped[i], swapped[i + 1]);
            if (swapped != label) CHECK(parse_account_label(swapped).error() == errc::bad_checksum);
        }
    }
}

TEST_CASE("keys of another size are refused") {
    const bytes data(64);
    CHECK(account_key::from(bytes_view(data).first(31)).error() == errc::bad_length);
    CHECK(account_key::from(bytes_view(data).first(33)).error() == errc::bad_length);
    CHECK(blob_key::from(bytes_view(data).first(31)).error() == errc::bad_length);
    CHECK(blob_key::from(bytes_view(data).first(32)).has_value());
}

TEST_CASE("a secret that was moved away is zero") {
    auto first = random<blob_key>();
    const auto copy = first.clone();
    const auto second = std::move(first);
    CHECK(std::ranges::equal(second.view(), copy.view()));
    CHECK(std::ranges::all_of(first.view(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_CASE("comparison in constant time compares") {
    const auto a = to_bytes(std::string_view("same")), b = to_bytes(std::string_view("sama"));
    CHECK(equal_constant_time(a, a));
    CHECK_FALSE(equal_constant_time(a, b));
    CHECK_FALSE(equal_constant_time(a, bytes_view(a).first(3)));
    CHECK(equal_constant_time({}, {}));
}

TEST_CASE("a discovery key hides its drive key and differs for each") {
    drive_key one{}, two{}, counted{};
    for (std::size_t i = 0; i < counted.data.size(); ++i) counted.data[i] = static_cast<std::byte>(i);
    // Changing this line makes every drive unfindable; the value is from another implementation of BLAKE2b.
    CHECK(hex(discover(counted).view()) == "8ceb883336bcb12efe5c27a94a0d001a6fce6b47136936d4ad7a99b3389187c1");
    two.data[0] = std::byte{1};
    CHECK(discover(one) == discover(one));
    CHECK(discover(one) != discover(two));
    CHECK_FALSE(std::ranges::equal(discover(one).view(), one.view()));
}
