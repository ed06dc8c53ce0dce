// Every decoder against every truncation and every single damaged byte: an error, or the value the bytes then say (each
// value has one encoding). Signed things: always an error by verify.
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace people;

namespace {

template <class Decode, class Encode>
void torture(const bytes& wire, Decode decode, Encode encode_again) {
    const auto whole = decode(wire);
    REQUIRE(whole);
    REQUIRE(encode_again(*whole) == wire);
    for (std::size_t cut = 0; cut < wire.size(); cut += wire.size() > 20000 ? 997 : 1) {
        INFO("cut after byte " << cut);
        const auto short_one = decode(bytes_view(wire).first(cut));
        if (short_one) CHECK(encode_again(*short_one) == to_bytes(bytes_view(wire).first(cut)));
    }
    for (std::size_t at = 0; at < wire.size(); at += wire.size() > 20000 ? 991 : 1)
        for (const auto flip : {0x01, 0x80, 0xff}) {
            INFO("damage at byte " << at);
            auto damaged = wire;
            damaged[at] ^= static_cast<std::byte>(flip);
            const auto other = decode(damaged);
            if (other) CHECK(encode_again(*other) == damaged);
        }
    auto longer = wire;
    longer.push_back(std::byte{0});
    const auto more = decode(longer);
    if (more) CHECK(encode_again(*more) == longer);
}

const auto again = [](const auto& value) { return encode(value); };

}  // namespace

TEST_CASE("every message survives damage") {
    torture(encode(alice().certificate()), decode_device_certificate, again);
    torture(encode(alice().record()), decode_account_record, again);
    torture(encode_opened(mail_to_bob()), decode_opened, [](const notification& n) { return encode_opened(n); });
    torture(encode(make_receipt(mail_to_bob(), bob().certificate(), bob().device, now)), decode_receipt, again);
    torture(encode(alice().greeting(bob().address())), decode_hello, again);
    torture(encode(bob().greeting()), decode_hello, again);
    torture(encode(notify_request{bytes(notification_bytes, std::byte{1}), bytes(100, std::byte{2})}),
            decode_notify_request, again);
    torture(encode(notify_request{bytes(notification_bytes, std::byte{1}), {}}), decode_notify_request, again);
    torture(encode(notify_reply{notify_status::stored, bytes(40, std::byte{3}), ""}), decode_notify_reply, again);
    torture(encode(notify_reply{notify_status::refused, {}, "too large"}), decode_notify_reply, again);
    torture(encode(fetch_request{filled<crypto::blob_id>(1), 5, 8}), decode_fetch_request, again);
    const stored_blob blob(200000);
    torture(encode(blob.serve({blob.id, 1, 2})), decode_fetch_reply, again);
    torture(encode(fetch_reply{}), decode_fetch_reply, again);
    fetch_reply withdrawn;
    withdrawn.withdrawn = true;
    torture(encode(withdrawn), decode_fetch_reply, again);
    torture(encode(receipt_message{bytes(10, std::byte{4})}), decode_receipt_message, again);
    torture(encode(contact_request{filled16(1)}), decode_contact_request, again);
    torture(encode(contact_reply{contact_status::accepted}), decode_contact_reply, again);
}

TEST_CASE("a device certificate speaks for one device until its date") {
    const auto c = alice().certificate();
    CHECK(verify(c, now));
    CHECK(verify(c, later));
    CHECK(verify(c, later + 1).error() == errc::expired);
    const auto wire = encode(c);
    for (std::size_t at = 0; at < wire.size(); ++at) {
        auto damaged = wire;
        damaged[at] ^= std::byte{1};
        const auto other = decode_device_certificate(damaged);
        INFO("damage at byte " << at);
        CHECK((!other || !verify(*other, now)));
    }
    const auto long_name =
        certify_device(alice().account, alice().device_id(), c.drive, std::string(300, 'n') + "\n", later);
    CHECK(long_name.name.size() == name_bytes_max);
    CHECK(*decode_device_certificate(encode(long_name)) == long_name);
    CHECK(verify(long_name, now));
}

