// The router out of /proc/net/route.
#include "daemon/engine/route_table.hpp"

#include <catch2/catch.hpp>

using pp::engine::default_gateway;

TEST_CASE("the default gateway is the cheapest route to everything", "[route]") {
    const std::string head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
    CHECK_FALSE(default_gateway("").has_value());
    CHECK_FALSE(default_gateway(head).has_value());
    const std::string lan = "eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
    CHECK_FALSE(default_gateway(head + lan).has_value());
    const std::string router = "eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n";
    const std::string dear = "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n";
    CHECK(default_gateway(head + router + lan) == "192.168.1.1");
    CHECK(default_gateway(head + dear + router) == "192.168.1.1");
    CHECK(default_gateway(head + dear) == "192.168.2.1");
    const std::string down = "eth0\t00000000\t0101A8C0\t0002\t0\t0\t100\t00000000\t0\t0\t0\n";
    CHECK_FALSE(default_gateway(head + down).has_value());
    CHECK_FALSE(default_gateway("eth0 00000000 zz 0003 0 0 0 00000000\nx y\n").has_value());
}
