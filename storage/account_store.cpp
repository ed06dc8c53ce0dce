#include "storage/account_store.hpp"

#include "storage/attempt.hpp"
#include "storage/generations.hpp"
#include "storage/store_state.hpp"

namespace pp::storage {

account_keys account_keys::generate() {
    account_keys k;
    k.drive_seed = crypto::random<crypto::ed25519_seed>();
    k.log_key = crypto::random<crypto::row_key>();
    k.store_key = crypto::random<crypto::row_key>();
    k.shred_key = crypto::random<crypto::row_key>();
    return k;
}

account_keys account_keys::clone() const {
    return {drive_seed.clone(), log_key.clone(), store_key.clone(), shred_key.clone()};
}

namespace {
std::shared_ptr<blob_space> make_space(const std::filesystem::path& folder, const storage_options& options) {
    auto space = std::make_shared<blob_space>();
    space->folder = folder;
    space->reserve_bytes = options.reserve_bytes;
    return space;
}

// A snapshot; readers keep the map from growing under them.
class snapshot final : public answering<read_txn> {
public:
    snapshot(std::shared_lock<reader_lock> hold, view_snapshot seen, uid_lists& lists)
        : answering(seen.rows()), hold_(std::move(hold)), seen_(std::move(seen)), lists_(&lists) {}
    // Without a transaction (no reader slot left, or the view is being reopened) every question is errc::io_error.
    snapshot(const view_env& env, std::shared_lock<reader_lock> hold)
        : answering(rows(env, nullptr)), hold_(std::move(hold)) {}

