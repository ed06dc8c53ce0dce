#include "storage/new_generation.hpp"

#include "storage/apply.hpp"
#include "storage/attempt.hpp"
#include "storage/durable.hpp"
#include "storage/group_builder.hpp"
#include "storage/job_txn.hpp"
#include "storage/log_file.hpp"
#include "storage/store_state.hpp"

#include <charconv>

namespace pp::storage {

namespace {
constexpr std::size_t group_bytes = 1024 * 1024;   // of frames, before they are written
constexpr std::string_view view_prefix = "view.";

// Rows that the log need not carry: where the view stands, and what is made again from the mails.
bool is_derived(table t) { return t == table::env; }
bool has_keys_only(table t) { return t == table::mod || t == table::msgid || t == table::doc; }

class writer {
public:
    writer(const generation_source& from, const store_secrets& to, const storage_options& options, log_file& log,
           view_env& view, log_position at)
        : from_(from), to_(to), options_(options), log_(log), view_(view), end_(std::move(at)) {
        group_.emplace(end_, options_.segment_bytes, to_.log);
    }

    result<void> run() {
        {
            std::shared_lock hold(from_.env.readers());
            PP_LET(auto txn, open_txn::begin(from_.env, nullptr, MDB_RDONLY));
            const rows r(from_.env, txn.get());
            for (std::size_t i = 0; i < table_count; ++i) PP_TRY(copy(r, static_cast<table>(i)));
        }
        PP_TRY(flush());
        return view_.sync();
    }
    const log_position& end() const { return end_; }

private:
    result<void> copy(const rows& r, table t) {
        if (t == table::out_ref) return {};   // restored with the rows of `out`
        if (t == table::fts) return {};   // its key is wrapped by the old shred key; the index is begun anew
        if (has_keys_only(t))
            return r.each_key(t, {}, {}, [&](bytes_view key) -> result<bool> {
                PP_TRY(add(op::restore_row{static_cast<std::uint8_t>(t), to_bytes(key), std::nullopt}));
                return true;
            });
        return r.each(t, {}, {}, [&](bytes_view key, bytes_view plain) -> result<bool> {
            if (t == table::meta && !(key.size() == 1 && key[0] == std::byte{view::counters_key})) return true;
            if (t == table::blob) {
                PP_LET(auto b, decode_blob(plain));
                PP_TRY(copy_blob(key_u64(key, 0), b));
            } else if (is_derived(t)) {
                indexes_.emplace_back(to_bytes(key), to_bytes(plain));
                held_bytes_ += plain.size();
                PP_TRY(flush_when_large());
            } else {
                PP_TRY(add(op::restore_row{static_cast<std::uint8_t>(t), to_bytes(key), to_bytes(plain)}));
            }
            return true;
        });
    }

    result<void> copy_blob(std::uint64_t serial, const blob_row& b) {
        op::restore_blob o;
        o.serial = serial;
        PP_LET(auto key, unwrap_blob_key(from_.shred_key, serial, b));
        o.ref = {b.id, std::move(key), b.plain_bytes, b.cipher_bytes};
        o.place = b.place;
        o.references = b.references;
        if (b.place == blob_place::in_segment) {
            // As it stands, even when it is damaged. One that cannot be read at all gets a place that does not exist.
            auto stored = from_.open_stored(b);
            if (stored) {
                PP_LET(const auto cipher, stored->read_chunks(0, stored->chunks()));
                o.offset = group_->add_blob(stored->header, cipher);
                o.segment = group_->segment();
            } else if (stored.error() != errc::damaged) {
                return stored.error();
            }
        }
        return add(std::move(o));
    }

    result<void> add(operation o) {
        encode_operation(o, encoded_);
        operations_.push_back(std::move(o));
        return flush_when_large();
    }
    result<void> flush_when_large() {
        if (encoded_.size() + held_bytes_ + group_->frames().size() < group_bytes) return {};
        return flush();
    }

