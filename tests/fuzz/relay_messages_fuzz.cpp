// Every decoder of the relay box: what it takes has exactly one encoding, the bytes it came from. First byte: which.
#include "proto/relay/address.hpp"
#include "proto/relay/circuit.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::relay;

namespace {

void must_be(bytes_view again, bytes_view wire) {
    if (!std::equal(again.begin(), again.end(), wire.begin(), wire.end())) std::abort();
}
template <class T>
void reply_of(bytes_view wire) {
    if (const auto r = decode_reply<T>(wire)) must_be(encode(*r), wire);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto wire = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 14) {
    case 0:
        if (const auto r = decode_request(wire)) must_be(encode(*r), wire);
        break;
    case 1:
        if (const auto r = decode_pushed(wire)) must_be(encode(*r), wire);
        break;
    case 2: reply_of<info_reply>(wire); break;
    case 3: reply_of<done_reply>(wire); break;
    case 4: reply_of<attach_reply>(wire); break;
    case 5: reply_of<list_reply>(wire); break;
    case 6: reply_of<deposit_reply>(wire); break;
    case 7: reply_of<seed_reply>(wire); break;
    case 8: reply_of<seed_piece_reply>(wire); break;
    case 9: reply_of<reserve_reply>(wire); break;
    case 10: reply_of<connect_reply>(wire); break;
    case 11:
        if (const auto j = decode_join(wire)) must_be(encode(*j), wire);
        break;
    case 12:
        if (const auto link = decode_link(as_text(wire)))
            if (*decode_link(encode_link(*link)) != *link) std::abort();
        break;
    default:
        if (const auto address = decode_address(as_text(wire)))
            if (const auto text = encode_address(*address); text.empty() || *decode_address(text) != *address)
                std::abort();
    }
    return 0;
}
