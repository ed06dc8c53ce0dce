// Hostile plaintexts of the view's rows (they are authentic, but a bug of an older version could have written them).
// What is accepted means the same after being written again.
#include "storage/records_codec.hpp"
#include "storage/view.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::storage;

namespace {
template <class T>
void stable(bytes_view in, result<T> (*decode_row)(bytes_view)) {
    const auto row = decode_row(in);
    if (!row) return;
    const auto once = encode_row(*row);
    const auto again = decode_row(once);
    if (!again || encode_row(*again) != once) std::abort();
}
template <class T>
void stable_record(bytes_view in) {
    const auto row = decode_whole<T>(in);
    if (!row) return;
    const auto once = encode_whole(*row);
    const auto again = decode_whole<T>(once);
    if (!again || encode_whole(*again) != once) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto in = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 12) {
        case 0: stable(in, decode_folder); break;
        case 1: stable(in, decode_keywords); break;
        case 2: stable(in, decode_message); break;
        case 3: stable(in, decode_blob); break;
        case 4: stable(in, decode_counters); break;
        case 5: stable_record<mail::flags>(in); break;
        case 6: stable_record<mail::uid_set>(in); break;
        case 7: stable_record<outbox_row>(in); break;
        case 8: stable_record<inbound_row>(in); break;
        case 9: stable_record<contact>(in); break;
        case 10: stable_record<invite>(in); break;
        case 11: stable_record<app_password>(in); break;
    }
    return 0;
}
