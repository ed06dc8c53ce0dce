// Text forms: RFC 4648 section 10 vectors, and strictness.
#include "crypto/bytes.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::crypto;

TEST_CASE("RFC 4648 section 10 vectors, in both directions") {
    struct row { const char *plain, *base64_text, *base32_text, *hex_text; };
    const row rows[] = {
        {"", "", "", ""},
        {"f", "Zg==", "my", "66"},
        {"fo", "Zm8=", "mzxq", "666f"},
        {"foo", "Zm9v", "mzxw6", "666f6f"},
        {"foob", "Zm9vYg==", "mzxw6yq", "666f6f62"},
        {"fooba", "Zm9vYmE=", "mzxw6ytb", "666f6f6261"},
        {"foobar", "Zm9vYmFy", "mzxw6ytboi", "666f6f626172"},
    };
    for (const auto& r : rows) {
        INFO(r.plain);
        const auto plain = to_bytes(std::string_view(r.plain));
        CHECK(base64(plain) == r.base64_text);
        CHECK(base32(plain) == r.base32_text);
        CHECK(hex(plain) == r.hex_text);
        CHECK(from_base64(r.base64_text).value() == plain);
        CHECK(from_base32(r.base32_text).value() == plain);
        CHECK(from_hex(r.hex_text).value() == plain);
    }
}

TEST_CASE("base64url has its own two characters and no padding") {
    const bytes data = from_hex("fbff").value();
    CHECK(base64(data) == "+/8=");
    CHECK(base64url(data) == "-_8");
    CHECK(from_base64url("-_8").value() == data);
    CHECK(from_base64url("+/8").error() == errc::bad_text);
    CHECK(from_base64url("-_8=").error() == errc::bad_text);
    CHECK(from_base64("-_8=").error() == errc::bad_text);
}

TEST_CASE("every length comes back, and from_* takes nothing that is cut") {
    bytes data;
    for (unsigned n = 0; n < 70; ++n) {
        CHECK(from_hex(hex(data)).value() == data);
        CHECK(from_base32(base32(data)).value() == data);
        CHECK(from_base64(base64(data)).value() == data);
        CHECK(from_base64url(base64url(data)).value() == data);
        data.push_back(static_cast<std::byte>(n * 37 + 11));
        const auto whole = base64(data);
        for (std::size_t cut = 0; cut < whole.size(); ++cut) {
            const auto part = from_base64(whole.substr(0, cut));
            CHECK((cut % 4 == 0 ? part.has_value() : part.error() == errc::bad_text));
        }
    }
}

TEST_CASE("one text for each byte string") {
    for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "=", "Zg==Zg==", "Zm 9", "Zm9v\n",
                             "Zm9v====", "Z=g="})
        CHECK(from_base64(text).error() == errc::bad_text);
    for (const char* text : {"m", "mz", "mzx", "mzxw6y", "my======", "m1", "m0", "m8", "m y", "mzxw6ytbo"})
        CHECK(from_base32(text).error() == errc::bad_text);
    for (const char* text : {"6", "6g", "666", " 66", "0x66"}) CHECK(from_hex(text).error() == errc::bad_text);
    CHECK(from_base32("MZXW6").value() == to_bytes(std::string_view("foo")));
    CHECK(from_hex("DEADbeef").value() == from_hex("deadbeef").value());
}

TEST_CASE("each error has a sentence of its own") {
    std::vector<std::string> seen;
    for (int i = 1; i <= static_cast<int>(errc::library_failure); ++i) {
        const auto text = make_error_code(static_cast<errc>(i)).message();
        CHECK(text != make_error_code(static_cast<errc>(999)).message());
        CHECK(std::find(seen.begin(), seen.end(), text) == seen.end());
        seen.push_back(text);
    }
}
