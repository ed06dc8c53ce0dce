// The full check: reads everything, changes nothing, names what is lost without a word of any mail.
#include "storage/attempt.hpp"
#include "storage/store_state.hpp"
#include "storage/strays.hpp"

#include <map>

namespace pp::storage {

namespace {

constexpr std::size_t check_batch_mails = 256;   // a snapshot must not be held while blobs are read
constexpr std::size_t findings_max = 1000;       // of each kind: a lost disk must not fill the memory

class checker {
public:
    checker(const account_store::check_parts& parts, check_report& report,
            const std::function<void(std::uint64_t, std::uint64_t)>& progress)
        : p_(parts), report_(report), progress_(progress) {}

    result<void> run() {
        {
            std::shared_lock hold(p_.env.readers());
            PP_LET(const auto seen, view_snapshot::take(p_.env));
            const auto& r = seen.rows();
            PP_TRY(view_rows(r));
        }
        PP_TRY(log());
        PP_TRY(blobs());
        PP_TRY(name_lost_mails());
        for (const auto& path : stray_files(p_.folder, p_.generation, findings_max))
            warn("there is something that is not of this store: " + path);
        return {};
    }

private:
    void lost(std::string what) {
        if (report_.lost.size() < findings_max) report_.lost.push_back(std::move(what));
    }
    void warn(std::string what) {
        if (report_.warnings.size() < findings_max) report_.warnings.push_back(std::move(what));
    }
    void advance(std::uint64_t n) {
        done_ += n;
        if (progress_) progress_(std::min(done_, total_), total_);
    }
    // Damage is a finding and the check goes on; anything else (no memory, no disk) ends it.
    result<bool> finding(const result<void>& r, const std::string& what) {
        if (r) return false;
        if (r.error() != errc::damaged && r.error() != errc::newer_format && r.error() != errc::no_such_mailbox)
            return failure{r.error()};
        lost(what);
        return true;
    }

    // Every row authenticates; counts and references agree with the messages.
    result<void> view_rows(const rows& r) {
        for (std::size_t i = 0; i < table_count; ++i) {
            const auto t = static_cast<table>(i);
            if (t == table::mod || t == table::msgid || t == table::doc || t == table::out_ref) continue;   // keys only
            if (t == table::fts) continue;   // keys of its own: text_index::check
            const auto read = r.each(t, {}, {}, [](bytes_view, bytes_view) -> result<bool> { return true; });
            PP_TRY(finding(read, "rows of table " + std::to_string(i) + " of the view"));
        }
        if (!report_.lost.empty()) return {};   // counting over damaged rows would only repeat it
        PP_LET(const auto position, view::load_applied(r));
        if (!position) return errc::damaged;
        PP_LET(end_, log_position::decode(*position));
        std::map<std::uint64_t, std::uint32_t> references;
        PP_LET(const auto boxes, queries::mailboxes(r));
        std::size_t n = 0;
        for (const auto& box : boxes) {
            ++n;
            mailbox seen;
            PP_TRY(r.each(table::msg, view::folder_key(box.id).view(), view::folder_key(box.id).view(),
                          [&](bytes_view key, bytes_view plain) -> result<bool> {
                              PP_LET(const auto m, decode_message(plain));
                              ++seen.messages;
                              seen.unseen += !(m.m.flags.system & mail::seen);
                              seen.deleted += (m.m.flags.system & mail::deleted) != 0;
                              seen.size_bytes += m.m.size_bytes;
                              ++references[m.m.mail_serial];
                              PP_LET(const bool listed,
                                     r.has(table::mod, view::mod_key(box.id, m.m.modseq, key_u32(key, 8)).view()));
                              if (!listed)
                                  warn("a message of mailbox " + std::to_string(n) + " is not in its list of changes");
                              return true;
                          }));
            if (seen.messages != box.messages || seen.unseen != box.unseen || seen.deleted != box.deleted ||
                seen.size_bytes != box.size_bytes)
                warn("the counts of mailbox " + std::to_string(n) + " differ from its messages");
        }
        PP_LET(const auto outgoing, queries::outbox(r, false));
        for (const auto& o : outgoing)
            if (view::holds_blob(o)) ++references[o.mail_serial];
        std::uint64_t leading = 0;
        for (const auto& o : outgoing)
            for (const auto& ref : view::outbox_refs(r, o)) {
                ++leading;
                PP_LET(const bool led, r.has(table::out_ref, ref.view()));
                if (!led) warn("an outgoing mail is not found by what leads to it");
            }
        std::uint64_t refs = 0;
        PP_TRY(r.each_key(table::out_ref, {}, {}, [&](bytes_view) -> result<bool> {
            ++refs;
            return true;
        }));
        if (refs > leading) warn("something leads to an outgoing mail that is not there");
        PP_TRY(r.each(table::blob, {}, {}, [&](bytes_view key, bytes_view plain) -> result<bool> {
            PP_LET(const auto b, decode_blob(plain));
            const auto serial = key_u64(key, 0);
            const auto expected = references.find(serial);
            if (b.references != (expected == references.end() ? 0 : expected->second))
                warn("the references of mail " + std::to_string(serial) + " are counted wrongly");
            if (expected != references.end()) references.erase(expected);
            PP_LET(const bool indexed, r.has(table::env, key));
            if (!indexed) warn("mail " + std::to_string(serial) + " has no index");
            if (b.place == blob_place::in_file) total_ += b.cipher_bytes;
            return true;
        }));
        PP_TRY(r.each_key(table::thread, {}, {}, [&](bytes_view key) -> result<bool> {
            PP_LET(const bool there, r.has(table::blob, key));
            if (!there) warn("a thread names mail " + std::to_string(key_u64(key, 0)) + ", which is not there");
            return true;
        }));
        PP_TRY(r.each_key(table::metadata, {}, {}, [&](bytes_view key) -> result<bool> {
            const auto box = key_u64(key, 0);
            PP_LET(const bool there, r.has(table::folder, view::folder_key(box).view()));
            if (box != no_mailbox && !there) warn("an annotation belongs to a mailbox that is not there");
            return true;
        }));
        for (const auto& [serial, count] : references) lost("mail " + std::to_string(serial) + " has no blob any more");
        return {};
    }

