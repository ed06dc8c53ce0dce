#include "storage/durable.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>

namespace pp::storage::durable {

namespace {
std::atomic<fault_hook> hook{nullptr};

template <class F>
auto uninterrupted(F&& f) {
    decltype(f()) r;
    do r = f();
    while (r < 0 && errno == EINTR);
    return r;
}

// Linux and the BSDs: fdatasync keeps the file size when it is needed to reach the data (POSIX: synchronized I/O data
// integrity completion). macOS: only F_FULLFSYNC empties the drive's cache; file systems without it get fsync.
int sync_fd(int fd) {
#if defined(__APPLE__)
    if (::fcntl(fd, F_FULLFSYNC) == 0) return 0;
    return ::fsync(fd);
#else
    return ::fdatasync(fd);
#endif
}
}  // namespace

void set_fault_hook(fault_hook h) { hook = h; }
int injected_fault(call kind) {
    const auto h = hook.load(std::memory_order_relaxed);
    return h ? h(kind) : 0;
}

error_code error_of(int e) {
    switch (e) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG: return errc::full;
        case ENOENT: return errc::not_found;
        case EEXIST: return errc::exists_already;
        case EACCES:
        case EPERM:
        case EMFILE:
        case ENFILE:
        case ENOMEM: return errc::no_access;
        default: return errc::io_error;
    }
}

file& file::operator=(file&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = other.fd_;
        other.fd_ = -1;
    }
    return *this;
}
file::~file() { close(); }
void file::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

result<std::uint64_t> file::size() const {
    struct stat s {};
    if (::fstat(fd_, &s) != 0) return error_of(errno);
    return static_cast<std::uint64_t>(s.st_size);
}

result<std::size_t> file::read_at(std::uint64_t offset, mutable_bytes_view out) const {
    if (const int e = injected_fault(call::read)) return error_of(e);
    std::size_t done = 0;
    while (done < out.size()) {
        const auto n = uninterrupted(
            [&] { return ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done)); });
        if (n < 0) return error_of(errno);
        if (n == 0) break;
        done += static_cast<std::size_t>(n);
    }
    return done;
}

result<void> file::write_at(std::uint64_t offset, bytes_view data) const {
    const int fault = injected_fault(call::write);
    if (fault) data = data.first(data.size() / 2);
    while (!data.empty()) {
        const auto n =
            uninterrupted([&] { return ::pwrite(fd_, data.data(), data.size(), static_cast<off_t>(offset)); });
        if (n < 0) return error_of(errno);
        if (n == 0) return errc::io_error;
        offset += static_cast<std::uint64_t>(n);
        data = data.subspan(static_cast<std::size_t>(n));
    }
    if (fault) return error_of(fault);
    return {};
}

result<void> file::truncate(std::uint64_t size) const {
    if (const int e = injected_fault(call::truncate)) return error_of(e);
    if (uninterrupted([&] { return ::ftruncate(fd_, static_cast<off_t>(size)); }) != 0) return error_of(errno);
    return {};
}

result<void> file::sync() const {
    if (const int e = injected_fault(call::sync)) return error_of(e);
    if (uninterrupted([&] { return sync_fd(fd_); }) != 0) return error_of(errno);
    return {};
}

void file::start_writeback([[maybe_unused]] std::uint64_t offset, [[maybe_unused]] std::uint64_t n) const {
#if defined(__linux__)
    (void)::sync_file_range(fd_, static_cast<off64_t>(offset), static_cast<off64_t>(n), SYNC_FILE_RANGE_WRITE);
#endif
}

result<file> open_file(const std::filesystem::path& path, mode how, int permissions) {
    if (const int e = injected_fault(call::open)) return error_of(e);
    int flags = O_CLOEXEC | O_NOFOLLOW;
    switch (how) {
        case mode::read: flags |= O_RDONLY; break;
        case mode::read_write: flags |= O_RDWR; break;
        case mode::create_new: flags |= O_RDWR | O_CREAT | O_EXCL; break;
        case mode::create_or_truncate: flags |= O_RDWR | O_CREAT | O_TRUNC; break;
    }
    const int fd = uninterrupted([&] { return ::open(path.c_str(), flags, permissions); });
    if (fd < 0) return error_of(errno);
    return file(fd);
}

result<void> sync_directory(const std::filesystem::path& folder) {
    if (const int e = injected_fault(call::sync_directory)) return error_of(e);
    const int fd = uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return error_of(errno);
    const file keep(fd);
#if defined(__APPLE__)
    const int r = uninterrupted([&] { return sync_fd(fd); });
#else
    const int r = uninterrupted([&] { return ::fsync(fd); });
#endif
    if (r != 0 && errno != EINVAL) return error_of(errno);   // EINVAL: a file system that cannot and need not
    return {};
}

result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (const int e = injected_fault(call::rename)) return error_of(e);
    if (::rename(from.c_str(), to.c_str()) != 0) return error_of(errno);
    return {};
}

result<void> unlink_file(const std::filesystem::path& path) {
    if (const int e = injected_fault(call::unlink)) return error_of(e);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return error_of(errno);
    return {};
}

// Each name by itself, so that a cut may leave any part of it: an emptied folder, too.
result<void> remove_tree(const std::filesystem::path& path) {
    struct stat s {};
    if (::lstat(path.c_str(), &s) != 0) return errno == ENOENT ? result<void>() : error_of(errno);
    if (!S_ISDIR(s.st_mode)) return unlink_file(path);
    const auto names = list_names(path);
    if (!names) return names.error();
    for (const auto& name : *names)
        if (const auto removed = remove_tree(path / name); !removed) return removed;
    if (const int e = injected_fault(call::unlink)) return error_of(e);
    if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return error_of(errno);
    return {};
}

result<void> make_directory(const std::filesystem::path& path) {
    if (const int e = injected_fault(call::make_directory)) return error_of(e);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return error_of(errno);
    return {};
}

bool exists(const std::filesystem::path& path) {
    struct stat s {};
    return ::lstat(path.c_str(), &s) == 0;
}

result<std::vector<std::string>> list_names(const std::filesystem::path& folder) {
    if (const int e = injected_fault(call::open)) return error_of(e);
    std::vector<std::string> out;
    std::error_code failed;
    for (std::filesystem::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed))
        out.push_back(it->path().filename().string());
    if (failed && failed != std::errc::no_such_file_or_directory && failed != std::errc::not_a_directory)
        return error_of(failed.value());
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
    auto names = list_names(folder);
    return names ? std::move(*names) : std::vector<std::string>();
}

result<std::uint64_t> free_bytes(const std::filesystem::path& path) {
    struct statvfs s {};
    if (uninterrupted([&] { return ::statvfs(path.c_str(), &s); }) != 0) return error_of(errno);
    return static_cast<std::uint64_t>(s.f_bavail) * s.f_frsize;
}

result<bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
    auto opened = open_file(path, mode::read);
    if (!opened) return opened.error();
    const auto size = opened->size();
    if (!size) return size.error();
    if (*size > bytes_max) return errc::too_large;
    bytes out(static_cast<std::size_t>(*size));
    const auto n = opened->read_at(0, out);
    if (!n) return n.error();
    out.resize(*n);
    return out;
}

}  // namespace pp::storage::durable
