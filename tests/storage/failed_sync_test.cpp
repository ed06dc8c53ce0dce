// A sync that fails once and then succeeds (fsync-gate). The kernel tells of a page that could not be written once for
// each open file, counts it as clean and keeps it in its cache: from then on it reads as if it were on the disk, and a
// later sync has nothing to do for it. The segments of a log get such a kernel here.
#include "storage/durable.hpp"
#include "tests/storage/store_fixture.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <set>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
struct forgetful_kernel {
    explicit forgetful_kernel(fs::path segment) : path(std::move(segment)), disk(content()) { active = this; }
    ~forgetful_kernel() { active = nullptr; }

    std::string content() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    bool is_ours(int fd) const {
        struct stat one {}, other {};
        return ::fstat(fd, &one) == 0 && ::stat(path.c_str(), &other) == 0 && one.st_ino == other.st_ino;
    }
    void wrote(std::size_t offset, std::size_t length) { dirty.emplace_back(offset, length); }
    int sync(int fd) {
        if (fail_next) {
            fail_next = false;
            dirty.clear();        // dropped: clean in the cache, never on the disk
            failed = true;
            for (int open = 0; open < 1024; ++open)
                if (is_ours(open)) to_tell.insert(open);
        }
        if (to_tell.erase(fd) > 0) {
            errno = EIO;
            return -1;
        }
        const auto cache = content();
        disk.resize(std::max(disk.size(), cache.size()), '\0');
        for (const auto& [offset, length] : dirty) {
            const auto n = std::min(length, cache.size() - std::min(offset, cache.size()));
            disk.replace(offset, n, cache, offset, n);
        }
        disk.resize(cache.size());
        dirty.clear();
        return 0;
    }

    static forgetful_kernel* active;
    const fs::path path;
    std::string disk;             // what a power cut would leave
    std::vector<std::pair<std::size_t, std::size_t>> dirty;
    std::set<int> to_tell;        // descriptors that have not heard of it
    bool fail_next = false, failed = false;
};
forgetful_kernel* forgetful_kernel::active = nullptr;
}  // namespace

// Before the ones of the C library, for the whole program; without such a kernel they do what those do.
extern "C" ssize_t pwrite(int fd, const void* data, std::size_t n, off_t offset) {
    if (auto* kernel = forgetful_kernel::active; kernel && kernel->is_ours(fd))
        kernel->wrote(static_cast<std::size_t>(offset), n);
    return ::syscall(SYS_pwrite64, fd, data, n, offset);
}
extern "C" int fdatasync(int fd) {
    if (auto* kernel = forgetful_kernel::active; kernel && kernel->is_ours(fd)) return kernel->sync(fd);
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

namespace {
result<void> try_add(store_fixture& f, std::string_view subject) {
    auto b = f.blob(mail_text(subject));
    const new_mail what{f.box("INBOX").id, {}, {1700000000, 60}, ""};
    return f.run([&](write_txn& t) -> result<void> {
        const auto p = t.add_mail(what, b);
        return p ? result<void>() : result<void>(p.error());
    });
}
}  // namespace

TEST_CASE("the zeros that are written ahead do not swallow the failed sync of a mail") {
    store_fixture f;
    forgetful_kernel kernel(f.folder / "log" / "1" / "1.seg");
    static store_fixture* fixture;
    static bool inside;
    fixture = &f;
    inside = false;
    REQUIRE(f.store->wants_housekeeping());
    durable::set_fault_hook([](durable::call kind) {
        if (kind != durable::call::sync || inside) return 0;
        inside = true;   // the mail is written and not synced: the other thread comes first
        forgetful_kernel::active->fail_next = true;
        (void)fixture->store->housekeeping();
        return 0;
    });
    const auto added = try_add(f, "one");
    durable::set_fault_hook(nullptr);
    REQUIRE(inside);
    REQUIRE(kernel.failed);
    CHECK_FALSE(added);
    CHECK_FALSE(f.store->writable());
    REQUIRE(f.store->try_heal());
    REQUIRE(try_add(f, "two"));
    CHECK(f.all("INBOX").size() == 1);
}

TEST_CASE("what an earlier process could not sync is not believed because it can be read") {
    store_fixture f;
    f.add("INBOX", mail_text("one"));
    forgetful_kernel kernel(f.folder / "log" / "1" / "1.seg");
    kernel.fail_next = true;
    REQUIRE_FALSE(try_add(f, "two"));
    f.store.reset();          // without a healing: the process was killed
    kernel.to_tell.clear();   // and with it its descriptors
    f.reopen();
    REQUIRE(try_add(f, "three"));

    // The power goes: what was never written is not there.
    const auto after = f.home.path / "after";
    fs::copy(f.folder, after, fs::copy_options::recursive);
    std::ofstream(after / "log" / "1" / "1.seg", std::ios::binary | std::ios::trunc) << kernel.disk;
    f.folder = after;
    const auto opened = f.try_open();
    INFO((opened ? std::string() : opened.error().message()));
    REQUIRE(opened);
    const auto mails = f.all("INBOX");
    REQUIRE(mails.size() >= 2);
    CHECK(f.text_of(mails.back().mail_serial) == mail_text("three"));
    CHECK(f.store->check({})->warnings.empty());
}
