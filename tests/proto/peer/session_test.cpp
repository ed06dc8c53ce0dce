// Two link machines that talk in memory, whole and in pieces; and one machine against frames no honest peer sends
// (06-security 6.1.4).
#include "proto/peer/frame.hpp"
#include "proto/peer/protocols.hpp"
#include "proto/peer/session.hpp"
#include "proto/wire/byte_reader.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <functional>
#include <map>

using namespace people;
using namespace std::chrono_literals;

namespace {

// A session, its daemon and its clock.
struct node {
    session link;
    wire::time_point clock{1000h};
    hello mine;
    bool accept = true;
    bool met = false;
    std::optional<link_ended> end;
    std::map<std::uint64_t, result<bytes>> responses;
    std::vector<std::string> order;                      // protocols as they were asked
    std::function<bytes(const request_received&)> reply = [](const request_received& r) { return r.message; };

    node(link_options options, hello greeting) : link(std::move(options)), mine(std::move(greeting)) { link.tick(clock); }

    void wait(wire::time_point::duration d) {
        clock += d;
        link.tick(clock);
        run();
    }
    void run() {
        while (auto e = link.next_event()) {
            REQUIRE_FALSE(end);                          // link_ended is the last
            if (auto* h = std::get_if<hello_received>(&*e)) {
                CHECK_FALSE(met);
                met = true;
                hello_verdict v;
                v.accept = accept;
                v.reason = accept ? "" : "not known";
                v.mine = mine;
                (void)h;
                link.answer(std::move(v));
            } else if (auto* r = std::get_if<request_received>(&*e)) {
                order.push_back(r->protocol);
                link.answer(reply(*r));
            } else if (auto* a = std::get_if<response_received>(&*e)) {
                CHECK(responses.emplace(a->request, a->message).second);
                link.answer(noted{});
            } else {
                end = std::get<link_ended>(*e);
                link.answer(noted{});
            }
        }
    }
    std::uint64_t ask(std::string_view protocol, bytes message) {
        const auto n = link.ask_peer(protocol, std::move(message));
        link.news();
        run();
        return n;
    }
    bytes take(std::size_t n = SIZE_MAX) {
        const auto view = link.to_send();
        const auto out = to_bytes(view.first(std::min(n, view.size())));
        link.sent(out.size());
        run();
        return out;
    }
    void give(bytes_view in) {
        link.received(in);
        run();
    }
};

link_options dialling() {
    link_options o;
    o.dialler = true;
    o.peer_device = bob().device_id();
    o.mine = alice().greeting(bob().address());
    o.expected = bob().address();
    o.now = now;
    return o;
}
link_options listening() {
    link_options o;
    o.peer_device = alice().device_id();
    o.now = now;
    return o;
}
node dialler() { return {dialling(), alice().greeting(bob().address())}; }
node listener() { return {listening(), bob().greeting()}; }

// Carries bytes both ways until nobody has any, at most `piece` at a time.
void talk(node& a, node& b, std::size_t piece = SIZE_MAX) {
    a.run();
    b.run();
    for (;;) {
        const auto ab = a.take(piece);
        if (!ab.empty()) b.give(ab);
        const auto ba = b.take(piece);
        if (!ba.empty()) a.give(ba);
        if (ab.empty() && ba.empty()) return;
    }
}

bytes raw_frame(std::uint8_t type, std::uint32_t stream, bytes_view payload = {}, std::uint8_t flags = 0) {
    wire::byte_writer out;
    out.u8(type).u8(flags).u24(stream).u24(static_cast<std::uint32_t>(payload.size())).raw(payload);
    return out.take();
}
bytes raw_frame(frame_type type, std::uint32_t stream, bytes_view payload = {}) {
    return raw_frame(static_cast<std::uint8_t>(type), stream, payload);
}
bytes open_frame(std::uint32_t stream, std::string_view protocol) {
    wire::byte_writer name;
    name.text8(protocol, 255);
    return raw_frame(frame_type::open, stream, name.view());
}
bytes u32_payload(std::uint32_t v) {
    wire::byte_writer out;
    return out.u32(v).take();
}
bytes hello_frame(const hello& h) { return raw_frame(frame_type::hello, 0, encode(h)); }

struct parsed {
    std::uint8_t type;
    std::uint32_t stream;
    bytes payload;
};
std::vector<parsed> frames(bytes_view in) {
    std::vector<parsed> out;
    while (!in.empty()) {
        const auto f = next_frame(in);
        REQUIRE(f);
        REQUIRE(*f);
        out.push_back({(*f)->type, (*f)->stream, to_bytes((*f)->payload)});
        in = in.subspan((*f)->wire_bytes());
    }
    return out;
}

// Brings a listener to where a dialler we play by hand has been met.
void meet_alice(node& b) {
    b.run();
    b.give(hello_frame(alice().greeting(bob().address())));
    REQUIRE(b.link.ready());
    b.take();
}

bytes of_size(std::size_t n) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 256);
    return out;
}

}  // namespace

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
        if (f.type == static_cast<std::uint8_t>(frame_type::data) && f.stream == 1 && !seen) bulk_before += f.payload.size();
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
    const auto n = a.ask(receipt_protocol, {});
    a.take();
    a.wait(25s);
    a.wait(25s);
    CHECK(frames(a.take()).size() == 2);
    a.wait(9s);
    CHECK_FALSE(a.end);
    a.wait(1s);
    REQUIRE(a.end);
    CHECK_FALSE(a.end->violation);
    CHECK(a.responses.at(n).error() == errc::timed_out);
}

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
        raw_frame(frame_type::credit, 1, u32_payload(5)),
        raw_frame(frame_type::credit, 0, u32_payload(0)),
        raw_frame(frame_type::credit, 0, of_size(3)),
        raw_frame(frame_type::credit, 0, u32_payload(0xffffffff)),
        join({raw_frame(frame_type::credit, 0, u32_payload(15 << 20)), raw_frame(frame_type::credit, 0, u32_payload(1 << 20))}),
    };
    std::size_t number = 0;
    for (const auto& wire : cases) {
        INFO("case " << number++);
        for (std::size_t cut = 0; cut <= wire.size(); cut += wire.size() > 100 ? 50 : 1) {
            auto b = listener();
            meet_alice(b);
            const auto mine = b.link.ask_peer(receipt_protocol, {});      // opened only after these frames
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
