// Mails of a job: adding, flags, copy and move, expunge.
#include "storage/attempt.hpp"
#include "storage/job_txn.hpp"

#include "proto/mail/charset.hpp"

namespace pp::storage {

namespace {
result<mail::flags> checked(const mail::flags& f) {
    mail::flags out;
    out.system = f.system;
    for (const auto& k : f.keywords) {
        if (!mail::is_keyword(k) || k.size() > mail::keyword_bytes_max) return errc::limit;
        out.add(k);
    }
    if (out.keywords.size() > mail::keywords_per_message_max) return errc::limit;
    return out;
}
}  // namespace

result<placed> job_txn::add_mail(const new_mail& what, blob_writer& blob) {
    auto& s = blob.internals();
    if (!s.finished) return errc::io_error;
    if (what.box != no_mailbox) {
        PP_LET(const auto box, view::load_folder(rows_, what.box));
        if (!box) return errc::no_such_mailbox;
        if (box->box.uid_next == 0xffffffff) return errc::limit;
    }
    PP_TRY(checked(what.flags));   // before anything is recorded
    const auto id = s.encryptor.id();
    if (s.serial != 0) {   // placed before: in this transaction, or in one that committed
        PP_LET(const auto b, view::load_blob(rows_, s.serial));
        if (b && b->id == id) return add_copy(what, s.serial);
        if (s.taken) return errc::not_found;
    }
    PP_LET(const auto n, view::load_counters(rows_));
    op::add_blob add;
    add.serial = n.next_serial;
    add.ref = {id, s.key.clone(), s.encryptor.plain_bytes(), s.encryptor.cipher_bytes()};
    if (s.path.empty()) {
        add.place = blob_place::in_segment;
        add.offset = group_.add_blob(s.encryptor.header(), s.cipher);
        add.segment = group_.segment();
    } else {
        add.place = blob_place::in_file;
    }
    PP_TRY(record(std::move(add)));
    s.serial = n.next_serial;
    used_.push_back(&s);
    if (const auto r = view::store_index(rows_, s.serial, s.index, s.listed_header); !r) {
        broken_ = r.error();
        return broken_;
    }
    PP_TRY(join_thread(s.serial, s.envelope));
    if (what.box == no_mailbox) return placed{0, 0, 0, s.serial};
    return place(what, s.serial, s.encryptor.plain_bytes());
}

result<placed> job_txn::add_copy(const new_mail& what, std::uint64_t mail_serial) {
    PP_LET(const auto b, view::load_blob(rows_, mail_serial));
    if (!b) return errc::not_found;
    return place(what, mail_serial, b->plain_bytes);
}

result<placed> job_txn::place(const new_mail& what, std::uint64_t serial, std::uint64_t size_bytes) {
    PP_LET(auto flags, checked(what.flags));
    PP_LET(const auto f, view::load_folder(rows_, what.box));
    if (!f) return errc::no_such_mailbox;
    if (f->box.uid_next == 0xffffffff) return errc::limit;
    op::place_mail o;
    o.row.box = what.box;
    o.row.uid = f->box.uid_next;
    o.row.modseq = f->box.highest_modseq + 1;
    o.row.mail_serial = serial;
    crypto::random_bytes(o.row.placement);
    o.row.flags = std::move(flags);
    o.row.internal_date = what.internal_date;
    o.row.save_date = {wall_clock_ms() / 1000, 0};
    o.row.size_bytes = size_bytes;
    o.message_id_tag = view::message_id_tag(rows_.keys(), what.message_id);
    const placed out{o.row.uid, f->box.uid_validity, o.row.modseq, serial};
    PP_TRY(record(std::move(o)));
    touched_.insert(what.box);
    return out;
}

// Rows of the UIDs that are there, rising. Read before anything is changed: a cursor does not survive changes.
result<std::vector<message_row>> job_txn::rows_of(mailbox_id id, const mail::uid_set& uids) const {
    std::vector<message_row> out;
    for (const auto& range : uids.ranges())
        PP_TRY(rows_.each(table::msg, view::folder_key(id).view(), view::message_key(id, range.first).view(),
                          [&](bytes_view key, bytes_view plain) -> result<bool> {
                              const auto uid = key_u32(key, 8);
                              if (uid > range.last) return false;
                              PP_LET(auto m, decode_message(plain));
                              m.m.box = id;
                              m.m.uid = uid;
                              out.push_back(std::move(m));
                              return true;
                          }));
    return out;
}

result<std::vector<message>> job_txn::change_flags(mailbox_id id, const mail::uid_set& uids, flag_change how,
                                                   const mail::flags& what,
                                                   std::optional<std::uint64_t> unchanged_since,
                                                   mail::uid_set& refused) {
    PP_LET(const auto change, checked(what));
    PP_LET(const auto f, view::load_folder(rows_, id));
    if (!f) return errc::no_such_mailbox;
    PP_LET(auto names, view::load_keywords(rows_, id));
    PP_LET(auto found, rows_of(id, uids));
    op::set_flags o;
    o.box = id;
    o.first_modseq = f->box.highest_modseq + 1;
    std::vector<message> out;
    std::vector<message_row> before;   // of what changes
    out.reserve(found.size());
    for (auto& row : found) {
        if (unchanged_since && row.m.modseq > *unchanged_since) {   // RFC 7162 section 3.1.3
            refused.add(row.m.uid);
            continue;
        }
        auto was = row;
        row.resolve(names);
        auto after = row.m.flags;
        switch (how) {
            case flag_change::replace: after = change; break;
            case flag_change::add: after.add(change); break;
            case flag_change::remove: after.remove(change); break;
        }
        if (after.keywords.size() > mail::keywords_per_message_max) return errc::limit;
        const bool same = after.system == row.m.flags.system &&
                          std::equal(after.keywords.begin(), after.keywords.end(), row.m.flags.keywords.begin(),
                                     row.m.flags.keywords.end(), mail::equal_ascii_case);
        if (!same) {
            auto set = std::find(o.sets.rbegin(), o.sets.rend(), after);   // the last ones are the likely ones
            if (set == o.sets.rend()) {
                o.sets.push_back(after);
                set = o.sets.rbegin();
            }
            before.push_back(std::move(was));
            row.m.modseq = o.first_modseq + o.items.size();
            o.items.push_back({row.m.uid, static_cast<std::uint32_t>(std::distance(set, o.sets.rend()) - 1)});
            row.m.flags = std::move(after);
        }
        out.push_back(std::move(row.m));
    }
    if (o.items.empty()) return out;
    const bool with_keywords =
        std::any_of(o.sets.begin(), o.sets.end(), [](const mail::flags& s) { return !s.keywords.empty(); });
    context_.read_before = &before;
    const auto recorded = record(std::move(o));
    context_.read_before = nullptr;
    PP_TRY(recorded);
    touched_.insert(id);
    if (with_keywords) {   // in the case of their first use
        PP_LET(const auto now, view::load_keywords(rows_, id));
        for (auto& m : out)
            for (auto& k : m.flags.keywords)
                for (const auto& slot : now.slots)
                    if (slot.uses > 0 && mail::equal_ascii_case(slot.name, k)) k = slot.name;
    }
    return out;
}

result<std::vector<std::pair<std::uint32_t, std::uint32_t>>> job_txn::copy(mailbox_id from, const mail::uid_set& uids,
                                                                           mailbox_id to, bool move) {
    PP_LET(const auto source, view::load_folder(rows_, from));
    PP_LET(const auto target, view::load_folder(rows_, to));
    if (!source || !target) return errc::no_such_mailbox;
    PP_LET(const auto names, view::load_keywords(rows_, from));
    PP_LET(auto found, rows_of(from, uids));
    if (found.size() > 0xffffffffu - target->box.uid_next) return errc::limit;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> out;
    auto uid = target->box.uid_next;
    auto modseq = target->box.highest_modseq;
    const auto now = wall_clock_ms() / 1000;
    mail::uid_set gone;
    for (auto& row : found) {
        row.resolve(names);
        op::place_mail o;
        o.row = std::move(row.m);
        out.emplace_back(o.row.uid, uid);
        gone.add(o.row.uid);
        o.row.box = to;
        o.row.uid = uid++;
        o.row.modseq = ++modseq;
        o.row.save_date = {now, 0};                                // RFC 8514 section 4
        if (!move) crypto::random_bytes(o.row.placement);         // a moved mail stays the same placement
        o.message_id_tag = row.message_id_tag;
        PP_TRY(record(std::move(o)));
    }
    if (out.empty()) return out;
    touched_.insert(to);
    if (move) {
        PP_LET(const auto f, view::load_folder(rows_, from));     // again: from and to may be the same
        if (!f) return errc::damaged;
        PP_TRY(record(op::vanish{from, f->box.highest_modseq + 1, std::move(gone)}));
        touched_.insert(from);
    }
    return out;
}

result<mail::uid_set> job_txn::expunge(mailbox_id id, const std::optional<mail::uid_set>& uids) {
    PP_LET(const auto f, view::load_folder(rows_, id));
    if (!f) return errc::no_such_mailbox;
    mail::uid_set gone;
    if (f->box.deleted == 0) return gone;
    const auto all = mail::uid_set::of(1, 0xffffffff);
    for (const auto& range : (uids ? *uids : all).ranges())
        PP_TRY(rows_.each(table::msg, view::folder_key(id).view(), view::message_key(id, range.first).view(),
                          [&](bytes_view key, bytes_view plain) -> result<bool> {
                              const auto uid = key_u32(key, 8);
                              if (uid > range.last) return false;
                              PP_LET(const auto m, decode_message(plain));
                              if (m.m.flags.system & mail::deleted) gone.add(uid);
                              return true;
                          }));
    if (gone.empty()) return gone;
    PP_TRY(record(op::vanish{id, f->box.highest_modseq + 1, gone}));
    touched_.insert(id);
    return gone;
}

}  // namespace pp::storage
