// Undoes a Content-Transfer-Encoding for BINARY[...] (RFC 3516 section 4.2, RFC 2045 section 6) from bytes in any
// pieces; the result does not depend on how they were cut. Holds less than 1100 bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pp::imap {

enum class transfer_encoding : std::uint8_t { identity, base64, quoted_printable };

// Of a Content-Transfer-Encoding value, without case; none: 7bit. nullopt: unknown, the answer is [UNKNOWN-CTE].
std::optional<transfer_encoding> known_transfer_encoding(const std::optional<std::string>& value);

class transfer_decoder {
public:
    explicit transfer_decoder(transfer_encoding encoding) : encoding_(encoding) {}
    void update(std::string_view encoded, std::string& out);   // appends to out
    void finish(std::string& out);

private:
    void base64(std::string_view encoded, std::string& out);
    void flush_base64(std::string& out);
    void quoted_printable(std::string_view encoded, std::string& out);
    void quoted_byte(char c, std::string& out);

    transfer_encoding encoding_;
    std::uint32_t bits_ = 0;
    int symbols_ = 0;
    std::string held_;      // quoted-printable: an unfinished escape, or blanks that may end a line
};

}  // namespace pp::imap
