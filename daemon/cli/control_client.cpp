#include "daemon/cli/control_client.hpp"

#include "daemon/services/control_path.hpp"

#include <boost/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pp::cli {

namespace {

using services::command_error;
using services::command_result;

struct descriptor {
    int fd = -1;
    ~descriptor() {
        if (fd >= 0) close(fd);
    }
};

command_error broken_off(const std::string& why) {
    return {EX_TEMPFAIL, "the running peerpost " + why + "; its log says more. Whether the command was carried out is "
                         "not known: look with `peerpost status`"};
}

bool send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = write(fd, text.data(), text.size());   // SIGPIPE is ignored
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

// True when the line ends the conversation, with its outcome in out.
bool take_line(std::string_view line, const services::command_progress& progress, command_result& out) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(line, failed);
    if (failed || !value.is_object()) {
        out = broken_off("gave an answer that makes no sense (is it of another version?)");
        return true;
    }
    const auto& object = value.as_object();
    if (const auto* step = object.if_contains("progress"); step && step->is_object()) {
        if (progress) progress(step->as_object());
        return false;
    }
    if (const auto* result = object.if_contains("result")) {
        out = *result;
        return true;
    }
    const auto* error = object.if_contains("error");
    const auto* code = error && error->is_object() ? error->as_object().if_contains("exit_code") : nullptr;
    const auto* text = error && error->is_object() ? error->as_object().if_contains("text") : nullptr;
    if (code && code->is_int64() && text && text->is_string())
        out = command_error{static_cast<int>(code->as_int64()), std::string(text->as_string())};
    else
        out = broken_off("gave an answer that makes no sense (is it of another version?)");
    return true;
}

}  // namespace

std::optional<command_result> ask_daemon(const std::filesystem::path& socket_file, std::string_view command,
                                         const boost::json::object& arguments,
                                         const services::command_progress& progress) {
    const auto path = services::control_path::make(socket_file);
    if (!path) return std::nullopt;
    const descriptor socket{::socket(AF_UNIX, SOCK_STREAM, 0)};
    if (socket.fd < 0 ||
        connect(socket.fd, reinterpret_cast<const sockaddr*>(&path->address()), sizeof path->address()) != 0)
        return std::nullopt;
    const boost::json::object request{{"command", command}, {"arguments", arguments}};
    if (!send_all(socket.fd, boost::json::serialize(request) + "\n"))
        return command_error{EX_TEMPFAIL, "the running peerpost takes no command at the moment (it is stopping, or too "
                                          "many commands run at one time); nothing was done, try again"};

    std::string buffered;
    std::array<char, 64 * 1024> piece;
    while (true) {
        pollfd one{socket.fd, POLLIN, 0};
        // Shredding says nothing before it is done, and takes as long as the store is large; a daemon that dies
        // meanwhile closes the connection.
        const auto patience = std::chrono::milliseconds(control_answer_timeout).count();
        const int ready = poll(&one, 1, command == "shred" ? -1 : static_cast<int>(patience));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return broken_off("has not answered for a minute");
        const auto n = read(socket.fd, piece.data(), piece.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return broken_off("broke off the connection (it is stopping, or too many commands run at one time)");
        buffered.append(piece.data(), static_cast<std::size_t>(n));
        for (std::size_t end; (end = buffered.find('\n')) != buffered.npos; buffered.erase(0, end + 1)) {
            command_result out;
            if (take_line(std::string_view(buffered).substr(0, end), progress, out)) return out;
        }
    }
}

}  // namespace pp::cli
