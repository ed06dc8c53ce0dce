// Power loss without pulling the plug: loaded with LD_PRELOAD, this library keeps a record of everything a process does
// to files below $POWER_DIR that no sync has made durable yet, and at call number $POWER_AT undoes a random part of it
// and ends the process. What is left is what a disk may hold after a power cut:
//
//   a write     each of its 512 B sectors is there or not, whatever became of its neighbours and of later writes
//   a length    a file that grew may have its old length, or the new one with zeros
//   a name      a file or directory made, renamed or removed may be so or not, until its directory was synced
//
// Syncs are recorded and not passed on, so that thousands of cuts take minutes. Calls counted: writes, truncations,
// syncs, renames, removals, new files and directories. Memory maps are only read (LMDB without MDB_WRITEMAP).
//
//   POWER_DIR    absolute path; files whose name ends in "-lock" are left out (LMDB's, of no value after a restart)
//   POWER_AT     the call at which power goes; past the last call: at the end. Unset: nothing is ever undone
//   POWER_SEED   decides what is lost
//   POWER_FAIL   "<errno> <n> once|on": instead of a cut, call n fails, or every call from n on until
//                power_restore() is called. A write then puts half of its bytes down first. A full disk (28) still
//                removes and cuts shorter
//   POWER_COUNT  set: at the end the number of calls goes to standard error, as "<n> calls"
//   POWER_LIES   a disk that lies about syncs, for negative controls: "log", "view", "directory" (comma separated)
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr std::size_t sector_bytes = 512;
constexpr int cut_exit_code = 99;

// The calls behind ours; found at first use, because other libraries may start before this one.
struct calls_behind {
    template <class F>
    static void find(F*& f, const char* name) { f = reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name)); }
    calls_behind() {
        find(pwrite, "pwrite");
        find(write, "write");
        find(ftruncate, "ftruncate");
        find(rename, "rename");
        find(unlink, "unlink");
        find(mkdir, "mkdir");
        find(open, "open");
        find(fsync, "fsync");
    }
    ssize_t (*pwrite)(int, const void*, std::size_t, off_t);
    ssize_t (*write)(int, const void*, std::size_t);
    int (*ftruncate)(int, off_t);
    int (*rename)(const char*, const char*);
    int (*unlink)(const char*);
    int (*mkdir)(const char*, mode_t);
    int (*open)(const char*, int, ...);
    int (*fsync)(int);
};
const calls_behind& real() {
    static const calls_behind found;
    return found;
}

struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const identity&) const = default;
};
identity identity_of(const struct stat& s) { return {s.st_dev, s.st_ino}; }
identity identity_at(const std::string& path) {
    struct stat s {};
    return ::lstat(path.c_str(), &s) == 0 ? identity_of(s) : identity{};
}
std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

struct lost_write {              // bytes of a file that may go back to what they were
    identity file;
    int fd = -1;
    off_t offset = 0, size_before = 0;
    std::string before;          // may be shorter than the write when the file was
    std::size_t length = 0;
};

enum class change { made, renamed, removed };
struct lost_name {               // a change of a directory that may not have happened
    change what = change::made;
    identity moved;
    std::string path, from;      // from: before a rename
    std::string kept;            // what stood at `path` before, kept under another name
    bool directory = false;
};

class disk {
public:
    static disk& instance() {
        static auto* one = new disk;   // never destroyed: files are touched until the very end
        return *one;
    }

    // The absolute path when it lies on this disk.
    bool holds(const std::string& path) const {
        return !root_.empty() && path.size() > root_.size() && path.starts_with(root_) && path[root_.size()] == '/' &&
               !path.ends_with("-lock");
    }
    bool path_of(int fd, std::string& out) const {
        if (root_.empty()) return false;
        char link[64], target[PATH_MAX];
        std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        const auto n = ::readlink(link, target, sizeof target);
        if (n <= 0) return false;
        out.assign(target, static_cast<std::size_t>(n));
        return holds(out) || out == root_;
    }
    static std::string absolute(const char* path) {
        if (path[0] == '/') return path;
        char here[PATH_MAX];
        return ::getcwd(here, sizeof here) ? std::string(here) + "/" + path : std::string(path);
    }

    std::recursive_mutex mutex;

    // Asked at every call; true when this is the one at which power goes.
    bool tick() { return ++calls_ == at_; }
    // After tick(): the errno this call must fail with, or 0. frees: it gives room back.
    int failure(bool frees) const {
        if (fail_with_ == 0 || calls_ < fail_at_ || (!fail_on_ && calls_ > fail_at_)) return 0;
        return frees && fail_with_ == ENOSPC ? 0 : fail_with_;
    }
    bool restore() {
        fail_with_ = 0;
        return calls_ >= fail_at_;
    }

