// Reads /proc/net/tcp{,6} for the socket and /proc/<pid>/fd for its process;
// elsewhere both are absent and it is unknown.
#include "daemon/services/port_owner.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace pp::services {

namespace {

constexpr std::string_view listening = "0A";   // TCP_LISTEN

struct socket_found {
    std::string inode, user;
};

// Columns of the file: sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
std::optional<socket_found> find_socket(const char* table, std::uint16_t port) {
    std::ifstream in(table);
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
        std::istringstream columns(line);
        std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        if (!(columns >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >>
              inode))
            continue;
        const auto colon = local.rfind(':');
        if (state != listening || colon == local.npos) continue;
        unsigned found = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
        if (found == port) return socket_found{inode, user};
    }
    return std::nullopt;
}

std::string process_of(const std::string& inode) {
    namespace fs = std::filesystem;
    const std::string wanted = "socket:[" + inode + "]";
    std::error_code failed;
    for (fs::directory_iterator processes("/proc", failed), end; !failed && processes != end;
         processes.increment(failed)) {
        const auto pid = processes->path().filename().string();
        if (!std::all_of(pid.begin(), pid.end(), [](unsigned char c) { return std::isdigit(c); })) continue;
        std::error_code closed;   // of another user, or gone
        for (fs::directory_iterator fds(processes->path() / "fd", closed), none; !closed && fds != none;
             fds.increment(closed)) {
            std::error_code gone;
            if (fs::read_symlink(fds->path(), gone) != wanted) continue;
            std::string name;
            std::getline(std::ifstream(processes->path() / "comm") >> std::ws, name);
            return (name.empty() ? "" : name + ", ") + "process " + pid;
        }
    }
    return {};
}

}  // namespace

std::string port_owner(std::uint16_t port) {
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const auto found = find_socket(table, port);
        if (!found) continue;
        const auto process = process_of(found->inode);
        return process.empty() ? "user " + found->user : process;
    }
    return {};
}

}  // namespace pp::services
