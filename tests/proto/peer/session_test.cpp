// Two link machines that talk in memory, whole and in pieces.
#include "proto/peer/stream_table.hpp"
#include "tests/proto/peer/two_links.hpp"

using namespace two_links;
using namespace people;
using namespace std::chrono_literals;

TEST_CASE("two machines meet, ask, answer and part") {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    REQUIRE(a.link.ready());
    REQUIRE(b.link.ready());
    const auto one = a.ask(notify_protocol, of_size(3000));
    const auto two = a.ask(receipt_protocol, {});
    const auto three = b.ask(contact_protocol, of_size(16));
    talk(a, b);
    CHECK(*a.responses.at(one) == of_size(3000));
    CHECK(a.responses.at(two)->empty());
    CHECK(*b.responses.at(three) == of_size(16));
    CHECK(a.link.open_requests() == 0);
    a.link.go_away();
    a.link.news();
    talk(a, b);
    REQUIRE(a.end);
    REQUIRE(b.end);
    CHECK_FALSE(a.end->violation);
    CHECK_FALSE(b.end->violation);
    CHECK(a.link.finished());
    CHECK(b.link.finished());
}

TEST_CASE("bytes may come in any pieces") {
    for (const std::size_t piece : {1, 2, 3, 7, 8, 9, 100, 5000}) {
        INFO("pieces of " << piece);
        auto a = dialler();
        auto b = listener();
        talk(a, b, piece);
        const auto n = a.ask(notify_protocol, of_size(20000));
        talk(a, b, piece);
        REQUIRE(a.responses.count(n));
        CHECK(a.responses.at(n).error() == errc::too_large);    // the reply of notify/1 is small
        const auto m = a.ask(notify_protocol, of_size(5000));
        talk(a, b, piece);
        CHECK(*a.responses.at(m) == of_size(5000));
    }
}

TEST_CASE("large answers flow under credit, and only as output drains") {
    auto a = dialler();
    auto b = listener();
    const auto big = of_size(8 * crypto::chunk_cipher_bytes + 300);
    b.reply = [&](const request_received& r) { return r.protocol == drive_protocol ? big : r.message; };
    talk(a, b);
    std::vector<std::uint64_t> asked;
    for (int i = 0; i < 5; ++i) asked.push_back(a.ask(drive_protocol, of_size(44)));
    std::size_t most = 0;
    for (;;) {
        most = std::max(most, b.link.to_send().size());
        const auto ab = a.take(10000);
        b.give(ab);
        const auto ba = b.take(10000);
        a.give(ba);
        if (ab.empty() && ba.empty()) break;
    }
    for (const auto n : asked) CHECK(*a.responses.at(n) == big);
    CHECK(most <= wire::output_high_water_bytes + sent_payload_bytes_max + 1024);
    CHECK(most > wire::output_high_water_bytes / 2);
}

// How many streams of drive/1 a dialler has opened that asks so often and gets no answer.
static std::size_t opened_at_once(std::size_t requests, std::size_t answer_bytes_max) {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    for (std::size_t i = 0; i < requests; ++i) a.link.ask_peer(drive_protocol, of_size(44), answer_bytes_max);
    a.link.news();
    a.run();
    std::size_t opened = 0;
    for (const auto& f : frames(a.take())) opened += f.type == static_cast<std::uint8_t>(frame_type::open);
    return opened;
}

TEST_CASE("bulk requests are open at a time as long as their answers are no more than two full ones") {
    CHECK(opened_at_once(100, 0) == 2);
    CHECK(opened_at_once(100, fetch_reply_bytes_max) == 2);
    CHECK(opened_at_once(100, fetch_reply_bytes_max / 2) == 4);
    CHECK(opened_at_once(100, 62 * 1024) == bulk_answers_bytes_max / (62 * 1024));
    CHECK(opened_at_once(100, 5000) == bulk_streams_max);
    CHECK(opened_at_once(3, 5000) == 3);
    CHECK(opened_at_once(100, SIZE_MAX) == 2);   // the protocol's limit

    // Each end makes room for the next ones, also of what is answered with too much.
    auto a = dialler();
    auto b = listener();
    b.reply = [&](const request_received& r) { return of_size(r.message.size() == 45 ? 5001 : 5000); };
    talk(a, b);
    std::vector<std::uint64_t> asked;
    for (std::size_t i = 0; i < 200; ++i)
        asked.push_back(a.link.ask_peer(drive_protocol, of_size(i % 3 == 0 ? 45 : 44), 5000));
    a.link.news();
    talk(a, b);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        INFO(i);
        const auto& answer = a.responses.at(asked[i]);
        if (i % 3 == 0) CHECK(answer.error() == errc::too_large);
        else CHECK(*answer == of_size(5000));
    }
    CHECK_FALSE(a.end);
    CHECK_FALSE(b.end);
}

