// What is behind account_store. account_store.cpp has its public calls, group_commit.cpp the writing, recovery.cpp
// opening and healing, check.cpp the full check.
#pragma once

#include "storage/blob_files.hpp"
#include "storage/job_txn.hpp"
#include "storage/log_file.hpp"
#include "storage/log_walker.hpp"
#include "storage/new_generation.hpp"
#include "storage/text_index.hpp"
#include "storage/uid_lists.hpp"
#include "storage/view_marks.hpp"

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
    result<void> recover_marked(recovery_report& report, bool usable);
    // The view is whole on the disk and nobody writes to it any more.
    void close_view();
    result<void> catch_up(recovery_report& report, bool rebuilt);
    result<void> keep_tail();
    result<void> take_generation();                     // errc::wrong_secret, damaged, newer_format
    result<void> settle_generations(recovery_report& report);
    result<void> remove_leftovers(recovery_report& report);
    // Rebuilds the view from the whole log beside the old one, then puts it in its place. keep_old: under another name.
    result<void> rebuild_view(recovery_report& report, bool keep_old);
    // Applies what the log has behind the view's position. until: not further than there (healing).
    result<void> replay(view_env& into, const std::optional<log_position>& until, recovery_report& report);
    result<void> rebuild_indexes(view_env& into, recovery_report& report);
    result<void> heal();

    // ---- group_commit.cpp
    std::vector<result<void>> write_group(std::span<job> jobs);
    // nullopt: they write more than may wait in memory; nothing of it has happened.
    std::optional<std::vector<result<void>>> write_fresh(std::span<job> jobs);
    std::vector<result<void>> write_through(std::span<job> jobs);
    // The fresh rows into the view's file: one commit.
    // When it fails they stay, and the store is read-only until healed.
    result<void> settle();
    result<void> commit_failed(error_code why, const log_position& before, const log_position& after, bool& undone);
    void note_suspect();

    // ---- shred.cpp
    result<void> shred(const std::function<result<void>(const account_keys&)>& keep);
    // The generation that was built is in use from here on. old_view_to: where the old view goes; empty: removed.
    result<void> move_to_generation(std::uint64_t number, const log_position& end, account_keys fresh,
                                    const std::filesystem::path& old_view_to);
    result<void> remove_other_generations();

    // ---- repair.cpp
    result<void> repair(repair_report& report);
    result<std::unique_ptr<view_env>> trusted_view() const;
    result<bool> log_is_whole(const view_env* view) const;
    result<void> put_aside(const std::filesystem::path& what, const std::string& as, repair_report& report);
    result<void> put_strays_aside(repair_report& report);
    result<void> put_unnamed_blobs_aside(repair_report& report);
    void remove_salvage() const;

    // ---- blobs
    result<stored_blob> open_stored(const blob_row& b) const;
    // A segment for reading. Some stay open: a list of small mails would open the same file for each of them.
    result<std::shared_ptr<const durable::file>> open_segment(std::uint64_t number) const;
    static constexpr std::size_t open_segments_max = 16;
    mutable std::mutex segments_mutex;
    mutable std::map<std::uint64_t, std::shared_ptr<const durable::file>> open_segments;

    const std::filesystem::path folder;
    const storage_options options;
    // Changed by shred() only, while no reader is inside and nobody holds `upkeep`.
    store_secrets secrets;
    std::uint64_t generation = 1;
    const crypto::drive_key drive;
    mutable std::shared_mutex upkeep;                   // shared: check(); alone: shred()
    const std::shared_ptr<blob_space> space;
    view_marks marks;
    std::unique_ptr<view_env> env;
    log_file log;
    log_position durable_end;                           // the log up to here is promised
    std::atomic<bool> writable = false;
    // a shred failed half way: only a start can tell which keys count
    bool keys_in_doubt = false;
    std::vector<crypto::blob_id> cleared;               // their files go once the view's file names them no more
    std::uint64_t reindex_from = 0;                     // no mail below this serial has lost its index
    bool recovery_pending = false;                      // opened on a full disk: the log is ahead of the view
    std::atomic<bool> suspect_noted = false;
    text_index text;
    uid_lists lists;
};

struct account_store::check_parts {
    const view_env& env;
    const store_secrets& secrets;
    std::uint64_t generation;
    std::filesystem::path folder;
    std::function<result<stored_blob>(const blob_row&)> open_stored;
};

// A transaction that is aborted unless it is committed.
class open_txn {
public:
    static result<open_txn> begin(const view_env& env, MDB_txn* parent, unsigned flags);
    open_txn(open_txn&& other) noexcept : env_(other.env_), keys_before_(other.keys_before_), txn_(other.release()) {}
    open_txn& operator=(open_txn&&) = delete;
    ~open_txn() {
        if (!txn_) return;
        if (env_) env_->keys_changed(keys_before_);
        mdb_txn_abort(txn_);
    }
    MDB_txn* get() const { return txn_; }
    MDB_txn* release() {
        auto* out = txn_;
        txn_ = nullptr;
        return out;
    }

private:
    // writes_to: null when it only reads.
    open_txn(const view_env* writes_to, std::uint64_t keys_before, MDB_txn* txn)
        : env_(writes_to), keys_before_(keys_before), txn_(txn) {}
    const view_env* env_;
    std::uint64_t keys_before_;
    MDB_txn* txn_;
};

// The mailboxes every account begins with.
std::span<const std::pair<const char*, special_use>> standard_mailboxes();
// Where a view stands in the log.
result<log_position> position_of(const view_env& env);
// Applies whole groups, in one transaction.
result<void> apply_groups(const std::vector<log_walker::group>& groups, view_env& env,
                          const crypto::row_key& shred_key);

}  // namespace pp::storage
