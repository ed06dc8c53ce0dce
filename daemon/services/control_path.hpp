// The control socket of a home by a path that fits into sun_path (108 bytes, on macOS 104): where the home's own path
// is too long, through a link in a private directory under /tmp that lives as long as this object. Used for bind and
// connect alike; nothing depends on /proc or on the working directory.
#pragma once

#include <sys/un.h>

#include <filesystem>
#include <optional>

namespace pp::services {

class control_path {
public:
    // nullopt when even that cannot be made.
    static std::optional<control_path> make(const std::filesystem::path& socket);
    control_path(control_path&& other) noexcept;
    control_path& operator=(control_path&&) = delete;
    ~control_path();

    const sockaddr_un& address() const { return address_; }

private:
    control_path() = default;
    sockaddr_un address_{};
    std::filesystem::path folder_;   // with the link in it; empty: none was needed
};

}  // namespace pp::services
