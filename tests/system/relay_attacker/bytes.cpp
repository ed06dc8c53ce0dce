// Frames that break the rules of a link, requests that are never whole, answers that nobody reads,
// connections that stay.
#include "tests/system/relay_attacker/attacks.hpp"

#include "proto/wire/byte_reader.hpp"

#include <map>
#include <thread>

namespace pp::attack {

using namespace std::chrono_literals;

namespace {

bytes raw_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::uint32_t length,
                bytes_view payload = {}) {
    wire::byte_writer out;
    out.u8(type).u8(flags).u24(stream).u24(length).raw(payload);
    return out.take();
}
bytes operator+(bytes a, const bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

void frames(const setting& s) {
    const auto f = [](std::uint8_t type, std::uint32_t stream, const bytes& payload = {}) {
        return raw_frame(type, 0, stream, static_cast<std::uint32_t>(payload.size()), payload);
    };
    const auto open = f(3, 1, to_bytes("\x07relay/1"));
    bytes zeros4(4), u32max(4, std::byte{0xff});
    const std::map<std::string, bytes> ends{
        {"a length of 2^24-1", raw_frame(4, 0, 1, 0xffffff)},
        {"a length of 65536", raw_frame(1, 0, 0, 65536)},
        {"a second HELLO", f(0, 0, bytes(300))},
        {"a type that must be understood", raw_frame(0x77, 0x80, 0, 0)},
        {"a PING on a stream", f(1, 5)},
        {"a PING of 65 bytes", f(1, 0, bytes(65))},
        {"DATA before OPEN", f(4, 9, bytes(9))},
        {"FIN before OPEN", f(6, 9)},
        {"CREDIT before OPEN", f(5, 9, u32max)},
        {"RESET before OPEN", f(7, 9, zeros4)},
        {"a stream of the relay's side", f(3, 2, to_bytes("\x07relay/1"))},
        {"stream 0", f(3, 0, to_bytes("\x07relay/1"))},
        {"an OPEN twice", open + open},
        {"empty DATA", open + f(4, 1)},
        {"DATA after FIN", open + f(4, 1, bytes(5)) + f(6, 1) + f(4, 1, bytes(5))},
        {"a credit of nothing", open + f(5, 1, zeros4)},
        {"a credit of 2^32-1", open + f(5, 1, u32max)},
        {"a credit of 2^32-1 for the link", f(5, 0, u32max)},
        {"a CREDIT of five bytes", f(5, 0, bytes(5))},
        {"a GOAWAY that is none", f(8, 0, bytes(3))},
        {"an OPEN with more behind", f(3, 1, to_bytes("\x07relay/1xx"))},
        {"an OPEN without name", f(3, 1)},
    };
    for (const auto& [what, raw] : ends) {
        auto link = must_dial(s);
        link->send(raw);
        must(link->is_ended(), what + " did not end the link");
    }
    {   // 65 streams at a time
        auto link = must_dial(s);
        for (int n = 0; n < 65; ++n) link->open("relay/1");
        must(link->is_ended(), "65 open streams did not end the link");
    }
    {   // more than a message may be: that stream ends, the link lives
        auto link = must_dial(s);
        const auto stream = link->request("relay/1", bytes(2049));
        must(!link->answer(stream) && link->was_reset == peer::end_code::too_large, "a request of 2049 bytes");
        const auto other = link->request("relay-seed/1", bytes(263169));
        must(!link->answer(other) && link->was_reset == peer::end_code::too_large, "a seed request of 263169 bytes");
        const auto unknown = link->request("relay/2", bytes(1));
        must(!link->answer(unknown) && link->was_reset == peer::end_code::unknown_protocol, "a protocol nobody knows");
        must_be(status_of(link->info()), status::ok, "INFO after them");
    }
    // Nonsense behind a right HELLO, and in its place. One header in 500 is right by chance: whatever length it tells,
    // there is noise enough behind it for the next, and for the next but one.
    for (int n = 0; n < 40; ++n) {
        auto link = must_dial(s, {.says_hello = n % 2 == 0});
        bytes noise(4 * peer::frame_payload_bytes_max);
        crypto::random_bytes(noise);
        link->send(noise);
        must(link->is_ended(), "noise did not end the link");
    }
    {   // no certificate, a protocol nobody knows, a join that is none
        auto nobody = raw_link::dial(s.at, {.with_certificate = false, .says_hello = false});
        must(!nobody || nobody->is_ended(), "a link without certificate");
        must(!raw_link::dial(s.at, {.alpn = "http/1.1", .says_hello = false}), "a handshake with another protocol");
        for (const auto& join : {bytes(37), to_bytes("PPC1") + bytes(33),
                                 to_bytes("PPC1") + bytes(16) + bytes(1, std::byte{9}) + bytes(16)}) {
            auto link = must_dial(s, {.alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false});
            link->send(join);
            must(link->is_ended(12s), "a wrong join did not end the connection");
        }
    }
    {   // every operation, cut anywhere and with something behind it: bad request, and nothing else happens
        auto link = introduced(s);
        for (int op = 0; op < 256; ++op)
            for (const std::size_t more : {0, 1, 15, 18, 40, 200, 1100}) {
                const auto message = bytes(1, static_cast<std::byte>(op)) + bytes(more);
                const auto raw =
                    link->answer(link->request(op == 16 || op == 17 ? "relay-seed/1" : "relay/1", message));
                must(raw && !raw->empty() && (*raw)[0] == std::byte{1},
                     "operation " + std::to_string(op) + " with " + std::to_string(more));
            }
        const auto empty = link->answer(link->request("relay/1", {}));
        must(empty && (*empty)[0] == std::byte{1}, "an empty request");
    }
}

// Requests that are never whole, on as many links and streams as there may be. ARGUMENT: links.
void unfinished(const setting& s) {
    std::vector<std::unique_ptr<raw_link>> links;
    for (std::size_t n = 0; n < s.number(0); ++n) {
        auto link = raw_link::dial(s.at, {.source = "127.0.0." + std::to_string(2 + n % 100)});
        if (!link) continue;
        for (int stream = 0; stream < 24 && !link->over(); ++stream) {
            const auto [protocol, size] = stream < 2        ? std::pair("relay-seed/1", 263167)
                                          : stream % 4 == 0 ? std::pair("relay/1", 2047)
                                                            : std::pair("notify/1", 81919);
            if (!link->data(link->open(protocol), bytes(static_cast<std::size_t>(size), std::byte{0x55}))) break;
        }
        links.push_back(std::move(link));
    }
    peak();
}

// Links that ask for much and read nothing. ARGUMENT: links. The slot has a full list and a seed.
void slow_readers(const setting& s) {
    const owner me("slow");
    {
        auto link = own(s, me);
        for (int n = 0; n < 32; ++n)
            must_be(deposit(*link, me.id(), me.token("slow " + std::to_string(n)), "slow " + std::to_string(n)),
                    status::ok, "DEPOSIT");
        must_be(status_of(begin(*link, me.id(), me.token("slow 0"), "slow", relay::seed_bytes(1 << 20))), status::ok,
                "BEGIN");
        for (int n = 0; n < 4; ++n)
            must_be(status_of(put(*link, "slow", static_cast<std::uint64_t>(n) << 18, 1 << 18, std::byte{1})),
                    status::ok, "PUT");
    }
    // All come before the first asks: who came later would wait behind the answers that nobody reads.
    std::vector<std::unique_ptr<raw_link>> links;
    for (std::size_t n = 0; n < s.number(0); ++n) {
        auto link =
            raw_link::dial(s.at, {.source = "127.0.0." + std::to_string(2 + n % 100), .receive_buffer_bytes = 4096});
        if (!link || status_of(link->info()) != status::ok || status_of(me.attach(*link)) != status::ok) continue;
        links.push_back(std::move(link));
    }
    must(2 * links.size() >= s.number(0), "only " + std::to_string(links.size()) + " slow readers came in");
    for (auto& link : links)
        for (int asked = 0; asked < 63; ++asked) {
            const relay::request r = asked % 16 == 0
                                         ? relay::request(relay::seed_get_request{a_locator("slow"), 0, 1 << 18})
                                         : relay::request(relay::list_request{me.id(), 0, 32});
            const auto stream = link->open(relay::is_bulk(relay::operation_of(r)) ? "relay-seed/1" : "relay/1");
            link->data(stream, relay::encode(r));
            link->fin(stream);
        }
    std::this_thread::sleep_for(1s);
    peak();
    links.clear();
    auto link = own(s, me);
    must_close(*link, me);
}

// Connections that have said HELLO and stay, from one address, which would take every place there is.
// ARGUMENT: connections.
void crowd(const setting& s) {
    std::vector<std::unique_ptr<raw_link>> links;
    std::size_t named = 0;
    for (std::size_t n = 0; n < s.number(0); ++n) {
        if (auto link = raw_link::dial(s.at, {.source = "127.0.0.9", .named_device = n % 2 == 0}))
            links.push_back(std::move(link));
        ++named;
    }
    peak();
}

}  // namespace pp::attack
