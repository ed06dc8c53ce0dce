#include "storage/salvage.hpp"

#include "storage/apply.hpp"
#include "storage/attempt.hpp"
#include "storage/durable.hpp"
#include "storage/log_file.hpp"
#include "storage/loose_rows.hpp"
#include "storage/queries.hpp"
#include "storage/store_state.hpp"

#include <set>

namespace pp::storage {

namespace {
constexpr std::size_t frame_step_bytes = 8;            // every frame begins at a multiple of it
constexpr std::size_t window_bytes = 1024 * 1024;
constexpr std::size_t placed_mail_bytes_min = 64;      // of an operation that uses up a UID: FORMAT.md, place_mail
constexpr std::size_t view_page_bytes = 4096;
constexpr std::size_t row_overhead_bytes = 40;
constexpr std::size_t identity_value_bytes = 1 + 16 + 16 + 16 + 32;

// Finds frames by their headers and hands out the entries that open.
class frame_scan {
public:
    frame_scan(std::filesystem::path log_folder, std::uint64_t generation, const log_keys& keys, salvage_report& report)
        : folder_(std::move(log_folder)), generation_(generation), keys_(keys), report_(report) {}

    result<void> run(const std::function<result<void>(bytes_view)>& entry) {
        PP_LET(const auto there, segments_in(folder_, generation_));
        for (const auto n : there) {
            auto opened = durable::open_file(segment_path(folder_, generation_, n), durable::mode::read);
            if (!opened && opened.error() == errc::no_access) return opened.error();   // it may be whole
            if (!opened) continue;
            PP_LET(const auto size, opened->size());
            PP_TRY(segment(*opened, size, entry));
        }
        return {};
    }

private:
    result<void> segment(const durable::file& f, std::uint64_t size,
                         const std::function<result<void>(bytes_view)>& entry) {
        bytes window;
        std::uint64_t window_at = 0;
        for (std::uint64_t at = segment_header_bytes; at + frame_header_bytes <= size;) {
            if (at < window_at || at + frame_header_bytes > window_at + window.size()) {
                window.resize(window_bytes);
                const auto n = f.read_at(at, window);
                window.resize(n ? *n : 0);
                window_at = at;
                if (window.size() < frame_header_bytes) {   // the disk cannot read it: on to the next page
                    at += view_page_bytes;
                    report_.damaged_bytes += view_page_bytes;
                    window.clear();
                    continue;
                }
            }
            const auto raw = bytes_view(window).subspan(static_cast<std::size_t>(at - window_at), frame_header_bytes);
            const auto h = parse_frame_header(raw);
            if (!h || at + h->frame_bytes() > size) {
                const bool zeros = std::all_of(raw.begin(), raw.begin() + frame_step_bytes,
                                               [](std::byte b) { return b == std::byte{0}; });
                if (!zeros) report_.damaged_bytes += frame_step_bytes;
                at += frame_step_bytes;
                continue;
            }
            bytes whole(static_cast<std::size_t>(h->frame_bytes()));
            const auto n = f.read_at(at, whole);
            if (!n || *n != whole.size()) {
                at += frame_step_bytes;
                report_.damaged_bytes += frame_step_bytes;
                continue;
            }
            const auto header = bytes_view(whole).first(frame_header_bytes);
            const auto body = bytes_view(whole).subspan(frame_header_bytes, h->body_bytes);
            const auto trailer = bytes_view(whole).last(frame_hash_bytes);
            const auto hash = frame_hash(header, body);
            const bool intact = std::equal(hash.data.begin(), hash.data.end(), trailer.begin());
            if (intact && h->seq >= next_seq_) {
                report_.missing_frames += h->seq - next_seq_;
                next_seq_ = h->seq + 1;
            }
            if (h->type == frame_type::entry)
                if (auto operations = open_entry(header, body, generation_, keys_)) {
                    PP_TRY(entry(*operations));
                    sodium_memzero(operations->data(), operations->size());
                }
            if (!intact) report_.damaged_bytes += frame_step_bytes;
            at += intact ? h->frame_bytes() : frame_step_bytes;
        }
        return {};
    }

    std::filesystem::path folder_;
    std::uint64_t generation_;
    const log_keys& keys_;
    salvage_report& report_;
    std::uint64_t next_seq_ = 0;
};

// Applies one operation after the other, each in a transaction of its own inside the big one.
class salvager {
public:
    salvager(view_env& view, const crypto::row_key& shred_key, const std::map<mailbox_id, mailbox>& reached,
             salvage_report& report)
        : view_(view), shred_key_(shred_key), reached_(reached), report_(report) {}

