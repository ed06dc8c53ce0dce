// Bencoding, endpoints, ids and items: what is taken, what is not, and the vectors of the BEPs.
#include "proto/dht/bencode.hpp"
#include "tests/proto/dht/swarm.hpp"

#include <catch2/catch.hpp>

using namespace swarm;

namespace {

bool parses(std::string_view text) { return bencode_document::parse(as_bytes(text)).has_value(); }
std::string plain(bytes_view data) { return std::string(as_text(data)); }
node_id id_of(std::string_view hex) { return *node_id::from(*crypto::from_hex(hex)); }

}  // namespace

TEST_CASE("bencoding has one form for each value", "[bencode]") {
    for (const auto* good : {"0:", "4:spam", "i0e", "i-1e", "i42e", "le", "de", "l4:spami1ee", "d1:a0:1:bi2ee",
                             "ld1:ali1eeee", "i9223372036854775807e", "i-9223372036854775808e", "d0:0:1:a0:e"})
        CHECK(parses(good));
    for (const auto* bad : {"",
                            "4:spa",
                            "4spam",
                            ":",
                            "04:spam",
                            "00:",
                            "i-0e",
                            "i01e",
                            "ie",
                            "i-e",
                            "i1",
                            "i1.5e",
                            "i+1e",
                            "i 1e",
                            "l",
                            "d",
                            "d1:a",
                            "d1:ae",
                            "di1e0:e",
                            "d1:b0:1:a0:e",
                            "d1:a0:1:a0:e",
                            "e",
                            "4:spamx",
                            "i1ei2e",
                            "i9223372036854775808e",
                            "i-9223372036854775809e",
                            "99999:a",
                            "i99999999999999999999e",
                            "x",
                            "dle0:e",
                            "-1:a",
                            "1:"})
        CHECK_FALSE(parses(bad));
}

TEST_CASE("bencoding is bounded in depth, count and size", "[bencode]") {
    const std::string deepest(bencode_depth_max, 'l'), ends(bencode_depth_max, 'e');
    CHECK(parses(deepest + ends));
    CHECK_FALSE(parses("l" + deepest + ends + "e"));
    std::string many = "l";
    for (std::size_t i = 0; i < bencode_nodes_max - 1; ++i) many += "le";
    CHECK(parses(many + "e"));
    CHECK_FALSE(parses(many + "lee"));
    CHECK(parses("2043:" + std::string(2043, 'x')));
    CHECK_FALSE(parses("2044:" + std::string(2044, 'x')));
}

TEST_CASE("every cut and every changed byte of a message is refused or read within its bounds", "[bencode]") {
    const std::string wire =
        "d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe";
    REQUIRE(parses(wire));
    for (std::size_t cut = 0; cut < wire.size(); ++cut) CHECK_FALSE(parses(wire.substr(0, cut)));
    for (std::size_t at = 0; at < wire.size(); ++at)
        for (int value = 0; value < 256; ++value) {
            auto changed = wire;
            changed[at] = static_cast<char>(value);
            const auto document = bencode_document::parse(as_bytes(changed));
            if (document) (void)decode_message(*document);
        }
}

TEST_CASE("values are found, and their bytes as they came", "[bencode]") {
    const std::string wire = "d1:ai5e1:bl1:xi7ee1:cd1:v3:abcee";
    const auto document = bencode_document::parse(as_bytes(wire));
    REQUIRE(document.has_value());
    const auto root = document->root();
    CHECK(root.is_dictionary());
    CHECK(root.integer("a") == 5);
    CHECK_FALSE(root.text("a"));
    CHECK_FALSE(root.find("d"));
    const auto list = root.find("b")->items();
    REQUIRE(list.size() == 2);
    CHECK(plain(*list[0].text()) == "x");
    CHECK(list[1].integer() == 7);
    CHECK(plain(root.find("b")->verbatim()) == "l1:xi7ee");
    CHECK(plain(root.find("c")->find("v")->verbatim()) == "3:abc");
    CHECK(plain(root.verbatim()) == wire);
    CHECK_FALSE(root.find("b")->find("x"));
    CHECK(root.items().empty());
}

