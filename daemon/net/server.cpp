#include "daemon/net/server.hpp"

#include "daemon/net/courier.hpp"
#include "daemon/net/dht_socket.hpp"
#include "daemon/net/discovery.hpp"
#include "daemon/net/finder.hpp"
#include "daemon/net/listener.hpp"
#include "daemon/net/nat/address_watch.hpp"
#include "daemon/net/nat/port_mapper.hpp"
#include "daemon/net/nat/puncher.hpp"
#include "daemon/net/nat/reservations.hpp"
#include "daemon/net/open_streams.hpp"
#include "daemon/net/receiver.hpp"
#include "daemon/net/relay_home.hpp"
#include "daemon/net/relay_inbox.hpp"
#include "daemon/net/relay_outbox.hpp"
#include "daemon/net/relay_work.hpp"
#include "daemon/net/serve_common.hpp"
#include "daemon/net/serve_imap.hpp"
#include "daemon/net/serve_pop3.hpp"
#include "daemon/net/serve_relay.hpp"
#include "daemon/net/serve_smtp.hpp"
#include "daemon/net/tls.hpp"
#include "daemon/net/waiting_room.hpp"
#include "daemon/services/interfaces.hpp"
#include "daemon/services/json_line.hpp"
#include "daemon/services/light_sleeper.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/mapped_pages.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <future>
#include <list>
#include <optional>

namespace pp::net {

namespace json = boost::json;

namespace {

constexpr auto shutdown_limit = std::chrono::milliseconds(1500);   // SIGTERM to exit < 2 s
constexpr auto owing_lines_look = std::chrono::seconds(1), quiet_lines_look = std::chrono::seconds(3),
               no_lines_look = std::chrono::seconds(3600);
constexpr auto upkeep_interval = std::chrono::minutes(1);
constexpr int upkeeps_per_day = 24 * 60;
// of a command at a relay: work for it takes its time
constexpr auto errand_limit = std::chrono::minutes(2);
constexpr auto question_limit = std::chrono::seconds(5);   // of what the network thread has at hand
constexpr int first_daily_upkeep = 60;      // an hour: what waits at relays has been fetched by then
constexpr unsigned workers_max = 4;

// Has f run on the network thread and waits here, on another one, until it calls what it is given with the answer.
// nullopt: not within the limit.
template <class F>
std::optional<std::string> answer_of(asio::io_context& io, std::chrono::milliseconds limit, F f) {
    auto told = std::make_shared<std::promise<std::string>>();   // shared: the asker may have given up
    auto answer = told->get_future();
    asio::post(io, [told, f = std::move(f)] { f([told](std::string what) { told->set_value(std::move(what)); }); });
    if (answer.wait_for(limit) != std::future_status::ready) return std::nullopt;
    return answer.get();
}

// The port of a listener that covers IPv4 addresses beyond this machine; the first one's.
std::optional<std::uint16_t> port_to_map(const std::vector<services::listen_address>& listeners) {
    for (const auto& l : listeners) {
        const auto kind = engine::kind_of(l.address);
        if (l.address == "0.0.0.0" || (kind == engine::address_kind::local && l.address.find(':') == l.address.npos))
            return l.port;
    }
    return std::nullopt;
}

dht::network network_of(const services::node& n) {
    return n.dht_mode() == services::dht_mode::closed ? dht::network::closed : dht::network::mainline;
}

}  // namespace

struct server::state {
    explicit state(services::node& n)
        : node(n), workers(std::clamp(std::thread::hardware_concurrency(), 1u, workers_max)), links(io, n),
          discovery(io, n), dht(io), finder(io, n, dht, network_of(n)), courier(io, n, links, discovery, finder),
          receiver(io, n, workers, links), relay(io, n, workers), port_mapper(io), reservations(io, n),
          puncher(io, n, links, [this] { return way_in_text(); }), address_watch(io) {
        links.set_listener(&courier);
        links.set_puncher(&puncher);
        if (n.relay())
            links.set_join([this](any_stream stream, waiting_room::ticket place, std::function<void()> joined) {
                return relay.circuits().join(std::move(stream), std::move(place), std::move(joined));
            });
        courier.set_receiver(receiver);
        courier.set_relay(relay);
        courier.set_relay_mail(relay_inbox, relay_outbox, relay_homes);
        relay_inbox.set_listener(&courier);
    }

    // One kind of client connection: how many there are, and which wait for a login.
    struct crowd {
        std::size_t total = 0;
        waiting_room strangers;
    };

