// Logging in, the same on every listener: the answer to a password and to a SCRAM exchange, what is logged of it, and
// the pause behind a failure. One per connection, on the network thread.
#pragma once

#include "daemon/net/any_stream.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/node.hpp"
#include "proto/sasl/scram.hpp"

#include <functional>
#include <string_view>

namespace pp::net {

class login_desk {
public:
    // area, number: for the log. authenticated: called after a success; may be empty.
    login_desk(services::node& node, any_stream& stream, services::area area, std::uint64_t number,
               std::function<void()> authenticated);

    // Null when it is refused, after the pause.
    awaitable<services::account*> password(std::string_view user, std::string_view password);
    sasl::scram_terms terms(const sasl::scram_begin& asked) const;
    // Sets who when the proof is good; else the verdict comes after the pause.
    awaitable<sasl::scram_verdict> proof(sasl::scram_proof given, services::account*& who);

    void cut() { pause_.cancel(); }   // ends a pause

private:
    awaitable<void> settle(bool good);

    services::node& node_;
    any_stream& stream_;
    services::area area_;
    std::uint64_t number_;
    std::function<void()> authenticated_;
    asio::steady_timer pause_;
};

}  // namespace pp::net
