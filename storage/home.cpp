#include "storage/home.hpp"

#include "storage/attempt.hpp"
#include "storage/durable.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pp::storage {

result<home_lock> home_lock::acquire(const home_paths& home) {
    std::error_code failed;
    if (home.root.has_parent_path()) std::filesystem::create_directories(home.root.parent_path(), failed);
    PP_TRY(durable::make_directory(home.root));
    int fd = -1;
    do fd = ::open(home.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) return durable::error_of(errno);
    home_lock lock(fd);
    int r = 0;
    do r = ::flock(fd, LOCK_EX | LOCK_NB);
    while (r != 0 && errno == EINTR);
    if (r != 0) return errno == EWOULDBLOCK ? error_code(errc::locked) : durable::error_of(errno);
    return lock;
}

home_lock::home_lock(home_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
home_lock& home_lock::operator=(home_lock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
home_lock::~home_lock() {
    if (fd_ >= 0) ::close(fd_);
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
