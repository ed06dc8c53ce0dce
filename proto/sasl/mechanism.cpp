#include "proto/sasl/mechanism.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace pp::sasl {

namespace {
struct entry {
    std::string_view name;
    mechanism which;
};
constexpr std::array<entry, 4> entries{{{"PLAIN", mechanism::plain},
                                        {"LOGIN", mechanism::login},
                                        {"SCRAM-SHA-256", mechanism::scram_sha_256},
                                        {"SCRAM-SHA-256-PLUS", mechanism::scram_sha_256_plus}}};

bool offered(const entry& e, bool channel_binding) {
    return channel_binding || e.which != mechanism::scram_sha_256_plus;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
        return std::toupper(x) == y;
    });
}
}  // namespace

std::optional<mechanism> find_mechanism(std::string_view name, bool channel_binding) {
    for (const auto& e : entries)
        if (offered(e, channel_binding) && same_name(name, e.name)) return e.which;
    return std::nullopt;
}

std::string offered_mechanisms(std::string_view prefix, bool channel_binding) {
    std::string out;
    for (const auto& e : entries) {
        if (!offered(e, channel_binding)) continue;
        if (!out.empty()) out += ' ';
        out += prefix;
        out += e.name;
    }
    return out;
}

}  // namespace pp::sasl
