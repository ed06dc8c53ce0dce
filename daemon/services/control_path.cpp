#include "daemon/services/control_path.hpp"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

namespace pp::services {

namespace {

constexpr const char* link_name = "home";

bool fits(const std::filesystem::path& path, sockaddr_un& into) {
    const auto& text = path.native();
    if (text.size() >= sizeof into.sun_path) return false;
    into.sun_family = AF_UNIX;
    std::memcpy(into.sun_path, text.c_str(), text.size() + 1);
    return true;
}

}  // namespace

std::optional<control_path> control_path::make(const std::filesystem::path& socket) {
    control_path made;
    if (fits(socket, made.address_)) return made;
    std::string name = "/tmp/peerpost-XXXXXX";
    if (!mkdtemp(name.data())) return std::nullopt;   // mode 0700: nobody else can change the link
    made.folder_ = name;
    std::error_code failed;
    const auto parent = std::filesystem::absolute(socket, failed).parent_path();
    if (failed || symlink(parent.c_str(), (made.folder_ / link_name).c_str()) != 0) return std::nullopt;
    if (!fits(made.folder_ / link_name / socket.filename(), made.address_)) return std::nullopt;
    return made;
}

control_path::control_path(control_path&& other) noexcept
    : address_(other.address_), folder_(std::exchange(other.folder_, {})) {}

control_path::~control_path() {
    if (folder_.empty()) return;
    unlink((folder_ / link_name).c_str());
    rmdir(folder_.c_str());
}

}  // namespace pp::services
