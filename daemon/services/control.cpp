#include "daemon/services/control.hpp"

#include "daemon/services/control_path.hpp"
#include "daemon/services/json_line.hpp"
#include "daemon/services/log.hpp"

#include <boost/json.hpp>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace pp::services {

namespace {

using clock = std::chrono::steady_clock;

error_code last_error() { return {errno, boost::system::system_category()}; }

// The user at the other end; nullopt when the system does not tell.
std::optional<uid_t> peer_user(int connection) {
#ifdef SO_PEERCRED
    ucred who{};
    socklen_t size = sizeof who;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return std::nullopt;
    return who.uid;
#else
    uid_t user = 0;
    gid_t group = 0;
    if (getpeereid(connection, &user, &group) != 0) return std::nullopt;
    return user;
#endif
}

bool may_ask(int connection) {
    const auto user = peer_user(connection);
    return user && (*user == geteuid() || *user == 0);
}

// Waits until the descriptor is ready for what is asked, at most until the moment given.
bool wait_for(int fd, short events, clock::time_point until) {
    while (true) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
        if (left <= 0) return false;
        pollfd one{fd, events, 0};
        const int n = poll(&one, 1, static_cast<int>(left) + 1);
        if (n > 0) return true;
        if (n < 0 && errno != EINTR) return false;
    }
}

// One line without its end; nullopt when it does not come whole, in time and in size.
std::optional<std::string> read_line(int connection) {
    const auto until = clock::now() + control_request_timeout;
    std::string line;
    std::array<char, 16 * 1024> piece;
    while (wait_for(connection, POLLIN, until)) {
        const auto n = recv(connection, piece.data(), piece.size(), MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) break;
        line.append(piece.data(), static_cast<std::size_t>(n));
        if (const auto end = line.find('\n', line.size() - static_cast<std::size_t>(n)); end != line.npos) {
            line.resize(end);
            return line;
        }
        if (line.size() > control_request_bytes_max) break;
    }
    return std::nullopt;
}

bool write_line(int connection, const boost::json::object& message) {
    const auto line = json_line(message) + "\n";
    std::string_view rest = line;
    const auto until = clock::now() + control_reply_timeout;
    while (!rest.empty()) {
        if (!wait_for(connection, POLLOUT, until)) return false;
#ifdef MSG_NOSIGNAL
        const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
        const int flags = MSG_DONTWAIT;   // SIGPIPE is ignored by the daemon
#endif
        const auto n = send(connection, rest.data(), rest.size(), flags);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

boost::json::object as_message(command_result&& result) {
    if (auto* error = std::get_if<command_error>(&result))
        return {{"error", boost::json::object{{"exit_code", error->exit_code}, {"text", error->text}}}};
    return {{"result", std::move(std::get<boost::json::value>(result))}};
}

// The request of a line, or why it is none.
std::variant<std::pair<std::string, boost::json::object>, command_error> parse_request(const std::string& line) {
    boost::system::error_code failed;
    const auto value = boost::json::parse(line, failed);   // at most 32 levels deep
    if (failed || !value.is_object())
        return command_error{EX_PROTOCOL, "the control socket takes one JSON object a line"};
    const auto* command = value.as_object().if_contains("command");
    const auto* arguments = value.as_object().if_contains("arguments");
    if (!command || !command->is_string() || (arguments && !arguments->is_object()))
        return command_error{EX_PROTOCOL, "a request has a text \"command\" and an object \"arguments\""};
    return std::pair(std::string(command->as_string()), arguments ? arguments->as_object() : boost::json::object());
}

}  // namespace

control::control(handler run) : run_(std::move(run)) {}

control::~control() {
    stop(std::chrono::milliseconds(0));
    std::unique_lock guard(mutex_);
    ended_.wait(guard, [&] { return connections_.empty(); });
}

result<void> control::start(const std::filesystem::path& socket_file) {
    const auto path = control_path::make(socket_file);
    if (!path) return error_code(ENAMETOOLONG, boost::system::system_category());
    socket_ = socket_file;
    unlink(socket_.c_str());
    listener_ = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener_ < 0) return last_error();
    fcntl(listener_, F_SETFD, FD_CLOEXEC);
    fcntl(listener_, F_SETFL, O_NONBLOCK);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&path->address()), sizeof path->address()) != 0 ||
        chmod(socket_.c_str(), 0600) != 0 || listen(listener_, control_connections_max) != 0 || pipe(wake_) != 0) {
        const auto failed = last_error();
        close(listener_);
        listener_ = -1;
        unlink(socket_.c_str());
        return failed;
    }
    for (const int end : wake_) fcntl(end, F_SETFD, FD_CLOEXEC);
    acceptor_ = std::thread([this] { accept_loop(); });
    return {};
}

bool control::stop(std::chrono::milliseconds patience) {
    std::unique_lock guard(mutex_);
    if (!stopping_) {
        stopping_ = true;
        if (acceptor_.joinable()) {
            close(wake_[1]);
            guard.unlock();
            acceptor_.join();
            guard.lock();
            close(wake_[0]);
            close(listener_);
            unlink(socket_.c_str());
        }
        for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
    }
    return ended_.wait_for(guard, patience, [&] { return connections_.empty(); });
}

void control::accept_loop() {
    while (true) {
        std::array<pollfd, 2> waiting{{{listener_, POLLIN, 0}, {wake_[0], POLLIN, 0}}};
        if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
        if (waiting[1].revents != 0) return;
        if (waiting[0].revents == 0) continue;
        const int connection = accept(listener_, nullptr, nullptr);
        if (connection < 0) {
            // Out of descriptors: the waiting client stays in the queue; do not spin on it.
            if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(50));
            continue;
        }
        fcntl(connection, F_SETFD, FD_CLOEXEC);
        if (!may_ask(connection)) {
            log(area::control).warn("event=foreign_user");
            close(connection);
            continue;
        }
        const std::lock_guard guard(mutex_);
        if (stopping_ || connections_.size() >= control_connections_max) {
            close(connection);
            continue;
        }
        connections_.insert(connection);
        try {
            std::thread([this, connection] { serve(connection); }).detach();   // ~control waits for connections_
        } catch (const std::system_error&) {
            connections_.erase(connection);
            close(connection);
        }
    }
}

void control::serve(int connection) {
    try {
        if (const auto line = read_line(connection)) {
            auto request = parse_request(*line);
            command_result result;
            if (auto* error = std::get_if<command_error>(&request)) {
                result = std::move(*error);
            } else {
                const auto& [command, arguments] = std::get<0>(request);
                log(area::control).debug("event=command name={}", field(command));
                bool listening = true;
                result = run_(command, arguments, [&](const boost::json::object& progress) {
                    if (listening) listening = write_line(connection, {{"progress", progress}});
                });
            }
            write_line(connection, as_message(std::move(result)));
        }
    } catch (const std::exception& error) {
        log(area::control).error("event=connection_failed error={}", field(error.what()));
    }
    forget(connection);
}

void control::forget(int connection) {
    const std::lock_guard guard(mutex_);
    connections_.erase(connection);
    close(connection);          // under the lock: stop() must not shut down a descriptor that was given out again
    ended_.notify_all();        // under the lock: the object may be gone right after it
}

}  // namespace pp::services
