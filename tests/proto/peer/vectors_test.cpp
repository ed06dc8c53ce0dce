// The bytes of version 1 are those of proto/peer/SPEC.md: each block ```hex name there against what the code makes from
// fixed keys. A failing line here means that peers in the field would no longer understand each other.
#include "proto/peer/comparison.hpp"
#include "proto/peer/first_contact.hpp"
#include "proto/peer/frame.hpp"
#include "proto/wire/byte_writer.hpp"
#include "tests/proto/peer/letters.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"
#include "tests/proto/specification.hpp"

#include <iostream>
#include <map>

using namespace people;

namespace {

bytes framed(frame_type type, std::uint32_t stream, bytes_view payload = {}) {
    wire::byte_writer out;
    put_frame(out, type, stream, payload);
    return out.take();
}
bytes u32(std::uint32_t v) { return wire::byte_writer().u32(v).take(); }
bytes text8(std::string_view text) { return wire::byte_writer().text8(text, 255).take(); }
bytes filled_bytes(std::size_t n, std::uint8_t first) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(first + i);
    return out;
}

fetch_reply withdrawn_reply() {
    fetch_reply r;
    r.withdrawn = true;
    return r;
}
fetch_reply small_reply() {
    fetch_reply r;
    r.found = true;
    r.header = filled_bytes(crypto::blob_header_bytes, 0x10);
    r.cipher_bytes = 65552 + 528;
    r.root = filled<crypto::hash256>(0x80);
    r.proof = {filled<crypto::hash256>(0xa0)};
    r.data = filled_bytes(24, 0xe0);
    return r;
}
beacon lan_beacon() { return {alice().address(), {"192.168.1.7:41443"}, now}; }

// Asks strangers for work, and says something that nobody here knows.
account_record extended_record() {
    auto r = alice().record();
    ask_work(r, 8);
    r.extensions.push_back({200, to_bytes("new")});
    sign(r, alice().account);
    return r;
}

std::map<std::string, bytes> made() {
    const auto b = bob();
    const auto prekey = crypto::prekey_of(b.prekey);
    std::map<std::string, bytes> v;
    v["frame-ping"] = framed(frame_type::ping, 0);
    v["frame-open"] = framed(frame_type::open, 1, text8("notify/1"));
    v["frame-data"] = framed(frame_type::data, 1, as_bytes("hello"));
    v["frame-credit"] = framed(frame_type::credit, 0, u32(524288));
    v["frame-fin"] = framed(frame_type::fin, 1);
    v["frame-reset"] = framed(frame_type::reset, 3, u32(static_cast<std::uint32_t>(end_code::unknown_protocol)));
    auto away = u32(0);
    away.push_back(std::byte{0});
    v["frame-goaway"] = framed(frame_type::go_away, 0, away);
    v["device-certificate"] = encode(alice().certificate());
    v["account-record"] = encode(alice().record());
    v["hello"] = encode(alice().greeting(b.address()));
    v["notification-opened"] = encode_opened(mail_to_bob());
    v["notification-sealed"] = seal_notification_with(filled<crypto::prekey_secret>(0x91), mail_to_bob(),
                                                      alice().account, b.prekey_id, prekey);
    v["notification-introduced"] = encode_opened(introduced_mail());
    v["letter"] = encode(some_letter());
    v["letter-sealed"] =
        seal_letter_with(filled<crypto::prekey_secret>(0xb1), letter_to_bob(), alice().account, b.prekey_id, prekey);
    v["receipt"] = encode(make_receipt(mail_to_bob(), b.certificate(), b.device, now + 5));
    v["notify-reply-refused"] = encode(notify_reply{notify_status::refused, {}, "too large"});
    v["notify-reply-fetching"] = encode(notify_reply{notify_status::fetching, {}, ""});
    v["notify-reply-work-needed"] = encode(notify_reply{notify_status::work_needed, {}, "", 8});
    v["account-record-extended"] = encode(extended_record());
    v["fetch-request"] = encode(fetch_request{filled<crypto::blob_id>(0xb0), 16, 8});
    v["fetch-reply"] = encode(small_reply());
    v["fetch-reply-not-found"] = encode(fetch_reply{});
    v["fetch-reply-withdrawn"] = encode(withdrawn_reply());
    v["contact-request"] = encode(contact_request{filled16(0x90)});
    v["contact-reply"] = encode(contact_reply{contact_status::accepted});
    v["beacon-tag"] = to_bytes(bytes_view(beacon_tags(alice().address(), now)[1]));
    return v;
}
std::string invite_with_tokens() {
    return encode_link({alice().record(), filled16(0x90), later, some_letter().grants});
}
std::string invite_text() { return encode_link({alice().record(), filled16(0x90), later}); }

}  // namespace

