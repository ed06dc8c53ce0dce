#include "storage/operation.hpp"

#include "storage/records_codec.hpp"

namespace pp::storage {

namespace op {
namespace {

void encode(byte_writer& w, const make_mailbox& o) {
    w.u64(o.id);
    w.text(o.name);
    w.u8(static_cast<std::uint8_t>(o.use));
    w.u8(o.subscribed);
    w.u32(o.uid_validity);
}
void decode(byte_reader& r, make_mailbox& o) {
    o.id = r.u64();
    o.name = r.text();
    const auto use = r.u8();
    if (use > static_cast<std::uint8_t>(special_use::trash)) r.fail();
    o.use = static_cast<special_use>(use);
    o.subscribed = r.u8() != 0;
    o.uid_validity = r.u32();
}
void encode(byte_writer& w, const rename_mailbox& o) {
    w.u64(o.id);
    w.text(o.name);
}
void decode(byte_reader& r, rename_mailbox& o) {
    o.id = r.u64();
    o.name = r.text();
}
void encode(byte_writer& w, const delete_mailbox& o) { w.u64(o.id); }
void decode(byte_reader& r, delete_mailbox& o) { o.id = r.u64(); }
void encode(byte_writer& w, const subscribe& o) {
    w.text(o.name);
    w.u8(o.on);
}
void decode(byte_reader& r, subscribe& o) {
    o.name = r.text();
    o.on = r.u8() != 0;
}
void encode(byte_writer& w, const claim_recent& o) {
    w.u64(o.id);
    w.u32(o.first_uid);
}
void decode(byte_reader& r, claim_recent& o) {
    o.id = r.u64();
    o.first_uid = r.u32();
}
// What restore_blob begins with is an add_blob.
template <class Operation>
void encode_blob(byte_writer& w, const Operation& o) {
    w.u64(o.serial);
    w.raw(o.ref.id.view());
    w.raw(o.ref.key.view());
    w.u64(o.ref.plain_bytes);
    w.u64(o.ref.cipher_bytes);
    w.u8(static_cast<std::uint8_t>(o.place));
    w.u64(o.segment);
    w.u64(o.offset);
}
void encode(byte_writer& w, const add_blob& o) { encode_blob(w, o); }
void decode(byte_reader& r, add_blob& o) {
    o.serial = r.u64();
    o.ref.id.data = r.array<32>();
    const auto key = r.raw(32);
    if (key.size() == 32) o.ref.key = *crypto::blob_key::from(key);
    o.ref.plain_bytes = r.u64();
    o.ref.cipher_bytes = r.u64();
    const auto place = r.u8();
    if (place != 1 && place != 2) r.fail();
    o.place = static_cast<blob_place>(place);
    o.segment = r.u64();
    o.offset = r.u64();
}
void encode(byte_writer& w, const place_mail& o) {
    const auto& m = o.row;
    w.u64(m.box);
    w.u32(m.uid);
    w.u64(m.modseq);
    w.u64(m.mail_serial);
    w.raw(m.placement);
    storage::encode(w, m.flags);
    storage::encode(w, m.internal_date);
    storage::encode(w, m.save_date);
    w.u64(m.size_bytes);
    w.raw(o.message_id_tag);
}
void decode(byte_reader& r, place_mail& o) {
    auto& m = o.row;
    m.box = r.u64();
    m.uid = r.u32();
    m.modseq = r.u64();
    m.mail_serial = r.u64();
    m.placement = r.array<16>();
    storage::decode(r, m.flags);
    storage::decode(r, m.internal_date);
    storage::decode(r, m.save_date);
    m.size_bytes = r.u64();
    o.message_id_tag = r.array<16>();
}
void encode(byte_writer& w, const set_flags& o) {
    w.u64(o.box);
    w.u64(o.first_modseq);
    w.varint(o.sets.size());
    for (const auto& s : o.sets) storage::encode(w, s);
    w.varint(o.items.size());
    std::uint32_t before = 0;
    for (const auto& i : o.items) {
        w.varint(i.uid - before);
        w.varint(i.set);
        before = i.uid;
    }
}
void decode(byte_reader& r, set_flags& o) {
    o.box = r.u64();
    o.first_modseq = r.u64();
    o.sets.resize(r.count(2));
    for (auto& s : o.sets) storage::decode(r, s);
    o.items.resize(r.count(2));
    std::uint64_t before = 0;
    for (auto& i : o.items) {
        const auto step = r.varint();
        const auto set = r.varint();
        if (step == 0 || step > 0xffffffffull || before + step > 0xffffffffull || set >= o.sets.size()) r.fail();
        if (!r.ok()) return;
        before += step;
        i = {static_cast<std::uint32_t>(before), static_cast<std::uint32_t>(set)};
    }
}
void encode(byte_writer& w, const vanish& o) {
    w.u64(o.box);
    w.u64(o.modseq);
    storage::encode(w, o.uids);
}
void decode(byte_reader& r, vanish& o) {
    o.box = r.u64();
    o.modseq = r.u64();
    storage::decode(r, o.uids);
}
void encode(byte_writer& w, const clear_blob& o) {
    w.u64(o.serial);
    w.raw(o.id.view());
}
void decode(byte_reader& r, clear_blob& o) {
    o.serial = r.u64();
    o.id.data = r.array<32>();
}
void encode(byte_writer& w, const put_outbox& o) { storage::encode(w, o.row); }
void decode(byte_reader& r, put_outbox& o) { storage::decode(r, o.row); }
void encode(byte_writer& w, const erase_outbox& o) { w.raw(o.id); }
void decode(byte_reader& r, erase_outbox& o) { o.id = r.array<16>(); }
void encode(byte_writer& w, const put_inbound& o) { storage::encode(w, o.row); }
void decode(byte_reader& r, put_inbound& o) { storage::decode(r, o.row); }
void encode(byte_writer& w, const erase_inbound& o) { w.raw(o.notification); }
void decode(byte_reader& r, erase_inbound& o) { o.notification = r.array<16>(); }
void encode(byte_writer& w, const mark_seen& o) {
    w.raw(o.sender.view());
    w.raw(o.notification);
}
void decode(byte_reader& r, mark_seen& o) {
    o.sender.data = r.array<32>();
    o.notification = r.array<16>();
}
void encode(byte_writer& w, const put_contact& o) { storage::encode(w, o.row); }
void decode(byte_reader& r, put_contact& o) { storage::decode(r, o.row); }
void encode(byte_writer& w, const erase_contact& o) { w.raw(o.account.view()); }
void decode(byte_reader& r, erase_contact& o) { o.account.data = r.array<32>(); }
void encode(byte_writer& w, const put_invite& o) { storage::encode(w, o.row); }
void decode(byte_reader& r, put_invite& o) { storage::decode(r, o.row); }
void encode(byte_writer& w, const erase_invite& o) { w.raw(o.token); }
void decode(byte_reader& r, erase_invite& o) { o.token = r.array<16>(); }
void encode(byte_writer& w, const put_password& o) { storage::encode(w, o.row); }
void decode(byte_reader& r, put_password& o) { storage::decode(r, o.row); }
void encode(byte_writer& w, const erase_password& o) { w.raw(o.id); }
void decode(byte_reader& r, erase_password& o) { o.id = r.array<16>(); }
void encode(byte_writer& w, const put_setting& o) {
    w.text(o.name);
    w.sized(o.value);
}
void decode(byte_reader& r, put_setting& o) {
    o.name = r.text();
    o.value = to_bytes(r.sized());
}
void encode(byte_writer& w, const put_metadata& o) {
    w.u64(o.box);
    w.text(o.entry);
    w.u8(o.value.has_value());
    if (o.value) w.sized(*o.value);
}
void decode(byte_reader& r, put_metadata& o) {
    o.box = r.u64();
    o.entry = r.text();
    if (r.u8() != 0) o.value = to_bytes(r.sized());
}
void encode(byte_writer& w, const join_thread& o) {
    w.u64(o.serial);
    w.u64(o.thread);
    w.varint(o.tags.size());
    for (const auto& tag : o.tags) w.raw(tag);
}
void decode(byte_reader& r, join_thread& o) {
    o.serial = r.u64();
    o.thread = r.u64();
    o.tags.resize(r.count(16));
    for (auto& tag : o.tags) tag = r.array<16>();
}
void encode(byte_writer& w, const restore_row& o) {
    w.u8(o.table);
    w.sized(o.key);
    w.u8(o.value.has_value());
    w.sized(o.value ? bytes_view(*o.value) : bytes_view());
}
void decode(byte_reader& r, restore_row& o) {
    o.table = r.u8();
    o.key = to_bytes(r.sized());
    const bool valued = r.u8() != 0;
    const auto value = r.sized();
    if (valued) o.value = to_bytes(value);
}
void encode(byte_writer& w, const restore_blob& o) {
    encode_blob(w, o);
    w.u32(o.references);
}
void decode(byte_reader& r, restore_blob& o) {
    o.serial = r.u64();
    o.ref.id.data = r.array<32>();
    o.ref.key = crypto::blob_key(std::span<const std::byte, 32>(r.array<32>()));
    o.ref.plain_bytes = r.u64();
    o.ref.cipher_bytes = r.u64();
    o.place = r.u8() == static_cast<std::uint8_t>(blob_place::in_file) ? blob_place::in_file : blob_place::in_segment;
    o.segment = r.u64();
    o.offset = r.u64();
    o.references = r.u32();
}

}  // namespace
}  // namespace op

namespace {
// Decodes the alternative with this number: one branch per entry of the variant, in its order.
template <std::size_t I = 0>
result<operation> decode_one(std::uint64_t number, bytes_view content) {
    if constexpr (I < std::variant_size_v<operation>) {
        if (number != I + 1) return decode_one<I + 1>(number, content);
        byte_reader r(content);
        std::variant_alternative_t<I, operation> o;
        op::decode(r, o);
        if (!r.done()) return errc::damaged;
        return operation(std::in_place_index<I>, std::move(o));
    } else {
        return number == 0 ? errc::damaged : errc::newer_format;
    }
}
}  // namespace

void encode_operation(const operation& o, bytes& out) {
    byte_writer content;
    std::visit([&](const auto& alternative) { op::encode(content, alternative); }, o);
    byte_writer w;
    w.varint(o.index() + 1);
    w.sized(content.out());
    out.insert(out.end(), w.out().begin(), w.out().end());
    sodium_memzero(content.out().data(), content.size());   // blob keys pass through here
    sodium_memzero(w.out().data(), w.size());
}

result<std::vector<operation>> decode_operations(bytes_view in) {
    std::vector<operation> out;
    byte_reader r(in);
    while (r.ok() && r.left() > 0) {
        const auto number = r.varint();
        const auto content = r.sized();
        if (!r.ok()) return errc::damaged;
        auto o = decode_one(number, content);
        if (!o) return o.error();
        out.push_back(std::move(*o));
    }
    if (!r.ok()) return errc::damaged;
    return out;
}

}  // namespace pp::storage
