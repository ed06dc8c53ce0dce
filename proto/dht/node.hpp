// A node of the DHT: client and, where others can reach us, server. SPEC.md says what it does on the wire.
//
// The contract of a machine for datagrams, the sibling of wire::dialogue (02-architecture 2.2):
//
//   outside calls   received(from, datagram, now) - tick(now) when deadline() has passed - after either, and after
//                   every get() or put(): next_datagram() until there is none, next_event() until there is none
//   it never        blocks, reads a clock, opens a socket, throws for what came in
//
// One owner, one thread. Everything it keeps is bounded by limits.hpp.
#pragma once

#include "proto/dht/external_votes.hpp"
#include "proto/dht/item_store.hpp"
#include "proto/dht/lookup.hpp"
#include "proto/dht/rate_limits.hpp"
#include "proto/dht/write_tokens.hpp"

#include <deque>
#include <map>
#include <variant>

namespace pp::dht {

using operation_id = std::uint64_t;

// What became of a get(): over when the nearest nodes were asked, or first_value_grace after the first good value.
struct get_finished {
    operation_id operation = 0;
    std::optional<mutable_item> item;   // verified; the highest sequence that came
    std::size_t copies = 0;             // nodes that had it
    std::size_t answers = 0;            // nodes that answered; 0: the network was not reached, which says nothing
};
// What became of one attempt of a put().
struct put_finished {
    operation_id operation = 0;
    std::size_t replicas = 0;           // nodes that said they stored it
    std::size_t answers = 0;
    bool outdated = false;              // another value with this or a higher sequence is there: sign again, higher
    std::optional<std::int64_t> newer_sequence;         // its number, when it was seen
    std::optional<std::chrono::milliseconds> retry_in;  // fewer than replicas_enough: tried again by itself
};
// The table of a family has nodes for the first time since the start.
struct joined {
    family over = family::ipv4;
    std::size_t nodes = 0;
};
// Others agree to see us at this address; mainline only.
struct address_seen {
    endpoint at;
};
using event = std::variant<get_finished, put_finished, joined, address_seen>;

struct outgoing_datagram {
    endpoint to;
    bytes data;
};

class node {
public:
    struct settings {
        network kind = network::mainline;
        std::array<bool, 2> enabled = {true, false};   // by family: where there is a socket
        bool reachable = false;        // others can reach our port: answer questions. Else read-only (BEP 43)
        dice_seed seed;                // fresh randomness at each start
    };
    node(settings, time_point now);

    void received(const endpoint& from, bytes_view datagram, time_point now);
    void tick(time_point now);
    std::optional<time_point> deadline() const;
    std::optional<outgoing_datagram> next_datagram();
    std::optional<event> next_event();

    // errc::too_many: operations_max are open. A finished operation's id is not used again.
    result<operation_id> get(const item_key& key, bytes_view salt, time_point now);
    // The item is verified first: errc::bad_item, errc::bad_signature. compare: BEP 44's cas. After the last event with
    // no retry_in it is over.
    result<operation_id> put(mutable_item item, std::optional<std::int64_t> compare, time_point now);
    void cancel(operation_id);

    // Where to begin when nothing is known: at most bootstrap_nodes_max.
    void add_bootstrap(const endpoint&);
    void set_reachable(bool on) { reachable_ = on; }
    // The known nodes and our ids (SPEC.md, "Saved table"). load: errc::bad_saved_table, and nothing is taken then.
    bytes save() const;
    result<void> load(bytes_view saved);

    const node_id& self(family f) const { return sides_[static_cast<std::size_t>(f)].self; }
    std::size_t known_nodes(family f) const { return sides_[static_cast<std::size_t>(f)].table.size(); }
    std::size_t good_nodes(family f, time_point now) const {
        return sides_[static_cast<std::size_t>(f)].table.good(now);
    }
    std::size_t stored_items() const { return store_.size(); }
    std::size_t open_operations() const { return operations_.size(); }

private:
    // One family: its id, nodes and upkeep.
    struct side {
        family kind;
        bool enabled;
        node_id self;
        routing_table table;
        external_votes votes;
        std::optional<endpoint> external;
        std::optional<time_point> upkeep_at, bootstrap_at;
        std::chrono::milliseconds bootstrap_wait = bootstrap_retry_first;
        operation_id bootstrap = 0;      // running
        bool has_joined = false;
    };
    enum class purpose { check, search, store };
    struct question {
        endpoint to;
        purpose why = purpose::check;
        operation_id operation = 0;
        bytes datagram;
        time_point first_sent_at{}, resend_at{}, gives_up_at{};
        int sends = 1;
        bool slow = false;
    };
    enum class goal { find, get, put };
    enum class phase { searching, storing, waiting };
    struct operation {
        goal what = goal::find;
        phase at = phase::searching;
        node_id target;
        item_key key;
        bytes salt;
        mutable_item item;                       // of a put
        std::optional<std::int64_t> compare;
        std::array<std::optional<lookup>, 2> lookups;
        time_point ends_at{};                    // of the search
        std::optional<time_point> grace_ends_at, retry_at;
        std::optional<mutable_item> best;
        std::size_t copies = 0;
        std::size_t stores_open = 0, replicas = 0, answers = 0, attempts = 0;
        bool outdated = false;
    };

    side& side_of(const endpoint& at) { return sides_[static_cast<std::size_t>(at.kind)]; }

    // node.cpp: questions and what comes of them
    bool ask(const endpoint& to, purpose, operation_id, const query_fields&, time_point now);
    void send(const endpoint& to, bytes data);
    void reply_came(const endpoint& from, const message&, time_point now);
    void question_is_slow(question&, time_point now);
    void question_failed(const question&);
    std::chrono::milliseconds soft_timeout() const;
    void sample_latency(time_point::duration);
    void say(event);

    // node_server.cpp
    void answer_query(const endpoint& from, const message&, time_point now);
    void answer_put(const endpoint& from, const message&, time_point now);
    void send_answer(const endpoint& to, bytes_view transaction, reply_fields, time_point now);
    void send_error(const endpoint& to, bytes_view transaction, krpc_error, std::string_view text, time_point now);
    void consider(const contact&, time_point now);

    // node_operations.cpp
    operation_id open_operation(operation);
    void begin_search(operation&, time_point now);
    void begin_find(side&, const node_id& target, time_point now);
    void advance(operation_id, time_point now);
    void ask_more(operation_id, operation&, time_point now);
    bool search_is_over(const operation&, time_point now) const;
    void begin_storing(operation_id, operation&, time_point now);
    void finish_put_attempt(operation_id, operation&, time_point now);
    void take_value(operation&, const endpoint& from, const message&, time_point now);

    // node_upkeep.cpp
    void upkeep(side&, time_point now);
    void take_vote(side&, const endpoint& voter, const endpoint& observed, time_point now);

    network network_;
    bool reachable_;
    dice dice_;
    std::array<side, 2> sides_;
    std::vector<endpoint> bootstrap_;
    std::map<std::uint32_t, question> questions_;   // by transaction
    std::map<operation_id, operation> operations_;
    operation_id last_operation_ = 0;
    std::deque<outgoing_datagram> outgoing_;
    std::deque<event> events_;
    std::deque<time_point::duration> latencies_;
    write_tokens tokens_;
    rate_limits limits_;
    rate_bucket newcomers_;
    item_store store_;
};

}  // namespace pp::dht
