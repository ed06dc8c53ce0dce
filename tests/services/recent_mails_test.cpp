#include "daemon/services/recent_mails.hpp"

#include <catch2/catch.hpp>

using pp::services::recent_mails;

TEST_CASE("a mail is recent to one session only", "[recent]") {   // RFC 3501 section 2.3.2
    recent_mails recent;
    CHECK(recent.first("a", 7, 3) == 3);
    CHECK(recent.claim("a", 7, 3, 3) == 3);        // nothing new: nothing is claimed
    CHECK(recent.claim("a", 7, 3, 5) == 3);        // 3 and 4
    CHECK(recent.first("a", 7, 3) == 5);
    CHECK(recent.claim("a", 7, 3, 5) == 5);        // the second session gets none of them
    CHECK(recent.claim("a", 7, 3, 6) == 5);        // 5
    CHECK(recent.claim("a", 7, 6, 8) == 6);        // SELECT has stored how far it came
    CHECK(recent.claim("a", 8, 1, 2) == 1);        // another mailbox, another account
    CHECK(recent.claim("b", 7, 1, 2) == 1);
}

TEST_CASE("a session that looks late takes nothing back", "[recent]") {
    recent_mails recent;
    CHECK(recent.claim("a", 7, 1, 9) == 1);
    CHECK(recent.claim("a", 7, 1, 5) == 9);
    CHECK(recent.first("a", 7, 1) == 9);
}

TEST_CASE("memory is bounded; what is forgotten is as the store says", "[recent]") {
    recent_mails recent;
    for (std::uint64_t box = 1; box <= pp::services::recent_mailboxes_max; ++box) recent.claim("a", box, 1, 4);
    CHECK(recent.first("a", 1, 1) == 4);
    CHECK(recent.claim("a", 0xffffff, 1, 4) == 1);
    CHECK(recent.first("a", 1, 2) == 2);
    CHECK(recent.first("a", 0xffffff, 1) == 4);
}
