#include "proto/sasl/response.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using kind = sasl::client_response::kind;
using namespace std::string_view_literals;

TEST_CASE("a SASL response line is base64, empty or a cancellation", "[sasl]") {
    CHECK(sasl::read_response("*").what == kind::cancelled);
    CHECK(sasl::read_response("").what == kind::text);
    CHECK(sasl::read_response("").text.empty());
    const auto plain = sasl::read_response("AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
    CHECK(plain.what == kind::text);
    CHECK(plain.text == "\0tim\0tanstaaftanstaaf"sv);
    CHECK(sasl::read_response("=").what == kind::bad);
    CHECK(sasl::read_response("not base64").what == kind::bad);
    CHECK(sasl::read_response(std::string(sasl::response_line_bytes_max + 4, 'A')).what == kind::bad);
}

TEST_CASE("an initial response writes the empty text as '='", "[sasl]") {
    CHECK(sasl::read_initial_response("=").what == kind::text);
    CHECK(sasl::read_initial_response("=").text.empty());
    CHECK(sasl::read_initial_response("").what == kind::bad);
    CHECK(sasl::read_initial_response("*").what == kind::bad);
    CHECK(sasl::read_initial_response("YQ==").text == "a");
}
