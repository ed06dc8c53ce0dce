#include "daemon/net/nat/circuit_ends.hpp"

#include "daemon/net/connect.hpp"
#include "daemon/net/links.hpp"
#include "daemon/net/tls.hpp"
#include "proto/relay/circuit.hpp"
#include "proto/relay/client_events.hpp"

namespace pp::net {

namespace {

std::string sentence_of(const relay::refusal& no) {
    switch (no.why) {
    case relay::status::not_found: return "it is not connected to its relay";
    case relay::status::busy: return "its relay has no room for another connection now";
    default: return "its relay does not connect us";
    }
}

// The join on a connection of its own, until the relay says yes: the rest is the pipe.
awaitable<std::optional<any_stream>> join(asio::io_context& io, std::shared_ptr<relay_call> relay,
                                          relay::circuit_join who) {
    tcp::socket socket(io);
    const auto where = relay->where();
    if (co_await connect(socket, where, connect_limit)) co_return std::nullopt;
    any_stream stream(std::move(socket));
    if (co_await stream.start_tls_as_client(make_circuit_tls(), peer_handshake_limit)) co_return std::nullopt;
    // The secret is for the relay that gave it alone.
    const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
    if (!device || *device != relay->device()) co_return std::nullopt;
    const auto said = relay::encode(who);
    asio::steady_timer limit(io, relay::join_timeout);
    const auto joining = std::make_shared<bool>(true);
    limit.async_wait([&stream, joining = std::weak_ptr(joining)](error_code ec) {
        if (!ec && !joining.expired()) stream.close();
    });
    if (co_await stream.write(said)) co_return std::nullopt;
    bytes answer(1);
    const auto got = co_await stream.read_some(answer);
    if (got.failed || got.bytes != 1 || answer[0] != std::byte{1}) co_return std::nullopt;
    limit.cancel();
    co_return std::move(stream);
}

}  // namespace

awaitable<circuit_end> call_through(asio::io_context& io, crypto::account_key relay,
                                    std::vector<engine::endpoint> endpoints, crypto::account_key target) {
    circuit_end out;
    auto nobody = throw_away_identity(services::now_s());
    out.relay = co_await relay_call::dial(io, std::move(nobody), relay, std::move(endpoints), out.why);
    if (!out.relay) co_return std::move(out);
    // A relay that does not answer is hung up, which ends the question.
    asio::steady_timer limit(io, circuit_call_limit);
    limit.async_wait([call = std::weak_ptr(out.relay)](error_code ec) {
        if (const auto alive = call.lock(); alive && !ec) alive->cut();
    });
    const relay::request wanted = relay::connect_request{relay::circuit_tag_of(target, relay), false};
    auto message = relay::encode(wanted);
    const auto answer = co_await out.relay->ask(relay::control_protocol, std::move(message));
    limit.cancel();
    const auto reply = relay::reply_in<relay::connect_reply>(answer);
    if (!reply) {
        out.why = "its relay does not answer";
    } else if (const auto* no = std::get_if<relay::refusal>(&*reply)) {
        out.why = sentence_of(*no);
    } else {
        const auto& granted = std::get<relay::connect_reply>(*reply);
        const relay::circuit_join who{granted.circuit, relay::circuit_side::caller, granted.secret};
        auto joined = co_await join(io, out.relay, who);
        if (joined) out.stream.emplace(std::move(*joined));
        else out.why = "the connection through its relay did not come about";
    }
    if (!out.stream) out.relay->hang_up();
    co_return std::move(out);
}

awaitable<circuit_end> come_to(asio::io_context& io, std::shared_ptr<relay_call> relay, relay::incoming_request call) {
    circuit_end out;
    out.relay = relay;
    const relay::circuit_join who{call.circuit, relay::circuit_side::target, call.secret};
    auto joined = co_await join(io, relay, who);
    if (joined) out.stream.emplace(std::move(*joined));
    co_return std::move(out);
}

}  // namespace pp::net
