// One link machine against greetings and frames no honest peer sends (06-security 6.1.4).
#include "tests/proto/peer/two_links.hpp"

using namespace two_links;
using namespace people;
using namespace std::chrono_literals;

TEST_CASE("HELLO must come within 5 s, and as the first frame") {
    auto b = listener();
    b.run();
    CHECK(*b.link.deadline() - b.clock == 5s);
    b.wait(4s);
    CHECK_FALSE(b.end);
    b.wait(1s);
    REQUIRE(b.end);
    CHECK_FALSE(b.met);
}

TEST_CASE("a listener may refuse; its reason stays with it") {
    auto a = dialler();
    auto b = listener();
    b.accept = false;
    const auto n = a.ask(notify_protocol, of_size(10));
    talk(a, b);
    REQUIRE(a.end);
    REQUIRE(b.end);
    CHECK_FALSE(a.met);
    CHECK_FALSE(a.end->violation);
    CHECK(b.end->reason == "not known");
    CHECK(a.end->reason.find("not known") == std::string::npos);
    CHECK(a.responses.at(n).error() == errc::link_lost);
    CHECK(a.link.finished());
}

TEST_CASE("a wrong HELLO ends the link before the daemon hears of it") {
    const auto attempt = [](link_options options, const hello& theirs) {
        node b{std::move(options), bob().greeting()};
        b.run();
        b.give(hello_frame(theirs));
        REQUIRE(b.end);
        CHECK_FALSE(b.met);
        CHECK(b.end->violation);
        return b.end->reason;
    };
    const auto good = alice().greeting(bob().address());
    auto h = good;
    h.mine.sig.data[5] ^= std::byte{1};
    CHECK(attempt(listening(), h).find("signature") != std::string::npos);
    auto options = listening();
    options.peer_device = bob().device_id();              // TLS proved another key
    CHECK(attempt(options, good).find("another account or device") != std::string::npos);
    options = listening();
    options.now = later + 1;
    CHECK(attempt(options, good).find("out of date") != std::string::npos);
    h = good;
    h.record = encode(bob().record());
    attempt(listening(), h);
    h = good;
    h.record[20] ^= std::byte{1};
    attempt(listening(), h);
    h = good;
    h.record.clear();
    attempt(listening(), h);
    h = good;
    h.version_min = h.version_max = 2;                    // no downgrade, no guess
    CHECK(attempt(listening(), h).find("version") != std::string::npos);
    h = alice().greeting();
    options = dialling();
    options.peer_device = alice().device_id();            // a right certificate of somebody else
    CHECK(attempt(options, h).find("another account") != std::string::npos);
    options = dialling();
    attempt(options, bob().greeting(alice().address()));  // only the dialler wants somebody
}

TEST_CASE("frames no honest peer sends end the link, at every cut") {
    const auto notify_open = open_frame(1, notify_protocol);
    const auto join = [](std::initializer_list<bytes> parts) {
        bytes out;
        for (const auto& p : parts) out.insert(out.end(), p.begin(), p.end());
        return out;
    };
    const bytes cases[] = {
        raw_frame(77, 0, {}, must_understand),
        raw_frame(1, 0, {}, 1),                                            // a flag nobody defined
        to_bytes(std::string_view("\4\0\0\0\1\xff\xff\xff", 8)),           // length 2^24 - 1
        hello_frame(alice().greeting(bob().address())),
        raw_frame(frame_type::ping, 1),
        raw_frame(frame_type::ping, 0, of_size(65)),
        raw_frame(frame_type::pong, 1),
        raw_frame(frame_type::go_away, 0),
        raw_frame(frame_type::go_away, 0, of_size(3)),
        open_frame(0, notify_protocol),
        open_frame(2, notify_protocol),                                    // our numbers
        join({notify_open, notify_open}),
        join({open_frame(3, notify_protocol), notify_open}),               // numbers only grow
        raw_frame(frame_type::open, 1),
        raw_frame(frame_type::open, 1, to_bytes("\x05" "ab")),
        raw_frame(frame_type::data, 1, of_size(5)),                        // never opened
        raw_frame(frame_type::data, 4, of_size(5)),                        // ours, never opened
        raw_frame(frame_type::data, 0, of_size(5)),
        join({notify_open, raw_frame(frame_type::data, 1)}),               // empty: an endless stream of nothing
        raw_frame(frame_type::fin, 1),
        join({notify_open, raw_frame(frame_type::fin, 1, of_size(1))}),
        raw_frame(frame_type::reset, 1, u32_payload(0)),
        join({notify_open, raw_frame(frame_type::reset, 1)}),
        // behind FIN, answered meanwhile or not
        join({notify_open, raw_frame(frame_type::fin, 1), raw_frame(frame_type::data, 1, of_size(5))}),
        join({notify_open, raw_frame(frame_type::fin, 1), raw_frame(frame_type::fin, 1)}),
        raw_frame(frame_type::credit, 1, u32_payload(5)),
        raw_frame(frame_type::credit, 0, u32_payload(0)),
        raw_frame(frame_type::credit, 0, of_size(3)),
        raw_frame(frame_type::credit, 0, u32_payload(0xffffffff)),
        join({raw_frame(frame_type::credit, 0, u32_payload(15 << 20)),
              raw_frame(frame_type::credit, 0, u32_payload(1 << 20))}),
    };
    std::size_t number = 0;
    for (const auto& wire : cases) {
        INFO("case " << number++);
        for (std::size_t cut = 0; cut <= wire.size(); cut += wire.size() > 100 ? 50 : 1) {
            auto b = listener();
            meet_alice(b);
            const auto mine = b.link.ask_peer(receipt_protocol, {});      // fails with the link
            if (cut > 0) b.give(bytes_view(wire).first(cut));
            b.give(bytes_view(wire).subspan(cut));
            (void)mine;
            REQUIRE(b.end);
            CHECK(b.end->violation);
            CHECK_FALSE(b.end->reason.empty());
            CHECK(b.responses.size() == 1);
            const auto last = frames(b.link.to_send()).back();
            CHECK(last.type == static_cast<std::uint8_t>(frame_type::go_away));
        }
    }
}

