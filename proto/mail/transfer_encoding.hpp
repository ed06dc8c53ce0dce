// Decoders of the transfer encodings (RFC 2045 sections 6.7 and 6.8) that take their input in any pieces and are
// patient with it: mail that another program shows is shown here too.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pp::mail {

// Value of a base64 character of RFC 4648 section 4; -1: none.
int base64_value(char c);
int hex_value(char c);   // either case; -1: none

class base64_decoder {
public:
    void update(std::string_view encoded, std::string& out);
    void finish(std::string& out) { end_group(out); }

private:
    void end_group(std::string& out);   // what is left of a group of four, as padding or the end leaves it
    std::uint32_t bits_ = 0;
    int characters_ = 0;
};

class quoted_printable_decoder {
public:
    void update(std::string_view encoded, std::string& out);
    void finish(std::string& out);

private:
    enum class mode { text, equals, hex, soft_break, soft_break_cr };
    void text_byte(char c, std::string& out);
    mode mode_ = mode::text;
    char first_digit_ = 0;
    std::string blanks_;                // at the end of the line so far: padding of a transport, unless text follows
};

}  // namespace pp::mail
