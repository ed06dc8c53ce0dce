#include "proto/dht/record.hpp"

#include "proto/dht/bencode.hpp"

#include "crypto/assert.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::dht {
namespace {

constexpr std::uint8_t version_1 = 1;
constexpr std::string_view value_purpose = "peerpost discovery value v1";
constexpr std::string_view salt_purpose = "peerpost discovery device v1";
constexpr std::string_view signature_purpose = "peerpost discovery record v1";
constexpr std::size_t device_salt_bytes = 16;
static_assert(device_salt_bytes <= salt_bytes_max);
constexpr std::size_t largest_content = record_sizes[std::size(record_sizes) - 1];
// version | nonce | content | tag, and "809:" in front
static_assert(4 + 1 + crypto::row_overhead_bytes + largest_content <= value_bytes_max);

// Fields in this order, each type | length u8 | value. With bit 0x80 a reader that does not know a type refuses the
// record; without it the reader passes the field over.
enum class field : std::uint8_t {
    end = 0,
    sequence = 1,
    lifetime = 2,
    address = 3,
    token = 4,
    capabilities = 5,
    relay = 6,
    devices_hash = 7,
    prekey = 8,
    device = 9,
    slot = 10,
    work = 11,
    signature = 0x7f,
};
constexpr std::uint8_t must_understand = 0x80;
constexpr std::size_t signature_field_bytes = 2 + crypto::signature::size_bytes;

enum class host_kind : std::uint8_t { ipv4 = 1, ipv6 = 2, name = 3, over_relay = 4 };
constexpr std::size_t host_bytes_max = 1 + 1 + record_name_bytes_max + 2;
static_assert(signature_field_bytes + (2 + 8) + (2 + 4) + (2 + 16) + (2 + 4) + (2 + 32) + (2 + 44) +
                  record_relays_max * (2 + 32 + host_bytes_max) + record_devices_max * (2 + 32) +
                  record_relays_max * (2 + 16) + (2 + 1) <= largest_content,
              "without addresses the fullest record fits");

void write_host(wire::byte_writer& out, const host_port& h) {
    if (h.at) {
        out.u8(static_cast<std::uint8_t>(h.at->kind == family::ipv4 ? host_kind::ipv4 : host_kind::ipv6))
            .raw(to_compact(*h.at));
    } else {
        out.u8(static_cast<std::uint8_t>(host_kind::name)).text8(h.name, record_name_bytes_max).u16(h.port);
    }
}

host_port read_host(wire::byte_reader& in) {
    host_port out;
    const auto kind = static_cast<host_kind>(in.u8());
    if (kind == host_kind::ipv4 || kind == host_kind::ipv6) {
        const auto at =
            endpoint_from_compact(in.view(compact_bytes(kind == host_kind::ipv4 ? family::ipv4 : family::ipv6)));
        if (at) out.at = *at;
        else in.fail();
    } else if (kind == host_kind::name) {
        out.name = in.text8(record_name_bytes_max);
        out.port = in.u16();
    } else {
        in.fail();
    }
    return out;
}

void write_field(wire::byte_writer& out, field type, bytes_view value) {
    PP_ASSERT(value.size() <= 255);
    out.u8(static_cast<std::uint8_t>(type)).u8(static_cast<std::uint8_t>(value.size())).raw(value);
}

void write_address(wire::byte_writer& out, const record_address& a) {
    wire::byte_writer value;
    if (a.over) value.u8(static_cast<std::uint8_t>(host_kind::over_relay)).fixed(*a.over);
    write_host(value, a.host);
    write_field(out, field::address, value.view());
}

record_address read_address(wire::byte_reader& in) {
    record_address out;
    auto ahead = in;
    if (static_cast<host_kind>(ahead.u8()) == host_kind::over_relay) {
        out.over = ahead.fixed<relay_key>();
        in = ahead;
    }
    out.host = read_host(in);
    return out;
}

bytes day_bytes(std::string_view purpose, crypto::discovery_day day) {
    return wire::byte_writer().raw(purpose).u8(0).u64(day).take();
}

crypto::row_key value_key(const record_place& place) {
    return crypto::derive<crypto::row_key>(place.account.view(), as_text(day_bytes(value_purpose, place.day)));
}

bytes additional_data(const item_key& key, bytes_view salt) {
    return wire::byte_writer().u8(version_1).fixed(key).raw(salt).take();
}

bytes signed_bytes(const item_key& key, bytes_view salt, bytes_view fields) {
    wire::byte_writer out;
    out.raw(signature_purpose).u8(0).fixed(key).u8(static_cast<std::uint8_t>(salt.size())).raw(salt).raw(fields);
    return out.take();
}

// As many addresses as fit, and no more of anything than a reader takes.
record fitted(record r) {
    const auto cut = [](auto& list, std::size_t most) { if (list.size() > most) list.resize(most); };
    cut(r.addresses, record_addresses_max);
    cut(r.relays, record_relays_max);
    cut(r.devices, record_devices_max);
    while (!r.addresses.empty() && encode_fields(r).size() + signature_field_bytes > largest_content)
        r.addresses.pop_back();
    return r;
}

// One field into the record; false when it may not stand there.
bool read_field(field type, bytes_view value, record& r) {
    wire::byte_reader in(value);
    switch (type) {
    case field::sequence: r.sequence_ms = in.u64(); break;
    case field::lifetime: r.lifetime_s = in.u32(); break;
    case field::address:
        if (r.addresses.size() == record_addresses_max) return false;
        r.addresses.push_back(read_address(in));
        break;
    case field::token: r.token = in.fixed<prober_token>(); break;
    case field::capabilities: r.capabilities = in.u32(); break;
    case field::relay: {
        if (r.relays.size() == record_relays_max) return false;
        record_relay relay;
        relay.key = in.fixed<relay_key>();
        relay.host = read_host(in);
        r.relays.push_back(std::move(relay));
        break;
    }
    case field::devices_hash: r.devices_hash = in.fixed<crypto::hash256>(); break;
    case field::prekey: {
        record::offered_prekey p;
        p.id = in.u32();
        p.key = in.fixed<crypto::prekey>();
        p.not_after = in.i64();
        r.prekey = p;
        break;
    }
    case field::device:
        if (r.devices.size() == record_devices_max) return false;
        r.devices.push_back(in.fixed<device_key>());
        break;
    case field::slot: {                          // in the order of the relays
        const auto next = std::find_if(r.relays.begin(), r.relays.end(), [](const auto& relay) { return !relay.slot; });
        if (next == r.relays.end()) return false;
        next->slot = in.fixed<relay_slot>();
        break;
    }
    case field::work:
        r.work_bits = in.u8();
        if (r.work_bits == 0) return false;
        break;
    default: return (static_cast<std::uint8_t>(type) & must_understand) == 0;
    }
    return in.complete();
}

bool may_repeat(field type) {
    return type == field::address || type == field::relay || type == field::device || type == field::slot;
}

bool has_slot(const record_relay& relay) { return relay.slot.has_value(); }

}  // namespace