TEST_CASE("of many small answers each ends its own request, whichever is whole first") {
    auto a = dialler();
    auto b = listener();
    // As long as nobody else's; later requests have shorter answers, so that they overtake.
    const auto length_of = [](std::size_t message_bytes) { return 60000 - 700 * (message_bytes - 44); };
    b.reply = [&](const request_received& r) { return of_size(length_of(r.message.size())); };
    talk(a, b);
    std::vector<std::uint64_t> asked;
    for (std::size_t i = 0; i < 80; ++i)
        asked.push_back(a.link.ask_peer(drive_protocol, of_size(44 + i), length_of(44 + i)));
    a.link.news();
    talk(a, b);
    REQUIRE(a.responses.size() == asked.size());
    for (std::size_t i = 0; i < asked.size(); ++i) {
        INFO(i);
        REQUIRE(a.responses.at(asked[i]).has_value());
        CHECK(a.responses.at(asked[i])->size() == length_of(44 + i));
    }
    CHECK(a.link.open_requests() == 0);
}

TEST_CASE("two parts of a seed are open at a time, whatever they ask for") {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    for (int i = 0; i < 10; ++i) a.link.ask_peer(relay_seed_protocol, of_size(44), 1000);
    a.link.news();
    a.run();
    std::size_t opened = 0;
    for (const auto& f : frames(a.take())) opened += f.type == static_cast<std::uint8_t>(frame_type::open);
    CHECK(opened == large_request_streams_max);
}

TEST_CASE("a notification overtakes bulk by frames, not by messages") {
    auto a = dialler();
    auto b = listener();
    const auto big = of_size(200000);
    b.reply = [&](const request_received&) { return big; };
    talk(a, b);
    a.ask(drive_protocol, of_size(44));
    b.give(a.take());
    const auto one = b.take(20000);                         // bulk is under way
    b.ask(notify_protocol, of_size(2000));
    bytes wire;
    while (b.link.to_send().size() > 0) {
        const auto more = b.take();
        wire.insert(wire.end(), more.begin(), more.end());
    }
    std::size_t bulk_before = 0;
    bool seen = false;
    bytes all = one;
    all.insert(all.end(), wire.begin(), wire.end());
    for (const auto& f : frames(all)) {
        if (f.type == static_cast<std::uint8_t>(frame_type::data) && f.stream == 2) seen = true;
        if (f.type == static_cast<std::uint8_t>(frame_type::data) && f.stream == 1 && !seen)
            bulk_before += f.payload.size();
        CHECK(f.payload.size() <= sent_payload_bytes_max);
    }
    CHECK(seen);
    CHECK(bulk_before <= one.size() + wire::output_high_water_bytes + sent_payload_bytes_max);
}

TEST_CASE("a cut link answers every open request before it ends") {
    auto whole = dialler();
    auto other = listener();
    talk(whole, other);
    // How many bytes the exchange has, then the same cut after each of them.
    const auto exchange = [](std::size_t limit) {
        auto a = dialler();
        auto b = listener();
        std::size_t carried = 0;
        a.run();
        b.run();
        const auto one = a.link.ask_peer(notify_protocol, of_size(50));
        const auto two = b.link.ask_peer(receipt_protocol, of_size(40));
        a.link.news();
        b.link.news();
        for (;;) {
            const auto ab = a.take(std::min<std::size_t>(64, limit - carried));
            carried += ab.size();
            b.give(ab);
            const auto ba = b.take(std::min<std::size_t>(64, limit - carried));
            carried += ba.size();
            a.give(ba);
            if (ab.empty() && ba.empty()) break;
        }
        const bool all = carried < limit;
        a.link.input_ended();
        b.link.input_ended();
        a.run();
        b.run();
        REQUIRE(a.end);
        REQUIRE(b.end);
        CHECK_FALSE(a.end->violation);
        CHECK_FALSE(b.end->violation);
        REQUIRE(a.responses.size() == 1);
        REQUIRE(b.responses.size() == 1);
        if (all) {
            CHECK(*a.responses.at(one) == of_size(50));
            CHECK(*b.responses.at(two) == of_size(40));
        } else if (!a.responses.at(one)) {
            CHECK(a.responses.at(one).error() == errc::link_lost);
        }
        return carried;
    };
    const auto total = exchange(1000000);
    for (std::size_t cut = 0; cut <= total; cut += cut < total - 300 ? 13 : 1) exchange(cut);
}

