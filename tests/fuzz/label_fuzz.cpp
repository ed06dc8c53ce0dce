// Text that people type: labels, recovery words, and the base encodings. What decodes must encode to the same text (in
// lower case, where case does not count), and the other way round all bytes must come back.
#include "crypto/recovery_words.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::crypto;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string one_blank_between(std::string_view text) {
    std::string out;
    bool blank = true;
    for (const char c : lower(text)) {
        const bool is_blank = c == ' ' || (c >= '\t' && c <= '\r');
        if (!is_blank && blank && !out.empty()) out.push_back(' ');
        if (!is_blank) out.push_back(c);
        blank = is_blank;
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = std::as_bytes(std::span(data, size));
    const auto text = as_text(input);

    if (const auto out = from_hex(text)) require(hex(*out) == lower(text));
    if (const auto out = from_base32(text)) require(base32(*out) == lower(text));
    if (const auto out = from_base64(text)) require(base64(*out) == text);
    if (const auto out = from_base64url(text)) require(base64url(*out) == text);
    if (const auto key = parse_account_label(text)) require(account_label(*key) == lower(text));
    if (const auto seed = parse_recovery_words(text)) require(recovery_words(*seed) == one_blank_between(text));

    require(std::ranges::equal(from_hex(hex(input)).value(), input));
    require(std::ranges::equal(from_base32(base32(input)).value(), input));
    require(std::ranges::equal(from_base64(base64(input)).value(), input));
    require(std::ranges::equal(from_base64url(base64url(input)).value(), input));
    if (const auto key = account_key::from(input)) require(parse_account_label(account_label(*key)).value() == *key);
    return 0;
}
