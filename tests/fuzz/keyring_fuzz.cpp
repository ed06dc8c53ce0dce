// Hostile keyring files and bodies. What decodes must encode to the same bytes; a file that somebody without the
// secrets made must not open. The first byte chooses: file as it is, file with its trailing hash made right, or body.
#include "crypto/keyring.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::crypto;

namespace {

void check_body(bytes_view encoded) {
    const auto body = keyring_body::decode(encoded);
    if (body && !std::ranges::equal(body->encode(), encoded)) std::abort();
}

void check_file(bytes_view file) {
    // A key file, not a passphrase: a mutated cost must not make the fuzzer wait for Argon2id. Its 32 bytes are random
    // for each run, so that no input can have been made with them.
    static const bytes material = to_bytes(random<root_key>().view());
    const unlock_secret secret{slot_kind::key_file, material};
    const auto generation = keyring::peek_generation(file);
    const auto opened = keyring::open(file, secret);
    if (opened.has_value()) std::abort();
    if (generation.has_value() != (opened.error() == errc::wrong_secret)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto input = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 3) {
        case 0: check_file(input); break;
        case 1: {
            auto file = to_bytes(input);
            const auto trailer = sha256(file);
            file.insert(file.end(), trailer.data.begin(), trailer.data.end());
            check_file(file);
            break;
        }
        default: check_body(input);
    }
    return 0;
}
