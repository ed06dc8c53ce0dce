// Rows by the hundred thousand: AES-256-GCM in hardware, with the key expanded once for many rows. A row of 80 bytes
// opens in a third of the time that XChaCha20-Poly1305 takes (storage/FORMAT.md, "View"); seal_row() stays for what is
// sealed one at a time.
//
// A nonce of 96 bits is too short to be drawn at random under one key for ever, and a counter would repeat after a
// restore from backup. So no row is sealed under the table's key itself: whoever begins to write draws a salt, and
// seals under HKDF(table key, salt), with random nonces, at most rows_per_salt_max rows (NIST SP 800-38D section 8.3
// allows 2^32). Sealed: salt 12, nonce 12, ciphertext, tag 16.
#pragma once

#include "crypto/primitives.hpp"

#include <memory>

namespace pp::crypto {

inline constexpr std::size_t row_cipher_overhead_bytes = 12 + 12 + 16;
inline constexpr std::uint64_t rows_per_salt_max = 1ull << 28;

class row_cipher {
public:
    explicit row_cipher(row_key key);
    ~row_cipher();
    row_cipher(row_cipher&&) noexcept;
    row_cipher& operator=(row_cipher&&) noexcept;

    // Keys that are expanded, for one thread at a time. Goes back to the others it is kept with when it ends; must not
    // outlive the cipher it was borrowed from.
    class worker;
    class borrowed {
    public:
        borrowed(borrowed&&) noexcept;
        borrowed& operator=(borrowed&&) = delete;
        ~borrowed();
        bytes seal(bytes_view aad, bytes_view plaintext);
        // Into a buffer that is used again for the next row; after an error it holds nothing that may be read.
        // errc::not_authentic.
        result<void> open_into(bytes& out, bytes_view aad, bytes_view sealed);

    private:
        friend class row_cipher;
        borrowed(const row_cipher& from, std::unique_ptr<worker> w);
        const row_cipher* from_;
        std::unique_ptr<worker> worker_;
    };
    borrowed borrow() const;   // from any thread

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pp::crypto
