// The POP3 machine with hostile bytes: whole and in pieces it must ask the same and answer the same. First byte:
// whether the client has logged in; second: size of the pieces.
#include "tests/proto/pop3/player.hpp"

#include <algorithm>
#include <cstdlib>

using namespace pp;

namespace {

struct run {
    std::string said;
    std::vector<std::uint32_t> deleted, retrieved;
    int updates = 0;
    bool operator==(const run&) const = default;
};

run play(bool logged_in, std::string_view text, std::size_t piece) {
    pop3::test::player p({});
    if (logged_in) p.feed("USER ann\r\nPASS secret\r\n");
    run out;
    for (std::size_t at = 0; at < text.size() && !p.session.finished(); at += piece) {
        p.feed(text.substr(at, piece));
        out.said += p.take_output();
    }
    p.session.input_ended();
    p.run();
    out.said += p.take_output();
    if (!p.session.finished()) std::abort();   // the end of the input ends every conversation
    if (p.daemon.updates > 1) std::abort();
    out.deleted = p.daemon.deleted;
    out.retrieved = p.daemon.retrieved;
    out.updates = p.daemon.updates;
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto whole = play(data[0] & 1, text, std::max<std::size_t>(text.size(), 1));
    const auto split = play(data[0] & 1, text, std::max<std::size_t>(data[1], 1));
    if (!(whole == split)) std::abort();
    return 0;
}
