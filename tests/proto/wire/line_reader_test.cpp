#include "proto/wire/line_reader.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace pp;
using got = wire::line_reader::got;

namespace {

// Every line of the text in pieces of a size; "!" for one that is too long.
std::vector<std::string> lines_of(std::string_view text, std::size_t piece, std::size_t max, std::size_t& most_held) {
    wire::line_reader reader;
    wire::input_buffer in;
    std::vector<std::string> out;
    most_held = 0;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        in.append(as_bytes(text.substr(at, piece)));
        std::string line;
        for (auto what = reader.take(in, max, line); what != got::more; what = reader.take(in, max, line))
            out.push_back(what == got::line ? line : "!" + line);
        most_held = std::max(most_held, in.size());
    }
    return out;
}

}  // namespace

TEST_CASE("lines are the same wherever the input is cut, and bounded", "[wire]") {
    const std::string text =
        "a\r\n\r\nbare\n12345678\r\n123456789\r\n" + std::string(1000, 'x') + "\r\n1234\r5678\nend\r\n";
    const std::vector<std::string> expected{"a\r\n", "\r\n", "bare\n", "12345678\r\n", "!", "!", "!", "end\r\n"};
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        std::size_t held = 0;
        INFO("pieces of " << piece);
        CHECK(lines_of(text, piece, 8, held) == expected);
        CHECK(held <= 8 + 1);   // and CR
    }
    CHECK(wire::without_line_end("a\r\n") == "a");
    CHECK(wire::without_line_end("a\n") == "a");
    CHECK(wire::without_line_end("a\r\r\n") == "a\r");
    CHECK(wire::without_line_end("") == "");
}

TEST_CASE("the words of a web page", "[wire]") {
    for (const auto* line : {"GET / HTTP/1.1", "POST /x", "put /", "OPTIONS *", "PRI * HTTP/2.0", "x y HTTP/1.0",
                             "DELETE\t", "HEAD\r\n"})
        CHECK(wire::looks_like_http(line));
    for (const auto* line : {"", "GE", "GET", "GETX /", "a1 LOGIN x y", "NOOP", "USER get", "HELO HTTP", "QUIT\r\n"})
        CHECK_FALSE(wire::looks_like_http(line));
}