    // From the first frame to where the view stands.
    result<void> log() {
        total_ += end_.first_byte + end_.offset;
        PP_LET(const auto there, segments_in(p_.folder / "log", p_.generation));
        const auto header = there.empty()
                                ? result<segment_header>(errc::damaged)
                                : read_segment_header(segment_path(p_.folder / "log", p_.generation, there.front()));
        if (!header || there.front() != 1) {
            warn("the beginning of the log is damaged; the view could not be rebuilt from it");
            return {};
        }
        log_walker walker(p_.folder / "log", p_.secrets.log, header->at);
        while (walker.position().seq() < end_.seq()) {
            const auto group = walker.next();
            if (!group && is_of_the_system(group.error())) return group.error();
            if (!group || !*group) {
                const auto& at = walker.position();
                warn("the log is damaged in segment " + std::to_string(at.segment) + " behind byte " +
                     std::to_string(at.offset) + "; the view is in use but could not be rebuilt from it");
                return {};
            }
            report_.entries += (*group)->entries.size();
            report_.bytes += (*group)->frame_bytes;
            advance((*group)->frame_bytes);
        }
        return {};
    }

    // Every chunk opens with its key, and all of them together are what the blob's id names.
    result<void> blobs() {
        struct item {
            std::uint64_t serial;
            blob_row row;
        };
        std::uint64_t next = 0;
        for (bool more = true; more;) {
            std::vector<item> some;
            {
                std::shared_lock hold(p_.env.readers());
                PP_LET(const auto seen, view_snapshot::take(p_.env));
                const auto& r = seen.rows();
                more = false;
                const auto read = r.each(table::blob, {}, view::serial_key(next).view(),
                                         [&](bytes_view key, bytes_view plain) -> result<bool> {
                                             const auto serial = key_u64(key, 0);
                                             if (some.size() == check_batch_mails) {
                                                 more = true;
                                                 next = serial;
                                                 return false;
                                             }
                                             PP_LET(auto b, decode_blob(plain));
                                             some.push_back({serial, std::move(b)});
                                             return true;
                                         });
                PP_LET(const bool damaged, finding(read, "the list of mails"));
                if (damaged) return {};
            }
            for (const auto& i : some) PP_TRY(blob(i.serial, i.row));
        }
        return {};
    }

