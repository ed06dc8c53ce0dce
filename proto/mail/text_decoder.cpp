// Transfer encoding and charset of a part, one behind the other, in any pieces.
#include "proto/mail/ascii.hpp"
#include "proto/mail/charset.hpp"
#include "proto/mail/charset_converter.hpp"
#include "proto/mail/transfer_encoding.hpp"

#include <variant>

namespace pp::mail {

struct text_decoder::state {
    std::variant<std::monostate, base64_decoder, quoted_printable_decoder> transfer;
    std::optional<charset_converter> charset;

    std::string to_text(std::string bytes, bool last) {
        if (!charset) return bytes;
        std::string out;
        out.reserve(bytes.size());
        charset->update(bytes, out);
        if (last) charset->finish(out);
        return out;
    }
};

text_decoder::text_decoder(std::string_view transfer_encoding, std::string_view charset)
    : state_(std::make_unique<state>()) {
    if (ascii::equal_no_case(transfer_encoding, "base64")) state_->transfer.emplace<base64_decoder>();
    else if (ascii::equal_no_case(transfer_encoding, "quoted-printable"))
        state_->transfer.emplace<quoted_printable_decoder>();
    state_->charset = charset_converter::open(charset);
}

text_decoder::~text_decoder() = default;
text_decoder::text_decoder(text_decoder&&) noexcept = default;

std::string text_decoder::update(std::string_view encoded) {
    std::string bytes;
    if (auto* base64 = std::get_if<base64_decoder>(&state_->transfer)) base64->update(encoded, bytes);
    else if (auto* quoted = std::get_if<quoted_printable_decoder>(&state_->transfer)) quoted->update(encoded, bytes);
    else bytes = encoded;
    return state_->to_text(std::move(bytes), false);
}

std::string text_decoder::finish() {
    std::string bytes;
    if (auto* base64 = std::get_if<base64_decoder>(&state_->transfer)) base64->finish(bytes);
    else if (auto* quoted = std::get_if<quoted_printable_decoder>(&state_->transfer)) quoted->finish(bytes);
    return state_->to_text(std::move(bytes), true);
}

}  // namespace pp::mail