    result<void> entry(bytes_view raw) {
        const auto operations = decode_operations(raw);
        if (!operations) return {};   // of a newer peerpost: nothing to be done with it here
        for (;;) {
            PP_TRY(view_.keep_room());
            const auto before = report_;
            const auto done = [&]() -> result<void> {
                PP_LET(auto txn, open_txn::begin(view_, nullptr, 0));
                for (const auto& o : *operations) PP_TRY(one(o, txn.get()));
                return view_.commit(txn.release());
            }();
            if (done) break;
            if (done.error() != map_full()) return done;
            report_ = before;
            PP_TRY(view_.grow());
        }
        ++report_.entries;
        return {};
    }

    // UIDs and modseqs that may have been given in a hole are not given again.
    result<void> step_over() {
        const auto missing = report_.missing_frames == 0 && report_.damaged_bytes == 0
                                 ? 0
                                 : 1 + report_.missing_frames + report_.damaged_bytes / placed_mail_bytes_min;
        PP_LET(auto txn, open_txn::begin(view_, nullptr, 0));
        rows r(view_, txn.get());
        for (const auto& [id, known] : reached_) {   // empty ones whose making is lost: no mail has called for them
            PP_LET(const auto there, view::load_folder(r, id));
            if (!there && !deleted_.contains(id)) PP_TRY(make_as_before(id, known, txn.get()));
        }
        for (const auto& [name, use] : standard_mailboxes()) {   // there is always an INBOX
            PP_LET(const auto there, view::folder_by_name(r, name));
            if (!there) PP_TRY(make(crypto::random_u64(), name, use, txn.get()));
        }
        PP_LET(const auto boxes, queries::mailboxes(r));
        for (const auto& box : boxes) {
            PP_LET(auto row, view::load_folder(r, box.id));
            if (!row) continue;
            const auto known = reached_.find(box.id);
            if (known != reached_.end()) {
                row->box.uid_next = std::max(row->box.uid_next, known->second.uid_next);
                row->box.highest_modseq = std::max(row->box.highest_modseq, known->second.highest_modseq);
            } else {
                row->box.uid_next =
                    static_cast<std::uint32_t>(std::min<std::uint64_t>(row->box.uid_next + missing, 0xfffffffeu));
                row->box.highest_modseq += missing;
            }
            PP_TRY(view::store_folder(r, *row));
        }
        PP_LET(auto n, view::load_counters(r));
        n.indexes_missing = true;
        PP_TRY(view::store_counters(r, n));
        return view_.commit(txn.release());
    }

private:
    // map_full() and disk errors go up; anything else is what salvaging is about.
    static bool ends_it(const error_code& e) { return e == map_full() || e == errc::full || is_of_the_system(e); }

    result<bool> attempt(const operation& o, MDB_txn* parent) {
        PP_LET(auto txn, open_txn::begin(view_, parent, 0));
        rows r(view_, txn.get());
        apply_context c{r, shred_key_};
        const auto applied = apply_operation(o, c);
        if (!applied) {
            if (ends_it(applied.error())) return failure{applied.error()};
            why_ = applied.error();
            return false;
        }
        if (const int rc = mdb_txn_commit(txn.release())) return failure{error_of_lmdb(rc)};
        return true;
    }

    result<void> one(const operation& o, MDB_txn* parent) {
        if (const auto* gone = std::get_if<op::delete_mailbox>(&o)) deleted_.insert(gone->id);
        PP_LET(const bool done, attempt(o, parent));
        if (done) return {};
        if (const auto* place = std::get_if<op::place_mail>(&o)) return again_placed(*place, parent);
        if (const auto* flags = std::get_if<op::set_flags>(&o)) return flags_one_by_one(*flags, parent);
        if (const auto* vanish = std::get_if<op::vanish>(&o)) return vanish_those_there(*vanish, parent);
        if (const auto* clear = std::get_if<op::clear_blob>(&o)) return clear_with_placements(*clear, parent);
        ++report_.skipped_operations;
        return {};
    }

    result<void> again_placed(const op::place_mail& o, MDB_txn* parent) {
        if (why_ != errc::no_such_mailbox) {
            ++(why_ == errc::not_found ? report_.lost_mails : report_.skipped_operations);
            return {};
        }
        const auto known = reached_.find(o.row.box);
        if (known != reached_.end()) {
            PP_TRY(make_as_before(o.row.box, known->second, parent));
        } else {
            PP_TRY(make(o.row.box, "Recovered-" + std::to_string(++report_.mailboxes_named_anew), special_use::none,
                        parent));
        }
        PP_LET(const bool placed, attempt(operation(o), parent));
        if (!placed) ++report_.lost_mails;
        return {};
    }

    result<void> make_as_before(mailbox_id id, const mailbox& known, MDB_txn* parent) {
        PP_TRY(attempt(operation(op::make_mailbox{id, known.name, known.use, known.subscribed, known.uid_validity}),
                       parent));
        return {};
    }

