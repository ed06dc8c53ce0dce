// The store's half of the power-cut test: random operations on a real account_store and keyring, told to standard
// output as they are acknowledged, and a check of what is left against a model. Operations follow from the seed alone,
// so that the number of acknowledgements says what must be there. Among them: segments rolled over, large mails, the
// keyring rewritten, pages of the full-text index, shreds.
//
//   power_driver make DIR                   a fresh home with a small store
//   power_driver work DIR SEED [--early]    operations until the end; prints "+<n>" after operation n is acknowledged
//                                           (--early: before it begins; a negative control)
//   power_driver faults DIR SEED            operations on a disk that fails (POWER_FAIL); then it is well again, and
//                                           the store must heal and hold exactly what was acknowledged.
//                                           2: never failed
//   power_driver recover DIR                opens and closes
//   power_driver verify DIR SEED N          0 when the store holds exactly the first N operations, or N + 1
#include "storage/account_store.hpp"
#include "storage/durable.hpp"
#include "storage/home.hpp"
#include "storage/store_state.hpp"
#include "storage/text_builder.hpp"
#include "storage/txn.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>

using namespace pp;
using namespace pp::storage;
namespace fs = std::filesystem;

namespace {

constexpr int operations_max = 60;
constexpr int settle_every = 3;            // operations between two commits of the view
constexpr std::size_t mails_max = 24;      // per mailbox: comparing them all must stay cheap

storage_options small_options() {
    storage_options o;
    o.segment_bytes = 24 * 1024;
    o.zero_ahead_bytes = 8 * 1024;
    o.view_map_bytes = 1 << 20;
    o.reserve_bytes = 0;
    return o;
}

[[noreturn]] void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::fflush(stderr);
    ::_exit(1);
}
template <class T>
T must(result<T> r, const char* what) {
    if (r.has_error()) fail(std::string(what) + ": " + r.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*r);
}

struct model_mail {
    int content = 0;             // number of the operation that brought it
    mail::flags flags;
    bool operator==(const model_mail&) const = default;
};
struct model_box {
    std::map<std::uint32_t, model_mail> mails;
    std::uint32_t uid_next = 1;
    bool operator==(const model_box&) const = default;
};
struct model {
    std::map<std::string, model_box> boxes;
    std::map<int, int> outbox;   // number of the operation that made it -> state
    int setting = 0, keyring = 0;
    bool operator==(const model&) const = default;
};

std::string text_of(int content) {
    std::mt19937 dice(static_cast<unsigned>(content) * 7919u + 13);
    const std::size_t size = content % 7 == 3 ? 66000 + dice() % 140000 : 300 + dice() % 5000;
    std::string out = "From: a@b\r\nSubject: m" + std::to_string(content) + "\r\n\r\n";
    while (out.size() < size) out += std::to_string(dice()) + " line " + std::to_string(content) + "\r\n";
    return out;
}
id16 outbox_id(int n) {
    id16 id{};
    std::memcpy(id.data(), &n, sizeof n);
    return id;
}

// One operation: what it does to the model, and to a store when there is one.
struct operation {
    std::function<void(model&)> on_model;
    std::function<result<void>(account_store&, const home_paths&)> on_store;
    bool shreds = false;
};

result<void> run(account_store& store, account_store::job job) { return store.write({&job, 1}).front(); }

mailbox_id box_id(const read_txn& t, const std::string& name) { return t.find_mailbox(name).value().value().id; }

operation append(int n, const std::string& box, mail::flags flags, bool queued) {
    return {[=](model& m) {
                auto& b = m.boxes[box];
                b.mails[b.uid_next++] = {n, flags};
                if (queued) m.outbox[n] = 0;
            },
            [=](account_store& store, const home_paths&) -> result<void> {
                auto blob = store.new_blob();
                const auto text = text_of(n);
                if (auto r = blob.write(pp::as_bytes(text)); !r) return r;
                if (auto r = blob.finish(); !r) return r;
                return run(store, [&](write_txn& t) -> result<void> {
                    const auto p =
                        t.add_mail({box_id(t, box), flags, {1700000000, 60}, "<" + std::to_string(n) + "@x>"}, blob);
                    if (!p) return p.error();
                    if (!queued) return {};
                    outbox_row row;
                    row.id = outbox_id(n);
                    row.mail_serial = p->mail_serial;
                    return t.put_outbox(row);
                });
            }};
}

