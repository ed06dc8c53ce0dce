#include "daemon/engine/contacts.hpp"
#include "daemon/engine/inbox.hpp"
#include "daemon/engine/notice.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/engine/vcard.hpp"
#include "tests/engine/accounts.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace pp;
using namespace pp::engine;

namespace {

constexpr storage::unix_ms now = 1'000'000;

storage::contact contact_of(unsigned char key, std::string name) {
    storage::contact c;
    c.account = accounts::key(key);
    c.name = std::move(name);
    c.how = storage::known_by::invite_used;
    return c;
}

bytes record_at(std::uint64_t sequence) {
    auto r = people::alice().record();
    r.sequence = sequence;
    peer::sign(r, people::alice().account);
    return peer::encode(r);
}

}  // namespace

TEST_CASE("a block and a removal are taken back to what was before") {
    for (const bool accepted : {true, false}) {
        auto c = contact_of(1, "Bob");
        c.accepted = accepted;
        const auto blocked = wished(c, wish::block, now);
        REQUIRE(blocked);
        CHECK(is_out(*blocked));
        CHECK_FALSE(wished(*blocked, wish::block, now));
        CHECK_FALSE(wished(*blocked, wish::remove, now));        // it would let her write again
        const auto lifted = wished(*blocked, wish::unblock, now);
        REQUIRE(lifted);
        CHECK((!is_out(*lifted) && lifted->accepted == accepted));

        const auto removed = wished(c, wish::remove, now);
        REQUIRE(removed);
        CHECK((is_out(*removed) && !removed->accepted));
        CHECK_FALSE(removed_long_ago(*removed, now + removed_kept_ms));
        CHECK(removed_long_ago(*removed, now + removed_kept_ms + 1));
        const auto back = wished(*removed, wish::take_back, now);
        REQUIRE(back);
        CHECK((!is_out(*back) && back->accepted == accepted && back->how == storage::known_by::invite_used));
        const auto blocked_after = wished(*removed, wish::block, now);
        REQUIRE(blocked_after);
        CHECK((blocked_after->blocked && blocked_after->removed_at == 0 && blocked_after->accepted == accepted));
    }
    auto c = contact_of(1, "Bob");
    CHECK_FALSE(wished(c, wish::accept, now));
    CHECK_FALSE(wished(c, wish::unblock, now));
    CHECK_FALSE(wished(c, wish::take_back, now));
    const auto verified = wished(c, wish::verify, now);
    REQUIRE(verified);
    CHECK(verified->verified_at == now);
    CHECK_FALSE(wished(*verified, wish::verify, now + 1));       // when it was first done stays
    CHECK(wished(*wished(c, wish::remove, now), wish::accept, now)->removed_at == 0);
    CHECK_FALSE(wished(*wished(c, wish::block, now), wish::accept, now)->blocked);
}

TEST_CASE("a removed contact that writes again is a request") {
    const auto again = as_request_again(*wished(contact_of(1, "Bob"), wish::remove, now));
    CHECK((again.removed_at == 0 && !again.accepted && again.how == storage::known_by::request && again.name == "Bob"));
}

TEST_CASE("a contact is meant by name, address, label or its beginning") {
    const std::vector<storage::contact> all{contact_of(1, "Bob"), contact_of(2, "Alice  B"), contact_of(3, "bob"),
                                            contact_of(4, "")};
    const auto label = crypto::account_label(accounts::key(2));
    for (const auto& who : {label, "x@" + label + ".peerpost.alt", label + ".peerpost.alt", label.substr(0, 8),
                            std::string("alice b"), std::string("ALICE B")}) {
        INFO(who);
        const auto found = named(all, who);
        REQUIRE(found.size() == 1);
        CHECK(found.front().account == accounts::key(2));
    }
    CHECK(named(all, "BOB").size() == 2);
    CHECK(named(all, "").empty());
    CHECK(named(all, "nobody").empty());
    CHECK(named(all, label.substr(0, label_prefix_min - 1)).empty());
}

TEST_CASE("another key under the name of an accepted contact is noticed") {
    std::vector<storage::contact> all{contact_of(1, "Bob \xc3\x84"), contact_of(2, "")};
    auto fresh = contact_of(9, "bob\xe2\x80\x8b  \xc3\xa4");
    fresh.name = "  bob  \xc3\xa4 ";
    const auto* other = same_name_other_key(fresh, all);
    REQUIRE(other);
    CHECK(other->account == accounts::key(1));
    CHECK_FALSE(same_name_other_key(all[0], all));               // itself
    fresh.name = "";
    CHECK_FALSE(same_name_other_key(fresh, all));                // no name is no name of anybody
    fresh.name = "Bob \xc3\x84";
    all[0].accepted = false;
    CHECK_FALSE(same_name_other_key(fresh, all));                // requests may call themselves what they like
    all[0].accepted = true;
    all[0].blocked = true;
    CHECK_FALSE(same_name_other_key(fresh, all));
}

TEST_CASE("a name that only looks like a contact's is noticed as well") {
    const std::vector<storage::contact> all{contact_of(1, "Alice Brown")};
    auto fresh = contact_of(9, "");
    for (const char* name : {"Alice\xe2\x80\x8b Brown",                  // a blank without width
                             "Al\xc2\xadice Brown",                      // a soft hyphen
                             "\xe2\x80\xaa" "alice brown\xe2\x80\xac",   // marks of direction around it
                             "\xd0\x90lice Brown",                       // a Cyrillic A
                             "\xd0\xb0lice brown", "Alice Br\xd0\xbewn",
                             "AIice Brown", "A1ice Brown",                // I and 1 for l
                             "\xef\xbc\xa1lice Brown"}) {                // A of full width
        fresh.name = name;
        INFO(name);
        CHECK(same_name_other_key(fresh, all));
    }
    for (const char* name : {"Alice", "Alice Braun", "Brown Alice", "Bob"}) {
        fresh.name = name;
        INFO(name);
        CHECK_FALSE(same_name_other_key(fresh, all));
    }
    const std::vector<storage::contact> bobs{contact_of(1, "Bob"), contact_of(2, "Bo\xe2\x80\x8b" "b")};
    CHECK(named(bobs, "Bob").size() == 2);
}

