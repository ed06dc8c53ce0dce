#include "storage/relay/seed_files.hpp"

#include "storage/attempt.hpp"
#include "storage/relay/limits.hpp"

#include <algorithm>

namespace pp::storage::relay {

std::filesystem::path seed_files::path_of(const tag16& seed) const {
    const auto name = crypto::hex(seed);
    return folder_ / name.substr(0, 2) / name;
}

std::shared_ptr<seed_files::upload> seed_files::find(const tag16& seed) const {
    const std::lock_guard lock(mutex_);
    const auto it = open_.find(seed);
    return it == open_.end() ? nullptr : it->second.first;
}

result<std::shared_ptr<seed_files::upload>> seed_files::open(const tag16& seed, const row_reader& row_now) {
    const std::lock_guard lock(mutex_);
    if (const auto it = open_.find(seed); it != open_.end()) {
        it->second.second = ++uses_;
        return it->second.first;
    }
    PP_LET(const auto row, row_now());
    if (!row || row->phase != seed_phase::partial) return errc::not_found;
    const auto path = path_of(seed);
    const auto first = static_cast<std::size_t>(seed[0]);
    if (!prepared_[first]) {
        PP_TRY(durable::make_directory(path.parent_path()));
        PP_TRY(durable::sync_directory(folder_));
        prepared_.set(first);
    }
    auto one = std::make_shared<upload>();
    one->size_bytes = row->size_bytes;
    auto file = durable::open_file(path, durable::mode::read_write);
    if (!file && file.error() == storage::errc::not_found) file = durable::open_file(path, durable::mode::create_new);
    if (!file) return file.error();
    one->file = std::move(*file);
    PP_LET(const auto there, one->file.size());
    one->have_bytes = one->synced_bytes = std::min(there, row->synced_bytes);
    // What was not synced may be anything after a power cut.
    if (there != one->have_bytes) PP_TRY(one->file.truncate(one->have_bytes));
    open_[seed] = {one, ++uses_};
    return one;
}

result<void> seed_files::sync(const tag16& seed, upload& one) {
    const auto synced = [&]() -> result<void> {
        PP_TRY(one.file.sync());
        if (!one.directory_synced) PP_TRY(durable::sync_directory(path_of(seed).parent_path()));
        return {};
    }();
    if (!synced) {
        one.over = true;
        forget(seed);
        return synced;
    }
    one.directory_synced = true;
    one.synced_bytes = one.have_bytes;
    return {};
}

void seed_files::forget(const tag16& seed) {
    const std::lock_guard lock(mutex_);
    open_.erase(seed);
}

std::optional<tag16> seed_files::crowded() const {
    const std::lock_guard lock(mutex_);
    if (open_.size() <= uploads_open_max) return std::nullopt;
    return std::min_element(open_.begin(), open_.end(),
                            [](const auto& a, const auto& b) { return a.second.second < b.second.second; })
        ->first;
}

result<bytes> seed_files::read(const tag16& seed, std::uint64_t offset, std::size_t length_bytes) const {
    PP_LET(const auto file, durable::open_file(path_of(seed), durable::mode::read));
    bytes out(length_bytes);
    PP_LET(const auto n, file.read_at(offset, out));
    out.resize(n);
    return out;
}

void seed_files::remove(const tag16& seed, const row_reader& row_now) {
    std::shared_ptr<upload> one;
    {
        const std::lock_guard lock(mutex_);
        const auto row = row_now();
        if (!row || (*row && (*row)->phase != seed_phase::deleted)) return;   // begun anew: its upload cuts the file
        if (const auto it = open_.find(seed); it != open_.end()) {
            one = it->second.first;
            open_.erase(it);
        }
        (void)durable::unlink_file(path_of(seed));
    }
    if (!one) return;
    const std::lock_guard lock(one->mutex);
    one->over = true;
}

result<std::map<tag16, std::uint64_t>> seed_files::tidy(const std::function<bool(const tag16&)>& known) {
    std::map<tag16, std::uint64_t> out;
    PP_LET(const auto parts, durable::list_names(folder_));
    for (const auto& part : parts) {
        PP_LET(const auto names, durable::list_names(folder_ / part));
        for (const auto& name : names) {
            const auto raw = crypto::from_hex(name);
            tag16 seed{};
            if (raw && raw->size() == seed.size()) std::copy(raw->begin(), raw->end(), seed.begin());
            const auto path = folder_ / part / name;
            if (!raw || raw->size() != seed.size() || path != path_of(seed) || !known(seed)) {
                (void)durable::unlink_file(path);
                continue;
            }
            std::error_code ignored;
            out[seed] = std::filesystem::file_size(path, ignored);
        }
    }
    return out;
}

}  // namespace pp::storage::relay
