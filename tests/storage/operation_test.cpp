#include "storage/codec.hpp"
#include "storage/frame.hpp"
#include "storage/operation.hpp"
#include "storage/view.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
bytes encoded(const operation& o) {
    bytes out;
    encode_operation(o, out);
    return out;
}
std::vector<bytes> one_of_each() {
    mail::flags flags{3, {"$a", "b"}};
    mail::uid_set set = mail::uid_set::of(1, 5);
    set.add(9);
    set.add(0xffffffff);
    op::place_mail place{{1, 2, 3, 4, some_id(5), flags, {6, -60}, {7, 0}, 8}, some_id(9)};
    op::set_flags change{1, 7, {flags, {}}, {{3, 0}, {4, 1}, {0xffffffff, 0}}};
    blob_ref ref, kept;
    ref.id.data.fill(std::byte{4});
    ref.plain_bytes = 5;
    kept.id.data.fill(std::byte{5});
    outbox_row out;
    out.recipient = "a@b";
    out.state = outbox_state::failed;
    contact c;
    c.endpoints = {"x:1", ""};
    std::vector<bytes> all;
    all.push_back(encoded(op::make_mailbox{1, "n/m", special_use::trash, false, 77}));
    all.push_back(encoded(op::rename_mailbox{1, "x"}));
    all.push_back(encoded(op::delete_mailbox{1}));
    all.push_back(encoded(op::subscribe{"x", true}));
    all.push_back(encoded(op::claim_recent{1, 9}));
    all.push_back(encoded(op::add_blob{3, std::move(ref), blob_place::in_file, 1, 2}));
    all.push_back(encoded(place));
    all.push_back(encoded(change));
    all.push_back(encoded(op::vanish{1, 2, set}));
    all.push_back(encoded(op::clear_blob{1, {}}));
    all.push_back(encoded(op::put_outbox{out}));
    all.push_back(encoded(op::erase_outbox{some_id(1)}));
    all.push_back(encoded(op::put_inbound{}));
    all.push_back(encoded(op::erase_inbound{some_id(2)}));
    all.push_back(encoded(op::mark_seen{some_account(1), some_id(2)}));
    all.push_back(encoded(op::put_contact{c}));
    all.push_back(encoded(op::erase_contact{some_account(1)}));
    all.push_back(encoded(op::put_invite{}));
    all.push_back(encoded(op::erase_invite{some_id(3)}));
    all.push_back(encoded(op::put_password{}));
    all.push_back(encoded(op::erase_password{some_id(4)}));
    all.push_back(encoded(op::put_setting{"k", to_bytes("v")}));
    all.push_back(encoded(op::put_metadata{1, "/private/comment", to_bytes("v")}));
    all.push_back(encoded(op::join_thread{9, 3, {some_id(1), some_id(2)}}));
    all.push_back(encoded(op::restore_row{3, to_bytes("key"), to_bytes("row")}));
    all.push_back(encoded(op::restore_blob{7, std::move(kept), blob_place::in_file, 1, 2, 3}));
    return all;
}
}  // namespace

TEST_CASE("each operation keeps its number and its bytes through a round trip") {
    const auto all = one_of_each();
    REQUIRE(all.size() == std::variant_size_v<operation>);
    bytes together;
    for (std::size_t i = 0; i < all.size(); ++i) {
        INFO(i);
        CHECK(all[i][0] == static_cast<std::byte>(i + 1));
        const auto back = decode_operations(all[i]);
        REQUIRE(back.has_value());
        REQUIRE(back->size() == 1);
        CHECK(back->front().index() == i);
        CHECK(encoded(back->front()) == all[i]);
        together.insert(together.end(), all[i].begin(), all[i].end());
        for (std::size_t cut = 1; cut < all[i].size(); ++cut)
            REQUIRE_FALSE(decode_operations(bytes_view(all[i]).first(cut)).has_value());
    }
    CHECK(decode_operations(together)->size() == all.size());
    const bytes newer{static_cast<std::byte>(std::variant_size_v<operation> + 1), std::byte{0}},
        none{std::byte{0}, std::byte{0}};
    CHECK(decode_operations(newer).error() == errc::newer_format);
    CHECK(decode_operations(none).error() == errc::damaged);
}

TEST_CASE("a head and a segment header are as the format says, and every flip shows") {
    crypto::initialise();
    const auto keys = account_keys::generate();
    const log_keys secrets(keys);
    log_position at;
    at.segment = 3;
    for (int i = 0; i < 5; ++i) at.frames.add(crypto::sha256(to_bytes(std::to_string(i))));
    const auto header = encode_segment_header(at, secrets);
    REQUIRE(header.size() == segment_header_bytes);
    CHECK(parse_segment_header(header)->at.frames.peaks() == at.frames.peaks());
    for (std::size_t i = 0; i < header.size(); i += 7) {
        auto bad = header;
        bad[i] ^= std::byte{1};
        REQUIRE_FALSE(parse_segment_header(bad).has_value());
    }
    const head h{5, 4096, at.frames.root(), 9, {}, {}};
    const auto body = encode_head(h, 1, secrets);
    REQUIRE(body.size() == head_body_bytes);
    CHECK(parse_head(body, 1, secrets.drive_public)->root == h.root);
    CHECK_FALSE(parse_head(body, 2, secrets.drive_public).has_value());
    for (std::size_t i = 0; i < body.size(); ++i) {
        auto bad = body;
        bad[i] ^= std::byte{0x40};
        REQUIRE_FALSE(parse_head(bad, 1, secrets.drive_public).has_value());
    }
    const auto raw = encode_frame_header({64, 7, frame_type::entry});
    CHECK(*parse_frame_header(raw) == frame_header{64, 7, frame_type::entry});
    for (std::size_t i = 0; i < raw.size() * 8; ++i) {
        auto bad = raw;
        bad[i / 8] ^= static_cast<std::byte>(1 << (i % 8));
        REQUIRE_FALSE(parse_frame_header(bad));
    }
    const auto position = at.encode();
    CHECK(log_position::decode(position)->frames.root() == at.frames.root());
    for (std::size_t cut = 0; cut < position.size(); ++cut)
        REQUIRE_FALSE(log_position::decode(bytes_view(position).first(cut)).has_value());
}

TEST_CASE("rows of the view: cut anywhere they are damage") {
    folder_row f;
    f.box.name = "x";
    message_row m;
    m.keywords = {1, 200};
    blob_row b;
    b.wrapped_key = bytes(72);
    keyword_table k;
    k.slots = {{"a", 1}, {"b", 0}};
    const auto cut_everywhere = [](const bytes& whole, auto decode) {
        REQUIRE(decode(whole).has_value());
        for (std::size_t cut = 0; cut < whole.size(); ++cut)
            REQUIRE_FALSE(decode(bytes_view(whole).first(cut)).has_value());
    };
    cut_everywhere(encode_row(f), decode_folder);
    cut_everywhere(encode_row(m), decode_message);
    cut_everywhere(encode_row(b), decode_blob);
    cut_everywhere(encode_row(k), decode_keywords);
    cut_everywhere(encode_row(counters()), decode_counters);
    k.slots.clear();
    CHECK(k.take("$A").value() == 0);
    CHECK(k.take("$a").value() == 0);
    CHECK(k.take("$b").value() == 1);
    k.release(0);
    k.release(0);
    CHECK(k.take("$c").value() == 0);
}
