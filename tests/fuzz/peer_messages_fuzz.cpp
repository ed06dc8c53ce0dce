// Every decoder of the peer box: what it takes has exactly one encoding, the bytes it came from. First byte: which.
#include "proto/peer/frame.hpp"
#include "proto/peer/letter.hpp"
#include "proto/peer/messages.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::peer;

namespace {

template <class Value>
void same(const result<Value>& decoded, bytes_view wire) {
    if (!decoded) return;
    const auto again = encode(*decoded);
    if (!std::equal(again.begin(), again.end(), wire.begin(), wire.end())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto wire = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 17) {
    case 0: same(decode_device_certificate(wire), wire); break;
    case 1:
        if (const auto r = decode_account_record(wire)) {
            same(r, wire);
            (void)verify(*r, 0);
        }
        break;
    case 2:
        if (const auto n = decode_opened(wire)) {
            const auto again = encode_opened(*n);
            if (!std::equal(again.begin(), again.end(), wire.begin(), wire.end())) std::abort();
        }
        break;
    case 3:
        if (const auto r = decode_receipt(wire)) {
            same(r, wire);
            (void)verify(*r);
        }
        break;
    case 4: same(decode_hello(wire), wire); break;
    case 5: same(decode_notify_request(wire), wire); break;
    case 6: same(decode_notify_reply(wire), wire); break;
    case 7: same(decode_fetch_request(wire), wire); break;
    case 8:
        if (const auto r = decode_fetch_reply(wire)) {
            same(r, wire);
            if (verify_fetch({{}, 0, fetch_chunks_max}, *r)) std::abort();   // nobody finds the blob of hash zero
        }
        break;
    case 9: same(decode_receipt_message(wire), wire); break;
    case 10: same(decode_contact_request(wire), wire); break;
    case 11: same(decode_contact_reply(wire), wire); break;
    case 12:
        if (const auto link = decode_link(as_text(wire)))
            if (*decode_link(encode_link(*link)) != *link) std::abort();
        break;
    case 13: {
        account_key nobody;
        (void)beacon_tag(wire);
        if (open_beacon(wire, nobody, 0)) std::abort();                     // sealed and signed by no known account
        break;
    }
    case 14: {
        crypto::prekey_secret secret;
        account_key nobody;
        (void)prekey_id_of(wire);
        if (open_notification(wire, secret, nobody)) std::abort();
        break;
    }
    case 16:
        // unknown parts go: what is left stays as it is
        if (const auto l = decode_letter(wire))
            if (const auto once = encode(*l); !decode_letter(once) || encode(*decode_letter(once)) != once)
                std::abort();
        break;
    default: {
        auto rest = wire;
        for (;;) {
            const auto f = next_frame(rest);
            if (!f || !*f) break;
            if ((*f)->payload.size() > frame_payload_bytes_max || (*f)->wire_bytes() > rest.size()) std::abort();
            rest = rest.subspan((*f)->wire_bytes());
        }
    }
    }
    return 0;
}