TEST_CASE("endpoints as text and compact", "[endpoint]") {
    for (const auto* text : {"192.0.2.7:6881", "[2001:db8::7]:1", "0.0.0.0:65535"})
        CHECK(to_text(*parse_endpoint(text)) == text);
    for (const auto* bad : {"", "192.0.2.7", "192.0.2.7:", "192.0.2.7:65536", "192.0.2:1", "host:1", "2001:db8::7:1x",
                            "[2001:db8::7:1", "192.0.2.7:-1", "192.0.2.7: 1", "[192.0.2.7]:1"})
        CHECK_FALSE(parse_endpoint(bad).has_value());
    const auto v4 = *parse_endpoint("1.2.3.4:258");
    CHECK(crypto::hex(to_compact(v4)) == "010203040102");
    CHECK(*endpoint_from_compact(to_compact(v4)) == v4);
    const auto v6 = *parse_endpoint("[2a00:1::2]:3");
    CHECK(crypto::hex(to_compact(v6)) == "2a0000010000000000000000000000020003");
    CHECK(*endpoint_from_compact(to_compact(v6)) == v6);
    CHECK_FALSE(endpoint_from_compact(to_bytes("12345")).has_value());
}

TEST_CASE("only what can be a host of the internet is public", "[endpoint]") {
    for (const auto* text :
         {"8.8.8.8:53", "172.32.0.1:1", "100.128.0.1:1", "[2a00:1450::1]:1", "223.255.255.255:1", "[2001:4860::1]:1"})
        CHECK(is_public(*parse_endpoint(text)));
    for (const auto* text :
         {"8.8.8.8:0",         "10.1.2.3:1",      "127.0.0.1:1",       "172.16.0.1:1",       "172.31.255.255:1",
          "192.168.1.1:1",     "169.254.1.1:1",   "100.64.0.1:1",      "0.1.2.3:1",          "224.0.0.1:1",
          "255.255.255.255:1", "198.19.0.1:1",    "[::1]:1",           "[fe80::1]:1",        "[fd00::1]:1",
          "[ff02::1]:1",       "[2001:db8::1]:1", "[2002:a00:1::1]:1", "[::ffff:8.8.8.8]:1", "[2001::1]:1"})
        CHECK_FALSE(is_public(*parse_endpoint(text)));
    CHECK(is_usable(*parse_endpoint("127.0.0.1:1")));
    CHECK_FALSE(is_usable(*parse_endpoint("0.0.0.0:1")));
    CHECK_FALSE(is_usable(*parse_endpoint("[::]:1")));
    CHECK_FALSE(is_usable(*parse_endpoint("[ff02::1]:1")));
}

TEST_CASE("ids belong to addresses: the vectors of BEP 42", "[id]") {
    struct vector { const char* address; int r; const char* id; };
    for (const auto& v : {vector{"124.31.75.21:1", 1, "5fbfbff10c5d6a4ec8a88e4c6ab4c28b95eee401"},
                          vector{"21.75.31.124:1", 86, "5a3ce9c14e7a08645677bbd1cfe7d8f956d53256"},
                          vector{"65.23.51.170:1", 22, "a5d43220bc8f112a3d426c84764f8c2a1150e616"},
                          vector{"84.124.73.14:1", 65, "1b0321dd1bb1fe518101ceef99462b947a01ff41"},
                          vector{"43.213.53.83:1", 90, "e56f6cbf5b7c4be0237986d5243b87aa6d51305a"}}) {
        const auto at = *parse_endpoint(v.address);
        CHECK(id_fits(id_of(v.id), at));
        auto random = id_of(v.id);
        random.data[0] = random.data[1] = std::byte{0};
        random.data[2] &= std::byte{7};
        CHECK(id_for(at.address_view(), random) == id_of(v.id));
        auto wrong = id_of(v.id);
        wrong.data[2] ^= std::byte{8};   // the 21st bit
        CHECK_FALSE(id_fits(wrong, at));
        wrong = id_of(v.id);
        wrong.data[2] ^= std::byte{4};   // free
        CHECK(id_fits(wrong, at));
        wrong.data.back() ^= std::byte{1};
        CHECK_FALSE(id_fits(wrong, at));
        CHECK_FALSE(id_fits(id_of(v.id), *parse_endpoint("8.8.8.8:1")));
        CHECK(id_fits(id_of(v.id), *parse_endpoint("192.168.0.1:1")));   // needs none
    }
    const auto v6 = *parse_endpoint("[2a00:1450:4001:81b::200e]:1");
    const auto id = id_for(v6.address_view(), id_of("00112233445566778899aabbccddeeff00112233"));
    CHECK(id_fits(id, v6));
    CHECK(id_fits(id, *parse_endpoint("[2a00:1450:4001:81b::1]:1")));        // the same /64
    CHECK_FALSE(id_fits(id, *parse_endpoint("[2a00:1450:4001:81c::200e]:1")));
}

