#include "daemon/engine/router.hpp"
#include "tests/engine/accounts.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace pp;
using engine::route_to;

namespace {

smtp::reply refused(const std::string& domain) {
    const auto r = route_to({"anna", domain}, {accounts::key(1)});
    INFO(domain);
    REQUIRE(std::holds_alternative<smtp::reply>(r));
    return std::get<smtp::reply>(r);
}

}  // namespace

TEST_CASE("an address of this node is local, any other label a peer's, whatever the local part and case") {
    const std::set<crypto::account_key> local{accounts::key(1), accounts::key(2)};
    CHECK(route_to({"anna", accounts::domain(1)}, local) == engine::route(engine::to_local{accounts::key(1)}));
    CHECK(route_to({"a+shop", accounts::domain(2)}, local) == engine::route(engine::to_local{accounts::key(2)}));
    CHECK(route_to({"anna", accounts::domain(3)}, local) == engine::route(engine::to_peer{accounts::key(3)}));
    auto loud = accounts::domain(1);
    std::transform(loud.begin(), loud.end(), loud.begin(), [](char c) { return static_cast<char>(std::toupper(c)); });
    CHECK(route_to({"anna", loud}, local) == engine::route(engine::to_local{accounts::key(1)}));
}

TEST_CASE("every single typing error in a label is told as one") {
    const auto good = accounts::domain(7);
    for (std::size_t i = 0; i < 56; ++i) {
        auto wrong = good;
        wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
        const auto r = refused(wrong);
        CHECK(r.code == 550);
        CHECK(r.enhanced == "5.1.1");
        CHECK(r.text.find("mistyped") != std::string::npos);
    }
    CHECK(refused(good.substr(1)).enhanced == "5.1.1");
    CHECK(refused("x" + good).enhanced == "5.1.1");
    CHECK(refused("mail." + good).enhanced == "5.1.1");
    CHECK(refused("1" + good.substr(1)).enhanced == "5.1.1");
}

TEST_CASE("other domains need a gateway") {
    for (const char* domain : {"example.org", "peerpost.alt", ".peerpost.alt", "xpeerpost.alt", "[127.0.0.1]", ""}) {
        const auto r = refused(domain);
        CHECK(r.code == 550);
        CHECK(r.enhanced == "5.1.2");
        CHECK(r.text == "no gateway is configured; peerpost can reach addresses that end in .peerpost.alt");
    }
    CHECK(refused("localhost").enhanced == "5.1.1");
}

TEST_CASE("Postmaster is the owner") {   // RFC 5321 section 4.5.1
    for (const char* name : {"postmaster", "Postmaster", "POSTMASTER"})
        CHECK(route_to({name, "LocalHost"}, {accounts::key(1)}) == engine::route(engine::to_local{accounts::key(1)}));
    CHECK(std::holds_alternative<smtp::reply>(route_to({"postmaster", "localhost"}, {})));
    CHECK(std::holds_alternative<smtp::reply>(route_to({"postmaster", "example.org"}, {accounts::key(1)})));
}

TEST_CASE("belongs_to is exact about the account") {
    CHECK(engine::belongs_to(accounts::domain(1), accounts::key(1)));
    CHECK_FALSE(engine::belongs_to(accounts::domain(2), accounts::key(1)));
    CHECK_FALSE(engine::belongs_to("x." + accounts::domain(1), accounts::key(1)));
    CHECK_FALSE(engine::belongs_to(accounts::domain(1) + ".example.org", accounts::key(1)));
    CHECK_FALSE(engine::belongs_to("", accounts::key(1)));
}
