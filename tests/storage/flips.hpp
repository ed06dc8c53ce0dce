// For tests that flip bytes of a folder: the folder put back as it was, and a process of its own for who looks at it,
// since what is damaged may end the process. Which bytes: PEERPOST_SEED=n plays a sample again.
#pragma once

#include "storage/durable.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

namespace pp::storage::testing {

inline unsigned seed_of_this_run() {
    const auto* given = std::getenv("PEERPOST_SEED");
    return given ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
}

// The exit code, or minus the signal.
inline int in_a_child(const std::function<int()>& f) {
    const auto child = ::fork();
    if (child == 0) {
        for (const int s : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL}) ::signal(s, SIG_DFL);   // not Catch's report
        (void)!::freopen("/dev/null", "w", stderr);                                            // LMDB's assertions
        ::alarm(60);
        ::_exit(f());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class saved_folder {
public:
    saved_folder(std::filesystem::path folder, std::filesystem::path copy)
        : folder_(std::move(folder)), copy_(std::move(copy)) {
        std::filesystem::copy(folder_, copy_, std::filesystem::copy_options::recursive);
    }
    const std::filesystem::path& copy() const { return copy_; }
    void put_back() const {
        std::filesystem::remove_all(folder_);
        std::filesystem::copy(copy_, folder_, std::filesystem::copy_options::recursive);
    }

private:
    std::filesystem::path folder_, copy_;
};

inline void flip_byte(const std::filesystem::path& path, std::uint64_t at, std::byte pattern) {
    const auto file = durable::open_file(path, durable::mode::read_write).value();
    bytes b(1);
    REQUIRE(file.read_at(at, b).value() == 1);
    b[0] ^= pattern;
    REQUIRE(file.write_at(at, b));
}

}  // namespace pp::storage::testing
