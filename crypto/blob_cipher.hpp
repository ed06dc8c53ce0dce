// Blobs: the encrypted, content-addressed bytes of one mail (storage/FORMAT.md, "Blob"). STREAM over 64 KiB chunks, one
// random key per blob, a commitment to the key in the header, a Merkle tree over the encrypted chunks, padding that
// hides the exact length. Random access by chunk; nothing unverified is ever returned.
#pragma once

#include "crypto/merkle.hpp"

namespace pp::crypto {

inline constexpr std::size_t chunk_plain_bytes = 64 * 1024;
inline constexpr std::size_t chunk_tag_bytes = 16;
inline constexpr std::size_t chunk_cipher_bytes = chunk_plain_bytes + chunk_tag_bytes;
inline constexpr std::size_t blob_header_bytes = 8 + 16 + 32;   // "PPB1" suite log2-chunk flags | salt | commitment

enum class blob_suite : std::uint8_t { aes_256_gcm = 1, chacha20_poly1305 = 2 };
blob_suite preferred_blob_suite();   // AES where the processor has it

using blob_header = std::array<std::byte, blob_header_bytes>;

// One key is used for at most 2^32 chunks (03-storage 3.4.3).
inline constexpr std::uint64_t blob_chunks_max = std::uint64_t{1} << 32;
inline constexpr std::uint64_t blob_padded_bytes_max = blob_chunks_max * chunk_plain_bytes;

// Plaintext length with padding: the last 8 bytes of the padded plaintext hold the true length (u64 LE), the bytes
// between are zero. 512 B steps to 8 KiB, then eighths of powers of two (at most 12.5 % more). A length that no blob
// can have gives the largest number, never a small one.
std::uint64_t padded_bytes(std::uint64_t plain_bytes);
std::uint64_t chunk_count(std::uint64_t padded_plain_bytes);
std::uint64_t cipher_bytes(std::uint64_t padded_plain_bytes);   // all chunks, without header

// blob id = SHA-256(0x02 | header | ciphertext length as u64 LE | Merkle root)
blob_id make_blob_id(const blob_header& header, std::uint64_t cipher_bytes, const hash256& root);

// Encrypts a stream of unknown length. Give plaintext in any pieces; take whole encrypted chunks.
class blob_encryptor {
public:
    explicit blob_encryptor(const blob_key& key, blob_suite suite = preferred_blob_suite());
    ~blob_encryptor();
    blob_encryptor(blob_encryptor&&) noexcept;

    const blob_header& header() const;
    // Appends finished encrypted chunks to out. Keeps at most one chunk of plaintext.
    void update(bytes_view plaintext, bytes& out);
    // Pads, encrypts what is left, and ends. Once.
    void finish(bytes& out);
    // The same in steps, for large blobs: their padding, up to an eighth of the mail, is never held whole. Appends at
    // most `chunks_max` chunks (at least one); false when more are to come. No update() after the first call.
    [[nodiscard]] bool finish_some(std::size_t chunks_max, bytes& out);
    // After finish():
    std::uint64_t plain_bytes() const;
    std::uint64_t cipher_bytes() const;
    const std::vector<hash256>& leaves() const;   // grows as chunks are made: 32 B per 64 KiB
    hash256 root() const;
    blob_id id() const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

// Opens chunks of one blob in any order.
class blob_decryptor {
public:
    // errc::bad_header, errc::unknown_suite, errc::wrong_commitment (checked in constant time before any chunk).
    static result<blob_decryptor> open(const blob_key& key, const blob_header& header, std::uint64_t cipher_bytes);
    ~blob_decryptor();
    blob_decryptor(blob_decryptor&&) noexcept;
    blob_decryptor& operator=(blob_decryptor&&) noexcept;

    std::uint64_t chunks() const;
    // Decrypts chunk `index` into out (resized to its plaintext, padding included). errc::not_authentic.
    result<void> decrypt(std::uint64_t index, bytes_view cipher_chunk, bytes& out);
    // Reads the true length out of the decrypted last chunk. errc::bad_header when the padding makes no sense.
    result<std::uint64_t> plain_bytes(bytes_view last_chunk_plain) const;

private:
    struct state;
    explicit blob_decryptor(std::unique_ptr<state>);
    std::unique_ptr<state> state_;
};

}  // namespace pp::crypto
