// What is behind account_store. account_store.cpp has its public calls, group_commit.cpp the writing, recovery.cpp
// opening and healing, check.cpp the full check.
#pragma once

#include "storage/blob_files.hpp"
#include "storage/job_txn.hpp"
#include "storage/log_file.hpp"
#include "storage/log_walker.hpp"
#include "storage/text_index.hpp"

#include <atomic>
#include <map>
#include <mutex>

namespace pp::storage {

struct account_store::state {
    state(std::filesystem::path where, account_keys k, storage_options o);

    std::filesystem::path view_path() const { return folder / "view"; }
    std::filesystem::path log_folder() const { return folder / "log"; }
    // An empty file: a row did not authenticate, so the next start rebuilds the view.
    std::filesystem::path suspect_path() const { return folder / "view.suspect"; }

    // ---- recovery.cpp
    result<void> recover(recovery_report& report);
    result<void> catch_up(recovery_report& report, bool rebuilt);
    result<void> keep_tail();
    result<void> check_keys() const;                    // errc::wrong_secret, not_found, newer_format
    result<void> remove_leftovers(recovery_report& report);
    // Rebuilds the view from the whole log beside the old one, then puts it in its place.
    result<void> rebuild_view(recovery_report& report);
    // Applies what the log has behind the view's position. until: not further than there (healing).
    result<void> replay(view_env& into, const std::optional<log_position>& until, recovery_report& report);
    result<void> rebuild_indexes(view_env& into, recovery_report& report);
    result<void> heal();

    // ---- group_commit.cpp
    std::vector<result<void>> write_group(std::span<job> jobs);
    result<void> commit_failed(error_code why, const log_position& before, const log_position& after, bool& undone);
    void note_suspect();

    // ---- blobs
    result<stored_blob> open_stored(const blob_row& b) const;
    // A segment for reading. Some stay open: a list of small mails would open the same file for each of them.
    result<std::shared_ptr<const durable::file>> open_segment(std::uint64_t number) const;
    static constexpr std::size_t open_segments_max = 16;
    mutable std::mutex segments_mutex;
    mutable std::map<std::uint64_t, std::shared_ptr<const durable::file>> open_segments;

    const std::filesystem::path folder;
    const storage_options options;
    const account_keys keys;
    const log_keys log_secrets;
    const view_keys view_secrets;
    const bytes shred_check;
    const std::shared_ptr<blob_space> space;
    std::unique_ptr<view_env> env;
    log_file log;
    log_position durable_end;                           // the log up to here is promised
    std::atomic<bool> writable = false;
    bool recovery_pending = false;                      // opened on a full disk: the log is ahead of the view
    std::atomic<bool> suspect_noted = false;
    text_index text;
};

struct account_store::check_parts {
    const view_env& env;
    const log_keys& log_secrets;
    const crypto::row_key& shred_key;
    std::filesystem::path log_folder;
    std::function<result<stored_blob>(const blob_row&)> open_stored;
};

// A transaction that is aborted unless it is committed.
class open_txn {
public:
    static result<open_txn> begin(const view_env& env, MDB_txn* parent, unsigned flags);
    open_txn(open_txn&& other) noexcept : txn_(other.txn_) { other.txn_ = nullptr; }
    open_txn& operator=(open_txn&&) = delete;
    ~open_txn() {
        if (txn_) mdb_txn_abort(txn_);
    }
    MDB_txn* get() const { return txn_; }
    MDB_txn* release() {
        auto* out = txn_;
        txn_ = nullptr;
        return out;
    }

private:
    explicit open_txn(MDB_txn* txn) : txn_(txn) {}
    MDB_txn* txn_;
};

}  // namespace pp::storage
