// Charsets by ICU's converters; UTF-8 by hand, as nearly all mail is that.
#include "proto/mail/charset_converter.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"

#include <unicode/ucnv.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

namespace pp::mail {
namespace {

constexpr std::size_t charset_name_bytes_max = 60;   // ICU: UCNV_MAX_CONVERTER_NAME_LENGTH
constexpr std::string_view replacement = "\xef\xbf\xbd";

void append_code_point(UChar32 c, std::string& out) {
    std::array<char, U8_MAX_LENGTH> bytes{};
    std::size_t n = 0;
    U8_APPEND_UNSAFE(bytes.data(), n, c);
    out.append(bytes.data(), n);
}

// True when s may be the beginning of a well-formed sequence that needs more bytes.
bool may_continue(std::string_view s) {
    constexpr std::array<std::string_view, 3> tails{"\x80\x80\x80", "\x90\x80\x80", "\xa0\x80\x80"};
    std::array<char, 4> probe{};
    for (const auto& tail : tails) {   // the strictest second bytes of RFC 3629 section 4 accept one of these
        std::copy(s.begin(), s.end(), probe.begin());
        std::copy_n(tail.begin(), 4 - s.size(), probe.begin() + static_cast<std::ptrdiff_t>(s.size()));
        if (ascii::utf8_sequence({probe.data(), 4}) > s.size()) return true;
    }
    return false;
}

}  // namespace

void charset_converter::closer::operator()(UConverter* c) const { ucnv_close(c); }

std::optional<charset_converter> charset_converter::open(std::string_view charset) {
    charset_converter out;
    if (ascii::equal_no_case(charset, "utf-8") || ascii::equal_no_case(charset, "utf8")) return out;
    // Only plain names: ICU reads options behind a comma, and looks for files of unknown names.
    const bool plain = std::all_of(charset.begin(), charset.end(), [](char c) {
        return ascii::is_alnum(c) || std::string_view("-_.:+()").find(c) != std::string_view::npos;
    });
    if (charset.empty() || charset.size() >= charset_name_bytes_max || !plain) return std::nullopt;
    const std::string name(charset);
    UErrorCode status = U_ZERO_ERROR;
    if (ucnv_countAliases(name.c_str(), &status) == 0 || U_FAILURE(status)) return std::nullopt;
    out.icu_.reset(ucnv_open(name.c_str(), &status));
    if (U_FAILURE(status) || !out.icu_) return std::nullopt;
    return out;
}

void charset_converter::convert(std::string_view bytes, bool last, std::string& out) {
    if (!icu_) return convert_utf8(bytes, last, out);
    std::array<UChar, 2048> wide;
    const char* source = bytes.data();
    const char* const source_end = source + bytes.size();
    UErrorCode status = U_ZERO_ERROR;
    do {
        status = U_ZERO_ERROR;
        UChar* target = wide.data();
        ucnv_toUnicode(icu_.get(), &target, wide.data() + wide.size(), &source, source_end, nullptr, last, &status);
        for (const UChar* c = wide.data(); c != target; ++c) {
            if (U16_IS_TRAIL(*c) && high_surrogate_) {
                append_code_point(U16_GET_SUPPLEMENTARY(high_surrogate_, *c), out);
                high_surrogate_ = 0;
                continue;
            }
            if (high_surrogate_) out += replacement;
            high_surrogate_ = U16_IS_LEAD(*c) ? *c : 0;
            if (U16_IS_TRAIL(*c)) out += replacement;
            else if (!high_surrogate_) append_code_point(*c, out);
        }
    } while (status == U_BUFFER_OVERFLOW_ERROR);
    if (last && high_surrogate_) {
        out += replacement;
        high_surrogate_ = 0;
    }
}

void charset_converter::convert_utf8(std::string_view bytes, bool last, std::string& out) {
    while (!unfinished_.empty() && !bytes.empty()) {
        unfinished_ += bytes.front();
        const auto n = ascii::utf8_sequence(unfinished_);
        if (n == 0 && unfinished_.size() < 4 && may_continue(unfinished_)) {
            bytes.remove_prefix(1);
            continue;
        }
        if (n > 0) {
            bytes.remove_prefix(1);
            out += unfinished_;
        } else {
            out += replacement;   // for the whole beginning; the byte that spoiled it begins anew
        }
        unfinished_.clear();
    }
    while (!bytes.empty()) {
        std::size_t good = 0;
        while (good < bytes.size()) {
            const auto n = ascii::utf8_sequence(bytes.substr(good));
            if (n == 0) break;
            good += n;
        }
        out += bytes.substr(0, good);
        bytes.remove_prefix(good);
        if (bytes.empty()) break;
        std::size_t begun = 1;   // the longest beginning of a sequence counts as one fault (Unicode 15, section 3.9)
        while (begun < std::min<std::size_t>(bytes.size(), 3) && may_continue(bytes.substr(0, begun + 1))) ++begun;
        if (begun == bytes.size() && may_continue(bytes)) {
            unfinished_ = bytes;
            break;
        }
        out += replacement;
        bytes.remove_prefix(begun);
    }
    if (last && !unfinished_.empty()) {
        out += replacement;
        unfinished_.clear();
    }
}

result<std::string> to_utf8(std::string_view text, std::string_view charset) {
    auto converter = charset_converter::open(charset);
    if (!converter) return errc::unknown_charset;
    std::string out;
    out.reserve(text.size());
    converter->update(text, out);
    converter->finish(out);
    return out;
}

bool is_valid_utf8(std::string_view text) {
    while (!text.empty()) {
        const auto n = ascii::utf8_sequence(text);
        if (n == 0) return false;
        text.remove_prefix(n);
    }
    return true;
}

}  // namespace pp::mail
