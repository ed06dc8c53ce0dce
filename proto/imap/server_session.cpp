#include "proto/imap/server_session.hpp"

#include "proto/imap/connection.hpp"

namespace pp::imap {

struct server_session::state {
    connection shared;
    state(server_session& machine, session_options options) : shared(machine, std::move(options)) {}
};

server_session::server_session(session_options options)
    : state_(std::make_unique<state>(*this, std::move(options))) {}

server_session::~server_session() = default;

wire::task<> server_session::converse() { return state_->shared.serve(); }

}  // namespace pp::imap
