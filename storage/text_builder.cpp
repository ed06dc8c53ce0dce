#include "storage/text_builder.hpp"

#include "storage/attempt.hpp"
#include "storage/limits.hpp"

#include <algorithm>

namespace pp::storage {

namespace {
constexpr std::size_t serials_at_once = 1024;
}  // namespace

result<bool> text_builder::step() {
    if (tools_.stop() || !index_.room_on_disk()) return false;
    PP_LET(const auto index, index_.open());
    if (!index || index_.is_damaged()) {
        text_batch batch;
        batch.fresh = true;
        PP_TRY(tools_.commit(batch));
        swept_ = false;
        return true;
    }
    if (!swept_) return sweep(*index);
    PP_LET(const bool took, take_in(*index));
    if (took || tools_.stop()) return took;
    return merge(*index);
}

result<bool> text_builder::sweep(const text_index::opened& index) {
    text_batch batch;
    batch.tag = index.directory.tag;
    PP_LET(batch.erase, index_.leftovers(index.directory, text_batch_pages));
    swept_ = batch.erase.empty();
    if (!swept_) PP_TRY(tools_.commit(batch));
    return true;
}

// Pages go out a batch at a time; the last of them wait in `batch` for the commit that names the segment.
page_packer::taker text_builder::pages_of(const text_index::opened& index, std::uint32_t id, text_batch& batch) {
    batch.tag = index.directory.tag;
    return [this, &index, id, &batch, page = std::uint32_t{0}](bytes plain) mutable -> result<void> {
        if (tools_.stop()) return errc::read_only;
        if (batch.pages.size() == text_batch_pages) {
            PP_TRY(tools_.commit(batch));
            batch.pages.clear();
        }
        batch.pages.push_back(index_.seal_page(index, id, page++, plain));
        return {};
    };
}

result<bool> text_builder::finish(const result<void>& made, text_batch& batch, text_directory directory) {
    auto done = made;
    if (done) {
        directory.next_id = std::max(directory.next_id, next_id_);
        batch.directory = std::move(directory);
        done = tools_.commit(batch);
    }
    if (done) return true;
    swept_ = false;   // some pages may lie there
    if (tools_.stop()) return false;
    if (done.error() == errc::not_found) return true;   // another index has begun meanwhile
    return failure{done.error()};
}

result<bool> text_builder::take_in(const text_index::opened& index) {
    const auto first = index.directory.end();
    segment_builder segment(first);
    mail_trigrams mail;
    auto end = first;
    for (bool more = true; more;) {
        std::uint64_t next_serial = 0;
        PP_LET(const auto serials, index_.serials(end, serials_at_once, next_serial));
        for (const auto serial : serials) {
            if (!segment.takes(serial)) {   // full; what is before this mail is gone for good
                end = std::min(serial, first + segment_span_max);
                more = false;
                break;
            }
            if (tools_.stop()) return false;
            mail.clear();
            const auto read = tools_.read(serial, mail);
            if (!read && read.error() == errc::damaged) mail.give_up();
            else if (!read && read.error() != errc::not_found) return failure{read.error()};
            if (read || read.error() == errc::damaged) segment.add(serial, mail);
            end = serial + 1;
        }
        if (more && serials.size() < serials_at_once) {   // what was between and behind them is gone for good
            end = std::max(end, std::min(next_serial, first + segment_span_max));
            more = false;
        }
    }
    if (end == first) return false;
    text_segment made;
    made.id = std::max(index.directory.next_id, next_id_);
    made.end = end;
    next_id_ = made.id + 1;
    text_batch batch;
    const auto built = segment.finish(index.tokens, pages_of(index, made.id, batch), made);
    auto directory = index.directory;
    directory.segments.push_back(made);
    return finish(built, batch, std::move(directory));
}

result<bool> text_builder::merge(const text_index::opened& index) {
    const auto which = segments_to_merge(index.directory.segments);
    if (!which) return false;
    const auto from = std::span(index.directory.segments).subspan(which->first, which->second - which->first);
    // Mails that are still there, in pieces: no snapshot is held for long.
    std::vector<std::uint64_t> living;
    for (auto at = from.front().first;;) {
        std::uint64_t next_serial = 0;
        PP_LET(const auto some, index_.serials(at, serials_at_once, next_serial));
        for (const auto serial : some)
            if (serial < from.back().end) living.push_back(serial);
        if (some.size() < serials_at_once || some.back() >= from.back().end) break;
        at = some.back() + 1;
    }
    text_segment made;
    made.id = std::max(index.directory.next_id, next_id_);
    next_id_ = made.id + 1;
    text_batch batch;
    const auto read = [&](const text_segment& s, std::uint32_t page) { return index_.read_page(index, s, page); };
    const auto alive = [&](std::uint64_t serial) { return std::binary_search(living.begin(), living.end(), serial); };
    const auto merged = merge_segments(from, read, alive, pages_of(index, made.id, batch), made);
    if (!merged && merged.error() == errc::damaged) index_.note_damage();
    auto directory = index.directory;
    const auto begin = directory.segments.begin() + static_cast<std::ptrdiff_t>(which->first);
    directory.segments.erase(begin, begin + static_cast<std::ptrdiff_t>(from.size()));
    directory.segments.insert(directory.segments.begin() + static_cast<std::ptrdiff_t>(which->first), made);
    PP_LET(const bool done, finish(merged, batch, std::move(directory)));
    swept_ = false;   // the pages of the old ones
    return done;
}

}  // namespace pp::storage
