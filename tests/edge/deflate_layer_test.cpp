#include "daemon/net/deflate_layer.hpp"

#include <catch2/catch.hpp>

#include <zlib.h>

#include <algorithm>

using namespace pp;
using namespace pp::net;

namespace {

// What the layer inflates of these bytes when they come `step` at a time and are read `room` at a time.
std::string inflated(deflate_layer& layer, bytes_view in, std::size_t step, std::size_t room, bool& broken) {
    std::string out;
    bytes into(room);
    broken = false;
    while (!in.empty() && !broken) {
        const auto space = layer.read_room();
        REQUIRE(!space.empty());
        const auto n = std::min({step, in.size(), space.size()});
        std::copy_n(in.begin(), n, space.begin());
        layer.came(n);
        in = in.subspan(n);
        while (const auto got = layer.inflate(into, broken)) out += as_text(bytes_view(into).first(got));
    }
    return out;
}

bytes deflated(std::string_view text, int flush = Z_SYNC_FLUSH, int window = -15) {
    z_stream z{};
    REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    bytes out(text.size() + 1000);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z.avail_in = static_cast<uInt>(text.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, flush);
    out.resize(out.size() - z.avail_out);
    deflateEnd(&z);
    return out;
}

std::string some_text(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * i % 977) + "\r\n";
    return text;
}

}  // namespace

TEST_CASE("what one side compresses the other reads, in any pieces", "[deflate]") {   // RFC 4978
    const auto text = some_text(200000);
    for (const std::size_t step : {1u, 7u, 4096u})
        for (const std::size_t room : {1u, 100u, 65536u}) {
            auto sender = deflate_layer::make(), receiver = deflate_layer::make();
            REQUIRE(sender);
            bytes wire;
            // Each piece can be read as soon as it is there.
            for (std::size_t at = 0; at < text.size(); at += 50000) {
                bytes piece;
                REQUIRE(sender->compress(as_bytes(std::string_view(text).substr(at, 50000)), piece));
                bool broken = false;
                CHECK(inflated(*receiver, piece, step, room, broken) == text.substr(at, 50000));
                CHECK_FALSE(broken);
                wire.insert(wire.end(), piece.begin(), piece.end());
            }
            CHECK(wire.size() < text.size() / 4);
        }
}

TEST_CASE("the whole window of another sender is understood", "[deflate]") {
    std::string text(40000, 'x');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7919 % 25);
    text += text;   // repeats 32 KiB and more back
    auto layer = deflate_layer::make();
    bool broken = false;
    CHECK(inflated(*layer, deflated(text), 4096, 4096, broken) == text);
    CHECK_FALSE(broken);
}

TEST_CASE("a bomb comes out in pieces of the reader's size", "[deflate]") {
    const std::string much(32 << 20, 'x');
    const auto bomb = deflated(much);
    CHECK(bomb.size() < 64 * 1024);
    auto layer = deflate_layer::make();
    bool broken = false;
    std::size_t total = 0;
    bytes into(4096);
    bytes_view in = bomb;
    while (!in.empty()) {
        const auto space = layer->read_room();
        const auto n = std::min(in.size(), space.size());
        std::copy_n(in.begin(), n, space.begin());
        layer->came(n);
        in = in.subspan(n);
        while (const auto got = layer->inflate(into, broken)) total += got;
    }
    CHECK(total == much.size());
}

TEST_CASE("what is no deflate stream, and one that ends, is broken", "[deflate]") {
    bool broken = false;
    auto layer = deflate_layer::make();
    inflated(*layer, as_bytes(std::string_view("b1 NOOP\r\nb2 NOOP\r\n")), 4096, 4096, broken);
    CHECK(broken);
    layer = deflate_layer::make();
    CHECK(inflated(*layer, deflated("a1 NOOP\r\n", Z_FINISH), 4096, 4096, broken) == "a1 NOOP\r\n");
    CHECK(broken);
    layer = deflate_layer::make();
    auto wire = deflated(some_text(1000));
    wire[0] = std::byte{0x07};   // a block type that does not exist
    inflated(*layer, wire, 1, 4096, broken);
    CHECK(broken);
}
