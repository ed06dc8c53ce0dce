#include "proto/imap/selected.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {
opened_mailbox some_mailbox(std::vector<std::uint32_t> uids) {
    opened_mailbox opened;
    opened.name = "INBOX";
    opened.uids = std::move(uids);
    opened.status.highest_modseq = 100;
    opened.recent.add(40, 41);
    opened.keywords = {"b", "A"};
    return opened;
}
std::string resolved(const selected_mailbox& box, const char* set, bool uid) {
    const auto answer = box.resolve({set}, uid);
    const auto* found = std::get_if<mail::uid_set>(&answer);
    return found ? found->text() : "bad";
}
message_row row(std::uint32_t uid, std::uint64_t modseq) {
    message_row one;
    one.uid = uid;
    one.modseq = modseq;
    return one;
}
}  // namespace

TEST_CASE("numbers and UIDs", "[imap][selected]") {
    sequence_map map({10, 20, 30, 40});
    CHECK(map.number_of(10) == 1);
    CHECK(map.number_of(40) == 4);
    CHECK(map.number_of(25) == 0);
    CHECK(map.uid_at(3) == 30);
    CHECK(map.add({40, 50, 60}) == 2);
    CHECK(map.size() == 6);
    CHECK(map.add({5}) == 0);
    CHECK(sequence_map().number_of(1) == 0);
    CHECK(sequence_map().last_uid() == 0);
}

TEST_CASE("EXPUNGE numbers count as the client counts", "[imap][selected]") {
    sequence_map map({10, 20, 30, 40, 50});
    mail::uid_set gone;
    for (const std::uint32_t uid : {5u, 10u, 30u, 40u, 45u}) gone.add(uid);
    // A client that removes number 1, then 2, then 2 of what is left has lost 10, 30 and 40.
    CHECK(map.remove(gone) == std::vector<std::uint32_t>{1, 2, 2});
    CHECK(map.uids() == std::vector<std::uint32_t>{20, 50});
    CHECK(map.remove(gone).empty());
    CHECK(map.remove(mail::uid_set::of(1, 0xffffffff)) == std::vector<std::uint32_t>{1, 1});
    CHECK(map.size() == 0);
}

TEST_CASE("sets of numbers and of UIDs", "[imap][selected]") {
    const selected_mailbox box(some_mailbox({10, 20, 30, 40}), false);
    CHECK(resolved(box, "1:2,4", false) == "10,20,40");
    CHECK(resolved(box, "*", false) == "40");
    CHECK(resolved(box, "*:3", false) == "30,40");
    CHECK(resolved(box, "9:*", false) == "40");
    CHECK(resolved(box, "5", false) == "bad");
    CHECK(resolved(box, "1:5", false) == "bad");
    CHECK(resolved(box, "0", false) == "bad");
    CHECK(resolved(box, "1:4294967295", false) == "bad");
    CHECK(resolved(box, "", false) == "bad");
    CHECK(resolved(box, "15:35", true) == "20,30");
    CHECK(resolved(box, "41:*", true) == "40");
    CHECK(resolved(box, "1:4294967295", true) == "10,20,30,40");
    CHECK(resolved(box, "11", true) == "");
    CHECK(resolved(box, "1:", true) == "bad");

    const selected_mailbox empty(some_mailbox({}), false);
    CHECK(resolved(empty, "1:*", false) == "");
    CHECK(resolved(empty, "*", true) == "");
    CHECK(resolved(empty, "1", false) == "bad");
}

TEST_CASE("the saved result loses what is gone", "[imap][selected]") {   // RFC 5182 section 2.1
    selected_mailbox box(some_mailbox({10, 20, 30}), false);
    CHECK(resolved(box, "$", false) == "");
    mail::uid_set found;
    found.add(10);
    found.add(30);
    box.save_result(found);
    CHECK(resolved(box, "$", true) == "10,30");
    box.numbers.remove(mail::uid_set::of(10, 10));
    CHECK(resolved(box, "$", false) == "30");
}

TEST_CASE("recent mails", "[imap][selected]") {
    selected_mailbox box(some_mailbox({10, 39, 40, 41}), false);
    CHECK(box.recent_count() == 2);
    CHECK(box.recent(40));
    CHECK_FALSE(box.recent(39));
    auto without = some_mailbox({10, 39, 40, 41});
    without.recent = {};
    CHECK(selected_mailbox(without, false).recent_count() == 0);

    // what comes later is recent as far as no other session was told of it first
    mailbox_delta delta;
    delta.added = {45, 46, 50};
    delta.recent = mail::uid_set::of(46, 50);
    box.take_in(delta);
    box.numbers.add(delta.added);
    CHECK(box.recent_count() == 4);
    CHECK_FALSE(box.recent(45));
    CHECK(box.recent(46));
    box.numbers.remove(mail::uid_set::of(40, 40));
    CHECK(box.recent_count() == 3);
}

TEST_CASE("what was told is not told again, what is newer is", "[imap][selected]") {
    selected_mailbox box(some_mailbox({10, 20, 30}), false);
    CHECK(box.known_modseq() == 100);
    box.told(row(10, 105));
    CHECK(box.knows(row(10, 105)));
    CHECK(box.knows(row(10, 104)));
    CHECK_FALSE(box.knows(row(10, 106)));
    CHECK_FALSE(box.knows(row(20, 105)));

    mailbox_delta delta;
    delta.highest_modseq = 105;
    delta.vanished.add(20);
    delta.vanished.add(99);
    box.take_in(delta);
    CHECK(box.known_modseq() == 105);
    CHECK_FALSE(box.knows(row(10, 105)));   // forgotten: the next poll asks beyond it
    CHECK(box.vanished == mail::uid_set::of(20, 20));
    box.told(row(10, 105));                 // not newer than what is known: nothing to remember
    CHECK_FALSE(box.knows(row(10, 105)));
    delta.highest_modseq = 3;
    box.take_in(delta);
    CHECK(box.known_modseq() == 105);
}

TEST_CASE("what this session alone has changed need not be asked for", "[imap][selected]") {
    selected_mailbox box(some_mailbox({10, 20, 30}), false);
    box.knows_all_to(105);
    CHECK(box.known_modseq() == 105);
    CHECK(box.synced_modseq() == 105);
    box.knows_all_to(90);
    CHECK(box.known_modseq() == 105);
    mailbox_delta delta;
    delta.highest_modseq = 107;
    delta.vanished.add(20);
    box.take_in(delta);
    box.knows_all_to(108);
    CHECK(box.known_modseq() == 108);
    CHECK(box.synced_modseq() == 105);      // a removal before it is still to be told
    box.contexts.emplace_back();            // it must be asked again about what has changed
    box.knows_all_to(110);
    CHECK(box.known_modseq() == 108);
}

TEST_CASE("keywords are learnt once, whatever their case", "[imap][selected]") {
    selected_mailbox box(some_mailbox({1}), false);
    CHECK(box.keywords() == std::vector<std::string>{"A", "b"});
    mail::flags flags;
    flags.add("B");
    CHECK_FALSE(box.learn_keywords(flags));
    flags.add("c");
    CHECK(box.learn_keywords(flags));
    CHECK_FALSE(box.learn_keywords(flags));
    CHECK(box.keywords() == std::vector<std::string>{"A", "b", "c"});
}
