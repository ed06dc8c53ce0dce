#include "storage/view.hpp"

#include "proto/mail/charset.hpp"
#include "proto/mail/structure_outline.hpp"
#include "storage/attempt.hpp"
#include "storage/limits.hpp"
#include "storage/records_codec.hpp"

namespace pp::storage {

namespace {

template <class T>
result<std::optional<T>> load(const rows& r, table t, bytes_view key, result<T> (*decode_row)(bytes_view)) {
    PP_LET(const auto raw, r.get(t, key));
    if (!raw) return std::optional<T>();
    auto decoded = decode_row(*raw);
    if (!decoded) return decoded.error();
    return std::optional<T>(std::move(*decoded));
}
}  // namespace

// ------------------------------------------------------------------ keywords
result<std::uint32_t> keyword_table::take(std::string_view name) {
    std::optional<std::size_t> unused;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i].uses == 0) {
            if (!unused) unused = i;
        } else if (mail::equal_ascii_case(slots[i].name, name)) {
            ++slots[i].uses;
            changed = true;
            return static_cast<std::uint32_t>(i);
        }
    }
    if (!unused) {
        if (slots.size() >= keywords_per_mailbox_max) return errc::limit;
        unused = slots.size();
        slots.emplace_back();
    }
    slots[*unused] = {std::string(name), 1};
    changed = true;
    return static_cast<std::uint32_t>(*unused);
}

void keyword_table::release(std::uint32_t number) {
    if (number < slots.size() && slots[number].uses > 0) {
        --slots[number].uses;
        changed = true;
    }
}

void message_row::resolve(const keyword_table& names) {
    m.flags.keywords.clear();
    for (const auto number : keywords)
        if (number < names.slots.size()) m.flags.add(names.slots[number].name);
}

// ------------------------------------------------------------------ bytes
bytes encode_row(const folder_row& f) {
    const auto& b = f.box;
    byte_writer w;
    w.u64(b.id);
    w.text(b.name);
    w.u8(static_cast<std::uint8_t>(b.use));
    w.u8(b.subscribed);
    w.u32(b.uid_validity);
    w.u32(b.uid_next);
    w.u64(b.highest_modseq);
    w.u32(b.messages);
    w.u32(b.unseen);
    w.u32(b.deleted);
    w.u64(b.size_bytes);
    w.u32(b.first_recent_uid);
    w.u32(f.first_unseen_hint);
    w.u64(f.vanish_rows);
    return w.take();
}
result<folder_row> decode_folder(bytes_view in) {
    byte_reader r(in);
    folder_row f;
    auto& b = f.box;
    b.id = r.u64();
    b.name = r.text();
    const auto use = r.u8();
    if (use > static_cast<std::uint8_t>(special_use::trash)) r.fail();
    b.use = static_cast<special_use>(use);
    b.subscribed = r.u8() != 0;
    b.uid_validity = r.u32();
    b.uid_next = r.u32();
    b.highest_modseq = r.u64();
    b.messages = r.u32();
    b.unseen = r.u32();
    b.deleted = r.u32();
    b.size_bytes = r.u64();
    b.first_recent_uid = r.u32();
    f.first_unseen_hint = r.u32();
    f.vanish_rows = r.u64();
    if (!r.done()) return errc::damaged;
    return f;
}

bytes encode_row(const keyword_table& k) {
    byte_writer w;
    w.varint(k.slots.size());
    for (const auto& s : k.slots) {
        w.text(s.name);
        w.u32(s.uses);
    }
    return w.take();
}
result<keyword_table> decode_keywords(bytes_view in) {
    byte_reader r(in);
    keyword_table k;
    k.slots.resize(r.count(5));
    for (auto& s : k.slots) {
        s.name = r.text();
        s.uses = r.u32();
    }
    if (!r.done()) return errc::damaged;
    return k;
}

bytes encode_row(const message_row& m) {
    byte_writer w;
    w.u64(m.m.modseq);
    w.u64(m.m.mail_serial);
    w.raw(m.m.placement);
    w.u8(m.m.flags.system);
    encode(w, m.m.internal_date);
    encode(w, m.m.save_date);
    w.varint(m.m.size_bytes);
    w.raw(m.message_id_tag);
    w.varint(m.keywords.size());
    for (const auto k : m.keywords) w.varint(k);
    return w.take();
}
result<message_row> decode_message(bytes_view in) {
    byte_reader r(in);
    message_row m;
    m.m.modseq = r.u64();
    m.m.mail_serial = r.u64();
    m.m.placement = r.array<16>();
    m.m.flags.system = r.u8();
    decode(r, m.m.internal_date);
    decode(r, m.m.save_date);
    m.m.size_bytes = r.varint();
    m.message_id_tag = r.array<16>();
    m.keywords.resize(r.count());
    for (auto& k : m.keywords) k = static_cast<std::uint32_t>(r.varint());
    if (!r.done()) return errc::damaged;
    return m;
}

