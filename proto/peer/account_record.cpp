// Account records (SPEC.md, "Account record").
#include "proto/peer/layout.hpp"
#include "proto/wire/clean_text.hpp"

namespace pp::peer {
namespace {

constexpr std::size_t prekey_layout_bytes = 4 + 32 + 8;
static_assert(1 + 32 + 8 + (1 + name_bytes_max) + 1 + prekeys_max * prekey_layout_bytes +
                  1 + devices_max * layout::certificate_bytes_max + 1 + endpoints_max * (1 + endpoint_bytes_max) +
                  1 + relays_max * (1 + relay_bytes_max) + extensions_bytes_max + 64 <= record_bytes_max,
              "the fullest record fits");

bytes signed_part(const account_record& r) {
    wire::byte_writer out;
    out.u8(layout::version_1).fixed(r.account).u64(r.sequence).text8(r.name, name_bytes_max);
    const auto prekeys = std::min(r.prekeys.size(), prekeys_max);
    out.u8(static_cast<std::uint8_t>(prekeys));
    for (std::size_t i = 0; i < prekeys; ++i)
        out.u32(r.prekeys[i].id).fixed(r.prekeys[i].key).i64(r.prekeys[i].not_after);
    const auto devices = std::min(r.devices.size(), devices_max);
    out.u8(static_cast<std::uint8_t>(devices));
    for (std::size_t i = 0; i < devices; ++i) layout::write(out, r.devices[i]);
    layout::write_texts(out, r.endpoints, endpoints_max, endpoint_bytes_max);
    layout::write_texts(out, r.relays, relays_max, relay_bytes_max);
    for (const auto& e : r.extensions) out.u8(e.type).u8(static_cast<std::uint8_t>(e.value.size())).raw(e.value);
    return out.take();
}

void keep_clean(std::vector<std::string>& texts, std::size_t count_max, std::size_t bytes_max) {
    if (texts.size() > count_max) texts.resize(count_max);
    for (auto& text : texts) text = wire::clean_text(text, bytes_max);
}

// Rising types, as many as fit.
void keep_fitting(std::vector<account_record::extension>& all) {
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.type < b.type; });
    std::size_t used = 0;
    std::uint8_t last = 0;
    std::erase_if(all, [&](const auto& e) {
        const auto size = 2 + e.value.size();
        if (e.type <= last || used + size > extensions_bytes_max) return true;
        last = e.type;
        used += size;
        return false;
    });
}

}  // namespace

bytes encode(const account_record& r) {
    wire::byte_writer out;
    out.raw(signed_part(r)).fixed(r.sig);
    return out.take();
}

result<account_record> decode_account_record(bytes_view in) {
    if (in.size() > record_bytes_max) return errc::too_large;
    wire::byte_reader reader(in);
    account_record r;
    if (reader.u8() != layout::version_1) return in.empty() ? errc::bad_message : errc::unknown_version;
    r.account = reader.fixed<account_key>();
    r.sequence = reader.u64();
    r.name = reader.text8(name_bytes_max);
    const std::size_t prekeys = reader.u8();
    if (prekeys > prekeys_max) return errc::bad_message;
    for (std::size_t i = 0; i < prekeys; ++i) {
        account_record::offered_prekey p;
        p.id = reader.u32();
        p.key = reader.fixed<crypto::prekey>();
        p.not_after = reader.i64();
        r.prekeys.push_back(p);
    }
    const std::size_t devices = reader.u8();
    if (devices > devices_max) return errc::bad_message;
    for (std::size_t i = 0; i < devices && !reader.failed(); ++i) r.devices.push_back(layout::read_certificate(reader));
    r.endpoints = layout::read_texts(reader, endpoints_max, endpoint_bytes_max);
    r.relays = layout::read_texts(reader, relays_max, relay_bytes_max);
    if (reader.failed()) return errc::bad_message;
    const auto end = reader.left();
    if (end > extensions_bytes_max + crypto::signature::size_bytes) return errc::bad_message;
    for (std::uint8_t last = 0; !reader.failed() && reader.left() > crypto::signature::size_bytes;) {
        const auto type = reader.u8();
        const auto value = reader.view(reader.u8());
        if (type <= last) return errc::bad_message;   // rising: each once, in one order
        r.extensions.push_back({last = type, to_bytes(value)});
    }
    r.sig = reader.fixed<crypto::signature>();
    if (!reader.complete()) return errc::bad_message;
    return r;
}

void sign(account_record& r, const crypto::signing_key& account) {
    // What is over a limit would be cut in writing; the value must be the one that will be read.
    if (r.prekeys.size() > prekeys_max) r.prekeys.resize(prekeys_max);
    if (r.devices.size() > devices_max) r.devices.resize(devices_max);
    r.name = wire::clean_text(r.name, name_bytes_max);
    keep_clean(r.endpoints, endpoints_max, endpoint_bytes_max);
    keep_clean(r.relays, relays_max, relay_bytes_max);
    keep_fitting(r.extensions);
    r.sig = account.sign(layout::signed_bytes(layout::record_purpose, signed_part(r)));
}

result<void> layout::verify_signatures(const account_record& r) {
    if (!crypto::verify(r.account.view(), signed_bytes(record_purpose, signed_part(r)), r.sig))
        return errc::bad_signature;
    for (const auto& device : r.devices) {
        if (device.account != r.account) return errc::bad_signature;   // nobody vouches for foreign devices
        if (const auto good = verify_signature(device); !good) return good.error();
    }
    return {};
}

result<void> verify(const account_record& r, unix_s now) {
    if (const auto good = layout::verify_signatures(r); !good) return good.error();
    // One device that ran out does not make the others unreachable; a record of nothing else is of no use.
    const auto valid = [&](const device_certificate& d) { return now <= d.not_after; };
    if (!r.devices.empty() && std::none_of(r.devices.begin(), r.devices.end(), valid)) return errc::expired;
    return {};
}

}  // namespace pp::peer
