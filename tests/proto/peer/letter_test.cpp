// Letters, sealed and open, and the introductions of notifications.
#include "proto/peer/letter.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"
#include "tests/proto/peer/letters.hpp"

using namespace people;

TEST_CASE("a letter is read as it was written, and no other way", "[letter]") {
    const auto whole = some_letter();
    const auto wire = encode(whole);
    const auto read = decode_letter(wire);
    REQUIRE(read);
    CHECK(*read == whole);
    for (std::size_t cut = 0; cut < wire.size(); ++cut)
        if (const auto shorter = decode_letter(bytes_view(wire).first(cut)))
            CHECK(encode(*shorter) == to_bytes(bytes_view(wire).first(cut)));
    // A part of a later version is passed over, one of ours that is not whole is not.
    auto longer = wire;
    for (const int b : {0xee, 0, 1, 7}) longer.push_back(static_cast<std::byte>(b));
    REQUIRE(decode_letter(longer));
    CHECK(*decode_letter(longer) == whole);
    longer[wire.size()] = std::byte{5};
    CHECK_FALSE(decode_letter(longer));
    bytes many;
    for (std::size_t i = 0; i <= letter_parts_max; ++i)
        for (const int b : {0xee, 0, 0}) many.push_back(static_cast<std::byte>(b));
    CHECK_FALSE(decode_letter(many));
}

TEST_CASE("a sealed letter cannot be told from a notification, and neither is taken for the other", "[letter]") {
    const auto b = bob();
    const auto prekey = crypto::prekey_of(b.prekey);
    const auto sealed = seal_letter(letter_to_bob(), alice().account, b.prekey_id, prekey);
    CHECK(sealed.size() == notification_bytes);
    CHECK(prekey_id_of(sealed) == b.prekey_id);
    const auto opened = open_letter(sealed, b.prekey, b.address());
    REQUIRE(opened);
    CHECK(opened->sender == alice().address());
    CHECK(opened->written_at == now);
    CHECK(opened->content == some_letter());
    CHECK(open_notification(sealed, b.prekey, b.address()).error() == errc::not_for_us);
    const auto note = seal_notification(mail_to_bob(), alice().account, b.prekey_id, prekey);
    CHECK(open_letter(note, b.prekey, b.address()).error() == errc::not_for_us);
    CHECK(open_letter(sealed, alice().prekey, b.address()).error() == errc::not_for_us);
    CHECK(open_letter(sealed, b.prekey, alice().address()).error() == errc::not_for_us);
    // Signed by somebody else than it says.
    const auto forged = seal_letter(letter_to_bob(), b.account, b.prekey_id, prekey);
    CHECK(open_letter(forged, b.prekey, b.address()).error() == errc::bad_signature);
    for (std::size_t at = 0; at < sealed.size(); at += 13) {
        auto damaged = sealed;
        damaged[at] ^= std::byte{1};
        CHECK_FALSE(open_letter(damaged, b.prekey, b.address()));
    }
}

TEST_CASE("the fullest letter and the fullest notification fit", "[letter]") {
    const auto b = bob();
    const auto prekey = crypto::prekey_of(b.prekey);
    sealed_letter full = letter_to_bob();
    full.content = {};
    full.content.receipts.push_back(bytes(sealed_parts_bytes_max - 3, std::byte{1}));
    REQUIRE(encode(full.content).size() == sealed_parts_bytes_max);
    CHECK(open_letter(seal_letter(full, alice().account, b.prekey_id, prekey), b.prekey, b.address()));

    auto n = introduced_mail();
    n.sender_local = n.recipient_local = std::string(local_part_bytes_max, 'x');
    n.device =
        certify_device(alice().account, alice().device_id(), *crypto::drive_key::from(alice().drive.public_key()),
                       std::string(name_bytes_max, 'n'), later);
    n.answer->way.slot = std::string(slot_text_bytes_max, 's');
    const auto sealed = seal_notification(n, alice().account, b.prekey_id, prekey);
    const auto opened = open_notification(sealed, b.prekey, b.address());
    REQUIRE(opened);
    CHECK(opened->answer == n.answer);
}

TEST_CASE("an introduction has one encoding", "[letter]") {
    const auto n = introduced_mail();
    const auto wire = encode_opened(n);
    REQUIRE(decode_opened(wire));
    CHECK(decode_opened(wire)->answer == n.answer);
    for (std::size_t at = encode_opened(mail_to_bob()).size(); at < wire.size(); ++at)
        for (const auto flip : {0x01, 0x80, 0xff}) {
            auto damaged = wire;
            damaged[at] ^= static_cast<std::byte>(flip);
            if (const auto other = decode_opened(damaged)) CHECK(encode_opened(*other) == damaged);
        }
    auto zeros = introduced_mail();               // none is said by a bit, not by zeros
    zeros.answer->token = {};
    zeros.answer->invite = {};
    auto short_wire = encode_opened(zeros);
    CHECK(short_wire.size() == wire.size() - 34 - 16);
    short_wire[encode_opened(mail_to_bob()).size()] = std::byte{2};
    short_wire.insert(short_wire.end(), 16, std::byte{0});
    CHECK_FALSE(decode_opened(short_wire));
}