// Takes what is new into the full-text index, as far as it goes: no change of the model, many commits.
result<void> index_text(account_store& store) {
    text_builder builder(store.text(),
                         {[&](std::uint64_t serial, mail_trigrams& out) -> result<void> {
                              auto reader = store.open_blob(serial);
                              if (!reader) return reader.error();
                              std::string text(static_cast<std::size_t>((*reader)->size_bytes()), '\0');
                              const auto n = (*reader)->read(0, std::as_writable_bytes(std::span(text)));
                              if (!n) return n.error();
                              out.add(text_kind::body, 0, text);
                              out.end(text_kind::body, 0);
                              return {};
                          },
                          [&](const text_batch& batch) { return store.text().apply(batch); }, [] { return false; }});
    for (;;) {
        const auto more = builder.step();
        if (!more) return more.error();
        if (!*more) return {};
    }
}

result<void> shred(account_store& store, const home_paths& home) {
    auto ring = open_keyring(home);
    if (!ring) return ring.error();
    return store.shred([&](const account_keys& fresh) {
        ring->body().put("log", fresh.log_key.view());
        ring->body().put("shred", fresh.shred_key.view());
        return save_keyring(home, *ring, true);
    });
}

operation choose(std::mt19937& dice, const model& now, int n) {
    const auto roll = [&](std::size_t k) { return static_cast<std::size_t>(dice() % k); };
    const auto any = [&] {
        return std::next(now.boxes.begin(), static_cast<std::ptrdiff_t>(roll(now.boxes.size())))->first;
    };
    const auto from = any(), to = any();
    const auto& box = now.boxes.at(from);
    mail::flags flags;
    flags.system = static_cast<std::uint8_t>(roll(16));
    if (roll(2)) flags.add("$label");
    const auto first = static_cast<std::uint32_t>(1 + roll(box.uid_next)),
               last = first + static_cast<std::uint32_t>(roll(4));
    const auto set = mail::uid_set::of(first, last);
    auto what = roll(14);
    if (box.mails.size() >= mails_max) what = 7;
    switch (what) {
        case 4: return {[=](model& m) {
                            for (auto& [uid, mail] : m.boxes[from].mails)
                                if (set.contains(uid)) mail.flags = flags;
                        },
                        [=](account_store& store, const home_paths&) {
                            return run(store, [&](write_txn& t) -> result<void> {
                                mail::uid_set none;
                                const auto r = t.change_flags(box_id(t, from), set, write_txn::flag_change::replace,
                                                              flags, {}, none);
                                return r ? result<void>() : result<void>(r.error());
                            });
                        }};
        case 5:
        case 6: {
            const bool move = what == 5;
            return {[=](model& m) {
                        const auto source = m.boxes[from].mails;
                        for (const auto& [uid, mail] : source) {
                            if (!set.contains(uid)) continue;
                            auto& target = m.boxes[to];
                            target.mails[target.uid_next++] = mail;
                            if (move) m.boxes[from].mails.erase(uid);
                        }
                    },
                    [=](account_store& store, const home_paths&) {
                        return run(store, [&](write_txn& t) -> result<void> {
                            const auto r = t.copy(box_id(t, from), set, box_id(t, to), move);
                            return r ? result<void>() : result<void>(r.error());
                        });
                    }};
        }
        case 7: {
            const bool all = box.mails.size() >= mails_max;
            const auto gone = all ? mail::uid_set::of(1, box.uid_next) : set;
            return {[=](model& m) {
                        std::erase_if(m.boxes[from].mails, [&](const auto& item) { return gone.contains(item.first); });
                    },
                    [=](account_store& store, const home_paths&) {
                        return run(store, [&](write_txn& t) -> result<void> {
                            mail::flags deleted;
                            deleted.system = mail::deleted;
                            mail::uid_set none;
                            const auto id = box_id(t, from);
                            if (const auto r = t.change_flags(id, gone, write_txn::flag_change::add, deleted, {}, none);
                                !r)
                                return r.error();
                            const auto r = t.expunge(id, gone);
                            return r ? result<void>() : result<void>(r.error());
                        });
                    }};
        }
        case 8: {
            const auto name = "box" + std::to_string(roll(4));
            if (now.boxes.contains(name))
                return {[=](model& m) { m.boxes.erase(name); },
                        [=](account_store& store, const home_paths&) {
                            return run(store, [&](write_txn& t) { return t.delete_mailbox(name); });
                        }};
            return {[=](model& m) { m.boxes[name]; },
                    [=](account_store& store, const home_paths&) {
                        return run(store, [&](write_txn& t) -> result<void> {
                            const auto r = t.create_mailbox(name, special_use::none);
                            return r ? result<void>() : result<void>(r.error());
                        });
                    }};
        }
        case 9:
            if (!now.outbox.empty()) {
                const auto which =
                    std::next(now.outbox.begin(), static_cast<std::ptrdiff_t>(roll(now.outbox.size())))->first;
                return {[=](model& m) { m.outbox.erase(which); },
                        [=](account_store& store, const home_paths&) {
                            return run(store, [&](write_txn& t) { return t.erase_outbox(outbox_id(which)); });
                        }};
            }
            return append(n, from, flags, true);
        case 10:
            return {[=](model& m) { m.setting = n; },
                    [=](account_store& store, const home_paths&) {
                        while (store.housekeeping()) {}
                        return run(store,
                                   [&](write_txn& t) { return t.put_setting("n", to_bytes(std::to_string(n))); });
                    }};
        case 11:
            return {[=](model& m) { m.keyring = n; },
                    [=](account_store&, const home_paths& home) -> result<void> {
                        auto ring = open_keyring(home);
                        if (!ring) return ring.error();
                        ring->body().put("n", to_bytes(std::to_string(n)));
                        return save_keyring(home, *ring);
                    }};
        case 12: return {[](model&) {}, [](account_store& store, const home_paths&) { return index_text(store); }};
        case 13:
            if (roll(2))
                return {[](model&) {}, [](account_store& store, const home_paths& home) { return shred(store, home); },
                        true};
            return append(n, from, flags, false);
        default: return append(n, from, flags, roll(4) == 0);
    }
}

