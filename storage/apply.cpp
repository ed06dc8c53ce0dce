#include "storage/apply.hpp"

#include "crypto/assert.hpp"
#include "storage/attempt.hpp"
#include "storage/limits.hpp"
#include "storage/records_codec.hpp"

namespace pp::storage {

namespace {

constexpr std::array<std::byte, 16> no_tag{};

bytes blob_key_aad(std::uint64_t serial, const crypto::blob_id& id) {
    byte_writer w;
    w.text("peerpost blob key 1");
    w.u64(serial);
    w.raw(id.view());
    return w.take();
}

result<void> add_reference(apply_context& c, std::uint64_t serial, int change) {
    PP_LET(auto b, view::load_blob(c.r, serial));
    if (!b) return change > 0 ? result<void>(errc::not_found) : result<void>();
    if (change < 0 && b->references == 0) return errc::damaged;
    b->references += static_cast<std::uint32_t>(change);
    if (b->references == 0 && c.unreferenced) c.unreferenced->push_back(serial);
    return view::store_blob(c.r, serial, *b);
}

// One mailbox whose messages change: its row and keywords are read once and written once.
class open_folder {
public:
    static result<open_folder> load(apply_context& c, mailbox_id id) {
        PP_LET(auto f, view::load_folder(c.r, id));
        if (!f) return errc::no_such_mailbox;
        PP_LET(auto k, view::load_keywords(c.r, id));
        return open_folder(c, std::move(*f), std::move(k));
    }
    result<void> store() {
        PP_TRY(view::store_keywords(c_->r, row.box.id, keywords));
        return view::store_folder(c_->r, row);
    }
    void count(const message& m, int n) {
        auto& b = row.box;
        const auto by = static_cast<std::uint32_t>(n);
        b.messages += by;
        b.size_bytes += static_cast<std::uint64_t>(static_cast<std::int64_t>(n)) * m.size_bytes;
        count_flags(m.flags, by);
    }
    void count_flags(const mail::flags& f, std::uint32_t by) {
        if (!(f.system & mail::seen)) row.box.unseen += by;
        if (f.system & mail::deleted) row.box.deleted += by;
    }
    // Gives row m these flags; the numbers of its keywords are taken from, and given back to, the table.
    result<void> set_flags(message_row& m, const mail::flags& f) {
        std::vector<std::uint32_t> numbers;
        for (const auto& k : f.keywords) {
            PP_LET(const auto number, keywords.take(k));
            numbers.push_back(number);
        }
        for (const auto number : m.keywords) keywords.release(number);
        m.keywords = std::move(numbers);
        m.m.flags = f;
        if (!(f.system & mail::seen)) row.first_unseen_hint = std::min(row.first_unseen_hint, m.m.uid);
        return {};
    }
    // Takes the message out of every table but `vanish`.
    result<void> remove(const message_row& m) {
        auto& r = c_->r;
        PP_TRY(r.erase(table::msg, view::message_key(m.m.box, m.m.uid).view()));
        PP_TRY(r.erase(table::mod, view::mod_key(m.m.box, m.m.modseq, m.m.uid).view()));
        if (m.message_id_tag != no_tag)
            PP_TRY(r.erase(table::msgid, view::message_id_prefix(r, m.m.box, m.message_id_tag).u32(m.m.uid).view()));
        PP_TRY(r.erase(table::doc, view::doc_key(m.m.mail_serial, m.m.box, m.m.uid).view()));
        for (const auto number : m.keywords) keywords.release(number);
        count(m.m, -1);
        return add_reference(*c_, m.m.mail_serial, -1);
    }
    // Moves the hint over messages that are seen by now, a few at a time.
    result<void> advance_hint() {
        if (row.box.unseen == 0) {
            row.first_unseen_hint = row.box.uid_next;
            return {};
        }
        std::size_t steps = 0;
        const auto id = row.box.id;
        return c_->r.each(table::msg, view::folder_key(id).view(), view::message_key(id, row.first_unseen_hint).view(),
                          [&](bytes_view key, bytes_view plain) -> result<bool> {
                              PP_LET(const auto m, decode_message(plain));
                              const auto uid = key_u32(key, 8);
                              row.first_unseen_hint = uid;
                              if (!(m.m.flags.system & mail::seen)) return false;
                              row.first_unseen_hint = uid + 1;
                              return ++steps < first_unseen_steps_max;
                          });
    }

