// Asking the full-text index: pages of the tokens, mails of the pages, UIDs of the mails; all in one snapshot.
#include "storage/attempt.hpp"
#include "storage/limits.hpp"
#include "storage/store_state.hpp"
#include "storage/text_index.hpp"

#include <algorithm>
#include <map>

namespace pp::storage {

namespace {

// From one serial of table doc to the next that matters: near ones are reached step by step, far ones by a search.
class doc_cursor {
public:
    static result<doc_cursor> open(const rows& r) {
        MDB_cursor* raw = nullptr;
        if (const int rc = mdb_cursor_open(r.txn(), r.env().dbi(table::doc), &raw)) return error_of_lmdb(rc);
        return doc_cursor(raw);
    }
    // To the first key of this serial or a later one. Serials must rise.
    result<bool> reach(std::uint64_t serial) {
        constexpr int near_steps = 8;
        for (int i = 0; there_ && i < near_steps; ++i) {
            if (this->serial() >= serial) return true;
            PP_TRY(move(MDB_NEXT));
        }
        if (there_ && this->serial() >= serial) return true;
        if (begun_ && !there_) return false;   // behind the last key
        begun_ = true;
        const auto name = view::serial_key(serial);
        key_ = {name.view().size(), const_cast<std::byte*>(name.view().data())};
        PP_TRY(move(MDB_SET_RANGE));
        return there_;
    }
    result<bool> next() {
        PP_TRY(move(MDB_NEXT));
        return there_;
    }
    std::uint64_t serial() const { return key_u64(key(), 0); }
    mailbox_id box() const { return key_u64(key(), 8); }
    std::uint32_t uid() const { return key_u32(key(), 16); }

private:
    explicit doc_cursor(MDB_cursor* raw) : cursor_(raw, mdb_cursor_close) {}
    bytes_view key() const { return {static_cast<const std::byte*>(key_.mv_data), key_.mv_size}; }
    result<void> move(MDB_cursor_op how) {
        MDB_val value;
        const int rc = mdb_cursor_get(cursor_.get(), &key_, &value, how);
        there_ = rc == 0;
        if (rc != 0 && rc != MDB_NOTFOUND) return error_of_lmdb(rc);
        return {};
    }

