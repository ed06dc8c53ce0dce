// The string two people compare: the same on both sides, and another with any other key.
#include "proto/peer/comparison.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace people;

TEST_CASE("both sides compute the same, with anybody else something else") {
    const auto ours = compare_keys(alice().address(), bob().address());
    CHECK(ours.digits() == compare_keys(bob().address(), alice().address()).digits());
    auto mallory = bob().address();
    for (const auto place : {0, 15, 31}) {
        mallory = bob().address();
        mallory.data[static_cast<std::size_t>(place)] ^= std::byte{1};
        const auto other = compare_keys(alice().address(), mallory);
        CHECK(other.digits() != ours.digits());
        CHECK_FALSE(is_same(ours, other.digits()));
        CHECK_FALSE(is_same(ours, other.link()));
    }
}

TEST_CASE("what was read or scanned is taken however it is written") {
    const auto ours = compare_keys(alice().address(), bob().address());
    const auto digits = ours.digits();
    REQUIRE(digits.size() == comparison_groups * (comparison_group_digits + 1) - 1);
    CHECK(is_same(ours, digits));
    auto dashed = digits;
    for (char& c : dashed)
        if (c == ' ') c = '-';
    CHECK(is_same(ours, dashed + "\n"));
    CHECK(is_same(ours, ours.link()));
    CHECK(is_same(ours, " <" + ours.link().substr(0, 30) + "\r\n " + ours.link().substr(30) + ">"));

    for (std::size_t n = 0; n < digits.size(); ++n) {
        CHECK_FALSE(is_same(ours, digits.substr(0, n)));
        auto wrong = digits;
        if (wrong[n] == ' ') continue;
        wrong[n] = wrong[n] == '9' ? '0' : static_cast<char>(wrong[n] + 1);
        CHECK_FALSE(is_same(ours, wrong));
        CHECK(looks_like_comparison(wrong));
    }
    for (std::size_t n = 0; n < ours.link().size(); ++n) CHECK_FALSE(looks_like_comparison(ours.link().substr(0, n)));
    CHECK_FALSE(looks_like_comparison(digits + " 1"));
    CHECK_FALSE(looks_like_comparison("x" + digits));
    CHECK_FALSE(is_same(ours, std::string(5000, ' ') + digits));
}
