// One machine with hostile and honest datagrams, written out.
#include "tests/proto/dht/swarm.hpp"

#include <catch2/catch.hpp>

using namespace swarm;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

const time_point start{std::chrono::hours(5)};
const node_id other_id = *node_id::from(as_bytes("abcdefghij0123456789"));
const node_id target = *node_id::from(as_bytes("mnopqrstuvwxyz123456"));

// A machine and what comes out of it.
struct bench {
    node machine;
    time_point now = start;

    explicit bench(bool reachable = true, network kind = network::closed, std::array<bool, 2> enabled = {true, false})
        : machine([&] {
              node::settings s;
              s.kind = kind;
              s.enabled = enabled;
              s.reachable = reachable;
              s.seed = seed_of(1);
              return s;
          }(), start) {}

    std::vector<outgoing_datagram> out() {
        std::vector<outgoing_datagram> all;
        while (auto d = machine.next_datagram()) all.push_back(std::move(*d));
        return all;
    }
    std::vector<outgoing_datagram> say(const endpoint& from, bytes_view data) {
        machine.received(from, data, now);
        return out();
    }
    std::vector<outgoing_datagram> say(const endpoint& from, std::string_view text) {
        return say(from, as_bytes(text));
    }
};

std::string plain(bytes_view data) { return std::string(as_text(data)); }

// The transaction of a question of ours: t is its last text before "1:y1:qe".
std::string transaction_in(const bytes& query) {
    const auto text = as_text(query);
    return std::string(text.substr(text.size() - 7 - transaction_bytes, transaction_bytes));
}
std::string reply_text(std::string_view t, const node_id& id = other_id, std::string_view more = "") {
    return "d1:rd2:id20:" + plain(id.view()) + std::string(more) + "e1:t4:" + std::string(t) + "1:y1:re";
}

}  // namespace

TEST_CASE("the questions of BEP 5 are answered", "[node][golden]") {
    bench b;
    const auto me = plain(b.machine.self(family::ipv4).view());
    const auto from = *parse_endpoint("10.0.0.5:258");
    const auto ip = plain(to_compact(from));
    auto out = b.say(from, "d1:ad2:id20:abcdefghij01234567892:zzi1ee1:q4:ping2:roi1e1:t2:aa1:y1:qe");
    REQUIRE(out.size() == 1);
    CHECK(out[0].to == from);
    CHECK(plain(out[0].data) == "d2:ip6:" + ip + "1:rd2:id20:" + me + "e1:t2:aa1:y1:re");

    out = b.say(from,
                "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node2:roi1e1:t1:x1:y1:qe");
    REQUIRE(out.size() == 1);
    CHECK(plain(out[0].data) == "d2:ip6:" + ip + "1:rd2:id20:" + me + "5:nodes0:e1:t1:x1:y1:re");

    out = b.say(
        from, "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers2:roi1e1:t1:x1:y1:qe");
    REQUIRE(out.size() == 1);
    CHECK(plain(out[0].data).find("5:nodes0:5:token8:") != std::string::npos);

    out = b.say(from, "d1:ad2:id20:abcdefghij0123456789e1:q13:announce_peer2:roi1e1:t1:x1:y1:qe");
    REQUIRE(out.size() == 1);
    CHECK(plain(out[0].data) == "d1:eli204e14:Method Unknowne1:t1:x1:y1:ee");
    out = b.say(from, "d1:ad2:id20:abcdefghij0123456789e1:q9:find_node2:roi1e1:t1:x1:y1:qe");
    REQUIRE(out.size() == 1);
    CHECK(plain(out[0].data) == "d1:eli203e9:no targete1:t1:x1:y1:ee");
    CHECK(b.machine.known_nodes(family::ipv4) == 0);   // all of them were read-only
}

