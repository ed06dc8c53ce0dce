// Comparing text without case: i;unicode-casemap (RFC 5051 section 2) and ASCII.
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <algorithm>

namespace pp::mail {
namespace {

constexpr std::size_t run_bytes_max = 4096;      // of text that is not ASCII, folded at a time
constexpr std::int32_t growth_max = 18;          // U+FDFA: the longest compatibility decomposition of one unit

void title_case(std::u16string& text) {
    std::u16string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        UChar32 c = 0;
        U16_NEXT(text.data(), i, text.size(), c);
        c = u_totitle(c);
        if (c < 0x10000) out += static_cast<char16_t>(c);
        else {
            out += static_cast<char16_t>(U16_LEAD(c));
            out += static_cast<char16_t>(U16_TRAIL(c));
        }
    }
    text = std::move(out);
}

// RFC 5051 section 2: titlecase, then decompose. Departure: titlecase once more, so that what a compatibility
// decomposition brings out (the letters of a ligature) compares without case too.
void append_folded(std::string_view utf8, std::string& out) {
    UErrorCode status = U_ZERO_ERROR;
    std::u16string wide(utf8.size(), u'\0');
    std::int32_t n = 0;
    u_strFromUTF8WithSub(wide.data(), static_cast<std::int32_t>(wide.size()), &n, utf8.data(),
                         static_cast<std::int32_t>(utf8.size()), 0xfffd, nullptr, &status);
    if (U_FAILURE(status)) return static_cast<void>(out.append(utf8));
    wide.resize(static_cast<std::size_t>(n));
    title_case(wide);

    const auto* nfkd = unorm2_getNFKDInstance(&status);
    std::u16string decomposed(wide.size() * growth_max, u'\0');
    n = unorm2_normalize(nfkd, wide.data(), static_cast<std::int32_t>(wide.size()), decomposed.data(),
                         static_cast<std::int32_t>(decomposed.size()), &status);
    if (U_FAILURE(status)) return static_cast<void>(out.append(utf8));
    decomposed.resize(static_cast<std::size_t>(n));
    title_case(decomposed);

    const auto before = out.size();
    out.resize(before + decomposed.size() * 3);
    u_strToUTF8WithSub(out.data() + before, static_cast<std::int32_t>(out.size() - before), &n, decomposed.data(),
                       static_cast<std::int32_t>(decomposed.size()), 0xfffd, nullptr, &status);
    out.resize(before + (U_SUCCESS(status) ? static_cast<std::size_t>(n) : 0));
}

}  // namespace

std::string fold_case(std::string_view utf8) {
    std::string out;
    out.reserve(utf8.size());
    while (!utf8.empty()) {
        std::size_t n = 0;
        if (!ascii::is_8bit(utf8.front())) {
            for (; n < utf8.size() && !ascii::is_8bit(utf8[n]); ++n)
                out += utf8[n] >= 'a' && utf8[n] <= 'z' ? static_cast<char>(utf8[n] - 32) : utf8[n];
        } else {
            while (n < utf8.size() && ascii::is_8bit(utf8[n]) && n < run_bytes_max)
                n += std::max<std::size_t>(ascii::utf8_sequence(utf8.substr(n)), 1);
            append_folded(utf8.substr(0, n), out);
        }
        utf8.remove_prefix(n);
    }
    return out;
}

bool equal_ascii_case(std::string_view a, std::string_view b) { return ascii::equal_no_case(a, b); }

}  // namespace pp::mail