TEST_CASE("behind the last frame of a link nobody looks, at every cut") {
    const auto away = raw_frame(frame_type::go_away, 0, wire::byte_writer().u32(0).text8("bye", 200).take());
    const auto request = open_frame(1, notify_protocol), end = raw_frame(frame_type::fin, 1);
    using frames_sent = std::vector<bytes>;
    for (const auto& honest : {frames_sent{away}, frames_sent{request, end, away}, frames_sent{request, away, end}}) {
        bytes wire, written;
        for (const auto& one : honest) wire.insert(wire.end(), one.begin(), one.end());
        const auto honest_bytes = wire.size();
        const auto wrong = raw_frame(frame_type::reset, 9);
        wire.insert(wire.end(), wrong.begin(), wrong.end());
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            INFO(honest.size() << " frames, cut at " << cut);
            auto b = listener();
            meet_alice(b);
            b.give(bytes_view(wire).first(cut));
            CHECK(b.end.has_value() == (cut >= honest_bytes));
            if (!b.end) b.give(bytes_view(wire).subspan(cut));
            REQUIRE(b.end);
            CHECK_FALSE(b.end->violation);
            CHECK(b.order.size() == (honest.size() > 1 ? 1 : 0));
            const auto out = b.take();
            if (cut == 0) written = out;
            CHECK(out == written);
            CHECK(frames(out).back().payload == wire::byte_writer().u32(0).text8("", 200).take());
        }
    }
}

TEST_CASE("what is odd but honest goes on") {
    auto b = listener();
    meet_alice(b);
    b.give(raw_frame(77, 3, of_size(100)));                               // a type of later versions
    b.give(raw_frame(frame_type::addresses, 0, of_size(10)));
    b.give(raw_frame(frame_type::pong, 0));
    b.give(open_frame(1, "carrots/9"));
    auto answer = frames(b.take());
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].type == static_cast<std::uint8_t>(frame_type::reset));
    CHECK(answer[0].stream == 1);
    b.give(raw_frame(frame_type::data, 1, of_size(100)));                 // was under way
    b.give(raw_frame(frame_type::credit, 1, u32_payload(10)));
    b.give(raw_frame(frame_type::reset, 1, u32_payload(0)));
    b.give(raw_frame(frame_type::fin, 1));
    b.give(open_frame(3, notify_protocol));
    b.give(raw_frame(frame_type::reset, 3, u32_payload(0)));              // cancelled
    b.give(open_frame(5, notify_protocol));
    b.give(raw_frame(frame_type::fin, 5));
    CHECK(b.order == std::vector<std::string>{"notify/1"});
    CHECK_FALSE(b.end);
    for (std::uint32_t n = 7; n < 7 + 2 * 300; n += 2) b.give(open_frame(n, "carrots/9"));   // more than is remembered
    for (const std::uint32_t n : {7, 9, 601, 605}) b.give(raw_frame(frame_type::data, n, of_size(3)));
    CHECK_FALSE(b.end);
}

