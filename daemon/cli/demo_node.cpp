#include "daemon/cli/demo_node.hpp"

#include "daemon/cli/control_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

extern char** environ;

namespace pp::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto start_limit = 30s;      // a first start makes keys and recovers an empty store
constexpr auto stop_limit = 5s;
constexpr auto poll_interval = 20ms;
constexpr std::size_t log_end_bytes = 2000;

// Ports of loopback that are free now; all held open until all are known, so that no two are the same.
std::vector<std::uint16_t> free_ports(std::size_t n) {
    std::vector<int> sockets;
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i < n; ++i) {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof any;
        sockets.push_back(socket(AF_INET, SOCK_STREAM, 0));
        if (bind(sockets.back(), reinterpret_cast<sockaddr*>(&any), size) != 0 ||
            getsockname(sockets.back(), reinterpret_cast<sockaddr*>(&any), &size) != 0)
            break;
        ports.push_back(ntohs(any.sin_port));
    }
    for (const int fd : sockets) close(fd);
    if (ports.size() != n) throw demo_error("no free port on 127.0.0.1");
    return ports;
}

// Starts the program with its output in a file; the child has no signal blocked.
pid_t spawn(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& out,
            const std::filesystem::path& err) {
    std::vector<char*> argv{const_cast<char*>(program.c_str())};
    for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t child = -1;
    const int failed = posix_spawnp(&child, program.c_str(), &files, &attributes, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    if (failed != 0) throw demo_error("cannot start " + program + ": " + std::strerror(failed));
    return child;
}

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

std::string own_program(const std::string& argv0) {
    std::error_code failed;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", failed);
    if (!failed) return own.string();
    return argv0.find('/') == argv0.npos ? argv0 : std::filesystem::absolute(argv0).string();
}

demo_node::demo_node(std::string program, std::filesystem::path home, const std::string& name)
    : program_(std::move(program)), name_(name), home_{std::move(home)} {
    std::filesystem::create_directory(home_.root);
    const auto ports = free_ports(5);
    imap_tls_ = ports[0], imap_plain_ = ports[1], smtp_tls_ = ports[2], smtp_plain_ = ports[3];
    const auto both = [](std::uint16_t tls, std::uint16_t plain_port) {
        return "listen = [{ address = \"127.0.0.1\", port = " + std::to_string(tls) +
               " }, { address = \"127.0.0.1\", port = " + std::to_string(plain_port) + ", tls = \"none\" }]\n";
    };
    std::ofstream(home_.configuration()) << "[imap]\n"
                                         << both(imap_tls_, imap_plain_) << "[smtp]\n"
                                         << both(smtp_tls_, smtp_plain_)
                                         << "[peer]\nlisten = [{ address = \"127.0.0.1\", port = " << ports[4]
                                         << " }]\n[lan]\nenabled = false\n[dht]\nmode = \"off\"\n";
    const auto out = home_.root / "init.json";
    const pid_t init =
        spawn(program_, {"--home", home_.root.string(), "init", "--name", name_, "--json"}, out, log_file());
    int status = 0;
    while (waitpid(init, &status, 0) < 0 && errno == EINTR) {
    }
    boost::system::error_code failed;
    const auto made = json::parse(read_file(out), failed);
    std::filesystem::remove(out);   // it holds the recovery words
    if (status != 0 || failed || !made.is_object()) throw demo_error(name_ + "'s init failed: " + log_end());
    address_ = text(made.as_object(), "address");
    password_ = text(made.as_object(), "password");
}

demo_node::~demo_node() { stop(); }

void demo_node::start() {
    child_ = spawn(program_, {"--home", home_.root.string(), "serve"}, log_file(), log_file());
    for (const auto until = std::chrono::steady_clock::now() + start_limit; std::chrono::steady_clock::now() < until;) {
        if (!running()) throw demo_error(name_ + "'s node ended at its start: " + log_end());
        if (ask_daemon(home_.control_socket(), "status", {})) return;
        std::this_thread::sleep_for(poll_interval);
    }
    throw demo_error(name_ + "'s node does not answer: " + log_end());
}

bool demo_node::running() {
    if (child_ < 0) return false;
    int status = 0;
    if (waitpid(child_, &status, WNOHANG) != child_) return true;
    child_ = -1;
    return false;
}

void demo_node::stop() {
    if (!running()) return;
    kill(child_, SIGTERM);
    for (const auto until = std::chrono::steady_clock::now() + stop_limit; std::chrono::steady_clock::now() < until;) {
        if (!running()) return;
        std::this_thread::sleep_for(poll_interval);
    }
    kill(child_, SIGKILL);
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
}

void demo_node::interrupt() const {
    if (const pid_t child = child_; child > 0) kill(child, SIGTERM);
}

json::object demo_node::ask(std::string_view command, const json::object& arguments) {
    const auto answer = ask_daemon(home_.control_socket(), command, arguments);
    if (!answer) throw demo_error(name_ + "'s node does not answer: " + log_end());
    if (const auto* error = std::get_if<command_error>(&*answer))
        throw demo_error(name_ + ": " + std::string(command) + ": " + error->text);
    const auto& result = std::get<boost::json::value>(*answer);
    if (!result.is_object()) throw demo_error(name_ + ": " + std::string(command) + ": no object");
    return result.as_object();
}

std::string demo_node::log_end() const {
    auto log = read_file(log_file());
    if (log.size() > log_end_bytes) log.erase(0, log.size() - log_end_bytes);
    return log;
}

}  // namespace pp::cli