    // Its true UIDVALIDITY is lost, or it never had one: a greater one than any tells clients to forget what they have.
    result<void> make(mailbox_id id, const std::string& name, special_use use, MDB_txn* parent) {
        PP_LET(const auto n, view::load_counters(rows(view_, parent)));
        const auto validity = std::max(n.uid_validity, static_cast<std::uint32_t>(wall_clock_ms() / 1000)) + 1;
        PP_TRY(attempt(operation(op::make_mailbox{id, name, use, true, validity}), parent));
        return {};
    }

    result<void> flags_one_by_one(const op::set_flags& o, MDB_txn* parent) {
        for (std::size_t i = 0; i < o.items.size(); ++i) {
            op::set_flags single = o;
            single.items = {o.items[i]};
            single.first_modseq = o.first_modseq + i;
            PP_LET(const bool done, attempt(operation(single), parent));
            if (!done) ++report_.skipped_operations;
        }
        return {};
    }

    result<void> vanish_those_there(const op::vanish& o, MDB_txn* parent) {
        op::vanish rest = o;
        rest.uids = {};
        for (const auto uid : o.uids.values()) {
            PP_LET(const bool there, rows(view_, parent).has(table::msg, view::message_key(o.box, uid).view()));
            if (there) rest.uids.add(mail::uid_set::of(uid, uid));
        }
        PP_LET(const bool done, attempt(operation(rest), parent));
        if (!done) ++report_.skipped_operations;
        return {};
    }

    // Nothing referred to the blob when it was cleared: what still does here was expunged in a hole.
    result<void> clear_with_placements(const op::clear_blob& o, MDB_txn* parent) {
        std::map<mailbox_id, mail::uid_set> gone;
        PP_TRY(rows(view_, parent).each(table::msg, {}, {}, [&](bytes_view key, bytes_view plain) -> result<bool> {
            PP_LET(const auto m, decode_message(plain));
            if (m.m.mail_serial != o.serial) return true;
            const auto uid = key_u32(key, 8);
            gone[key_u64(key, 0)].add(mail::uid_set::of(uid, uid));
            return true;
        }));
        for (const auto& [box, uids] : gone) {
            PP_LET(const auto row, view::load_folder(rows(view_, parent), box));
            if (!row) continue;
            PP_LET(const bool done, attempt(operation(op::vanish{box, row->box.highest_modseq + 1, uids}), parent));
            if (!done) ++report_.skipped_operations;
        }
        PP_LET(const bool cleared, attempt(operation(o), parent));
        if (!cleared) ++report_.skipped_operations;
        return {};
    }

    view_env& view_;
    const crypto::row_key& shred_key_;
    const std::map<mailbox_id, mailbox>& reached_;
    salvage_report& report_;
    std::set<mailbox_id> deleted_;
    error_code why_;
};
}  // namespace

result<std::map<mailbox_id, mailbox>> scan_view_for_mailboxes(const std::filesystem::path& path,
                                                                const view_keys& keys) {
    std::map<mailbox_id, mailbox> out;
    std::optional<std::array<std::byte, 16>> store_id;
    if (!durable::exists(path)) return out;
    const bool readable = each_loose_row(path, [&](bytes_view key, bytes_view value) {
        if (key.size() != 1 || key[0] != std::byte{0} || value.size() != identity_value_bytes) return;
        const auto sum = crypto::sha256(value.first(identity_value_bytes - 32));
        if (!std::equal(sum.data.begin(), sum.data.end(), value.end() - 32)) return;
        store_id.emplace();
        std::copy_n(value.begin() + 1, store_id->size(), store_id->begin());
    });
    if (!readable) return errc::no_access;   // without it UIDs and UIDVALIDITY would not stay
    if (!store_id) return out;
    each_loose_row(path, [&](bytes_view key, bytes_view value) {
        if (key.size() != sizeof(mailbox_id) || value.size() < row_overhead_bytes) return;
        const auto plain = open_view_row(keys, table::folder, key, *store_id, value);
        if (!plain) return;
        const auto row = decode_folder(*plain);
        if (!row) return;
        auto& known = out[key_u64(key, 0)];
        // The newest: neither number ever falls, and one of them grows with every change of messages.
        if (row->box.uid_next >= known.uid_next && row->box.highest_modseq >= known.highest_modseq) known = row->box;
    });
    return out;
}

result<salvage_report> salvage_log(const std::filesystem::path& log_folder, std::uint64_t generation,
                                   const log_keys& keys, const crypto::row_key& shred_key, view_env& into,
                                   const std::map<mailbox_id, mailbox>& reached) {
    salvage_report report;
    salvager s(into, shred_key, reached, report);
    frame_scan scan(log_folder, generation, keys, report);
    PP_TRY(scan.run([&](bytes_view operations) { return s.entry(operations); }));
    PP_TRY(s.step_over());
    return report;
}

}  // namespace pp::storage
