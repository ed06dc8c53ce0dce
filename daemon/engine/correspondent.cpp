#include "daemon/engine/correspondent.hpp"

#include "daemon/engine/contacts.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

// The first byte: what there is. With a hand that was given it is greater by `with_hand`, with a way that she was not
// told of by `with_news`.
constexpr std::uint8_t without_way = 1, with_way = 2, with_way_and_work = 3;
constexpr std::uint8_t with_hand = 3, with_news = 6;

void write(wire::byte_writer& out, const relay::delivery_token& t) { out.fixed(t.serial).u16(t.week).raw(t.mac); }

relay::delivery_token read_token(wire::byte_reader& in) {
    relay::delivery_token t;
    t.serial = in.fixed<relay::token_serial>();
    t.week = in.u16();
    t.mac = in.array<16>();
    return t;
}

}  // namespace

std::array<std::byte, 34> to_wire(const relay::delivery_token& t) {
    wire::byte_writer out;
    write(out, t);
    std::array<std::byte, 34> raw;
    std::copy_n(out.view().begin(), raw.size(), raw.begin());
    return raw;
}

relay::delivery_token token_from_wire(bytes_view raw) {
    wire::byte_reader in(raw);
    return read_token(in);
}

std::string correspondent_setting(const crypto::account_key& who) { return "correspondent/" + crypto::hex(who.view()); }

bytes encode(const correspondent& c) {
    wire::byte_writer out;
    const bool with_work = c.way && c.work_bits > 0;   // told in one
    const bool hand = !c.hand_for.empty() || c.spent > 0;
    const auto version = with_work ? with_way_and_work : c.way ? with_way : without_way;
    const bool news = c.untold_since != 0;
    out.u8(static_cast<std::uint8_t>(version + (hand ? with_hand : 0) + (news ? with_news : 0)));
    out.u16(c.given_week).u32(c.given);
    const auto count = std::min(c.tokens.size(), held_tokens_max);
    out.u8(static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        out.fixed(c.tokens[i].relay).fixed(c.tokens[i].slot);
        write(out, c.tokens[i].token);
    }
    if (c.way)
        out.i64(c.way_told_at)
            .u32(c.way->prekey_id)
            .fixed(c.way->key)
            .i64(c.way->not_after)
            .text8(c.way->slot, peer::slot_text_bytes_max);
    if (with_work) out.u8(c.work_bits);
    if (hand) {
        const auto slots = std::min(c.hand_for.size(), peer::relays_max);
        out.u8(c.spent).u8(static_cast<std::uint8_t>(slots));
        for (std::size_t i = 0; i < slots; ++i) out.fixed(c.hand_for[i]);
    }
    if (news) out.i64(c.untold_since);
    return out.take();
}

result<correspondent> decode_correspondent(bytes_view in) {
    wire::byte_reader reader(in);
    correspondent c;
    auto version = reader.u8();
    const bool news = version > with_news;
    if (news) version -= with_news;
    const bool hand = version > with_hand;
    if (hand) version -= with_hand;
    c.given_week = reader.u16();
    c.given = reader.u32();
    const std::size_t count = reader.u8();
    if (version < without_way || version > with_way_and_work || count > held_tokens_max) return peer::errc::bad_message;
    for (std::size_t i = 0; i < count; ++i) {
        auto& t = c.tokens.emplace_back();
        t.relay = reader.fixed<crypto::account_key>();
        t.slot = reader.fixed<relay::slot_id>();
        t.token = read_token(reader);
    }
    if (version != without_way) {
        c.way_told_at = reader.i64();
        auto& way = c.way.emplace();
        way.prekey_id = reader.u32();
        way.key = reader.fixed<crypto::prekey>();
        way.not_after = reader.i64();
        way.slot = reader.text8(peer::slot_text_bytes_max);
        if (version == with_way_and_work) c.work_bits = reader.u8();
    }
    if (hand) {
        c.spent = reader.u8();
        const std::size_t slots = reader.u8();
        if (slots > peer::relays_max) return peer::errc::bad_message;
        for (std::size_t i = 0; i < slots; ++i) c.hand_for.push_back(reader.fixed<relay::slot_id>());
    }
    if (news) c.untold_since = reader.i64();
    if (!reader.complete() || (news && c.untold_since == 0)) return peer::errc::bad_message;
    return c;
}

std::optional<relay::delivery_token> take_token(correspondent& c, const crypto::account_key& relay,
                                                const relay::slot_id& slot, std::int64_t now) {
    std::erase_if(c.tokens, [now](const auto& t) { return !relay::in_time(t.token, now); });
    const auto found = std::find_if(c.tokens.begin(), c.tokens.end(),
                                    [&](const auto& t) { return t.relay == relay && t.slot == slot; });
    if (found == c.tokens.end()) return std::nullopt;
    const auto token = found->token;
    c.tokens.erase(found);
    return token;
}

