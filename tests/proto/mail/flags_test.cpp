// Keywords compare without case and keep the case of first use (RFC 9051 section 2.3.2).
#include "proto/mail/flags.hpp"

#include <catch2/catch.hpp>

using namespace pp::mail;

TEST_CASE("keywords compare without case and keep the first spelling") {
    flags f;
    f.add("$Forwarded");
    f.add("Zeta");
    f.add("$FORWARDED");
    f.add("alpha");
    CHECK(f.keywords == std::vector<std::string>{"$Forwarded", "alpha", "Zeta"});
    CHECK(f.has("$forwarded"));
    CHECK(f.has("ZETA"));
    CHECK_FALSE(f.has("beta"));
    f.remove("zeta");
    f.remove("beta");
    CHECK(f.keywords == std::vector<std::string>{"$Forwarded", "alpha"});
}

TEST_CASE("flags are added and removed as sets") {
    flags a{seen | flagged, {"one", "two"}};
    const flags b{seen | deleted, {"TWO", "three"}};
    auto sum = a;
    sum.add(b);
    CHECK(sum == flags{seen | flagged | deleted, {"one", "three", "two"}});
    a.remove(b);
    CHECK(a == flags{flagged, {"one"}});
    a.add(a);
    CHECK(a == flags{flagged, {"one"}});
    a.remove(a);
    CHECK(a == flags{});
}

TEST_CASE("a keyword is an atom that does not begin with a backslash") {
    for (const auto* good : {"$Forwarded", "NonJunk", "a", "$label1", "+x", "a.b-c", "[x"}) CHECK(is_keyword(good));
    for (const auto* bad : {"", "\\Seen", "a b", "a(b", "a)b", "a{b", "a%b", "a*b", "a\"b", "a\\b", "a]b", "a\x7f",
                            "a\tb", "caf\xc3\xa9"})
        CHECK_FALSE(is_keyword(bad));
    CHECK(is_keyword(std::string(keyword_bytes_max, 'a')));
    CHECK_FALSE(is_keyword(std::string(keyword_bytes_max + 1, 'a')));
}
