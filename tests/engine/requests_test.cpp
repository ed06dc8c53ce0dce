#include "daemon/engine/authentication_results.hpp"
#include "daemon/engine/followed_mails.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/engine/requests.hpp"
#include "tests/proto/peer/people.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;

namespace {

constexpr std::string_view node = "node.peerpost.alt";

std::string block_of(const crypto::account_key& sender) {
    arrival a;
    a.node = node;
    a.sender_domain = crypto::account_label(sender) + ".peerpost.alt";
    a.recipient = {"bob", std::string(node)};
    return authentication_results(a);
}

storage::mailbox named(std::string name, storage::special_use use = storage::special_use::none) {
    storage::mailbox box;
    box.name = std::move(name);
    box.use = use;
    return box;
}

}  // namespace

TEST_CASE("moving a request judges its sender") {
    using enum place;
    CHECK(judgement_of(requests, other) == judgement::accept);
    CHECK(judgement_of(requests, junk) == judgement::block);
    CHECK(judgement_of(requests, trash) == judgement::none);
    for (const auto from : {other, junk, trash}) {
        CHECK(judgement_of(from, requests) == judgement::undo);
        for (const auto to : {other, junk, trash}) CHECK(judgement_of(from, to) == judgement::none);
    }
    CHECK(place_of(named("Requests")) == requests);
    CHECK(place_of(named("Spam", storage::special_use::junk)) == junk);
    CHECK(place_of(named("Junk")) == junk);
    CHECK(place_of(named("Trash")) == trash);
    CHECK(place_of(named("INBOX")) == other);
}

TEST_CASE("a mail says by the node's own block whose it is") {
    const auto alice = people::alice().address();
    const auto mail = block_of(alice) + "From: someone\r\n\r\nbody";
    REQUIRE(sender_of_arrival(mail, node));
    CHECK(*sender_of_arrival(mail, node) == alice);
    CHECK_FALSE(sender_of_arrival(mail, "other.peerpost.alt"));        // another node's block, or a forged one
    CHECK_FALSE(sender_of_arrival("X: y\r\n" + mail, node));           // the sender's own field below something else
    for (std::size_t n = 0; n < mail.find(" policy"); ++n) CHECK_FALSE(sender_of_arrival(mail.substr(0, n), node));
    // A field of the same name below the block is not looked at.
    auto forged = block_of(alice);
    forged.replace(forged.find(" header.from="), 13, " header.xrom=");
    CHECK_FALSE(sender_of_arrival(forged + "Authentication-Results: " + std::string(node) + ";\r\n header.from=" +
                                      crypto::account_label(alice) + ".peerpost.alt\r\n\r\n",
                                  node));
}

TEST_CASE("accepting, blocking and taking either back") {
    const auto alice = people::alice().address();
    auto contact = judged(std::nullopt, alice, judgement::accept, 5);
    REQUIRE(contact);
    CHECK((contact->account == alice && contact->accepted && !contact->blocked && contact->since == 5));
    CHECK(contact->how == storage::known_by::request);
    CHECK_FALSE(judged(contact, alice, judgement::accept, 6));         // nothing new
    auto blocked = judged(contact, alice, judgement::block, 6);
    REQUIRE(blocked);
    CHECK((blocked->blocked && !blocked->accepted));
    auto back = judged(blocked, alice, judgement::undo, 7);
    REQUIRE(back);
    CHECK((!back->blocked && !back->accepted));
    CHECK_FALSE(judged(back, alice, judgement::none, 8));
    // Known by an invite: mail that is moved about takes nothing away.
    contact->how = storage::known_by::invite_used;
    CHECK_FALSE(judged(contact, alice, judgement::block, 9));
    CHECK_FALSE(judged(contact, alice, judgement::undo, 9));
}

TEST_CASE("Requests is bounded") {
    auto box = named("Requests");
    CHECK(has_room_for_requests(box));
    box.messages = requests_mails_max;
    CHECK_FALSE(has_room_for_requests(box));
    box.messages = 1;
    box.size_bytes = requests_bytes_max;
    CHECK_FALSE(has_room_for_requests(box));
}

TEST_CASE("a judged sender's other mails follow, and come back when it is taken back") {
    const auto alice = people::alice().address();
    const auto request = judged(judged(std::nullopt, alice, judgement::accept, 5), alice, judgement::undo, 6);
    const auto accepted = judged(request, alice, judgement::accept, 7);
    const auto blocked = judged(request, alice, judgement::block, 7);
    REQUIRE((request && accepted && blocked));
    CHECK(follow_of(std::nullopt, *request) == follow::none);
    CHECK(follow_of(request, *request) == follow::none);
    CHECK(follow_of(std::nullopt, *accepted) == follow::to_inbox);
    CHECK(follow_of(request, *accepted) == follow::to_inbox);
    CHECK(follow_of(request, *blocked) == follow::to_junk);
    CHECK(follow_of(accepted, *request) == follow::back);
    CHECK(follow_of(blocked, *request) == follow::back);
    CHECK(follow_of(blocked, *accepted) == follow::to_inbox);
    // A removed contact is a stranger to new mail; what she wrote as a contact stays. Blocked, she is blocked.
    const auto removed = wished(*accepted, wish::remove, 8);
    REQUIRE(removed);
    CHECK(follow_of(accepted, *removed) == follow::none);
    CHECK(follow_of(removed, *wished(*removed, wish::take_back, 9)) == follow::to_inbox);
    CHECK(follow_of(removed, *wished(*removed, wish::block, 9)) == follow::to_junk);
    CHECK(is_accepted_request(*accepted));
    CHECK_FALSE(is_accepted_request(*request));
    CHECK_FALSE(is_accepted_request(*removed));
}

TEST_CASE("where mails followed to is kept, so much of it") {
    std::vector<followed_mails> all;
    for (std::uint32_t i = 0; i < followed_kept_max + 5; ++i)
        all.push_back({people::alice().address(), 1000 + i, i + 1, 2 * i + 1});
    const auto kept = encode_followed(all);
    CHECK(decode_followed(kept) == std::vector(all.begin() + 5, all.end()));
    CHECK(decode_followed(encode_followed({})).empty());
    for (const auto n : {kept.size() - 1, std::size_t{2}, std::size_t{0}})
        CHECK(decode_followed(bytes_view(kept).first(n)).empty());
    auto longer = kept;
    longer.push_back(std::byte{0});
    CHECK(decode_followed(longer).empty());
    auto newer = kept;
    newer.front() = std::byte{2};
    CHECK(decode_followed(newer).empty());
}
