// Reads a log from a position onwards, group by group, and believes nothing: frame headers, sequence, hashes, the
// signed root of each head, the seal of each entry. Used by recovery, by rebuilding the view and by check().
#pragma once

#include "storage/durable.hpp"
#include "storage/frame.hpp"

namespace pp::storage {

class log_walker {
public:
    log_walker(std::filesystem::path log_folder, const log_keys& keys, log_position from);

    struct group {
        std::vector<bytes> entries;            // opened: operations' bytes
        log_position end;                      // behind its head
        std::uint64_t damaged_blobs = 0;       // inline blobs that do not fit the hash which the head has signed
        std::uint64_t frame_bytes = 0;
    };
    // The next group that is whole, or nullopt where the good part of the log ends: position() stands there.
    // An inline blob that is damaged does not end the log: its hash is signed, so the damage is known to be there and
    // nowhere else. errc::wrong_secret: a signed entry that this log key does not open. errc::io_error.
    result<std::optional<group>> next();
    const log_position& position() const { return at_; }

    enum class tail {
        clean,     // zeros, or the end of the file
        torn,      // bytes of at most one group that never was finished
        damaged,   // a signed head stands further on: something before it has been damaged
        newer,     // operations or segments of a newer peerpost
    };
    // What stands behind position().
    result<tail> classify();

private:
    result<bool> open_segment(const log_position& at);
    result<bytes> read(std::uint64_t offset, std::size_t n);   // fewer at the end of the file
    result<std::optional<group>> walk_group();

    std::filesystem::path folder_;
    const log_keys& keys_;
    log_position at_;
    durable::file file_;
    std::uint64_t open_segment_ = 0, file_bytes_ = 0;
    bytes window_;
    std::uint64_t window_offset_ = 0;
};

// The header of one segment file.
result<segment_header> read_segment_header(const std::filesystem::path& path);

}  // namespace pp::storage
