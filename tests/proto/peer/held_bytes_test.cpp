// What streams hold is bounded over all links of a thread: the oldest goes, who finishes stays.
#include "proto/peer/held_bytes.hpp"
#include "proto/peer/stream_table.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <vector>

using namespace pp;
using namespace pp::peer;

namespace {

void give(stream_table& to, frame_type type, std::uint32_t stream, bytes_view payload = {}) {
    REQUIRE(to.take({static_cast<std::uint8_t>(type), 0, stream, payload}));
}
void open(stream_table& to, std::uint32_t stream, std::string_view protocol) {
    give(to, frame_type::open, stream, wire::byte_writer().text8(protocol, 255).view());
}
void fill(stream_table& to, std::uint32_t stream, std::size_t n) {
    const bytes piece(16 * 1024, std::byte{1});
    for (; n > 0; n -= std::min(n, piece.size()))
        give(to, frame_type::data, stream, bytes_view(piece).first(std::min(n, piece.size())));
}
// Types of the frames that a table writes, by stream.
std::vector<std::pair<int, std::uint32_t>> written(stream_table& by) {
    wire::byte_writer out;
    by.write(out, 1 << 20);
    std::vector<std::pair<int, std::uint32_t>> types;
    for (auto rest = out.view(); !rest.empty();) {
        const auto f = next_frame(rest);
        REQUIRE((f && *f));
        types.emplace_back((*f)->type, (*f)->stream);
        rest = rest.subspan((*f)->wire_bytes());
    }
    return types;
}

constexpr std::size_t each = 80 * 1024;      // of notify/1
constexpr int reset = static_cast<int>(frame_type::reset);

}  // namespace

TEST_CASE("requests that are never whole are bounded over all links", "[streams][held]") {
    auto& held = held_bytes::of_this_thread();
    REQUIRE(held.total() == 0);
    std::vector<std::unique_ptr<stream_table>> links;
    for (int n = 0; n < 60; ++n) {
        auto& link = *links.emplace_back(std::make_unique<stream_table>(false));
        for (std::uint32_t stream = 1; stream < 2 * 16; stream += 2) {
            open(link, stream, notify_protocol);
            fill(link, stream, each - 1);
            REQUIRE(held.total() <= held_bytes_max);
        }
    }
    REQUIRE(held.total() > held_bytes_max - each);
    // The first links have lost theirs, the last one nothing.
    const auto first = written(*links.front()), last = written(*links.back());
    CHECK(std::count(first.begin(), first.end(), std::pair(reset, std::uint32_t{1})) == 1);
    CHECK(std::none_of(last.begin(), last.end(), [](const auto& f) { return f.first == reset; }));
    // One that begins now and finishes is served, whatever the others hold.
    auto& honest = *links.emplace_back(std::make_unique<stream_table>(false));
    open(honest, 1, notify_protocol);
    fill(honest, 1, each);
    give(honest, frame_type::fin, 1);
    const auto asked = honest.next_request();
    REQUIRE(asked);
    CHECK(asked->message.size() == each);
    honest.answer(1, bytes(100));
    const auto reply = written(honest);
    CHECK(std::count(reply.begin(), reply.end(), std::pair(static_cast<int>(frame_type::fin), std::uint32_t{1})) == 1);
    // What ends, whichever way, is not held.
    links.clear();
    CHECK(held.total() == 0);
}

TEST_CASE("replies that nobody reads are bounded over all links", "[streams][held]") {
    auto& held = held_bytes::of_this_thread();
    std::vector<std::unique_ptr<stream_table>> links;
    const auto ask_all = [&](std::string_view protocol, std::size_t reply_bytes) {
        auto& link = *links.emplace_back(std::make_unique<stream_table>(false));
        std::size_t answered = 0;
        for (std::uint32_t stream = 1; stream < 2 * 60; stream += 2) {
            open(link, stream, protocol);
            give(link, frame_type::fin, stream);
        }
        while (const auto asked = link.next_request()) {
            link.answer(asked->stream, bytes(reply_bytes));
            ++answered;
        }
        CHECK(held.total() <= held_bytes_max);
        return answered;
    };
    for (int n = 0; n < 20; ++n) ask_all(relay_protocol, relay_reply_bytes_max);
    REQUIRE(held.is_scarce());
    // While memory is scarce a link has one answer in bulk; it gets the next when that is written.
    CHECK(ask_all(drive_protocol, 500 * 1024) == 1);
    auto& last = *links.back();
    CHECK_FALSE(last.next_request());
    give(last, frame_type::credit, 0, wire::byte_writer().u32(1 << 20).view());
    give(last, frame_type::credit, 1, wire::byte_writer().u32(1 << 20).view());
    written(last);
    CHECK(last.next_request());
    links.clear();
    CHECK(held.total() == 0);
    // And without need as many as its own limit allows.
    CHECK(ask_all(drive_protocol, 500 * 1024) == 3);
    links.clear();
    CHECK(held.total() == 0);
}
