// The rows of the full-text index: directory, pages, and what one commit changes.
#include "storage/text_index.hpp"

#include "storage/attempt.hpp"
#include "storage/limits.hpp"
#include "storage/store_state.hpp"

namespace pp::storage {

namespace {

bytes key_aad(std::uint64_t tag, bytes_view store_id) {
    byte_writer w;
    w.text("peerpost text index key 1");
    w.u64(tag);
    w.raw(store_id);
    return w.take();
}

}  // namespace

result<std::optional<text_index::opened>> text_index::open(const rows& r) const {
    PP_LET(const auto raw, view::load_text_directory(r));
    if (!raw) return std::optional<opened>();
    auto directory = decode_text_directory(*raw);
    if (!directory) return std::optional<opened>();
    auto plain = crypto::open_row(store_.secrets.keys.shred_key, key_aad(directory->tag, r.env().store_id()),
                                  directory->wrapped_key);
    if (!plain) return std::optional<opened>();   // shredded: what is left of it can be read by nobody
    const auto key = text_index_key::from(*plain);
    sodium_memzero(plain->data(), plain->size());
    if (!key) return std::optional<opened>();
    return std::optional<opened>(
        opened{std::move(*directory), crypto::derive<crypto::row_key>(key->view(), "fts-page"), token_maker(*key)});
}

result<std::optional<text_index::opened>> text_index::open() const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    return open(seen.rows());
}

result<bytes> text_index::read_page(const rows& r, const opened& index, const text_segment& segment,
                                    std::uint32_t page) const {
    const auto key = view::text_page_key(segment.id, page);
    PP_LET(auto plain, r.get_sealed(table::fts, key.view(), index.page_key));
    if (!plain || plain->size() != text_page_bytes) return errc::damaged;
    return std::move(*plain);
}

result<bytes> text_index::read_page(const opened& index, const text_segment& segment, std::uint32_t page) const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    return read_page(seen.rows(), index, segment, page);
}

std::pair<row_name, bytes> text_index::seal_page(const opened& index, std::uint32_t segment, std::uint32_t page,
                                                 bytes_view plain) const {
    const auto key = view::text_page_key(segment, page);
    // a shred puts another view, with another id, in this one's place
    const std::shared_lock hold(store_.env->readers());
    return {key, store_.env->seal(table::fts, key.view(), index.page_key, plain)};
}

result<std::vector<std::uint64_t>> text_index::serials(std::uint64_t from, std::size_t limit,
                                                       std::uint64_t& next_serial) const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    const auto& r = seen.rows();
    PP_LET(const auto n, view::load_counters(r));
    next_serial = n.next_serial;
    std::vector<std::uint64_t> out;
    PP_TRY(r.each_key(table::blob, {}, view::serial_key(from).view(), [&](bytes_view key) -> result<bool> {
        if (out.size() == limit) return false;
        out.push_back(key_u64(key, 0));
        return true;
    }));
    return out;
}

result<std::vector<row_name>> text_index::leftovers(const text_directory& directory, std::size_t limit) const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    const auto& r = seen.rows();
    std::map<std::uint32_t, std::uint32_t> pages;   // by segment that is in use
    for (const auto& s : directory.segments) pages[s.id] = s.pages();
    std::vector<row_name> out;
    std::uint64_t next = 0;   // segment << 32 | page
    for (bool more = true; more && out.size() < limit;) {
        more = false;
        const auto from = row_name().u64(next);
        PP_TRY(r.each_key(table::fts, {}, from.view(), [&](bytes_view key) -> result<bool> {
            const auto segment = key_u32(key, 0), page = key_u32(key, 4);
            const auto used = pages.find(segment);
            if (used != pages.end() && page < used->second) {   // step over the segment
                next = (static_cast<std::uint64_t>(segment) << 32) + used->second;
                more = true;
                return false;
            }
            out.push_back(row_name().raw(key));
            return out.size() < limit;
        }));
    }
    return out;
}

bool text_index::room_on_disk() const {
    std::error_code failed;
    const auto space = std::filesystem::space(store_.folder, failed);
    return failed || space.available > store_.options.reserve_bytes * 2;
}

result<void> text_index::apply(const text_batch& batch) {
    if (!store_.writable) return errc::read_only;
    auto& env = *store_.env;
    for (;;) {
        PP_TRY(env.keep_room());
        bool committing = false;
        const auto done = [&]() -> result<void> {
            PP_LET(auto txn, open_txn::begin(env, nullptr, 0));
            rows r(env, txn.get());
            if (batch.fresh) {
                PP_TRY(begin_anew(r));
            } else {
                PP_LET(const auto index, open(r));
                if (!index || index->directory.tag != batch.tag) return errc::not_found;
            }
            for (const auto& [key, sealed] : batch.pages) PP_TRY(r.put_sealed(table::fts, key.view(), sealed));
            for (const auto& key : batch.erase) PP_TRY(r.erase(table::fts, key.view()));
            if (batch.directory) PP_TRY(view::store_text_directory(r, encode_row(*batch.directory)));
            committing = true;
            return env.commit(txn.release());
        }();
        if (done && batch.fresh) damaged_ = false;
        if (done) return done;
        if (done.error() == map_full()) {
            PP_TRY(env.grow());
            continue;
        }
        if (committing) store_.writable = false;   // what LMDB still takes after that is for try_heal() to find out
        return done;
    }
}

result<void> text_index::begin_anew(rows& r) const {
    text_directory d;
    // The numbers of pages that are still there are not used again.
    PP_LET(const auto last, r.last_key(table::fts));
    if (!last.empty()) d.next_id = key_u32(last, 0) + 1;
    d.tag = crypto::random_u64();
    const auto key = crypto::random<text_index_key>();
    d.wrapped_key = crypto::seal_row(store_.secrets.keys.shred_key, key_aad(d.tag, r.env().store_id()), key.view());
    return view::store_text_directory(r, encode_row(d));
}

result<text_progress> text_index::progress() const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    const auto& r = seen.rows();
    text_progress out;
    PP_LET(const auto index, open(r));
    const auto end = index ? index->directory.end() : 1;
    PP_LET(const auto mails, r.count(table::blob));
    PP_TRY(r.each_key(table::blob, {}, view::serial_key(end).view(), [&](bytes_view) -> result<bool> {
        ++out.waiting;
        return true;
    }));
    out.mails = mails - std::min(mails, out.waiting);
    if (!index) return out;
    out.segments = index->directory.segments.size();
    for (const auto& s : index->directory.segments) out.bytes += std::uint64_t{s.pages()} * lmdb_page_bytes;
    return out;
}

}  // namespace pp::storage