TEST_CASE("an account record is what the account signed") {
    auto r = alice().record();
    CHECK(*decode_account_record(encode(r)) == r);
    CHECK(verify(r, now));
    auto other = r;
    other.sequence++;
    CHECK(verify(other, now).error() == errc::bad_signature);
    other = r;
    other.devices[0] = bob().certificate();      // somebody else's device
    sign(other, alice().account);
    CHECK(verify(other, now).error() == errc::bad_signature);
    other = r;
    other.devices[0].drive.data[0] ^= std::byte{1};
    sign(other, alice().account);
    CHECK(verify(other, now).error() == errc::bad_signature);
    CHECK(verify(r, later + 1).error() == errc::expired);
    r.devices.push_back(certify_device(alice().account, bob().device_id(), r.devices[0].drive, "old", now - 1));
    sign(r, alice().account);
    CHECK(verify(r, now));                       // one that ran out does not hide the other
}

TEST_CASE("the fullest record fits and more than that is cut before it is signed") {
    auto r = alice().record();
    r.name = std::string(500, 'a');
    r.prekeys.resize(9, r.prekeys[0]);
    r.devices.resize(
        40, certify_device(alice().account, alice().device_id(), r.devices[0].drive, std::string(200, 'd'), later));
    r.endpoints.assign(40, std::string(300, 'e'));
    r.relays.assign(40, std::string(300, 'r'));
    sign(r, alice().account);
    const auto wire = encode(r);
    CHECK(wire.size() <= record_bytes_max);
    const auto read = decode_account_record(wire);
    REQUIRE(read);
    CHECK(*read == r);
    CHECK(verify(*read, now));
    CHECK(decode_account_record(bytes(record_bytes_max + 1)).error() == errc::too_large);
}

TEST_CASE("an invite link survives mail clients, not typing errors") {
    const invite_link link{alice().record(), filled16(0x90), later};
    const auto text = encode_link(link);
    CHECK(*decode_link(text) == link);
    auto wrapped = "<" + text.substr(0, 60) + "\r\n " + text.substr(60) + ">\n";
    CHECK(*decode_link(wrapped) == link);
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto damaged = text;
        damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
        INFO("damage at byte " << at);
        CHECK_FALSE(decode_link(damaged));
        CHECK_FALSE(decode_link(text.substr(0, at)));
    }
    CHECK(decode_link("https://example.org/").error() == errc::bad_link);
    CHECK(decode_link(std::string(100000, 'A')).error() == errc::bad_link);
    auto forged = link;
    forged.record.endpoints[0] = "203.0.113.5:1";
    CHECK(decode_link(encode_link(forged)).error() == errc::bad_signature);
}

TEST_CASE("a notification opens for its recipient alone") {
    const auto n = mail_to_bob();
    const auto b = bob();
    const auto sealed = seal_notification(n, alice().account, b.prekey_id, crypto::prekey_of(b.prekey));
    REQUIRE(sealed.size() == notification_bytes);
    CHECK(prekey_id_of(sealed) == 9);
    const auto opened = open_notification(sealed, b.prekey, b.address());
    REQUIRE(opened);
    CHECK(encode_opened(*opened) == encode_opened(n));
    CHECK(sealed != seal_notification(n, alice().account, b.prekey_id, crypto::prekey_of(b.prekey)));

    CHECK(open_notification(sealed, alice().prekey, b.address()).error() == errc::not_for_us);
    CHECK(open_notification(sealed, b.prekey, alice().address()).error() == errc::not_for_us);
    CHECK(open_notification(bytes_view(sealed).first(1023), b.prekey, b.address()).error() == errc::bad_message);
    for (std::size_t at = 0; at < sealed.size(); ++at) {
        auto damaged = sealed;
        damaged[at] ^= std::byte{1};
        INFO("damage at byte " << at);
        CHECK_FALSE(open_notification(damaged, b.prekey, b.address()));
    }
}

