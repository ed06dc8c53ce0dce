// The bytes of seeds: one file each, named by a keyed hash of its locator, written from its beginning to its end. What
// is here and not synced is known in memory only; after a crash an upload goes on at what the index says was synced.
#pragma once

#include "storage/durable.hpp"
#include "storage/relay/rows.hpp"

#include <bitset>
#include <map>
#include <memory>
#include <mutex>

namespace pp::storage::relay {

class seed_files {
public:
    explicit seed_files(std::filesystem::path folder) : folder_(std::move(folder)) {}

    // An upload under way. Lock it for everything.
    struct upload {
        std::mutex mutex;
        durable::file file;
        std::uint64_t size_bytes = 0, have_bytes = 0, synced_bytes = 0;
        bool directory_synced = false;
        bool over = false;                   // gone, failed or finished: look for another
    };
    // The upload of a seed: the one that is open, or its file opened, cut to what was synced, and kept for the next
    // piece. row_now is asked while nobody else can open, finish or remove this seed; what was read before may be
    // outdated. errc::not_found when the seed is not being uploaded (any more).
    using row_reader = std::function<result<std::optional<seed_row>>()>;
    result<std::shared_ptr<upload>> open(const tag16& seed, const row_reader& row_now);
    // The one that is open, or nothing.
    std::shared_ptr<upload> find(const tag16& seed) const;
    // Data, and on the first time the file's name. An error ends the upload.
    result<void> sync(const tag16& seed, upload& one);
    void forget(const tag16& seed);
    // The upload unused for longest when there are more than uploads_open_max; to be synced and forgotten.
    std::optional<tag16> crowded() const;

    result<bytes> read(const tag16& seed, std::uint64_t offset, std::size_t length_bytes) const;   // shorter at the end
    // Of a seed whose row has gone, unless there is a new one by now.
    // Best effort: what stays is removed at the next start.
    void remove(const tag16& seed, const row_reader& row_now);
    // At the start: removes every file that is not among the known, and tells the sizes of those that are.
    result<std::map<tag16, std::uint64_t>> tidy(const std::function<bool(const tag16&)>& known);

    std::filesystem::path path_of(const tag16& seed) const;

private:
    const std::filesystem::path folder_;
    mutable std::mutex mutex_;
    std::map<tag16, std::pair<std::shared_ptr<upload>, std::uint64_t>> open_;   // with when it was last used
    std::bitset<256> prepared_;
    std::uint64_t uses_ = 0;
};

}  // namespace pp::storage::relay
