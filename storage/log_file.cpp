#include "storage/log_file.hpp"

#include "crypto/assert.hpp"
#include "storage/attempt.hpp"

#include <charconv>

namespace pp::storage {

std::filesystem::path segment_path(const std::filesystem::path& log_folder, std::uint64_t generation,
                                   std::uint64_t segment) {
    return log_folder / std::to_string(generation) / (std::to_string(segment) + ".seg");
}

result<std::vector<std::uint64_t>> segments_in(const std::filesystem::path& log_folder, std::uint64_t generation) {
    std::vector<std::uint64_t> out;
    PP_LET(const auto names, durable::list_names(log_folder / std::to_string(generation)));
    for (const auto& name : names) {
        std::uint64_t n = 0;
        const auto* end = name.data() + name.size();
        const auto [rest, ec] = std::from_chars(name.data(), end, n);
        if (ec == std::errc() && std::string_view(rest, static_cast<std::size_t>(end - rest)) == ".seg")
            out.push_back(n);
    }
    std::sort(out.begin(), out.end());
    return out;
}

result<log_position> log_file::create(const log_keys& keys, log_position at) {
    const auto inside = folder_ / std::to_string(at.generation);
    PP_TRY(durable::make_directory(folder_));
    PP_TRY(durable::make_directory(inside));
    PP_LET(auto made, durable::open_file(segment_path(folder_, at.generation, 1), durable::mode::create_or_truncate));
    PP_TRY(made.write_at(0, encode_segment_header(at, keys)));
    PP_TRY(made.sync());
    PP_TRY(durable::sync_directory(inside));
    PP_TRY(durable::sync_directory(folder_));
    PP_TRY(durable::sync_directory(folder_.parent_path()));
    return at;
}

result<void> log_file::open(const log_position& at) {
    PP_LET(auto opened,
           durable::open_file(segment_path(folder_, at.generation, at.segment), durable::mode::read_write));
    PP_LET(const auto size, opened.size());
    const std::lock_guard hold(mutex_);
    file_ = std::make_shared<durable::file>(std::move(opened));
    end_ = at.offset;
    zeroed_ = std::max(size, at.offset);
    generation_ = at.generation;
    segment_ = at.segment;
    sound_ = true;
    return {};
}

result<void> log_file::append(const group_builder& group) {
    PP_ASSERT(sound_);
    sound_ = false;   // until all of it is known to be there, or known to be gone
    if (group.rolls_over()) {
        PP_TRY(append_to_new_segment(group));
        sound_ = true;
        return {};
    }
    std::shared_ptr<durable::file> into;
    {
        const std::lock_guard hold(mutex_);   // housekeeping must not write zeros over it
        into = file_;
        if (const auto written = into->write_at(end_, group.frames()); !written) {
            if (into->truncate(end_)) {
                zeroed_ = end_;
                sound_ = written.error() == errc::full;
            }
            return written.error();
        }
        end_ = group.end().offset;
        zeroed_ = std::max(zeroed_, end_);
    }
    // A failed sync leaves pages that count as clean without being on the disk: what is there is unknown until the
    // file has been cut and synced again (fsync-gate).
    PP_TRY(into->sync());
    sound_ = true;
    return {};
}

// The skip frame is made durable first: a new segment never exists without what its peaks stand on.
result<void> log_file::append_to_new_segment(const group_builder& group) {
    const auto folder = folder_ / std::to_string(generation_);
    const auto path = segment_path(folder_, generation_, group.segment());
    const auto undo = [&](error_code why) -> result<void> {
        const bool gone = static_cast<bool>(durable::unlink_file(path)) && durable::sync_directory(folder);
        const std::lock_guard hold(mutex_);
        if (gone && file_->truncate(end_) && file_->sync()) {
            zeroed_ = end_;
            sound_ = why == errc::full;
        }
        return why;
    };
    std::shared_ptr<durable::file> old;
    {
        const std::lock_guard hold(mutex_);
        old = file_;
        if (const auto r = old->write_at(end_, group.skip_frame()); !r) {
            if (old->truncate(end_)) {
                zeroed_ = end_;
                sound_ = r.error() == errc::full;
            }
            return r.error();
        }
    }
    if (const auto r = old->sync(); !r) return r.error();
    auto made = durable::open_file(path, durable::mode::create_or_truncate);
    if (!made) return undo(made.error());
    bytes all(group.segment_header().begin(), group.segment_header().end());
    all.insert(all.end(), group.frames().begin(), group.frames().end());
    if (const auto r = made->write_at(0, all); !r) return undo(r.error());
    if (const auto r = made->sync(); !r) return undo(r.error());
    if (const auto r = durable::sync_directory(folder); !r) return undo(r.error());
    const std::lock_guard hold(mutex_);
    file_ = std::make_shared<durable::file>(std::move(*made));
    segment_ = group.segment();
    end_ = zeroed_ = group.end().offset;
    return {};
}

result<void> log_file::write_again(const log_position& from, const log_position& to) const {
    PP_LET(const auto file, durable::open_file(segment_path(folder_, to.generation, to.segment),
                                               durable::mode::read_write));
    bytes piece(zero_step_bytes);
    for (auto at = from.segment == to.segment ? from.offset : 0; at < to.offset;) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), to.offset - at));
        PP_LET(const auto got, file.read_at(at, mutable_bytes_view(piece).first(n)));
        if (got != n) return errc::io_error;   // it was there a moment ago
        PP_TRY(file.write_at(at, bytes_view(piece).first(n)));
        at += n;
    }
    return file.sync();
}

