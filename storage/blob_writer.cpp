#include "storage/attempt.hpp"
#include "storage/blob_files.hpp"
#include "storage/blob_in_file.hpp"

#include <future>
#include <utility>

namespace pp::storage {

std::filesystem::path blob_space::path_of(const crypto::blob_id& id) const {
    const auto name = crypto::hex(id.view());
    return blobs() / name.substr(0, 2) / name;
}

bool blob_space::shelf_is_durable(std::size_t n) {
    const std::lock_guard hold(mutex_);
    if (!std::exchange(shelves_known_, true)) {
        const auto there = durable::names_in(blobs());
        if (durable::sync_directory(blobs()))
            for (const auto& name : there)
                if (const auto raw = crypto::from_hex(name); raw && raw->size() == 1)
                    durable_shelves_[std::to_integer<std::size_t>(raw->front())] = true;
    }
    return durable_shelves_[n];
}

result<void> blob_space::take_in(const std::filesystem::path& made, const durable::file& file,
                                 const crypto::blob_id& id) {
    const auto path = path_of(id);
    const auto shelf = std::to_integer<std::size_t>(id.data[0]);
    const bool shelf_stays = shelf_is_durable(shelf);
    // Each sync makes the disk empty its cache, which takes its time; at the same time it is once for all of them.
    const auto at_once = [](const std::filesystem::path& names) {   // where no thread is to be had: one after the other
        return std::async([names] { return durable::sync_directory(names); });
    };
    std::future<result<void>> shelf_synced;
    if (!shelf_stays) {
        PP_TRY(durable::make_directory(path.parent_path()));
        shelf_synced = at_once(blobs());
    }
    PP_TRY(durable::rename_file(made, path));
    auto names_synced = at_once(path.parent_path());
    PP_TRY(file.sync());
    PP_TRY(names_synced.get());
    if (shelf_synced.valid()) PP_TRY(shelf_synced.get());
    const std::lock_guard hold(mutex_);
    durable_shelves_[shelf] = true;
    return {};
}

result<void> blob_space::check_room(std::uint64_t more) const {
    const auto free = durable::free_bytes(folder);
    if (!free) return free.error();
    if (*free < reserve_bytes + more) return errc::full;
    return {};
}

blob_writer::state::state(std::shared_ptr<blob_space> s)
    : space(std::move(s)), key(crypto::random<crypto::blob_key>()), encryptor(key) {}

blob_writer::state::~state() {
    if (!taken && !path.empty()) (void)durable::unlink_file(path);
}

result<void> blob_writer::state::spill(bool all) {
    if (path.empty()) {
        std::array<std::byte, 16> random;
        crypto::random_bytes(random);
        auto made = space->tmp() / crypto::hex(random);
        PP_LET(file, durable::open_file(made, durable::mode::create_new));
        path = std::move(made);
        PP_TRY(file.write_at(0, encryptor.header()));
        written = crypto::blob_header_bytes;
        cipher.reserve(blob_write_bytes + 2 * crypto::chunk_plain_bytes);   // one piece of memory for the whole mail
    }
    if (cipher.size() < blob_write_bytes && !all) return {};
    PP_TRY(space->check_room(cipher.size()));
    PP_TRY(file.write_at(written, cipher));
    written += cipher.size();
    cipher.clear();
    if (written - writeback >= writeback_step_bytes) {
        file.start_writeback(writeback, written - writeback);
        writeback = written;
    }
    return {};
}

blob_writer::blob_writer(std::unique_ptr<state> s) : state_(std::move(s)) {}
blob_writer::~blob_writer() = default;
blob_writer::blob_writer(blob_writer&&) noexcept = default;
blob_writer& blob_writer::operator=(blob_writer&&) noexcept = default;

result<void> blob_writer::write(bytes_view plaintext) {
    auto& s = *state_;
    if (s.failed) return s.failed;
    if (s.finished) return errc::io_error;
    while (!plaintext.empty()) {   // in pieces: one call with a large mail must not double its memory
        const auto piece = plaintext.first(std::min(plaintext.size(), blob_write_bytes));
        plaintext = plaintext.subspan(piece.size());
        s.encryptor.update(piece, s.cipher);
        s.indexer->update(as_text(piece));
        if (!s.path.empty() || s.cipher.size() > s.inline_bytes_max) {
            if (const auto r = s.spill(false); !r) {
                s.failed = r.error();
                return r.error();
            }
        }
    }
    return {};
}

result<void> blob_writer::finish() {
    auto& s = *state_;
    if (s.failed) return s.failed;
    if (s.finished) return {};
    const auto work = [&]() -> result<void> {
        // Padding is up to an eighth of the mail: in pieces, as the mail itself.
        while (!s.encryptor.finish_some(blob_write_bytes / crypto::chunk_plain_bytes, s.cipher))
            if (!s.path.empty() || s.cipher.size() > s.inline_bytes_max) PP_TRY(s.spill(false));
        auto index = s.indexer->finish();
        s.index = index.encode();
        s.envelope = std::move(index.envelopes.front());
        s.listed_header = s.indexer->listed_header();
        s.indexer.reset();
        if (s.path.empty() && s.cipher.size() <= s.inline_bytes_max) {
            s.cipher.shrink_to_fit();   // it may wait long for its commit
            return s.space->check_room(s.cipher.size());
        }
        PP_TRY(s.spill(true));
        for (const auto& leaf : s.encryptor.leaves())
            s.cipher.insert(s.cipher.end(), leaf.data.begin(), leaf.data.end());
        PP_TRY(s.spill(true));
        const auto id = s.encryptor.id();
        const auto made = std::exchange(s.path, s.space->path_of(id));
        if (const auto taken = s.space->take_in(made, s.file, id); !taken) {
            (void)durable::unlink_file(made);   // wherever it is by now
            return taken;
        }
        s.file.close();
        s.cipher = bytes();   // not = {}, which keeps the memory
        return {};
    };
    const auto r = work();
    if (!r) {
        s.failed = r.error() == errc::not_found ? error_code(errc::io_error) : r.error();
        return s.failed;
    }
    s.finished = true;
    return {};
}

blob_writer in_file(blob_writer fresh) {
    fresh.internals().inline_bytes_max = 0;
    return fresh;
}

std::uint64_t blob_writer::plain_bytes() const { return state_->encryptor.plain_bytes(); }
std::string_view blob_writer::index() const { return state_->index; }
const mail::envelope& blob_writer::envelope() const { return state_->envelope; }

}  // namespace pp::storage
