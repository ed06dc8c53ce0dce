#include "crypto/blob_cipher.hpp"
#include "daemon/engine/inbox.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace pp;
using namespace pp::engine;

namespace {

struct arrival {
    people::stored_blob blob;
    peer::notification n = people::mail_to_bob();
    inbox_facts facts;
    bytes ride_along;
    peer::unix_s now = people::now + 60;

    explicit arrival(std::size_t plain_bytes = 3000) : blob(plain_bytes) {
        n.blob = blob.id;
        n.plain_bytes = plain_bytes;
        n.cipher_bytes = blob.cipher.size();
        facts.me = people::bob().address();
        facts.link_account = people::alice().address();
        facts.mail_bytes_max = 50 << 20;
        facts.sender.emplace();
        facts.sender->account = people::alice().address();
        ride_along = blob.header;
        ride_along.insert(ride_along.end(), blob.cipher.begin(), blob.cipher.end());
    }
    inbox_decision decide() const { return engine::decide(n, ride_along, facts, now); }
    void claim(std::uint64_t plain_bytes) {
        n.plain_bytes = plain_bytes;
        n.cipher_bytes = crypto::cipher_bytes(crypto::padded_bytes(plain_bytes));
    }
};

}  // namespace

TEST_CASE("a contact's mail goes to INBOX, a stranger's to Requests") {
    arrival a;
    CHECK(a.decide().action == inbox_action::store);
    CHECK(a.decide().mailbox == "INBOX");
    a.facts.sender->accepted = false;
    CHECK(a.decide().mailbox == "Requests");
    a.facts.sender.reset();
    CHECK(a.decide().action == inbox_action::store);
    CHECK(a.decide().mailbox == "Requests");
    a.facts.link_account.reset();                 // from a relay
    CHECK(a.decide().action == inbox_action::store);
}

TEST_CASE("a full Requests makes strangers wait, nobody else") {
    arrival a;
    a.facts.room_for_requests = false;
    CHECK(a.decide().action == inbox_action::store);
    a.facts.sender.reset();
    CHECK(a.decide().action == inbox_action::try_later);
}

TEST_CASE("whoever has announced as many mails as are remembered sends others when some of them are here") {
    arrival a;
    a.facts.announced = announced_by_one_max;
    CHECK(a.decide().action == inbox_action::store);          // it came along: nothing is to be remembered
    a.ride_along.clear();
    CHECK(a.decide().action == inbox_action::try_later);
    a.facts.announced = announced_by_one_max - 1;
    CHECK(a.decide().action == inbox_action::fetch);
    a.facts.announced = announced_by_one_max;
    a.facts.seen = true;
    CHECK(a.decide().action == inbox_action::receipt_again);
}

TEST_CASE("what did not come along, or came along wrong, is fetched") {
    arrival a;
    const auto good = a.ride_along;
    REQUIRE(is_notified_blob(a.n, good));
    a.ride_along.clear();
    CHECK(a.decide().action == inbox_action::fetch);
    CHECK(a.decide().mailbox == "INBOX");
    for (std::size_t at = 0; at < good.size(); at += 37) {
        a.ride_along = good;
        a.ride_along[at] ^= std::byte{1};
        CHECK(a.decide().action == inbox_action::fetch);
        CHECK_FALSE(is_notified_blob(a.n, bytes_view(good).first(at)));
    }
    arrival large(200000);                        // more than one chunk never rides along
    CHECK(large.decide().action == inbox_action::fetch);
}

TEST_CASE("blocked and wrong senders are refused with a sentence") {
    arrival a;
    a.facts.sender->blocked = true;
    CHECK(a.decide().action == inbox_action::refuse);
    CHECK_FALSE(a.decide().reason.empty());
    arrival b;
    b.facts.me = people::alice().address();
    CHECK(b.decide().action == inbox_action::refuse);
    arrival c;
    c.facts.link_account = people::bob().address();
    CHECK(c.decide().action == inbox_action::refuse);
    arrival d;
    d.n.device.sig.data[0] ^= std::byte{1};
    CHECK(d.decide().action == inbox_action::refuse);
    arrival e;
    e.now = people::later + 1;                    // the device's time is over
    e.n.submitted_at = e.now;
    CHECK(e.decide().action == inbox_action::refuse);
}

TEST_CASE("a repeat gets its receipt again, whatever has changed since") {
    arrival a;
    a.facts.seen = true;
    a.facts.sender->blocked = true;
    a.now = people::now + 400 * 86400;
    CHECK(a.decide().action == inbox_action::receipt_again);
    a.facts.me = people::alice().address();       // but only the recipient's
    CHECK(a.decide().action == inbox_action::refuse);
}

TEST_CASE("sizes have limits, and strangers smaller ones") {
    arrival a;
    a.claim(request_bytes_max);
    CHECK(a.decide().action == inbox_action::fetch);
    a.claim(request_bytes_max + 1);
    CHECK(a.decide().action == inbox_action::fetch);
    a.facts.sender->accepted = false;
    CHECK(a.decide().action == inbox_action::refuse);
    CHECK(a.decide().reason.find("25 MiB") != std::string::npos);
    a.claim(request_bytes_max);
    CHECK(a.decide().action == inbox_action::fetch);
    a.facts.sender->accepted = true;
    a.claim(a.facts.mail_bytes_max);
    CHECK(a.decide().action == inbox_action::fetch);
    a.claim(a.facts.mail_bytes_max + 1);
    CHECK(a.decide().reason.find("50 MiB") != std::string::npos);
}

TEST_CASE("sizes that do not fit each other are refused") {
    arrival a;
    a.n.cipher_bytes = std::uint64_t(1) << 60;
    CHECK(a.decide().action == inbox_action::refuse);
    a.n.plain_bytes = UINT64_MAX;
    CHECK(a.decide().action == inbox_action::refuse);
    arrival b;
    b.n.cipher_bytes += 1;
    CHECK(b.decide().action == inbox_action::refuse);
    arrival c;
    c.n.plain_bytes = 1;                          // small outside, large inside
    CHECK(c.decide().action == inbox_action::refuse);
}

TEST_CASE("clocks may differ by a day; a date far off waits") {
    for (const auto far : {-10 * 365 * 86400LL, -38 * 86400LL, 2 * 86400LL, 10 * 365 * 86400LL}) {
        arrival a;
        a.n.submitted_at = a.now + far;
        CHECK(a.decide().action == inbox_action::try_later);
    }
    for (const auto near : {-36 * 86400LL, -3600LL, 0LL, 86000LL}) {
        arrival a;
        a.n.submitted_at = a.now + near;
        CHECK(a.decide().action == inbox_action::store);
    }
    arrival a;
    a.n.submitted_at = INT64_MIN;
    CHECK(a.decide().action == inbox_action::try_later);
    a.n.submitted_at = INT64_MAX;
    CHECK(a.decide().action == inbox_action::try_later);
}
