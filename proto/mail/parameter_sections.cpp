#include "proto/mail/parameter_sections.hpp"

#include "proto/mail/ascii.hpp"

#include <optional>

namespace pp::mail {

namespace {

struct section_name {
    std::string_view base;
    std::size_t number = 0;
    bool extended = false;
};

// name "*" number ["*"], the number without leading zeros (RFC 2231 section 7).
std::optional<section_name> split(std::string_view name) {
    section_name out;
    if (name.ends_with('*')) {
        out.extended = true;
        name.remove_suffix(1);
    }
    const auto star = name.rfind('*');
    if (star == name.npos || star == 0) return std::nullopt;
    const auto digits = name.substr(star + 1);
    if (digits.empty() || digits.size() > 2 || (digits.size() == 2 && digits[0] == '0')) return std::nullopt;
    for (const char c : digits) {
        if (!ascii::is_digit(c)) return std::nullopt;
        out.number = out.number * 10 + static_cast<std::size_t>(c - '0');
    }
    if (out.number >= parameter_sections_max) return std::nullopt;
    out.base = name.substr(0, star);
    return out;
}

// The text of a section that is not extended, inside a value that is: only "%" would be read as something else.
void append_encoded(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '%') out += "%25";
        else out += c;
    }
}

}  // namespace

bool has_sections(std::string_view name) { return name.find('*') != name.npos && split(name).has_value(); }

parameter_list join_sections(const parameter_list& sent) {
    parameter_list out;
    std::vector<bool> joined(sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        if (joined[i]) continue;
        const auto first = split(sent[i].first);
        // The sections may stand in any order: the joined value takes the place of the first that stands there.
        std::vector<std::size_t> places;
        bool extended = false;
        for (std::size_t number = 0; first; ++number) {
            std::size_t at = i;
            for (; at < sent.size(); ++at) {
                const auto other = split(sent[at].first);
                if (!joined[at] && other && other->number == number && ascii::equal_no_case(other->base, first->base))
                    break;
            }
            if (at == sent.size()) break;
            extended = extended || split(sent[at].first)->extended;
            joined[at] = true;
            places.push_back(at);
        }
        if (!joined[i]) {
            for (const auto at : places) joined[at] = false;   // section i is beyond a gap, or there is no section 0
            out.push_back(sent[i]);
            continue;
        }
        if (places.empty()) continue;
        auto& [name, value] = out.emplace_back(std::string(first->base) + (extended ? "*" : ""), std::string());
        // RFC 2231 section 4.1: the first section tells charset and language; where it is not extended there are none.
        if (extended && !split(sent[places.front()].first)->extended) value = "''";
        for (const auto at : places) {
            if (extended && !split(sent[at].first)->extended) append_encoded(value, sent[at].second);
            else value += sent[at].second;
        }
    }
    return out;
}

}  // namespace pp::mail
