#include "storage/queries.hpp"

#include "proto/mail/charset.hpp"
#include "storage/attempt.hpp"
#include "storage/records_codec.hpp"

#include <algorithm>

namespace pp::storage {

std::string canonical_name(std::string_view name) {
    const auto first = name.substr(0, name.find('/'));
    if (!mail::equal_ascii_case(first, "INBOX")) return std::string(name);
    return "INBOX" + std::string(name.substr(first.size()));
}

namespace queries {

namespace {
template <class T>
result<std::vector<T>> all_of(const rows& r, table t, bytes_view prefix = {}) {
    std::vector<T> out;
    PP_TRY(r.each(t, prefix, prefix, [&](bytes_view, bytes_view plain) -> result<bool> {
        auto row = decode_whole<T>(plain);
        if (!row) return errc::damaged;
        out.push_back(std::move(*row));
        return true;
    }));
    return out;
}
template <class T>
result<std::optional<T>> one_of(const rows& r, table t, bytes_view name) {
    PP_LET(const auto raw, r.get(t, view::name_key(r, t, name).view()));
    if (!raw) return std::optional<T>();
    auto row = decode_whole<T>(*raw);
    if (!row) return errc::damaged;
    return row;
}

constexpr std::size_t rows_reserved_max = 256;   // what is usually asked for at once

// Names of keywords are only read when a message has any.
class keyword_names {
public:
    keyword_names(const rows& r, mailbox_id id) : r_(r), id_(id) {}
    result<void> resolve(message_row& m) {
        if (m.keywords.empty()) return {};
        if (!names_) {
            PP_LET(auto loaded, view::load_keywords(r_, id_));
            names_ = std::move(loaded);
        }
        m.resolve(*names_);
        return {};
    }

private:
    const rows& r_;
    mailbox_id id_;
    std::optional<keyword_table> names_;
};
}  // namespace

result<std::vector<mailbox>> mailboxes(const rows& r) {
    std::vector<mailbox> out;
    PP_TRY(r.each(table::folder, {}, {}, [&](bytes_view, bytes_view plain) -> result<bool> {
        PP_LET(auto f, decode_folder(plain));
        out.push_back(std::move(f.box));
        return true;
    }));
    std::sort(out.begin(), out.end(), [](const mailbox& a, const mailbox& b) { return a.name < b.name; });
    return out;
}

result<std::optional<mailbox>> find_mailbox(const rows& r, std::string_view name) {
    PP_LET(const auto id, view::folder_by_name(r, canonical_name(name)));
    if (!id) return std::optional<mailbox>();
    return get_mailbox(r, *id);
}

result<std::optional<mailbox>> get_mailbox(const rows& r, mailbox_id id) {
    PP_LET(auto f, view::load_folder(r, id));
    if (!f) return std::optional<mailbox>();
    return std::optional<mailbox>(std::move(f->box));
}

result<std::vector<std::string>> subscriptions_without_mailbox(const rows& r) {
    std::vector<std::string> out;
    PP_TRY(r.each(table::unhoused, {}, {}, [&](bytes_view, bytes_view plain) -> result<bool> {
        out.emplace_back(as_text(plain));
        return true;
    }));
    std::sort(out.begin(), out.end());
    return out;
}

result<std::vector<std::string>> keywords(const rows& r, mailbox_id id) {
    PP_LET(auto k, view::load_keywords(r, id));
    std::vector<std::string> out;
    for (auto& s : k.slots)
        if (s.uses > 0) out.push_back(std::move(s.name));
    return out;
}

result<std::vector<message>> messages(const rows& r, mailbox_id id, std::uint32_t uid_from, std::size_t limit) {
    std::vector<message> out;
    if (limit == 0) return out;
    out.reserve(std::min(limit, rows_reserved_max));
    keyword_names names(r, id);
    PP_TRY(r.each(table::msg, view::folder_key(id).view(), view::message_key(id, uid_from).view(),
                  [&](bytes_view key, bytes_view plain) -> result<bool> {
                      PP_LET(auto m, decode_message(plain));
                      m.m.box = id;
                      m.m.uid = key_u32(key, 8);
                      PP_TRY(names.resolve(m));
                      out.push_back(std::move(m.m));
                      return out.size() < limit;
                  }));
    return out;
}

result<std::vector<std::uint32_t>> uids(const rows& r, mailbox_id id) {
    std::vector<std::uint32_t> out;
    PP_TRY(r.each_key(table::msg, view::folder_key(id).view(), view::folder_key(id).view(),
                      [&](bytes_view key) -> result<bool> {
                          out.push_back(key_u32(key, 8));
                          return true;
                      }));
    return out;
}

result<std::optional<std::uint32_t>> first_unseen(const rows& r, mailbox_id id) {
    std::optional<std::uint32_t> found;
    PP_LET(const auto f, view::load_folder(r, id));
    if (!f || f->box.unseen == 0) return found;
    PP_TRY(r.each(table::msg, view::folder_key(id).view(), view::message_key(id, f->first_unseen_hint).view(),
                  [&](bytes_view key, bytes_view plain) -> result<bool> {
                      PP_LET(const auto m, decode_message(plain));
                      if (m.m.flags.system & mail::seen) return true;
                      found = key_u32(key, 8);
                      return false;
                  }));
    return found;
}

result<std::optional<message>> get_message(const rows& r, mailbox_id id, std::uint32_t uid) {
    PP_LET(auto m, view::load_message(r, id, uid));
    if (!m) return std::optional<message>();
    keyword_names names(r, id);
    PP_TRY(names.resolve(*m));
    return std::optional<message>(std::move(m->m));
}

result<read_txn::changes> changes_since(const rows& r, mailbox_id id, std::uint64_t modseq, std::size_t limit) {
    read_txn::changes out;
    PP_LET(const auto f, view::load_folder(r, id));
    if (!f) return errc::no_such_mailbox;
    out.highest_modseq = f->box.highest_modseq;
    if (modseq >= out.highest_modseq) return out;
    keyword_names names(r, id);
    PP_TRY(r.each_key(table::mod, view::folder_key(id).view(), view::mod_key(id, modseq + 1, 0).view(),
                      [&](bytes_view key) -> result<bool> {
                          if (out.changed.size() == limit) {
                              out.more = true;
                              return false;
                          }
                          PP_LET(auto m, view::load_message(r, id, key_u32(key, 16)));
                          if (!m) return errc::damaged;
                          PP_TRY(names.resolve(*m));
                          out.changed.push_back(std::move(m->m));
                          return true;
                      }));
    PP_TRY(r.each(table::vanish, view::folder_key(id).view(), view::vanish_key(id, modseq + 1).view(),
                  [&](bytes_view, bytes_view plain) -> result<bool> {
                      const auto some = decode_whole<mail::uid_set>(plain);
                      if (!some) return errc::damaged;
                      out.vanished.add(*some);
                      return true;
                  }));
    return out;
}

result<std::vector<std::pair<std::uint32_t, std::uint64_t>>> changed_since(const rows& r, mailbox_id id,
                                                                           std::uint64_t modseq) {
    std::vector<std::pair<std::uint32_t, std::uint64_t>> out;
    PP_TRY(r.each_key(table::mod, view::folder_key(id).view(), view::mod_key(id, modseq + 1, 0).view(),
                      [&](bytes_view key) -> result<bool> {
                          out.emplace_back(key_u32(key, 16), key_u64(key, 8));
                          return true;
                      }));
    return out;
}

result<bytes> encoded_index(const rows& r, std::uint64_t serial) {
    PP_LET(auto raw, r.get(table::env, view::serial_key(serial).view()));
    if (!raw) return errc::not_found;
    return std::move(*raw);
}

result<std::optional<bytes>> listed_header(const rows& r, std::uint64_t serial) {
    return r.get(table::env, view::listed_key(serial).view());
}

result<std::optional<bytes>> structure_text(const rows& r, std::uint64_t serial) {
    return r.get(table::env, view::structure_key(serial).view());
}

result<std::shared_ptr<const mail::message_index>> index_of(const rows& r, std::uint64_t serial) {
    PP_LET(const auto raw, encoded_index(r, serial));
    auto index = mail::message_index::decode(as_text(raw));
    if (!index) return errc::damaged;
    return std::shared_ptr<const mail::message_index>(std::make_shared<mail::message_index>(std::move(*index)));
}

result<mail::envelope> envelope_of(const rows& r, std::uint64_t serial) {
    PP_LET(const auto raw, r.get(table::env, view::serial_key(serial).view()));
    if (!raw) return errc::not_found;
    auto own = mail::decode_own_envelope(as_text(*raw));
    if (!own) return errc::damaged;
    return std::move(*own);
}

result<std::optional<message>> find_by_message_id(const rows& r, mailbox_id id, std::string_view message_id,
                                                  unix_ms since) {
    std::optional<message> found;
    if (message_id.empty()) return found;
    const auto prefix = view::message_id_prefix(r, id, view::message_id_tag(r.keys(), message_id));
    std::optional<std::uint32_t> uid;
    PP_TRY(r.each_key(table::msgid, prefix.view(), prefix.view(), [&](bytes_view key) -> result<bool> {
        uid = key_u32(key, 24);   // the last is the newest: UIDs rise
        return true;
    }));
    if (!uid) return found;
    PP_LET(found, get_message(r, id, *uid));
    // Save dates are whole seconds: a mail saved within the asked second counts.
    if (found && found->save_date.unix_seconds * 1000 + 999 < since) found.reset();
    return found;
}

result<std::vector<outbox_row>> outbox(const rows& r, bool open_only) {
    const auto open = row_name().u8(0);
    PP_LET(auto out, all_of<outbox_row>(r, table::out, open_only ? open.view() : bytes_view()));
    std::stable_sort(out.begin(), out.end(), [](const outbox_row& a, const outbox_row& b) {
        return std::tie(a.submitted_at, a.id) < std::tie(b.submitted_at, b.id);
    });
    return out;
}

result<std::vector<id16>> open_outbox_ids(const rows& r) {
    std::vector<id16> out;
    const auto open = row_name().u8(0);
    PP_TRY(r.each_key(table::out, open.view(), open.view(), [&](bytes_view key) -> result<bool> {
        id16 id{};
        if (key.size() != 1 + id.size()) return errc::damaged;
        std::copy(key.begin() + 1, key.end(), id.begin());
        out.push_back(id);
        return true;
    }));
    return out;
}

result<std::vector<outbox_row>> outbox_led_to(const rows& r, const row_name& prefix) {
    std::vector<outbox_row> out;
    const auto at = prefix.view().size();
    PP_TRY(r.each_key(table::out_ref, prefix.view(), prefix.view(), [&](bytes_view key) -> result<bool> {
        id16 id{};
        if (key.size() != at + id.size()) return errc::damaged;
        std::copy(key.begin() + static_cast<std::ptrdiff_t>(at), key.end(), id.begin());
        PP_LET(auto row, view::load_outbox(r, id));
        if (!row) return errc::damaged;
        out.push_back(std::move(*row));
        return true;
    }));
    return out;
}

result<bool> leads_to_outbox(const rows& r, const row_name& prefix) {
    bool any = false;
    PP_TRY(r.each_key(table::out_ref, prefix.view(), prefix.view(), [&](bytes_view) -> result<bool> {
        any = true;
        return false;
    }));
    return any;
}

result<std::optional<inbound_row>> get_inbound(const rows& r, const id16& notification) {
    return one_of<inbound_row>(r, table::inbox, notification);
}

result<std::size_t> count_inbound(const rows& r, std::size_t most) {
    std::size_t n = 0;
    PP_TRY(r.each_key(table::inbox, {}, {}, [&](bytes_view) -> result<bool> { return ++n < most; }));
    return n;
}

result<std::vector<inbound_row>> inbound(const rows& r) {
    PP_LET(auto out, all_of<inbound_row>(r, table::inbox));
    std::stable_sort(out.begin(), out.end(),
                     [](const inbound_row& a, const inbound_row& b) { return a.received_at < b.received_at; });
    return out;
}

result<bool> notification_seen(const rows& r, const crypto::account_key& sender, const id16& notification) {
    return r.has(table::seen, view::seen_key(r, sender, notification).view());
}

result<std::vector<contact>> contacts(const rows& r) {
    PP_LET(auto out, all_of<contact>(r, table::peer));
    std::stable_sort(out.begin(), out.end(), [](const contact& a, const contact& b) {
        return std::tie(a.since, a.account) < std::tie(b.since, b.account);
    });
    return out;
}
result<std::optional<contact>> get_contact(const rows& r, const crypto::account_key& account) {
    return one_of<contact>(r, table::peer, account.view());
}
result<std::optional<invite>> get_invite(const rows& r, const id16& token) {
    return one_of<invite>(r, table::invite, token);
}
result<std::vector<app_password>> passwords(const rows& r) {
    PP_LET(auto out, all_of<app_password>(r, table::password));
    std::stable_sort(out.begin(), out.end(),
                     [](const app_password& a, const app_password& b) { return a.created_at < b.created_at; });
    return out;
}

result<std::optional<bytes>> setting(const rows& r, std::string_view name) {
    PP_LET(const auto raw, r.get(table::setting, view::name_key(r, table::setting, pp::as_bytes(name)).view()));
    if (!raw) return std::optional<bytes>();
    byte_reader in(*raw);
    in.text();
    auto value = to_bytes(in.sized());
    if (!in.done()) return errc::damaged;
    return std::optional<bytes>(std::move(value));
}

result<std::vector<annotation>> metadata(const rows& r, mailbox_id box) {
    std::vector<annotation> out;
    const auto prefix = view::folder_key(box);
    PP_TRY(r.each(table::metadata, prefix.view(), prefix.view(), [&](bytes_view, bytes_view plain) -> result<bool> {
        byte_reader in(plain);
        annotation one;
        one.entry = in.text();
        one.value = to_bytes(in.sized());
        if (!in.done()) return errc::damaged;
        out.push_back(std::move(one));
        return true;
    }));
    std::sort(out.begin(), out.end(), [](const annotation& a, const annotation& b) { return a.entry < b.entry; });
    return out;
}

result<std::uint64_t> blob_bytes(const rows& r) {
    PP_LET(const auto n, view::load_counters(r));
    return n.blob_bytes;
}

}  // namespace queries
}  // namespace pp::storage
