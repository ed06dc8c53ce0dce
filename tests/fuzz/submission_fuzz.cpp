// The submission filter with hostile headers: whole and in pieces the same verdict and the same bytes; what passes
// holds no Bcc field, is never longer than what came in, and passes a second time unchanged.
// First byte: size of the pieces. "%" in the input stands for the account's domain, so that mails can pass.
#include "daemon/engine/submission.hpp"
#include "proto/mail/ascii.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace pp;

struct outcome {
    int code = 0;
    std::string kept, message_id;
    bool operator==(const outcome&) const = default;
};

void require(bool good) {
    if (!good) std::abort();
}

outcome run(std::string_view mail, std::size_t piece) {
    engine::submission_filter filter{crypto::account_key{}};
    bytes out;
    for (std::size_t at = 0; at < mail.size(); at += piece)
        if (auto refusal = filter.update(as_bytes(mail.substr(at, piece)), out)) return {refusal->code, {}, {}};
    if (auto refusal = filter.finish(out)) return {refusal->code, {}, {}};
    return {0, std::string(as_text(out)), filter.message_id()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    static const std::string domain = crypto::account_label(crypto::account_key{}) + ".peerpost.alt";
    std::string mail;
    for (std::size_t i = 1; i < size; ++i) {
        if (data[i] == '%') mail += domain;
        else mail += static_cast<char>(data[i]);
    }
    const auto whole = run(mail, mail.size() + 1);
    require(run(mail, std::max<std::size_t>(data[0], 1)) == whole);
    if (whole.code != 0) return 0;
    require(whole.kept.size() <= mail.size());
    require(run(whole.kept, whole.kept.size() + 1) == whole);
    const auto header =
        whole.kept.starts_with("\r\n") ? std::string() : whole.kept.substr(0, whole.kept.find("\r\n\r\n"));
    for (std::size_t at = 0; at != header.npos; at = header.find("\r\n", at + 2)) {
        const auto line = std::string_view(header).substr(at == 0 && !header.starts_with("\r\n") ? 0 : at + 2);
        require(!mail::ascii::equal_no_case(line.substr(0, 4), "bcc:"));
    }
    return 0;
}
