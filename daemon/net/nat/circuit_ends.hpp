// The two ends of a circuit (proto/relay/SPEC.md, "Circuits"): a caller who asks the peer's relay for it, and a target
// who was called. Both get a stream that ends at the other; TLS between the two is not begun yet. One network thread.
#pragma once

#include "daemon/net/any_stream.hpp"
#include "daemon/net/relay_call.hpp"

#include <optional>

namespace pp::net {

inline constexpr auto circuit_call_limit = std::chrono::seconds(10);    // from CONNECT to its answer

struct circuit_end {
    std::optional<any_stream> stream;
    std::shared_ptr<relay_call> relay;      // kept as long as the circuit: its port is the hole for punching
    std::string why;                        // there is no stream
};
// As nobody: the relay does not learn who calls.
awaitable<circuit_end> call_through(asio::io_context& io, crypto::account_key relay,
                                    std::vector<engine::endpoint> endpoints, crypto::account_key target);
awaitable<circuit_end> come_to(asio::io_context& io, std::shared_ptr<relay_call> relay, relay::incoming_request call);

}  // namespace pp::net
