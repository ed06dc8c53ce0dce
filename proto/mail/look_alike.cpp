// Names that a reader takes for the same: the skeletons of Unicode Technical Standard 39, section 4.
#include "proto/mail/charset.hpp"

#include <unicode/bytestream.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uspoof.h>

namespace pp::mail {
namespace {

// Never closed: it is a table that all threads read.
const USpoofChecker* checker() {
    static const USpoofChecker* const made = [] {
        UErrorCode status = U_ZERO_ERROR;
        auto* opened = uspoof_open(&status);
        return U_SUCCESS(status) ? opened : nullptr;
    }();
    return made;
}

icu::UnicodeString from_utf8(std::string_view text) {
    return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

}  // namespace

std::string without_invisible(std::string_view utf8) {
    const auto text = from_utf8(utf8);
    icu::UnicodeString seen;
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
        const auto c = text.char32At(i);
        if (!u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) seen.append(c);
    }
    std::string out;
    return seen.toUTF8String(out);
}

std::string look_of(std::string_view utf8) {
    const auto text = from_utf8(without_invisible(utf8));
    UErrorCode status = U_ZERO_ERROR;
    icu::UnicodeString skeleton;
    if (const auto* spoof = checker()) uspoof_getSkeletonUnicodeString(spoof, 0, text, skeleton, &status);
    std::string out;
    return U_SUCCESS(status) && checker() ? skeleton.toUTF8String(out) : text.toUTF8String(out);
}

}  // namespace pp::mail