    void wrote(int fd, off_t offset, std::size_t length) {   // before it happens
        if (!at_) return;
        struct stat s {};
        if (::fstat(fd, &s) != 0) return;
        lost_write w;
        w.file = identity_of(s);
        char link[64];
        std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        w.fd = real().open(link, O_RDWR | O_CLOEXEC);
        w.offset = offset;
        w.size_before = s.st_size;
        w.length = length;
        if (offset < s.st_size) {
            w.before.resize(std::min<std::size_t>(length, static_cast<std::size_t>(s.st_size - offset)));
            const auto n = ::pread(w.fd, w.before.data(), w.before.size(), offset);
            w.before.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        }
        writes_.push_back(std::move(w));
    }
    void made(const std::string& path, bool directory) {     // after it has happened
        if (at_) names_.push_back({change::made, identity_at(path), path, {}, {}, directory});
    }
    std::string keep(const std::string& path) {              // before something at path goes
        if (!at_) return {};
        auto name = root_ + ".kept-" + std::to_string(::getpid()) + "-" + std::to_string(++kept_);
        return ::link(path.c_str(), name.c_str()) == 0 ? name : std::string();
    }
    void renamed(const std::string& from, const std::string& to, std::string kept) {
        if (at_) names_.push_back({change::renamed, identity_at(to), to, from, std::move(kept), false});
    }
    void removed(const std::string& path, identity what, std::string kept) {
        if (at_) names_.push_back({change::removed, what, path, {}, std::move(kept), false});
    }

    void synced(int fd, const std::string& path) {
        if (!at_) return;
        struct stat s {};
        if (::fstat(fd, &s) != 0) return;
        if (S_ISDIR(s.st_mode)) {
            if (lies("directory")) return;
            std::erase_if(names_, [&](const lost_name& n) {
                const bool here = parent_of(n.path) == path || (n.what == change::renamed && parent_of(n.from) == path);
                if (here && !n.kept.empty()) real().unlink(n.kept.c_str());
                return here;
            });
            return;
        }
        if (path.ends_with(".seg") && lies("log")) return;
        if (path.ends_with("/view") && lies("view")) return;
        std::erase_if(writes_, [&](const lost_write& w) {
            const bool here = w.file == identity_of(s);
            if (here) ::close(w.fd);
            return here;
        });
    }

    [[noreturn]] void cut() {
        keep_percent_ = static_cast<unsigned>(dice() % 101);
        const bool lose_all = dice() % 4 == 0;
        for (auto w = writes_.rbegin(); w != writes_.rend(); ++w) undo(*w, lose_all);
        // Half of the cuts lose names as a journal does, from some moment on; the others each by itself.
        const bool journal = dice() % 2 == 0;
        std::size_t survivors = lose_all ? 0 : static_cast<std::size_t>(dice() % (names_.size() + 1));
        for (std::size_t i = names_.size(); i-- > 0;)
            if (journal ? i >= survivors : lose_all || dice() % 2 == 0) undo(names_[i]);
        for (const auto& n : names_)
            if (!n.kept.empty()) real().unlink(n.kept.c_str());
        ::_exit(cut_exit_code);
    }
    bool is_armed() const { return at_ != 0; }
    std::uint64_t calls() const { return calls_; }

private:
    disk() {
        const auto* dir = std::getenv("POWER_DIR");
        if (dir) root_ = dir;
        if (const auto* at = std::getenv("POWER_AT")) at_ = std::strtoull(at, nullptr, 10);
        if (const auto* seed = std::getenv("POWER_SEED"))
            state_ ^= std::strtoull(seed, nullptr, 10) * 0x9e3779b97f4a7c15ull;
        if (const auto* fail = std::getenv("POWER_FAIL")) {
            char how[8] = "";
            unsigned long long n = 0;
            if (std::sscanf(fail, "%d %llu %7s", &fail_with_, &n, how) == 3) fail_at_ = n;
            fail_on_ = std::strcmp(how, "on") == 0;
        }
        if (const auto* lies = std::getenv("POWER_LIES")) lies_ = std::string(",") + lies + ",";
    }
    bool lies(const char* about) const { return lies_.find(std::string(",") + about + ",") != std::string::npos; }

    std::uint64_t dice() {   // splitmix64
        auto z = state_ += 0x9e3779b97f4a7c15ull;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }

