// Where blobs of one account lie, and the parts of blob_store.hpp that only the store itself sees.
#pragma once

#include "storage/blob_store.hpp"
#include "storage/durable.hpp"
#include "storage/limits.hpp"

#include <bitset>
#include <mutex>

namespace pp::storage {

// Shared by the store and every writer, so that a writer may outlive neither by accident.
struct blob_space {
    std::filesystem::path folder;       // of the account
    std::uint64_t reserve_bytes = 0;

    std::filesystem::path blobs() const { return folder / "blobs"; }
    std::filesystem::path tmp() const { return folder / "tmp"; }
    std::filesystem::path path_of(const crypto::blob_id& id) const;
    // Gives a finished blob its place, durably. The syncs come last and at once; what a crash leaves half written under
    // its final name is named by no entry of the log, and goes at the next start.
    result<void> take_in(const std::filesystem::path& made, const durable::file& file, const crypto::blob_id& id);
    // errc::full when less than the reserve would be left.
    result<void> check_room(std::uint64_t more) const;

private:
    bool shelf_is_durable(std::size_t n);

    std::mutex mutex_;
    bool shelves_known_ = false;
    std::bitset<256> durable_shelves_;   // blobs/xx that are there after a crash as well
};

struct blob_writer::state {
    state(std::shared_ptr<blob_space> s);
    ~state();

    result<void> spill(bool all);       // moves finished ciphertext to the file

    std::shared_ptr<blob_space> space;
    crypto::blob_key key;
    crypto::blob_encryptor encryptor;
    // Of the mail as it comes; gone when it is finished, for many finished mails may wait for one commit.
    std::optional<mail::message_indexer> indexer = std::make_optional<mail::message_indexer>();
    std::string index;                  // encoded, once finished; and what else a commit asks for
    mail::envelope envelope;
    std::optional<std::string> listed_header;
    std::size_t inline_bytes_max = inline_blob_cipher_bytes_max;   // beyond it: a file
    bytes cipher;                       // in memory: all of it, or what is not written yet
    durable::file file;
    std::filesystem::path path;         // of the file; empty: in memory
    std::uint64_t written = 0, writeback = 0;
    bool finished = false;
    error_code failed;
    bool taken = false;                 // a commit names it: the file stays
    std::uint64_t serial = 0;           // given by add_mail; valid only when a blob row agrees
};

// A blob that lies whole in a segment or a file: header, ciphertext, and (file) the leaves behind it.
struct stored_blob {
    std::shared_ptr<const durable::file> file;
    std::uint64_t offset = 0;           // of the blob's header
    bool has_leaves = false;
    std::uint64_t cipher_bytes = 0;
    crypto::blob_header header{};
    bytes whole;                        // header and ciphertext of one that lies in a segment: read at once

    // Reads the header. errc::damaged when it does not lie whole in the file.
    static result<stored_blob> open(std::shared_ptr<const durable::file> file, std::uint64_t offset, bool has_leaves,
                                    std::uint64_t cipher_bytes);
    std::uint64_t chunks() const;
    result<bytes> read_chunks(std::uint64_t first, std::uint64_t n) const;
    // The hashes of all chunks: from behind the ciphertext, or computed.
    result<std::vector<crypto::hash256>> leaves() const;
};

result<std::shared_ptr<blob_reader>> make_blob_reader(stored_blob blob, blob_ref ref);
// Checks the leaves against the blob id once.
result<std::shared_ptr<cipher_reader>> make_cipher_reader(stored_blob blob, const crypto::blob_id& id);

}  // namespace pp::storage