TEST_CASE("at most 64 streams are open, the others wait") {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    std::vector<std::uint64_t> asked;
    for (int i = 0; i < 200; ++i) asked.push_back(a.link.ask_peer(notify_protocol, of_size(2000)));
    CHECK(a.link.open_requests() == 200);
    a.link.news();
    talk(a, b);
    for (const auto n : asked) CHECK(*a.responses.at(n) == of_size(2000));
    CHECK_FALSE(b.end);
}

TEST_CASE("an unfit request fails at once and touches nothing") {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    const auto one = a.ask("carrots/1", of_size(5));
    const auto two = a.ask(receipt_protocol, of_size(16 * 1024 + 1));
    CHECK(a.responses.at(one).error() == errc::unknown_protocol);
    CHECK(a.responses.at(two).error() == errc::too_large);
    CHECK(a.link.to_send().empty());
}

TEST_CASE("silence is met with PING and ends the link after 60 s") {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    REQUIRE(a.link.deadline());
    CHECK(*a.link.deadline() - a.clock == 25s);
    a.wait(24s);
    CHECK(a.link.to_send().empty());
    a.wait(1s);
    const auto ping = a.take();
    REQUIRE(frames(ping).size() == 1);
    CHECK(frames(ping)[0].type == static_cast<std::uint8_t>(frame_type::ping));
    b.give(ping);
    a.give(b.take());
    CHECK(*a.link.deadline() - a.clock == 25s);
    a.wait(25s);
    a.wait(25s);
    CHECK(frames(a.take()).size() == 2);
    a.wait(9s);
    CHECK_FALSE(a.end);
    a.wait(1s);
    REQUIRE(a.end);
    CHECK_FALSE(a.end->violation);
}

TEST_CASE("while something is open a side pings after 3 s of silence, and after 20 s a request fails") {
    auto a = dialler();
    auto b = listener();
    talk(a, b);
    a.wait(10s);
    const auto n = a.ask(receipt_protocol, {});
    const auto request = a.take();
    const auto wait_pinging = [&a] {                        // 18 s
        for (int i = 0; i < 6; ++i) {
            INFO(i);
            CHECK(*a.link.deadline() - a.clock == 3s);
            a.wait(3s);
            const auto ping = frames(a.take());
            REQUIRE(ping.size() == 1);
            CHECK(ping[0].type == static_cast<std::uint8_t>(frame_type::ping));
            CHECK_FALSE(a.end);
        }
    };
    wait_pinging();
    b.give(request);
    a.give(b.take());
    CHECK(a.responses.at(n)->empty());
    CHECK(*a.link.deadline() - a.clock == 25s);             // nothing is open any more

    a.wait(20s);                                            // the silence before it was asked does not count
    const auto again = a.ask(receipt_protocol, {});
    a.take();
    wait_pinging();
    CHECK(*a.link.deadline() - a.clock == 2s);
    a.wait(1s);
    CHECK_FALSE(a.end);
    a.wait(1s);
    REQUIRE(a.end);
    CHECK_FALSE(a.end->violation);
    CHECK(a.responses.at(again).error() == errc::timed_out);

    auto c = listener();                                    // who cannot go on with an answer, too
    meet_alice(c);
    c.give(open_frame(1, drive_protocol));
    CHECK(*c.link.deadline() - c.clock == 3s);
}

TEST_CASE("who is busy hearing shows every 5 s that it lives") {
    // A slow line: what is asked comes in drops, and the PONG to a PING of the other side comes behind all of it.
    auto c = listener();
    meet_alice(c);
    c.take();
    c.give(open_frame(1, drive_protocol));
    std::size_t pings = 0;
    for (int second = 0; second < 60; ++second) {
        c.wait(1s);
        c.give(raw_frame(frame_type::data, 1, bytes(2, std::byte{7})));
        for (const auto& f : frames(c.take())) pings += f.type == static_cast<std::uint8_t>(frame_type::ping);
    }
    CHECK(pings == 12);
    CHECK_FALSE(c.end);
}

