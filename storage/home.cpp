#include "storage/home.hpp"

#include "storage/attempt.hpp"
#include "storage/durable.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pp::storage {

namespace {
int lock_now(int fd) {   // an errno, or 0
    int r = 0;
    do r = ::flock(fd, LOCK_EX | LOCK_NB);
    while (r != 0 && errno == EINTR);
    return r == 0 ? 0 : errno;
}
}  // namespace

result<home_lock> home_lock::acquire(const home_paths& home) {
    std::error_code failed;
    if (home.root.has_parent_path()) std::filesystem::create_directories(home.root.parent_path(), failed);
    PP_TRY(durable::make_directory(home.root));
    const auto opened = [](const std::filesystem::path& path, int flags) {
        int fd = -1;
        do fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
        while (fd < 0 && errno == EINTR);
        return fd;
    };
    home_lock lock(opened(home.lock(), O_RDWR | O_CREAT | O_NOFOLLOW), -1);
    if (lock.file_ < 0) return durable::error_of(errno);
    if (const int e = lock_now(lock.file_)) return e == EWOULDBLOCK ? error_code(errc::locked) : durable::error_of(e);
    lock.folder_ = opened(home.root, O_RDONLY | O_DIRECTORY);
    if (lock.folder_ < 0) return durable::error_of(errno);
    if (lock_now(lock.folder_) == EWOULDBLOCK) return errc::locked;   // other errors: no such lock on this file system
    return lock;
}

home_lock::home_lock(home_lock&& other) noexcept
    : file_(std::exchange(other.file_, -1)), folder_(std::exchange(other.folder_, -1)) {}
home_lock& home_lock::operator=(home_lock&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(folder_, other.folder_);
    return *this;
}
home_lock::~home_lock() {
    for (const int fd : {file_, folder_})
        if (fd >= 0) ::close(fd);
}

result<void> replace_file(const std::filesystem::path& path, bytes_view content, int mode) {
    auto fresh = path;
    fresh += ".new";
    PP_TRY(durable::unlink_file(fresh));   // of a crash; its mode may be another
    {
        PP_LET(auto f, durable::open_file(fresh, durable::mode::create_new, mode));
        const auto written = [&]() -> result<void> {
            PP_TRY(f.write_at(0, content));
            return f.sync();
        }();
        if (!written) {
            (void)durable::unlink_file(fresh);
            return written;
        }
    }
    if (const auto renamed = durable::rename_file(fresh, path); !renamed) {
        (void)durable::unlink_file(fresh);
        return renamed;
    }
    return durable::sync_directory(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

}  // namespace pp::storage
