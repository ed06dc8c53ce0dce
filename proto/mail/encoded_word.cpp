// Encoded words of header fields (RFC 2047 sections 2, 4 and 6; language suffix of RFC 2231 section 5).
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/transfer_encoding.hpp"

#include <optional>

namespace pp::mail {
namespace {

constexpr std::size_t encoded_word_bytes_max = 2048;   // RFC 2047 section 2 says 75; longer ones are common

struct encoded_word {
    std::string_view charset, whole;
    std::string bytes;
};

std::string decode_q(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i] == '_' ? ' ' : text[i];
        }
    }
    return out;
}

// The encoded word at the front of text, which begins with "=?".
std::optional<encoded_word> read_encoded_word(std::string_view text) {
    const auto window = text.substr(0, encoded_word_bytes_max);
    const auto charset_end = window.find('?', 2);
    if (charset_end == window.npos || charset_end == 2 || charset_end + 2 >= window.size()) return std::nullopt;
    const char encoding = ascii::lower(window[charset_end + 1]);
    if ((encoding != 'q' && encoding != 'b') || window[charset_end + 2] != '?') return std::nullopt;
    const auto begin = charset_end + 3;
    const auto end = window.find("?=", begin);
    if (end == window.npos) return std::nullopt;
    const auto charset = window.substr(2, charset_end - 2);
    const auto encoded = window.substr(begin, end - begin);
    return encoded_word{charset.substr(0, charset.find('*')), window.substr(0, end + 2),
                        encoding == 'q' ? decode_q(encoded) : decode_base64_lenient(encoded)};
}

// Text outside encoded words: UTF-8, or else bytes of old software, of which Latin-1 is the best guess.
void append_raw(std::string_view text, std::string& out) {
    if (is_valid_utf8(text)) {
        out += text;
        return;
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) out += static_cast<char>(0xc0 | byte >> 6);
        out += static_cast<char>(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
    }
}

}  // namespace

std::string decode_header_text(std::string_view unfolded_value) {
    std::string out;
    // Encoded words of one charset are joined before they are converted: senders cut characters between them.
    encoded_word run;
    std::string run_as_sent;
    const auto flush = [&] {
        if (run_as_sent.empty()) return;
        if (auto text = to_utf8(run.bytes, run.charset)) out += *text;
        else append_raw(run_as_sent, out);
        run_as_sent.clear();
    };
    while (!unfolded_value.empty()) {
        auto begin = unfolded_value.find("=?");
        std::optional<encoded_word> word;
        while (begin != unfolded_value.npos && !(word = read_encoded_word(unfolded_value.substr(begin))))
            begin = unfolded_value.find("=?", begin + 1);
        const auto before = unfolded_value.substr(0, begin);
        // RFC 2047 section 6.2: blanks between two encoded words are no text.
        const bool adjacent = word && !run_as_sent.empty() && ascii::trim(before).empty();
        if (!adjacent) {
            flush();
            append_raw(before, out);
        } else if (!ascii::equal_no_case(word->charset, run.charset)) {
            flush();
        }
        if (!word) break;
        unfolded_value.remove_prefix(begin + word->whole.size());
        if (run_as_sent.empty()) {
            run_as_sent = word->whole;
            run = std::move(*word);
        } else {
            run_as_sent.append(before).append(word->whole);
            run.bytes += word->bytes;
        }
    }
    flush();
    return out;
}

}  // namespace pp::mail