TEST_CASE("a node enters the table when it answers, not when it asks", "[node]") {
    bench b;
    const auto from = address_of(5);
    auto out = b.say(from, "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
    REQUIRE(out.size() == 2);   // a question back, and the answer
    CHECK(b.machine.known_nodes(family::ipv4) == 0);
    const auto t = transaction_in(out[0].data);
    // From another address or port, with another transaction, too late a second time: nothing.
    CHECK(b.say(address_of(6), reply_text(t)).empty());
    auto port = from;
    ++port.port;
    CHECK(b.say(port, reply_text(t)).empty());
    auto wrong = t;
    wrong[0] = static_cast<char>(wrong[0] ^ 1);
    CHECK(b.say(from, reply_text(wrong)).empty());
    CHECK(b.machine.known_nodes(family::ipv4) == 0);
    b.say(from, reply_text(t));
    CHECK(b.machine.known_nodes(family::ipv4) == 1);
    // It is named to others now.
    out = b.say(address_of(7),
                "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node2:roi1e1:t1:x1:y1:qe");
    REQUIRE(out.size() == 1);
    CHECK(plain(out[0].data).find("5:nodes26:" + plain(other_id.view()) + plain(to_compact(from))) !=
          std::string::npos);
}

TEST_CASE("who shows our own id is nobody", "[node]") {
    bench b;
    const auto me = b.machine.self(family::ipv4);
    CHECK(b.say(address_of(5), "d1:ad2:id20:" + plain(me.view()) + "e1:q4:ping1:t2:aa1:y1:qe").empty());
    const auto out = b.say(address_of(5), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
    REQUIRE(out.size() == 2);
    b.say(address_of(5), reply_text(transaction_in(out[0].data), me));
    CHECK(b.machine.known_nodes(family::ipv4) == 0);
}

TEST_CASE("a read-only node answers nobody and says so", "[node]") {
    bench b(false);
    CHECK(b.say(address_of(5), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe").empty());
    b.machine.add_bootstrap(address_of(5));
    b.machine.tick(b.now);
    const auto out = b.out();
    REQUIRE(out.size() == 1);
    CHECK(plain(out[0].data).find("2:roi1e") != std::string::npos);
    b.machine.set_reachable(true);
    CHECK_FALSE(b.say(address_of(5), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe").empty());
}

TEST_CASE("put and get at one node, with the refusals of BEP 44", "[node]") {
    bench b;
    const auto from = address_of(5);
    const auto item = item_of(1, 5, "five", "s");
    const auto at = target_of(item.key, item.salt);
    const auto token_for = [&](const endpoint& asker, const node_id& where) {
        query_fields q;
        q.method = method::get;
        q.target = where;
        const auto out = b.say(asker, encode_query(as_bytes("aa"), other_id, true, q));
        REQUIRE(out.size() == 1);
        const auto document = bencode_document::parse(out[0].data);
        return to_bytes(*document->root().find("r")->text("token"));
    };
    const auto token = token_for(from, at);
    const auto put = [&](const endpoint& asker, const mutable_item& what, bytes_view with,
                         std::optional<std::int64_t> cas = {}) {
        query_fields q;
        q.method = method::put;
        q.item = &what;
        q.token = with;
        q.compare = cas;
        const auto out = b.say(asker, encode_query(as_bytes("aa"), other_id, true, q));
        REQUIRE(out.size() == 1);
        const auto document = bencode_document::parse(out[0].data);
        const auto m = decode_message(*document);
        return m->kind == message_kind::error ? m->error_code : 0;
    };
    CHECK(put(from, item, {}) == 203);
    CHECK(put(address_of(6), item, token) == 203);                       // the token of another address
    CHECK(put(from, item_of(2, 5, "five", "s"), token) == 203);          // of another target
    CHECK(b.machine.stored_items() == 0);
    auto forged = item;
    forged.value = to_bytes("4:fivf");
    CHECK(put(from, forged, token) == 206);
    CHECK(put(from, item, token) == 0);
    CHECK(b.machine.stored_items() == 1);
    CHECK(put(from, item_of(1, 4, "four", "s"), token) == 302);
    CHECK(put(from, item_of(1, 6, "six", "s"), token, 4) == 301);

    query_fields q;
    q.method = method::get;
    q.target = at;
    auto out = b.say(address_of(7), encode_query(as_bytes("aa"), other_id, true, q));
    REQUIRE(out.size() == 1);
    auto document = bencode_document::parse(out[0].data);
    auto m = decode_message(*document);
    REQUIRE(m->value);
    CHECK(plain(*m->value) == "4:five");
    CHECK(m->sequence == 5);
    CHECK(std::ranges::equal(m->key, item.key.view()));
    CHECK(std::ranges::equal(m->signature, item.sig.view()));
    // Who names the sequence it has is not sent the value again.
    out = b.say(address_of(7), "d1:ad2:id20:abcdefghij01234567893:seqi5e6:target20:" + plain(at.view()) +
                                   "e1:q3:get2:roi1e1:t1:x1:y1:qe");
    REQUIRE(out.size() == 1);
    document = bencode_document::parse(out[0].data);
    m = decode_message(*document);
    CHECK(m->sequence == 5);
    CHECK_FALSE(m->value);
}

TEST_CASE("a question is sent again when it is slow and given up after two seconds", "[node]") {
    bench b;
    b.machine.add_bootstrap(address_of(5));
    b.machine.tick(b.now);
    REQUIRE(b.out().size() == 1);
    std::vector<std::int64_t> sent_at;
    for (int ms = 0; ms < 4000; ++ms) {
        b.now = start + milliseconds(ms);
        if (b.machine.deadline() && b.now >= *b.machine.deadline()) b.machine.tick(b.now);
        for (const auto& d : b.out()) {
            CHECK(d.to == address_of(5));
            sent_at.push_back(ms);
        }
    }
    CHECK(sent_at == std::vector<std::int64_t>{400});
    CHECK(b.machine.open_operations() == 0);
}

TEST_CASE("deadline never stands still in the past", "[node]") {
    bench b;
    b.machine.add_bootstrap(address_of(5));
    REQUIRE(b.machine.get(item_of(1, 1, "x").key, {}, b.now).has_value());
    for (int i = 0; i < 2000; ++i) {
        const auto at = b.machine.deadline();
        REQUIRE(at);
        b.now = std::max(b.now, *at);
        b.machine.tick(b.now);
        b.out();
        REQUIRE(b.machine.deadline());
        REQUIRE(*b.machine.deadline() > b.now);
    }
}

TEST_CASE("values that are not the wanted one are not believed", "[node]") {
    bench b;
    const auto wanted = item_of(1, 5, "five");
    for (std::size_t i = 0; i < 6; ++i) b.machine.add_bootstrap(address_of(10 + i));
    const auto op = b.machine.get(wanted.key, {}, b.now);
    REQUIRE(op.has_value());
    std::size_t number = 0;
    bool over = false;
    std::optional<get_finished> end;
    while (!over) {
        for (const auto& d : b.out()) {
            if (as_text(d.data).find("1:q3:get") == std::string_view::npos) continue;   // its upkeep
            // Each lies in its own way; one tells the truth.
            auto item = wanted;
            auto key = wanted.key;
            switch (number) {
            case 0: item.value = to_bytes("4:fivf"); break;
            case 1: item.sequence = 6; break;
            case 2: item = item_of(2, 9, "nine"); key = item.key; break;
            case 3: item.sig.data[0] ^= std::byte{1}; break;
            case 4: break;
            default: item.value = to_bytes("4:five4:five"); break;
            }
            auto id = other_id;
            id.data[0] = static_cast<std::byte>(number++);
            reply_fields r;
            r.key = key.view();
            r.signature = item.sig.view();
            r.sequence = item.sequence;
            r.value = item.value;
            const auto t = transaction_in(d.data);
            b.machine.received(d.to, encode_reply(as_bytes(t), id, r), b.now);
        }
        while (const auto e = b.machine.next_event())
            if (const auto* g = std::get_if<get_finished>(&*e)) {
                end = *g;
                over = true;
            }
        b.now += milliseconds(10);
        b.machine.tick(b.now);
        REQUIRE(b.now < start + seconds(10));
    }
    REQUIRE(number == 6);
    CHECK(end->item == wanted);
    CHECK(end->copies == 1);
    CHECK(b.now - start <= first_value_grace + milliseconds(20));
}

TEST_CASE("everything stays bounded under a flood", "[node]") {
    bench b;
    std::size_t answers = 0;
    for (unsigned i = 0; i < 20'000; ++i) {
        auto id = other_id;
        id.data[0] = static_cast<std::byte>(i);
        id.data[1] = static_cast<std::byte>(i >> 8);
        b.machine.received(address_of(i), encode_query(as_bytes("aa"), id, false, {}), b.now);
        if (i % 1000 == 999) answers += b.out().size();
    }
    // 512 wait at most; the byte limit of all answers together holds too.
    CHECK(answers <= 20 * outgoing_datagrams_max);
    CHECK(answers < 6000);
    for (int i = 0; i < 200; ++i) (void)b.machine.get(item_of(1, 1, "x").key, to_bytes(std::to_string(i)), b.now);
    CHECK(b.machine.open_operations() <= operations_max);
}

TEST_CASE("more operations than there may be are refused, and a cancelled one says nothing", "[node]") {
    bench b;
    b.machine.add_bootstrap(address_of(5));
    std::vector<operation_id> open;
    while (true) {
        const auto op = b.machine.get(item_of(1, 1, "x").key, to_bytes(std::to_string(open.size())), b.now);
        if (!op) {
            CHECK(op.error() == errc::too_many);
            break;
        }
        open.push_back(*op);
    }
    CHECK(open.size() == operations_max);
    for (const auto op : open) b.machine.cancel(op);
    CHECK(b.machine.open_operations() == 0);
    CHECK_FALSE(b.machine.next_event());
    CHECK(b.machine.get(item_of(1, 1, "x").key, bytes(salt_bytes_max + 1), b.now).error() ==
          errc::bad_item);
    auto unsigned_item = item_of(1, 1, "x");
    unsigned_item.sequence = 2;
    CHECK(b.machine.put(unsigned_item, std::nullopt, b.now).error() == errc::bad_signature);
}

TEST_CASE("in mainline our id follows the address that others see, and private senders are not heard", "[node]") {
    bench b(true, network::mainline);
    CHECK(b.say(*parse_endpoint("192.168.1.5:1"), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe").empty());
    const auto ours = *parse_endpoint("31.1.2.3:4000");
    REQUIRE_FALSE(id_fits(b.machine.self(family::ipv4), ours));
    std::optional<address_seen> seen;
    for (int i = 0; i < 4; ++i) {
        const auto from = *parse_endpoint("8.8." + std::to_string(i) + ".8:1");
        auto id = other_id;
        id.data[0] = static_cast<std::byte>(i * 64);
        const auto out = b.say(from, "d1:ad2:id20:" + plain(id.view()) + "e1:q4:ping1:t2:aa1:y1:qe");
        REQUIRE(out.size() == 2);
        CHECK_FALSE(seen);
        reply_fields r;
        r.observed = ours;
        const auto t = transaction_in(out[0].data);
        b.say(from, encode_reply(as_bytes(t), id, r));
        while (const auto e = b.machine.next_event())
            if (const auto* s = std::get_if<address_seen>(&*e)) seen = *s;
    }
    REQUIRE(seen);
    CHECK(seen->at == ours);
    CHECK(id_fits(b.machine.self(family::ipv4), ours));
    CHECK(b.machine.known_nodes(family::ipv4) == 4);
}

TEST_CASE("the saved table keeps its bytes; a damaged one is refused whole", "[node][golden]") {
    bench b;
    const auto out = b.say(address_of(5), "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
    b.say(address_of(5), reply_text(transaction_in(out[0].data)));
    const auto saved = b.machine.save();
    CHECK(crypto::hex(saved) == "01" + crypto::hex(b.machine.self(family::ipv4).view()) + "0001" +
                                    crypto::hex(other_id.view()) + "0a0005011ae1" +
                                    crypto::hex(b.machine.self(family::ipv6).view()) + "0000");
    for (std::size_t cut = 0; cut < saved.size(); ++cut) {
        bench fresh;
        const auto self = fresh.machine.self(family::ipv4);
        CHECK(fresh.machine.load(bytes_view(saved).first(cut)).error() == errc::bad_saved_table);
        CHECK(fresh.machine.known_nodes(family::ipv4) == 0);
        CHECK(fresh.machine.self(family::ipv4) == self);
    }
    bench fresh;
    auto longer = saved;
    longer.push_back(std::byte{0});
    CHECK(fresh.machine.load(longer).error() == errc::bad_saved_table);
    REQUIRE(fresh.machine.load(saved).has_value());
    CHECK(fresh.machine.known_nodes(family::ipv4) == 1);
    CHECK(fresh.machine.good_nodes(family::ipv4, fresh.now) == 0);   // it has yet to answer
    CHECK(fresh.machine.self(family::ipv4) == b.machine.self(family::ipv4));
    CHECK(fresh.machine.save() == saved);
}
