#include "proto/punch/messages.hpp"

#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::punch {

namespace {
constexpr std::uint8_t operation_offer = 1, operation_go = 2;
}

bytes encode(const message& m) {
    wire::byte_writer out;
    if (std::holds_alternative<go>(m)) return out.u8(operation_go).take();
    const auto& all = std::get<offer>(m).candidates;
    const auto n = std::min(all.size(), candidates_max);
    out.u8(operation_offer).u8(static_cast<std::uint8_t>(n));
    for (std::size_t i = 0; i < n; ++i)
        out.u8(static_cast<std::uint8_t>(all[i].kind)).text8(all[i].endpoint, endpoint_bytes_max);
    return out.take();
}

std::optional<message> decode(bytes_view wire) {
    wire::byte_reader in(wire);
    const auto operation = in.u8();
    if (operation == operation_go && in.complete()) return go{};
    if (operation != operation_offer) return std::nullopt;
    const auto n = in.u8();
    if (n > candidates_max) return std::nullopt;
    offer out;
    for (std::size_t i = 0; i < n; ++i) {
        const auto kind = in.u8();
        if (kind > static_cast<std::uint8_t>(candidate_kind::hole)) return std::nullopt;
        out.candidates.push_back({static_cast<candidate_kind>(kind), in.text8(endpoint_bytes_max)});
    }
    if (!in.complete()) return std::nullopt;
    return out;
}

}  // namespace pp::punch
