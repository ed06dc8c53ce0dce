// A link that has met its peer, fed with frames whole and in two pieces: both tell the same and write the same, and the
// output stays bounded. First byte: where to cut; second: flags of the run.
#include "proto/peer/frame.hpp"
#include "proto/peer/protocols.hpp"
#include "proto/peer/session.hpp"
#include "proto/wire/byte_writer.hpp"
#include "tests/proto/peer/people.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace pp;
using namespace pp::peer;

namespace {

constexpr std::size_t output_bytes_bound = 512 * 1024;
const std::string over_credit_reason = "more bytes came than credit was given for";

// Signing takes most of the time: once.
const bytes& hello_frame() {
    static const bytes frame = [] {
        wire::byte_writer out;
        put_frame(out, frame_type::hello, 0, encode(people::alice().greeting(people::bob().address())));
        return out.take();
    }();
    return frame;
}
const hello& bob_hello() {
    static const hello h = people::bob().greeting();
    return h;
}
const device_key& device() {
    static const device_key key = people::alice().device_id();
    return key;
}

struct run {
    session link;
    std::string told;        // what the daemon heard, as text
    std::string told_before_end;
    bytes written;
    bool gone = false;       // the peer went, and all was done
    bool full = false;       // wrote more at once than a comparison of order allows

    explicit run(bool ask) : link(options()) {
        link.tick(wire::time_point(std::chrono::hours(1)));
        give(hello_frame());
        if (!link.ready()) std::abort();
        if (!ask) return;
        link.ask_peer(drive_protocol, bytes(44));
        link.ask_peer(receipt_protocol, bytes(100));
        link.news();
        pump();
    }
    static link_options options() {
        link_options o;
        o.peer_device = device();
        o.now = people::now;
        return o;
    }
    void give(bytes_view in) {
        link.received(in);
        pump();
    }
    void pump() {
        for (;;) {
            if (link.to_send().size() > output_bytes_bound) std::abort();
            if (link.to_send().size() >= wire::output_high_water_bytes) full = true;
            const auto out = to_bytes(link.to_send());
            written.insert(written.end(), out.begin(), out.end());
            link.sent(out.size());
            auto e = link.next_event();
            if (!e) {
                if (link.to_send().empty()) return;
                continue;
            }
            if (std::holds_alternative<hello_received>(*e)) {
                told += "hello;";
                hello_verdict v;
                v.accept = true;
                v.mine = bob_hello();
                link.answer(std::move(v));
            } else if (std::holds_alternative<link_ready>(*e)) {
                if (!link.ready()) std::abort();
                told += "ready;";
                link.answer(noted{});
            } else if (auto* r = std::get_if<request_received>(&*e)) {
                told += r->protocol + " " + crypto::hex(r->message) + ";";
                link.answer(r->protocol == drive_protocol ? bytes(fetch_reply_bytes_max)
                                                          : bytes(r->message.size() / 8));
            } else if (auto* a = std::get_if<response_received>(&*e)) {
                told += std::to_string(a->request) +
                        (a->message ? crypto::hex(*a->message) : a->message.error().message()) + ";";
                link.answer(noted{});
            } else {
                const auto& end = std::get<link_ended>(*e);
                told_before_end = told;
                gone = end.reason == "the peer went away";
                told += (end.violation ? "violation " : "end ") + end.reason;
                link.answer(noted{});
            }
        }
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    const auto input = std::as_bytes(std::span(data + 3, size - 3));
    const auto cut = std::min<std::size_t>(static_cast<std::size_t>(data[0]) << 8 | data[1], input.size());
    run whole(data[2] & 1), split(data[2] & 1);
    whole.give(input);
    split.give(input.first(cut));
    split.give(input.subspan(cut));
    for (auto* r : {&whole, &split}) {
        r->link.input_ended();
        r->pump();
        if (!r->link.finished()) std::abort();
    }
    // Who has gone is not heard any more when all is written, and that takes room in the output.
    const bool gone_at_once = (whole.full && split.gone && whole.told.starts_with(split.told_before_end)) ||
                              (split.full && whole.gone && split.told.starts_with(whole.told_before_end));
    // Between two pieces credit is given for what was read of the first: more than was owed comes at once only.
    const bool over_credit = whole.told == whole.told_before_end + "violation " + over_credit_reason &&
                             split.told.starts_with(whole.told_before_end);
    if (whole.told != split.told && !gone_at_once && !over_credit) {
        std::fprintf(stderr, "in one piece it told:\n%s\nin two:\n%s\n", whole.told.c_str(), split.told.c_str());
        std::abort();
    }
    // With an output that never filled the order of frames is fixed too; what was owed when the other broke the rules
    // may have gone by then or not.
    const bool broken = whole.told.find("violation ") != std::string::npos;
    if (!whole.full && !split.full && !broken && whole.written != split.written) std::abort();
    return 0;
}
