// The attacks on the wire between nodes and relays of 06-security 6.1.4, and where each is a test.
//
// | case                                              | test |
// |---------------------------------------------------|------|
// | replay: same account, same or other relay         | "a replay..." here; inbox "a repeat gets its receipt again" |
// | replay: other account                             | messages "a notification opens for its recipient alone" |
// | replay: after 30 days                             | "a replay..." here; |
// |                                                   | services prekeys "prekeys rotate weekly..." |
// | replay: after a restart                           | storage delivery "rows of delivery and people"; |
// |                                                   | system two nodes, kills |
// | reflection                                        | "a notification thrown back..." here |
// | truncated, extended, duplicated frames            | session_hostile "frames no honest peer sends..."; |
// |                                                   | messages "every message survives damage" |
// | length 2^32-1                                     | session_hostile "frames no honest peer sends..." |
// |                                                   | (u24: 2^24-1); here "sizes" |
// | unknown version, no downgrade                     | session_hostile "a wrong HELLO ends the link..." |
// | handshake flood, half-open connections            | system attack_test half_handshakes, peers |
// | wrong static key                                  | session_hostile "a wrong HELLO ends the link..." |
// | path ../, absolute, NUL; other user's drive       | there are no paths: |
// |                                                   | messages "limits of requests and replies"; "a fetch..." here |
// | size claim 2^60                                   | inbox "sizes that do not fit each other..."; |
// |                                                   | messages "fetched chunks are checked..." |
// | endless stream                                    | session_hostile "a message over its protocol's limit..." |
// | slow stream 1 B/s                                 | session_hostile "HELLO must come within 5 s", |
// |                                                   | "large requests are collected two at a time" |
// | Merkle proof wrong at the last chunk              | messages "fetched chunks are checked against the blob id" |
// | changed content after the notification, same key  | "content changed..." here |
// | fork of the append-only log                       | the log is not on the wire: blobs are fetched by their hash; |
// |                                                   | recovery_test for the disk |
// | clock +- 10 years                                 | inbox "clocks may differ by a day..."; |
// |                                                   | services prekeys "a clock that was years ahead..." |
// | envelope to a revoked key                         | "a notification to a key that is gone..." here |
// | addresses that point to 127.0.0.1 (SSRF)          | endpoints "LAN first, then what worked..." |
// | 100 000 contact requests from 100 000 keys        | strangers "100 000 requests from 100 000 keys"; |
// |                                                   | system strangers_test |
// | effect of the block list                          | inbox "blocked and wrong senders..."; |
// |                                                   | system contacts_test, requests_test |
// | relay returns another user's blob                 | relay walks "walks end when a relay talks nonsense"; |
// |                                                   | "content changed..." here |
// | relay repeats deleted items                       | "a replay..." here |
// | relay withholds one                               | the row stays open, and ends in one report: |
// |                                                   | engine delivery "a mail that cannot be brought..." |
// | equal answers for known and unknown slots         | relay server "INFO tells nobody which slots there are" |
// | sizes on the wire are few                         | relay secrets "sizes of seeds are few"; |
// |                                                   | messages "the longest notification fits its size" |
// | no sender identity in the relay's store and logs  | edge relay "a real relay..."; system canary |
#include "daemon/engine/inbox.hpp"
#include "proto/peer/letter.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace people;
using namespace pp::engine;

namespace {

inbox_facts facts_of_bob() {
    inbox_facts facts;
    facts.me = bob().address();
    facts.mail_bytes_max = 100ull << 20;
    facts.sender = storage::contact();
    facts.sender->account = alice().address();
    return facts;
}

bytes sealed_to_bob(const notification& n) {
    return seal_notification(n, alice().account, bob().prekey_id, crypto::prekey_of(bob().prekey));
}

}  // namespace

