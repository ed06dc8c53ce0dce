// Records that have grown: what was written before reads as before, and nothing in between reads at all.
#include "storage/codec.hpp"
#include "storage/records_codec.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::storage;

namespace {
app_password old_password() {
    app_password p;
    p.id[0] = std::byte{7};
    p.name = "mutt";
    p.hash.data[31] = std::byte{9};
    p.created_at = 1;
    p.last_used_at = 2;
    return p;
}
}  // namespace

TEST_CASE("an app password from before SCRAM keeps its bytes and is read", "[storage]") {
    byte_writer w;   // FORMAT.md, "Records": the fields in their order
    const auto p = old_password();
    w.raw(p.id);
    w.text(p.name);
    w.raw(p.hash.view());
    w.i64(p.created_at);
    w.i64(p.last_used_at);
    CHECK(encode_whole(p) == w.out());
    const auto read = decode_whole<app_password>(w.out());
    REQUIRE(read);
    CHECK(read->name == "mutt");
    CHECK(read->last_used_at == 2);
    CHECK_FALSE(read->scram);
}

TEST_CASE("SCRAM keys of an app password are all there or not at all", "[storage]") {
    auto p = old_password();
    const auto without = encode_whole(p).size();
    p.scram = crypto::make_scram_keys("pencil", to_bytes("salt"), 1);
    const auto whole = encode_whole(p);
    const auto read = decode_whole<app_password>(whole);
    REQUIRE(read);
    CHECK(read->scram == p.scram);
    for (auto size = without + 1; size < whole.size(); ++size) {
        INFO("cut at " << size);
        CHECK_FALSE(decode_whole<app_password>(bytes_view(whole).first(size)));
    }
    p.scram->iterations = 0;
    CHECK_FALSE(decode_whole<app_password>(encode_whole(p)));
}

TEST_CASE("an outbox row that is not held has the bytes of before", "[storage]") {
    outbox_row row;
    row.recipient = "bob@b.alt";
    row.receipt = to_bytes("receipt");
    const auto before = encode_whole(row);
    row.hold_until = 1;
    const auto held = encode_whole(row);
    CHECK(held.size() == before.size() + 9);
    const auto read = decode_whole<outbox_row>(held);
    REQUIRE(read);
    CHECK(read->hold_until == 1);
    REQUIRE(decode_whole<outbox_row>(before));
    CHECK(decode_whole<outbox_row>(before)->hold_until == 0);
    for (auto size = before.size() + 1; size < held.size(); ++size)
        CHECK_FALSE(decode_whole<outbox_row>(bytes_view(held).first(size)));
}

TEST_CASE("a deposit of an outbox row, and what is left to do about an inbound one, are there or not at all",
          "[storage]") {
    outbox_row row;
    row.recipient = "bob@b.alt";
    const auto before = encode_whole(row);
    row.state = outbox_state::seeded;
    row.deposit = to_bytes("notes");
    const auto whole = encode_whole(row);
    const auto read = decode_whole<outbox_row>(whole);
    REQUIRE(read);
    CHECK(read->deposit == row.deposit);
    CHECK(read->state == outbox_state::seeded);
    for (auto size = before.size() + 1; size < whole.size(); ++size)
        CHECK_FALSE(decode_whole<outbox_row>(bytes_view(whole).first(size)));

    row.left_at = 7;
    const auto left = encode_whole(row);
    CHECK(left.size() == whole.size() + 8);
    REQUIRE(decode_whole<outbox_row>(left));
    CHECK(decode_whole<outbox_row>(left)->left_at == 7);
    CHECK(decode_whole<outbox_row>(whole)->left_at == 0);
    for (auto size = before.size() + 1; size < left.size(); ++size)
        CHECK_FALSE(decode_whole<outbox_row>(bytes_view(left).first(size)));

    inbound_row in;
    in.opened = to_bytes("opened");
    const auto wanted = encode_whole(in);
    in.stage = inbound_stage::refused;
    in.reason = "too large";
    const auto refused = encode_whole(in);
    CHECK(refused.size() > wanted.size());
    REQUIRE(decode_whole<inbound_row>(wanted));
    CHECK(decode_whole<inbound_row>(wanted)->stage == inbound_stage::wanted);
    REQUIRE(decode_whole<inbound_row>(refused));
    CHECK(decode_whole<inbound_row>(refused)->reason == "too large");
    for (auto size = wanted.size() + 1; size < refused.size(); ++size)
        CHECK_FALSE(decode_whole<inbound_row>(bytes_view(refused).first(size)));
}

TEST_CASE("a contact that is neither verified nor removed has the bytes of before", "[storage]") {
    contact c;
    c.name = "Bob";
    c.invite_token = to_bytes("token");
    const auto before = encode_whole(c);
    REQUIRE(decode_whole<contact>(before));
    c.verified_at = 5;
    CHECK(encode_whole(c).size() == before.size() + 9);
    c.removed_at = 6;
    c.accepted_before = c.old_record_told = true;
    const auto grown = encode_whole(c);
    CHECK(grown.size() == before.size() + 17);
    const auto read = decode_whole<contact>(grown);
    REQUIRE(read);
    CHECK((read->verified_at == 5 && read->removed_at == 6 && read->accepted_before && read->old_record_told));
    for (auto size = before.size() + 1; size < grown.size(); ++size)
        CHECK_FALSE(decode_whole<contact>(bytes_view(grown).first(size)));
    // nothing more, without its moment, unknown
    for (const auto wrong : {std::byte{0}, std::byte{4}, std::byte{64}}) {
        auto bad = before;
        bad.push_back(wrong);
        CHECK_FALSE(decode_whole<contact>(bad));
    }
}