TEST_CASE("a message over its protocol's limit is reset before it is kept") {
    auto b = listener();
    meet_alice(b);
    b.give(open_frame(1, contact_protocol));
    b.give(raw_frame(frame_type::data, 1, of_size(16 * 1024)));
    CHECK(b.take().empty());
    b.give(raw_frame(frame_type::data, 1, of_size(1)));
    const auto answer = frames(b.take());
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].type == static_cast<std::uint8_t>(frame_type::reset));
    CHECK(answer[0].payload == u32_payload(static_cast<std::uint32_t>(end_code::too_large)));
    CHECK(b.order.empty());
    CHECK_FALSE(b.end);
}

TEST_CASE("large requests are collected two at a time") {
    auto b = listener();
    meet_alice(b);
    for (const std::uint32_t n : {1, 3}) {
        b.give(open_frame(n, relay_seed_protocol));
        b.give(raw_frame(frame_type::data, n, of_size(60000)));
    }
    b.take();
    b.give(open_frame(5, relay_seed_protocol));
    auto answer = frames(b.take());
    REQUIRE(answer.size() == 1);
    CHECK(answer[0].type == static_cast<std::uint8_t>(frame_type::reset));
    CHECK(answer[0].payload == u32_payload(static_cast<std::uint32_t>(end_code::refused)));
    b.give(open_frame(7, relay_protocol));              // others are not held up
    CHECK(b.take().empty());
    b.reply = [](const request_received&) { return bytes(); };
    b.give(raw_frame(frame_type::fin, 1));
    while (b.link.to_send().size() > 0) b.take();
    b.give(open_frame(9, relay_seed_protocol));
    CHECK(b.take().empty());
    CHECK_FALSE(b.end);
}

TEST_CASE("credit is counted to the byte") {
    // Ours, of a drive answer: 256 KiB on the stream, more only after CREDIT.
    auto b = listener();
    meet_alice(b);
    b.reply = [](const request_received&) { return of_size(500000); };
    b.give(open_frame(1, drive_protocol));
    b.give(raw_frame(frame_type::fin, 1));
    const auto drain = [&] {
        std::size_t data = 0;
        while (b.link.to_send().size() > 0)
            for (const auto& f : frames(b.take()))
                if (f.type == static_cast<std::uint8_t>(frame_type::data)) data += f.payload.size();
        return data;
    };
    CHECK(drain() == 256 * 1024);
    b.give(raw_frame(frame_type::credit, 1, u32_payload(1000)));
    CHECK(drain() == 1000);
    b.give(raw_frame(frame_type::credit, 1, u32_payload(1000000)));
    CHECK(drain() == 500000 - 256 * 1024 - 1000);
    // Three more use up the link's credit: 1 MiB less what went.
    for (const std::uint32_t n : {3, 5, 7}) {
        b.give(open_frame(n, drive_protocol));
        b.give(raw_frame(frame_type::credit, n, u32_payload(1000000)));
        b.give(raw_frame(frame_type::fin, n));
    }
    CHECK(drain() == 1024 * 1024 - 500000);
    b.give(raw_frame(frame_type::credit, 0, u32_payload(10)));
    CHECK(drain() == 10);
    CHECK_FALSE(b.end);
}

TEST_CASE("credit is returned at half and its excess ends the link") {
    auto a = dialler();
    a.run();
    a.give(hello_frame(bob().greeting()));
    a.ask(drive_protocol, of_size(44));
    a.take();
    const auto piece = raw_frame(frame_type::data, 1, of_size(32768));
    for (int i = 0; i < 3; ++i) a.give(piece);
    CHECK(a.take().empty());
    a.give(piece);
    const auto credit = frames(a.take());
    REQUIRE(credit.size() == 1);
    CHECK(credit[0].type == static_cast<std::uint8_t>(frame_type::credit));
    CHECK(credit[0].stream == 1);
    CHECK(credit[0].payload == u32_payload(128 * 1024));

    // Nobody can overrun it while it is returned as bytes come, except with bytes on streams that are gone: they count
    // for the link. A peer that sends more than a link's credit before it reads anything breaks the rule.
    CHECK_FALSE(a.end);
}

TEST_CASE("a flood of PING without reading does not grow the output") {
    auto b = listener();
    meet_alice(b);
    bytes pings;
    const auto ping = raw_frame(frame_type::ping, 0, of_size(64));
    for (int i = 0; i < 1000; ++i) pings.insert(pings.end(), ping.begin(), ping.end());
    std::size_t given = 0;
    while (given < 100 && (given == 0 || b.link.wants_input())) {
        b.give(pings);
        ++given;
    }
    CHECK(given < 10);
    CHECK(b.link.to_send().size() < 256 * 1024);
    while (b.link.to_send().size() > 0) b.take();
    CHECK(b.link.wants_input());
}
