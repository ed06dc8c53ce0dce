#include "daemon/engine/own_relays.hpp"

#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::engine {

namespace {
constexpr std::uint8_t relays_version = 1, relays_version_with_trouble = 2;   // 1 while there is none
constexpr std::uint8_t bit_away_told = 1, bit_refusal_told = 2;

bool has_trouble(const own_relay& r) { return r.away_since != 0 || r.away_told || r.refusal_told; }
}

bytes encode(const std::vector<own_relay>& all) {
    wire::byte_writer out;
    const auto count = std::min(all.size(), own_relays_max);
    const bool trouble = std::any_of(all.begin(), all.end(), has_trouble);
    out.u8(trouble ? relays_version_with_trouble : relays_version).u8(static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        const auto& r = all[i];
        out.fixed(r.relay).raw(r.invite).u32(r.generation).i64(r.since).u8(r.opened ? 1 : 0);
        const auto endpoints = std::min(r.endpoints.size(), relay::endpoints_max);
        out.u8(static_cast<std::uint8_t>(endpoints));
        for (std::size_t e = 0; e < endpoints; ++e) out.text8(r.endpoints[e], relay::endpoint_bytes_max);
        if (trouble)
            out.i64(r.away_since).u8(static_cast<std::uint8_t>((r.away_told ? bit_away_told : 0) |
                                                               (r.refusal_told ? bit_refusal_told : 0)));
    }
    return out.take();
}

result<std::vector<own_relay>> decode_own_relays(bytes_view in) {
    wire::byte_reader reader(in);
    std::vector<own_relay> all;
    const auto version = reader.u8();
    const std::size_t count = reader.u8();
    const bool known = version == relays_version || version == relays_version_with_trouble;
    if (!known || count > own_relays_max) return peer::errc::bad_message;
    for (std::size_t i = 0; i < count; ++i) {
        auto& r = all.emplace_back();
        r.relay = reader.fixed<crypto::account_key>();
        r.invite = reader.array<16>();
        r.generation = reader.u32();
        r.since = reader.i64();
        r.opened = reader.u8() == 1;
        const std::size_t endpoints = reader.u8();
        if (endpoints > relay::endpoints_max) return peer::errc::bad_message;
        for (std::size_t e = 0; e < endpoints; ++e) r.endpoints.push_back(reader.text8(relay::endpoint_bytes_max));
        if (version == relays_version) continue;
        r.away_since = reader.i64();
        const auto told = reader.u8();
        r.away_told = told & bit_away_told;
        r.refusal_told = told & bit_refusal_told;
    }
    if (!reader.complete()) return peer::errc::bad_message;
    return all;
}

own_relay from_link(const relay::relay_link& link, storage::unix_ms now) {
    own_relay r;
    r.relay = link.relay;
    r.invite = link.invite;
    r.endpoints = link.endpoints;
    r.since = now;
    return r;
}

relay::slot_secrets slot_of(const own_relay& r, const crypto::signing_key& account) {
    return relay::derive_slot(*crypto::account_seed::from(account.seed().view()), r.relay, r.generation);
}

std::vector<std::string> slot_addresses(const std::vector<own_relay>& all, const crypto::signing_key& account) {
    std::vector<std::string> out;
    for (const auto& r : all) {
        if (r.endpoints.empty()) continue;
        auto text = relay::encode_address({r.relay, slot_of(r, account).id(), r.endpoints});
        if (!text.empty()) out.push_back(std::move(text));
    }
    return out;
}

std::string refusal_text(const relay::refusal& why) {
    switch (why.why) {
    case relay::status::refused:
        return "does not serve this account; ask its owner for a link with an invite: peerpost relay link";
    case relay::status::work_needed: return "takes nobody without an invite or work";
    case relay::status::full: return "has no room left for this recipient";
    case relay::status::relay_full: return "has no room left";
    case relay::status::too_large: return "takes no mail of this size";
    case relay::status::no_slot: return "does not know the recipient any more";
    case relay::status::token_spent: return "has seen this delivery token before";
    case relay::status::busy: return "is busy and asks to try later";
    default: break;
    }
    return "refused (" + std::to_string(static_cast<unsigned>(why.why)) + ")";
}

}  // namespace pp::engine
