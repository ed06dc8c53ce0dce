// Hostile SCRAM messages: byte 0 is which mechanism was chosen and offered, then the first message, a NUL, the second.
// What is accepted is bound to its own words: one changed byte in the signed text makes another text.
#include "tests/proto/sasl/scram_desk.hpp"

#include <cstdlib>

using namespace pp;

namespace {
void require(bool good) {
    if (!good) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool offered = data[0] & 1, plus = (data[0] & 2) && offered;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto nul = text.find('\0');
    const auto first = text.substr(0, nul);
    const auto second = nul == text.npos ? std::string_view() : text.substr(nul + 1);

    sasl::scram_exchange exchange(plus, offered);
    const auto begin = exchange.client_first(first);
    if (!begin) {
        require(exchange.why() != sasl::scram_exchange::fault::none);
        return 0;
    }
    require(!begin->user.empty() && begin->user.size() <= sasl::scram_user_bytes_max);
    require(begin->user.find('\0') == begin->user.npos);
    require(begin->channel_binding.empty() != plus);
    require(first.starts_with(plus ? "p=" : offered ? "n" : first.substr(0, 1)));   // a cut offer never gets this far
    const auto challenge = exchange.server_first(sasl::test::answer(*begin));
    if (!challenge) return 0;
    require(challenge->starts_with("r=") && challenge->find(sasl::test::server_nonce) != challenge->npos);
    const auto final = exchange.client_final(second);
    if (!final) return 0;
    require(final->user == begin->user);
    require(final->auth_message.find(sasl::test::server_nonce) != final->auth_message.npos);
    // Everything both sides said is signed, without the header's letters that "c=" repeats and the proof itself.
    require(final->auth_message.find(*challenge) != final->auth_message.npos);
    require(final->auth_message.ends_with(second.substr(0, second.rfind(",p="))));
    return 0;
}
