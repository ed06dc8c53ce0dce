// NOTIFY, RFC 5465: what is new between two surveys, and the limit of mailboxes. The dialogues are in
// golden/notify.txt.
#include "proto/imap/limits.hpp"
#include "proto/imap/notify.hpp"
#include "tests/proto/imap/player.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace pp::imap;
using namespace pp::imap::test;

surveyed_mailbox box(std::uint64_t id, std::string name, bool subscribed = false) {
    surveyed_mailbox one;
    one.entry.name = std::move(name);
    one.entry.mailbox = one.status.mailbox = id;
    one.entry.exists = id != 0;
    one.entry.subscribed = subscribed;
    return one;
}

notify_request asks(std::string_view text) {
    parser args(text);
    auto request = parse_notify(args, false);
    REQUIRE(args.error() == "");
    return request;
}

std::vector<std::string> names_of(const notify_news& news) {
    std::vector<std::string> out;
    for (const auto& one : news.names) out.push_back(one.old_name.empty() ? one.name : one.old_name + " > " + one.name);
    return out;
}

using names = std::vector<std::string>;

TEST_CASE("what has happened to the mails of a mailbox", "[imap][notify]") {
    mailbox_status before;
    before.messages = 10;
    before.uid_next = 21;
    before.highest_modseq = 100;
    const auto with = [&](std::uint32_t messages, std::uint32_t uid_next, std::uint64_t modseq) {
        auto now = before;
        now.messages = messages;
        now.uid_next = uid_next;
        now.highest_modseq = modseq;
        const auto changed = notification::difference(before, now);
        return std::pair(changed.messages, changed.flags);
    };
    CHECK(with(10, 21, 100) == std::pair(false, false));
    CHECK(with(11, 22, 101) == std::pair(true, false));   // one has come
    CHECK(with(7, 21, 101) == std::pair(true, false));    // three have gone together
    CHECK(with(10, 21, 101) == std::pair(false, true));   // a flag
    CHECK(with(10, 22, 102) == std::pair(true, false));   // one has come, one has gone
    CHECK(with(11, 22, 103) == std::pair(true, true));    // one has come, two flags
    CHECK(with(0, 21, 99) == std::pair(true, false));     // never seen: numbers that fall do no harm
}

TEST_CASE("names that come, go and move", "[imap][notify]") {
    notification watch(asks(" (personal (MailboxName))"),
                       {box(1, "INBOX"), box(2, "a"), box(3, "a/b"), box(4, "a/b/c")});
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "a"), box(3, "a/b"), box(4, "a/b/c")}, 0)) == names{});
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "z"), box(3, "z/b"), box(4, "z/b/c")}, 0)) == names{"a > z"});
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "z"), box(3, "z/y"), box(4, "z/y/c")}, 0)) ==
          names{"z/b > z/y"});
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "z"), box(3, "z/y"), box(4, "c")}, 0)) == names{"z/y/c > c"});
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "z"), box(4, "c")}, 0)) == names{"z/y", "z"});
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "z"), box(5, "c"), box(6, "z/n/m"), box(7, "z/n")}, 0)) ==
          names{"c", "z/n/m", "z/n", "z"});
    watch.own_change("own/name");
    CHECK(names_of(watch.update({box(1, "INBOX"), box(2, "z"), box(5, "c"), box(6, "z/n/m"), box(7, "z/n"),
                                 box(8, "own"), box(9, "own/name"), box(10, "other")},
                                0)) == names{"other"});
}

TEST_CASE("subscriptions", "[imap][notify]") {
    notification watch(asks(" (mailboxes (a b) (SubscriptionChange))"), {box(1, "a"), box(2, "b", true), box(3, "c")});
    CHECK(names_of(watch.update({box(1, "a", true), box(2, "b", true), box(3, "c", true)}, 0)) == names{"a"});
    CHECK(names_of(watch.update({box(1, "a", true), box(2, "b"), box(3, "c", true)}, 0)) == names{"b"});
    CHECK(names_of(watch.update({box(0, "a", true), box(2, "b"), box(3, "c", true)}, 0)) ==
          names{});   // MailboxName only
    CHECK(names_of(watch.update({box(2, "b"), box(3, "c", true)}, 0)) == names{"a"});
}

TEST_CASE("which mailboxes a filter means", "[imap][notify]") {
    const auto request =
        asks(" STATUS (subtree (a x/y) (MailboxName)) (subscribed (SubscriptionChange)) (selected NONE)");
    CHECK(request.status);
    const auto events = [&](const char* name, bool subscribed) {
        return request.events_of(box(1, name, subscribed).entry);
    };
    CHECK(events("a", false) == notify_mailbox_name);
    CHECK(events("a/b/c", true) == (notify_mailbox_name | notify_subscription_change));
    CHECK(events("ab", false) == 0);
    CHECK(events("x", true) == notify_subscription_change);
    CHECK(events("x/y", false) == notify_mailbox_name);
}

TEST_CASE("too many mailboxes to watch", "[imap][notify]") {
    fake_store store;
    store.create("INBOX");
    for (std::size_t i = 1; i < notify_mailboxes_max; ++i) store.create("box" + std::to_string(i));
    player one(session_options(), store);
    REQUIRE(one.play("G: user\nC: a1 NOTIFY SET (personal (MailboxName))\nS: a1 OK NOTIFY completed\n") == "");
    CHECK(one.daemon.watches_account);
    REQUIRE(one.play("E: create another\nE: news\nS: * OK [NOTIFICATIONOVERFLOW] Too many mailboxes to watch\n") == "");
    CHECK_FALSE(one.daemon.watches_account);
    REQUIRE(one.play("C: a2 NOTIFY SET (personal (MailboxName))\n"
                     "S: a2 NO [NOTIFICATIONOVERFLOW] There are too many mailboxes to watch\n") == "");
    CHECK_FALSE(one.daemon.watches_account);
}

}  // namespace