TEST_CASE("a notification cannot be signed by another, or passed on to another key") {
    const auto b = bob();
    const auto to_bob = crypto::prekey_of(b.prekey);
    CHECK(open_notification(seal_notification(mail_to_bob(), b.account, 9, to_bob), b.prekey, b.address()).error() ==
          errc::bad_signature);
    auto n = mail_to_bob();
    n.sender = b.address();                     // a device of another account
    CHECK(open_notification(seal_notification(n, b.account, 9, to_bob), b.prekey, b.address()).error() ==
          errc::bad_message);
    n = mail_to_bob();
    n.device.drive.data[3] ^= std::byte{1};
    CHECK(open_notification(seal_notification(n, alice().account, 9, to_bob), b.prekey, b.address()).error() ==
          errc::bad_signature);

    // The recipient opens it and seals the same plaintext, signature and all, to another prekey with the same account.
    const auto sealed = seal_notification(mail_to_bob(), alice().account, 9, to_bob);
    const auto front = bytes_view(sealed).first(5);
    const auto info = as_bytes("peerpost notification v1");
    const auto plain = crypto::hpke::open(b.prekey, info, front, bytes_view(sealed).subspan(5));
    REQUIRE(plain);
    const auto other = filled<crypto::prekey_secret>(0xe0);
    auto passed_on = to_bytes(front);
    const auto again_sealed = crypto::hpke::seal(crypto::prekey_of(other), info, front, *plain);
    passed_on.insert(passed_on.end(), again_sealed.begin(), again_sealed.end());
    CHECK(open_notification(passed_on, other, b.address()).error() == errc::bad_signature);
}

TEST_CASE("the longest notification fits its size") {
    auto n = mail_to_bob();
    n.device =
        certify_device(alice().account, alice().device_id(), n.device.drive, std::string(name_bytes_max, 'd'), later);
    n.sender_local = std::string(local_part_bytes_max, 's');
    n.recipient_local = std::string(local_part_bytes_max, 'r');
    const auto b = bob();
    const auto opened =
        open_notification(seal_notification(n, alice().account, 9, crypto::prekey_of(b.prekey)), b.prekey, b.address());
    REQUIRE(opened);
    CHECK(opened->recipient_local == n.recipient_local);
}

TEST_CASE("a receipt is signed by a device of the recipient") {
    const auto b = bob();
    const auto r = make_receipt(mail_to_bob(), b.certificate(), b.device, now + 5);
    CHECK(*decode_receipt(encode(r)) == r);
    CHECK(verify(r));
    const auto wire = encode(r);
    for (std::size_t at = 0; at < wire.size(); ++at) {
        auto damaged = wire;
        damaged[at] ^= std::byte{1};
        const auto other = decode_receipt(damaged);
        INFO("damage at byte " << at);
        CHECK((!other || !verify(*other)));
    }
    CHECK(verify(make_receipt(mail_to_bob(), b.certificate(), alice().device, now)).error() == errc::bad_signature);
    CHECK(verify(make_receipt(mail_to_bob(), alice().certificate(), alice().device, now)).error() ==
          errc::bad_signature);
    CHECK(verify(make_receipt(mail_to_bob(), b.certificate(), b.device, later + 1)).error() == errc::expired);
}

