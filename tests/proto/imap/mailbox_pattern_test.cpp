#include "proto/imap/grammar/mailbox_pattern.hpp"

#include <catch2/catch.hpp>

using pp::imap::mailbox_pattern;

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
