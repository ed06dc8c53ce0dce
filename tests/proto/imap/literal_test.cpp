#include "proto/imap/grammar/literal.hpp"

#include <catch2/catch.hpp>

using namespace pp::imap;

TEST_CASE("a literal's mark", "[imap][literal]") {
    CHECK(literal_at_end("a APPEND x {310}") == literal_mark{11, 310, true, false});
    CHECK(literal_at_end("{0+}") == literal_mark{0, 0, false, false});
    CHECK(literal_at_end("x ~{7}") == literal_mark{2, 7, true, true});
    CHECK(literal_at_end("x ~{7+}") == literal_mark{2, 7, false, true});
    for (const auto none : {"", "}", "{}", "{+}", "{a}", "{5} ", "5}", "{5", "{-1}", "{5++}", "{ 5}"}) {
        INFO(none);
        CHECK_FALSE(literal_at_end(none));
    }
}

TEST_CASE("a literal's size does not wrap", "[imap][literal]") {   // 06-security 6.1.3
    CHECK(literal_at_end("{18446744073709551614}")->size_bytes == literal_overflow - 1);
    CHECK(literal_at_end("{18446744073709551615}")->size_bytes == literal_overflow);
    CHECK(literal_at_end("{18446744073709551616}")->size_bytes == literal_overflow);
    CHECK(literal_at_end("{18446744073709551617}")->size_bytes == literal_overflow);
    CHECK(literal_at_end("{184467440737095516170000000000000000000001}")->size_bytes == literal_overflow);
}