TEST_CASE("a request on a link that goes fails after 5 s of silence") {
    const auto end_of = [](node& a, std::uint64_t n) {
        for (const auto expected : {2s, 2s, 1s}) {
            CHECK_FALSE(a.end);
            CHECK(*a.link.deadline() - a.clock == expected);
            a.wait(expected);
            if (!a.end) CHECK(frames(a.take()).at(0).type == static_cast<std::uint8_t>(frame_type::ping));
        }
        REQUIRE(a.end);
        CHECK_FALSE(a.end->violation);
        CHECK(a.responses.at(n).error() == errc::timed_out);
    };
    SECTION("when we go") {
        auto a = dialler();
        auto b = listener();
        talk(a, b);
        a.wait(20s);
        const auto n = a.ask(drive_protocol, of_size(44));
        a.wait(3s);
        a.link.go_away();
        a.link.news();
        a.run();
        a.take();
        a.wait(1s);
        a.give(raw_frame(frame_type::data, 1, of_size(10)));    // the answer begins: it has all the time it needs
        end_of(a, n);
    }
    SECTION("when the other side goes") {
        auto a = dialler();
        auto b = listener();
        talk(a, b);
        const auto n = a.ask(drive_protocol, of_size(44));
        a.take();
        a.wait(3s);
        a.give(raw_frame(frame_type::go_away, 0, wire::byte_writer().u32(0).text8("", 200).take()));
        end_of(a, n);
    }
    SECTION("not when somebody else waits for ours") {
        auto b = listener();
        meet_alice(b);
        b.give(open_frame(1, notify_protocol));
        b.link.go_away();
        b.link.news();
        b.run();
        for (int i = 0; i < 15; ++i) b.wait(2s);
        CHECK_FALSE(b.end);
    }
}

TEST_CASE("answers that wait are bounded: bulk requests wait for them") {
    auto b = listener();
    meet_alice(b);
    int asked = 0;
    b.reply = [&](const request_received& r) {
        ++asked;
        return r.protocol == drive_protocol ? of_size(500000) : bytes();
    };
    for (std::uint32_t n = 1; n < 128; n += 2) {
        b.give(open_frame(n, drive_protocol));
        b.give(raw_frame(frame_type::fin, n));
    }
    while (b.link.to_send().size() > 0) b.take();
    CHECK(asked <= 5);                                  // 1 MiB waits and 1 MiB of credit went out
    CHECK(asked >= 3);
    b.give(open_frame(129, notify_protocol));           // 65 streams
    REQUIRE(b.end);
    CHECK(b.end->violation);
}

TEST_CASE("who goes lets the open finish and refuses the new") {
    auto b = listener();
    meet_alice(b);
    b.give(open_frame(1, notify_protocol));
    b.link.go_away();
    b.link.news();
    b.run();
    CHECK(frames(b.take()).size() == 1);
    b.give(open_frame(3, notify_protocol));
    auto answer = frames(b.take());
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].payload == u32_payload(static_cast<std::uint32_t>(end_code::going_away)));
    const auto late = b.ask(receipt_protocol, {});
    CHECK(b.responses.at(late).error() == errc::link_lost);
    b.give(raw_frame(frame_type::data, 1, of_size(10)));
    b.give(raw_frame(frame_type::fin, 1));
    answer = frames(b.take());
    REQUIRE(answer.size() == 2);
    CHECK(answer[0].payload == of_size(10));
    CHECK_FALSE(b.end);
    b.wait(5s);                                         // the other side says nothing more
    REQUIRE(b.end);
    CHECK_FALSE(b.end->violation);
    CHECK(b.link.finished());
}

TEST_CASE("an answer that comes before the request is sent ends the request") {
    auto a = dialler();
    a.run();
    a.give(hello_frame(bob().greeting()));
    a.take();
    const auto n = a.ask(notify_protocol, of_size(80 * 1024));      // more than the output takes at once
    CHECK(a.link.to_send().size() < 80 * 1024);
    a.give(raw_frame(frame_type::data, 1, of_size(4)));
    a.give(raw_frame(frame_type::fin, 1));
    CHECK(*a.responses.at(n) == of_size(4));
    while (a.link.to_send().size() > 0) a.take();
    CHECK(a.link.open_requests() == 0);
    CHECK_FALSE(a.end);
}
