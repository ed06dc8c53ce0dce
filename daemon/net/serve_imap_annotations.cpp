// What an IMAP client asks about the account itself: QUOTA (RFC 9208), METADATA (RFC 5464), the owner (RFC 4314).
#include "daemon/net/refusals.hpp"
#include "daemon/net/serve_imap.hpp"
#include "proto/imap/grammar/response.hpp"
#include "storage/txn.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>

namespace pp::net {

namespace {

constexpr std::size_t rows_per_read = 256;
// Of a client that asks for news and then says nothing for long; what comes beyond is not told, its caches grow old.
constexpr std::size_t untold_entries_max = 4096;

// RFC 6154 section 4: the special use of a mailbox, as an annotation that cannot be changed.
constexpr std::string_view special_use_entry = "/private/specialuse";

result<storage::mailbox_id> annotated(const storage::read_txn& txn, const std::string& name,
                                      storage::special_use& use) {
    if (name.empty()) return storage::mailbox_id{storage::no_mailbox};
    auto box = txn.find_mailbox(name);
    if (!box) return box.error();
    if (!*box) return storage::errc::no_such_mailbox;
    use = (*box)->use;
    return storage::mailbox_id{(*box)->id};
}

}  // namespace

// ---------------------------------------------------------------- QUOTA

result<imap::quota> imap_connection::quota_now() {
    auto now = account_->store().read([](const storage::read_txn& txn) -> result<imap::quota> {
        imap::quota q;
        auto used = txn.blob_bytes();
        if (!used) return used.error();
        auto boxes = txn.mailboxes();
        if (!boxes) return boxes.error();
        q.storage_used_bytes = *used;
        for (const auto& box : *boxes) q.messages_used += box.messages;
        return q;
    });
    if (!now) return now;
    const auto& limits = context_.node.configuration().limits;
    now->storage_bytes_max = limits.storage_bytes_max;
    if (limits.storage_bytes_max == 0) {   // then the disk is the limit
        std::error_code failed;
        const auto space = std::filesystem::space(context_.node.home().root, failed);
        const auto room = failed || space.available < limits.reserve_bytes ? 0 : space.available - limits.reserve_bytes;
        now->storage_bytes_max = now->storage_used_bytes + room;
    }
    // RFC 9051 section 2.3.1.1: a mailbox has no more UIDs than that.
    now->messages_max = limits.messages_max ? limits.messages_max : std::numeric_limits<std::uint32_t>::max();
    return now;
}

result<void> imap_connection::check_quota(std::uint64_t more_bytes, std::uint64_t more_messages) {
    const auto& limits = context_.node.configuration().limits;
    if (limits.storage_bytes_max == 0 && limits.messages_max == 0) return {};
    const auto now = quota_now();
    if (!now) return now.error();
    const bool too_large =
        limits.storage_bytes_max != 0 && now->storage_used_bytes + more_bytes > limits.storage_bytes_max;
    const bool too_many = limits.messages_max != 0 && now->messages_used + more_messages > limits.messages_max;
    if (too_large || too_many) return storage::errc::over_quota;
    return {};
}

awaitable<imap::verdict> imap_connection::on(imap::get_quota) {
    auto now = quota_now();
    if (!now) co_return refused<imap::quota>(now.error());
    co_return imap::outcome<imap::quota>(*now);
}

// In pages: a snapshot is never held for a whole mailbox.
result<std::uint64_t> imap_connection::deleted_bytes_of(const storage::mailbox& box) {
    std::uint64_t bytes = 0;
    std::uint32_t from = 1;
    while (true) {
        auto page = account_->store().read(
            [&](const storage::read_txn& txn) { return txn.messages(box.id, from, rows_per_read); });
        if (!page) return page.error();
        for (const auto& m : *page)
            if (m.flags.system & mail::deleted) bytes += m.size_bytes;
        if (page->size() < rows_per_read || page->back().uid == std::numeric_limits<std::uint32_t>::max()) return bytes;
        from = page->back().uid + 1;
    }
}

// ---------------------------------------------------------------- METADATA

awaitable<imap::verdict> imap_connection::on(imap::get_metadata q) {
    using entries = std::vector<imap::metadata_entry>;
    auto all = account_->store().read([&](const storage::read_txn& txn) -> result<entries> {
        auto use = storage::special_use::none;
        auto box = annotated(txn, q.mailbox, use);
        if (!box) return box.error();
        auto notes = txn.metadata(*box);
        if (!notes) return notes.error();
        entries out;
        for (const auto& note : *notes) out.push_back({note.entry, std::string(as_text(note.value))});
        if (use != storage::special_use::none)
            out.push_back({std::string(special_use_entry), imap::use_text(static_cast<imap::special_use>(use))});
        std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        return out;
    });
    if (!all) co_return refused<entries>(all.error());
    co_return imap::outcome<entries>(std::move(*all));
}

awaitable<imap::verdict> imap_connection::on(imap::set_metadata q) {
    auto written = commit([q](storage::write_txn& txn) -> result<void> {
        auto use = storage::special_use::none;
        auto box = annotated(txn, q.mailbox, use);
        if (!box) return box.error();
        for (const bool removing : {true, false})   // what goes makes room for what comes
            for (const auto& entry : q.entries) {
                if (removing == entry.value.has_value()) continue;
                const auto value = entry.value ? std::optional<bytes_view>(as_bytes(*entry.value)) : std::nullopt;
                if (auto r = txn.set_metadata(*box, entry.name, value); !r) return r;
            }
        return {};
    });
    const auto r = co_await std::move(written);
    if (!r && r.error() == storage::errc::limit) {
        imap::outcome<imap::nothing> no(imap::refusal{"METADATA TOOMANY", "there are as many entries as can be kept"});
        co_return no;
    }
    if (!r) co_return refused<imap::nothing>(r.error());
    std::vector<std::string> names;
    for (const auto& entry : q.entries) names.push_back(entry.name);
    context_.node.metadata_changes().publish(account_->label(), metadata_.changes, q.mailbox, names);
    co_return imap::outcome<imap::nothing>(imap::nothing{});
}

awaitable<imap::verdict> imap_connection::on(imap::poll_metadata) {
    if (!metadata_.changes)
        metadata_.changes = context_.node.metadata_changes().subscribe(
            account_->label(),
            [weak = weak_from_this(), ex = stream_.executor()](const auto& mailbox, const auto& entries) {
                asio::post(ex, [weak, mailbox, entries] {
                    if (const auto self = weak.lock()) self->note_metadata(mailbox, entries);
                });
            });
    metadata_.entries = 0;
    co_return std::exchange(metadata_.untold, {});
}

void imap_connection::note_metadata(const std::string& mailbox, const std::vector<std::string>& entries) {
    auto& untold = metadata_.untold;
    auto at = std::find_if(untold.begin(), untold.end(), [&](const auto& change) { return change.mailbox == mailbox; });
    if (at == untold.end()) at = untold.insert(untold.end(), {mailbox, {}});
    for (const auto& entry : entries) {
        if (metadata_.entries == untold_entries_max) break;
        if (std::find(at->entries.begin(), at->entries.end(), entry) != at->entries.end()) continue;
        at->entries.push_back(entry);
        ++metadata_.entries;
    }
    if (at->entries.empty()) untold.erase(at);
    session_.news();
    pump_.wake();
}

// ---------------------------------------------------------------- ACL

awaitable<imap::verdict> imap_connection::on(imap::get_owner q) {
    auto box = account_->store().read([&](const storage::read_txn& txn) { return txn.find_mailbox(q.mailbox); });
    if (!box) co_return refused<std::string>(box.error());
    if (!*box) co_return refused<std::string>(storage::errc::no_such_mailbox);
    co_return imap::outcome<std::string>(account_->address());
}

}  // namespace pp::net
