#include "daemon/net/links.hpp"

#include "daemon/engine/contacts.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/serve_common.hpp"
#include "daemon/net/tls.hpp"
#include "daemon/services/log.hpp"
#include "storage/txn.hpp"

#include <boost/asio/connect.hpp>

namespace pp::net {

namespace {

// Short public name of a peer for logs: tells two apart, not who it is.
std::string short_name(const crypto::account_key& key) { return crypto::hex(crypto::sha256(key.view()).view().first(4)); }

}  // namespace

links::links(asio::io_context& io, services::node& node) : io_(io), node_(node) {
    const auto identity = crypto::make_device_certificate(node.device());
    PP_ASSERT(identity.has_value());
    server_tls_ = make_peer_tls(*identity, true);
    client_tls_ = make_peer_tls(*identity, false);
}

// ---------------------------------------------------------------- incoming

void links::accepted(tcp::socket socket) {
    if (stopping_) return;   // closed by its destructor
    // Whoever has not said HELLO makes room, the oldest first: silence on half of a handshake keeps nobody out.
    const auto connections_max = node_.configuration().peer.connections_max;
    const auto staying = [this] { return incoming_ - newcomers_.leaving(); };
    if (staying() >= connections_max) newcomers_.cut_oldest();
    if (staying() >= connections_max || newcomers_.leaving() >= connections_max) return;
    ++incoming_;
    auto place = newcomers_.enter();
    auto serving = serve(std::move(socket), place);
    asio::co_spawn(io_, std::move(serving), [this, place](std::exception_ptr) {
        --incoming_;
        newcomers_.gone(place);
    });
}

awaitable<void> links::serve(tcp::socket socket, waiting_room::ticket place) {
    any_stream stream(std::move(socket));
    if (place->was_cut) co_return;
    place->cut = [&stream] { stream.close(); };
    const auto failed = co_await stream.start_tls_as_server(server_tls_, peer_handshake_limit);
    place->cut = nullptr;
    if (failed || stopping_ || place->was_cut) co_return;
    const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
    if (!device) co_return;
    peer::link_options options;
    options.peer_device = *device;
    options.now = services::now_s();
    auto link = std::make_shared<peer_link>(std::move(stream), options, *this);
    link->place = place;
    place->cut = [weak = std::weak_ptr(link)] {
        if (const auto alive = weak.lock()) alive->close();
    };
    all_.insert(link);
    co_await link->run();
}

// ---------------------------------------------------------------- outgoing

awaitable<bool> links::dial(services::account& mine, crypto::account_key theirs, std::vector<engine::endpoint> endpoints,
                            std::string& why) {
    auto last_failure = std::make_shared<std::string>("no address of the recipient's node is known");
    auto open_attempts = std::make_shared<std::size_t>(0);
    for (const auto& endpoint : endpoints) {
        if (stopping_ || find(mine.key(), theirs)) break;
        ++*open_attempts;
        auto done = [open_attempts](std::exception_ptr) { --*open_attempts; };
        asio::co_spawn(io_, attempt(mine, theirs, endpoint, last_failure), done);
        co_await wait_for_link(mine, theirs, dial_stagger, open_attempts);
    }
    const auto longest = connect_limit + peer_handshake_limit + std::chrono::seconds(1);
    co_await wait_for_link(mine, theirs, longest, open_attempts);
    why = *last_failure;
    co_return find(mine.key(), theirs) != nullptr;
}

// Until there is a link, every attempt has failed, or the time is over.
awaitable<void> links::wait_for_link(services::account& mine, crypto::account_key theirs,
                                     std::chrono::steady_clock::duration longest,
                                     std::shared_ptr<std::size_t> open_attempts) {
    asio::steady_timer timer(io_);
    const auto end = std::chrono::steady_clock::now() + longest;
    while (*open_attempts > 0 && !stopping_ && !find(mine.key(), theirs) && std::chrono::steady_clock::now() < end) {
        timer.expires_after(std::chrono::milliseconds(5));
        auto [ec] = co_await timer.async_wait(as_result);
        (void)ec;
    }
}

awaitable<void> links::attempt(services::account& mine, crypto::account_key theirs, engine::endpoint endpoint,
                               std::shared_ptr<std::string> why) {
    const auto name = engine::format(endpoint);
    tcp::socket socket(io_);
    {
        asio::steady_timer limit(io_, connect_limit);
        const auto connecting = std::make_shared<bool>(true);
        limit.async_wait([&socket, connecting = std::weak_ptr(connecting)](error_code ec) {
            error_code ignored;
            if (!ec && !connecting.expired()) socket.close(ignored);   // fired in time, run too late: nothing to close
        });
        error_code bad;
        const auto address = asio::ip::make_address(endpoint.host, bad);
        error_code ec;
        if (!bad) {
            const tcp::endpoint to(address, endpoint.port);
            auto [failed] = co_await socket.async_connect(to, as_result);
            ec = failed;
        } else {
            tcp::resolver resolver(io_);
            auto [unresolved, found] = co_await resolver.async_resolve(endpoint.host, std::to_string(endpoint.port), as_result);
            ec = unresolved;
            if (!ec) {
                auto [failed, where] = co_await asio::async_connect(socket, found, as_result);
                ec = failed;
            }
        }
        if (ec) {
            *why = "the recipient's node cannot be reached at " + name + ": " +
                   (ec == asio::error::operation_aborted ? std::string("no answer") : ec.message());
            co_return;
        }
    }
    any_stream stream(std::move(socket));
    if (const auto ec = co_await stream.start_tls_as_client(client_tls_, peer_handshake_limit); ec) {
        *why = "what answers at " + name + " is no peerpost node";
        co_return;
    }
    const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
    if (!device) co_return;
    peer::link_options options;
    options.dialler = true;
    options.peer_device = *device;
    options.mine = hello_for(mine, stream.remote_endpoint());
    options.mine->wanted = theirs;
    options.expected = theirs;
    options.now = services::now_s();
    auto link = std::make_shared<peer_link>(std::move(stream), options, *this);
    link->mine = mine.key();
    link->dialled_endpoint = name;
    all_.insert(link);
    *why = "the node at " + name + " is not the recipient's";   // until its HELLO says otherwise
    auto running = link->run();
    asio::co_spawn(io_, std::move(running), asio::detached);
    // Until it is ready or over: the dialler waits for that.
    asio::steady_timer timer(io_);
    const auto end = std::chrono::steady_clock::now() + peer_handshake_limit;
    while (all_.contains(link) && !link->ready() && std::chrono::steady_clock::now() < end) {
        timer.expires_after(std::chrono::milliseconds(5));
        auto [ec] = co_await timer.async_wait(as_result);
        (void)ec;
    }
}

peer::hello links::hello_for(services::account& mine, std::string observed) const {
    peer::hello h;
    h.mine = mine.certificate();
    h.record = peer::encode(mine.record());
    h.observed = std::move(observed);
    return h;
}

// ---------------------------------------------------------------- who stays

peer::hello_verdict links::greeted(peer_link& link, const peer::hello& theirs) {
    peer::hello_verdict verdict;
    services::account* mine = nullptr;
    if (link.dialled()) {
        mine = node_.find_account(link.mine);
    } else if (theirs.wanted) {
        mine = node_.find_account(*theirs.wanted);
        link.mine = *theirs.wanted;
    }
    if (!mine || stopping_) {
        verdict.reason = "no such account here";
        return verdict;
    }
    const pair_key key{link.mine, link.theirs};
    if (!keep(link, key)) {
        verdict.reason = "there is a link already";
        return verdict;
    }
    verdict.accept = true;
    verdict.mine = hello_for(*mine, link.remote_endpoint());
    auto self = link.shared_from_this();
    if (link.place) newcomers_.leave(link.place);
    ready_[key] = self;
    learn(*mine, theirs, link.dialled_endpoint);
    services::log(services::area::peer).info("link={} event=up peer={} dialled={}", link.number(), short_name(link.theirs), link.dialled());
    asio::post(io_, [this, self, mine] {
        if (self->ready() && listener_) listener_->link_up(*mine, self);
    });
    return verdict;
}

// Two links to one peer: both sides must keep the same one. That whose TLS client has the smaller device key stays;
// of two made by the same side the newer one, for the older is likely dead.
bool links::keep(peer_link& fresh, const pair_key& key) {
    const auto found = ready_.find(key);
    if (found == ready_.end()) return true;
    auto old = found->second;
    if (old->dialled() != fresh.dialled()) {
        const auto own = *crypto::device_key::from(node_.device().public_key());
        const bool we_should_dial = own < fresh.peer_device();
        if (fresh.dialled() != we_should_dial) return false;
    }
    ready_.erase(found);
    old->go_away();
    return true;
}

void links::learn(services::account& mine, const peer::hello& theirs, const std::string& good_endpoint) {
    auto record = peer::decode_account_record(theirs.record);
    if (!record) return;
    if (records_.size() >= strangers_records_max) records_.clear();
    records_[record->account] = *record;
    keep_record(mine, record->account, theirs.record, good_endpoint);
}

void links::learn_record(services::account& mine, const crypto::account_key& theirs, const bytes& encoded) {
    auto record = peer::decode_account_record(encoded);
    if (!record || record->account != theirs || !peer::verify(*record, services::now_s())) return;
    const auto known = records_.find(theirs);
    if (known != records_.end() && known->second.sequence >= record->sequence) return;
    if (known == records_.end() && records_.size() >= strangers_records_max) records_.clear();
    records_[theirs] = std::move(*record);
    keep_record(mine, theirs, encoded, {});
}

void links::keep_record(services::account& mine, const crypto::account_key& account, bytes record, std::string good_endpoint) {
    // A contact's record and last good address are kept; written only when they tell something new.
    node_.writer().submit(
        mine.label(), mine.store(),
        [record = std::move(record), account, good_endpoint = std::move(good_endpoint)](storage::write_txn& txn) -> result<void> {
            auto known = txn.get_contact(account);
            if (!known) return known.error();
            if (!*known) return {};
            auto merged = engine::merge_record(**known, record, services::now_s());
            if (!merged) return merged.error();
            const bool worked = !good_endpoint.empty() && engine::endpoint_worked(**known, good_endpoint);
            return *merged || worked ? txn.put_contact(**known) : result<void>();
        },
        [](const result<void>&) {});
}

std::optional<peer::account_record> links::record_of(services::account& mine, const crypto::account_key& theirs) const {
    if (const auto found = records_.find(theirs); found != records_.end()) return found->second;
    auto contact = mine.store().read([&](const storage::read_txn& txn) { return txn.get_contact(theirs); });
    if (!contact || !*contact || (*contact)->record.empty()) return std::nullopt;
    auto record = peer::decode_account_record((*contact)->record);
    if (!record) return std::nullopt;
    return *record;
}

std::vector<std::shared_ptr<peer_link>> links::of(const crypto::account_key& mine) const {
    std::vector<std::shared_ptr<peer_link>> out;
    for (const auto& [key, link] : ready_)
        if (key.first == mine && link->ready()) out.push_back(link);
    return out;
}

std::shared_ptr<peer_link> links::find(const crypto::account_key& mine, const crypto::account_key& theirs) const {
    const auto found = ready_.find({mine, theirs});
    return found != ready_.end() && found->second->ready() ? found->second : nullptr;
}

awaitable<bytes> links::requested(std::shared_ptr<peer_link> link, std::string protocol, bytes message) {
    auto* mine = node_.find_account(link->mine);
    if (!mine || !listener_) co_return bytes{};
    auto reply = co_await listener_->requested(*mine, link, std::move(protocol), std::move(message));
    co_return reply;
}

void links::ended(peer_link& link) {
    auto self = link.shared_from_this();
    all_.erase(self);
    const pair_key key{link.mine, link.theirs};
    if (const auto found = ready_.find(key); found != ready_.end() && found->second == self) {
        ready_.erase(found);
        services::log(services::area::peer).info("link={} event=down peer={}", link.number(), short_name(link.theirs));
        if (auto* mine = node_.find_account(link.mine); mine && listener_ && !stopping_)
            listener_->link_down(*mine, link.theirs);
    }
}

void links::close_idle() {
    const auto old = std::chrono::steady_clock::now() - idle_link_limit;
    for (const auto& link : all_)
        if (link->ready() && !link->waits_for_news && link->last_used() < old) link->go_away();
}

void links::stop() {
    stopping_ = true;
    const auto all = all_;
    for (const auto& link : all) link->close();
}

std::vector<links::live> links::snapshot() const {
    std::vector<live> out;
    for (const auto& [key, link] : ready_)
        out.push_back({crypto::account_label(key.first), crypto::account_label(key.second), link->remote_endpoint(),
                       link->dialled()});
    return out;
}

}  // namespace pp::net