    std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor_;
    MDB_val key_{};
    bool there_ = false, begun_ = false;
};

}  // namespace

result<text_index::fences> text_index::fences_of(const rows& r, const opened& index,
                                                 const text_segment& segment) const {
    {
        const std::lock_guard lock(mutex_);
        if (cached_tag_ != index.directory.tag) {
            cached_.clear();
            cached_tag_ = index.directory.tag;
        }
        if (const auto known = cached_.find(segment.id); known != cached_.end()) return known->second;
    }
    auto all = std::make_shared<std::vector<text_token>>();
    for (std::uint32_t i = 0; i < segment.fence_pages; ++i) {
        PP_LET(const auto page, read_page(r, index, segment, segment.posting_pages + i));
        PP_LET(const auto some, read_fences(page));
        if (!all->empty() && all->back() > some.front()) return errc::damaged;
        all->insert(all->end(), some.begin(), some.end());
    }
    if (all->size() != segment.posting_pages) return errc::damaged;
    const std::lock_guard lock(mutex_);
    if (cached_tag_ == index.directory.tag) {
        // Segments that were merged away.
        std::erase_if(cached_, [&](const auto& one) {
            return std::none_of(index.directory.segments.begin(), index.directory.segments.end(),
                                [&](const auto& s) { return s.id == one.first; });
        });
        cached_[segment.id] = all;
    }
    return fences(std::move(all));
}

// Adds the mails that have one of these tokens, which rise.
result<void> text_index::look_up(const rows& r, const opened& index, const text_segment& segment,
                                 const std::vector<text_token>& any, mail_bits& out) const {
    PP_LET(const auto first_tokens, fences_of(r, index, segment));
    const auto& fence = *first_tokens;
    bytes page;
    std::uint32_t held = segment.posting_pages;   // the page in `page`; this one: none
    std::optional<posting_reader> reader;         // goes through each page once
    posting p;
    bool there = false;
    for (const auto token : any) {
        // The last page that begins below the token may have it inside; those that begin with it go on with it.
        auto at = static_cast<std::uint32_t>(std::lower_bound(fence.begin(), fence.end(), token) - fence.begin());
        if (at > 0) --at;
        for (; at < fence.size() && fence[at] <= token; ++at) {
            if (at != held) {
                PP_LET(page, read_page(r, index, segment, at));
                held = at;
                reader.emplace(page);
                there = reader->next(p);
            }
            while (there && p.token < token) there = reader->next(p);
            if (there && p.token == token) PP_TRY(p.add_to(out));
            if (!reader->ok()) return errc::damaged;
        }
    }
    return {};
}

// nullopt: every mail of the segment.
result<std::optional<mail_bits>> text_index::candidates(const rows& r, const opened& index, const text_segment& segment,
                                                        const text_question& question) const {
    mail_bits found(segment.span());
    if (segment.posting_pages == 0) return std::optional(std::move(found));
    PP_TRY(look_up(r, index, segment, {index.tokens(always_candidate)}, found));
    for (std::size_t k = 0; k < text_kind_count; ++k) {
        if (!(question.kinds >> k & 1)) continue;
        const auto groups = needle_trigrams(static_cast<text_kind>(k), question.folded);
        if (groups.empty()) return std::optional<mail_bits>();
        std::optional<mail_bits> have;
        for (const auto& group : groups) {
            std::vector<text_token> any;
            for (const auto t : group) any.push_back(index.tokens(t));
            std::sort(any.begin(), any.end());
            mail_bits with(segment.span());
            PP_TRY(look_up(r, index, segment, any, with));
            if (have) have->keep(with);
            else have = std::move(with);
            if (have->empty()) break;   // the pages of the other trigrams need not be opened
        }
        found.join(*have);
    }
    return std::optional(std::move(found));
}

result<std::optional<mail::uid_set>> text_index::answer(const rows& r, const opened& index, mailbox_id box,
                                                        const text_question& question) const {
    PP_LET(auto docs, doc_cursor::open(r));
    std::vector<std::uint32_t> uids;
    std::uint64_t looked_at = 0;
    const auto add_placements = [&](std::uint64_t first, std::uint64_t end) -> result<bool> {
        PP_LET(bool there, docs.reach(first));
        for (; there && docs.serial() < end; ) {
            if (++looked_at > text_candidates_max) return false;
            if (docs.box() == box) uids.push_back(docs.uid());
            PP_LET(there, docs.next());
        }
        return true;
    };
    // What lies in the mailbox and is not in the view's file yet, by serial; and what the file still has and is gone.
    std::multimap<std::uint64_t, std::uint32_t> fresh;
    std::vector<std::uint32_t> gone;
    for (const auto& [key, erased] : r.fresh_keys(table::doc)) {
        if (key_u64(key.view(), 8) != box) continue;
        if (erased) gone.push_back(key_u32(key.view(), 16));
        else fresh.emplace(key_u64(key.view(), 0), key_u32(key.view(), 16));
    }
    for (const auto& segment : index.directory.segments) {
        PP_LET(const auto found, candidates(r, index, segment, question));
        if (!found) return std::optional<mail::uid_set>();
        std::vector<std::uint64_t> serials;
        found->each([&](segment_mail m) { serials.push_back(segment.first + m); });
        for (const auto serial : serials) {
            PP_LET(const bool few, add_placements(serial, serial + 1));
            if (!few) return std::optional<mail::uid_set>();
            for (auto [one, end] = fresh.equal_range(serial); one != end; ++one) uids.push_back(one->second);
        }
    }
    PP_LET(const bool few, add_placements(index.directory.end(), ~0ull));   // not indexed yet
    if (!few) return std::optional<mail::uid_set>();
    for (auto one = fresh.lower_bound(index.directory.end()); one != fresh.end(); ++one) uids.push_back(one->second);
    std::sort(gone.begin(), gone.end());
    std::erase_if(uids, [&](std::uint32_t uid) { return std::binary_search(gone.begin(), gone.end(), uid); });
    std::sort(uids.begin(), uids.end());
    uids.erase(std::unique(uids.begin(), uids.end()), uids.end());
    mail::uid_set out;
    for (const auto uid : uids) out.add(uid);
    return std::optional(std::move(out));
}

result<text_answer> text_index::find(mailbox_id box, std::span<const text_question> questions) const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    const auto& r = seen.rows();
    text_answer out;
    out.mails.resize(questions.size());
    PP_LET(const auto folder, view::load_folder(r, box));
    if (!folder) return out;
    out.before_uid = folder->box.uid_next;
    PP_LET(const auto index, open(r));
    if (!index) return out;
    for (std::size_t i = 0; i < questions.size(); ++i) {
        auto possible = answer(r, *index, box, questions[i]);
        if (possible) out.mails[i] = std::move(*possible);
        else if (possible.error() == errc::damaged) damaged_ = true;   // any may; the builder begins anew
        else return possible.error();
    }
    return out;
}

