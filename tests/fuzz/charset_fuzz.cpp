// Text out of mail: always valid UTF-8, the same in any pieces, and names of mailboxes with one spelling only.
// First byte: charset and transfer encoding; second byte: where the text is cut.
#include "proto/mail/charset.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pp::mail;
    if (size < 2) return 0;
    constexpr std::array<std::string_view, 16> charsets{
        "utf-8", "us-ascii", "iso-8859-1", "windows-1252", "iso-2022-jp", "shift_jis", "euc-jp", "gb18030",
        "big5", "koi8-r", "utf-7", "utf-16", "utf-16le", "euc-kr", "iso-2022-kr", "hz-gb-2312"};
    constexpr std::array<std::string_view, 4> encodings{"7bit", "base64", "quoted-printable", "8bit"};
    const auto charset = charsets[data[0] % charsets.size()];
    const auto encoding = encodings[data[0] / charsets.size() % encodings.size()];
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);

    const auto converted = to_utf8(text, charset);
    demand(converted.has_value() && is_valid_utf8(*converted));
    if (charset == "utf-8" && is_valid_utf8(text)) demand(*converted == text);
    to_utf8("x", text);

    text_decoder whole(encoding, charset), cut(encoding, charset);
    auto expected = whole.update(text);
    expected += whole.finish();
    const auto at = text.size() * data[1] / 256;
    auto pieces = cut.update(text.substr(0, at));
    pieces += cut.update(text.substr(at));
    pieces += cut.finish();
    demand(pieces == expected && is_valid_utf8(expected));

    demand(is_valid_utf8(decode_header_text(text)));
    const auto folded = fold_case(text);
    demand(is_valid_utf8(folded) && fold_case(folded) == folded);

    const auto encoded = to_modified_utf7(*converted);
    const auto back = from_modified_utf7(encoded);
    if (back) demand(*back == *converted);
    if (const auto name = from_modified_utf7(text)) demand(is_valid_utf8(*name) && to_modified_utf7(*name) == text);
    return 0;
}
