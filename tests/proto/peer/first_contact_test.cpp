// The work of strangers, and the extensions of account records that announce it.
#include "proto/peer/first_contact.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace people;

namespace {

account_record signed_with(std::vector<account_record::extension> extensions) {
    auto r = alice().record();
    r.extensions = std::move(extensions);
    sign(r, alice().account);
    return r;
}

}  // namespace

TEST_CASE("work is worth something for one mail to one recipient") {
    auto n = mail_to_bob();
    constexpr std::uint8_t bits = 3;
    n.work = work_for(n, bits, [] { return true; });
    REQUIRE(n.work);
    CHECK(is_worked_for(n, bits));
    CHECK(is_worked_for(n, 0));
    unsigned fit = 0;
    for (int i = 0; i < 6; ++i) {   // each fits by chance one time in eight
        auto other = mail_to_bob();
        other.work = n.work;
        if (i == 0) other.id[0] ^= std::byte{1};
        if (i == 1) other.blob.data[0] ^= std::byte{1};
        if (i == 2) other.recipient.data[0] ^= std::byte{1};
        if (i == 3) other.sender.data[0] ^= std::byte{1};
        if (i == 4) ++*other.work;
        if (i == 5) other.work.reset();
        fit += is_worked_for(other, bits);
        if (i == 5) CHECK_FALSE(is_worked_for(other, bits));
    }
    CHECK(fit < 5);
    CHECK_FALSE(work_for(n, 8, [] { return false; }));
    CHECK_FALSE(work_for(n, crypto::work::bits_max + 1, [] { return true; }));
}

TEST_CASE("the solution travels inside the seal") {
    auto n = mail_to_bob();
    n.work = 0x0102030405060708;
    const auto b = bob();
    const auto sealed = seal_notification(n, alice().account, b.prekey_id, crypto::prekey_of(b.prekey));
    CHECK(sealed.size() == notification_bytes);
    const auto opened = open_notification(sealed, b.prekey, b.address());
    REQUIRE(opened);
    CHECK(opened->work == n.work);
    CHECK(encode_opened(*opened) == encode_opened(mail_to_bob()));
    const auto without =
        open_notification(seal_notification(mail_to_bob(), alice().account, b.prekey_id, crypto::prekey_of(b.prekey)),
                          b.prekey, b.address());
    REQUIRE(without);
    CHECK_FALSE(without->work);
}

TEST_CASE("a record says what it asks, and keeps what it does not know") {
    auto r = alice().record();
    const auto plain = encode(r);
    CHECK(work_asked(r) == 0);
    ask_work(r, 9);
    ask_work(r, 10);
    sign(r, alice().account);
    auto read = decode_account_record(encode(r));
    REQUIRE(read);
    CHECK(work_asked(*read) == 10);
    CHECK(verify(*read, now));
    ask_work(*read, 0);
    sign(*read, alice().account);
    CHECK(encode(*read) == plain);                       // the bytes of before there were extensions

    const auto odd = signed_with({{7, {}}, {9, bytes(60, std::byte{1})}, {250, to_bytes("x")}});
    read = decode_account_record(encode(odd));
    REQUIRE(read);
    CHECK(*read == odd);
    CHECK(verify(*read, now));
    CHECK(work_asked(*read) == 0);
    read->extensions[1].value[0] = std::byte{2};
    CHECK_FALSE(verify(*read, now));                     // signed as well
    CHECK(work_asked(signed_with({{1, to_bytes("xy")}})) == 0);
    CHECK(work_asked(signed_with({{1, {std::byte{255}}}})) == crypto::work::bits_max);
}

TEST_CASE("extensions out of order, cut or too long are no record") {
    const auto good = encode(signed_with({{7, to_bytes("abc")}, {9, to_bytes("d")}}));
    REQUIRE(decode_account_record(good));
    const auto at = good.size() - 64 - 8;                // 7 3 a b c 9 1 d
    auto bad = good;
    bad[at + 5] = std::byte{7};                          // the same type again
    CHECK_FALSE(decode_account_record(bad));
    bad = good;
    bad[at] = std::byte{0};
    CHECK_FALSE(decode_account_record(bad));
    bad = good;
    bad[at + 6] = std::byte{2};                          // reaches into the signature
    CHECK_FALSE(decode_account_record(bad));
    const auto most = signed_with({{1, bytes(126, std::byte{5})}});
    CHECK(decode_account_record(encode(most)));
    CHECK(signed_with({{1, bytes(127, std::byte{5})}}).extensions.empty());
    auto longer = encode(most);
    longer.insert(longer.end() - 64, std::byte{0});
    CHECK_FALSE(decode_account_record(longer));
}