    folder_row row;
    keyword_table keywords;

private:
    open_folder(apply_context& c, folder_row f, keyword_table k) : row(std::move(f)), keywords(std::move(k)), c_(&c) {}
    apply_context* c_;
};

result<void> put_name(rows& r, std::string_view name, mailbox_id id) {
    byte_writer w;
    w.u64(id);
    return r.put(table::name, view::name_key(r, table::name, pp::as_bytes(name)).view(), w.out());
}

struct applier {
    apply_context& c;
    rows& r = c.r;

    result<void> operator()(const op::make_mailbox& o) {
        folder_row f;
        f.box.id = o.id;
        f.box.name = o.name;
        f.box.use = o.use;
        f.box.subscribed = o.subscribed;
        f.box.uid_validity = o.uid_validity;
        PP_TRY(view::store_folder(r, f));
        PP_TRY(put_name(r, o.name, o.id));
        PP_TRY(r.erase(table::unhoused, view::name_key(r, table::unhoused, pp::as_bytes(o.name)).view()));
        PP_LET(auto n, view::load_counters(r));
        n.uid_validity = std::max(n.uid_validity, o.uid_validity);
        return view::store_counters(r, n);
    }
    result<void> operator()(const op::rename_mailbox& o) {
        PP_LET(auto f, view::load_folder(r, o.id));
        if (!f) return errc::no_such_mailbox;
        PP_TRY(r.erase(table::name, view::name_key(r, table::name, pp::as_bytes(f->box.name)).view()));
        f->box.name = o.name;
        PP_TRY(put_name(r, o.name, o.id));
        PP_TRY(r.erase(table::unhoused, view::name_key(r, table::unhoused, pp::as_bytes(o.name)).view()));
        return view::store_folder(r, *f);
    }
    result<void> operator()(const op::delete_mailbox& o) {
        PP_LET(auto f, open_folder::load(c, o.id));
        // In pieces: a mailbox of a million messages must not be in memory at once.
        for (;;) {
            std::vector<message_row> some;
            PP_TRY(r.each(table::msg, view::folder_key(o.id).view(), view::folder_key(o.id).view(),
                          [&](bytes_view key, bytes_view plain) -> result<bool> {
                              PP_LET(auto m, decode_message(plain));
                              m.m.box = o.id;
                              m.m.uid = key_u32(key, 8);
                              some.push_back(std::move(m));
                              return some.size() < replay_batch_entries;
                          }));
            if (some.empty()) break;
            for (const auto& m : some) PP_TRY(f.remove(m));
        }
        PP_TRY(r.erase_prefix(table::vanish, view::folder_key(o.id).view()));
        PP_TRY(r.erase_prefix(table::metadata, view::folder_key(o.id).view()));   // RFC 5464 section 4.1
        PP_TRY(r.erase(table::keyword, view::folder_key(o.id).view()));
        PP_TRY(r.erase(table::folder, view::folder_key(o.id).view()));
        PP_TRY(r.erase(table::name, view::name_key(r, table::name, pp::as_bytes(f.row.box.name)).view()));
        // RFC 9051 section 6.3.7: a subscription outlives its mailbox.
        if (f.row.box.subscribed) return subscribe_unhoused(f.row.box.name);
        return {};
    }
    result<void> subscribe_unhoused(const std::string& name) {
        return r.put(table::unhoused, view::name_key(r, table::unhoused, pp::as_bytes(name)).view(),
                     pp::as_bytes(name));
    }
    result<void> operator()(const op::subscribe& o) {
        PP_LET(const auto id, view::folder_by_name(r, o.name));
        if (!id) {
            if (o.on) return subscribe_unhoused(o.name);
            PP_TRY(r.erase(table::unhoused, view::name_key(r, table::unhoused, pp::as_bytes(o.name)).view()));
            return {};
        }
        PP_LET(auto f, view::load_folder(r, *id));
        if (!f) return errc::damaged;
        f->box.subscribed = o.on;
        return view::store_folder(r, *f);
    }
    result<void> operator()(const op::claim_recent& o) {
        PP_LET(auto f, view::load_folder(r, o.id));
        if (!f) return errc::no_such_mailbox;
        f->box.first_recent_uid = o.first_uid;
        return view::store_folder(r, *f);
    }
    // Of add_blob and restore_blob.
    template <class Operation>
    blob_row row_of(const Operation& o) const {
        blob_row b;
        b.id = o.ref.id;
        b.wrapped_key = crypto::seal_row(c.shred_key, blob_key_aad(o.serial, o.ref.id), o.ref.key.view());
        b.plain_bytes = o.ref.plain_bytes;
        b.cipher_bytes = o.ref.cipher_bytes;
        b.place = o.place;
        b.segment = o.segment;
        b.offset = o.offset;
        return b;
    }
    result<void> operator()(const op::add_blob& o) {
        PP_TRY(view::store_blob(r, o.serial, row_of(o)));
        byte_writer w;
        w.u64(o.serial);
        PP_TRY(r.put(table::blob_name, view::name_key(r, table::blob_name, o.ref.id.view()).view(), w.out()));
        PP_LET(auto n, view::load_counters(r));
        n.next_serial = std::max(n.next_serial, o.serial + 1);
        n.blob_bytes += o.ref.cipher_bytes;
        return view::store_counters(r, n);
    }
    result<void> operator()(const op::place_mail& o) {
        PP_LET(auto f, open_folder::load(c, o.row.box));
        message_row m;
        m.m = o.row;
        m.m.flags = {};
        m.message_id_tag = o.message_id_tag;
        PP_TRY(f.set_flags(m, o.row.flags));
        PP_TRY(view::store_message(r, m));
        PP_TRY(r.put_empty(table::mod, view::mod_key(m.m.box, m.m.modseq, m.m.uid).view()));
        if (o.message_id_tag != no_tag)
            PP_TRY(
                r.put_empty(table::msgid, view::message_id_prefix(r, m.m.box, o.message_id_tag).u32(m.m.uid).view()));
        PP_TRY(r.put_empty(table::doc, view::doc_key(m.m.mail_serial, m.m.box, m.m.uid).view()));
        f.count(m.m, 1);
        f.row.box.uid_next = std::max(f.row.box.uid_next, m.m.uid + 1);
        f.row.box.highest_modseq = std::max(f.row.box.highest_modseq, m.m.modseq);
        PP_TRY(f.store());
        return add_reference(c, m.m.mail_serial, 1);
    }
    result<void> operator()(const op::set_flags& o) {
        PP_LET(auto f, open_folder::load(c, o.box));
        auto modseq = o.first_modseq;
        for (std::size_t i = 0; i < o.items.size(); ++i) {
            const auto& item = o.items[i];
            std::optional<message_row> m;
            if (c.read_before) {
                m = (*c.read_before)[i];
            } else {
                PP_LET(auto loaded, view::load_message(r, o.box, item.uid));
                m = std::move(loaded);
            }
            if (!m || item.set >= o.sets.size()) return errc::damaged;
            f.count_flags(m->m.flags, static_cast<std::uint32_t>(-1));
            PP_TRY(f.set_flags(*m, o.sets[item.set]));
            f.count_flags(m->m.flags, 1);
            PP_TRY(r.erase(table::mod, view::mod_key(o.box, m->m.modseq, item.uid).view()));
            m->m.modseq = modseq++;
            PP_TRY(r.put_empty(table::mod, view::mod_key(o.box, m->m.modseq, item.uid).view()));
            PP_TRY(view::store_message(r, *m));
        }
        if (!o.items.empty()) f.row.box.highest_modseq = std::max(f.row.box.highest_modseq, modseq - 1);
        PP_TRY(f.advance_hint());
        return f.store();
    }
    result<void> operator()(const op::vanish& o) {
        PP_LET(auto f, open_folder::load(c, o.box));
        for (const auto& range : o.uids.ranges())
            for (std::uint64_t uid = range.first; uid <= range.last; ++uid) {
                PP_LET(const auto m, view::load_message(r, o.box, static_cast<std::uint32_t>(uid)));
                if (!m) return errc::damaged;
                PP_TRY(f.remove(*m));
            }
        byte_writer w;
        encode(w, o.uids);
        PP_TRY(r.put(table::vanish, view::vanish_key(o.box, o.modseq).view(), w.out()));
        f.row.box.highest_modseq = std::max(f.row.box.highest_modseq, o.modseq);
        if (++f.row.vanish_rows > vanish_rows_max) PP_TRY(merge_vanish_rows(f.row));
        PP_TRY(f.advance_hint());
        return f.store();
    }
    // The older half becomes one row under its newest modseq: who asks from inside it is told a few UIDs again, which
    // RFC 7162 section 3.2.10 allows.
    result<void> merge_vanish_rows(folder_row& f) {
        mail::uid_set all;
        std::vector<std::uint64_t> merged;
        const auto prefix = view::folder_key(f.box.id);
        const auto merge = [&](bytes_view key, bytes_view plain) -> result<bool> {
            const auto some = decode_whole<mail::uid_set>(plain);
            if (!some) return errc::damaged;
            all.add(*some);
            merged.push_back(key_u64(key, 8));
            return merged.size() < vanish_rows_max / 2;
        };
        PP_TRY(r.each(table::vanish, prefix.view(), prefix.view(), merge));
        for (const auto modseq : merged) PP_TRY(r.erase(table::vanish, view::vanish_key(f.box.id, modseq).view()));
        f.vanish_rows -= merged.size() - 1;
        return r.put(table::vanish, view::vanish_key(f.box.id, merged.back()).view(), encode_whole(all));
    }
    result<void> operator()(const op::clear_blob& o) {
        PP_LET(const auto b, view::load_blob(r, o.serial));
        if (!b) return {};
        if (b->references != 0) return errc::damaged;
        PP_TRY(r.erase(table::blob, view::serial_key(o.serial).view()));
        PP_TRY(view::erase_index(r, o.serial));
        PP_TRY(r.erase(table::thread, view::serial_key(o.serial).view()));   // its Message-IDs keep leading there
        PP_TRY(r.erase(table::blob_name, view::name_key(r, table::blob_name, b->id.view()).view()));
        if (c.cleared && b->place == blob_place::in_file) c.cleared->push_back(b->id);
        PP_LET(auto n, view::load_counters(r));
        n.blob_bytes -= std::min(n.blob_bytes, b->cipher_bytes);
        return view::store_counters(r, n);
    }
    result<void> operator()(const op::put_outbox& o) {
        PP_LET(const auto before, view::load_outbox(r, o.row.id));
        // The new reference first: it may be the only one that is left.
        if (view::holds_blob(o.row)) PP_TRY(add_reference(c, o.row.mail_serial, 1));
        if (before && view::holds_blob(*before)) PP_TRY(add_reference(c, before->mail_serial, -1));
        return view::change_outbox(r, before, o.row);
    }
    result<void> operator()(const op::erase_outbox& o) {
        PP_LET(const auto before, view::load_outbox(r, o.id));
        if (!before) return {};
        PP_TRY(view::change_outbox(r, before, std::nullopt));
        if (view::holds_blob(*before)) return add_reference(c, before->mail_serial, -1);
        return {};
    }
    result<void> put(table t, bytes_view key, bytes_view plain) { return r.put(t, key, plain); }
    result<void> erase(table t, bytes_view key) {
        PP_TRY(r.erase(t, key));
        return {};
    }
    // Keys of the tables below are keyed hashes: ids of notifications and contacts are known to others.
    row_name hashed(table t, bytes_view name) { return view::name_key(r, t, name); }

