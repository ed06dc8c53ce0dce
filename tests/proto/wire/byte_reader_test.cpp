#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"
#include "proto/wire/clean_text.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::wire;

TEST_CASE("what byte_writer writes byte_reader reads, and every cut is seen") {
    byte_writer out;
    out.u8(1).u16(0x0203).u24(0x040506).u32(0x0708090a).u64(0x0b0c0d0e0f101112).i64(-2).text8("\xc3\xa4!", 8);
    out.sized16(to_bytes("abc")).sized32(to_bytes("de")).fixed(crypto::hash256{});
    CHECK(crypto::hex(out.view().first(18)) == "0102030405060708090a0b0c0d0e0f101112");
    for (std::size_t cut = 0; cut <= out.size(); ++cut) {
        INFO("cut after byte " << cut);
        byte_reader in(out.view().first(cut));
        const auto a = in.u8();
        const auto b = in.u16();
        const auto c = in.u24();
        const auto d = in.u32();
        const auto e = in.u64();
        const auto f = in.i64();
        const auto g = in.text8(8);
        const auto h = in.sized16(3);
        const auto i = in.sized32(2);
        in.fixed<crypto::hash256>();
        CHECK(in.complete() == (cut == out.size()));
        if (cut < out.size()) continue;
        CHECK(a == 1);
        CHECK(b == 0x0203);
        CHECK(c == 0x040506);
        CHECK(d == 0x0708090a);
        CHECK(e == 0x0b0c0d0e0f101112);
        CHECK(f == -2);
        CHECK(g == "\xc3\xa4!");
        CHECK(as_text(h) == "abc");
        CHECK(as_text(i) == "de");
    }
}

TEST_CASE("a failed read stays failed and gives nothing") {
    const auto data = to_bytes("\x02" "ab");
    byte_reader in(data);
    CHECK(in.u32() == 0);
    CHECK(in.failed());
    CHECK(in.u8() == 0);
    CHECK(in.rest().empty());
    CHECK_FALSE(in.complete());
}

TEST_CASE("lengths over their limit fail although the bytes are there") {
    const auto data = to_bytes("\x02" "ab");
    CHECK(byte_reader(data).text8(1).empty());
    const auto wider = to_bytes(std::string_view("\0\3abc", 5));
    byte_reader wide(wider);
    CHECK(wide.sized16(2).empty());
    CHECK(wide.failed());
}

TEST_CASE("clean text is UTF-8 without controls") {
    for (const std::string_view good : {"", "a b", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf",
                                        "\xf4\x8f\xbf\xbf"})
        CHECK(is_clean_text(good));
    for (const std::string_view bad : {"\n", "\x7f", "\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc2\x80", "\xe2\x82",
                                       "\xe2\x28\xa1", "a\x1b[0m"}) {
        CHECK_FALSE(is_clean_text(bad));
        CHECK(is_clean_text(clean_text(bad, 100)));
    }
    CHECK(clean_text("\xc3\xa4\xc3\xa4", 3) == "\xc3\xa4");
    CHECK(clean_text("a\nb", 100) == "a?b");
}
