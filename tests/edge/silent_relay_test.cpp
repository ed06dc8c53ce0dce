// A relay that takes links, never answers a request, and sends a sign of life now and then: it is never silent for as
// long as it takes to be thought dead.
#include "daemon/net/relay_inbox.hpp"
#include "daemon/net/tls.hpp"
#include "proto/peer/frame.hpp"
#include "storage/txn.hpp"
#include "tests/edge/loopback_node.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace pp;
using namespace pp::net;

namespace {

struct silent_relay {
    asio::io_context& io;
    relay_identity who = throw_away_identity(services::now_s());
    std::shared_ptr<asio::ssl::context> tls;
    tcp::acceptor door;
    std::size_t asked = 0;
    bool over = false;

    explicit silent_relay(asio::io_context& i)
        : io(i), door(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
        auto shown = crypto::device_identity::of(who.device);
        tls = make_peer_tls(*shown, true);
        asio::co_spawn(io, open(), asio::detached);
    }
    engine::endpoint place() const { return {"127.0.0.1", door.local_endpoint().port()}; }
    awaitable<void> open() {
        for (;;) {
            auto [ec, socket] = co_await door.async_accept(as_result);
            if (ec) co_return;
            asio::co_spawn(io, serve(std::move(socket)), asio::detached);
        }
    }
    awaitable<void> serve(tcp::socket socket) {
        any_stream stream(std::move(socket));
        const auto failed = co_await stream.start_tls_as_server(tls, std::chrono::seconds(5));
        if (failed) co_return;
        peer::link_options options;
        options.peer_device = *crypto::device_key_of_certificate(stream.peer_certificate());
        options.now = services::now_s();
        peer::session session(std::move(options));
        bytes room(16 * 1024);
        while (!was_asked(session)) {
            const auto said = to_bytes(session.to_send());
            if (co_await stream.write(said)) co_return;
            session.sent(said.size());
            const auto got = co_await stream.read_some(room);
            if (got.failed || got.bytes == 0) co_return;
            session.received(bytes_view(room).first(got.bytes));
        }
        ++asked;
        wire::byte_writer sign_of_life;
        peer::put_frame(sign_of_life, peer::frame_type::ping, 0);
        asio::steady_timer pause(io);
        while (!over) {
            if (co_await stream.write(sign_of_life.view())) co_return;
            pause.expires_after(std::chrono::milliseconds(50));
            auto [ec] = co_await pause.async_wait(as_result);
            (void)ec;
        }
    }
    // HELLO is answered, the first request is not.
    bool was_asked(peer::session& session) const {
        for (auto e = session.next_event(); e; e = session.next_event()) {
            if (std::holds_alternative<peer::request_received>(*e)) return true;
            if (std::holds_alternative<peer::hello_received>(*e)) {
                peer::hello_verdict verdict;
                verdict.accept = true;
                verdict.mine.mine = who.certificate;
                verdict.mine.record = who.record;
                session.answer(std::move(verdict));
            } else {
                session.answer(peer::noted{});
            }
        }
        return false;
    }
};

struct deaf : relay_inbox::listener {
    awaitable<bool> receipt_told(services::account&, bytes) override { co_return true; }
    awaitable<bool> refusal_told(services::account&, crypto::account_key, peer::refusal_note) override {
        co_return true;
    }
    void item_came(services::account&, const crypto::account_key&) override {}
    void way_came(services::account&, const crypto::account_key&) override {}
};

// A mail to Bob that lies at this relay.
storage::inbound_row mail_at(const silent_relay& relay, const relay_identity& sender) {
    auto note = people::mail_to_bob();
    crypto::random_bytes(note.id);
    note.sender = sender.certificate.account;
    note.device = sender.certificate;
    relay::slot_address slot;
    slot.relay = relay.who.certificate.account;
    slot.endpoints = {engine::format(relay.place())};
    note.answer.emplace().way.slot = relay::encode_address(slot);
    storage::inbound_row row;
    row.notification = note.id;
    row.sender = note.sender;
    row.opened = peer::encode_opened(note);
    row.received_at = services::now_ms();
    return row;
}

}  // namespace

TEST_CASE("a relay that lives and answers nothing is left") {
    const watchdog watched;
    bobs_node n;
    silent_relay relay(n.io);
    std::shared_ptr<relay_call> call;
    std::optional<result<bytes>> answer;
    auto ask = [&]() -> awaitable<void> {
        std::string why;
        auto nobody = throw_away_identity(services::now_s());
        std::vector<engine::endpoint> where{relay.place()};
        call = co_await relay_call::dial(n.io, std::move(nobody), relay.who.certificate.account, std::move(where), why);
        INFO(why);
        REQUIRE(call);
        call->patience = std::chrono::milliseconds(300);
        auto message = relay::encode(relay::request(relay::info_request{}));
        answer = co_await call->ask(relay::control_protocol, std::move(message));
    };
    asio::co_spawn(n.io, ask(), asio::detached);
    n.run_until([&] { return answer.has_value(); });
    CHECK(answer->error() == peer::errc::timed_out);
    CHECK(relay.asked == 1);
    n.run_until([&] { return !call->alive(); });
    relay.over = true;
    relay.door.close();
    n.close();
}

TEST_CASE("a sender whose relay answers nothing holds up his own mails only") {
    const watchdog watched;
    bobs_node n;
    asio::thread_pool workers(1);
    n.bob().set_endpoints({"127.0.0.1:1"});   // who is on loopback may be sent there
    silent_relay of_mallory(n.io), of_carol(n.io);
    const auto mallory = throw_away_identity(services::now_s()), carol = throw_away_identity(services::now_s());
    receiver mails(n.io, *n.node, workers, *n.peers);
    relay_inbox inbox({n.io, *n.node, workers, *n.peers}, mails);
    deaf nobody;
    inbox.set_listener(&nobody);
    const auto comes = [&](const silent_relay& relay, const relay_identity& from) {
        const auto row = mail_at(relay, from);
        REQUIRE(n.node->write(n.bob(), [&](storage::write_txn& txn) { return txn.put_inbound(row); }).has_value());
        inbox.changed(n.bob(), {row.notification});
    };
    for (std::size_t i = 0; i < relay_fetches_at_once_max + 2; ++i) comes(of_mallory, mallory);
    n.run_until([&] { return of_mallory.asked == relay_fetches_at_once_max; });
    n.io.run_for(std::chrono::milliseconds(200));
    CHECK(of_mallory.asked == relay_fetches_at_once_max);
    comes(of_carol, carol);
    n.run_until([&] { return of_carol.asked == 1; });
    inbox.stop();
    mails.stop();
    of_mallory.over = of_carol.over = true;
    for (auto* relay : {&of_mallory, &of_carol}) relay->door.close();
    n.close();
    workers.join();
}
