// INPROGRESS, RFC 9585: commands that take long say how far they are.
#include "proto/imap/limits.hpp"
#include "tests/proto/imap/player.hpp"

#include <catch2/catch.hpp>

namespace {

using namespace pp::imap;
using namespace pp::imap::test;

fake_store store_of(int mails) {
    fake_store store;
    auto& inbox = store.create("INBOX");
    for (int i = 0; i < mails; ++i) inbox.add("Subject: x\r\n\r\nbody\r\n");
    return store;
}

// Runs a command on INBOX; every question to the store takes so long.
std::string run(int mails, const std::string& command, std::chrono::seconds per_question) {
    player one(session_options(), store_of(mails));
    REQUIRE(one.play("G: INBOX\n") == "");
    auto now = pp::wire::time_point(std::chrono::hours(1));
    one.session.received(pp::as_bytes(command + "\r\n"));
    std::string output;
    for (;;) {
        const auto pending = one.session.to_send();
        output += pp::as_text(pending);
        one.session.sent(pending.size());
        const auto asked = one.session.next_event();
        if (!asked && one.session.to_send().empty()) return output;
        if (!asked) continue;
        now += per_question;
        one.session.answer(one.daemon(*asked));
        one.session.tick(now);
    }
}

TEST_CASE("a long search says how far it is, every ten seconds", "[imap][progress]") {
    CHECK(run(600, "a1 SEARCH SEEN", std::chrono::seconds(6)) ==
          "* OK [INPROGRESS (\"a1\" 512 600)] Still working on it\r\n* SEARCH\r\na1 OK SEARCH completed\r\n");
    CHECK(run(600, "a1 SEARCH SEEN", std::chrono::seconds(10)) ==
          "* OK [INPROGRESS (\"a1\" 256 600)] Still working on it\r\n"
          "* OK [INPROGRESS (\"a1\" 512 600)] Still working on it\r\n* SEARCH\r\na1 OK SEARCH completed\r\n");
    CHECK(run(600, "a1 SEARCH SEEN", std::chrono::seconds(3)) == "* SEARCH\r\na1 OK SEARCH completed\r\n");
}

TEST_CASE("a store of many says how far it is", "[imap][progress]") {
    CHECK(run(36000, "a1 STORE 1:36000 +FLAGS.SILENT (\\Seen)", std::chrono::seconds(11)) ==
          "* OK [INPROGRESS (\"a1\" 16384 36000)] Still working on it\r\n"
          "* OK [INPROGRESS (\"a1\" 32768 36000)] Still working on it\r\na1 OK STORE completed\r\n");
}

}  // namespace
