#include "storage/records_codec.hpp"

namespace pp::storage {

void encode(byte_writer& w, const mail::flags& f) {
    w.u8(f.system);
    w.varint(f.keywords.size());
    for (const auto& k : f.keywords) w.text(k);
}
void decode(byte_reader& r, mail::flags& f) {
    f.system = r.u8();
    f.keywords.resize(r.count());
    for (auto& k : f.keywords) k = r.text();
}

void encode(byte_writer& w, const mail::date_time& d) {
    w.i64(d.unix_seconds);
    w.u16(static_cast<std::uint16_t>(d.offset_minutes));
}
void decode(byte_reader& r, mail::date_time& d) {
    d.unix_seconds = r.i64();
    d.offset_minutes = static_cast<std::int16_t>(r.u16());
}

void encode(byte_writer& w, const mail::uid_set& s) {   // gaps and lengths: dense sets are short
    w.varint(s.ranges().size());
    std::uint64_t next = 0;
    for (const auto& range : s.ranges()) {
        w.varint(range.first - next);
        w.varint(range.last - range.first);
        next = std::uint64_t{range.last} + 1;
    }
}
void decode(byte_reader& r, mail::uid_set& s) {
    s = {};
    const auto n = r.count(2);
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const auto gap = r.varint();
        const auto more = r.varint();
        if (gap > 0xffffffffull || more > 0xffffffffull || next + gap + more > 0xffffffffull) r.fail();
        if (!r.ok()) return;
        const auto first = next + gap;
        s.add(static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(first + more));
        next = first + more + 1;
    }
}

constexpr std::uint8_t row_delay_told = 1, row_has_outgoing_uid = 2, row_has_deposit = 4, row_was_left = 8,
                       row_bits = 15;

void encode(byte_writer& w, const outbox_row& o) {
    w.raw(o.id);
    w.raw(o.submission);
    w.u64(o.mail_serial);
    w.text(o.recipient);
    w.raw(o.account.view());
    w.u8(static_cast<std::uint8_t>(o.state));
    w.raw(o.notification);
    w.text(o.message_id);
    w.text(o.orcpt);
    w.text(o.envid);
    w.u8(o.notify);
    w.u8(o.ret);
    w.u32(o.attempts);
    w.i64(o.submitted_at);
    w.i64(o.next_attempt_at);
    w.i64(o.state_since);
    w.text(o.last_error);
    w.sized(o.receipt);
    // as most, and all from before there were any
    if (o.hold_until == 0 && !o.delay_told && o.outgoing_uid == 0 && o.deposit.empty() && o.left_at == 0) return;
    w.i64(o.hold_until);
    w.u8(static_cast<std::uint8_t>((o.delay_told ? row_delay_told : 0) | (o.outgoing_uid ? row_has_outgoing_uid : 0) |
                                   (o.deposit.empty() ? 0 : row_has_deposit) | (o.left_at ? row_was_left : 0)));
    if (o.outgoing_uid) w.u32(o.outgoing_uid);
    if (!o.deposit.empty()) w.sized(o.deposit);
    if (o.left_at) w.i64(o.left_at);
}
void decode(byte_reader& r, outbox_row& o) {
    o.id = r.array<16>();
    o.submission = r.array<16>();
    o.mail_serial = r.u64();
    o.recipient = r.text();
    o.account.data = r.array<32>();
    const auto state = r.u8();
    if (state > static_cast<std::uint8_t>(outbox_state::seeded)) r.fail();
    o.state = static_cast<outbox_state>(state);
    o.notification = r.array<16>();
    o.message_id = r.text();
    o.orcpt = r.text();
    o.envid = r.text();
    o.notify = r.u8();
    o.ret = r.u8();
    o.attempts = r.u32();
    o.submitted_at = r.i64();
    o.next_attempt_at = r.i64();
    o.state_since = r.i64();
    o.last_error = r.text();
    o.receipt = to_bytes(r.sized());
    o.hold_until = 0;
    o.delay_told = false;
    o.outgoing_uid = 0;
    o.deposit.clear();
    o.left_at = 0;
    if (r.left() == 0) return;
    o.hold_until = r.i64();
    const auto has = r.u8();
    o.delay_told = has & row_delay_told;
    if (has & row_has_outgoing_uid) o.outgoing_uid = r.u32();
    if (has & row_has_deposit) o.deposit = to_bytes(r.sized());
    if (has & row_was_left) o.left_at = r.i64();
    const bool told_twice = ((has & row_has_outgoing_uid) && o.outgoing_uid == 0) ||
                            ((has & row_has_deposit) && o.deposit.empty()) || ((has & row_was_left) && o.left_at == 0);
    if (has > row_bits || told_twice || (o.hold_until == 0 && has == 0)) r.fail();
}

