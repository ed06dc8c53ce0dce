// QR codes with libqrencode; the PNG is written by hand with zlib (RFC 2083 sections 3 and 4):
// one IHDR, one IDAT, IEND.
#include "daemon/services/qr.hpp"

#include <qrencode.h>
#include <zlib.h>

#include <cstdint>
#include <memory>

namespace pp::services {

namespace {

constexpr int quiet_zone = 4;          // modules; ISO/IEC 18004 section 6.3.8
constexpr int png_module_pixels = 4;

struct free_code {
    void operator()(QRcode* code) const { QRcode_free(code); }
};
using code_ptr = std::unique_ptr<QRcode, free_code>;

// The smallest version that holds the text at level L: a screen neither tears nor stains.
code_ptr encode(std::string_view text) {
    if (text.empty() || text.size() > qr_text_bytes_max) return nullptr;
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    return code_ptr(QRcode_encodeData(static_cast<int>(text.size()), data, 0, QR_ECLEVEL_L));
}

// Coordinates run over the symbol with its quiet zone.
bool dark(const QRcode& code, int x, int y) {
    x -= quiet_zone;
    y -= quiet_zone;
    if (x < 0 || y < 0 || x >= code.width || y >= code.width) return false;
    return code.data[y * code.width + x] & 1;
}

void put_u32(std::string& out, std::uint32_t n) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(n >> shift & 0xff);
}

// RFC 2083 section 3.2: length, type, data, CRC over type and data.
void put_chunk(std::string& out, const char (&type)[5], std::string_view data) {
    put_u32(out, static_cast<std::uint32_t>(data.size()));
    const std::string body = type + std::string(data);
    out += body;
    put_u32(out, static_cast<std::uint32_t>(
                     crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()))));
}

}  // namespace

std::string qr_terminal(std::string_view text) {
    const auto code = encode(text);
    if (!code) return {};
    const int side = code->width + 2 * quiet_zone;
    std::string out;
    for (int y = 0; y < side; y += 2) {
        out += "\x1b[38;5;231;48;5;16m";   // white on black: a full block is a light module
        for (int x = 0; x < side; ++x) {
            const bool upper = !dark(*code, x, y);
            const bool lower = y + 1 < side && !dark(*code, x, y + 1);
            out += upper ? (lower ? "\u2588" : "\u2580") : (lower ? "\u2584" : " ");
        }
        out += "\x1b[0m\n";
    }
    return out;
}

std::size_t qr_columns(std::string_view text) {
    const auto code = encode(text);
    return code ? static_cast<std::size_t>(code->width + 2 * quiet_zone) : 0;
}

std::string qr_png(std::string_view text) {
    const auto code = encode(text);
    if (!code) return {};
    const int side = code->width + 2 * quiet_zone;
    const int pixels = side * png_module_pixels;
    std::string rows;
    for (int y = 0; y < pixels; ++y) {
        rows += '\0';   // RFC 2083 section 6.2: filter "none"
        std::string row((pixels + 7) / 8, '\0');
        for (int x = 0; x < pixels; ++x)
            if (!dark(*code, x / png_module_pixels, y / png_module_pixels))
                row[x / 8] |= static_cast<char>(0x80 >> x % 8);
        rows += row;
    }
    uLongf packed_bytes = compressBound(static_cast<uLong>(rows.size()));
    std::string packed(packed_bytes, '\0');
    if (compress2(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes, reinterpret_cast<const Bytef*>(rows.data()),
                  static_cast<uLong>(rows.size()), Z_BEST_COMPRESSION) != Z_OK)
        return {};
    packed.resize(packed_bytes);

    std::string out = "\x89PNG\r\n\x1a\n";
    std::string header;
    put_u32(header, static_cast<std::uint32_t>(pixels));
    put_u32(header, static_cast<std::uint32_t>(pixels));
    header += std::string_view("\x01\x00\x00\x00\x00", 5);   // one bit, grey, deflate, adaptive filter, no interlace
    put_chunk(out, "IHDR", header);
    put_chunk(out, "IDAT", packed);
    put_chunk(out, "IEND", {});
    return out;
}

}  // namespace pp::services