bytes encode_row(const blob_row& b) {
    byte_writer w;
    w.raw(b.id.view());
    w.sized(b.wrapped_key);
    w.u64(b.plain_bytes);
    w.u64(b.cipher_bytes);
    w.u8(static_cast<std::uint8_t>(b.place));
    w.u64(b.segment);
    w.u64(b.offset);
    w.u32(b.references);
    return w.take();
}
result<blob_row> decode_blob(bytes_view in) {
    byte_reader r(in);
    blob_row b;
    b.id.data = r.array<32>();
    b.wrapped_key = to_bytes(r.sized());
    b.plain_bytes = r.u64();
    b.cipher_bytes = r.u64();
    const auto place = r.u8();
    if (place != 1 && place != 2) r.fail();
    b.place = static_cast<blob_place>(place);
    b.segment = r.u64();
    b.offset = r.u64();
    b.references = r.u32();
    if (!r.done()) return errc::damaged;
    return b;
}

bytes encode_row(const counters& c) {
    byte_writer w;
    w.u64(c.next_serial);
    w.u32(c.uid_validity);
    w.u64(c.blob_bytes);
    w.u64(c.seen_first);
    w.u64(c.seen_next);
    w.u8(c.indexes_missing);
    return w.take();
}
result<counters> decode_counters(bytes_view in) {
    byte_reader r(in);
    counters c;
    c.next_serial = r.u64();
    c.uid_validity = r.u32();
    c.blob_bytes = r.u64();
    c.seen_first = r.u64();
    c.seen_next = r.u64();
    c.indexes_missing = r.u8() != 0;
    if (!r.done()) return errc::damaged;
    return c;
}