result<item_key> key_of(const record_place& place) {
    const auto blinded = crypto::blind(place.account, place.day);
    if (!blinded) return errc::not_for_us;
    return item_key::from(blinded->view());
}

bytes salt_of(const record_place& place) {
    if (!place.device) return {};
    auto content = day_bytes(salt_purpose, place.day);
    content.insert(content.end(), place.device->data.begin(), place.device->data.end());
    return to_bytes(crypto::blake2b_keyed(place.account.view(), content).view().first(device_salt_bytes));
}

bytes encode_fields(const record& r) {
    wire::byte_writer out;
    write_field(out, field::sequence, wire::byte_writer().u64(r.sequence_ms).view());
    write_field(out, field::lifetime, wire::byte_writer().u32(r.lifetime_s).view());
    for (const auto& address : r.addresses) write_address(out, address);
    if (r.token) write_field(out, field::token, r.token->view());
    write_field(out, field::capabilities, wire::byte_writer().u32(r.capabilities).view());
    for (const auto& relay : r.relays) {
        wire::byte_writer value;
        value.fixed(relay.key);
        write_host(value, relay.host);
        write_field(out, field::relay, value.view());
    }
    if (r.devices_hash) write_field(out, field::devices_hash, r.devices_hash->view());
    if (r.prekey)
        write_field(out, field::prekey,
                    wire::byte_writer().u32(r.prekey->id).fixed(r.prekey->key).i64(r.prekey->not_after).view());
    for (const auto& device : r.devices) write_field(out, field::device, device.view());
    if (std::all_of(r.relays.begin(), r.relays.end(), has_slot))
        for (const auto& relay : r.relays) write_field(out, field::slot, relay.slot->view());
    if (r.work_bits > 0) write_field(out, field::work, wire::byte_writer().u8(r.work_bits).view());
    return out.take();
}