    result<void> flush() {
        if (operations_.empty() && indexes_.empty()) return {};
        group_->add_entry(encoded_);
        sodium_memzero(encoded_.data(), encoded_.size());
        encoded_.clear();
        group_->finish(static_cast<std::uint64_t>(std::max<std::int64_t>(wall_clock_ms(), 0)));
        PP_TRY(log_.append(*group_));
        for (;;) {
            PP_TRY(view_.keep_room());
            const auto done = [&]() -> result<void> {
                PP_LET(auto txn, open_txn::begin(view_, nullptr, 0));
                rows r(view_, txn.get());
                apply_context c{r, to_.keys.shred_key};
                for (const auto& o : operations_) PP_TRY(apply_operation(o, c));
                for (const auto& [key, plain] : indexes_) PP_TRY(r.put(table::env, key, plain));
                PP_TRY(view::store_applied(r, group_->end().encode()));
                return view_.commit(txn.release());
            }();
            if (done) break;
            if (done.error() != map_full()) return done;
            PP_TRY(view_.grow());
        }
        operations_.clear();
        indexes_.clear();
        held_bytes_ = 0;
        end_ = group_->end();
        group_.emplace(end_, options_.segment_bytes, to_.log);
        return {};
    }

    const generation_source& from_;
    const store_secrets& to_;
    const storage_options& options_;
    log_file& log_;
    view_env& view_;
    log_position end_;                       // of what is written
    std::optional<group_builder> group_;     // what comes next
    std::vector<operation> operations_;
    bytes encoded_;
    std::vector<std::pair<bytes, bytes>> indexes_;
    std::size_t held_bytes_ = 0;
};

std::optional<std::uint64_t> generation_of_view(const std::string& name) {
    if (!name.starts_with(view_prefix)) return std::nullopt;
    std::uint64_t n = 0;
    const auto* end = name.data() + name.size();
    const auto [rest, ec] = std::from_chars(name.data() + view_prefix.size(), end, n);
    const std::string_view behind(rest, static_cast<std::size_t>(end - rest));
    if (ec != std::errc() || (!behind.empty() && behind != "-lock")) return std::nullopt;
    return n;
}
}  // namespace

store_secrets::store_secrets(account_keys k) : keys(std::move(k)), log(keys), view(keys) {
    const auto full = crypto::blake2b_keyed(keys.shred_key.view(), pp::as_bytes("peerpost shred key check 1"));
    shred_check.assign(full.data.begin(), full.data.begin() + 16);
}

std::filesystem::path generation_under_way(const std::filesystem::path& account_folder) {
    return account_folder / "log.new";
}
std::filesystem::path view_of_generation(const std::filesystem::path& account_folder, std::uint64_t n) {
    return account_folder / (std::string(view_prefix) + std::to_string(n));
}

result<log_position> write_generation(const std::filesystem::path& account_folder, std::uint64_t number,
                                      const generation_source& from, const store_secrets& to,
                                      const storage_options& options, std::uint64_t clock) {
    PP_TRY(remove_unfinished_generations(account_folder, 0));
    log_file log(generation_under_way(account_folder), options);
    log_position at;
    at.generation = number;
    at.clock = clock;
    PP_TRY(log.create(to.log, at));
    PP_TRY(log.open(at));
    const auto view_path = view_of_generation(account_folder, number);
    PP_LET(auto view, view_env::open(view_path, to.view, to.shred_check, options.view_map_bytes, true));
    {
        PP_LET(auto txn, open_txn::begin(*view, nullptr, 0));
        rows r(*view, txn.get());
        PP_TRY(view::store_applied(r, at.encode()));
        PP_TRY(view::store_counters(r, {}));
        PP_TRY(view->commit(txn.release()));
    }
    writer w(from, to, options, log, *view, at);
    PP_TRY(w.run());
    view.reset();
    PP_TRY(durable::unlink_file(view_path.string() + "-lock"));
    PP_TRY(durable::sync_directory(account_folder));
    return w.end();
}

result<void> install_generation(const std::filesystem::path& account_folder, std::uint64_t number) {
    const auto name = std::to_string(number);
    PP_TRY(durable::rename_file(generation_under_way(account_folder) / name, account_folder / "log" / name));
    PP_TRY(durable::sync_directory(account_folder / "log"));
    PP_TRY(durable::sync_directory(generation_under_way(account_folder)));
    return durable::remove_tree(generation_under_way(account_folder));
}

result<void> remove_unfinished_generations(const std::filesystem::path& account_folder, std::uint64_t current) {
    PP_TRY(durable::remove_tree(generation_under_way(account_folder)));
    for (const auto& name : durable::names_in(account_folder))
        if (const auto n = generation_of_view(name); n && *n != current)
            PP_TRY(durable::unlink_file(account_folder / name));
    return {};
}

}  // namespace pp::storage