// ------------------------------------------------------------------ check
result<void> text_index::check_segment(const rows& r, const opened& index, const text_segment& segment) const {
    {
        const std::lock_guard lock(mutex_);
        cached_.erase(segment.id);   // from the disk, not from memory
    }
    PP_LET(const auto fence, fences_of(r, index, segment));
    mail_bits any(segment.span());
    text_token last = 0;
    for (std::uint32_t i = 0; i < segment.posting_pages; ++i) {
        PP_LET(const auto page, read_page(r, index, segment, i));
        posting_reader reader(page);
        posting p;
        bool first = true;
        while (reader.next(p)) {
            if (first ? p.token != (*fence)[i] || p.token < last : p.token <= last) return errc::damaged;
            PP_TRY(p.add_to(any));
            last = p.token;
            first = false;
        }
        if (!reader.ok() || first) return errc::damaged;
    }
    return {};
}

result<void> text_index::check(const std::function<void(std::string)>& finding) const {
    std::shared_lock hold(store_.env->readers());
    PP_LET(const auto seen, view_snapshot::take(*store_.env));
    const auto& r = seen.rows();
    // Every message is listed under its mail, and nothing else is.
    std::uint64_t messages = 0, missing = 0;
    PP_TRY(r.each(table::msg, {}, {}, [&](bytes_view key, bytes_view plain) -> result<bool> {
        PP_LET(const auto m, decode_message(plain));
        ++messages;
        PP_LET(const bool listed,
               r.has(table::doc, view::doc_key(m.m.mail_serial, key_u64(key, 0), key_u32(key, 8)).view()));
        if (!listed) ++missing;
        return true;
    }));
    PP_LET(const auto listed, r.count(table::doc));
    if (missing > 0 || listed != messages)
        finding("the list of where mails lie differs from the messages (" + std::to_string(messages) + " messages, " +
                std::to_string(listed) + " listed, " + std::to_string(missing) + " missing)");
    PP_LET(const auto raw, view::load_text_directory(r));
    if (raw && !decode_text_directory(*raw))
        finding("the directory of the full-text index is damaged; the index will be made again");
    PP_LET(const auto index, open(r));
    if (!index) return {};   // not made yet, or shredded
    std::size_t damaged = 0;
    for (const auto& segment : index->directory.segments) {
        const auto whole = check_segment(r, *index, segment);
        if (!whole && whole.error() != errc::damaged) return whole;
        damaged += !whole;
    }
    if (damaged > 0) {
        damaged_ = true;
        finding("the full-text index is damaged in " + std::to_string(damaged) + " of " +
                std::to_string(index->directory.segments.size()) +
                " segments; searching is slower until it is made again");
    }
    return {};
}

}  // namespace pp::storage
