// Messages: their bytes are pinned, in the order and form every node of the network reads.
#include "tests/proto/dht/swarm.hpp"

#include <catch2/catch.hpp>

using namespace swarm;

namespace {

const node_id us = *node_id::from(as_bytes("abcdefghij0123456789"));
const node_id target = *node_id::from(as_bytes("mnopqrstuvwxyz123456"));
std::string plain(const bytes& data) { return std::string(as_text(data)); }

std::optional<message> decode(std::string_view text, bytes& keep) {
    keep = to_bytes(text);
    const auto document = bencode_document::parse(keep);
    if (!document) return std::nullopt;
    const auto m = decode_message(*document);
    if (!m) return std::nullopt;
    return *m;
}
bool decodes(std::string_view text) {
    bytes keep;
    return decode(text, keep).has_value();
}

}  // namespace

TEST_CASE("queries keep their bytes", "[krpc][golden]") {
    const auto t = as_bytes("aa");
    // The examples of BEP 5.
    CHECK(plain(encode_query(t, us, false, {})) == "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
    query_fields find;
    find.method = method::find_node;
    find.target = target;
    CHECK(plain(encode_query(t, us, false, find)) ==
          "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe");
    find.wanted = {true, true};   // BEP 32; and BEP 43
    CHECK(plain(encode_query(t, us, true, find)) ==
          "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz1234564:wantl2:n42:n6ee1:q9:find_node2:roi1e1:t2:"
          "aa1:y1:qe");
    query_fields get;
    get.method = method::get;
    get.target = target;
    CHECK(plain(encode_query(t, us, false, get)) ==
          "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q3:get1:t2:aa1:y1:qe");
    const auto item = item_of(1, 7, "Hello", "salt");
    query_fields put;
    put.method = method::put;
    put.item = &item;
    put.token = as_bytes("token");
    put.compare = 6;
    CHECK(plain(encode_query(t, us, false, put)) ==
          "d1:ad3:casi6e2:id20:abcdefghij01234567891:k32:" + std::string(as_text(item.key.view())) +
              "4:salt4:salt3:seqi7e3:sig64:" + std::string(as_text(item.sig.view())) +
              "5:token5:token1:v5:Helloe1:q3:put1:t2:aa1:y1:qe");
}

TEST_CASE("answers keep their bytes", "[krpc][golden]") {
    const auto t = as_bytes("aa");
    CHECK(plain(encode_reply(t, us, {})) == "d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re");
    reply_fields r;
    r.observed = *parse_endpoint("1.2.3.4:258");
    r.with_nodes = true;
    r.nodes = {{target, *parse_endpoint("49.50.51.52:13622")}};
    r.token = as_bytes("tokentok");
    CHECK(plain(encode_reply(t, us, r)) ==
          "d2:ip6:\x01\x02\x03\x04\x01\x02"
          "1:rd2:id20:abcdefghij01234567895:nodes26:mnopqrstuvwxyz1234561234565:token8:tokentoke1:t2:aa1:y1:re");
    CHECK(plain(encode_error(t, krpc_error::generic, "A Generic Error Ocurred")) ==
          "d1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee");
}

TEST_CASE("messages of others are read", "[krpc]") {
    bytes keep;
    const auto peers = decode(
        "d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers2:roi1e1:t2:aa1:v4:UT011:y1:"
        "qe",
        keep);
    REQUIRE(peers);
    CHECK(peers->kind == message_kind::query);
    CHECK(peers->method == method::get_peers);
    CHECK(peers->target == target);
    CHECK(peers->sender == us);
    CHECK(peers->read_only);

    const auto unknown = decode("d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t1:x1:y1:qe", keep);
    REQUIRE(unknown);
    CHECK(unknown->method == method::other);

    const auto reply = decode(
        "d2:ip6:123456"
        "1:rd2:id20:abcdefghij01234567895:nodes52:mnopqrstuvwxyz123456123456"
        "nmopqrstuvwxyz12345600000" +
            std::string("\0", 1) + "6:nodes60:5:token3:abce1:t2:aa1:y1:re",
        keep);
    REQUIRE(reply);
    CHECK(reply->kind == message_kind::reply);
    CHECK(to_text(*reply->observed) == "49.50.51.52:13622");
    CHECK(as_text(reply->token) == "abc");
    const auto contacts = contacts_of(*reply);
    REQUIRE(contacts.size() == 2);
    CHECK(contacts[0] == contact{target, *parse_endpoint("49.50.51.52:13622")});

    const auto error = decode("d1:eli302e7:too lowe1:t2:aa1:y1:ee", keep);
    REQUIRE(error);
    CHECK(error->kind == message_kind::error);
    CHECK(error->error_code == 302);
}

TEST_CASE("what is no message is refused", "[krpc]") {
    REQUIRE(decodes("d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("le"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij0123456789e1:y1:re"));                  // no transaction
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij0123456789e1:ti1e1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij0123456789e1:t33:012345678901234567890123456789012" "1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id19:abcdefghij012345678e1:t2:aa1:y1:re"));            // a short id
    CHECK_FALSE(decodes("d1:rde1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij01234567895:nodes25:mnopqrstuvwxyz12345612345e1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij01234567895:nodesle" "e1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij01234567891:k31:0123456789012345678901234567890e1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij01234567893:sig1:xe1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij01234567893:seq1:1e1:t2:aa1:y1:re"));
    CHECK_FALSE(decodes("d1:ad2:id20:abcdefghij01234567896:target3:abce1:q9:find_node1:t2:aa1:y1:qe"));
    CHECK_FALSE(decodes("d1:ade1:q4:ping1:t2:aa1:y1:qe"));
    CHECK_FALSE(decodes("d1:q4:ping1:t2:aa1:y1:qe"));
    CHECK_FALSE(decodes("d1:ele1:t2:aa1:y1:ee"));
    CHECK_FALSE(decodes("d1:el7:too low3:302e1:t2:aa1:y1:ee"));
    CHECK_FALSE(decodes("d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:xe"));
}

TEST_CASE("nodes that cannot be nodes, and more than sixteen, are not taken of an answer", "[krpc]") {
    std::string nodes;
    for (int i = 0; i < 20; ++i) nodes += "mnopqrstuvwxyz12345" + std::string(1, static_cast<char>('a' + i)) + "123456";
    bytes keep;
    const auto m = decode("d1:rd2:id20:abcdefghij01234567895:nodes520:" + nodes + "e1:t2:aa1:y1:re", keep);
    REQUIRE(m);
    CHECK(contacts_of(*m).size() == nodes_per_reply_max);
    const auto none = decode("d1:rd2:id20:abcdefghij01234567895:nodes26:mnopqrstuvwxyz123456" +
                                 std::string("\0\0\0\0\x01\x01", 6) + "e1:t2:aa1:y1:re",
                             keep);
    REQUIRE(none);
    CHECK(contacts_of(*none).empty());
}