result<std::uint64_t> log_file::dirty_bytes(const log_position& at) const {
    PP_LET(auto opened, durable::open_file(segment_path(folder_, at.generation, at.segment), durable::mode::read));
    PP_LET(const auto size, opened.size());
    bytes piece(zero_step_bytes);
    std::uint64_t dirty_end = at.offset;
    for (std::uint64_t offset = at.offset; offset < size;) {
        PP_LET(const auto n, opened.read_at(offset, piece));
        if (n == 0) break;
        for (std::size_t i = n; i-- > 0;)
            if (piece[i] != std::byte{0}) {
                dirty_end = offset + i + 1;
                break;
            }
        offset += n;
    }
    return dirty_end - at.offset;
}

result<std::uint64_t> log_file::cut(const log_position& at) {
    sound_ = false;
    shortened_ = false;
    std::uint64_t lost = 0;
    bool removed = false;
    PP_LET(const auto there, segments_in(folder_, at.generation));
    for (auto n = there.rbegin(); n != there.rend() && *n > at.segment; ++n) {   // the newest first
        const auto path = segment_path(folder_, at.generation, *n);
        std::error_code ignored;
        lost += std::filesystem::file_size(path, ignored);
        PP_TRY(durable::unlink_file(path));
        removed = shortened_ = true;
    }
    if (removed) PP_TRY(durable::sync_directory(folder_ / std::to_string(at.generation)));
    PP_LET(const auto dirty, dirty_bytes(at));
    lost += dirty;
    PP_TRY(open(at));
    sound_ = false;
    {
        const std::lock_guard hold(mutex_);
        PP_LET(const auto size, file_->size());
        if (size < at.offset) return errc::log_lost;
        if (dirty > 0) {
            PP_TRY(file_->truncate(at.offset));
            shortened_ = true;
            zeroed_ = at.offset;
        }
        PP_TRY(file_->sync());   // also what an earlier process wrote and never synced
    }
    sound_ = true;
    return lost;
}

bool log_file::wants_housekeeping() const {
    const std::lock_guard hold(mutex_);
    // Begin when half of the lead is used up, so that it is done in large steps.
    return file_ && zeroed_ < std::min(options_.segment_bytes, end_ + options_.zero_ahead_bytes / 2);
}

bool log_file::housekeeping() {
    if (!wants_housekeeping()) return false;
    std::shared_ptr<durable::file> into;
    std::uint64_t target = 0;
    result<durable::file> own = errc::not_found;
    {
        const std::lock_guard hold(mutex_);
        if (!file_) return false;
        own = durable::open_file(segment_path(folder_, generation_, segment_), durable::mode::read_write);
        target = std::min(options_.segment_bytes, end_ + options_.zero_ahead_bytes);
        into = file_;
    }
    const auto room = durable::free_bytes(folder_);
    if (!room || *room < options_.reserve_bytes + options_.zero_ahead_bytes) return false;
    const bytes zeros(zero_step_bytes);
    for (;;) {
        const std::lock_guard hold(mutex_);
        if (file_ != into) return true;                  // rolled over meanwhile: look again
        if (zeroed_ >= target) break;
        const auto n = std::min<std::uint64_t>(zeros.size(), target - zeroed_);
        // A lead that cannot be written is no error: groups are then written to a growing file.
        if (!into->write_at(zeroed_, bytes_view(zeros).first(static_cast<std::size_t>(n)))) {
            (void)into->truncate(zeroed_);
            return false;
        }
        zeroed_ += n;
    }
    // Blocks become "written" here: later groups then change no metadata (03-storage, D3). Never by the descriptor that
    // append() syncs: the kernel tells each of them once of a page that it could not write. If it is of a
    // group that is being appended, append() must hear of it.
    if (own) (void)own->sync();
    return true;
}

}  // namespace pp::storage
