#include "daemon/services/qr.hpp"

#include <catch2/catch.hpp>
#include <zlib.h>

#include <algorithm>
#include <cstdint>

using namespace pp::services;

namespace {

std::uint32_t u32(const std::string& s, std::size_t at) {
    std::uint32_t n = 0;
    for (std::size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(s.at(at + i));
    return n;
}

}  // namespace

TEST_CASE("a QR picture is a well-formed PNG: signature, three chunks with right checksums, right size of pixels") {
    const auto png = qr_png("peerpost:invite/" + std::string(900, 'A'));
    REQUIRE(png.substr(0, 8) == "\x89PNG\r\n\x1a\n");
    std::size_t at = 8;
    std::vector<std::string> types;
    std::uint32_t width = 0, height = 0;
    std::string pixels;
    while (at < png.size()) {
        const auto n = u32(png, at);
        const auto type = png.substr(at + 4, 4);
        const auto body = png.substr(at + 4, 4 + n);
        REQUIRE(u32(png, at + 8 + n) == crc32(0, reinterpret_cast<const Bytef*>(body.data()), body.size()));
        if (type == "IHDR") width = u32(png, at + 8), height = u32(png, at + 12);
        if (type == "IDAT") {
            pixels.resize(1 << 20);
            uLongf size = pixels.size();
            REQUIRE(uncompress(reinterpret_cast<Bytef*>(pixels.data()), &size,
                               reinterpret_cast<const Bytef*>(png.data() + at + 8), n) == Z_OK);
            pixels.resize(size);
        }
        types.push_back(type);
        at += 12 + n;
    }
    CHECK(types == std::vector<std::string>{"IHDR", "IDAT", "IEND"});
    CHECK(width == height);
    REQUIRE(pixels.size() == height * (1 + (width + 7) / 8));
    // The first row is quiet zone: light everywhere (the padding bits of the last byte are free).
    CHECK(std::all_of(pixels.begin() + 1, pixels.begin() + width / 8, [](char c) { return c == '\xff'; }));
}

TEST_CASE("a QR code in the terminal is square: two modules a line, every line of the same width") {
    const auto text = qr_terminal("peerpost:invite/abc");
    const auto lines = std::count(text.begin(), text.end(), '\n');
    CHECK(lines >= (21 + 8 + 1) / 2);
    CHECK(text.find("\u2588") != text.npos);
    const auto side = qr_columns("peerpost:invite/abc");
    CHECK((side == 2 * static_cast<std::size_t>(lines) || side + 1 == 2 * static_cast<std::size_t>(lines)));
    CHECK(qr_columns("") == 0);
}

TEST_CASE("what does not fit in a QR code gives nothing") {
    CHECK(qr_png("").empty());
    CHECK(qr_terminal("").empty());
    CHECK_FALSE(qr_png(std::string(qr_text_bytes_max, 'x')).empty());
    CHECK(qr_png(std::string(qr_text_bytes_max + 1, 'x')).empty());
    CHECK(qr_terminal(std::string(qr_text_bytes_max + 1, 'x')).empty());
}