    void undo(const lost_write& w, bool all) {
        if (w.fd < 0) return;
        struct stat s {};
        if (::fstat(w.fd, &s) != 0) return;
        if (s.st_size < w.size_before) {   // it was cut shorter: that has happened, or not
            if (!all && dice() % 2 == 0) return;
            (void)!real().ftruncate(w.fd, w.size_before);
            (void)!real().pwrite(w.fd, w.before.data(), w.before.size(), w.offset);
            return;
        }
        std::string old = w.before;
        old.resize(w.length, '\0');
        for (std::size_t at = 0; at < w.length;) {
            const auto in_sector = static_cast<std::size_t>(w.offset + static_cast<off_t>(at)) % sector_bytes;
            const auto n = std::min(sector_bytes - in_sector, w.length - at);
            if (all || dice() % 100 >= keep_percent_)
                if (w.offset + static_cast<off_t>(at) < s.st_size)
                    (void)!real().pwrite(w.fd, old.data() + at, n, w.offset + static_cast<off_t>(at));
            at += n;
        }
        if (s.st_size > w.size_before && (all || dice() % 2 == 0)) (void)!real().ftruncate(w.fd, w.size_before);
    }

    void undo(const lost_name& n) {
        switch (n.what) {
            case change::made: {
                if (identity_at(n.path) != n.moved) return;   // another name by now, and that one was kept
                const auto gone = root_ + ".lost-" + std::to_string(::getpid()) + "-" + std::to_string(++kept_);
                real().rename(n.path.c_str(), gone.c_str());
                if (!n.directory) real().unlink(gone.c_str());
                return;
            }
            case change::renamed:
                if (identity_at(n.path) != n.moved) return;
                real().rename(n.path.c_str(), n.from.c_str());
                if (!n.kept.empty()) (void)!::link(n.kept.c_str(), n.path.c_str());
                return;
            case change::removed:
                if (!n.kept.empty()) (void)!::link(n.kept.c_str(), n.path.c_str());   // EEXIST: a new one stands there
                return;
        }
    }

    std::string root_, lies_;
    std::uint64_t at_ = 0, calls_ = 0, kept_ = 0, state_ = 88172645463325252ull;
    unsigned keep_percent_ = 50;
    int fail_with_ = 0;
    std::uint64_t fail_at_ = 0;
    bool fail_on_ = false;
    std::vector<lost_write> writes_;
    std::vector<lost_name> names_;
};

struct at_end {
    ~at_end() {
        auto& d = disk::instance();
        const std::lock_guard hold(d.mutex);
        if (std::getenv("POWER_COUNT"))
            std::fprintf(stderr, "%llu calls\n", static_cast<unsigned long long>(d.calls()));
        if (d.is_armed()) d.cut();
    }
} end_of_process;

// One call: `act` happens after it was recorded; power may go after the act (a write) or before it (a sync).
template <class Record, class Act>
auto recorded(Record&& record, Act&& act, bool frees = false) -> decltype(act()) {
    auto& d = disk::instance();
    const std::lock_guard hold(d.mutex);
    const bool last = d.tick();
    if (const int why = d.failure(frees)) {
        errno = why;
        return -1;
    }
    record(d);
    const auto r = act();
    const int error = errno;
    if (last) d.cut();
    errno = error;
    return r;
}

int open_recorded(const char* path, int flags, mode_t mode) {
    auto& d = disk::instance();
    const auto where = disk::absolute(path);
    if (!d.holds(where) || !(flags & (O_CREAT | O_TRUNC))) return real().open(path, flags, mode);
    const std::lock_guard hold(d.mutex);
    const bool there = identity_at(where) != identity{};
    if (there && !(flags & O_TRUNC)) return real().open(path, flags, mode);
    const bool last = d.tick();
    if (const int why = d.failure(there)) {
        errno = why;
        return -1;
    }
    int fd = -1;
    if (there) {
        fd = real().open(path, flags & ~O_TRUNC, mode);
        struct stat s {};
        if (fd >= 0 && ::fstat(fd, &s) == 0) {
            d.wrote(fd, 0, static_cast<std::size_t>(s.st_size));
            (void)!real().ftruncate(fd, 0);
        }
    } else {
        fd = real().open(path, flags, mode);
        if (fd >= 0) d.made(where, false);
    }
    if (last) d.cut();
    return fd;
}