    result<void> blob(std::uint64_t serial, const blob_row& b) {
        const auto whole = [&]() -> result<void> {
            PP_LET(auto key, unwrap_blob_key(p_.secrets.keys.shred_key, serial, b));
            PP_LET(auto stored, p_.open_stored(b));
            crypto::merkle::accumulator tree;
            auto decryptor = crypto::blob_decryptor::open(key, stored.header, stored.cipher_bytes);
            if (!decryptor) return errc::damaged;
            bytes plain;
            for (std::uint64_t i = 0; i < stored.chunks(); ++i) {
                PP_LET(const auto chunk, stored.read_chunks(i, 1));
                if (!decryptor->decrypt(i, chunk, plain)) return errc::damaged;
                tree.add(crypto::merkle::leaf_hash(chunk));
                if (b.place == blob_place::in_file) advance(chunk.size());
            }
            if (crypto::make_blob_id(stored.header, stored.cipher_bytes, tree.root()) != b.id) return errc::damaged;
            if (stored.has_leaves) {   // serving ranges needs them
                PP_LET(const auto leaves, stored.leaves());
                crypto::merkle::accumulator kept;
                for (const auto& leaf : leaves) kept.add(leaf);
                if (kept.root() != tree.root())
                    warn("the hashes behind mail " + std::to_string(serial) + " are damaged");
            }
            return {};
        }();
        ++report_.mails;
        if (whole) {
            ++report_.blobs;
            if (b.place == blob_place::in_file) report_.bytes += b.cipher_bytes;
            return {};
        }
        {   // it may have been expunged since its row was read
            std::shared_lock hold(p_.env.readers());
            PP_LET(const auto seen, view_snapshot::take(p_.env));
            PP_LET(const bool there, seen.rows().has(table::blob, view::serial_key(serial).view()));
            if (!there) return {};
        }
        if (whole.error() != errc::damaged && whole.error() != errc::newer_format) return whole.error();
        if (lost_mails_.size() < findings_max) lost_mails_[serial];
        return {};
    }

    // In words that help to find them: where they stand, not what they say.
    result<void> name_lost_mails() {
        if (lost_mails_.empty()) return {};
        std::shared_lock hold(p_.env.readers());
        PP_LET(const auto seen, view_snapshot::take(p_.env));
        const auto& r = seen.rows();
        PP_LET(const auto boxes, queries::mailboxes(r));
        for (const auto& box : boxes)
            PP_TRY(r.each(table::msg, view::folder_key(box.id).view(), view::folder_key(box.id).view(),
                          [&](bytes_view key, bytes_view plain) -> result<bool> {
                              PP_LET(const auto m, decode_message(plain));
                              const auto found = lost_mails_.find(m.m.mail_serial);
                              if (found != lost_mails_.end())
                                  found->second += (found->second.empty() ? "" : ", ") + box.name + " UID " +
                                                   std::to_string(key_u32(key, 8));
                              return true;
                          }));
        for (const auto& [serial, places] : lost_mails_)
            lost("mail " + std::to_string(serial) + (places.empty() ? "" : " (" + places + ")") +
                 " cannot be read any more");
        return {};
    }

    const account_store::check_parts& p_;
    check_report& report_;
    const std::function<void(std::uint64_t, std::uint64_t)>& progress_;
    log_position end_;
    std::map<std::uint64_t, std::string> lost_mails_;   // serial -> mailboxes and UIDs
    std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

result<check_report> account_store::check(const std::function<void(std::uint64_t, std::uint64_t)>& progress) const {
    check_report report;
    const std::shared_lock no_shred(state_->upkeep);
    const check_parts parts{*state_->env, state_->secrets, state_->generation, state_->folder,
                            [this](const blob_row& b) { return state_->open_stored(b); }};
    checker c(parts, report, progress);
    PP_TRY(c.run());
    PP_TRY(state_->text.check([&](std::string what) {
        if (report.warnings.size() < findings_max) report.warnings.push_back(std::move(what));
    }));
    return report;
}

}  // namespace pp::storage
