#include "proto/sasl/login.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace pp;
using step = sasl::login_exchange::step;
using namespace std::string_view_literals;

TEST_CASE("LOGIN asks for the user, then for the password", "[sasl]") {
    sasl::login_exchange exchange;
    CHECK(exchange.challenge() == "Username:");
    CHECK(exchange.respond("ann") == step::asking_password);
    CHECK(exchange.challenge() == "Password:");
    CHECK(exchange.respond("secret") == step::done);
    CHECK(exchange.challenge().empty());
    CHECK(exchange.result().user == "ann");
    CHECK(exchange.result().password == "secret");
    CHECK(exchange.respond("again") == step::done);
    CHECK(exchange.result().password == "secret");
}

TEST_CASE("LOGIN refuses empty, too long and NUL answers, and stays refused", "[sasl]") {
    for (const auto& bad : {std::string(), std::string(sasl::plain_field_bytes_max + 1, 'x'), std::string("a\0b"sv)}) {
        sasl::login_exchange at_user;
        CHECK(at_user.respond(bad) == step::refused);
        CHECK(at_user.respond("ann") == step::refused);
        sasl::login_exchange at_password;
        CHECK(at_password.respond("ann") == step::asking_password);
        CHECK(at_password.respond(bad) == step::refused);
        CHECK(at_password.challenge().empty());
    }
}