result<record> decode_fields(bytes_view fields) {
    wire::byte_reader in(fields);
    record r;
    std::uint8_t last = 0;
    while (in.left() > 0) {
        const auto type = in.u8();
        const auto value = in.view(in.u8());
            // In order, the sequence first, each once but for lists.
        const bool in_order = type > last || (type == last && may_repeat(static_cast<field>(type)));
        if (in.failed() || !in_order || (last == 0 && type != static_cast<std::uint8_t>(field::sequence)))
            return errc::bad_record;
        if (!read_field(static_cast<field>(type), value, r)) return errc::bad_record;
        last = type;
    }
    if (last == 0) return errc::bad_record;
    const auto slots = std::count_if(r.relays.begin(), r.relays.end(), has_slot);
    if (slots != 0 && static_cast<std::size_t>(slots) != r.relays.size()) return errc::bad_record;
    return r;
}

mutable_item seal_record(const record& r, const crypto::signing_key& account, crypto::discovery_day day,
                         const crypto::signing_key* device, std::int64_t sequence) {
    record_place place;
    place.account = *account_key::from(account.public_key());
    place.day = day;
    if (device) place.device = *device_key::from(device->public_key());
    const crypto::blinded_signing_key blinded(account, day);
    mutable_item out;
    out.key = *item_key::from(blinded.public_key().view());
    out.salt = salt_of(place);
    out.sequence = sequence;

    wire::byte_writer content;
    content.raw(encode_fields(fitted(r)));
    const auto sig = (device ? *device : account).sign(signed_bytes(out.key, out.salt, content.view()));
    write_field(content, field::signature, sig.view());
    for (const auto size : record_sizes)
        if (content.size() <= size) {
            content.zeros(size - content.size());
            break;
        }
    PP_ASSERT(content.size() <= largest_content);

    wire::byte_writer sealed;
    sealed.u8(version_1).raw(crypto::seal_row(value_key(place), additional_data(out.key, out.salt), content.view()));
    out.value = bencode_writer().text(sealed.view()).take();
    out.sig = blinded.sign(signed_part(out.salt, out.sequence, out.value));
    return out;
}

result<record> open_record(bytes_view value, const record_place& place, unix_s now) {
    const auto document = bencode_document::parse(value);
    if (!document) return errc::not_for_us;
    const auto text = document->root().text();
    if (!text || text->empty() || text->front() != std::byte{version_1}) return errc::not_for_us;
    const auto key = key_of(place);
    if (!key) return key.error();
    const auto salt = salt_of(place);
    const auto content = crypto::open_row(value_key(place), additional_data(*key, salt), text->subspan(1));
    if (!content) return errc::not_for_us;
    if (std::find(std::begin(record_sizes), std::end(record_sizes), content->size()) == std::end(record_sizes))
        return errc::bad_record;

    // Up to the signature; zeros after it.
    wire::byte_reader in(*content);
    bytes_view fields;
    crypto::signature sig;
    while (true) {
        const auto begin = content->size() - in.left();
        const auto type = static_cast<field>(in.u8());
        const auto size = in.u8();
        if (type == field::signature) {
            fields = bytes_view(*content).first(begin);
            if (size != sig.data.size()) return errc::bad_record;
            sig = in.fixed<crypto::signature>();
            break;
        }
        in.view(size);
        if (in.failed() || type == field::end) return errc::bad_record;
    }
    const auto filling = in.rest();
    if (in.failed() || std::any_of(filling.begin(), filling.end(), [](std::byte b) { return b != std::byte{0}; }))
        return errc::bad_record;
    const auto signer = place.device ? place.device->view() : place.account.view();
    if (!crypto::verify(signer, signed_bytes(*key, salt, fields), sig)) return errc::bad_signature;
    const auto r = decode_fields(fields);
    if (r && now > static_cast<unix_s>(r->sequence_ms / 1000) + static_cast<unix_s>(r->lifetime_s))
        return errc::expired;
    return r;
}

}  // namespace pp::dht
