#include "daemon/services/config.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

using namespace pp::services;

namespace {

// A file in a directory of its own that goes with it.
struct scratch {
    std::filesystem::path folder, file;
    explicit scratch(const std::string& text) {
        std::string name = (std::filesystem::temp_directory_path() / "pp-config-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()));
        folder = name;
        file = folder / "peerpost.toml";
        std::ofstream(file) << text;
    }
    ~scratch() { std::filesystem::remove_all(folder); }
};

config good(const std::string& text) {
    const scratch s(text);
    auto loaded = load_config(s.file);
    if (const auto* bad = std::get_if<config_error>(&loaded)) FAIL(bad->text);
    return std::get<config>(loaded);
}

// The sentence, after checking that it names the file.
std::string bad(const std::string& text) {
    const scratch s(text);
    const auto loaded = load_config(s.file);
    if (std::holds_alternative<config>(loaded)) return "no error";
    const auto sentence = std::get<config_error>(loaded).text;
    CHECK(sentence.find(s.file.string()) != sentence.npos);
    return sentence;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("no file and an empty file are the defaults") {
    const auto none = std::get<config>(load_config("/nonexistent/peerpost.toml"));
    const auto empty = good("");
    for (const auto& c : {none, empty}) {
        REQUIRE(c.imap.listen.size() == 2);
        CHECK(c.imap.listen[1] == listen_address{"::1", 1993, tls_mode::implicit});
        CHECK(c.smtp.listen[0] == listen_address{"127.0.0.1", 1465, tls_mode::implicit});
        CHECK(c.peer.listen[0] == listen_address{"0.0.0.0", 41443, tls_mode::implicit});
        CHECK(c.lan.enabled);
        CHECK(c.dht.mode == dht_mode::by_home);
        CHECK(c.sent == sent_rule::automatic);
    }
}

TEST_CASE("every key can be set") {
    const auto c = good(R"(sent = "server"
[imap]
listen = [{ address = "127.0.0.1", port = 1143, tls = "none" }, { address = "10.0.0.1", port = 0, tls = "starttls" }]
connections_max = 7
unauthenticated_max = 3
[smtp]
listen = []
connections_max = 9
[peer]
listen = [{ address = "::", port = 5 }]
connections_max = 11
[lan]
enabled = false
port = 99
[dht]
mode = "private"
listen = [{ address = "127.0.0.1", port = 6 }]
bootstrap = ["127.0.0.1:7", "node.example.org:8"]
[log]
level = "trace"
rawlog = "raw"
[limits]
mail_bytes_max = 1000000
reserve_bytes = 0
storage_bytes_max = 5000000
messages_max = 1000
)");
    CHECK(c.sent == sent_rule::server);
    REQUIRE(c.imap.listen.size() == 2);
    CHECK(c.imap.listen[0] == listen_address{"127.0.0.1", 1143, tls_mode::none});
    CHECK(c.imap.listen[1] == listen_address{"10.0.0.1", 0, tls_mode::starttls});
    CHECK(c.imap.connections_max == 7);
    CHECK(c.imap.unauthenticated_max == 3);
    CHECK(c.smtp.listen.empty());
    CHECK(c.smtp.connections_max == 9);
    CHECK(c.peer.listen == std::vector<listen_address>{{"::", 5, tls_mode::implicit}});
    CHECK(c.peer.connections_max == 11);
    CHECK_FALSE(c.lan.enabled);
    CHECK(c.lan.port == 99);
    CHECK(c.dht.mode == dht_mode::closed);
    CHECK(c.dht.listen == std::vector<listen_address>{{"127.0.0.1", 6, tls_mode::implicit}});
    CHECK(c.dht.bootstrap == std::vector<std::string>{"127.0.0.1:7", "node.example.org:8"});
    CHECK(c.log.level == "trace");
    CHECK(std::filesystem::path(c.log.rawlog).filename() == "raw");
    CHECK(std::filesystem::path(c.log.rawlog).is_absolute());
    CHECK(c.limits.mail_bytes_max == 1000000);
    CHECK(c.limits.reserve_bytes == 0);
    CHECK(c.limits.storage_bytes_max == 5000000);
    CHECK(c.limits.messages_max == 1000);
}

TEST_CASE("a mistake names line and key") {
    const auto [text, line, part] = GENERATE(table<std::string, int, std::string>({
        {"snet = \"auto\"", 1, "snet is unknown"},
        {"[imap]\nlisten = []\nports = 3", 3, "imap.ports is unknown"},
        {"\n\n[imaps]\nlisten = []", 3, "imaps is unknown"},
        {"imap = 3", 1, "imap must be a table"},
        {"sent = \"Auto\"", 1, "sent must be one of \"auto\", \"client\", \"server\""},
        {"sent = 1", 1, "sent must be one of"},
        {"[lan]\nenabled = \"yes\"", 2, "lan.enabled must be true or false"},
        {"[lan]\nport = 0", 2, "lan.port must be a whole number from 1 to 65535"},
        {"[lan]\nport = 65536", 2, "lan.port must be"},
        {"[lan]\nport = -1", 2, "lan.port must be"},
        {"[lan]\nport = 1.5", 2, "lan.port must be"},
        {"[lan]\nport = \"80\"", 2, "lan.port must be"},
        {"[imap]\nconnections_max = 0", 2, "imap.connections_max must be"},
        {"[imap]\nlisten = 1993", 2, "imap.listen must be a list"},
        {"[imap]\nlisten = [1993]", 2, "imap.listen every entry must be a table"},
        {"[imap]\nlisten = [{ port = 1 }]", 2, "imap.listen an entry has no address"},
        {"[imap]\nlisten = [{ address = \"::1\" }]", 2, "imap.listen an entry has no port"},
        {"[imap]\nlisten = [{ address = \"localhost\", port = 1 }]", 2, "imap.listen.address must be an IP address"},
        {"[imap]\nlisten = [{ address = \"::1\", port = 70000 }]", 2, "imap.listen.port must be"},
        {"[imap]\nlisten = [{ address = \"::1\", port = 1, tls = \"ssl\" }]", 2, "imap.listen.tls must be one of"},
        {"[imap]\nlisten = [\n{ address = \"::1\", port = 1 },\n{ address = \"::1\", port = 1 }]", 4, "twice"},
        {"[peer]\nlisten = [{ address = \"::\", port = 1, tls = \"none\" }]", 2, "peer.listen.tls is unknown"},
        {"[dht]\nmode = \"on\"", 2, "dht.mode must be one of \"off\", \"private\", \"mainline\""},
        {"[dht]\npublish = \"all\"", 2, "dht.publish must be one of \"full\", \"relay-only\", \"off\""},
        {"[requests]\nwork_bits = 17", 2, "requests.work_bits must be a whole number from 0 to 16"},
        {"[dht]\nbootstrap = \"a:1\"", 2, "dht.bootstrap must be a list"},
        {"[dht]\nbootstrap = [\"node.example.org\"]", 2, "dht.bootstrap every entry must be a host and port"},
        {"[log]\nlevel = \"loud\"", 2, "log.level must be one of"},
        {"[log]\nrawlog = true", 2, "log.rawlog must be a directory"},
        {"[limits]\nmail_bytes_max = 10", 2, "limits.mail_bytes_max must be"},
        {"sent = ", 1, ""},
        {"[imap]\nlisten = [\n", 2, "end-of-file"},
    }));
    INFO(text);
    const auto sentence = bad(text);
    INFO(sentence);
    CHECK(has(sentence, ", line " + std::to_string(line) + ":"));
    CHECK(has(sentence, part));
}

TEST_CASE("no TLS is refused beyond loopback, and only there") {
    const auto with = [](const std::string& address) {
        return "[smtp]\nlisten = [{ address = \"" + address + "\", port = 25, tls = \"none\" }]";
    };
    for (const auto* address : {"0.0.0.0", "::", "192.168.1.2", "128.0.0.1", "fe80::1", "::ffff:127.0.0.1"})
        CHECK(has(bad(with(address)), "line 2: smtp.listen tls = \"none\" is possible on loopback addresses only"));
    for (const auto* address : {"127.0.0.1", "127.8.9.1", "::1"}) CHECK(good(with(address)).smtp.listen.size() == 1);
}

TEST_CASE("what is no readable file is an error") {
    const scratch s("");
    CHECK(has(std::get<config_error>(load_config(s.folder)).text, "is not a file"));
    CHECK(has(bad(std::string((1 << 20) + 1, '#')), "larger than 1 MiB"));
}

TEST_CASE("the explanation is a configuration that says the defaults, and names every key") {
    const auto text = explain_config();
    good(text);
    const auto uncommented = std::regex_replace(text, std::regex("(^|\n)# ([a-z_]+ = )"), "$1$2");
    const auto c = good(uncommented);
    const config d;
    CHECK(c.imap.listen == d.imap.listen);
    CHECK(c.imap.connections_max == d.imap.connections_max);
    CHECK(c.imap.unauthenticated_max == d.imap.unauthenticated_max);
    CHECK(c.smtp.listen == d.smtp.listen);
    CHECK(c.smtp.connections_max == d.smtp.connections_max);
    CHECK(c.peer.listen == d.peer.listen);
    CHECK(c.peer.connections_max == d.peer.connections_max);
    CHECK(c.lan.enabled == d.lan.enabled);
    CHECK(c.lan.port == d.lan.port);
    CHECK(c.dht.mode == dht_mode::mainline);   // what it is in a new home
    CHECK(c.dht.publish == d.dht.publish);
    CHECK(c.requests.work_bits == d.requests.work_bits);
    CHECK(c.dht.listen == d.dht.listen);
    CHECK(c.dht.bootstrap == d.dht.bootstrap);
    CHECK(c.log.level == d.log.level);
    CHECK(c.log.rawlog == d.log.rawlog);
    CHECK(c.limits.mail_bytes_max == d.limits.mail_bytes_max);
    CHECK(c.limits.reserve_bytes == d.limits.reserve_bytes);
    CHECK(c.limits.storage_bytes_max == d.limits.storage_bytes_max);
    CHECK(c.limits.messages_max == d.limits.messages_max);
    CHECK(c.sent == d.sent);
    for (const auto* key : {"sent", "listen", "connections_max", "unauthenticated_max", "enabled", "port", "mode",
                            "bootstrap", "level", "rawlog", "mail_bytes_max", "reserve_bytes", "storage_bytes_max",
                            "messages_max"})
        CHECK(has(uncommented, std::string("\n") + key + " = "));
}

TEST_CASE("the packaged example is the explanation") {
    std::ifstream in(std::filesystem::path(PEERPOST_SOURCE_DIR) / "packaging" / "peerpost.toml.example");
    std::ostringstream packaged;
    packaged << in.rdbuf();
    CHECK(packaged.str() == explain_config());
}
