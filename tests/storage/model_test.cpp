// Random operations against a model in memory, with the store closed, its view thrown away, its log cut to segments.
#include "tests/storage/store_fixture.hpp"

#include <map>
#include <random>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
struct model_mail {
    std::string text;
    mail::flags flags;
    std::uint64_t modseq = 0;
    bool operator==(const model_mail&) const = default;
};
struct model_box {
    std::map<std::uint32_t, model_mail> mails;
    std::uint32_t uid_next = 1, uid_validity = 0;
    std::uint64_t modseq = 1;
    bool operator==(const model_box&) const = default;
};
using model = std::map<std::string, model_box>;

model look(store_fixture& f) {
    model out;
    for (const auto& b : f.store->read([](const read_txn& t) { return t.mailboxes().value(); })) {
        auto& box = out[b.name];
        box.uid_next = b.uid_next;
        box.uid_validity = b.uid_validity;
        box.modseq = b.highest_modseq;
        std::uint32_t unseen = 0;
        std::uint64_t size = 0;
        for (const auto& m : f.all(b.name)) {
            box.mails[m.uid] = {f.text_of(m.mail_serial), m.flags, m.modseq};
            unseen += !(m.flags.system & mail::seen);
            size += m.size_bytes;
        }
        CHECK(b.messages == box.mails.size());
        CHECK(b.unseen == unseen);
        CHECK(b.size_bytes == size);
    }
    return out;
}
}  // namespace

TEST_CASE("random operations agree with a model") {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        std::mt19937 dice(seed);
        const auto roll = [&](unsigned n) { return static_cast<std::uint32_t>(dice() % n); };
        store_fixture f;
        f.store.reset();
        f.options.segment_bytes = 40 * 1024;
        f.reopen();
        auto m = look(f);
        for (int step = 0; step < 120; ++step) {
            INFO("seed " << seed << " step " << step);
            auto at = std::next(m.begin(), roll(static_cast<unsigned>(m.size())));
            const auto name = at->first;
            auto& box = at->second;
            const auto id = f.box(name).id;
            mail::flags flags;
            flags.system = static_cast<std::uint8_t>(roll(32));
            for (const auto* k : {"$one", "$two", "$three"})
                if (roll(3) == 0) flags.add(k);
            const auto first = 1 + roll(box.uid_next), last = first + roll(4);
            const auto set = mail::uid_set::of(first, last);
            switch (roll(10)) {
                case 0:
                case 1:
                case 2: {
                    const auto text = mail_text(std::to_string(step), roll(8) == 0 ? 120000 : 200 + roll(3000));
                    const auto p = f.add(name, text, flags);
                    CHECK(p.uid == box.uid_next);
                    box.mails[box.uid_next++] = {text, flags, ++box.modseq};
                    break;
                }
                case 3:
                case 4: {
                    const auto how = static_cast<write_txn::flag_change>(roll(3));
                    mail::uid_set refused;
                    f.must([&](write_txn& t) -> result<void> {
                        const auto r = t.change_flags(id, set, how, flags, {}, refused);
                        return r ? result<void>() : result<void>(r.error());
                    });
                    for (auto& [uid, mail] : box.mails) {
                        if (!set.contains(uid)) continue;
                        auto after = mail.flags;
                        if (how == write_txn::flag_change::replace) after = flags;
                        if (how == write_txn::flag_change::add) after.add(flags);
                        if (how == write_txn::flag_change::remove) after.remove(flags);
                        if (after == mail.flags) continue;
                        mail.flags = after;
                        mail.modseq = ++box.modseq;
                    }
                    break;
                }
                case 5:
                case 6: {
                    const auto target = std::next(m.begin(), roll(static_cast<unsigned>(m.size())));
                    const bool move = roll(2);
                    const auto to = f.box(target->first).id;
                    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
                    f.must([&](write_txn& t) -> result<void> {
                        auto r = t.copy(id, set, to, move);
                        if (!r) return r.error();
                        pairs = *r;
                        return {};
                    });
                    auto& there = target->second;
                    const auto before = box.mails;
                    for (const auto& [from_uid, to_uid] : pairs) {
                        CHECK(to_uid == there.uid_next);
                        auto copy = before.at(from_uid);
                        copy.modseq = ++there.modseq;
                        there.mails[there.uid_next++] = copy;
                        if (move) box.mails.erase(from_uid);
                    }
                    if (move && !pairs.empty()) ++box.modseq;
                    break;
                }
                case 7: {
                    mail::uid_set gone;
                    f.must([&](write_txn& t) -> result<void> {
                        auto r = t.expunge(id, roll(2) ? std::optional(set) : std::nullopt);
                        if (!r) return r.error();
                        gone = *r;
                        return {};
                    });
                    for (const auto uid : gone.values()) CHECK(box.mails.erase(uid) == 1);
                    if (!gone.empty()) ++box.modseq;
                    break;
                }
                case 8: {
                    const auto made = "box" + std::to_string(roll(4));
                    if (m.count(made)) {
                        f.must([&](write_txn& t) { return t.delete_mailbox(made); });
                        m.erase(made);
                    } else {
                        f.must([&](write_txn& t) -> result<void> {
                            const auto r = t.create_mailbox(made, special_use::none);
                            return r ? result<void>() : result<void>(r.error());
                        });
                        m[made].uid_validity = f.box(made).uid_validity;
                        for (const auto& [other, b] : m)
                            if (other != made) CHECK(b.uid_validity < m[made].uid_validity);
                    }
                    break;
                }
                case 9:
                    if (roll(3) == 0) f.rebuild();
                    else if (roll(2)) f.reopen();
                    else while (f.store->housekeeping()) {}
                    break;
            }
        }
        CHECK(look(f) == m);
        CHECK(f.store->check({})->sound());
        f.rebuild();
        CHECK(look(f) == m);
        CHECK(f.store->check({})->sound());
    }
}
