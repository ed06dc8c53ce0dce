#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <algorithm>

namespace pp::mail {

std::string normal_form(std::string_view utf8) {
    std::string out;
    if (std::none_of(utf8.begin(), utf8.end(), ascii::is_8bit)) return out.assign(utf8);
    UErrorCode status = U_ZERO_ERROR;
    const auto* nfc = icu::Normalizer2::getNFCInstance(status);
    if (U_FAILURE(status)) return out.assign(utf8);
    icu::StringByteSink<std::string> sink(&out);
    nfc->normalizeUTF8(0, icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())), sink, nullptr, status);
    if (U_FAILURE(status)) out.assign(utf8);
    return out;
}

}  // namespace pp::mail
