// Names and the parents they imply: what the tree gives is what a map of all of them would hold.
#include "proto/imap/list_tree.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace pp::imap;

namespace {

mailbox_entry entry_of(const std::string& name, bool exists) {
    mailbox_entry entry;
    entry.name = name;
    entry.exists = exists;
    return entry;
}

std::uint8_t facts_of(const mailbox_entry& entry) {
    return static_cast<std::uint8_t>((entry.exists ? list_tree::exists : 0) |
                                     (entry.name.size() % 2 ? list_tree::chosen : 0) |
                                     (entry.name.size() % 3 ? 0 : list_tree::untold));
}

list_tree tree_of(const std::vector<mailbox_entry>& entries) {
    list_tree tree(entries);
    for (auto i = tree.size(); i > 0; --i) tree.tell_parents(i - 1, facts_of(tree.entry(i - 1)));
    return tree;
}

// "name+" or, of names that are not there, "name-"; then the facts below it.
std::string all_of(list_tree tree) {
    std::string out;
    while (const auto at = tree.next())
        out += at->entry.name + (at->entry.exists ? "+" : "-") + std::to_string(at->below) + " ";
    return out;
}

}  // namespace

TEST_CASE("a tree tells parents before children, INBOX before all", "[imap][list]") {
    CHECK(all_of(tree_of({})) == "");
    CHECK(all_of(tree_of({entry_of("INBOX", true)})) == "INBOX+0 ");
    CHECK(all_of(tree_of({entry_of("a/b/cc", true), entry_of("a-b", true), entry_of("Z", true),
                          entry_of("INBOX/xx", false), entry_of("INBOX", true), entry_of("INBOXES", true)})) ==
          "INBOX+0 INBOX/xx-0 INBOXES+0 Z+0 a-5 a/b-5 a/b/cc+0 a-b+0 ");
    CHECK(all_of(tree_of({entry_of("INBOX/a/b", true)})) == "INBOX-7 INBOX/a-7 INBOX/a/b+0 ");
    CHECK(all_of(tree_of({entry_of("INBOW", true), entry_of("b", true)})) == "INBOW+0 b+0 ");
}

TEST_CASE("a tree of random names holds each of them and their parents once", "[imap][list]") {
    std::mt19937 dice(20261123);
    for (int round = 0; round < 3000; ++round) {
        std::map<std::string, mailbox_entry> entries;
        for (unsigned n = dice() % 12; n > 0; --n) {
            std::string name;
            for (unsigned levels = 1 + dice() % 4; levels > 0; --levels) {
                if (!name.empty()) name += '/';
                static const std::string words[] = {"a", "b", "ab", "a-", "INBOX", "."};
                name += words[dice() % 6];
            }
            entries[name] = entry_of(name, dice() % 2 != 0);
        }
        std::map<std::string, std::pair<bool, unsigned>> expected;   // is it there, facts below
        std::vector<mailbox_entry> given;
        for (const auto& [name, entry] : entries) {
            given.push_back(entry);
            expected[name].first = entry.exists;
            for (auto slash = name.find('/'); slash != name.npos; slash = name.find('/', slash + 1))
                expected[name.substr(0, slash)].second |= facts_of(entry);
        }
        std::shuffle(given.begin(), given.end(), dice);
        auto tree = tree_of(given);
        bool first = true;
        std::map<std::string, std::pair<bool, unsigned>> told;
        while (const auto at = tree.next()) {
            const auto& name = at->entry.name;
            REQUIRE(told.emplace(name, std::pair(at->entry.exists, unsigned{at->below})).second);
            if (const auto slash = name.rfind('/'); slash != name.npos) REQUIRE(told.contains(name.substr(0, slash)));
            if (expected.contains("INBOX")) REQUIRE((name == "INBOX") == first);
            first = false;
        }
        REQUIRE(told == expected);
    }
}
