// Two link machines that talk in memory, and the frames to play one of them by hand.
#pragma once

#include "proto/peer/frame.hpp"
#include "proto/peer/protocols.hpp"
#include "proto/peer/session.hpp"
#include "proto/wire/byte_reader.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <functional>
#include <map>

namespace two_links {

using namespace people;
using namespace std::chrono_literals;

// A session, its daemon and its clock.
struct node {
    session link;
    wire::time_point clock{1000h};
    hello mine;
    bool accept = true;
    bool met = false, up = false;
    std::optional<link_ended> end;
    std::map<std::uint64_t, result<bytes>> responses;
    std::vector<std::string> order;                      // protocols as they were asked
    std::function<bytes(const request_received&)> reply = [](const request_received& r) { return r.message; };

    node(link_options options, hello greeting) : link(std::move(options)), mine(std::move(greeting)) {
        link.tick(clock);
    }

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
            } else if (std::holds_alternative<link_ready>(*e)) {
                CHECK(link.ready());
                CHECK_FALSE(std::exchange(up, true));
                link.answer(noted{});
            } else if (auto* r = std::get_if<request_received>(&*e)) {
                CHECK(up);                               // requests only after link_ready
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

inline link_options dialling() {
    link_options o;
    o.dialler = true;
    o.peer_device = bob().device_id();
    o.mine = alice().greeting(bob().address());
    o.expected = bob().address();
    o.now = now;
    return o;
}
inline link_options listening() {
    link_options o;
    o.peer_device = alice().device_id();
    o.now = now;
    return o;
}
inline node dialler() { return {dialling(), alice().greeting(bob().address())}; }
inline node listener() { return {listening(), bob().greeting()}; }

// Carries bytes both ways until nobody has any, at most `piece` at a time.
inline void talk(node& a, node& b, std::size_t piece = SIZE_MAX) {
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

inline bytes raw_frame(std::uint8_t type, std::uint32_t stream, bytes_view payload = {}, std::uint8_t flags = 0) {
    wire::byte_writer out;
    out.u8(type).u8(flags).u24(stream).u24(static_cast<std::uint32_t>(payload.size())).raw(payload);
    return out.take();
}
inline bytes raw_frame(frame_type type, std::uint32_t stream, bytes_view payload = {}) {
    return raw_frame(static_cast<std::uint8_t>(type), stream, payload);
}
inline bytes open_frame(std::uint32_t stream, std::string_view protocol) {
    wire::byte_writer name;
    name.text8(protocol, 255);
    return raw_frame(frame_type::open, stream, name.view());
}
inline bytes u32_payload(std::uint32_t v) {
    wire::byte_writer out;
    return out.u32(v).take();
}
inline bytes hello_frame(const hello& h) { return raw_frame(frame_type::hello, 0, encode(h)); }

struct parsed {
    std::uint8_t type;
    std::uint32_t stream;
    bytes payload;
};
inline std::vector<parsed> frames(bytes_view in) {
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
inline void meet_alice(node& b) {
    b.run();
    b.give(hello_frame(alice().greeting(bob().address())));
    REQUIRE(b.link.ready());
    b.take();
}

inline bytes of_size(std::size_t n) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 256);
    return out;
}

}  // namespace two_links