TEST_CASE("a record much older than the one known is noticed once") {
    constexpr std::uint64_t known = 1767225600000;
    storage::contact c;
    c.account = people::alice().address();
    c.record = record_at(known);
    CHECK_FALSE(noticed_old_record(c, record_at(known), people::now));
    CHECK_FALSE(noticed_old_record(c, record_at(known - old_record_ms), people::now));   // the order of two links
    REQUIRE(noticed_old_record(c, record_at(known - old_record_ms - 1), people::now));
    CHECK(c.old_record_untold);
    CHECK_FALSE(noticed_old_record(c, record_at(known - old_record_ms - 1), people::now));
    CHECK(c.record == record_at(known));
    c.old_record_untold = false;
    c.old_record_told = true;
    CHECK_FALSE(noticed_old_record(c, record_at(1), people::now));
    REQUIRE(*merge_record(c, record_at(known + 1), people::now));                        // she is herself again
    CHECK_FALSE(c.old_record_told);
    auto forged = record_at(5);
    forged.back() ^= std::byte{1};
    CHECK_FALSE(noticed_old_record(c, forged, people::now));
}

TEST_CASE("the mails about keys name both and what to do") {
    const auto fresh = contact_of(2, "Bob\r\nBcc: x");
    auto n = two_keys_notice(contact_of(1, "Bob"), fresh);
    n.address = "me@a.alt";
    const auto text = to_bytes(notice_mail(n));
    const std::string mail(as_text(text));
    CHECK(mail.find("From: peerpost <peerpost@localhost>\r\n") != mail.npos);
    CHECK(mail.find("\r\nBcc") == mail.npos);
    std::string joined;
    for (std::size_t i = 0; i < mail.size(); ++i) {   // quoted-printable soft breaks
        if (mail.compare(i, 3, "=\r\n") == 0) i += 2;
        else joined += mail[i];
    }
    for (const unsigned char key : {1, 2})
        CHECK(joined.find(crypto::account_label(accounts::key(key))) != joined.npos);
    CHECK(joined.find("peerpost contact verify mail@" + crypto::account_label(accounts::key(2))) != joined.npos);
    CHECK(joined.find("\r\nmail@" + crypto::account_label(accounts::key(2))) != joined.npos);   // wrapped by nobody
    const auto old = to_bytes(notice_mail(old_record_notice(fresh, now)));
    CHECK(as_text(old).find("Subject: ") != std::string_view::npos);
    CHECK(as_text(old).find("An old copy of") != std::string_view::npos);
}

TEST_CASE("mail of an account of the same node goes by the same policy") {
    inbox_facts facts;
    facts.mail_bytes_max = 100ull << 20;
    CHECK(decide_by_policy(facts, 10).mailbox == requests_name);
    facts.sender = contact_of(1, "Bob");
    CHECK(decide_by_policy(facts, 10).mailbox == inbox_name);
    CHECK(decide_by_policy(facts, facts.mail_bytes_max + 1).action == inbox_action::refuse);
    facts.sender->blocked = true;
    CHECK(decide_by_policy(facts, 10).action == inbox_action::refuse);
    CHECK_FALSE(decide_by_policy(facts, 10).reason.empty());
    facts.sender->blocked = facts.sender->accepted = false;
    CHECK(decide_by_policy(facts, request_bytes_max + 1).action == inbox_action::refuse);
    facts.room_for_requests = false;
    CHECK(decide_by_policy(facts, 10).action == inbox_action::try_later);
}

TEST_CASE("a card is read back as it was written, and as address books write it") {
    const std::string link = "peerpost:invite/" + std::string(300, 'A');
    const auto read = read_vcard(vcard({"Anna; B\xc3\xa4r, x", "anna@b.peerpost.alt", link}));
    REQUIRE(read);
    CHECK(read->contact == link);
    CHECK(read->name == "Anna; B\xc3\xa4r, x");
    CHECK(read_vcard("BEGIN:VCARD\nfn:Al\nitem1.EMAIL;type=HOME:al@example.org\nEMAIL:al@x.peerpost.alt\nEND:VCARD\n")
              ->contact == "al@x.peerpost.alt");
    CHECK_FALSE(read_vcard("BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n"));
    CHECK_FALSE(read_vcard(""));
}

TEST_CASE("a contact's address has the local part its own node shows") {
    CHECK(local_part_of("Alice") == "alice");
    CHECK(local_part_of("J\u00fcrgen Wei\u00df") == "jurgen.weiss");
    CHECK(local_part_of("  a . b_c-1 @\"\r\n. ") == "a.b_c-1");
    CHECK(local_part_of("").empty());
    CHECK(local_part_of("\u4f60\u597d@").find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") ==
          std::string::npos);
    storage::contact c;
    c.account = accounts::key(1);
    const auto domain = "@" + accounts::domain(1);
    c.name = "Sister";                              // the user's word for her: nothing she has said
    CHECK(shown_address(c) == "mail" + domain);
    c.how = storage::known_by::card;
    CHECK(shown_address(c) == "sister" + domain);
    c.record = peer::encode(people::alice().record());
    REQUIRE_FALSE(people::alice().record().name.empty());
    CHECK(shown_address(c) == local_part_of(people::alice().record().name) + domain);
}
