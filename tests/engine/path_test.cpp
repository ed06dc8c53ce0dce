// The words of `status` for a connection.
#include "daemon/engine/path.hpp"

#include <catch2/catch.hpp>

using namespace pp::engine;

TEST_CASE("the path of a connection to a listener", "[path]") {
    CHECK(path_of("192.168.1.2", "192.168.1.7", false) == path::lan);
    CHECK(path_of("127.0.0.1", "127.0.0.1", true) == path::lan);
    CHECK(path_of("fe80::1", "fe80::2", false) == path::lan);
    CHECK(path_of("192.168.1.2", "5.6.7.8", false) == path::direct);
    CHECK(path_of("5.6.7.9", "5.6.7.8", true) == path::direct);
    CHECK(path_of("192.168.1.2", "5.6.7.8", true) == path::mapped);
    CHECK(path_of("2001:470::1", "2001:470::2", true) == path::ipv6);
    CHECK(to_string(path::punched) == "punched");
    CHECK(to_string(path::relay) == "relay");
}