model first_model() {
    model m;
    for (const auto& [name, use] : standard_mailboxes()) m.boxes[name];
    return m;
}

account_keys keys_from(const home_paths& home) {
    auto ring = must(open_keyring(home), "keyring");
    const auto raw = [&](const char* name) { return *ring.body().get(name); };
    return {*crypto::ed25519_seed::from(raw("drive")), *crypto::row_key::from(raw("log")),
            *crypto::row_key::from(raw("store")), *crypto::row_key::from(raw("shred"))};
}

std::unique_ptr<account_store> open_store(const home_paths& home) {
    recovery_report report;
    auto store = must(account_store::open(home.account("a"), keys_from(home), report, small_options()), "open");
    // Power that goes in start after start looks like a view that ends the process: then it is rebuilt by design.
    const bool by_design = std::any_of(report.notes.begin(), report.notes.end(), [](const std::string& note) {
        return note.find("has ended the process before") != note.npos;
    });
    if (report.view_rebuilt && !by_design) {
        (void)!::write(STDOUT_FILENO, "rebuilt\n", 8);
        for (const auto& note : report.notes) std::fprintf(stderr, "%s\n", note.c_str());
    }
    return store;
}

int make(const home_paths& home) {
    auto ring = must(create_keyring(home), "keyring");
    const auto keys = account_keys::generate();
    ring.body().put("drive", keys.drive_seed.view());
    ring.body().put("log", keys.log_key.view());
    ring.body().put("store", keys.store_key.view());
    ring.body().put("shred", keys.shred_key.view());
    ring.body().put("n", to_bytes("0"));
    must(save_keyring(home, ring), "keyring");
    must(account_store::create(home.account("a"), keys.clone(), small_options()), "create");
    return 0;
}

int work(const home_paths& home, unsigned seed, bool early) {
    auto store = open_store(home);
    auto m = first_model();
    std::mt19937 dice(seed);
    const auto tell = [](int n) {
        const auto line = "+" + std::to_string(n) + "\n";
        if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(3);
    };
    for (int n = 1; n <= operations_max; ++n) {
        const auto o = choose(dice, m, n);
        if (early) tell(n);
        must(o.on_store(*store, home), "operation");
        if (!early) tell(n);
        o.on_model(m);
        if (n % settle_every == 0) must(store->settle(), "settle");
    }
    return 0;
}

model look(account_store& store, const home_paths& home) {
    model m;
    std::map<std::uint64_t, int> contents;   // serial -> operation
    for (const auto& b : store.read([](const read_txn& t) { return must(t.mailboxes(), "mailboxes"); })) {
        auto& box = m.boxes[b.name];
        box.uid_next = b.uid_next;
        for (const auto& row :
             store.read([&](const read_txn& t) { return must(t.messages(b.id, 1, 100000), "messages"); })) {
            if (!contents.contains(row.mail_serial)) {
                const auto reader = must(store.open_blob(row.mail_serial), "blob");
                std::string text(static_cast<std::size_t>(reader->size_bytes()), '\0');
                must(reader->read(0, std::as_writable_bytes(std::span(text))), "blob");
                const auto at = text.find("Subject: m");
                const int n = at == text.npos ? -1 : std::atoi(text.c_str() + at + 10);
                if (text != text_of(n)) fail("a mail is altered");
                must(store.read([&](const read_txn& t) { return t.index_of(row.mail_serial); }), "index");
                contents[row.mail_serial] = n;
            }
            box.mails[row.uid] = {contents[row.mail_serial], row.flags};
        }
    }
    for (const auto& row : store.read([](const read_txn& t) { return must(t.outbox(false), "outbox"); })) {
        int n = 0;
        std::memcpy(&n, row.id.data(), sizeof n);
        m.outbox[n] = 0;
    }
    const auto setting = store.read([](const read_txn& t) { return must(t.setting("n"), "setting"); });
    m.setting = setting ? std::atoi(std::string(as_text(*setting)).c_str()) : 0;
    auto ring = must(open_keyring(home), "keyring");
    m.keyring = std::atoi(std::string(as_text(ring.body().get("n").value())).c_str());
    return m;
}

