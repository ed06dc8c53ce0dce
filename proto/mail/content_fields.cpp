// Content-Type, Content-Disposition, Content-Language and Content-Transfer-Encoding (RFC 2045 section 5.1, RFC 2183
// section 2, RFC 3282 section 2, RFC 2231 section 3).
#include "proto/mail/content_fields.hpp"

#include "proto/mail/ascii.hpp"
#include "proto/mail/quoted_string.hpp"

#include <algorithm>

namespace pp::mail {
namespace {

constexpr std::size_t boundary_sections_max = 16;   // 06-security 6.1.3: RFC 2231 sections per name
constexpr std::size_t languages_max = 64;           // as many as parameters

class field_reader {
public:
    explicit field_reader(std::string_view text) : rest_(text) {}

    bool take(char c) {
        skip();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // A run of bytes that part nothing here. `also_ends`: further bytes that end the word.
    std::string word(std::string_view also_ends) {
        skip();
        std::size_t n = 0;
        while (n < rest_.size() && !ascii::is_space(rest_[n]) && rest_[n] != ';' && rest_[n] != '"' &&
               rest_[n] != '(' && also_ends.find(rest_[n]) == also_ends.npos)
            ++n;
        std::string out(rest_.substr(0, n));
        rest_.remove_prefix(n);
        return out;
    }

    // RFC 2045 section 5.1: value := token / quoted-string. A quoted string without its end goes to the end.
    std::string value() {
        skip();
        if (rest_.empty() || rest_.front() != '"') return word("");
        return take_quoted_string(rest_);
    }

    // To behind the next ";" that is in no quoted string and no comment; false at the end.
    bool next_parameter() {
        while (true) {
            skip();
            if (rest_.empty()) return false;
            if (rest_.front() == '"') {
                value();
            } else {
                const char c = rest_.front();
                rest_.remove_prefix(1);
                if (c == ';') return true;
            }
        }
    }

    parameter_list parameters() {
        parameter_list out;
        while (next_parameter()) {
            auto name = word("=");
            if (name.empty() || !take('=')) continue;
            if (out.size() == parameters_max) break;
            auto text = value();
            out.emplace_back(std::move(name), std::move(text));
        }
        return out;
    }

private:
    void skip() {
        std::size_t depth = 0, i = 0;
        for (; i < rest_.size(); ++i) {
            const char c = rest_[i];
            if (c == '\\' && depth > 0) ++i;
            else if (c == '(') ++depth;
            else if (c == ')' && depth > 0) --depth;
            else if (depth == 0 && !ascii::is_space(c)) break;
        }
        rest_.remove_prefix(std::min(i, rest_.size()));
    }
    std::string_view rest_;
};

}  // namespace

std::optional<media_type> parse_media_type(std::string_view unfolded_value) {
    field_reader in(unfolded_value);
    media_type out;
    out.type = in.word("/");
    if (out.type.empty() || !in.take('/')) return std::nullopt;
    out.subtype = in.word("/,");
    if (out.subtype.empty()) return std::nullopt;
    if (std::max(out.type.size(), out.subtype.size()) > media_type_bytes_max) return std::nullopt;
    out.parameters = in.parameters();
    return out;
}

std::optional<std::pair<std::string, parameter_list>> parse_disposition(std::string_view unfolded_value) {
    field_reader in(unfolded_value);
    auto type = in.value();
    if (type.empty()) return std::nullopt;
    auto parameters = in.parameters();
    return std::pair(std::move(type), std::move(parameters));
}

std::vector<std::string> parse_languages(std::string_view unfolded_value) {
    field_reader in(unfolded_value);
    std::vector<std::string> out;
    while (out.size() < languages_max) {
        auto tag = in.word(",");
        if (!tag.empty()) out.push_back(std::move(tag));
        else if (!in.take(',')) break;
    }
    return out;
}

std::optional<std::string> parse_transfer_encoding(std::string_view unfolded_value) {
    auto text = field_reader(unfolded_value).value();   // quoted by some senders, against RFC 2045 section 6.1
    if (text.empty()) return std::nullopt;
    return text;
}

std::string boundary_of(const parameter_list& parameters) {
    for (const auto& [name, value] : parameters)
        if (ascii::equal_no_case(name, "boundary")) return value;
    std::string joined;
    for (std::size_t section = 0; section < boundary_sections_max; ++section) {
        const auto wanted = "boundary*" + std::to_string(section);
        const auto found = std::find_if(parameters.begin(), parameters.end(),
                                        [&](const auto& p) { return ascii::equal_no_case(p.first, wanted); });
        if (found == parameters.end()) break;
        joined += found->second;
    }
    return joined;
}

}  // namespace pp::mail
