// HKDF-SHA256 (RFC 5869).
#include "crypto/hkdf.hpp"

#include "crypto/assert.hpp"
#include "crypto/hmac_sha256.hpp"

namespace pp::crypto {

pseudorandom_key hkdf_extract(bytes_view salt, std::initializer_list<bytes_view> key_parts) {
    // RFC 5869 section 2.2: no salt is a salt of zeros; HMAC fills a short key with zeros, so an empty one is the same.
    hmac_sha256 mac(salt);
    for (const auto& part : key_parts) mac.update(part);
    pseudorandom_key out;
    mac.finish(out.mutable_view());
    return out;
}

void hkdf_expand(const pseudorandom_key& key, std::initializer_list<bytes_view> info_parts, mutable_bytes_view out) {
    PP_ASSERT(out.size() <= hkdf_output_bytes_max);
    pseudorandom_key block;
    for (std::size_t done = 0, number = 1; done < out.size(); ++number) {
        hmac_sha256 mac(key.view());
        if (number > 1) mac.update(block.view());
        for (const auto& part : info_parts) mac.update(part);
        const auto counter = static_cast<std::byte>(number);
        mac.update({&counter, 1});
        mac.finish(block.mutable_view());
        const auto take = std::min(block.view().size(), out.size() - done);
        std::copy_n(block.view().begin(), take, out.begin() + static_cast<std::ptrdiff_t>(done));
        done += take;
    }
}

void hkdf_sha256(bytes_view key, bytes_view salt, std::string_view info, mutable_bytes_view out) {
    hkdf_expand(hkdf_extract(salt, {key}), {as_bytes(info)}, out);
}

}  // namespace pp::crypto