    result<std::vector<std::uint32_t>> uids(mailbox_id id) const override {
        return lists_ ? lists_->of(rows_, id) : answering::uids(id);
    }

private:
    std::shared_lock<reader_lock> hold_;
    std::optional<view_snapshot> seen_;
    uid_lists* lists_ = nullptr;
};

result<void> make_standard_mailboxes(account_store& store) {
    account_store::job make = [](write_txn& t) -> result<void> {
        for (const auto& [name, use] : standard_mailboxes()) {
            PP_TRY(t.create_mailbox(name, use));
            PP_TRY(t.set_subscribed(name, true));
        }
        return {};
    };
    return store.write({&make, 1}).front();
}
}  // namespace

std::span<const std::pair<const char*, special_use>> standard_mailboxes() {
    static constexpr std::pair<const char*, special_use> all[] = {
        {"INBOX", special_use::none},      {"Drafts", special_use::drafts}, {"Sent", special_use::sent},
        {"Archive", special_use::archive}, {"Junk", special_use::junk},     {"Trash", special_use::trash},
        {"Requests", special_use::none},   {"Outgoing", special_use::none}};
    return all;
}

result<open_txn> open_txn::begin(const view_env& env, MDB_txn* parent, unsigned flags) {
    if (!env.env()) return errc::io_error;
    MDB_txn* txn = nullptr;
    if (const int rc = mdb_txn_begin(env.env(), parent, flags, &txn)) return error_of_lmdb(rc);
    if (flags & MDB_RDONLY) return open_txn(nullptr, 0, txn);
    if (!parent) env.keys_changed(0);
    return open_txn(&env, env.keys_changed(), txn);
}

account_store::state::state(std::filesystem::path where, account_keys k, storage_options o)
    : folder(std::move(where)),
      options(o),
      secrets(std::move(k)),
      drive(secrets.log.drive_public),
      space(make_space(folder, o)),
      marks(folder),
      log(folder / "log", o),
      text(*this) {}

account_store::account_store() = default;
account_store::~account_store() {
    if (state_) state_->close_view();
}

// Yes, too, when nobody can tell: whoever asks would make another one there.
bool has_store(const std::filesystem::path& folder) {
    const auto there = generations_in(folder / "log");
    return !there || !there->empty();
}

result<std::unique_ptr<account_store>> account_store::create(const std::filesystem::path& folder, account_keys keys,
                                                             storage_options options) {
    if (has_store(folder)) return errc::exists_already;
    std::error_code failed;
    if (!folder.parent_path().empty()) std::filesystem::create_directories(folder.parent_path(), failed);
    PP_TRY(durable::make_directory(folder));
    PP_TRY(durable::make_directory(folder / "blobs"));
    PP_TRY(durable::make_directory(folder / "tmp"));
    PP_TRY(durable::make_directory(folder / "incoming"));
    PP_TRY(durable::sync_directory(folder));
    if (!folder.parent_path().empty()) PP_TRY(durable::sync_directory(folder.parent_path()));
    std::unique_ptr<account_store> store(new account_store);
    store->state_ = std::make_unique<state>(folder, std::move(keys), options);
    // The log's first segment makes it a store: from here on a crash is repaired by open(), which makes the view.
    PP_TRY(store->state_->log.create(store->state_->secrets.log));
    recovery_report report;
    PP_TRY(store->state_->recover(report));
    PP_TRY(make_standard_mailboxes(*store));
    return store;
}

result<std::unique_ptr<account_store>> account_store::open(const std::filesystem::path& folder, account_keys keys,
                                                           recovery_report& report, storage_options options) {
    if (!has_store(folder)) return errc::not_found;
    std::unique_ptr<account_store> store(new account_store);
    store->state_ = std::make_unique<state>(folder, std::move(keys), options);
    PP_TRY(store->state_->recover(report));
    // A crash inside create(): the log was there, its first group was not.
    if (!store->state_->recovery_pending && store->state_->durable_end.seq() == 0)
        PP_TRY(make_standard_mailboxes(*store));
    return store;
}

std::unique_ptr<read_txn> account_store::begin_read() const {
    auto& env = *state_->env;
    std::shared_lock hold(env.readers());
    auto seen = view_snapshot::take(env);
    if (!seen) return std::make_unique<snapshot>(env, std::move(hold));
    return std::make_unique<snapshot>(std::move(hold), std::move(*seen), state_->lists);
}

std::vector<result<void>> account_store::write(std::span<job> jobs) { return state_->write_group(jobs); }
std::size_t account_store::unsettled_bytes() const {
    const auto& fresh = *state_->env->fresh();
    return fresh.empty() ? 0 : fresh.memory_bytes();
}
result<void> account_store::settle() { return state_->writable ? state_->settle() : result<void>(errc::read_only); }

blob_writer account_store::new_blob() { return blob_writer(std::make_unique<blob_writer::state>(state_->space)); }

result<stored_blob> account_store::state::open_stored(const blob_row& b) const {
    const bool in_file = b.place == blob_place::in_file;
    if (!in_file) {
        PP_LET(auto segment, open_segment(b.segment));
        return stored_blob::open(std::move(segment), b.offset, false, b.cipher_bytes);
    }
    auto opened = durable::open_file(space->path_of(b.id), durable::mode::read);
    if (!opened) return opened.error() == errc::not_found ? error_code(errc::damaged) : opened.error();
    return stored_blob::open(std::make_shared<const durable::file>(std::move(*opened)), 0, true, b.cipher_bytes);
}

result<std::shared_ptr<const durable::file>> account_store::state::open_segment(std::uint64_t number) const {
    const std::lock_guard hold(segments_mutex);
    if (const auto at = open_segments.find(number); at != open_segments.end()) return at->second;
    auto opened = durable::open_file(segment_path(log_folder(), generation, number), durable::mode::read);
    if (!opened) return opened.error() == errc::not_found ? error_code(errc::damaged) : opened.error();
    if (open_segments.size() >= open_segments_max) open_segments.erase(open_segments.begin());   // the oldest mails
    return open_segments[number] = std::make_shared<const durable::file>(std::move(*opened));
}

result<std::shared_ptr<blob_reader>> account_store::open_blob(std::uint64_t mail_serial) const {
    for (int attempt = 0;; ++attempt) {
        std::shared_lock hold(state_->env->readers());
        PP_LET(const auto seen, view_snapshot::take(*state_->env));
        const auto& r = seen.rows();
        PP_LET(const auto b, view::load_blob(r, mail_serial));
        if (!b) return errc::not_found;
        PP_LET(auto key, unwrap_blob_key(state_->secrets.keys.shred_key, mail_serial, *b));
        // The file is opened inside the snapshot; a writer that clears the blob meanwhile unlinks it, so a missing file
        // is damage only when the row is still there on a second look.
        auto stored = state_->open_stored(*b);
        if (!stored) {
            if (attempt == 0 && b->place == blob_place::in_file) continue;
            return stored.error();
        }
        return make_blob_reader(std::move(*stored), {b->id, std::move(key), b->plain_bytes, b->cipher_bytes});
    }
}

result<std::shared_ptr<cipher_reader>> account_store::open_cipher(const crypto::blob_id& id) const {
    const auto look = [&]() -> result<stored_blob> {
        std::shared_lock hold(state_->env->readers());
        PP_LET(const auto seen, view_snapshot::take(*state_->env));
        const auto& r = seen.rows();
        PP_LET(const auto serial, view::serial_of(r, id));
        if (!serial) return errc::not_found;
        PP_LET(const auto b, view::load_blob(r, *serial));
        if (!b || b->id != id) return errc::damaged;
        return state_->open_stored(*b);
    };
    auto stored = look();
    if (!stored && stored.error() == errc::damaged) stored = look();   // cleared between row and file
    if (!stored) return stored.error();
    return make_cipher_reader(std::move(*stored), id);
}

crypto::drive_key account_store::drive() const { return state_->drive; }
bool account_store::wants_housekeeping() const { return state_->log.wants_housekeeping(); }
bool account_store::housekeeping() { return state_->log.housekeeping(); }
text_index& account_store::text() const { return state_->text; }
std::uint64_t account_store::rows_read() const { return state_->env->rows_read(); }
result<void> account_store::release_memory() {
    const std::shared_lock hold(state_->upkeep);
    return state_->env->release_pages();
}
bool account_store::writable() const { return state_->writable; }
result<void> account_store::try_heal() { return state_->heal(); }

}  // namespace pp::storage
