// One stream of text from a charset to UTF-8, in any pieces. What does not fit becomes U+FFFD.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct UConverter;

namespace pp::mail {

class charset_converter {
public:
    // nullopt: a charset ICU does not know.
    static std::optional<charset_converter> open(std::string_view charset);

    void update(std::string_view bytes, std::string& out) { convert(bytes, false, out); }
    void finish(std::string& out) { convert({}, true, out); }

private:
    struct closer { void operator()(UConverter* c) const; };
    void convert(std::string_view bytes, bool last, std::string& out);
    void convert_utf8(std::string_view bytes, bool last, std::string& out);

    std::unique_ptr<UConverter, closer> icu_;   // null: UTF-8, which needs checking only
    std::string unfinished_;                    // of a UTF-8 sequence cut by the end of a piece: below 4 bytes
    char16_t high_surrogate_ = 0;               // a pair cut by the end of ICU's output
};

}  // namespace pp::mail