void encode(byte_writer& w, const inbound_row& i) {
    w.raw(i.notification);
    w.raw(i.sender.view());
    w.sized(i.opened);
    w.i64(i.received_at);
    w.u32(i.attempts);
    if (i.stage == inbound_stage::wanted) return;   // as all from before there were others
    w.u8(static_cast<std::uint8_t>(i.stage));
    w.text(i.reason);
}
void decode(byte_reader& r, inbound_row& i) {
    i.notification = r.array<16>();
    i.sender.data = r.array<32>();
    i.opened = to_bytes(r.sized());
    i.received_at = r.i64();
    i.attempts = r.u32();
    i.stage = inbound_stage::wanted;
    i.reason.clear();
    if (r.left() == 0) return;
    const auto stage = r.u8();
    if (stage == 0 || stage > static_cast<std::uint8_t>(inbound_stage::refused)) r.fail();
    i.stage = static_cast<inbound_stage>(stage);
    i.reason = r.text();
}

namespace {
constexpr std::uint8_t contact_verified = 1, contact_removed = 2, contact_accepted_before = 4,
                       contact_old_record_told = 8, contact_two_keys_untold = 16, contact_old_record_untold = 32,
                       contact_bits = 63;

std::uint8_t more_of(const contact& c) {
    unsigned bits = 0;
    if (c.verified_at) bits |= contact_verified;
    if (c.removed_at) bits |= contact_removed;
    if (c.removed_at && c.accepted_before) bits |= contact_accepted_before;
    if (c.old_record_told) bits |= contact_old_record_told;
    if (c.two_keys_untold) bits |= contact_two_keys_untold;
    if (c.old_record_untold) bits |= contact_old_record_untold;
    return static_cast<std::uint8_t>(bits);
}
}  // namespace

void encode(byte_writer& w, const contact& c) {
    w.raw(c.account.view());
    w.text(c.name);
    w.u8(static_cast<std::uint8_t>(c.how));
    w.u8(static_cast<std::uint8_t>((c.accepted ? 1 : 0) | (c.blocked ? 2 : 0)));
    w.i64(c.since);
    w.varint(c.endpoints.size());
    for (const auto& e : c.endpoints) w.text(e);
    w.sized(c.record);
    w.sized(c.invite_token);
    const auto more = more_of(c);
    if (more == 0) return;   // as all from before there were any
    w.u8(more);
    if (c.verified_at) w.i64(c.verified_at);
    if (c.removed_at) w.i64(c.removed_at);
}
void decode(byte_reader& r, contact& c) {
    c.account.data = r.array<32>();
    c.name = r.text();
    const auto how = r.u8();
    if (how > static_cast<std::uint8_t>(known_by::card)) r.fail();
    c.how = static_cast<known_by>(how);
    const auto bits = r.u8();
    c.accepted = bits & 1;
    c.blocked = bits & 2;
    c.since = r.i64();
    c.endpoints.resize(r.count());
    for (auto& e : c.endpoints) e = r.text();
    c.record = to_bytes(r.sized());
    c.invite_token = to_bytes(r.sized());
    c.verified_at = c.removed_at = 0;
    c.accepted_before = c.old_record_told = c.two_keys_untold = c.old_record_untold = false;
    if (r.left() == 0) return;
    const auto has = r.u8();
    if (has & contact_verified) c.verified_at = r.i64();
    if (has & contact_removed) c.removed_at = r.i64();
    c.accepted_before = has & contact_accepted_before;
    c.old_record_told = has & contact_old_record_told;
    c.two_keys_untold = has & contact_two_keys_untold;
    c.old_record_untold = has & contact_old_record_untold;
    const bool told_twice =
        ((has & contact_verified) && c.verified_at == 0) || ((has & contact_removed) && c.removed_at == 0);
    if (has == 0 || has > contact_bits || told_twice || (c.accepted_before && c.removed_at == 0)) r.fail();
}

void encode(byte_writer& w, const invite& i) {
    w.raw(i.token);
    w.i64(i.created_at);
    w.i64(i.expires_at);
    w.u32(i.uses_left);
}
void decode(byte_reader& r, invite& i) {
    i.token = r.array<16>();
    i.created_at = r.i64();
    i.expires_at = r.i64();
    i.uses_left = r.u32();
}

void encode(byte_writer& w, const app_password& p) {
    w.raw(p.id);
    w.text(p.name);
    w.raw(p.hash.view());
    w.i64(p.created_at);
    w.i64(p.last_used_at);
    if (!p.scram) return;   // the record as it was before there were any
    w.u32(p.scram->iterations);
    w.raw(p.scram->stored_key.view());
    w.raw(p.scram->server_key.view());
}
void decode(byte_reader& r, app_password& p) {
    p.id = r.array<16>();
    p.name = r.text();
    p.hash.data = r.array<32>();
    p.created_at = r.i64();
    p.last_used_at = r.i64();
    p.scram.reset();
    if (r.left() == 0) return;
    auto& keys = p.scram.emplace();
    keys.iterations = r.u32();
    keys.stored_key.data = r.array<32>();
    keys.server_key.data = r.array<32>();
    if (keys.iterations == 0) r.fail();
}

}  // namespace pp::storage
