// The only place where the store talks to the operating system about files: what is durable, when, per platform.
// Every failure becomes an errc; no space and no quota are errc::full, what the system
// refuses without a look at the file errc::no_access, all else errc::io_error.
#pragma once

#include "crypto/bytes.hpp"
#include "storage/error.hpp"

#include <filesystem>
#include <vector>

namespace pp::storage::durable {

// Kinds of calls, for the tests' hook.
enum class call { open, read, write, sync, sync_directory, rename, unlink, truncate, make_directory, view_commit };
// Tests only: asked before every call; a non-zero answer is the errno to fail with (a write does half of its bytes
// first, as a full disk does). Not for use while threads run.
using fault_hook = int (*)(call);
void set_fault_hook(fault_hook hook);
int injected_fault(call kind);

error_code error_of(int system_errno);

class file {
public:
    file() = default;
    explicit file(int fd) : fd_(fd) {}
    file(file&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
    file& operator=(file&& other) noexcept;
    ~file();

    bool is_open() const { return fd_ >= 0; }
    int fd() const { return fd_; }
    result<std::uint64_t> size() const;
    // Reads until out is full or the file ends; the number of bytes read.
    result<std::size_t> read_at(std::uint64_t offset, mutable_bytes_view out) const;
    result<void> write_at(std::uint64_t offset, bytes_view data) const;
    result<void> truncate(std::uint64_t size) const;
    // Data, and what is needed to find it again. fdatasync; on macOS F_FULLFSYNC, because fsync there leaves the bytes
    // in the drive's cache.
    result<void> sync() const;
    // Begins to write back without waiting, so that the final sync of a large file is short. A hint.
    void start_writeback(std::uint64_t offset, std::uint64_t bytes) const;
    void close();

private:
    int fd_ = -1;
};

enum class mode { read, read_write, create_new, create_or_truncate };
result<file> open_file(const std::filesystem::path& path, mode how, int permissions = 0600);

// fsync of a directory: makes a creation, rename or removal in it durable.
result<void> sync_directory(const std::filesystem::path& folder);
result<void> rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
result<void> unlink_file(const std::filesystem::path& path);        // not there is success
result<void> remove_tree(const std::filesystem::path& path);       // a file, or a directory and all below; not synced
result<void> make_directory(const std::filesystem::path& path);     // 0700; there already is success
bool exists(const std::filesystem::path& path);
// Names in a directory, sorted; empty when there is none.
result<std::vector<std::string>> list_names(const std::filesystem::path& folder);
// The same where a guess does: empty, too, when they cannot be read.
std::vector<std::string> names_in(const std::filesystem::path& folder);
result<std::uint64_t> free_bytes(const std::filesystem::path& path);
// The whole of a small file. errc::not_found, errc::too_large.
result<bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max);

}  // namespace pp::storage::durable