    result<void> operator()(const op::put_inbound& o) {
        return put(table::inbox, hashed(table::inbox, o.row.notification).view(), encode_whole(o.row));
    }
    result<void> operator()(const op::erase_inbound& o) {
        return erase(table::inbox, hashed(table::inbox, o.notification).view());
    }
    result<void> operator()(const op::mark_seen& o) {
        const auto key = view::seen_key(r, o.sender, o.notification);
        PP_LET(const bool known, r.has(table::seen, key.view()));
        if (known) return {};
        PP_LET(auto n, view::load_counters(r));
        byte_writer w;
        w.u64(n.seen_next);
        PP_TRY(put(table::seen, key.view(), w.out()));
        PP_TRY(put(table::seen_order, view::serial_key(n.seen_next).view(), key.view()));
        ++n.seen_next;
        while (n.seen_next - n.seen_first > seen_rows_max) {
            const auto order = view::serial_key(n.seen_first++);
            PP_LET(const auto oldest, r.get(table::seen_order, order.view()));
            if (!oldest) continue;
            PP_TRY(erase(table::seen, *oldest));
            PP_TRY(erase(table::seen_order, order.view()));
        }
        return view::store_counters(r, n);
    }
    result<void> operator()(const op::put_contact& o) {
        return put(table::peer, hashed(table::peer, o.row.account.view()).view(), encode_whole(o.row));
    }
    result<void> operator()(const op::erase_contact& o) {
        return erase(table::peer, hashed(table::peer, o.account.view()).view());
    }
    result<void> operator()(const op::put_invite& o) {
        return put(table::invite, hashed(table::invite, o.row.token).view(), encode_whole(o.row));
    }
    result<void> operator()(const op::erase_invite& o) {
        return erase(table::invite, hashed(table::invite, o.token).view());
    }
    result<void> operator()(const op::put_password& o) {
        return put(table::password, hashed(table::password, o.row.id).view(), encode_whole(o.row));
    }
    result<void> operator()(const op::erase_password& o) {
        return erase(table::password, hashed(table::password, o.id).view());
    }
    result<void> operator()(const op::put_setting& o) {
        byte_writer w;
        w.text(o.name);
        w.sized(o.value);
        return put(table::setting, hashed(table::setting, pp::as_bytes(o.name)).view(), w.out());
    }
    // RFC 7162 section 3.2: what changes an annotation of a mailbox raises its modseq.
    result<void> operator()(const op::put_metadata& o) {
        if (o.box != no_mailbox) {
            PP_LET(auto f, view::load_folder(r, o.box));
            if (!f) return errc::damaged;
            ++f->box.highest_modseq;
            PP_TRY(view::store_folder(r, *f));
        }
        const auto key = view::metadata_key(r, o.box, o.entry);
        if (!o.value) return erase(table::metadata, key.view());
        byte_writer w;
        w.text(o.entry);
        w.sized(*o.value);
        return put(table::metadata, key.view(), w.out());
    }
    result<void> operator()(const op::join_thread& o) {
        byte_writer w;
        w.u64(o.thread);
        if (o.thread != o.serial) PP_TRY(put(table::thread, view::serial_key(o.serial).view(), w.out()));
        for (const auto& tag : o.tags) {
            const auto key = hashed(table::thread_ref, tag);
            PP_LET(const bool known, r.has(table::thread_ref, key.view()));
            if (!known) PP_TRY(put(table::thread_ref, key.view(), w.out()));
        }
        return {};
    }
    result<void> operator()(const op::restore_row& o) {
        if (o.table >= table_count) return errc::newer_format;
        const auto t = static_cast<table>(o.table);
        // Not the identity of a view, where it stands, or its full-text index: they are its own.
        const bool own_meta =
            t == table::meta && (o.key.size() != 1 || o.key[0] != std::byte{view::counters_key});
        const bool own = own_meta || t == table::fts || t == table::out_ref;
        if (o.key.empty() || o.key.size() > row_key_bytes_max || t == table::blob || own) return errc::damaged;
        if (t == table::out) {
            if (!o.value) return errc::damaged;
            const auto row = decode_whole<outbox_row>(*o.value);
            if (!row) return errc::damaged;
            for (const auto& ref : view::outbox_refs(r, *row)) PP_TRY(r.put_empty(table::out_ref, ref.view()));
        }
        return o.value ? r.put(t, o.key, *o.value) : r.put_empty(t, o.key);
    }
    result<void> operator()(const op::restore_blob& o) {
        auto b = row_of(o);
        b.references = o.references;
        return view::store_blob(r, o.serial, b);
    }
};

}  // namespace

result<void> apply_operation(const operation& o, apply_context& c) { return std::visit(applier{c}, o); }

result<crypto::blob_key> unwrap_blob_key(const crypto::row_key& shred_key, std::uint64_t serial, const blob_row& b) {
    auto plain = crypto::open_row(shred_key, blob_key_aad(serial, b.id), b.wrapped_key);
    if (!plain) return errc::damaged;
    auto key = crypto::blob_key::from(*plain);
    sodium_memzero(plain->data(), plain->size());
    if (!key) return errc::damaged;
    return std::move(*key);
}

}  // namespace pp::storage
