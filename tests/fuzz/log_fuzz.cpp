// Hostile bytes as the log's parsers see them: frame and segment headers, heads, operations. What is accepted must come
// back as the same bytes: a parser that accepts two spellings of one thing lets somebody change a log without trace.
#include "storage/frame.hpp"
#include "storage/operation.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::storage;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bool ready = (crypto::initialise(), true);
    (void)ready;
    const auto in = std::as_bytes(std::span(data, size));
    if (const auto h = parse_frame_header(in)) {
        const auto again = encode_frame_header(*h);
        if (!std::equal(again.begin(), again.end(), in.begin())) std::abort();
        if (h->body_bytes > frame_body_bytes_max) std::abort();
    }
    (void)parse_segment_header(in);
    if (in.size() >= segment_header_bytes) (void)parse_segment_header(in.first(segment_header_bytes));
    (void)parse_head(in, 1, {});
    if (const auto p = log_position::decode(in))
        if (p->encode() != to_bytes(in)) std::abort();
    if (const auto operations = decode_operations(in)) {
        bytes once;
        for (const auto& o : *operations) encode_operation(o, once);
        const auto again = decode_operations(once);   // not the same bytes: a varint may be written longer
        if (!again || again->size() != operations->size()) std::abort();
        bytes twice;
        for (const auto& o : *again) encode_operation(o, twice);
        if (once != twice) std::abort();
    }
    return 0;
}
