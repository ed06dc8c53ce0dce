#include "daemon/net/relay_call.hpp"

#include "daemon/net/connect.hpp"
#include "daemon/net/links.hpp"
#include "daemon/net/relay_work.hpp"
#include "daemon/net/tls.hpp"
#include "daemon/services/log.hpp"

namespace pp::net {

namespace {
constexpr peer::unix_s throw_away_life_s = 2 * 86400;      // longer than any link; the clocks of two nodes may differ
}

relay_identity throw_away_identity(peer::unix_s now) {
    const auto account = crypto::signing_key::generate();
    auto device = crypto::signing_key::generate();
    const auto drive = crypto::signing_key::generate();
    relay_identity out{std::move(device), {}, {}};
    // Nothing of it says anything: times in whole days, no name, no endpoint.
    const auto today = now / 86400 * 86400;
    out.certificate = peer::certify_device(account, *crypto::device_key::from(out.device.public_key()),
                                           *crypto::drive_key::from(drive.public_key()), "", today + throw_away_life_s);
    peer::account_record record;
    record.account = out.certificate.account;
    record.sequence = static_cast<std::uint64_t>(today) * 1000;
    record.devices.push_back(out.certificate);
    peer::sign(record, account);
    out.record = peer::encode(record);
    return out;
}

awaitable<std::shared_ptr<relay_call>> relay_call::dial(asio::io_context& io, relay_identity who,
                                                        crypto::account_key relay,
                                                        std::vector<engine::endpoint> endpoints, std::string& why) {
    std::shared_ptr<relay_call> call(new relay_call(io, std::move(who)));
    why = "no address of the relay is known";
    auto shown = crypto::device_identity::of(call->who_->device);
    if (!shown) co_return nullptr;
    call->shown_ = std::move(*shown);
    for (const auto& endpoint : endpoints) {
        why = co_await call->attempt(relay, endpoint);
        if (why.empty()) co_return call;
    }
    co_return nullptr;
}

std::shared_ptr<relay_call> relay_call::over(asio::io_context& io, std::shared_ptr<peer_link> link) {
    std::shared_ptr<relay_call> call(new relay_call(io, std::nullopt));
    call->link_ = std::move(link);
    call->borrowed_ = true;
    return call;
}

awaitable<std::string> relay_call::attempt(crypto::account_key relay, engine::endpoint endpoint) {
    const auto name = engine::format(endpoint);
    tcp::socket socket(io_);
    // From a port that can be dialled from again: this is the hole that others may come through (proto/punch).
    const auto refused = co_await connect(socket, endpoint, connect_limit, port_use::shared);
    if (refused) co_return "the relay cannot be reached at " + name + ": " + why_not_connected(refused);
    where_ = endpoint;
    any_stream stream(std::move(socket));
    auto shown = *shown_;
    const auto failed = co_await stream.start_tls_as_client(nobodys_peer_tls(), std::move(shown), peer_handshake_limit);
    if (failed) co_return "what answers at " + name + " is no peerpost node";
    const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
    if (!device) co_return "what answers at " + name + " is no peerpost node";
    peer::link_options options;
    options.dialler = true;
    options.peer_device = *device;
    peer::hello mine;
    mine.mine = who_->certificate;
    mine.record = who_->record;
    mine.wanted = relay;
    options.mine = std::move(mine);
    options.expected = relay;
    options.now = services::now_s();
    over_ = false;
    link_ = std::make_shared<peer_link>(std::move(stream), options, *this);
    link_->mine = who_->certificate.account;
    auto running = link_->run();
    asio::co_spawn(io_, std::move(running), [self = shared_from_this()](std::exception_ptr) {});
    const auto end = std::chrono::steady_clock::now() + peer_handshake_limit;
    while (!over_ && !link_->ready() && std::chrono::steady_clock::now() < end) co_await changed_.wait(end);
    if (alive()) co_return "";
    link_->close();
    co_return "the node at " + name + " is not the relay";
}

peer::hello_verdict relay_call::greeted(peer_link&, const peer::hello& theirs) {
    peer::hello_verdict verdict;
    observed_ = theirs.observed;
    verdict.accept = true;      // a dialler: the machine has held the account against the one expected
    return verdict;
}

void relay_call::came_up(peer_link&) { changed_.ring(); }

awaitable<bytes> relay_call::requested(std::shared_ptr<peer_link>, std::string protocol, bytes message) {
    const auto what = relay::decode_pushed(message);
    if (protocol == relay::push_protocol && what) {
        if (const auto* news = std::get_if<relay::news_request>(&*what)) {
            if (on_news) on_news(news->slot);
            co_return relay::encode(relay::done_reply());
        }
        const auto* call = std::get_if<relay::incoming_request>(&*what);
        if (call && on_incoming && on_incoming(*call)) co_return relay::encode(relay::done_reply());
    }
    const relay::refusal no{relay::status::refused, 0};
    co_return relay::encode(no);
}

void relay_call::ended(peer_link&) {
    over_ = true;
    changed_.ring();
    if (on_ended) on_ended();
}

awaitable<result<bytes>> relay_call::ask(std::string_view protocol, bytes message) {
    const auto keep = shared_from_this();
    if (!alive()) co_return relay::errc::lost;
    auto reply = co_await link_->ask(protocol, std::move(message), 0, patience);
    if (!reply && reply.error() == peer::errc::timed_out) cut();
    co_return reply;
}

void relay_call::hang_up() {
    if (link_ && !borrowed_) link_->go_away();
}

void relay_call::cut() {
    if (link_ && !borrowed_) link_->close();
}

// ---------------------------------------------------------------- walks
namespace {

awaitable<relay::solved> do_work(relay::work task, asio::thread_pool& workers) {
    const auto here = co_await asio::this_coro::executor;
    auto wanted = asio::use_service<relay_work>(asio::query(here, asio::execution::context)).wanted();
    services::log(services::area::peer).info("event=relay_work_begun bits={}", task.bits);
    auto solve = [task, wanted] { return relay::solved{relay::solve(task, [&] { return wanted->load(); })}; };
    auto out = co_await offload(workers, std::move(solve));
    co_return out;
}

// To the end of a walk: what it asks the relay is asked, all else of its events is for `own`, which answers them.
template <class Over, class Walk, class Own>
awaitable<Over> play_walk(std::shared_ptr<relay_call> call, Walk& walk, Own own) {
    for (;;) {
        auto e = walk.next_event();
        PP_ASSERT(e.has_value());
        if (auto* over = std::get_if<Over>(&*e)) co_return std::move(*over);
        if (auto* q = std::get_if<relay::ask_relay>(&*e)) {
            auto answer = co_await call->ask(q->protocol, std::move(q->message));
            walk.answer(std::move(answer));
        } else {
            co_await own(*e);
        }
    }
}

}  // namespace

awaitable<relay::deposit_over> play(std::shared_ptr<relay_call> call, relay::deposit_options options, read_content read,
                                    asio::thread_pool& workers) {
    relay::depositor walk(std::move(options));
    auto own = [&](auto& e) -> awaitable<void> {
        if (auto* w = std::get_if<relay::work_wanted>(&e)) {
            const auto done = co_await do_work(w->task, workers);
            walk.answer(done);
        } else {
            auto& wanted = std::get<relay::seed_piece_wanted>(e);
            auto piece = co_await read(wanted.offset, wanted.length_bytes);
            walk.answer(std::move(piece));
        }
    };
    auto over = co_await play_walk<relay::deposit_over>(std::move(call), walk, own);
    co_return over;
}

awaitable<relay::collect_over> play(std::shared_ptr<relay_call> call, relay::collect_options options, take_items take,
                                    wait_for_more wait, asio::thread_pool& workers) {
    relay::collector walk(std::move(options));
    auto own = [&](auto& e) -> awaitable<void> {
        if (auto* w = std::get_if<relay::work_wanted>(&e)) {
            const auto done = co_await do_work(w->task, workers);
            walk.answer(done);
        } else if (auto* came = std::get_if<relay::items_came>(&e)) {
            relay::kept kept;
            kept.numbers = co_await take(std::move(came->items));
            walk.answer(std::move(kept));
        } else {
            const bool again = co_await wait(std::get<relay::round_over>(e));
            walk.answer(relay::more_rounds{again});
        }
    };
    auto over = co_await play_walk<relay::collect_over>(std::move(call), walk, own);
    co_return over;
}

awaitable<relay::fetch_over> play(std::shared_ptr<relay_call> call, relay::fetch_options options, keep_piece keep) {
    relay::seed_fetch walk(std::move(options));
    auto own = [&](auto& e) -> awaitable<void> {
        auto& came = std::get<relay::seed_came>(e);
        const bool kept = co_await keep(came.offset, std::move(came.content));
        walk.answer(relay::go_on{kept});
    };
    auto over = co_await play_walk<relay::fetch_over>(std::move(call), walk, own);
    co_return over;
}

}  // namespace pp::net