void keep_tokens(correspondent& c, const peer::token_grant& grant, std::int64_t now) {
    relay::slot_id slot;
    slot.data = grant.slot;
    for (const auto& raw : grant.tokens) {
        held_token t{grant.relay, slot, {}};
        std::copy_n(raw.begin(), t.token.serial.data.size(), t.token.serial.data.begin());
        t.token.week = grant.week;
        std::copy_n(raw.begin() + 16, t.token.mac.size(), t.token.mac.begin());
        const bool known = std::any_of(c.tokens.begin(), c.tokens.end(),
                                       [&](const auto& k) { return k.token.serial == t.token.serial; });
        if (!known && relay::in_time(t.token, now)) c.tokens.push_back(t);
    }
    // The newest stay: they are good for longest, and of the slots she uses now.
    if (c.tokens.size() > held_tokens_max) c.tokens.erase(c.tokens.begin(), c.tokens.end() - held_tokens_max);
}

bool holds_token(const correspondent& c, const crypto::account_key& relay, const relay::slot_id& slot,
                 std::int64_t now) {
    return std::any_of(c.tokens.begin(), c.tokens.end(), [&](const auto& t) {
        return t.relay == relay && t.slot == slot && relay::in_time(t.token, now);
    });
}

void keep_way(correspondent& c, const peer::return_path& way, std::int64_t written_at, std::int64_t now) {
    written_at = std::min(written_at, now);
    if (c.way && c.way_told_at > written_at && c.way_told_at <= now) return;   // else it was our clock that was ahead
    c.way = way;
    c.way_told_at = written_at;
}

std::optional<peer::token_grant> grant_tokens(correspondent& c, const crypto::account_key& who,
                                              const crypto::account_key& relay, const relay::slot_secrets& ours,
                                              std::size_t count, std::int64_t now) {
    const auto week = relay::week_of(now);
    if (c.given_week != week) {
        c.given_week = week;
        c.given = 0;
        c.hand_for.clear();
    }
    const std::size_t left = c.given < tokens_given_in_a_week ? tokens_given_in_a_week - c.given : 0;
    count = std::min({count, left, tokens_given_at_once});
    if (count == 0) return std::nullopt;
    peer::token_grant grant;
    grant.relay = relay;
    grant.slot = ours.id().data;
    grant.week = static_cast<std::uint16_t>(week + relay::token_weeks_max);
    for (std::size_t i = 0; i < count; ++i) {
        const auto token =
            relay::issue_token(ours.id(), ours.tokens, relay::make_serial(ours.serials, who), grant.week);
        auto& raw = grant.tokens.emplace_back();
        std::copy_n(token.serial.data.begin(), 16, raw.begin());
        std::copy_n(token.mac.begin(), 16, raw.begin() + 16);
    }
    c.given += static_cast<std::uint32_t>(count);
    return grant;
}

void letter_refused(correspondent& c, const held_token* paid, std::size_t granted) {
    if (paid && c.tokens.size() < held_tokens_max) c.tokens.insert(c.tokens.begin(), *paid);
    c.given -= std::min<std::uint32_t>(c.given, static_cast<std::uint32_t>(granted));
}

void hand_given(correspondent& c, std::span<const relay::slot_id> ours) {
    c.hand_for.assign(ours.begin(), ours.end());
    c.spent = 0;
}

void item_came(correspondent& c, const relay::token_serial& paid_by) {
    if (paid_by == relay::token_serial()) c.spent = std::max(c.spent, tokens_short);
    else if (c.spent < UINT8_MAX) ++c.spent;
}

bool is_due_for_tokens(const correspondent& c, std::span<const relay::slot_id> ours, std::int64_t now) {
    if (c.given_week != relay::week_of(now)) return true;
    if (c.given >= tokens_given_in_a_week) return false;
    return c.spent >= tokens_short || std::ranges::any_of(ours, [&](const auto& slot) {
               return std::ranges::find(c.hand_for, slot) == c.hand_for.end();
           });
}

reachable_by how_to_reach(const std::optional<peer::account_record>& record, const correspondent& c, std::int64_t now) {
    reachable_by out;
    peer::unix_s good_until = 0;
    if (record)
        if (const auto* key = usable_prekey(*record, now)) {
            out.prekey_id = key->id;
            out.prekey = key->key;
            good_until = key->not_after;
        }
    // The key that lives longer is the newer one.
    if (c.way && now <= c.way->not_after && c.way->not_after > good_until) {
        out.prekey_id = c.way->prekey_id;
        out.prekey = c.way->key;
    }
    const auto add = [&](const std::string& text) {
        auto address = relay::decode_address(text);
        if (!address) return;
        const bool known =
            std::any_of(out.slots.begin(), out.slots.end(), [&](const auto& s) { return s.relay == address->relay; });
        if (!known && out.slots.size() <= peer::relays_max) out.slots.push_back(std::move(*address));
    };
    const bool way_is_newer = c.way && (!record || c.way_told_at * 1000 > static_cast<std::int64_t>(record->sequence));
    if (way_is_newer && !c.way->slot.empty()) add(c.way->slot);
    if (record)
        for (const auto& text : record->relays) add(text);
    if (c.way && !c.way->slot.empty()) add(c.way->slot);
    return out;
}

}  // namespace pp::engine
