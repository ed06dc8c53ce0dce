// The log on disk: its segments, appending a group with one write and one sync, zero-writing ahead, cutting back.
// append() and cut() belong to the writer thread; housekeeping() may run on any.
#pragma once

#include "storage/durable.hpp"
#include "storage/group_builder.hpp"

#include <mutex>

namespace pp::storage {

std::filesystem::path segment_path(const std::filesystem::path& log_folder, std::uint64_t generation,
                                   std::uint64_t segment);
// Numbers of the segments that are there, rising; none when there is no such folder.
result<std::vector<std::uint64_t>> segments_in(const std::filesystem::path& log_folder, std::uint64_t generation);

class log_file {
public:
    log_file(std::filesystem::path log_folder, storage_options options)
        : folder_(std::move(log_folder)), options_(options) {}

    // A new log: its first segment, without frames. at: its generation, and the clock to go on from. Durable when it
    // returns.
    result<log_position> create(const log_keys& keys, log_position at = {});
    // Opens the segment of `at` for appending.
    result<void> open(const log_position& at);

    // Writes the group and syncs: durable when it returns. After errc::full nothing of it is left and appending can go
    // on. After any other error the tail is unknown: no more appending before cut().
    result<void> append(const group_builder& group);
    // Makes the log end at `at`, durably: zeroes nothing, the file is shortened. Later segments are removed.
    // Returns the bytes that held anything but zeros.
    result<std::uint64_t> cut(const log_position& at);
    // The group between the two as if it had just come, and synced. A process that could not sync it and ended leaves
    // a cache from which it can be read, and which counts as clean: no other sync would ever write it.
    result<void> write_again(const log_position& from, const log_position& to) const;
    // Bytes behind `at` that are not zero: what a torn group left.
    result<std::uint64_t> dirty_bytes(const log_position& at) const;
    bool wants_housekeeping() const;        // half of the lead of zeros behind the last frame is used up
    bool housekeeping();                    // writes it anew; true when something was done
    bool sound() const { return sound_; }   // appending is possible
    bool shortened() const { return shortened_; }   // the last cut() took something away, even if it failed after that

private:
    result<void> append_to_new_segment(const group_builder& group);
    result<void> retract(const log_position& at);

    std::filesystem::path folder_;
    storage_options options_;
    mutable std::mutex mutex_;          // file_, end_, zeroed_
    std::shared_ptr<durable::file> file_;
    std::uint64_t end_ = 0;             // behind the last frame
    std::uint64_t zeroed_ = 0;          // the file is written up to here
    std::uint64_t generation_ = 1, segment_ = 1;
    bool sound_ = false, shortened_ = false;
};

}  // namespace pp::storage