int sync_recorded(int fd) {
    auto& d = disk::instance();
    std::string path;
    if (!d.path_of(fd, path)) return real().fsync(fd);
    const std::lock_guard hold(d.mutex);
    if (d.tick()) d.cut();
    if (const int why = d.failure(false)) {
        errno = why;
        return -1;
    }
    d.synced(fd, path);
    return 0;
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* data, std::size_t n, off_t offset) {
    std::string path;
    if (!disk::instance().path_of(fd, path)) return real().pwrite(fd, data, n, offset);
    const auto r =
        recorded([&](disk& d) { d.wrote(fd, offset, n); }, [&] { return real().pwrite(fd, data, n, offset); });
    if (r >= 0 || n < 2) return r;
    const int why = errno;   // refused: half of it is there all the same
    (void)!real().pwrite(fd, data, n / 2, offset);
    errno = why;
    return r;
}
ssize_t pwrite64(int fd, const void* data, std::size_t n, off64_t offset) { return pwrite(fd, data, n, offset); }

ssize_t write(int fd, const void* data, std::size_t n) {
    std::string path;
    if (!disk::instance().path_of(fd, path)) return real().write(fd, data, n);
    const auto at = ::lseek(fd, 0, (::fcntl(fd, F_GETFL) & O_APPEND) ? SEEK_END : SEEK_CUR);
    const auto r = pwrite(fd, data, n, at);
    if (r > 0) ::lseek(fd, at + r, SEEK_SET);
    return r;
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
    ssize_t done = 0;
    for (int i = 0; i < count; ++i) {
        const auto r = pwrite(fd, parts[i].iov_base, parts[i].iov_len, offset + done);
        if (r < 0) return done > 0 ? done : r;
        done += r;
        if (static_cast<std::size_t>(r) < parts[i].iov_len) break;
    }
    return done;
}
ssize_t pwritev64(int fd, const struct iovec* parts, int count, off64_t offset) {
    return pwritev(fd, parts, count, offset);
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
    ssize_t done = 0;
    for (int i = 0; i < count; ++i) {
        const auto r = write(fd, parts[i].iov_base, parts[i].iov_len);
        if (r < 0) return done > 0 ? done : r;
        done += r;
        if (static_cast<std::size_t>(r) < parts[i].iov_len) break;
    }
    return done;
}

int ftruncate(int fd, off_t size) {
    std::string path;
    if (!disk::instance().path_of(fd, path)) return real().ftruncate(fd, size);
    return recorded(
        [&](disk& d) {
            struct stat s {};
            if (::fstat(fd, &s) != 0) return;
            if (size < s.st_size) d.wrote(fd, size, static_cast<std::size_t>(s.st_size - size));
            if (size > s.st_size) d.wrote(fd, s.st_size, 0);
        },
        [&] { return real().ftruncate(fd, size); }, true);
}

// For the program under test: the disk is well again. True when the call that had to fail was reached.
bool power_restore() {
    auto& d = disk::instance();
    const std::lock_guard hold(d.mutex);
    return d.restore();
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

int fdatasync(int fd) { return sync_recorded(fd); }
int fsync(int fd) { return sync_recorded(fd); }

int rename(const char* from, const char* to) {
    auto& d = disk::instance();
    const auto old_path = disk::absolute(from), new_path = disk::absolute(to);
    if (!d.holds(new_path)) return real().rename(from, to);
    std::string kept;
    int r = -1;
    return recorded([&](disk&) { kept = d.keep(new_path); },
                    [&] {
                        r = real().rename(from, to);
                        if (r == 0) d.renamed(old_path, new_path, kept);
                        return r;
                    });
}

int unlink(const char* path) {
    auto& d = disk::instance();
    const auto where = disk::absolute(path);
    if (!d.holds(where)) return real().unlink(path);
    std::string kept;
    identity what;
    return recorded(
        [&](disk&) {
            what = identity_at(where);
            kept = d.keep(where);
        },
        [&] {
            const int r = real().unlink(path);
            if (r == 0) d.removed(where, what, kept);
            return r;
        },
        true);
}

int mkdir(const char* path, mode_t mode) {
    auto& d = disk::instance();
    const auto where = disk::absolute(path);
    if (!d.holds(where)) return real().mkdir(path, mode);
    return recorded([](disk&) {},
                    [&] {
                        const int r = real().mkdir(path, mode);
                        if (r == 0) d.made(where, true);
                        return r;
                    });
}

int open(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const auto mode = flags & O_CREAT ? static_cast<mode_t>(va_arg(rest, int)) : 0;
    va_end(rest);
    return open_recorded(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    const auto mode = flags & O_CREAT ? static_cast<mode_t>(va_arg(rest, int)) : 0;
    va_end(rest);
    return open_recorded(path, flags, mode);
}

}  // extern "C"
