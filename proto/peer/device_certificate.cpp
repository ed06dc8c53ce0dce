// Device certificates (SPEC.md, "Device certificate").
#include "proto/peer/layout.hpp"
#include "proto/wire/clean_text.hpp"

namespace pp::peer {
namespace layout {

bytes signed_bytes(std::string_view purpose, bytes_view content) {
    wire::byte_writer out;
    out.raw(purpose).u8(0).raw(content);
    return out.take();
}

void write_texts(wire::byte_writer& out, const std::vector<std::string>& texts, std::size_t count_max,
                 std::size_t bytes_max) {
    const auto count = std::min(texts.size(), count_max);
    out.u8(static_cast<std::uint8_t>(count));
    for (std::size_t i = 0; i < count; ++i) out.text8(texts[i], bytes_max);
}

std::vector<std::string> read_texts(wire::byte_reader& in, std::size_t count_max, std::size_t bytes_max) {
    const std::size_t count = in.u8();
    if (count > count_max) in.fail();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count && !in.failed(); ++i) out.push_back(in.text8(bytes_max));
    return out;
}

}  // namespace layout

namespace {

bytes signed_part(const device_certificate& c) {
    wire::byte_writer out;
    out.u8(layout::version_1).fixed(c.account).fixed(c.device).fixed(c.drive).i64(c.not_after);
    out.text8(c.name, name_bytes_max);
    return out.take();
}

}  // namespace

void layout::write(wire::byte_writer& out, const device_certificate& c) {
    out.raw(signed_part(c)).fixed(c.sig);
}

device_certificate layout::read_certificate(wire::byte_reader& in) {
    device_certificate c;
    if (in.u8() != version_1) in.fail();
    c.account = in.fixed<account_key>();
    c.device = in.fixed<device_key>();
    c.drive = in.fixed<crypto::drive_key>();
    c.not_after = in.i64();
    c.name = in.text8(name_bytes_max);
    c.sig = in.fixed<crypto::signature>();
    return c;
}

result<void> layout::verify_signature(const device_certificate& c) {
    if (!crypto::verify(c.account.view(), signed_bytes(certificate_purpose, signed_part(c)), c.sig))
        return errc::bad_signature;
    return {};
}

bytes encode(const device_certificate& c) {
    wire::byte_writer out;
    layout::write(out, c);
    return out.take();
}

result<device_certificate> decode_device_certificate(bytes_view in) {
    wire::byte_reader reader(in);
    auto c = layout::read_certificate(reader);
    if (!reader.complete()) return errc::bad_message;
    return c;
}

device_certificate certify_device(const crypto::signing_key& account, const device_key& device,
                                  const crypto::drive_key& drive, std::string name, unix_s not_after) {
    device_certificate c;
    std::copy(account.public_key().begin(), account.public_key().end(), c.account.data.begin());
    c.device = device;
    c.drive = drive;
    c.name = wire::clean_text(name, name_bytes_max);   // the value must be the one that will be read
    c.not_after = not_after;
    c.sig = account.sign(layout::signed_bytes(layout::certificate_purpose, signed_part(c)));
    return c;
}

result<void> verify(const device_certificate& c, unix_s now) {
    if (const auto good = layout::verify_signature(c); !good) return good.error();
    if (now > c.not_after) return errc::expired;
    return {};
}

}  // namespace pp::peer
