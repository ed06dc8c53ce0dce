#include "daemon/services/log.hpp"
#include "daemon/services/rawlog.hpp"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace pp;
using namespace pp::services;

namespace {

struct captured {
    std::vector<std::string> lines;
    captured() {
        redirect_log([this](std::string_view line) { lines.emplace_back(line); });
    }
    ~captured() { redirect_log(nullptr); }
};

std::string read_file(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

struct piece {
    bool in;
    std::string text;
};

// What the two files hold after the pieces, each given in two parts cut at cut.
std::pair<std::string, std::string> raw(std::string_view protocol, const std::vector<piece>& pieces, std::size_t cut) {
    std::string name = (std::filesystem::temp_directory_path() / "pp-raw-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    config c;
    c.log.rawlog = name + "/deep/raw";
    {
        const auto log = rawlog::open(c, protocol);
        REQUIRE(log);
        for (const auto& p : pieces) {
            const auto at = std::min(cut, p.text.size());
            for (const auto& part : {p.text.substr(0, at), p.text.substr(at)})
                p.in ? log->in(as_bytes(part)) : log->out(as_bytes(part));
        }
    }
    std::pair<std::string, std::string> both;
    struct stat info {};
    REQUIRE(stat(c.log.rawlog.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0700);
    for (const auto& entry : std::filesystem::directory_iterator(c.log.rawlog)) {
        REQUIRE(stat(entry.path().c_str(), &info) == 0);
        CHECK((info.st_mode & 0777) == 0600);
        (entry.path().extension() == ".in" ? both.first : both.second) = read_file(entry.path());
    }
    std::filesystem::remove_all(name);
    return both;
}

}  // namespace

TEST_CASE("a line has area and fields, and no control character from outside") {
    captured out;
    start_log(config{});
    log(area::peer).info("link={} event=ended reason={}", 41, field("bye\r\narea=main \"x\""));
    log(area::peer).info("raw\nline");
    log(area::peer).debug("not at this level");
    REQUIRE(out.lines.size() == 2);
    CHECK(out.lines[0].find("Z info area=peer link=41 event=ended reason=\"bye\\x0d\\x0aarea=main \\\"x\\\"\"") !=
          std::string::npos);
    CHECK(out.lines[1].find('\n') == std::string::npos);
}

TEST_CASE("the level of the configuration counts") {
    captured out;
    config c;
    c.log.level = "error";
    start_log(c);
    log(area::imap).warn("a");
    log(area::imap).error("b");
    CHECK(out.lines.size() == 1);
    c.log.level = "trace";
    start_log(c);
    log(area::imap).trace("c");
    CHECK(out.lines.size() == 2);
}

TEST_CASE("lines that differ in numbers only are limited; others and trace lines are not") {
    captured out;
    config c;
    c.log.level = "trace";
    start_log(c);
    for (int i = 0; i < 1000; ++i) log(area::imap).warn("session={} event=bad_login", i);
    CHECK(out.lines.size() == log_repeats_max);
    log(area::imap).warn("event=other");
    log(area::smtp).warn("session=1 event=bad_login");
    CHECK(out.lines.size() == log_repeats_max + 2);
    for (int i = 0; i < 100; ++i) log(area::imap).trace("bytes={}", i);
    CHECK(out.lines.size() == log_repeats_max + 102);
}

TEST_CASE("values are quoted when they must be") {
    CHECK(field("ab12cd") == "ab12cd");
    CHECK(field("") == "\"\"");
    CHECK(field("a b") == "\"a b\"");
    CHECK(field("a=b") == "\"a=b\"");
    CHECK(field(std::string(300, 'x')).size() == 205);
}

TEST_CASE("a raw log of IMAP hides credentials, wherever the stream is cut") {
    const std::vector<piece> pieces{
        {false, "* OK ready\r\n"},
        {true, "a0 CAPABILITY\r\na1 LOGIN user {6}\r\n"},
        {false, "* CAPABILITY IMAP4rev1\r\na0 OK done\r\n+ go on\r\n"},
        {true, "sesame\r\n"},
        {false, "a1 NO wrong\r\n"},
        {true, "a2 login user sesame\r\n"},
        {false, "a2 NO wrong\r\n"},
        {true, "a1 AUTHENTICATE PLAIN\r\n"},
        {false, "+ \r\n"},
        {true, "sesame\r\n"},
        {false, "a1 OK welcome\r\n"},
        {true, "a3 SELECT INBOX\r\na4 NO"},
        {true, "OP\r\n"},
        {false, "a3 OK"},
        {false, " selected\r\n"},
    };
    for (std::size_t cut = 0; cut < 40; ++cut) {
        const auto [in, out] = raw("imap", pieces, cut);
        INFO(in);
        CHECK(in.find("sesame") == in.npos);
        CHECK(in.find("user") == in.npos);
        CHECK(in.starts_with("a0 CAPABILITY\r\na1 LOGIN ***\r\n"));
        CHECK(in.ends_with("a3 SELECT INBOX\r\na4 NOOP\r\n"));
        CHECK(out.starts_with("* OK ready\r\n* CAPABILITY"));
        CHECK(out.ends_with("a1 OK welcome\r\na3 OK selected\r\n"));
    }
}

TEST_CASE("a raw log of SMTP hides credentials; what follows the login is whole") {
    const std::vector<piece> pieces{
        {true, "EHLO me\r\nauth plain c2VzYW1l\r\n"},
        {false, "250 hello\r\n535 5.7.8 no\r\n"},
        {true, "AUTH LOGIN\r\n"},
        {false, "334 VXNlcg==\r\n"},
        {true, "c2VzYW1l\r\n"},
        {false, "235 2.7.0 yes\r\n"},
        {true, "MAIL FROM:<a@b>\r\nAUTH is a word of the mail"},
    };
    for (std::size_t cut = 0; cut < 40; ++cut) {
        const auto [in, out] = raw("smtp", pieces, cut);
        INFO(in);
        CHECK(in.find("c2VzYW1l") == in.npos);
        CHECK(in.starts_with("EHLO me\r\nAUTH ***\r\n"));
        CHECK(in.ends_with("MAIL FROM:<a@b>\r\nAUTH is a word of the mail"));
    }
}

TEST_CASE("an unfinished line before the login is never written as it is") {
    const auto [in, out] = raw("imap", {{true, "a1 LOGIN user sesame"}}, 5);
    CHECK(in == "***");
    const auto [long_in, long_out] = raw("imap", {{true, std::string(200000, 'x')}, {true, "sesame\r\nsesame\r\n"}}, 7);
    CHECK(long_in.find("sesame") == long_in.npos);
    CHECK(long_in.find('x') == long_in.npos);
}

TEST_CASE("a raw log of POP3 hides the password, also when it was sent ahead and refused") {
    const std::vector<piece> pieces{
        {false, "+OK ready\r\n"},
        {true, "USER anna\r\nPASS wrong sesame\r\n"},
        {false, "+OK now the password\r\n-ERR [AUTH] wrong\r\n"},
        {true, "USER anna\r\nPASS sesame\r\n"},
        {false, "+OK now the password\r\n+OK the maildrop has 2 messages\r\n"},
        {true, "RETR 1\r\n"},
        {false, "+OK 5 octets\r\n"}};
    for (std::size_t cut = 0; cut < 40; ++cut) {
        const auto [in, out] = raw("pop3", pieces, cut);
        INFO("cut at " << cut);
        CHECK(in.find("sesame") == in.npos);
        CHECK(in.find("PASS ***") != in.npos);
        CHECK(in.find("RETR 1\r\n") != in.npos);
        CHECK(out.find("+OK 5 octets\r\n") != out.npos);
    }
}

TEST_CASE("without rawlog in the configuration there is none") { CHECK_FALSE(rawlog::open(config{}, "imap")); }
