// What changes files: real, below /dev/shm, until the machine's disk is full or its power goes, perhaps in the middle
// of a commit. A sync costs nothing; what was written before power went is there afterwards (tests/crash/power_cut.cpp
// is about disks that lose what was not synced).
#include "tests/simulation/descriptors.hpp"
#include "tests/simulation/real.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>

using namespace pp::sim;

namespace {

// Counts a change; the error it meets, or 0. grows: a full disk has no room for it.
int trouble(bool grows) {
    auto* me = scheduler::self();
    if (!me || me->on->user) return 0;
    auto& h = *me->on;
    ++h.writes;
    if (h.powered && h.dies_at_write != 0 && h.writes >= h.dies_at_write) {
        h.dies_at_write = 0;
        if (h.power_went) h.power_went();
    }
    if (!h.powered) return EIO;
    return grows && h.disk_full ? ENOSPC : 0;
}

int failed(int error) {
    errno = error;
    return -1;
}

// The disk has so much room beyond what the daemon keeps free, and not enough for the log to be written ahead in zeros.
constexpr std::uint64_t room_bytes = 44ull << 20;

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t n) {
    if (const auto e = descriptor_table::the().find<event_counter>(fd)) {
        std::uint64_t add = 0;
        if (n < sizeof add) return failed(EINVAL);
        std::memcpy(&add, data, sizeof add);
        e->count += add;
        e->changed();
        return sizeof add;
    }
    if (fd <= STDERR_FILENO) return real().write(fd, data, n);
    const int error = trouble(true);
    return error ? failed(error) : real().write(fd, data, n);
}
ssize_t writev(int fd, const iovec* pieces, int n) {
    const int error = fd <= STDERR_FILENO ? 0 : trouble(true);
    return error ? failed(error) : real().writev(fd, pieces, n);
}
ssize_t pwrite(int fd, const void* data, std::size_t n, off_t at) {
    const int error = trouble(true);
    return error ? failed(error) : real().pwrite(fd, data, n, at);
}
int ftruncate(int fd, off_t length) noexcept {
    const int error = trouble(false);
    return error ? failed(error) : real().ftruncate(fd, length);
}
int rename(const char* from, const char* to) noexcept {
    const int error = trouble(false);
    return error ? failed(error) : real().rename(from, to);
}
int unlink(const char* path) noexcept {
    const int error = trouble(false);
    return error ? failed(error) : real().unlink(path);
}
int remove(const char* path) noexcept {
    const int error = trouble(false);
    return error ? failed(error) : real().remove(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
    const int error = trouble(true);
    return error ? failed(error) : real().mkdir(path, mode);
}
int open(const char* path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    const auto mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;
    va_end(args);
    if (flags & (O_CREAT | O_TRUNC)) {
        const int error = trouble(true);
        if (error == EIO || (error == ENOSPC && ::access(path, F_OK) != 0)) return failed(error);
    }
    return real().open(path, flags, mode);
}
int fsync(int) {
    const auto* me = scheduler::self();
    return me && !me->on->powered ? failed(EIO) : 0;
}
int fdatasync(int fd) { return fsync(fd); }
int sync_file_range(int fd, off64_t, off64_t, unsigned) { return fsync(fd); }

int statvfs(const char*, struct statvfs* out) noexcept {
    const auto* me = scheduler::self();
    *out = {};
    out->f_bsize = out->f_frsize = 4096;
    out->f_blocks = 1ull << 24;
    out->f_bfree = out->f_bavail = me && me->on->disk_full ? 0 : room_bytes / 4096;
    return 0;
}

}  // extern "C"
