#include "daemon/services/control.hpp"
#include "daemon/services/control_path.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

using namespace pp;
using namespace pp::services;

namespace {

struct scratch {
    std::filesystem::path folder;
    explicit scratch(const std::string& below = "") {
        std::string name = (std::filesystem::temp_directory_path() / "pp-control-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()));
        folder = std::filesystem::path(name) / below;
        std::filesystem::create_directories(folder);
        root = name;
    }
    ~scratch() { std::filesystem::remove_all(root); }
    std::filesystem::path root;
};

int connect_to(const std::filesystem::path& socket_file) {
    const auto path = control_path::make(socket_file);
    REQUIRE(path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&path->address()), sizeof path->address()) == 0) return fd;
    close(fd);
    return -1;
}

void say(int fd, const std::string& text) { REQUIRE(send(fd, text.data(), text.size(), MSG_NOSIGNAL) > 0); }

std::string hear_all(int fd) {
    std::string out;
    char piece[4096];
    for (ssize_t n; (n = recv(fd, piece, sizeof piece, 0)) > 0;) out.append(piece, static_cast<std::size_t>(n));
    close(fd);
    return out;
}

command_result echo(std::string_view name, const boost::json::object& arguments, const command_progress& progress) {
    if (name == "fail") return command_error{77, "no"};
    if (name == "slow") progress({{"done", 1}});
    if (name == "latin") return boost::json::value{{"name", "J\xfcrgen \xe4\xb8"}};
    return boost::json::value{{"name", name}, {"n", arguments.size()}};
}

}  // namespace

TEST_CASE("a request is answered over the control socket, wherever it is cut") {
    const scratch s;
    control c(echo);
    REQUIRE(c.start(s.folder / "control.sock"));
    struct stat info {};
    REQUIRE(stat((s.folder / "control.sock").c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    const std::string request = "{\"command\":\"status\",\"arguments\":{\"a\":1}}\n";
    for (std::size_t cut = 1; cut < request.size(); ++cut) {
        const int fd = connect_to(s.folder / "control.sock");
        say(fd, request.substr(0, cut));
        say(fd, request.substr(cut));
        REQUIRE(hear_all(fd) == "{\"result\":{\"name\":\"status\",\"n\":1}}\n");
    }
    const int slow = connect_to(s.folder / "control.sock");
    say(slow, "{\"command\":\"slow\"}\n");
    CHECK(hear_all(slow) == "{\"progress\":{\"done\":1}}\n{\"result\":{\"name\":\"slow\",\"n\":0}}\n");
    const int fail = connect_to(s.folder / "control.sock");
    say(fail, "{\"command\":\"fail\"}\n");
    CHECK(hear_all(fail) == "{\"error\":{\"exit_code\":77,\"text\":\"no\"}}\n");
    // RFC 8259 section 8.1: a mail's Message-ID may be of any charset, JSON is not.
    const int latin = connect_to(s.folder / "control.sock");
    say(latin, "{\"command\":\"latin\"}\n");
    const auto answer = hear_all(latin);
    CHECK(answer == "{\"result\":{\"name\":\"J\xef\xbf\xbdrgen \xef\xbf\xbd\"}}\n");
    boost::system::error_code failed;
    boost::json::parse(answer, failed);
    CHECK_FALSE(failed);
}

TEST_CASE("what is no request is an error, never a command") {
    const scratch s;
    control c(echo);
    REQUIRE(c.start(s.folder / "control.sock"));
    for (const std::string text : {"\n", "x\n", "[]\n", "{}\n", "{\"command\":1}\n",
                                   "{\"command\":\"a\",\"arguments\":[]}\n", "{\"command\":\"a\"} x\n",
                                   "GET / HTTP/1.1\r\n"}) {
        const int fd = connect_to(s.folder / "control.sock");
        say(fd, text);
        INFO(text);
        CHECK(hear_all(fd).starts_with("{\"error\":{\"exit_code\":76,"));
    }
    const int deep = connect_to(s.folder / "control.sock");
    say(deep, std::string(100000, '[') + "\n");
    CHECK(hear_all(deep).starts_with("{\"error\":"));
}

TEST_CASE("too long a request and an unfinished one get nothing; a silent client holds up nobody") {
    const scratch s;
    control c(echo);
    REQUIRE(c.start(s.folder / "control.sock"));
    const int silent = connect_to(s.folder / "control.sock");
    const int cut = connect_to(s.folder / "control.sock");
    say(cut, "{\"command\":");
    shutdown(cut, SHUT_WR);
    CHECK(hear_all(cut).empty());
    const int endless = connect_to(s.folder / "control.sock");
    std::string flood(control_request_bytes_max + 65536, ' ');
    std::string_view rest = flood;
    while (!rest.empty()) {
        const auto n = send(endless, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (n <= 0) break;
        rest.remove_prefix(static_cast<std::size_t>(n));
    }
    CHECK(hear_all(endless).empty());
    const int good = connect_to(s.folder / "control.sock");
    say(good, "{\"command\":\"x\"}\n");
    CHECK(hear_all(good).starts_with("{\"result\""));
    CHECK(c.stop(std::chrono::seconds(5)));
    CHECK(hear_all(silent).empty());
    CHECK_FALSE(std::filesystem::exists(s.folder / "control.sock"));
}

TEST_CASE("more connections than the limit are closed at once") {
    const scratch s;
    control c(echo);
    REQUIRE(c.start(s.folder / "control.sock"));
    std::vector<int> silent;
    for (std::size_t i = 0; i < control_connections_max; ++i) silent.push_back(connect_to(s.folder / "control.sock"));
    CHECK(hear_all(connect_to(s.folder / "control.sock")).empty());
    for (const int fd : silent) close(fd);
}

TEST_CASE("a home whose path is too long for a socket address works all the same, and leaves no link behind") {
    const scratch s(std::string(100, 'a') + "/" + std::string(100, 'b'));
    control c(echo);
    REQUIRE(c.start(s.folder / "control.sock"));
    REQUIRE(std::filesystem::exists(s.folder / "control.sock"));
    const int fd = connect_to(s.folder / "control.sock");
    REQUIRE(fd >= 0);
    say(fd, "{\"command\":\"x\"}\n");
    CHECK(hear_all(fd).starts_with("{\"result\""));
    std::filesystem::path link;
    {
        const auto path = control_path::make(s.folder / "control.sock");
        link = std::filesystem::path(path->address().sun_path).parent_path();
        CHECK(std::filesystem::is_symlink(link));
    }
    CHECK_FALSE(std::filesystem::exists(link.parent_path()));
}

TEST_CASE("a socket left behind by a killed daemon is replaced") {
    const scratch s;
    { std::system(("touch '" + (s.folder / "control.sock").string() + "'").c_str()); }
    control c(echo);
    REQUIRE(c.start(s.folder / "control.sock"));
    const int fd = connect_to(s.folder / "control.sock");
    CHECK(fd >= 0);
    close(fd);
}
