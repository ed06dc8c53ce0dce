// The bytes of one group commit, built in memory while its jobs run: the frames of each job, then one signed head.
// A job that fails is taken out again as if it had never been there.
#pragma once

#include "storage/frame.hpp"

namespace pp::storage {

class group_builder {
public:
    // at: where the log stands. A group whose segment is full begins the next one; nothing is split over two.
    group_builder(const log_position& at, std::uint64_t segment_bytes, const log_keys& keys);

    bool rolls_over() const { return rolls_; }
    std::uint64_t segment() const { return now_.segment; }
    // Appends a blob's frame; the offset in the segment where its body (the blob's header) begins.
    std::uint64_t add_blob(bytes_view header, bytes_view cipher);
    void add_entry(bytes_view operations);

    struct mark {
        std::size_t size;
        crypto::merkle::accumulator frames;
    };
    mark set_mark() const { return {frames_.size(), now_.frames}; }
    void roll_back(mark m);
    bool empty() const { return frames_.empty(); }

    // Appends the head; once. Where the log stands when all of it is written.
    const log_position& finish(std::uint64_t now_ms);
    const log_position& end() const { return now_; }
    const log_position& begin() const { return begin_; }
    bytes_view skip_frame() const { return skip_; }          // for the end of the old segment
    bytes_view segment_header() const { return header_; }    // of the new segment
    bytes_view frames() const { return frames_; }

private:
    std::uint64_t append(frame_type type, bytes_view a, bytes_view b);
    const log_keys& keys_;
    log_position begin_, now_;   // begin_.offset: where frames_ go
    bytes skip_, header_, frames_;
    bool rolls_ = false;
};

}  // namespace pp::storage