TEST_CASE("a replay is one mail, whoever brings it and however late") {
    const auto n = mail_to_bob();
    const auto again = open_notification(sealed_to_bob(n), bob().prekey, bob().address());
    REQUIRE(again);
    CHECK(again->id == n.id);                                    // sealed anew, it is the same notification
    auto facts = facts_of_bob();
    facts.seen = true;                                           // what the store says for ever, also after a restart
    for (const auto link : {std::optional<account_key>(), std::optional(alice().address())}) {
        facts.link_account = link;                               // by a relay, or over a link
        CHECK(decide(*again, {}, facts, now).action == inbox_action::receipt_again);
        CHECK(decide(*again, {}, facts, now + 400 * 86400).action == inbox_action::receipt_again);
    }
    // Never seen here, as after a lost store: the date keeps out what is older than any key it could be sealed to.
    facts.seen = false;
    CHECK(decide(*again, {}, facts, now + submitted_ago_s_max + 1).action == inbox_action::try_later);
    facts.link_account = bob().address();                        // somebody else's link
    CHECK(decide(*again, {}, facts, now).action == inbox_action::refuse);
}

TEST_CASE("a notification thrown back at its sender, or taken for a letter, is nothing") {
    const auto sealed = sealed_to_bob(mail_to_bob());
    CHECK_FALSE(open_notification(sealed, alice().prekey, alice().address()));
    CHECK_FALSE(open_notification(sealed, bob().prekey, alice().address()));
    CHECK_FALSE(open_letter(sealed, bob().prekey, bob().address()));
    auto facts = facts_of_bob();
    facts.me = alice().address();
    CHECK(decide(mail_to_bob(), {}, facts, now).action == inbox_action::refuse);
}

TEST_CASE("a notification to a key that is gone opens with no other") {
    const auto sealed = sealed_to_bob(mail_to_bob());
    CHECK(prekey_id_of(sealed) == bob().prekey_id);
    CHECK_FALSE(open_notification(sealed, filled<crypto::prekey_secret>(0x72), bob().address()));
    auto renamed = sealed;
    renamed[4] ^= std::byte{1};                                  // the number of another key in front
    CHECK_FALSE(open_notification(renamed, bob().prekey, bob().address()));
}

TEST_CASE("content changed after the notification is not the notified blob") {
    const stored_blob first(1000), other(1001);
    auto n = mail_to_bob();
    n.blob = first.id;
    n.plain_bytes = 1000;
    n.cipher_bytes = first.cipher.size();
    auto riding = first.header;
    riding.insert(riding.end(), first.cipher.begin(), first.cipher.end());
    const auto facts = facts_of_bob();
    CHECK(decide(n, riding, facts, now).action == inbox_action::store);
    for (const std::size_t at : {std::size_t(0), std::size_t(60), riding.size() - 1}) {
        auto bad = riding;
        bad[at] ^= std::byte{1};
        CHECK(decide(n, bad, facts, now).action == inbox_action::fetch);   // and no fetch gives other bytes:
    }
    const fetch_request request{first.id, 0, 1};
    CHECK(verify_fetch(request, first.serve(request)));
    auto foreign = other.serve({other.id, 0, 1});                // the same key, another blob: of another user, say
    CHECK_FALSE(verify_fetch(request, foreign));
}

TEST_CASE("a fetch names a blob by its hash, and nothing else can be named") {
    const auto wire = encode(fetch_request{filled<crypto::blob_id>(1), 0, 1});
    CHECK(wire.size() == 32 + 8 + 4);
    for (const std::string_view path : {"../../etc/passwd", "/etc/passwd", "mail/7"}) {
        auto longer = wire;
        const auto more = to_bytes(path);
        longer.insert(longer.end(), more.begin(), more.end());
        CHECK_FALSE(decode_fetch_request(longer));
    }
}

TEST_CASE("sizes beyond all reason are refused before anything is kept") {
    auto n = mail_to_bob();
    for (const auto size : {std::uint64_t(1) << 60, ~std::uint64_t(0), std::uint64_t(1) << 32}) {
        n.plain_bytes = n.cipher_bytes = size;
        CHECK(decide(n, {}, facts_of_bob(), now).action == inbox_action::refuse);
    }
}
