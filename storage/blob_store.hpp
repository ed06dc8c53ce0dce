// The encrypted bytes of mails: below 64 KiB inside the log's own segment, above in a file of their own (D4).
#pragma once

#include "crypto/blob_cipher.hpp"
#include "storage/error.hpp"
#include "storage/records.hpp"

#include <filesystem>
#include <memory>

namespace pp::storage {

inline constexpr std::size_t inline_blob_cipher_bytes_max = 64 * 1024;

// Encrypts a mail as it comes and finds its MIME structure in the same pass. Small ones stay in memory, larger ones go
// to tmp/ and are unlinked when the writer is destroyed before write_txn took it. Not thread-safe; any one thread.
class blob_writer {
public:
    struct state;
    explicit blob_writer(std::unique_ptr<state>);
    ~blob_writer();
    blob_writer(blob_writer&&) noexcept;
    blob_writer& operator=(blob_writer&&) noexcept;

    result<void> write(bytes_view plaintext);       // errc::full, errc::io_error
    // Ends the mail: pads, syncs and renames a large blob so that the commit only has to name it. May take as long as
    // the disk: call it on a worker thread for large mails. errc::full, errc::io_error.
    result<void> finish();
    std::uint64_t plain_bytes() const;
    std::string_view index() const;                 // after finish(): the mail's index, encoded
    const mail::envelope& envelope() const;         // after finish(): the mail's own
    state& internals() { return *state_; }

private:
    std::unique_ptr<state> state_;
};

// Random access to the plaintext of one mail; every chunk is verified before a byte of it is returned. Thread-safe for
// one caller at a time; keeps one decrypted chunk.
class blob_reader {
public:
    virtual ~blob_reader() = default;
    virtual std::uint64_t size_bytes() const = 0;
    // Fills out from offset; fewer bytes only at the end. errc::damaged, errc::io_error.
    virtual result<std::size_t> read(std::uint64_t offset, mutable_bytes_view out) = 0;
    virtual blob_ref ref() const = 0;               // what a notification carries
};

// The encrypted form of one blob, to be served in verifiable ranges.
class cipher_reader {
public:
    virtual ~cipher_reader() = default;
    virtual const crypto::blob_header& header() const = 0;
    virtual std::uint64_t cipher_bytes() const = 0;
    virtual std::uint64_t chunks() const = 0;
    virtual result<bytes> read_chunks(std::uint64_t first, std::uint64_t n) = 0;
    virtual result<std::vector<crypto::hash256>> range_proof(std::uint64_t first, std::uint64_t n) = 0;
    virtual crypto::hash256 root() const = 0;
};

// A blob that is being fetched from a peer: verified ciphertext in incoming/, resumable after a cut or a crash.
// Only chunks that the caller has verified against the blob id may be given.
class partial_blob {
public:
    // Opens or begins incoming/<name>. header and cipher_bytes are part of the blob id and checked by the caller.
    static result<partial_blob> open(const std::filesystem::path& incoming, std::string_view name);
    partial_blob(partial_blob&&) noexcept;
    partial_blob& operator=(partial_blob&&) noexcept;
    ~partial_blob();

    std::uint64_t whole_chunks() const;                            // verified and kept: the next chunk to ask for
    result<void> append(bytes_view cipher_chunks);                 // whole chunks (the last may be short)
    result<bytes> read_chunk(std::uint64_t index) const;
    result<void> restart();                                        // throws away what is there
    void remove();                                                 // after the mail is durable

private:
    struct state;
    explicit partial_blob(std::unique_ptr<state>);
    std::unique_ptr<state> state_;
};

}  // namespace pp::storage