    // Sockets; a sentence when one cannot be opened, else empty.
    std::string open_listener(std::string service, const services::listen_address& where, listener::accepted f);
    template <class Connection>
    std::string open_for_clients(const std::vector<services::listen_address>& all, crowd& who, std::size_t total_max);
    std::string open_listeners();
    std::string open_dht();
    void hear_node();                               // what commands and the writer tell and ask; undone by ~server
    void map_ports();

    template <class Connection>
    void accept(tcp::socket socket, const services::listen_address& where, crowd& all, std::size_t total_max);
    template <class Connection>
    awaitable<void> serve(tcp::socket socket, services::listen_address where, crowd& all, waiting_room::ticket place);
    awaitable<void> upkeep();
    awaitable<void> watch_lines();
    std::string errand(services::account& mine, const engine::own_relay& at, services::node::errand what);
    std::string relay_trouble(const services::account& mine, const crypto::account_key& at);
    json::object live_status();
    void tell_endpoints();
    std::string way_in_text() const {
        const auto way = port_mapper.outside(portmap::transport::tcp);
        return way ? engine::format(way->at) : std::string();
    }
    void renew_local_tls();
    void network_changed();
    void begin_stop();
    awaitable<void> wait_for_ends();

    services::node& node;
    services::mapped_pages mapped_view{node.writer()};
    asio::io_context io{1};
    asio::thread_pool workers;
    std::shared_ptr<asio::ssl::context> local_tls;
    std::vector<std::unique_ptr<listener>> listeners;
    crowd imap, smtp, pop3;
    std::list<std::function<void()>> ends;          // one for each open client connection
    net::links links;
    net::discovery discovery;
    dht_socket dht;
    net::finder finder;
    net::courier courier;
    net::receiver receiver;
    relay_service relay;
    relay_context owners{io, node, workers, links};
    net::port_mapper port_mapper;
    net::reservations reservations;
    net::puncher puncher;
    net::address_watch address_watch;
    std::vector<services::listen_address> peer_listeners;
    net::relay_inbox relay_inbox{owners, receiver};
    net::relay_outbox relay_outbox{owners};
    net::relay_homes relay_homes{owners, [this](services::account& a, std::vector<relay::listed_item> items) {
                                     return relay_inbox.take(a, std::move(items));
                                 }};
    asio::steady_timer upkeep_timer{io}, lines_timer{io};
    bool stopping = false;
};

// Nothing where no listener of mail clients speaks TLS: reading the key takes OpenSSL milliseconds.
void server::state::renew_local_tls() {
    const auto& c = node.configuration();
    bool wanted = false;
    for (const auto* all : {&c.imap.listen, &c.smtp.listen, &c.pop3.listen})
        for (const auto& where : *all) wanted = wanted || where.tls != services::tls_mode::none;
    if (wanted) local_tls = make_local_tls(node.local_tls());
}

server::server(services::node& node) : state_(std::make_unique<state>(node)) {}

server::~server() {
    state_->node.live_status = nullptr;
    state_->node.on_delivery_work(nullptr);
    state_->node.writer().on_delivery_changes(nullptr);
    state_->node.on_record_changed(nullptr);
    state_->node.relay_errand = nullptr;
    state_->node.relay_trouble = nullptr;
    state_->workers.join();
    if (auto* relay = state_->node.relay()) relay->stop();
    state_->node.writer().stop();   // its last completions are posted to a context that still exists
}

// A connection's life: TLS when the listener says so, then the protocol until it ends.
template <class Connection>
awaitable<void> server::state::serve(tcp::socket socket, services::listen_address where, crowd& all,
                                     waiting_room::ticket place) {
    any_stream stream(std::move(socket));
    if (place->was_cut) co_return;
    if (where.tls == services::tls_mode::implicit) {
        place->cut = [&stream] { stream.close(); };
        const error_code failed = co_await stream.start_tls_as_server(local_tls, handshake_limit);
        place->cut = nullptr;
        if (failed) {
            // "unknown ca" here is a client that was not told to trust ca.pem; clients seldom say so themselves.
            if (!place->was_cut)
                services::log(services::area::main).info("port={} event=tls_failed reason={}", where.port,
                                                         services::field(failed.message()));
            co_return;
        }
    }
    if (stopping || place->was_cut) co_return;
    connection_context context{node, workers, local_tls, where.tls, [&all, place] { all.strangers.leave(place); }};
    auto connection = std::make_shared<Connection>(std::move(stream), std::move(context));
    place->cut = [weak = std::weak_ptr(connection)] {
        if (const auto alive = weak.lock()) alive->cut();
    };
    ends.push_back([weak = std::weak_ptr(connection)] {
        if (const auto alive = weak.lock()) alive->end();
    });
    const auto end = std::prev(ends.end());
    co_await connection->run();
    ends.erase(end);
}

template <class Connection>
void server::state::accept(tcp::socket socket, const services::listen_address& where, crowd& all,
                           std::size_t total_max) {
    const auto strangers_max = node.configuration().imap.unauthenticated_max;
    const auto staying = [&all] { return all.total - all.strangers.leaving(); };
    // Who has not logged in makes room, the oldest first; a login is never cut for a newcomer (06-security 6.1.3).
    if (staying() >= total_max || all.strangers.size() >= strangers_max) all.strangers.cut_oldest();
    if (staying() >= total_max || all.strangers.leaving() >= total_max) {
        error_code ignored;
        socket.non_blocking(true, ignored);
        if (where.tls != services::tls_mode::implicit)
            socket.send(asio::buffer(std::string_view(Connection::words.busy)), 0, ignored);
        return;
    }
    ++all.total;
    auto place = all.strangers.enter();
    auto serving = serve<Connection>(std::move(socket), where, all, place);
    asio::co_spawn(io, std::move(serving), [&all, place](std::exception_ptr failed) {
        --all.total;
        all.strangers.gone(place);
        if (!failed) return;
        try {
            std::rethrow_exception(failed);
        } catch (const std::exception& e) {
            services::log(services::area::main).error("event=connection_failed reason={}", services::field(e.what()));
        }
    });
}

std::string server::state::open_listener(std::string service, const services::listen_address& where,
                                         listener::accepted f) {
    auto opened = listener::open(io, std::move(service), where, std::move(f));
    if (const auto* sentence = std::get_if<std::string>(&opened)) return *sentence;
    if (auto& l = std::get<0>(opened)) listeners.push_back(std::move(l));
    return {};
}

template <class Connection>
std::string server::state::open_for_clients(const std::vector<services::listen_address>& all, crowd& who,
                                            std::size_t total_max) {
    for (const auto& where : all) {
        auto failed = open_listener(Connection::words.name, where,
                                    [this, &who, total_max](tcp::socket socket, const services::listen_address& w) {
                                        accept<Connection>(std::move(socket), w, who, total_max);
                                    });
        if (!failed.empty()) return failed;
    }
    return {};
}

std::string server::state::open_listeners() {
    const auto& c = node.configuration();
    auto failed = open_for_clients<imap_connection>(c.imap.listen, imap, c.imap.connections_max);
    if (failed.empty()) failed = open_for_clients<smtp_connection>(c.smtp.listen, smtp, c.smtp.connections_max);
    if (failed.empty()) failed = open_for_clients<pop3_connection>(c.pop3.listen, pop3, c.pop3.connections_max);
    if (!failed.empty()) return failed;
    for (const auto& where : c.peer.listen) {
        failed = open_listener("peer", where, [this](tcp::socket socket, const services::listen_address&) {
            links.accepted(std::move(socket));
        });
        if (!failed.empty()) return failed;
        if (!listeners.empty() && listeners.back()->service() == "peer")
            peer_listeners.push_back(listeners.back()->where());
    }
    return {};
}

std::string server::state::open_dht() {
    if (node.dht_mode() == services::dht_mode::off) return {};
    const auto& c = node.configuration();
    dht_socket::settings settings{network_of(node), c.dht.listen, c.dht.bootstrap, node.home().root / "dht-nodes"};
    return dht.start(std::move(settings));
}

void server::state::hear_node() {
    node.on_delivery_work([this](const std::string& label) {
        asio::post(io, [this, label] { courier.wake(label); });
    });
    node.writer().on_delivery_changes([this](const std::string& label, const storage::delivery_changes& what) {
        asio::post(io, [this, label, what] { courier.changed(label, what); });
    });
    node.on_record_changed([this](const std::string& label) {
        asio::post(io, [this, label] {
            courier.record_changed(label);
            reservations.look();
            if (auto* a = node.find_account(label)) relay_homes.update(*a);
        });
    });
    node.relay_errand = [this](services::account& mine, const engine::own_relay& at, services::node::errand what) {
        return errand(mine, at, what);
    };
    node.relay_trouble = [this](const services::account& mine, const crypto::account_key& at) {
        return relay_trouble(mine, at);
    };
}

void server::state::map_ports() {
    if (!node.configuration().peer.port_mapping) return;
    std::vector<port_mapper::wish> wishes;
    if (const auto inside = port_to_map(peer_listeners)) wishes.push_back({portmap::transport::tcp, *inside});
    if (const auto inside = port_to_map(dht.where())) wishes.push_back({portmap::transport::udp, *inside});
    port_mapper.start(std::move(wishes), [this] { tell_endpoints(); });
}

std::string server::start() {
    auto& s = *state_;
    s.renew_local_tls();
    if (auto failed = s.open_listeners(); !failed.empty()) return failed;
    s.receiver.announce_work();
    s.tell_endpoints();
    if (auto failed = s.open_dht(); !failed.empty()) return failed;

    s.node.live_status = [this] { return live_status(); };
    s.hear_node();
    for (const auto& l : s.listeners) l->start();
    s.courier.start();
    for (auto* a : s.node.accounts()) s.relay_homes.update(*a);
    if (s.node.configuration().lan.enabled) s.discovery.start(s.courier);
    s.finder.start(s.courier);
    s.map_ports();
    s.reservations.start([&s](circuit_end end) { s.links.called(std::move(end)); });
    s.address_watch.start([&s] { s.network_changed(); });
    asio::co_spawn(s.io, s.upkeep(), asio::detached);
    asio::co_spawn(s.io, s.watch_lines(), asio::detached);
    return {};
}

// Our records say where we are now; whoever publishes or shows them sees that they are new.
void server::state::tell_endpoints() {
    std::vector<std::string> mapped;
    if (const auto way = way_in_text(); !way.empty()) mapped.push_back(way);
    const auto for_dht = port_mapper.outside(portmap::transport::udp);
    dht.set_mapped(for_dht ? for_dht->at.host : std::string());
    const auto now = services::own_endpoints(peer_listeners, mapped);
    for (auto* a : node.accounts())
        if (a->record().endpoints != now) a->set_endpoints(now);
    links.set_mapped(!mapped.empty());
}

// Everything that knows addresses begins anew, what is broken first; the courier dials again at once.
void server::state::network_changed() {
    if (stopping) return;
    services::log(services::area::peer).info("event=network_changed");
    asio::use_service<open_streams>(io).close_others(services::interface_addresses());
    port_mapper.network_changed();
    tell_endpoints();
    discovery.network_changed();
    reservations.network_changed();
    relay_homes.network_changed();
    courier.dial_at_once();
    links.network_changed();
}

void server::run() {
    auto& s = *state_;
    services::light_sleeper sleeper;
    while (s.io.run_one() > 0)
        if (s.node.writer().in_flight() > 0)
            sleeper.stay_awake([&s] { return s.io.poll_one() > 0 || s.node.writer().in_flight() == 0; });
}

void server::stop() {
    auto& s = *state_;
    asio::post(s.io, [&s] { s.begin_stop(); });
}

void server::state::begin_stop() {
    if (std::exchange(stopping, true)) return;
    for (const auto& l : listeners) l->stop();
    upkeep_timer.cancel();
    lines_timer.cancel();
    discovery.stop();
    finder.stop();
    dht.stop();
    asio::use_service<relay_work>(io).stop();
    courier.stop();
    relay_homes.stop();
    relay_inbox.stop();
    relay_outbox.stop();
    receiver.stop();
    links.stop();
    port_mapper.stop();
    puncher.stop();
    reservations.stop();
    address_watch.stop();
    relay.circuits().stop();
    for (const auto& end : std::list(ends)) end();
    // Whoever is not gone by then is cut: a store is never left half written by that.
    auto cut = std::make_shared<asio::steady_timer>(io, shutdown_limit);
    cut->async_wait([this, cut](error_code) { io.stop(); });
    asio::co_spawn(io, wait_for_ends(), asio::detached);
}

awaitable<void> server::state::wait_for_ends() {
    asio::steady_timer timer(io);
    while (!ends.empty() || links.count() > 0 || port_mapper.busy()) {
        timer.expires_after(std::chrono::milliseconds(10));
        auto [ec] = co_await timer.async_wait(as_result);
        (void)ec;
    }
    io.stop();
}

awaitable<void> server::state::watch_lines() {
    auto& open = asio::use_service<open_streams>(io);
    open.on_watched = [this] {
        if (lines_timer.expiry() > std::chrono::steady_clock::now() + quiet_lines_look) lines_timer.cancel();
    };
    while (!stopping) {
        const auto found = open.close_silent(std::chrono::steady_clock::now(), line_state_of);
        lines_timer.expires_after(found == open_streams::lines::owing   ? owing_lines_look
                                  : found == open_streams::lines::quiet ? quiet_lines_look
                                                                        : no_lines_look);
        auto [ec] = co_await lines_timer.async_wait(as_result);
        (void)ec;                    // there is one, or we stop
    }
    open.on_watched = nullptr;
}

awaitable<void> server::state::upkeep() {
    for (int round = 1; !stopping; ++round) {
        upkeep_timer.expires_after(upkeep_interval);
        auto [ec] = co_await upkeep_timer.async_wait(as_result);
        if (ec || stopping) co_return;
        links.close_idle();
        co_await relay.upkeep(services::now_s());
        receiver.announce_work();
        node.search_fields().forget_unused(std::chrono::steady_clock::now());
        for (auto* a : node.accounts()) mapped_view.look(a->store());
        // Soon after the start, too: a machine that is switched off each night has no whole day, and one that is on for
        // a moment in the evening has no hour.
        if (round % upkeeps_per_day == 1) {
            co_await courier.forget_old_rows();
            co_await courier.forget_removed_contacts();
        }
        if (round % upkeeps_per_day != first_daily_upkeep) continue;
        co_await receiver.forget_unfetched_requests();
        renew_local_tls();   // a renewed leaf serves the next connections
        for (auto* a : node.accounts())
            if (auto r = node.rotate_prekeys(*a, services::now_s(), true); !r)
                services::log(services::area::main)
                    .error("event=prekeys_not_rotated reason={}", services::field(r.error().message()));
    }
}

std::string server::state::errand(services::account& mine, const engine::own_relay& at, services::node::errand what) {
    const auto told = answer_of(io, errand_limit, [this, &mine, at, what](const auto& tell) {
        auto walk =
            what == services::node::errand::open ? open_slot_at(owners, mine, at) : close_slot_at(owners, mine, at);
        asio::co_spawn(io, std::move(walk), [tell](std::exception_ptr failed, std::string why) {
            tell(failed ? "internal error" : std::move(why));
        });
    });
    return told.value_or("the relay does not answer in time");
}

std::string server::state::relay_trouble(const services::account& mine, const crypto::account_key& at) {
    const auto told = answer_of(io, question_limit, [this, &mine, at](const auto& tell) {
        std::string why;
        for (const auto& home : relay_homes.of(mine))
            if (home->at().relay == at) why = home->trouble();
        tell(std::move(why));
    });
    return told.value_or("");
}

json::object server::state::live_status() {
    json::array listening, up, sockets, published;
    for (const auto& l : listeners)
        listening.push_back({{"service", l->service()},
                             {"address", l->where().address},
                             {"port", l->where().port},
                             {"tls", services::to_string(l->where().tls)}});
    for (const auto& p : links.snapshot())
        up.push_back({{"account", p.mine},
                      {"peer", p.theirs},
                      {"remote", p.remote},
                      {"path", engine::to_string(p.path)},
                      {"dialled", p.dialled}});
    for (const auto& at : dht.where()) sockets.push_back({{"address", at.address}, {"port", at.port}});
    for (const auto* a : node.accounts())
        if (const auto stands = finder.standing_of(a->label())) {
            const auto age = std::chrono::steady_clock::now() - stands->at;
            published.push_back({{"account", a->label()},
                                 {"replicas", stands->replicas},
                                 {"age_s", std::chrono::duration_cast<std::chrono::seconds>(age).count()}});
        }
    json::object out{{"listeners", std::move(listening)},
                     {"links", std::move(up)},
                     {"connections", {{"imap", imap.total}, {"smtp", smtp.total}, {"pop3", pop3.total}}},
                     {"dht", nullptr},
                     {"port_mapping", nullptr}};
    if (dht.running()) {
        const auto d = dht.now();
        out["dht"] = {{"listen", std::move(sockets)},
                      {"nodes_ipv4", d.nodes_ipv4},
                      {"nodes_ipv6", d.nodes_ipv6},
                      {"stored_items", d.stored_items},
                      {"reachable", d.reachable},
                      {"publish", services::to_string(node.configuration().dht.publish)},
                      {"published", std::move(published)}};
    }
    if (const auto way = port_mapper.outside(portmap::transport::tcp))
        out["port_mapping"] = {{"by", way->by}, {"address", engine::format(way->at)}};
    return out;
}

std::string server::live_status() {
    auto& s = *state_;
    const auto told =
        answer_of(s.io, question_limit, [&s](const auto& tell) { tell(services::json_line(s.live_status())); });
    return told.value_or("{}");
}

}  // namespace pp::net
