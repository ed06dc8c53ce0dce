// The bytes of COMPRESS=DEFLATE (RFC 4978 section 4, RFC 1951): raw deflate in both directions, between a protocol and
// its TLS. Knows no socket. Memory is bounded whatever comes: about 64 KiB for what goes out, 40 KiB and the input of
// one read for what comes in; what is inflated is given out in the caller's buffer, so a bomb is only input.
#pragma once

#include "crypto/bytes.hpp"

#include <memory>

namespace pp::net {

class deflate_layer {
public:
    // nullptr: no memory.
    static std::unique_ptr<deflate_layer> make();
    ~deflate_layer();

    // Appends to out, flushed, so that the other side can read all of it at once. False: no memory.
    bool compress(bytes_view plain, bytes& out);

    // Room for compressed bytes of one read; then say how many came.
    mutable_bytes_view read_room();
    void came(std::size_t n);
    // Inflates what has come into `into`. Returns how much; 0: more must be read. `broken` when the bytes are no
    // deflate stream, or end one: nothing more can come then.
    std::size_t inflate(mutable_bytes_view into, bool& broken);

private:
    deflate_layer();
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::net
