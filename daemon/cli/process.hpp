// What the process does to itself before it touches a secret, and how it learns that it is to end.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace pp::cli {

inline constexpr unsigned long descriptors_max = 65536;   // what `serve` asks for at most: RLIMIT_NOFILE

// umask 077, no core file, not readable by other processes of the user (06-security 6.1.5); SIGPIPE ignored. Standard
// input, output and error that are closed are taken by /dev/null, for reading only: else files of the home would be
// opened in their places, and what is printed would be written into them.
void harden_process();
// Soft limit of open files to the hard one, at most descriptors_max.
void raise_descriptor_limit();

// Standard output is closed, or /dev/null: what is printed is seen by nobody.
bool output_is_lost();

// Root in a home that belongs to somebody else goes on as that user: what root wrote there peerpost could not open any
// more when it runs as who it is meant for (a service of systemd has a user of its own). To be called before anything
// in the home is opened for writing, with something of it that shows whose it is. False: the system does not let it.
bool become_owner_of(const std::filesystem::path& what);

// Calls on_end once, on a thread of its own, when SIGINT, SIGTERM or, unless it is ignored, SIGHUP comes. Make it
// before any other thread: they inherit the blocked signals. When the process is still there patience after the signal
// it ends at once: the store is crash-safe, a user who waits is not.
class end_signal {
public:
    // SIGTERM to exit takes less than 2 s whatever hangs (02-architecture 2.5).
    explicit end_signal(std::function<void()> on_end,
                        std::chrono::milliseconds patience = std::chrono::milliseconds(1850));
    ~end_signal();
    bool came() const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace pp::cli
