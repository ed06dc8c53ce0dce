// What a job adds beside the mails: annotations of mailboxes (RFC 5464) and the thread of a new mail (RFC 8474
// section 5.2).
#include "storage/attempt.hpp"
#include "storage/job_txn.hpp"

#include <algorithm>

namespace pp::storage {

result<void> job_txn::set_metadata(mailbox_id box, std::string_view entry, std::optional<bytes_view> value) {
    if (entry.empty() || entry.size() > metadata_entry_bytes_max) return errc::limit;
    if (value && value->size() > metadata_value_bytes_max) return errc::too_large;
    if (box != no_mailbox) {
        PP_LET(const auto f, view::load_folder(rows_, box));
        if (!f) return errc::no_such_mailbox;
    }
    PP_LET(const bool there, rows_.has(table::metadata, view::metadata_key(rows_, box, entry).view()));
    if (!there && !value) return {};
    if (!there) {
        std::size_t entries = 0;
        const auto prefix = view::folder_key(box);
        PP_TRY(rows_.each_key(table::metadata, prefix.view(), prefix.view(), [&](bytes_view) -> result<bool> {
            return ++entries < metadata_entries_max;
        }));
        if (entries >= metadata_entries_max) return errc::limit;
    }
    op::put_metadata o;
    o.box = box;
    o.entry = entry;
    if (value) o.value = to_bytes(*value);
    return record(std::move(o));
}

namespace {

// "<id>" tokens in order of appearance; what stands between them is passed over.
void collect_ids(const std::optional<std::string>& field, std::vector<std::string_view>& into) {
    if (!field) return;
    const std::string_view text = *field;
    for (auto open = text.find('<'); open != text.npos; open = text.find('<', open + 1)) {
        const auto close = text.find_first_of("<>", open + 1);
        if (close == text.npos) return;
        if (text[close] == '>' && close > open + 1) into.push_back(text.substr(open, close - open + 1));
        open = text[close] == '>' ? close : close - 1;
    }
}

// Root first, then the nearest ancestors: the ones in the middle of a very long list are left out.
std::vector<std::string_view> ids_of(const mail::envelope& of) {
    std::vector<std::string_view> ids;
    collect_ids(of.references, ids);
    collect_ids(of.in_reply_to, ids);
    if (ids.size() > thread_tags_max - 1)
        ids.erase(ids.begin() + 1, ids.end() - static_cast<std::ptrdiff_t>(thread_tags_max - 2));
    collect_ids(of.message_id, ids);
    if (ids.size() > thread_tags_max) ids.resize(thread_tags_max);
    return ids;
}

}  // namespace

// A mail is in the thread the first of its References leads to that is known; else it begins one. A thread never
// changes, so two threads that a later mail joins stay two (RFC 8474 section 5.2 demands that identifiers are stable).
result<void> job_txn::join_thread(std::uint64_t serial, const mail::envelope& of) {
    op::join_thread o;
    o.serial = o.thread = serial;
    bool known = false;
    for (const auto id : ids_of(of)) {
        const auto tag = view::message_id_tag(rows_.keys(), id);
        if (std::find(o.tags.begin(), o.tags.end(), tag) != o.tags.end()) continue;
        PP_LET(const auto thread, view::thread_by_tag(rows_, tag));
        if (thread && !known) o.thread = *thread;
        known |= thread.has_value();
        if (!thread) o.tags.push_back(tag);
    }
    if (!known && o.tags.empty()) return {};
    return record(std::move(o));
}

}  // namespace pp::storage
