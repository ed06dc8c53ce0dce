#include "daemon/engine/endpoints.hpp"

#include <catch2/catch.hpp>

using namespace pp::engine;
using strings = std::vector<std::string>;

TEST_CASE("endpoints are host:port, IPv6 in brackets") {
    for (const char* good : {"192.0.2.1:41443", "[2001:db8::1]:1", "example.org:65535", "a-b.example:80",
                             "localhost:9"}) {
        const auto e = parse_endpoint(good);
        INFO(good);
        REQUIRE(e);
        CHECK(format(*e) == good);
    }
    for (const char* bad : {"", ":", ":1", "host", "host:", "host:0", "host:65536", "host:-1", "host:+1", "host: 1",
                            "host:1x", "2001:db8::1:80", "[]:1", "[192.0.2.1]:1", "[::1:1", "::1]:1", "[2001:db8::g]:1",
                            "a b:1", "-a:1", "a-:1", "a..b:1", ".a:1", "1.2.3:1", "1.2.3.4.5:1", "256.1.1.1:1",
                            "ho\nst:1", "../x:1", "[fe80::1%eth0]:1"}) {
        INFO(bad);
        CHECK_FALSE(parse_endpoint(bad));
    }
    CHECK_FALSE(parse_endpoint(std::string(200, 'a') + ":1"));
    CHECK_FALSE(parse_endpoint(std::string_view("127.0.0.1\0x:1", 13)));
}

TEST_CASE("addresses by where they lead") {
    const std::pair<const char*, address_kind> cases[] = {
        {"8.8.8.8", address_kind::global}, {"10.1.2.3", address_kind::local}, {"172.15.0.1", address_kind::global},
        {"172.31.0.1", address_kind::local}, {"172.32.0.1", address_kind::global}, {"192.168.0.1", address_kind::local},
        {"100.64.0.1", address_kind::local}, {"127.9.9.9", address_kind::loopback},
        {"169.254.1.1", address_kind::link_local}, {"0.0.0.0", address_kind::unspecified},
        {"0.1.2.3", address_kind::unspecified}, {"224.0.0.1", address_kind::multicast},
        {"255.255.255.255", address_kind::multicast}, {"::", address_kind::unspecified},
        {"::1", address_kind::loopback}, {"fe80::1", address_kind::link_local}, {"ff02::1", address_kind::multicast},
        {"fd00::1", address_kind::local}, {"2001:db8::1", address_kind::global},
        {"::ffff:127.0.0.1", address_kind::loopback}, {"::ffff:10.0.0.1", address_kind::local},
        {"::7f00:1", address_kind::loopback}, {"64:ff9b::7f00:1", address_kind::loopback},
        {"example.org", address_kind::name}, {"localhost", address_kind::loopback},
        {"x.localhost", address_kind::loopback}};
    for (const auto& [host, kind] : cases) {
        INFO(host);
        CHECK(kind_of(host) == kind);
    }
}

TEST_CASE("LAN first, then what worked, then what the DHT says, then the record; each once") {
    known_endpoints known;
    known.lan = {"192.168.1.5:41443"};
    known.last_good = {"203.0.113.9:41443", "192.168.1.5:41443"};
    known.found = {"203.0.113.77:41443", "192.168.1.5:41443"};
    known.record = {"127.0.0.1:25", "[::1]:25", "[::ffff:127.0.0.1]:25", "localhost:25", "169.254.0.1:1", "0.0.0.0:1",
                    "224.0.0.1:1", "[fe80::1]:1", "nonsense", "203.0.113.9:41443", "home.example.org:41443"};
    const auto texts = [](const std::vector<endpoint>& list) {
        strings out;
        for (const auto& e : list) out.push_back(format(e));
        return out;
    };
    CHECK(texts(candidates(known, false)) == strings{"192.168.1.5:41443", "203.0.113.9:41443", "203.0.113.77:41443",
                                                    "home.example.org:41443"});
    CHECK(candidates(known, true).size() == 8);
    for (const bool own_there : {false, true})
        for (const auto& e : candidates(known, own_there)) CHECK(e.may_be_here == own_there);
    CHECK(may_be_dialled("192.168.1.5", false));
    for (const char* never : {"169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.1.1"})
        CHECK_FALSE(may_be_dialled(never, true));
    for (const char* here : {"127.0.0.1", "::1", "::ffff:127.0.0.1", "localhost"}) {
        CHECK_FALSE(may_be_dialled(here, false));
        CHECK(may_be_dialled(here, true));
    }
    known.record.assign(100, "");
    for (int i = 0; i < 100; ++i) known.record[static_cast<std::size_t>(i)] = "198.51.100.1:" + std::to_string(i + 1);
    CHECK(candidates(known, false).size() == candidates_max);
}

TEST_CASE("what we tell others of ourselves") {
    const strings interfaces = {"127.0.0.1", "::1", "192.168.1.7", "fe80::7", "2001:db8::7", "169.254.3.3"};
    CHECK(own_endpoints({}, {"0.0.0.0", "::"}, 41443, interfaces) ==
          strings{"[2001:db8::7]:41443", "192.168.1.7:41443"});
    CHECK(own_endpoints({}, {"::"}, 41443, interfaces) == strings{"[2001:db8::7]:41443"});
    CHECK(own_endpoints({}, {"0.0.0.0"}, 41443, interfaces) == strings{"192.168.1.7:41443"});
    CHECK(own_endpoints({}, {"127.0.0.1"}, 9, interfaces) == strings{"127.0.0.1:9"});
    CHECK(own_endpoints({}, {"127.0.0.1", "192.168.1.7"}, 9, interfaces) == strings{"192.168.1.7:9", "127.0.0.1:9"});
    CHECK(own_endpoints({}, {"0.0.0.0"}, 9, {"127.0.0.1", "::1"}) == strings{"127.0.0.1:9"});    // no network at all
    CHECK(own_endpoints({"mail.example.org:443"}, {"0.0.0.0"}, 9, interfaces) ==
          strings{"mail.example.org:443", "192.168.1.7:9"});
    CHECK(own_endpoints({"mail.example.org:443"}, {"0.0.0.0"}, 9, {"127.0.0.1"}) == strings{"mail.example.org:443"});
    CHECK(own_endpoints({}, {}, 9, interfaces).empty());
}
