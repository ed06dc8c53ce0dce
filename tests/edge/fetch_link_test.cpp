// A node on loopback and somebody who dials it twice. A link that has been replaced does not hear of it while it
// answers a request; what is fetched over it meanwhile must come to an end.
#include "daemon/net/receiver.hpp"
#include "daemon/net/tls.hpp"
#include "storage/txn.hpp"
#include "tests/edge/loopback_node.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace pp;
using namespace pp::net;

namespace {

struct silent_owner : peer_link::owner {
    peer::hello_verdict greeted(peer_link&, const peer::hello&) override {
        peer::hello_verdict verdict;
        verdict.accept = true;
        return verdict;
    }
    void came_up(peer_link&) override {}
    awaitable<bytes> requested(std::shared_ptr<peer_link>, std::string, bytes) override { co_return bytes(); }
    void ended(peer_link&) override {}
};

struct dialled_node : bobs_node, links::listener {
    asio::thread_pool workers{1};
    std::unique_ptr<receiver> mails;
    std::vector<std::shared_ptr<peer_link>> up;
    std::shared_ptr<peer_link> first, second;   // her ends of both links: none outlives io
    std::function<void(services::account&)> second_up;
    bool is_asked = false, answers = false;

    dialled_node() {
        mails = std::make_unique<receiver>(io, *node, workers, *peers);
        peers->set_listener(this);
    }
    ~dialled_node() override {
        mails->stop();
        close();
        workers.join();
        up.clear();
    }

    void link_up(services::account& mine, std::shared_ptr<peer_link> link) override {
        up.push_back(link);
        if (up.size() == 2 && second_up) second_up(mine);
        mails->link_up(mine, link);
    }
    void link_down(services::account& mine, const crypto::account_key& theirs) override {
        mails->link_down(mine, theirs);
    }
    void link_over(const peer_link&) override {}
    awaitable<bytes> requested(services::account&, std::shared_ptr<peer_link>, std::string, bytes) override {
        is_asked = true;
        asio::steady_timer pause(io);
        while (!answers) {
            pause.expires_after(std::chrono::milliseconds(5));
            auto [ec] = co_await pause.async_wait(as_result);
            (void)ec;
        }
        co_return bytes();
    }

    // One link of hers, until it is over.
    awaitable<void> dial(const relay_identity& who, silent_owner& hers, std::shared_ptr<peer_link>& made) {
        tcp::acceptor door(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
        tcp::socket out(io), in(io);
        out.connect(door.local_endpoint());
        door.accept(in);
        peers->accepted(std::move(in));
        any_stream stream(std::move(out));
        auto shown = crypto::device_identity::of(who.device);
        auto tls = make_peer_tls(*shown, false);
        const auto failed = co_await stream.start_tls_as_client(std::move(tls), std::chrono::seconds(5));
        REQUIRE_FALSE(failed);
        peer::link_options options;
        options.dialler = true;
        options.peer_device = *crypto::device_key::from(node->device().public_key());
        peer::hello mine;
        mine.mine = who.certificate;
        mine.record = who.record;
        mine.wanted = bob().key();
        options.mine = std::move(mine);
        options.expected = bob().key();
        options.now = services::now_s();
        auto link = made = std::make_shared<peer_link>(std::move(stream), options, hers);
        co_await link->run();
    }
};

}  // namespace

TEST_CASE("a mail that comes by a relay is not asked for without end over a link that has been replaced") {
    const watchdog watched;
    silent_owner hers;
    dialled_node n;
    const auto alice = throw_away_identity(services::now_s());
    asio::co_spawn(n.io, n.dial(alice, hers, n.first), asio::detached);
    n.run_until([&] { return n.up.size() == 1 && n.first->ready(); });

    auto note = people::mail_to_bob();
    note.sender = alice.certificate.account;
    note.device = alice.certificate;
    storage::inbound_row row;
    row.notification = note.id;
    row.sender = note.sender;
    row.opened = peer::encode_opened(note);
    row.received_at = services::now_ms();
    REQUIRE(n.node->write(n.bob(), [&](storage::write_txn& txn) { return txn.put_inbound(row); }).has_value());
    REQUIRE(n.mails->begin_fetch(note.id));   // as relay_inbox does

    const auto ask = [](std::shared_ptr<peer_link> link) -> awaitable<void> {
        bytes message(1);
        const auto reply = co_await link->ask(peer::letter_protocol, std::move(message));
        (void)reply;
    };
    asio::co_spawn(n.io, ask(n.first), asio::detached);
    n.run_until([&] { return n.is_asked; });
    n.up.front()->ready_at -= 2 * race_window;   // whoever dials anew has lost it
    bool old_knew = true;
    n.second_up = [&](services::account& mine) {
        old_knew = !n.up.front()->ready();
        n.mails->link_up(mine, n.up.front());   // the receiver knows the old one alone, and takes up what is wanted
    };
    asio::co_spawn(n.io, n.dial(alice, hers, n.second), asio::detached);
    n.run_until([&] { return n.up.size() == 2; });
    CHECK_FALSE(old_knew);                      // else nothing was shown
    n.answers = true;
    n.run_until([&] { return !n.up.front()->ready(); });
    CHECK(n.up.back()->ready());
    n.mails->end_fetch(note.id);
}