TEST_CASE("distance", "[id]") {
    const auto zero = node_id{}, one = id_of("0000000000000000000000000000000000000001"),
               top = id_of("8000000000000000000000000000000000000000");
    CHECK(shared_bits(zero, zero) == id_bits);
    CHECK(shared_bits(zero, one) == 159);
    CHECK(shared_bits(zero, top) == 0);
    CHECK(nearer(zero, one, top));
    CHECK_FALSE(nearer(zero, top, one));
    CHECK_FALSE(nearer(zero, one, one));
    CHECK(nearer(top, top, zero));
}

TEST_CASE("items: the vectors of BEP 44", "[item]") {
    mutable_item item;
    item.key = *item_key::from(*crypto::from_hex("77ff84905a91936367c01360803104f92432fcd904a43511876df5cdf3e7e548"));
    item.sequence = 1;
    item.value = to_bytes("12:Hello World!");
    item.sig = *crypto::signature::from(*crypto::from_hex(
        "305ac8aeb6c9c151fa120f120ea2cfb923564e11552d06a5d856091e5e853cff"
        "1260d3f39e4999684aa92eb73ffd136e6f4f3ecbfda0ce53a1608ecd7ae21f01"));
    CHECK(plain(signed_part({}, 1, item.value)) == "3:seqi1e1:v12:Hello World!");
    CHECK(verify(item).has_value());
    CHECK(crypto::hex(target_of(item.key, item.salt).view()) == "4a533d47ec9c7d95b1ad75f576cffc641853b750");

    item.salt = to_bytes("foobar");
    CHECK(verify(item).error() == errc::bad_signature);
    item.sig = *crypto::signature::from(*crypto::from_hex(
        "6834284b6b24c3204eb2fea824d82f88883a3d95e8b4a21b8c0ded553d17d17d"
        "df9a8a7104b1258f30bed3787e6cb896fca78c58f8e03b5f18f14951a87d9a08"));
    CHECK(plain(signed_part(item.salt, 1, item.value)) == "4:salt6:foobar3:seqi1e1:v12:Hello World!");
    CHECK(verify(item).has_value());
    CHECK(crypto::hex(target_of(item.key, item.salt).view()) == "411eba73b6f087ca51a3795d9c8c938d365e32c1");
    CHECK(crypto::hex(target_of_immutable(item.value).view()) == "e5f96f6f38320f0f33959cb4d3d656452117aadb");

    auto other = item;
    ++other.sequence;
    CHECK(verify(other).error() == errc::bad_signature);
    other = item;
    other.value = to_bytes("12:Hello World?");
    CHECK(verify(other).error() == errc::bad_signature);
}

TEST_CASE("items over the limits of BEP 44 are refused", "[item]") {
    CHECK(verify(item_of(1, 1, std::string(996, 'x'), std::string(64, 's'))).has_value());   // 1000 bytes bencoded
    CHECK(verify(item_of(1, 1, std::string(997, 'x'))).error() == errc::bad_item);
    CHECK(verify(item_of(1, 1, "x", std::string(65, 's'))).error() == errc::bad_item);
    auto item = item_of(1, 1, "x");
    item.value = to_bytes("1:xx");   // no single value
    CHECK(verify(item).error() == errc::bad_item);
}
