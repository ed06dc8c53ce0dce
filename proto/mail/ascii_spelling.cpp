#include "proto/mail/charset.hpp"

#include <unicode/bytestream.h>
#include <unicode/translit.h>

#include <memory>

namespace pp::mail {

std::string ascii_spelling(std::string_view utf8) {
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::Transliterator> rules(icu::Transliterator::createInstance(
        "Greek-Latin; Cyrillic-Latin; NFC; Latin-ASCII", UTRANS_FORWARD, status));
    if (U_FAILURE(status) || !rules) return std::string(utf8);
    auto text = icu::UnicodeString::fromUTF8(icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
    rules->transliterate(text);
    std::string out;
    return text.toUTF8String(out);
}

}  // namespace pp::mail