TEST_CASE("fetched chunks are checked against the blob id") {
    const stored_blob blob(9 * 65536 + 100);
    const auto total = blob.leaves.size();
    REQUIRE(total > 9);
    for (std::uint64_t first = 0; first < total; ++first)
        for (std::uint32_t n = 1; n <= fetch_chunks_max; ++n) {
            const fetch_request request{blob.id, first, n};
            INFO(first << " + " << n);
            CHECK(verify_fetch(request, *decode_fetch_reply(encode(blob.serve(request)))));
        }
    const fetch_request request{blob.id, total - 2, 2};
    const auto good = blob.serve(request);
    const auto spoiled = [&](auto change) {
        auto reply = good;
        change(reply);
        return verify_fetch(request, reply);
    };
    CHECK(spoiled([](fetch_reply&) {}));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.data.back() ^= std::byte{1}; }));          // wrong at the last chunk
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.data.pop_back(); }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.data.push_back(std::byte{0}); }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.data.clear(); }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.header[9] ^= std::byte{1}; }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.header.pop_back(); }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.cipher_bytes = std::uint64_t(1) << 60; }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.cipher_bytes = 0; }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.root.data[0] ^= std::byte{1}; }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.proof.pop_back(); }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.proof.push_back(r.root); }));
    CHECK_FALSE(spoiled([](fetch_reply& r) { r.found = false; }));
    CHECK_FALSE(verify_fetch({blob.id, total - 3, 2}, good));                             // right chunks, another place
    CHECK_FALSE(verify_fetch({blob.id, total - 2, 1}, good));                             // more than asked
    CHECK_FALSE(verify_fetch({filled<crypto::blob_id>(1), total - 2, 2}, good));
}

TEST_CASE("limits of requests and replies") {
    CHECK(decode_fetch_request(encode(fetch_request{{}, 0, 0})).error() == errc::bad_message);
    CHECK(decode_fetch_request(encode(fetch_request{{}, 0, fetch_chunks_max + 1})).error() == errc::bad_message);
    CHECK_FALSE(decode_notify_reply(encode(notify_reply{notify_status::stored, {}, ""})));
    CHECK_FALSE(decode_notify_reply(encode(notify_reply{notify_status::refused, bytes(4), ""})));
    CHECK(decode_notify_reply(encode(notify_reply{notify_status::refused, {}, std::string(999, 'x')}))->reason.size() ==
          reason_bytes_max);
    CHECK_FALSE(decode_notify_request(bytes(80 * 1024 + 1)));
    CHECK_FALSE(decode_notify_request(bytes(notification_bytes + crypto::blob_header_bytes)));
    CHECK_FALSE(decode_receipt_message(bytes()));
}

TEST_CASE("a beacon is read and recognised by those who know the account") {
    beacon b;
    b.account = alice().address();
    b.endpoints = {"192.168.1.7:41443", "[fd00::7]:41443"};
    b.sent_at = now;
    const auto datagram = seal_beacon(b, alice().account);
    CHECK(datagram.size() <= beacon_bytes_max);
    const auto tag = beacon_tag(datagram);
    REQUIRE(tag);
    for (const auto at : {now - 3600, now, now + 86399}) {
        const auto tags = beacon_tags(b.account, at);
        CHECK(std::count(tags.begin(), tags.end(), *tag) == 1);
        const auto opened = open_beacon(datagram, b.account, at);
        REQUIRE(opened);
        CHECK(opened->endpoints == b.endpoints);
        CHECK(opened->sent_at == now);
    }
    CHECK(open_beacon(datagram, b.account, now + 3 * 86400).error() == errc::not_for_us);    // replayed
    CHECK(open_beacon(datagram, bob().address(), now).error() == errc::not_for_us);
    for (std::size_t at = 0; at < datagram.size(); ++at) {
        auto damaged = datagram;
        damaged[at] ^= std::byte{1};
        INFO("damage at byte " << at);
        CHECK_FALSE(open_beacon(damaged, b.account, now));
        CHECK_FALSE(open_beacon(bytes_view(datagram).first(at), b.account, now));
    }
    // Who knows the account key can seal, but not sign.
    CHECK(open_beacon(seal_beacon(b, bob().account), b.account, now).error() == errc::bad_signature);
    b.endpoints.assign(40, std::string(endpoint_bytes_max, 'e'));
    const auto full = seal_beacon(b, alice().account);
    CHECK(full.size() <= beacon_bytes_max);
    CHECK(open_beacon(full, b.account, now)->endpoints.size() > 5);
}
