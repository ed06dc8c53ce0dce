// The relay's machine under any requests: it answers each with one reply within its limit, asks only what it may, and
// lets nobody list, erase or close who has not proved the slot. Requests are in the input one after the other, two
// length bytes in front of each.
#include "proto/relay/server_session.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::relay;

namespace {

constexpr unix_s now = 1767225600;

struct store {
    bool attached = false;

    verdict operator()(slot_wanted& q) {
        return slot_facts{q.slot.data[3] < std::byte{0x80}, {}, {}, 1, 1, 1, now};
    }
    verdict operator()(work_check& q) {
        if (q.task.bits > work_bits_max) std::abort();
        return checked{q.solution % 2 == 0};
    }
    verdict operator()(may_open& q) { return outcome{q.invite == array16{} ? status::work_needed : status::ok}; }
    verdict operator()(slot_open&) { return outcome{status::ok}; }
    verdict operator()(item_deposit& q) {
        if (q.item.size() != item_bytes) std::abort();
        return reply<deposit_reply>(deposit_reply{1});
    }
    verdict operator()(items_wanted& q) {
        if (!attached || q.count > list_items_max) std::abort();
        list_reply out;
        for (std::uint8_t i = 0; i < q.count; ++i) out.items.push_back({i + std::uint64_t{1}, {}, bytes(item_bytes)});
        return reply<list_reply>(std::move(out));
    }
    verdict operator()(items_erase&) {
        if (!attached) std::abort();
        return outcome{status::ok};
    }
    verdict operator()(slot_close&) {
        if (!attached) std::abort();
        return outcome{status::ok};
    }
    verdict operator()(seed_begin& q) {
        if (!is_seed_size(q.size_bytes)) std::abort();
        return reply<seed_reply>(seed_reply{seed_phase::partial, q.size_bytes, 0, 1});
    }
    verdict operator()(seed_wanted&) { return reply<seed_reply>(refusal{status::not_found, 0}); }
    verdict operator()(seed_put& q) {
        if (q.piece.data.empty() || q.piece.data.size() > piece_bytes_max) std::abort();
        return reply<seed_reply>(refusal{status::wrong_offset, 0});
    }
    verdict operator()(seed_get& q) {
        return reply<seed_piece_reply>(seed_piece_reply{seed_bytes_min, bytes(q.range.length_bytes)});
    }
    verdict operator()(seed_delete&) { return outcome{status::bad_proof}; }
    verdict operator()(reserve& q) {
        if (q.ttl_s > reservation_s_max) std::abort();
        return reply<reserve_reply>(reserve_reply{q.ttl_s, "x"});
    }
    verdict operator()(circuit_wanted&) { return reply<connect_reply>(connect_reply{}); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    info_reply announced;
    announced.seed_total_max = announced.seed_bytes_max = std::uint64_t{1} << 30;
    announced.reservation_s = 60;
    announced.open_bits = 1;
    server_options options;
    for (std::size_t i = 0; i < options.relay.data.size(); ++i) options.relay.data[i] = static_cast<std::byte>(1 + i);
    for (std::size_t i = 0; i < options.nonce.size(); ++i) options.nonce[i] = static_cast<std::byte>(0x30 + i);
    options.announced = announced;
    server_session server(std::move(options));
    store s;
    auto rest = std::as_bytes(std::span(data, size));
    while (rest.size() >= 2) {
        const auto n = std::min<std::size_t>(static_cast<std::size_t>(rest[0]) << 8 | static_cast<std::size_t>(rest[1]),
                                             rest.size() - 2);
        const auto message = rest.subspan(2, n);
        rest = rest.subspan(2 + n);
        server.requested(to_bytes(message));
        int events = 0;
        while (auto e = server.next_event()) {
            if (++events > 4) std::abort();
            s.attached = !server.attached().empty();
            server.answer(std::visit([&](auto& q) { return s(q); }, *e));
        }
        const auto reply = server.take_output();
        if (reply.empty() || reply.size() > seed_message_bytes_max) std::abort();
        const auto decoded = decode_request(message);
        if (!decoded && reply != encode(refusal{status::bad_request, 0})) std::abort();
        if (decoded && !is_bulk(operation_of(*decoded)) && reply.size() > reply_bytes_max) std::abort();
    }
    server.link_ended();
    if (server.next_event() || !server.finished()) std::abort();
    return 0;
}
