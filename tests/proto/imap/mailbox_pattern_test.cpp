#include "proto/imap/grammar/mailbox_pattern.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <string>

using pp::imap::mailbox_pattern;

namespace {
// RFC 9051 section 6.3.9 word for word, without a thought of time.
bool plainly_matches(std::string_view pattern, std::string_view name) {
    if (pattern.empty()) return name.empty();
    const char c = pattern.front();
    if (c != '*' && c != '%')
        return !name.empty() && name.front() == c && plainly_matches(pattern.substr(1), name.substr(1));
    for (std::size_t taken = 0;; ++taken) {
        if (plainly_matches(pattern.substr(1), name.substr(taken))) return true;
        if (taken == name.size() || (c == '%' && name[taken] == '/')) return false;
    }
}
}  // namespace

TEST_CASE("patterns of many places mean the same", "[imap][list]") {
    std::mt19937 dice(20261123);
    const auto some = [&dice](std::string_view letters, std::size_t length) {
        std::string text;
        while (text.size() < length) text += letters[dice() % letters.size()];
        return text;
    };
    for (int round = 0; round < 20'000; ++round) {
        const auto pattern = some("ab/*%", dice() % 9), name = some("ab/*", dice() % 9);
        INFO(pattern << " with " << name);
        REQUIRE(mailbox_pattern(pattern).matches(name) == plainly_matches(pattern, name));
        // the same behind places enough to reach over the ends of words
        const auto before = std::string(56 + dice() % 16, 'x');
        REQUIRE(mailbox_pattern(before + pattern).matches(before + name) == plainly_matches(pattern, name));
    }
}

TEST_CASE("LIST patterns", "[imap][list]") {
    struct row {
        const char* pattern;
        const char* name;
        bool matches;
    };
    const row rows[] = {
        {"*", "a/b/c", true},       {"%", "a", true},          {"%", "a/b", false},     {"a/%", "a/b", true},
        {"a/%", "a/b/c", false},    {"a/*", "a/b/c", true},    {"a/*", "a", false},     {"a*", "a", true},
        {"%/%", "a/b", true},       {"*c", "a/b/c", true},     {"*c", "a/b/cd", false}, {"%c", "a/c", false},
        {"INBOX", "INBOX", true},   {"INBOX", "inbox", false}, {"", "", true},          {"", "a", false},
        {"**%*", "a/b", true},      {"%%", "ab", true},        {"%%", "a/b", false},    {"*%", "a/b", true},
        {"a%b*c", "axb/yc", true},  {"a%b*c", "a/b/c", false}, {"%*", "a/b", true},
    };
    for (const auto& one : rows) {
        INFO(one.pattern << " with " << one.name);
        CHECK(mailbox_pattern(one.pattern).matches(one.name) == one.matches);
    }
}

TEST_CASE("a pattern made of stars takes no longer than another", "[imap][list]") {
    std::string pattern, name(1000, 'a');
    for (int i = 0; i < 500; ++i) pattern += "*a";
    CHECK(mailbox_pattern(pattern + "b").matches(name) == false);   // with backtracking this never ends
    CHECK(mailbox_pattern(pattern).matches(name));
}
