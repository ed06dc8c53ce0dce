#include "crypto/stream_mask.hpp"

#include "crypto/raw.hpp"

namespace pp::crypto {

namespace {
constexpr std::size_t block_bytes = 64;   // of ChaCha20: the stream is addressed in blocks
}

void mask_stream(const mask_key& key, std::uint64_t offset, mutable_bytes_view data) {
    if (data.empty()) return;
    constexpr std::array<unsigned char, crypto_stream_xchacha20_NONCEBYTES> nonce{};
    const auto inside = static_cast<std::size_t>(offset % block_bytes);
    auto block = offset / block_bytes;
    if (inside != 0) {   // the beginning stands in the middle of a block
        std::array<std::byte, block_bytes> lead{};
        const auto n = std::min(block_bytes - inside, data.size());
        std::copy_n(data.begin(), n, lead.begin() + static_cast<std::ptrdiff_t>(inside));
        crypto_stream_xchacha20_xor_ic(raw_out(lead), raw_out(lead), lead.size(), nonce.data(), block++,
                                       raw(key.view()));
        std::copy_n(lead.begin() + static_cast<std::ptrdiff_t>(inside), n, data.begin());
        sodium_memzero(lead.data(), lead.size());
        data = data.subspan(n);
    }
    if (data.empty()) return;
    crypto_stream_xchacha20_xor_ic(raw_out(data), raw_out(data), data.size(), nonce.data(), block, raw(key.view()));
}

}  // namespace pp::crypto
