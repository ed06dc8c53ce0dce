// Content-Transfer-Encoding undone (RFC 2045 sections 6.7, 6.8), cut at every byte.
#include "proto/imap/fetch/fetch_transfer.hpp"

#include <catch2/catch.hpp>

using namespace pp::imap;

namespace {

std::string decoded(transfer_encoding encoding, std::string_view text, std::size_t cut) {
    transfer_decoder decoder(encoding);
    std::string out;
    decoder.update(text.substr(0, cut), out);
    decoder.update(text.substr(cut), out);
    decoder.finish(out);
    return out;
}
void check(transfer_encoding encoding, std::string_view text, std::string_view expected) {
    INFO(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        INFO(cut);
        REQUIRE(decoded(encoding, text, cut) == expected);
    }
    transfer_decoder bytewise(encoding);
    std::string out;
    for (const char c : text) bytewise.update(std::string_view(&c, 1), out);
    bytewise.finish(out);
    CHECK(out == expected);
}

}  // namespace

TEST_CASE("base64 is decoded as it is found in mail", "[imap][fetch]") {
    constexpr auto base64 = transfer_encoding::base64;
    check(base64, "", "");
    check(base64, "aGVsbG8=", "hello");
    check(base64, "aGVs\r\nbG8gdw==\r\n", "hello w");
    check(base64, "aGVsbG8", "hello");             // padding lost
    check(base64, "aGVsbG8=aGVsbG8=", "hellohello");   // one after the other
    check(base64, "a!G-V s\tbG8=", "hello");       // foreign characters
    check(base64, "AAEC/w==", std::string_view("\0\1\2\xff", 4));
    check(base64, "a", "");
    check(base64, "====", "");
}

TEST_CASE("quoted-printable is decoded as it is found in mail", "[imap][fetch]") {
    constexpr auto quoted = transfer_encoding::quoted_printable;
    check(quoted, "", "");
    check(quoted, "plain", "plain");
    check(quoted, "caf=C3=a9", "caf\xc3\xa9");
    check(quoted, "soft=\r\nbreak=\nhere", "softbreakhere");
    check(quoted, "soft= \t\r\nblank", "softblank");
    check(quoted, "line  \t\r\nnext \n", "line\r\nnext\n");
    check(quoted, "a b", "a b");
    check(quoted, "=00=FF", std::string_view("\0\xff", 2));
    check(quoted, "=ZZ =4 =", "=ZZ =4 ");
    check(quoted, "==41", "=A");
    check(quoted, "x=\r", "x");
    check(quoted, "a\rb", "a\rb");
    check(quoted, "a\r\r\nb", "a\r\r\nb");
    check(quoted, "end=", "end");
    check(quoted, "end=4", "end=4");
    const std::string blanks(5000, ' ');
    check(quoted, "x" + blanks + "y", "x" + blanks + "y");
}

TEST_CASE("the names of encodings", "[imap][fetch]") {
    CHECK(known_transfer_encoding(std::nullopt) == transfer_encoding::identity);
    CHECK(known_transfer_encoding("8BIT") == transfer_encoding::identity);
    CHECK(known_transfer_encoding(" Base64 ") == transfer_encoding::base64);
    CHECK(known_transfer_encoding("Quoted-Printable") == transfer_encoding::quoted_printable);
    CHECK_FALSE(known_transfer_encoding("x-uuencode"));
}