int verify(const home_paths& home, unsigned seed, int acknowledged) {
    auto m = first_model();
    std::mt19937 dice(seed);
    for (int n = 1; n <= acknowledged; ++n) choose(dice, m, n).on_model(m);
    auto after = m;
    choose(dice, m, acknowledged + 1).on_model(after);

    auto store = open_store(home);
    const auto found = look(*store, home);
    if (!(found == m) && !(found == after))
        fail("after " + std::to_string(acknowledged) + " operations the store is neither before nor after the next");
    const auto sound = [&](const char* when) {
        const auto report = must(store->check({}), "check");
        for (const auto& line : report.lost) std::fprintf(stderr, "lost: %s\n", line.c_str());
        for (const auto& line : report.warnings) std::fprintf(stderr, "warning: %s\n", line.c_str());
        if (!report.sound()) fail(std::string("not sound ") + when);
    };
    sound("after the cut");
    // It goes on from here, and the log alone says the same.
    auto last = append(100000, "INBOX", {}, false);
    must(last.on_store(*store, home), "one more");
    auto expected = found;
    last.on_model(expected);
    if (!(look(*store, home) == expected)) fail("one more operation went wrong");
    store.reset();
    (void)!::write(STDOUT_FILENO, "recovered\n", 10);   // a view rebuilt after this is on purpose
    if (seed % 3 == 0) fs::remove(home.account("a") / "view");
    store = open_store(home);
    if (!(look(*store, home) == expected)) fail("opened once more it is not the same");
    sound("at the end");
    return 0;
}

// Refused means not there, once it has healed. A keyring that could not be saved wholly may be the old or the new one.
int faults(const home_paths& home, unsigned seed) {
    auto store = open_store(home);
    auto m = first_model();
    std::mt19937 dice(seed);
    bool shred_refused = false;
    for (int n = 1; n <= operations_max; ++n) {
        const auto o = choose(dice, m, n);
        auto after = m;
        o.on_model(after);
        result<void> done = errc::io_error;
        try {
            done = o.on_store(*store, home);
        } catch (const std::exception&) {   // box_id() of a store that cannot even be read
        }
        if (done) {
            m = after;
            if (n % settle_every == 0 && !store->settle()) (void)store->try_heal();
            continue;
        }
        shred_refused |= o.shreds;
        (void)store->try_heal();
        if (after.keyring == m.keyring) continue;
        const auto ring = open_keyring(home);
        if (ring && std::atoi(std::string(as_text(ring->body().get("n").value())).c_str()) == n) m = after;
    }
    const auto restore = reinterpret_cast<bool (*)()>(::dlsym(RTLD_DEFAULT, "power_restore"));
    if (!restore) fail("not under the library");
    const bool reached = restore();
    if (const auto healed = store->try_heal(); !healed) {
        // Only a start can tell which keys are in the keyring after a shred that failed there.
        if (healed.error() != errc::read_only || !shred_refused) fail("does not heal: " + healed.error().message());
        store.reset();
        store = open_store(home);
    }
    const auto same = [&](const char* when) {
        if (!(look(*store, home) == m)) fail(std::string("not what was acknowledged, ") + when);
        const auto report = must(store->check({}), "check");
        for (const auto& line : report.lost) std::fprintf(stderr, "lost: %s\n", line.c_str());
        for (const auto& line : report.warnings) std::fprintf(stderr, "warning: %s\n", line.c_str());
        if (!report.sound()) fail(std::string("not sound, ") + when);
    };
    same("healed");
    auto last = append(100000, "INBOX", {}, false);
    must(last.on_store(*store, home), "one more");
    last.on_model(m);
    store.reset();
    if (seed % 2 == 0) fs::remove(home.account("a") / "view");
    store = open_store(home);
    same("opened once more");
    return reached ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
    crypto::initialise();
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    const std::string what = argc > 2 ? argv[1] : "";
    const home_paths home{argc > 2 ? argv[2] : ""};
    const auto number = [&](int i) { return static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10)); };
    if (what == "make") return make(home);
    if (what == "recover") return open_store(home) ? 0 : 1;
    if (what == "work" && argc > 3) return work(home, number(3), argc > 4 && std::string(argv[4]) == "--early");
    if (what == "faults" && argc > 3) return faults(home, number(3));
    if (what == "verify" && argc > 4) return verify(home, number(3), static_cast<int>(number(4)));
    std::fprintf(stderr, "power_driver make|work|faults|recover|verify DIR ...\n");
    return 64;
}
