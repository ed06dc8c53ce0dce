#include "daemon/net/links.hpp"

#include "daemon/engine/contacts.hpp"
#include "daemon/engine/people.hpp"
#include "daemon/net/await.hpp"
#include "daemon/net/connect.hpp"
#include "daemon/net/serve_common.hpp"
#include "daemon/net/tls.hpp"
#include "daemon/services/log.hpp"
#include "storage/txn.hpp"

#include <algorithm>

namespace pp::net {

namespace {

// Short public name of a peer for logs: tells two apart, not who it is.
std::string short_name(const crypto::account_key& key) {
    return crypto::hex(crypto::sha256(key.view()).view().first(4));
}

// Who is on loopback, or whose relay is, may be sent there by a peer's record (engine::candidates).
bool uses_loopback(const peer::account_record& own) {
    const auto is_loopback = [](const std::string& text) {
        const auto e = engine::parse_endpoint(text);
        return e && engine::kind_of(e->host) == engine::address_kind::loopback;
    };
    return std::any_of(own.endpoints.begin(), own.endpoints.end(), is_loopback) ||
           std::any_of(own.relays.begin(), own.relays.end(), [&](const auto& text) {
               const auto at = relay::decode_address(text);
               return at && std::any_of(at->endpoints.begin(), at->endpoints.end(), is_loopback);
           });
}

// Whose link it is, as far as an address says: all of a household,
// or of a network of its own (RFC 6177: at least a /64).
std::string source_of(const peer_link& link) {
    const auto remote = engine::parse_endpoint(link.remote_endpoint());
    if (!remote) return {};
    error_code ec;
    const auto address = asio::ip::make_address(remote->host, ec);
    if (ec || !address.is_v6()) return remote->host;
    const auto raw = address.to_v6().to_bytes();
    return {raw.begin(), raw.begin() + 8};
}

bool names_device(const peer::hello& theirs, const crypto::device_key& device) {
    const auto record = peer::decode_account_record(theirs.record);
    return record && std::any_of(record->devices.begin(), record->devices.end(),
                                 [&](const auto& d) { return d.device == device; });
}

}  // namespace

links::links(asio::io_context& io, services::node& node) : io_(io), node_(node), changed_(io.get_executor()) {
    const auto identity = crypto::device_identity::of(node.device());
    PP_ASSERT(identity.has_value());
    server_tls_ = make_peer_tls(*identity, true);
    client_tls_ = make_peer_tls(*identity, false);
}

// ---------------------------------------------------------------- incoming

void links::accepted(tcp::socket socket) {
    watch_over(socket);
    origin from;
    error_code ec;
    const auto local = socket.local_endpoint(ec).address().to_string(),
               remote = socket.remote_endpoint(ec).address().to_string();
    from.path = engine::path_of(local, remote, mapped_);
    take(any_stream(std::move(socket)), std::move(from));
}

void links::called(circuit_end end) {
    origin from;
    from.path = engine::path::relay;
    from.through = std::move(end.relay);
    take(std::move(*end.stream), std::move(from));
}

void links::take(any_stream stream, origin from) {
    if (stopping_) return;   // closed by its destructor
    // Who has many links makes room first, then whoever has not said HELLO, the oldest first: silence on half of a
    // handshake keeps nobody out, nor does haste.
    const auto connections_max = node_.configuration().peer.connections_max;
    const auto staying = [this] { return incoming_ - newcomers_.leaving(); };
    if (staying() >= connections_max && !cut_of_the_greediest(links_of_one_address) && !newcomers_.cut_oldest())
        cut_of_the_greediest(1);
    if (staying() >= connections_max || newcomers_.leaving() >= connections_max) return;
    ++incoming_;
    auto place = newcomers_.enter();
    auto serving = serve(std::move(stream), std::move(from), place);
    asio::co_spawn(io_, std::move(serving), [this, place](std::exception_ptr) {
        --incoming_;
        newcomers_.gone(place);
    });
}

// A HELLO costs nothing: who says it again and again must not have every place. The address with the most links gives
// up that which it has used least, when it has more than `fair`.
bool links::cut_of_the_greediest(std::size_t fair) {
    std::map<std::string, std::vector<std::shared_ptr<peer_link>>> by_address;
    for (const auto& link : all_)
        if (link->place && !link->place->waits && !link->place->was_cut) by_address[source_of(*link)].push_back(link);
    const auto most = std::max_element(by_address.begin(), by_address.end(),
                                       [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    if (most == by_address.end() || most->second.size() <= fair) return false;
    const auto& theirs = most->second;
    const auto least = *std::min_element(theirs.begin(), theirs.end(),
                                         [](const auto& a, const auto& b) { return a->last_used() < b->last_used(); });
    services::log(services::area::peer)
        .info("link={} event=cut reason=\"no room, and its address has {} links\"", least->number(), theirs.size());
    newcomers_.cut_late(least->place);
    least->close();
    return true;
}

awaitable<void> links::serve(any_stream stream, origin from, waiting_room::ticket place) {
    if (place->was_cut) co_return;
    place->cut = [&stream] { stream.close(); };
    const auto failed = co_await stream.start_tls_as_server(server_tls_, peer_handshake_limit);
    place->cut = nullptr;
    if (failed || stopping_ || place->was_cut) co_return;
    if (stream.alpn() != peer_alpn) {
        // A side of a circuit; through a circuit there is none.
        if (!join_ || from.path == engine::path::relay) co_return;
        std::function<void()> joined = [this, place] { newcomers_.leave(place); };
        co_await join_(std::move(stream), place, std::move(joined));
        co_return;
    }
    const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
    if (!device) co_return;
    peer::link_options options;
    options.peer_device = *device;
    options.expected = from.only;
    options.now = services::now_s();
    auto link = std::make_shared<peer_link>(std::move(stream), options, *this);
    link->place = place;
    link->path = from.path;
    link->through = std::move(from.through);
    place->cut = [weak = std::weak_ptr(link)] {
        if (const auto alive = weak.lock()) alive->close();
    };
    all_.insert(link);
    co_await link->run();
}

// ---------------------------------------------------------------- outgoing

awaitable<bool> links::dial(services::account& mine, crypto::account_key theirs,
                            std::vector<engine::endpoint> endpoints, std::string& why) {
    auto last_failure = std::make_shared<std::string>(
        "nothing is known of where the recipient's computer is; perhaps the address is wrong (a new invitation would "
        "tell)");
    auto relay_failure = std::make_shared<std::string>();
    auto open_attempts = std::make_shared<std::size_t>(0);
    const auto begin = [&](awaitable<void> attempt) {
        ++*open_attempts;
        asio::co_spawn(io_, std::move(attempt), [this, open_attempts](std::exception_ptr) {
            --*open_attempts;
            changed_.ring();
        });
    };
    const auto delay = endpoints.empty() ? std::chrono::milliseconds(0) : circuit_delay;
    if (const auto record = record_of(mine, theirs))
        for (const auto& text : record->relays)
            if (auto at = relay::decode_address(text))
                begin(attempt_circuit(mine, theirs, std::move(*at), delay, relay_failure));
    for (const auto& endpoint : endpoints) {
        if (stopping_ || find(mine.key(), theirs)) break;
        begin(attempt(mine, theirs, endpoint, last_failure));
        co_await wait_for_link(mine, theirs, dial_stagger, open_attempts);
    }
    const auto longest = connect_limit + peer_handshake_limit + std::chrono::seconds(2);   // 04-network 4.5.7: 12 s
    co_await wait_for_link(mine, theirs, longest, open_attempts);
    why = *last_failure;
    if (!relay_failure->empty()) why += "; through its relay: " + *relay_failure;
    co_return find(mine.key(), theirs) != nullptr;
}

awaitable<void> links::attempt_circuit(services::account& mine, crypto::account_key theirs, relay::slot_address at,
                                       std::chrono::milliseconds delay, std::shared_ptr<std::string> why) {
    asio::steady_timer timer(io_, delay);
    auto [ec] = co_await timer.async_wait(as_result);
    if (ec || stopping_ || find(mine.key(), theirs)) co_return;
    engine::known_endpoints known;
    known.record = at.endpoints;
    auto where = engine::candidates(known, uses_loopback(mine.record()));
    auto end = co_await call_through(io_, at.relay, std::move(where), theirs);
    if (!end.stream || stopping_) {
        *why = std::move(end.why);
        co_return;
    }
    // A direct link that came up meanwhile is the better one.
    if (find(mine.key(), theirs)) {
        end.stream->close();
        end.relay->hang_up();
        co_return;
    }
    origin from;
    from.name = "the relay";
    from.path = engine::path::relay;
    from.through = std::move(end.relay);
    co_await greet(mine, theirs, std::move(*end.stream), std::move(from), why);
}

// Until there is a link, every attempt has failed, or the time is over.
awaitable<void> links::wait_for_link(services::account& mine, crypto::account_key theirs,
                                     std::chrono::steady_clock::duration longest,
                                     std::shared_ptr<std::size_t> open_attempts) {
    const auto end = std::chrono::steady_clock::now() + longest;
    while (*open_attempts > 0 && !stopping_ && !find(mine.key(), theirs) && std::chrono::steady_clock::now() < end)
        co_await changed_.wait(end);
}

awaitable<void> links::attempt(services::account& mine, crypto::account_key theirs, engine::endpoint endpoint,
                               std::shared_ptr<std::string> why) {
    origin from;
    from.name = from.good_endpoint = engine::format(endpoint);
    tcp::socket socket(io_);
    const auto failed = co_await connect(socket, endpoint, connect_limit);
    if (failed) {
        *why = "the recipient's computer cannot be reached at " + from.name + ": " + why_not_connected(failed);
        co_return;
    }
    error_code ec;
    from.path = engine::path_of(socket.local_endpoint(ec).address().to_string(),
                                socket.remote_endpoint(ec).address().to_string(), false);
    any_stream stream(std::move(socket));
    co_await greet(mine, theirs, std::move(stream), std::move(from), why);
}

// TLS and HELLO as who dials; returns when the link is ready or over.
awaitable<void> links::greet(services::account& mine, crypto::account_key theirs, any_stream stream, origin from,
                             std::shared_ptr<std::string> why) {
    const auto failed = co_await stream.start_tls_as_client(client_tls_, peer_handshake_limit);
    if (failed) {
        *why = "what answers at " + from.name + " is no peerpost node";
        co_return;
    }
    const auto device = crypto::device_key_of_certificate(stream.peer_certificate());
    if (!device) co_return;
    // One HELLO after the other: two of them may come to the peer in another order than its answers to us, and each
    // side would keep the newer one as it sees it.
    const auto turn = std::chrono::steady_clock::now() + hello_turn_limit;
    while (!stopping_ && greets(mine.key(), theirs, from.path) && std::chrono::steady_clock::now() < turn)
        co_await changed_.wait(turn);
    // Slower than another way: the peer would have to take a second link for a sign that the first is lost.
    const auto there = find(mine.key(), theirs);
    if (stopping_ || (there && !engine::is_better(from.path, there->path))) {
        stream.close();
        if (from.through) from.through->hang_up();
        co_return;
    }
    peer::link_options options;
    options.dialler = true;
    options.peer_device = *device;
    // Of a circuit we see the relay, not the peer.
    options.mine = hello_for(mine, from.path == engine::path::relay ? std::string() : stream.remote_endpoint());
    options.mine->wanted = theirs;
    options.expected = theirs;
    options.now = services::now_s();
    auto link = std::make_shared<peer_link>(std::move(stream), options, *this);
    link->mine = mine.key();
    link->theirs = theirs;
    link->dialled_endpoint = from.good_endpoint;
    link->path = from.path;
    link->through = std::move(from.through);
    all_.insert(link);
    *why = "the node at " + from.name + " is not the recipient's";   // until its HELLO says otherwise
    auto running = link->run();
    asio::co_spawn(io_, std::move(running), asio::detached);
    // Until it is ready or over: the dialler waits for that.
    const auto end = std::chrono::steady_clock::now() + peer_handshake_limit;
    while (all_.contains(link) && !link->ready() && std::chrono::steady_clock::now() < end) co_await changed_.wait(end);
}

// Whether a HELLO of ours is on its way there, over a link that would be no worse than one of this kind.
bool links::greets(const crypto::account_key& mine, const crypto::account_key& theirs, engine::path kind) const {
    return std::any_of(all_.begin(), all_.end(), [&](const auto& link) {
        return link->dialled() && !link->ready() && link->mine == mine && link->theirs == theirs &&
               !engine::is_better(kind, link->path);
    });
}

// ---------------------------------------------------------------- through NAT

void links::punched(std::shared_ptr<peer_link> over, tcp::socket socket) {
    auto* mine = node_.find_account(over->mine);
    if (!mine || stopping_) return;
    watch_over(socket);
    origin from;
    from.name = "the hole";
    from.path = engine::path::punched;
    from.only = over->theirs;
    // Both have dialled: who has the smaller key is the client of TLS (04-network 4.4.3).
    const bool client = *crypto::device_key::from(node_.device().public_key()) < over->peer_device();
    any_stream stream(std::move(socket));
    if (client) {
        auto greeting = greet(*mine, over->theirs, std::move(stream), std::move(from), std::make_shared<std::string>());
        asio::co_spawn(io_, std::move(greeting), asio::detached);
    } else {
        take(std::move(stream), std::move(from));
    }
}

void links::dial_listener(std::shared_ptr<peer_link> over, engine::endpoint where) {
    auto* mine = node_.find_account(over->mine);
    if (!mine || stopping_) return;
    auto dialling = attempt(*mine, over->theirs, std::move(where), std::make_shared<std::string>());
    asio::co_spawn(io_, std::move(dialling), asio::detached);
}

void links::network_changed() {
    const auto all = all_;
    for (const auto& link : all)
        if (puncher_ && link->ready() && link->path == engine::path::relay && link->dialled())
            puncher_->circuit_up(link);
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
    // A device that its account's record does not name speaks for the account, but is no place to deliver mail to: it
    // came for the relay, and other links of the account are not in its way.
    const bool is_errand = !link.dialled() && !names_device(theirs, link.peer_device());
    if (!is_errand && !keep(link, key)) {
        verdict.reason = "there is a link already";
        return verdict;
    }
    verdict.accept = true;
    verdict.mine = hello_for(*mine, link.path == engine::path::relay ? std::string() : link.remote_endpoint());
    auto self = link.shared_from_this();
    if (link.place) newcomers_.leave(link.place);
    link.ready_at = std::chrono::steady_clock::now();
    if (is_errand) return verdict;
    ready_[key] = self;
    learn(*mine, theirs, link.dialled_endpoint);
    services::log(services::area::peer)
        .info("link={} event=up peer={} dialled={} path={}", link.number(), short_name(link.theirs), link.dialled(),
              engine::to_string(link.path));
    return verdict;
}

void links::came_up(peer_link& link) {
    const auto self = link.shared_from_this();
    changed_.ring();
    if (find(link.mine, link.theirs) != self) return;   // an errand; or replaced already, and the other was told of
    auto* mine = node_.find_account(link.mine);
    if (listener_ && mine) listener_->link_up(*mine, self);
    if (puncher_ && link.path == engine::path::relay && link.dialled()) puncher_->circuit_up(self);
}

// Two links to one peer: both sides must keep the same one. A direct one is better than a circuit; else that stays
// whose TLS client has the smaller device key, and of two made by the same side the newer one, for the older is likely
// dead. An old one that had long been up when the new one came is dead for the other side: what waits on it is to fail
// now, not after a minute.
bool links::keep(peer_link& fresh, const pair_key& key) {
    const auto found = ready_.find(key);
    if (found == ready_.end()) return true;
    auto old = found->second;
    const bool given_up = !fresh.dialled() && std::chrono::steady_clock::now() - old->ready_at > race_window;
    const bool better = engine::is_better(fresh.path, old->path);
    if (engine::is_better(old->path, fresh.path)) {
        if (!given_up) return false;
    } else if (!better && !given_up && old->dialled() != fresh.dialled()) {
        const auto own = *crypto::device_key::from(node_.device().public_key());
        const bool we_should_dial = own < fresh.peer_device();
        if (fresh.dialled() != we_should_dial) return false;
    }
    ready_.erase(found);
    if (given_up && !better) old->close();
    else old->go_away();
    return true;
}

void links::learn(services::account& mine, const peer::hello& theirs, const std::string& good_endpoint) {
    auto record = peer::decode_account_record(theirs.record);
    if (!record) return;
    if (records_.size() >= strangers_records_max) records_.clear();
    // The highest sequence counts, whatever is shown after it.
    if (const auto known = records_.find(record->account);
        known == records_.end() || known->second.sequence <= record->sequence)
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

void links::keep_record(services::account& mine, const crypto::account_key& account, bytes record,
                        std::string good_endpoint) {
    // A contact's record and last good address are kept; written only when they tell something new.
    auto to_tell = std::make_shared<bool>(false);
    node_.writer().submit(
        mine.label(), mine.store(),
        [record = std::move(record), account, good_endpoint = std::move(good_endpoint),
         to_tell](storage::write_txn& txn) -> result<void> {
            auto known = txn.get_contact(account);
            if (!known) return known.error();
            if (!*known) return {};
            const auto called = (*known)->name;
            auto merged = engine::merge_record(**known, record, services::now_s());
            if (!merged) return merged.error();
            if (*merged && (*known)->name != called && (*known)->accepted) {   // as another contact is called?
                auto all = txn.contacts();
                if (!all) return all.error();
                (*known)->two_keys_untold = engine::same_name_other_key(**known, *all) != nullptr;
            }
            const bool old = !*merged && engine::noticed_old_record(**known, record, services::now_s());
            *to_tell = old || (*known)->two_keys_untold;
            const bool worked = !good_endpoint.empty() && engine::endpoint_worked(**known, good_endpoint);
            return *merged || worked || old ? txn.put_contact(**known) : result<void>();
        },
        [this, label = mine.label(), to_tell](const result<void>&) {
            if (*to_tell) node_.delivery_work(label);   // the courier writes the mail about it
        });
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
    if (protocol == peer::punch_protocol) {
        if (!puncher_) co_return bytes{};
        co_return puncher_->punch_asked(link, std::move(message));
    }
    auto reply = co_await listener_->requested(*mine, link, std::move(protocol), std::move(message));
    co_return reply;
}

void links::ended(peer_link& link) {
    auto self = link.shared_from_this();
    all_.erase(self);
    changed_.ring();
    if (link.through && link.dialled()) link.through->hang_up();
    if (listener_ && !stopping_) listener_->link_over(link);
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
    changed_.ring();
    const auto all = all_;
    for (const auto& link : all) link->close();
}

std::vector<links::live> links::snapshot() const {
    std::vector<live> out;
    for (const auto& [key, link] : ready_)
        out.push_back({crypto::account_label(key.first), crypto::account_label(key.second), link->remote_endpoint(),
                       link->path, link->dialled()});
    return out;
}

}  // namespace pp::net
