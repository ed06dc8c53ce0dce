// "1 mail", "2 mails": for the sentences of reports.
#pragma once

#include <cstdint>
#include <string>

namespace pp::storage {

inline std::string plural(std::uint64_t n, const char* thing) {
    return std::to_string(n) + " " + thing + (n == 1 ? "" : "s");
}

}  // namespace pp::storage
