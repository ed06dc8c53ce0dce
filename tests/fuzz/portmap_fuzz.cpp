// Answers of a hostile gateway: the client survives them in any order and at any time, says "mapped" only of what can
// be dialled, and never owes more than a few datagrams.
#include "proto/portmap/client.hpp"

#include <cstdlib>

using namespace pp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    portmap::time_point now{std::chrono::seconds(1)};
    portmap::client_options options;
    options.own_address = {192, 168, 1, 7};
    options.internal_port = 41443;
    portmap::client client(options, now);
    bytes_view rest = std::as_bytes(std::span(data, size));
    // Each piece: seconds that pass, length, an answer.
    while (rest.size() >= 2) {
        now += std::chrono::seconds(std::to_integer<unsigned>(rest[0]) * 8);
        const auto n = std::min<std::size_t>(std::to_integer<unsigned>(rest[1]), rest.size() - 2);
        client.tick(now);
        client.received(rest.subspan(2, n), now);
        rest = rest.subspan(2 + n);
        std::size_t owed = 0;
        while (client.next_datagram())
            if (++owed > 8) std::abort();
        while (const auto e = client.next_event())
            if (const auto* m = std::get_if<portmap::mapped>(&*e))
                if (m->what.external_port == 0 || m->what.external[0] == 0 || m->what.external[0] == 127 ||
                    m->what.external[0] >= 224)
                    std::abort();
        if (client.deadline() && *client.deadline() < now - std::chrono::seconds(1) && client.current()) std::abort();
    }
    client.stop();
    return 0;
}
