#include "daemon/engine/route_table.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstdint>
#include <sstream>

namespace pp::engine {

namespace {

constexpr std::uint32_t route_is_up = 0x1, route_has_gateway = 0x2;   // RTF_UP, RTF_GATEWAY

std::optional<std::uint32_t> number(const std::string& text, int base) {
    std::uint32_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return out;
}

}  // namespace

std::optional<std::string> default_gateway(std::string_view route_table) {
    std::istringstream lines{std::string(route_table)};
    std::string line;
    std::optional<std::string> best;
    std::uint32_t best_metric = 0;
    while (std::getline(lines, line)) {
        // Iface Destination Gateway Flags RefCnt Use Metric Mask ...;
        // addresses as hex of the bytes as they lie in memory.
        std::istringstream fields(line);
        std::string interface, destination, gateway, flags, references, use, metric, mask;
        if (!(fields >> interface >> destination >> gateway >> flags >> references >> use >> metric >> mask)) continue;
        const auto to = number(destination, 16), by = number(gateway, 16), is = number(flags, 16),
                   cost = number(metric, 10), of = number(mask, 16);
        if (!to || !by || !is || !cost || !of || *to != 0 || *of != 0 || *by == 0) continue;
        if ((*is & route_is_up) == 0 || (*is & route_has_gateway) == 0) continue;
        if (best && *cost >= best_metric) continue;
        in_addr address{};
        address.s_addr = *by;
        char text[INET_ADDRSTRLEN] = "";
        inet_ntop(AF_INET, &address, text, sizeof text);
        best = text;
        best_metric = *cost;
    }
    return best;
}

}  // namespace pp::engine
