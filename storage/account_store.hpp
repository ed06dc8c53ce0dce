// One account's drive and view: the signed log is the truth, LMDB a rebuildable view of it (03-storage, D1).
//
// Threads: read() from any thread, at any time; write() from one thread only (services/store_writer). Blob writers are
// filled on any one thread each. A read transaction never outlives the call of read().
#pragma once

#include "storage/blob_store.hpp"
#include "storage/error.hpp"
#include "storage/records.hpp"

#include <filesystem>
#include <functional>
#include <memory>

namespace pp::storage {

// The account's secrets as the keyring holds them (names "account/<label>/...").
struct account_keys {
    crypto::ed25519_seed drive_seed;      // signs heads: DSK of the current generation
    crypto::row_key log_key;              // K_log: seals log entries
    crypto::row_key store_key;            // K_store: rows of the view, never leaves the device
    crypto::row_key shred_key;            // SEK: wraps blob keys in the view
    static account_keys generate();
    account_keys clone() const;
};

struct recovery_report {                  // what opening found and did, in sentences for people
    std::uint64_t entries_replayed = 0;
    std::uint64_t bytes_cut = 0;          // torn tail behind the last good head
    bool view_rebuilt = false;
    std::vector<std::string> notes;
};

struct check_report {
    std::uint64_t entries = 0, mails = 0, blobs = 0, bytes = 0;
    std::vector<std::string> lost;        // each names what cannot be read any more, without subjects or addresses
    std::vector<std::string> warnings;    // damage that loses nothing
    bool sound() const { return lost.empty() && warnings.empty(); }
};

struct repair_report {                    // what repair() did, in sentences for people
    std::vector<std::string> done;
    std::vector<std::string> lost;
    std::string kept_in;                  // folder below the account's with what was put aside; empty: nothing was
    bool needed() const { return !done.empty() || !lost.empty(); }
};

struct storage_options {
    std::uint64_t segment_bytes = 64ull << 20;       // tests take small ones
    std::uint64_t zero_ahead_bytes = 16ull << 20;
    std::uint64_t view_map_bytes = 4ull << 30;
    std::uint64_t reserve_bytes = 32ull << 20;       // refuse new mail (errc::full) when the disk has less than this
    // A view up to this size is checked page by page at every start (64 MiB:
    // 50 ms), a larger one after an unclean stop.
    std::uint64_t view_checked_bytes = 64ull << 20;
    // Whether rows wait in memory for a commit of the view with others (storage/fresh_rows.hpp),
    // or each group commits it.
    bool fresh_rows = true;
};

class read_txn;
class write_txn;
class text_index;

class account_store {
public:
    // Makes the directory and an empty store with the standard mailboxes (INBOX, Drafts, Sent, Archive, Junk, Trash,
    // Requests). errc::exists_already when there is one.
    static result<std::unique_ptr<account_store>> create(const std::filesystem::path& folder, account_keys keys,
                                                         storage_options options = {});
    // Opens and recovers (03-storage 7). errc::log_lost, errc::damaged, errc::newer_format, errc::wrong_secret.
    static result<std::unique_ptr<account_store>> open(const std::filesystem::path& folder, account_keys keys,
                                                       recovery_report& report, storage_options options = {});
    ~account_store();

    // Runs f inside a read transaction (LMDB snapshot). Copy out and return soon: within 50 ms or 256 rows.
    template <class F>
    auto read(F&& f) const {
        const auto txn = begin_read();
        return std::forward<F>(f)(*txn);
    }

    // One job of a group. It sees what earlier jobs of the group have done; when it returns an error all it did is
    // undone and the others go on.
    using job = std::function<result<void>(write_txn&)>;
    // Runs the jobs, then log write + fdatasync (durability point), then readers see it (visibility point). The result
    // of each job, or the error of the commit for all. When this returns, what succeeded is durable.
    std::vector<result<void>> write(std::span<job> jobs);
    // What write() has left in memory for the view's file: about how much (0: nothing), and putting it there, with one
    // commit. After an error the store is read-only until try_heal(). Writer thread.
    std::size_t unsettled_bytes() const;
    result<void> settle();

    // A mail on its way into the store; see blob_store.hpp. Any thread.
    blob_writer new_blob();
    // errc::not_found when the last placement is gone and the blob cleared; errc::damaged names what failed.
    result<std::shared_ptr<blob_reader>> open_blob(std::uint64_t mail_serial) const;
    // For serving a drive: the encrypted bytes, without a key.
    result<std::shared_ptr<cipher_reader>> open_cipher(const crypto::blob_id& id) const;

    // Puts right what damage has left of a store that nobody has open: a log with holes, a view and a log that are both
    // damaged, files that do not belong. Nothing is deleted; UIDs and UIDVALIDITY stay. open() after it. errc::log_lost
    // when neither log nor view is left, errc::wrong_secret, errc::newer_format, errc::full, errc::io_error.
    static result<repair_report> repair(const std::filesystem::path& folder, account_keys keys,
                                        storage_options options = {});
    // Makes everything that was deleted unreadable: the live state moves to a new generation under fresh keys; `keep`
    // must put them into the keyring durably, both copies, the old ones gone, or fail having changed nothing. Needs
    // room for the store's view and small mails once more. Writer thread. After a failure of `keep` errc::read_only
    // until the next start.
    result<void> shred(const std::function<result<void>(const account_keys&)>& keep);

    crypto::drive_key drive() const;
    // Background work: zero-writes the next piece of the log. Returns false when there is nothing to do. Any thread.
    bool housekeeping();
    bool wants_housekeeping() const;      // whether there is; cheap. Any thread
    // Reads everything: frames, hashes, heads, rows, blobs. Changes nothing. progress(done, total) bytes.
    result<check_report> check(const std::function<void(std::uint64_t, std::uint64_t)>& progress) const;
    struct check_parts;                   // what check() looks at; storage/store_state.hpp
    std::uint64_t rows_read() const;      // of the view since it was opened, by anybody; waits for nobody
    // Gives back the memory that reading has taken (of the view's file, mapped). Writer thread.
    result<void> release_memory();
    bool writable() const;                // false after an I/O error in the log: reads go on
    // Tries to heal after errc::full or read_only (room again): re-opens the tail as recovery does. Writer thread.
    result<void> try_heal();

    // The full-text index: storage/text_index.hpp. Asking from any thread, changing on the thread of write().
    text_index& text() const;
    struct state;                         // storage/store_state.hpp

private:
    account_store();
    std::unique_ptr<read_txn> begin_read() const;
    std::unique_ptr<state> state_;
};

// Checks a directory without any key being needed to be right: is there a store at all?
bool has_store(const std::filesystem::path& folder);

}  // namespace pp::storage