TEST_CASE("version 1 keeps its bytes", "[wire][golden]") {
    auto spec = pp::test::blocks_of_specification(PEERPOST_SOURCE_DIR "/proto/peer/SPEC.md");
    REQUIRE(spec.size() > 10);
    for (const auto& [name, value] : made()) {
        INFO(name);
        CHECK(crypto::hex(value) == spec[name]);
        spec.erase(name);
    }
    CHECK(invite_text() == spec["invite"]);
    CHECK(decode_link(spec["invite"]));
    spec.erase("invite");
    CHECK(invite_with_tokens() == spec["invite-with-tokens"]);
    spec.erase("invite-with-tokens");
    auto worked = mail_to_bob();
    worked.work = 19;
    CHECK(spec["first-contact-work"] == "solution" + std::to_string(*worked.work));
    CHECK(is_worked_for(worked, 4));
    CHECK_FALSE(is_worked_for(worked, 20));
    spec.erase("first-contact-work");
    const auto compared = compare_keys(bob().address(), alice().address());
    auto digits = compared.digits();
    std::erase(digits, ' ');
    CHECK(digits == spec["comparison-digits"]);
    CHECK(compared.link() == spec["comparison-link"]);
    spec.erase("comparison-digits");
    spec.erase("comparison-link");
    // Sealed with a random nonce: the vector is opened.
    const auto datagram = crypto::from_hex(spec["beacon"]);
    REQUIRE(datagram);
    const auto opened = open_beacon(*datagram, alice().address(), now);
    REQUIRE(opened);
    CHECK(opened->endpoints == lan_beacon().endpoints);
    CHECK(opened->sent_at == now);
    spec.erase("beacon");
    CHECK(spec.empty());                    // every vector of the specification is tested
}

TEST_CASE("what the vectors say is understood", "[wire][golden]") {
    auto spec = pp::test::blocks_of_specification(PEERPOST_SOURCE_DIR "/proto/peer/SPEC.md");
    const auto wire = [&](const char* name) { return *crypto::from_hex(spec[name]); };
    const auto b = bob();
    const auto n = open_notification(wire("notification-sealed"), b.prekey, b.address());
    REQUIRE(n);
    CHECK(encode_opened(*n) == wire("notification-opened"));
    const auto introduced = decode_opened(wire("notification-introduced"));
    REQUIRE(introduced);
    CHECK(introduced->answer == introduced_mail().answer);
    const auto told = decode_letter(wire("letter"));
    REQUIRE(told);
    CHECK(*told == some_letter());
    const auto letter = open_letter(wire("letter-sealed"), b.prekey, b.address());
    REQUIRE(letter);
    CHECK(letter->sender == alice().address());
    CHECK(letter->written_at == now);
    CHECK(letter->content == some_letter());
    const auto invite = decode_link(spec["invite-with-tokens"]);
    REQUIRE(invite);
    CHECK(invite->grants == some_letter().grants);
    CHECK(verify(*decode_account_record(wire("account-record")), now));
    const auto extended = decode_account_record(wire("account-record-extended"));
    REQUIRE(extended);
    CHECK(verify(*extended, now));
    CHECK(work_asked(*extended) == 8);
    CHECK(work_asked(*decode_account_record(wire("account-record"))) == 0);
    CHECK(decode_notify_reply(wire("notify-reply-work-needed"))->work_bits == 8);
    CHECK(verify(*decode_device_certificate(wire("device-certificate")), now));
    CHECK(verify(*decode_receipt(wire("receipt"))));
    CHECK(decode_hello(wire("hello"))->wanted == b.address());
    CHECK(decode_fetch_reply(wire("fetch-reply"))->proof.size() == 1);
}

// test_peer "[print-vectors]": what goes into SPEC.md, for a new major version.
TEST_CASE("print the vectors", "[.][print-vectors]") {
    auto all = made();
    all["beacon"] = seal_beacon(lan_beacon(), alice().account);
    const auto print = [](const std::string& kind, const std::string& name, const std::string& text) {
        std::cout << "```" << kind << " " << name << "\n";
        for (std::size_t at = 0; at < text.size(); at += 96) std::cout << text.substr(at, 96) << "\n";
        std::cout << "```\n";
    };
    for (const auto& [name, value] : all) print("hex", name, crypto::hex(value));
    print("text", "invite", invite_text());
    print("text", "invite-with-tokens", invite_with_tokens());
    const auto compared = compare_keys(alice().address(), bob().address());
    print("text", "comparison-digits", compared.digits());
    print("text", "comparison-link", compared.link());
}
