// A repair that is itself cut off or refused at any call: the next one brings what an undisturbed one would have, and
// whatever it has put aside is still there.
#include "storage/durable.hpp"
#include "storage/log_file.hpp"
#include "tests/storage/store_fixture.hpp"

#include <cerrno>
#include <map>
#include <set>
#include <sys/wait.h>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
int calls_left, calls_error;
bool calls_on, calls_die;

int fail_a_call(durable::call kind) {
    if (kind == durable::call::read || kind == durable::call::open) return 0;
    --calls_left;
    if (calls_left > 0 || (!calls_on && calls_left < 0)) return 0;
    if (calls_die) ::_exit(42);
    return calls_error == ENOSPC && kind == durable::call::unlink ? 0 : calls_error;
}

struct damage {
    bool log, view;
    const char* name;
};

using mails = std::map<std::string, std::pair<std::uint32_t, std::map<std::uint32_t, std::string>>>;

// Mailbox -> UIDVALIDITY, UID -> text, or "" for a mail that cannot be read.
mails look(store_fixture& f) {
    mails out;
    for (const auto& b : f.store->read([](const read_txn& t) { return t.mailboxes().value(); })) {
        auto& [validity, texts] = out[b.name];
        validity = b.uid_validity;
        for (const auto& m : f.all(b.name)) {
            const auto reader = f.store->open_blob(m.mail_serial);
            bytes text(reader ? static_cast<std::size_t>((*reader)->size_bytes()) : 0);
            const auto n = reader ? (*reader)->read(0, text) : result<std::size_t>(reader.error());
            texts[m.uid] = n ? std::string(as_text(text)) : "";
        }
    }
    return out;
}

void flip(const fs::path& path, std::uint64_t at) {
    const auto f = durable::open_file(path, durable::mode::read_write).value();
    bytes b(1);
    REQUIRE(f.read_at(at, b).value() == 1);
    b[0] ^= std::byte{0x10};
    REQUIRE(f.write_at(at, b));
}

std::set<fs::path> blobs_below(const fs::path& folder) {
    std::set<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().filename().string().size() == 64)
            out.insert(entry.path().filename());
    return out;
}

// A store with this damage; the folder can be copied to begin again.
void damaged_store(store_fixture& f, const damage& what) {
    f.store.reset();
    f.options.segment_bytes = 12 * 1024;
    f.reopen();
    for (int i = 0; i < 14; ++i)
        f.add(i % 3 ? "INBOX" : "Archive", mail_text("m" + std::to_string(i), i % 6 == 4 ? 80000 : 2500));
    f.store.reset();
    if (what.log) {   // four mails of it, a large one among them
        const auto second = durable::open_file(segment_path(f.folder / "log", 1, 2), durable::mode::read_write).value();
        REQUIRE(second.write_at(segment_header_bytes, bytes(second.size().value() - segment_header_bytes - 100)));
    }
    if (what.view)
        for (std::uint64_t page = 0; page < fs::file_size(f.folder / "view") / 4096; ++page)
            flip(f.folder / "view", page * 4096 + 10);   // the kind of each: no tree, but rows
}
}  // namespace

TEST_CASE("a repair that fails or dies at any call is done by the next one") {
    for (const damage what : {damage{true, false, "log"}, damage{false, true, "view"}, damage{true, true, "both"}}) {
        store_fixture f;
        damaged_store(f, what);
        const auto template_folder = f.home.path / "template";
        fs::copy(f.folder, template_folder, fs::copy_options::recursive);
        const auto again = [&] {
            f.store.reset();
            fs::remove_all(f.folder);
            fs::copy(template_folder, f.folder, fs::copy_options::recursive);
        };
        const auto repair = [&] { return account_store::repair(f.folder, f.keys.clone(), f.options); };
        const auto blobs = blobs_below(f.folder);
        REQUIRE(repair().has_value());
        f.reopen();
        const auto expected = look(f);
        CHECK(blobs_below(f.folder) == blobs);
        CHECK((blobs_below(f.folder / "blobs") == blobs) == !(what.log && what.view));
        for (const int error : {ENOSPC, EIO})
            for (const int how : {0, 1, 2}) {   // once, from there on, the process dies
                if (how == 2 && error == EIO) continue;
                for (int n = 1;; n += 1 + n / 10) {
                    INFO("damaged: " << what.name << ", call " << n << " error " << error << " how " << how);
                    again();
                    calls_left = n;
                    calls_error = error;
                    calls_on = how == 1;
                    calls_die = how == 2;
                    bool reached = false, failed = false;
                    if (how == 2) {
                        const auto child = ::fork();
                        if (child == 0) {
                            durable::set_fault_hook(fail_a_call);
                            (void)repair();
                            ::_exit(0);
                        }
                        int status = 0;
                        ::waitpid(child, &status, 0);
                        REQUIRE(WIFEXITED(status));
                        reached = WEXITSTATUS(status) == 42;
                    } else {
                        durable::set_fault_hook(fail_a_call);
                        failed = repair().has_error();
                        reached = calls_left <= 0;
                        durable::set_fault_hook(nullptr);
                    }
                    // What a full disk has no room for does not stay there half made.
                    if (failed && error == ENOSPC)
                        CHECK_FALSE(fs::exists(f.folder / "view.salvage"));
                    const auto repaired = repair();
                    INFO((repaired ? std::string() : repaired.error().message()));
                    REQUIRE(repaired.has_value());
                    f.reopen();
                    f.store.reset();
                    const auto twice = repair();
                    REQUIRE(twice.has_value());
                    CHECK(twice->done.empty());
                    f.reopen();
                    CHECK(look(f) == expected);
                    CHECK(blobs_below(f.folder) == blobs);
                    CHECK(f.store->writable());
                    if (!reached) break;
                }
            }
    }
}
