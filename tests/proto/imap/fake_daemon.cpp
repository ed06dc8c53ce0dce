#include "tests/proto/imap/fake_daemon.hpp"

#include "proto/imap/search/search_fields.hpp"

#include <algorithm>
#include <memory>
#include <string_view>

namespace pp::imap::test {

verdict fake_daemon::operator()(const event& asked) {
    ++questions;
    return std::visit([this](const auto& one) { return verdict(this->answer(one)); }, asked);
}

refusal fake_daemon::say(std::string code, std::string text) {
    return refusal{std::move(code), std::move(text)};
}

fake_mailbox* fake_daemon::box(const std::string& name) {
    const auto at = store_.mailboxes.find(name);
    return at == store_.mailboxes.end() || !at->second.exists ? nullptr : &at->second;
}

fake_mailbox* fake_daemon::open_box() {
    for (auto& [name, one] : store_.mailboxes)
        if (one.id == selected_ && one.exists && selected_ != 0) return &one;
    return nullptr;
}

fake_mailbox* fake_daemon::box_of(std::uint64_t id) {
    if (id == 0) return open_box();
    for (auto& [name, one] : store_.mailboxes)
        if (one.id == id && one.exists) return &one;
    return nullptr;
}

mailbox_status fake_daemon::status_of(const fake_mailbox& b) {
    mailbox_status s;
    s.messages = static_cast<std::uint32_t>(b.mails.size());
    for (const auto& m : b.mails) {
        s.unseen += !(m.flags.system & mail::seen);
        s.deleted += (m.flags.system & mail::deleted) != 0;
        if (m.flags.system & mail::deleted) s.deleted_bytes += m.content.size();
        s.recent += m.uid >= b.first_recent;
        s.size_bytes += m.content.size();
    }
    s.uid_next = b.uid_next;
    s.uid_validity = b.uid_validity;
    s.highest_modseq = b.modseq;
    s.mailbox = b.id;
    return s;
}

message_row fake_daemon::row_of(const fake_mail& m, bool with_index, bool with_header) {
    message_row row;
    row.uid = m.uid;
    row.modseq = m.modseq;
    row.flags = m.flags;
    row.internal_date = row.save_date = m.internal_date;
    row.size_bytes = m.content.size();
    row.email_id = "M" + std::to_string(m.uid);
    row.thread_id = "T" + std::to_string(m.uid);
    if (with_index && store_.indexer) row.index = store_.indexer(m.content);
    if (with_header) row.header = m.content.substr(0, std::min(m.content.find("\r\n\r\n"), m.content.size() - 4) + 4);
    return row;
}

refusal fake_daemon::no_mailbox() {
    return say("NONEXISTENT", "There is no such mailbox");
}

refusal fake_daemon::not_open() const {
    if (selected_ != 0) return say("NONEXISTENT", "There is no such mailbox");   // deleted meanwhile
    return say("SERVERBUG", "No mailbox is open");
}

outcome<nothing> fake_daemon::answer(const login& q) {
    if (auto no = refused<nothing>()) return *no;
    if (q.user == store_.user && q.password == store_.password) return nothing{};
    return say("AUTHENTICATIONFAILED", "Wrong user or password");
}

sasl::scram_terms fake_daemon::answer(const sasl::scram_begin& q) {
    return sasl::test::answer(q);
}

sasl::scram_verdict fake_daemon::answer(const sasl::scram_proof& q) {
    return sasl::test::answer(q);
}

nothing fake_daemon::answer(const start_tls&) {
    return {};
}

outcome<std::vector<mailbox_entry>> fake_daemon::answer(const list_mailboxes&) {
    if (auto no = refused<std::vector<mailbox_entry>>()) return *no;
    std::vector<mailbox_entry> all;
    for (const auto& [name, b] : store_.mailboxes) all.push_back({name, b.id, b.use, b.subscribed, b.exists});
    return all;
}

outcome<mailbox_status> fake_daemon::answer(const get_status& q) {
    if (auto no = refused<mailbox_status>()) return *no;
    auto* b = box(q.name);
    if (!b) return no_mailbox();
    return status_of(*b);
}

outcome<std::uint64_t> fake_daemon::answer(const create_mailbox& q) {
    if (auto no = refused<std::uint64_t>()) return *no;
    if (box(q.name)) return say("ALREADYEXISTS", "There is a mailbox of that name");
    return store_.create(q.name, q.use).id;
}

outcome<nothing> fake_daemon::answer(const delete_mailbox& q) {
    if (auto no = refused<nothing>()) return *no;
    if (!box(q.name)) return no_mailbox();
    store_.mailboxes.erase(q.name);
    return nothing{};
}

outcome<nothing> fake_daemon::answer(const rename_mailbox& q) {
    if (auto no = refused<nothing>()) return *no;
    if (!box(q.from)) return no_mailbox();
    if (box(q.to)) return say("ALREADYEXISTS", "There is a mailbox of that name");
    if (q.from == "INBOX") {
        auto& to = store_.create(q.to);
        auto& inbox = store_.mailboxes["INBOX"];
        while (!inbox.mails.empty()) {
            to.add(inbox.mails.front().content, inbox.mails.front().flags);
            inbox.expunge(inbox.mails.front().uid);
        }
        return nothing{};
    }
    store_.rename(q.from, q.to);
    return nothing{};
}

outcome<nothing> fake_daemon::answer(const subscribe_mailbox& q) {
    if (auto no = refused<nothing>()) return *no;
    if (!store_.mailboxes.contains(q.name)) return no_mailbox();
    store_.mailboxes[q.name].subscribed = q.subscribed;
    return nothing{};
}

mail::uid_set fake_daemon::recent_of(fake_mailbox& b) {
    mail::uid_set recent;
    if (b.first_recent < b.uid_next) recent.add(b.first_recent, b.uid_next - 1);
    if (!read_only_) b.first_recent = b.uid_next;
    return recent;
}

outcome<opened_mailbox> fake_daemon::answer(const open_mailbox& q) {
    if (auto no = refused<opened_mailbox>()) return *no;
    auto* b = box(q.name);
    if (!b) return no_mailbox();
    opened_mailbox opened;
    opened.name = q.name;
    opened.status = status_of(*b);
    read_only_ = q.read_only;
    opened.recent = recent_of(*b);
    mail::flags words;
    for (const auto& m : b->mails) {
        opened.uids.push_back(m.uid);
        for (const auto& word : m.flags.keywords) words.add(word);
        if (opened.first_unseen == 0 && !(m.flags.system & mail::seen))
            opened.first_unseen = static_cast<std::uint32_t>(opened.uids.size());
    }
    opened.keywords = words.keywords;
    selected_ = b->id;
    known_next_ = b->uid_next;
    return opened;
}

outcome<quota> fake_daemon::answer(const get_quota&) {
    if (auto no = refused<quota>()) return *no;
    quota q;
    for (const auto& [name, b] : store_.mailboxes) {
        q.messages_used += b.mails.size();
        for (const auto& m : b.mails) q.storage_used_bytes += m.content.size();
    }
    q.storage_bytes_max = 1024 * 1024;
    q.messages_max = 1000;
    return q;
}

std::map<std::string, std::string>* fake_daemon::metadata_of(const std::string& name) {
    if (name.empty()) return &store_.metadata;
    auto* b = box(name);
    return b ? &b->metadata : nullptr;
}

outcome<std::vector<metadata_entry>> fake_daemon::answer(const get_metadata& q) {
    if (auto no = refused<std::vector<metadata_entry>>()) return *no;
    const auto* of = metadata_of(q.mailbox);
    if (!of) return no_mailbox();
    std::vector<metadata_entry> all;
    for (const auto& [name, value] : *of) all.push_back({name, value});
    return all;
}

outcome<nothing> fake_daemon::answer(const set_metadata& q) {
    if (auto no = refused<nothing>()) return *no;
    auto* of = metadata_of(q.mailbox);
    if (!of) return no_mailbox();
    auto changed = *of;
    for (const auto& entry : q.entries)
        if (entry.value) changed[entry.name] = *entry.value;
        else changed.erase(entry.name);
    if (changed.size() > store_.metadata_max) return say("METADATA TOOMANY", "There are too many");
    *of = std::move(changed);
    return nothing{};
}

std::vector<metadata_change> fake_daemon::answer(const poll_metadata&) {
    return std::exchange(metadata_changes, {});
}

outcome<std::string> fake_daemon::answer(const get_owner& q) {
    if (auto no = refused<std::string>()) return *no;
    if (!box(q.mailbox)) return no_mailbox();
    return store_.user;
}

nothing fake_daemon::answer(const start_compression&) {
    return {};
}

outcome<nothing> fake_daemon::answer(const append_begin& q) {
    if (auto no = refused<nothing>()) return *no;
    if (!box(q.mailbox)) return say("TRYCREATE", "There is no such mailbox");
    appends_.emplace_back(q, std::string());
    return nothing{};
}

nothing fake_daemon::answer(const append_chunk& q) {
    appends_.back().second += as_text(q.data);
    ++append_pieces;
    return {};
}

outcome<appended> fake_daemon::answer(const append_end& q) {
    const auto appends = std::exchange(appends_, {});
    if (auto no = refused<appended>()) return *no;
    auto* b = box(appends.front().first.mailbox);
    if (!b) return say("TRYCREATE", "There is no such mailbox");
    auto* open = open_box();
    if (q.replaces && (!open || !open->find(*q.replaces))) return say("EXPUNGEISSUED", "The message is gone");
    appended done;
    done.uid_validity = b->uid_validity;
    for (const auto& [begin, text] : appends) {
        auto& added = b->add(text, begin.flags);
        if (begin.internal_date) added.internal_date = *begin.internal_date;
        done.uids.push_back(added.uid);
    }
    if (q.replaces) open->expunge(*q.replaces);
    return done;
}

nothing fake_daemon::answer(const append_submit&) {
    submitted_.push_back(answer(append_end()));
    return {};
}

outcome<appended> fake_daemon::answer(const append_wait&) {
    auto oldest = submitted_.front();
    submitted_.pop_front();
    return oldest;
}

nothing fake_daemon::answer(const append_abort&) {
    appends_.clear();
    return {};
}

outcome<search_rows> fake_daemon::answer(const read_search_fields& q) {
    if (auto no = refused<search_rows>()) return *no;
    auto* b = box_of(q.mailbox);
    if (!b) return not_open();
    search_rows rows;
    rows.through = q.uids.ranges().back().last;
    std::size_t looked_at = 0;
    for (const auto& m : b->mails) {
        if (!q.uids.contains(m.uid)) continue;
        if (looked_at++ == search_rows_at_once) break;
        rows.rows.push_back({m.uid, search_fields::of(mail::index_message(m.content),
                                                      {m.internal_date, m.internal_date, m.content.size()})});
        if (looked_at == search_rows_at_once) rows.through = m.uid;
    }
    return rows;
}

outcome<opened_mailbox> fake_daemon::answer(const look_into_mailbox& q) {
    if (auto no = refused<opened_mailbox>()) return *no;
    auto* b = box(q.name);
    if (!b) return no_mailbox();
    opened_mailbox found;
    found.name = q.name;
    found.status = status_of(*b);
    for (const auto& m : b->mails) found.uids.push_back(m.uid);
    return found;
}

nothing fake_daemon::answer(const let_others_run&) { return {}; }

outcome<std::uint64_t> fake_daemon::answer(const read_clock&) {
    if (auto no = refused<std::uint64_t>()) return *no;
    return clock;
}

outcome<found_mail> fake_daemon::answer(const find_mail& q) {
    if (auto no = refused<found_mail>()) return *no;
    auto* b = box(q.mailbox);
    if (!b) return no_mailbox();
    auto* m = b->find(q.uid);
    if (!m || (q.uid_validity && *q.uid_validity != b->uid_validity))
        return say("NONEXISTENT", "There is no such mail");
    found_mail found;
    found.mail = b->id << 32 | m->uid;
    found.index = std::make_shared<const mail::message_index>(mail::index_message(m->content));
    return found;
}

outcome<bytes> fake_daemon::answer(const read_found& q) {
    if (auto no = refused<bytes>()) return *no;
    for (auto& [name, b] : store_.mailboxes)
        if (b.id == q.mail >> 32)
            if (const auto* m = b.find(static_cast<std::uint32_t>(q.mail)); m && q.offset < m->content.size())
                return to_bytes(std::string_view(m->content).substr(q.offset, q.length));
    return say("EXPUNGEISSUED", "The mail is gone");
}

outcome<std::vector<message_row>> fake_daemon::answer(const read_rows& q) {
    if (auto no = refused<std::vector<message_row>>()) return *no;
    auto* b = box_of(q.mailbox);
    if (!b) return not_open();
    std::vector<message_row> rows;
    for (const auto& m : b->mails)
        if (q.uids.contains(m.uid) && (!q.changed_since || m.modseq > *q.changed_since)) {
            if (rows.size() >= whole_rows_at_once) {
                rows.emplace_back(row_of(m)).left_out = true;
                continue;
            }
            auto& row = rows.emplace_back(row_of(m, q.with_index, q.with_header));
            if ((q.with_encoded_index || q.with_structure) && store_.indexer)
                if (const auto index = store_.indexer(m.content)) {
                    const auto text = mail::imap_body_structure(*index, true, false);
                    const bool ascii = std::none_of(text.begin(), text.end(), [](char c) { return c & 0x80; });
                    if (q.with_structure && ascii) row.structure = to_bytes(text);
                    else row.encoded_index = to_bytes(index->encode());
                }
            if (!q.with_header || !q.listed_header) continue;
            mail::message_indexer indexer;   // what the daemon keeps beside the index
            indexer.update(m.content);
            indexer.finish();
            row.header_is_listed = indexer.listed_header().has_value();
            if (row.header_is_listed) row.header = *indexer.listed_header();
        }
    return rows;
}

outcome<bytes> fake_daemon::answer(const read_body& q) {
    if (auto no = refused<bytes>()) return *no;
    auto* b = box_of(q.mailbox);
    auto* m = b ? b->find(q.uid) : nullptr;
    if (!m) return say("EXPUNGEISSUED", "The mail is gone");
    if (q.offset >= m->content.size()) return bytes();
    return to_bytes(
        std::string_view(m->content).substr(q.offset, std::min<std::uint64_t>(q.length, body_piece_bytes_max)));
}

outcome<search_candidates> fake_daemon::answer(const find_candidates& q) {
    if (auto no = refused<search_candidates>()) return *no;
    if (store_.text_index) return store_.text_index(q);
    return search_candidates{0, std::vector<std::optional<mail::uid_set>>(q.needles.size())};
}

outcome<stored_flags> fake_daemon::answer(const store_flags& q) {
    if (auto no = refused<stored_flags>()) return *no;
    auto* b = open_box();
    if (!b) return not_open();
    stored_flags done;
    const bool knows_all = q.known_modseq && *q.known_modseq == b->modseq;
    const auto modseq = b->modseq + 1;
    for (auto& m : b->mails) {
        if (!q.uids.contains(m.uid)) continue;
        if (q.known_modseq && m.modseq > *q.known_modseq) done.before.emplace_back(m.uid, m.modseq);
        if (q.unchanged_since && m.modseq > *q.unchanged_since) {
            done.modified.add(m.uid);
            continue;
        }
        auto flags = q.mode == store_mode::replace ? mail::flags() : m.flags;
        if (q.mode == store_mode::remove) flags.remove(q.flags);
        else flags.add(q.flags);
        if (flags != m.flags) {
            m.flags = std::move(flags);
            m.modseq = b->modseq = modseq;
        }
        done.rows.push_back(row_of(m));
    }
    if (knows_all) done.known_to = b->modseq;
    return done;
}

outcome<copied> fake_daemon::answer(const copy_messages& q) {
    if (auto no = refused<copied>()) return *no;
    auto* from = open_box();
    auto* to = box(q.to);
    if (!from) return not_open();
    if (!to) return say("TRYCREATE", "There is no such mailbox");
    copied pairs;
    pairs.uid_validity = to->uid_validity;
    const auto mails = from->mails;
    for (const auto& m : mails) {
        if (!q.uids.contains(m.uid)) continue;
        pairs.from.push_back(m.uid);
        pairs.to.push_back(to->add(m.content, m.flags).uid);
        if (q.move) from->expunge(m.uid);
    }
    return pairs;
}

outcome<mail::uid_set> fake_daemon::answer(const expunge_messages& q) {
    if (auto no = refused<mail::uid_set>()) return *no;
    auto* b = open_box();
    if (!b) return not_open();
    mail::uid_set gone;
    for (const auto& m : b->mails)
        if ((m.flags.system & mail::deleted) && (!q.uids || q.uids->contains(m.uid))) gone.add(m.uid);
    for (const auto uid : gone.values()) b->expunge(uid);
    return gone;
}

outcome<mailbox_delta> fake_daemon::answer(const poll_changes& q) {
    if (auto no = refused<mailbox_delta>()) return *no;
    mailbox_delta delta;
    auto* b = open_box();
    if (!b) {
        delta.gone = true;
        return delta;
    }
    for (const auto& [uid, modseq] : b->vanished)
        if (modseq > q.since_modseq) delta.vanished.add(uid);
    for (const auto& m : b->mails) {
        if (m.modseq <= q.since_modseq) continue;
        if (m.uid < known_next_) delta.changed.push_back(row_of(m));
        else delta.added.push_back(m.uid);
    }
    delta.recent = recent_of(*b);
    known_next_ = b->uid_next;
    delta.highest_modseq = b->modseq;
    return delta;
}

outcome<mailbox_history> fake_daemon::answer(const read_history& q) {
    if (auto no = refused<mailbox_history>()) return *no;
    auto* b = open_box();
    if (!b) return not_open();
    mailbox_history history;
    for (const auto& [uid, modseq] : b->vanished)
        if (modseq > q.since_modseq) history.vanished.add(uid);
    for (const auto& m : b->mails)
        if (m.modseq > q.since_modseq) history.changed.add(m.uid);
    return history;
}

outcome<std::vector<surveyed_mailbox>> fake_daemon::answer(const survey_mailboxes&) {
    if (auto no = refused<std::vector<surveyed_mailbox>>()) return *no;
    std::vector<surveyed_mailbox> all;
    for (const auto& [name, b] : store_.mailboxes) {
        surveyed_mailbox one;
        one.entry = {name, b.exists ? b.id : 0, b.use, b.subscribed, b.exists};
        if (b.exists) one.status = status_of(b);
        all.push_back(std::move(one));
    }
    return all;
}

nothing fake_daemon::answer(const watch_account& q) {
    watches_account = q.on;
    return {};
}

nothing fake_daemon::answer(const close_mailbox&) {
    selected_ = 0;
    return {};
}

nothing fake_daemon::answer(const client_id& q) {
    client_name = q.name;
    return {};
}

}  // namespace pp::imap::test