// ------------------------------------------------------------------ keys
namespace view {

row_name folder_key(mailbox_id id) { return row_name().u64(id); }
row_name message_key(mailbox_id id, std::uint32_t uid) { return row_name().u64(id).u32(uid); }
row_name mod_key(mailbox_id id, std::uint64_t modseq, std::uint32_t uid) {
    return row_name().u64(id).u64(modseq).u32(uid);
}
row_name vanish_key(mailbox_id id, std::uint64_t modseq) { return row_name().u64(id).u64(modseq); }
row_name serial_key(std::uint64_t serial) { return row_name().u64(serial); }
row_name listed_key(std::uint64_t serial) { return serial_key(serial).u8(1); }
row_name structure_key(std::uint64_t serial) { return serial_key(serial).u8(2); }
row_name name_key(const rows& r, table t, bytes_view name) { return row_name().raw(r.keys().prf(t, name)); }
row_name message_id_prefix(const rows& r, mailbox_id id, const std::array<std::byte, 16>& tag) {
    // Blinded per mailbox, so that keys do not show which mails lie in two of them.
    const auto name = row_name().u64(id).raw(tag);
    return row_name().u64(id).raw(r.keys().prf(table::msgid, name.view()));
}
row_name seen_key(const rows& r, const crypto::account_key& sender, const id16& notification) {
    const auto name = row_name().raw(sender.view()).raw(notification);
    return name_key(r, table::seen, name.view());
}
std::array<std::byte, 16> message_id_tag(const view_keys& keys, std::string_view message_id) {
    std::array<std::byte, 16> tag{};
    if (message_id.empty()) return tag;
    const auto full = crypto::blake2b_keyed(keys.message_ids.view(), pp::as_bytes(message_id));
    std::copy_n(full.data.begin(), tag.size(), tag.begin());
    return tag;
}

// Entries of two mailboxes that are named alike have keys that do not look alike.
row_name metadata_key(const rows& r, mailbox_id box, std::string_view entry) {
    byte_writer name;
    name.u64(box);
    name.text(entry);
    return row_name().u64(box).raw(r.keys().prf(table::metadata, name.out()));
}

// ------------------------------------------------------------------ rows
namespace {
// BODYSTRUCTURE when it is the same for every client, and short; else nothing.
std::string structure_text(std::string_view index) {
    std::string out;
    const auto outline = mail::decode_structure(index);
    if (!outline) return out;
    mail::append_body_structure(out, *outline, true, false);
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (!std::all_of(out.begin(), out.end(), is_ascii) || out.size() > structure_text_bytes_max) out.clear();
    return out;
}
}  // namespace

result<void> store_index(rows& r, std::uint64_t serial, std::string_view index,
                         const std::optional<std::string>& listed) {
    PP_TRY(r.put(table::env, serial_key(serial).view(), pp::as_bytes(index)));
    if (const auto text = structure_text(index); !text.empty())
        PP_TRY(r.put(table::env, structure_key(serial).view(), pp::as_bytes(text)));
    if (!listed) return {};
    return r.put(table::env, listed_key(serial).view(), pp::as_bytes(*listed));
}
result<void> erase_index(rows& r, std::uint64_t serial) {
    PP_TRY(r.erase(table::env, serial_key(serial).view()));
    PP_TRY(r.erase(table::env, listed_key(serial).view()));
    PP_TRY(r.erase(table::env, structure_key(serial).view()));
    return {};
}
result<std::optional<folder_row>> load_folder(const rows& r, mailbox_id id) {
    return load(r, table::folder, folder_key(id).view(), &decode_folder);
}
result<void> store_folder(rows& r, const folder_row& f) {
    return r.put(table::folder, folder_key(f.box.id).view(), encode_row(f));
}
result<std::optional<mailbox_id>> folder_by_name(const rows& r, std::string_view name) {
    PP_LET(const auto raw, r.get(table::name, name_key(r, table::name, pp::as_bytes(name)).view()));
    if (!raw) return std::optional<mailbox_id>();
    byte_reader in(*raw);
    const auto id = in.u64();
    if (!in.done()) return errc::damaged;
    return std::optional<mailbox_id>(id);
}
result<keyword_table> load_keywords(const rows& r, mailbox_id id) {
    PP_LET(auto k, load(r, table::keyword, folder_key(id).view(), &decode_keywords));
    if (!k) return keyword_table();
    return std::move(*k);
}
result<void> store_keywords(rows& r, mailbox_id id, keyword_table& k) {
    if (!k.changed) return {};
    k.changed = false;
    return r.put(table::keyword, folder_key(id).view(), encode_row(k));
}
result<std::optional<message_row>> load_message(const rows& r, mailbox_id id, std::uint32_t uid) {
    PP_LET(auto m, load(r, table::msg, message_key(id, uid).view(), &decode_message));
    if (m) {
        m->m.box = id;
        m->m.uid = uid;
    }
    return m;
}
result<void> store_message(rows& r, const message_row& m) {
    return r.put(table::msg, message_key(m.m.box, m.m.uid).view(), encode_row(m));
}
result<std::optional<blob_row>> load_blob(const rows& r, std::uint64_t serial) {
    return load(r, table::blob, serial_key(serial).view(), &decode_blob);
}
result<void> store_blob(rows& r, std::uint64_t serial, const blob_row& b) {
    return r.put(table::blob, serial_key(serial).view(), encode_row(b));
}
result<std::optional<std::uint64_t>> serial_of(const rows& r, const crypto::blob_id& id) {
    PP_LET(const auto raw, r.get(table::blob_name, name_key(r, table::blob_name, id.view()).view()));
    if (!raw) return std::optional<std::uint64_t>();
    byte_reader in(*raw);
    const auto serial = in.u64();
    if (!in.done()) return errc::damaged;
    return std::optional<std::uint64_t>(serial);
}
namespace {
result<std::optional<std::uint64_t>> load_number(const rows& r, table t, bytes_view key) {
    PP_LET(const auto raw, r.get(t, key));
    if (!raw) return std::optional<std::uint64_t>();
    byte_reader in(*raw);
    const auto number = in.u64();
    if (!in.done()) return errc::damaged;
    return std::optional<std::uint64_t>(number);
}
}  // namespace
result<std::optional<std::uint64_t>> thread_by_tag(const rows& r, const std::array<std::byte, 16>& tag) {
    return load_number(r, table::thread_ref, name_key(r, table::thread_ref, tag).view());
}
result<std::uint64_t> thread_of(const rows& r, std::uint64_t serial) {
    PP_LET(const auto thread, load_number(r, table::thread, serial_key(serial).view()));
    return thread.value_or(serial);
}
result<counters> load_counters(const rows& r) {
    PP_LET(auto c, load(r, table::meta, row_name().u8(counters_key).view(), &decode_counters));
    return c.value_or(counters());
}
result<void> store_counters(rows& r, const counters& c) {
    return r.put(table::meta, row_name().u8(counters_key).view(), encode_row(c));
}
result<std::optional<bytes>> load_applied(const rows& r) {
    return r.get(table::meta, row_name().u8(applied_key).view());
}
result<void> store_applied(rows& r, bytes_view position) {
    return r.put(table::meta, row_name().u8(applied_key).view(), position);
}

result<std::optional<bytes>> load_text_directory(const rows& r) {
    return r.get(table::meta, row_name().u8(text_directory_key).view());
}
result<void> store_text_directory(rows& r, bytes_view directory) {
    return r.put(table::meta, row_name().u8(text_directory_key).view(), directory);
}
row_name doc_key(std::uint64_t serial, mailbox_id box, std::uint32_t uid) {
    return row_name().u64(serial).u64(box).u32(uid);
}
row_name text_page_key(std::uint32_t segment, std::uint32_t page) { return row_name().u32(segment).u32(page); }

// Queued and notified: the recipient still has to fetch it. Failed: the report may want to quote it; the row is erased
// when that is done. Delivered: nobody needs it for this row any more.
bool holds_blob(const outbox_row& o) { return o.mail_serial != 0 && o.state != outbox_state::delivered; }

namespace {
row_name outbox_key_of(bool open, const id16& id) { return row_name().u8(open ? 0 : 1).raw(id); }
}  // namespace
row_name outbox_key(const outbox_row& o) {
    return outbox_key_of(o.state != outbox_state::delivered && o.state != outbox_state::failed, o.id);
}
result<std::optional<outbox_row>> load_outbox(const rows& r, const id16& id) {
    for (const bool open : {true, false}) {
        PP_LET(const auto raw, r.get(table::out, outbox_key_of(open, id).view()));
        if (!raw) continue;
        auto row = decode_whole<outbox_row>(*raw);
        if (!row) return errc::damaged;
        return row;
    }
    return std::optional<outbox_row>();
}

namespace {
enum class led_by : std::uint8_t { notification, mail, recipient };   // first byte of a key of out_ref
row_name ref_prefix(led_by what) { return row_name().u8(static_cast<std::uint8_t>(what)); }
bool is_open_row(const outbox_row& o) {
    return o.state != outbox_state::delivered && o.state != outbox_state::failed;
}
}  // namespace
row_name outbox_by_notification(const rows& r, const id16& notification) {
    return ref_prefix(led_by::notification).raw(name_key(r, table::out_ref, notification).view());
}
row_name outbox_by_mail(std::uint64_t serial) { return ref_prefix(led_by::mail).u64(serial); }
row_name outbox_by_recipient(const rows& r, const crypto::account_key& account) {
    return ref_prefix(led_by::recipient).raw(name_key(r, table::out_ref, account.view()).view());
}
std::vector<row_name> outbox_refs(const rows& r, const outbox_row& o) {
    std::vector<row_name> out{outbox_by_notification(r, o.notification).raw(o.id)};
    if (o.mail_serial != 0) out.push_back(outbox_by_mail(o.mail_serial).raw(o.id));
    if (is_open_row(o)) out.push_back(outbox_by_recipient(r, o.account).raw(o.id));
    return out;
}
result<void> change_outbox(rows& r, const std::optional<outbox_row>& before, const std::optional<outbox_row>& after) {
    const auto old_refs = before ? outbox_refs(r, *before) : std::vector<row_name>();
    const auto refs = after ? outbox_refs(r, *after) : std::vector<row_name>();
    const auto is_among = [](const std::vector<row_name>& all, const row_name& one) {
        for (const auto& other : all)
            if (key_order(other.view(), one.view()) == 0) return true;
        return false;
    };
    for (const auto& ref : old_refs)
        if (!is_among(refs, ref)) PP_TRY(r.erase(table::out_ref, ref.view()));
    for (const auto& ref : refs)
        if (!is_among(old_refs, ref)) PP_TRY(r.put_empty(table::out_ref, ref.view()));
    if (before && (!after || key_order(outbox_key(*before).view(), outbox_key(*after).view()) != 0))
        PP_TRY(r.erase(table::out, outbox_key(*before).view()));
    return after ? r.put(table::out, outbox_key(*after).view(), encode_whole(*after)) : result<void>();
}

}  // namespace view
}  // namespace pp::storage
