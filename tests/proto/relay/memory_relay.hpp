// A relay whose store is a few maps, around the real server machine; and a client that plays its machines against it.
#pragma once

#include "proto/relay/collector.hpp"
#include "proto/relay/depositor.hpp"
#include "proto/relay/seed_fetch.hpp"
#include "proto/relay/server_session.hpp"
#include "tests/proto/peer/print_results.hpp"

#include <deque>
#include <map>
#include <set>

namespace memory_relay {

using namespace pp;
using namespace pp::relay;

inline constexpr unix_s now = 1767225600;             // 2026-01-01 00:00:00 UTC

template <class T>
T filled(std::uint8_t first) {   // first, first + 1, ...
    std::array<std::byte, T::size_bytes> raw;
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(first + i);
    return *T::from(raw);
}
inline array16 filled16(std::uint8_t first) {
    array16 raw;
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(first + i);
    return raw;
}
inline bytes pattern(std::size_t n, std::uint8_t first) {
    bytes out(n);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>(first + i * 7);
    return out;
}
inline const account_key relay_key = filled<account_key>(0x01);
inline slot_secrets bob_slot(std::uint32_t generation = 1) {
    return derive_slot(filled<crypto::account_seed>(0x41), relay_key, generation);
}
inline delivery_token token_for_bob(std::uint8_t n = 0) {
    return issue_token(bob_slot().id(), bob_slot().tokens, filled<token_serial>(static_cast<std::uint8_t>(0x80 + n)),
                       week_of(now) + 4);
}

struct relay_state {
    struct slot {
        open_request settings;
        std::uint64_t last = 0;
        std::map<std::uint64_t, listed_item> items;
        std::map<token_serial, int> spent;
    };
    struct seed {
        crypto::hash256 deletion;
        std::uint64_t size = 0;
        bytes data;
        seed_phase phase = seed_phase::partial;
    };
    std::map<slot_id, slot> slots;
    std::map<locator, seed> seeds;
    info_reply announced;
    outcome policy{status::ok};
    bool knows_invites = true;
    std::size_t items_max = 100;
    std::uint64_t disk_bytes = UINT64_MAX;   // for pieces of seeds; more are refused
    std::uint64_t forget_at = 0;          // a put that reaches this loses everything, once
    std::vector<std::string> told;        // names of the events, for order
    std::uint64_t seed_bytes_written = 0;
    int work_checks = 0;

    relay_state() {
        announced.policy = serving::contacts;
        announced.open_bits = 2;
        announced.items_max = 100;
        announced.item_ttl_s = 30 * 86400;
        announced.seed_total_max = 1 << 30;
        announced.seed_bytes_max = 1 << 28;
        announced.seed_ttl_s = 14 * 86400;
        announced.reservation_s = 3600;
    }
    seed_reply state_of(const seed& s) const { return {s.phase, s.size, s.data.size(), 86400}; }

    verdict operator()(slot_wanted& q) {
        told.push_back("slot");
        slot_facts out;
        const auto it = slots.find(q.slot);
        if (it == slots.end()) return out;
        const auto& s = it->second.settings;
        return slot_facts{true, s.tokens, s.previous_tokens, s.stranger_bits,
                          static_cast<std::uint32_t>(it->second.items.size()), 0, now};
    }
    verdict operator()(work_check& q) {
        ++work_checks;
        return checked{is_solved(q.task, q.solution)};
    }
    verdict operator()(may_open& q) {
        if (q.invite != array16{}) return outcome{knows_invites ? status::ok : status::refused};
        return policy;
    }
    verdict operator()(slot_open& q) {
        told.push_back(q.is_new ? "open" : "settings");
        slots[slot_id_of(q.settings.key)].settings = q.settings;
        return outcome{status::ok};
    }
    verdict operator()(item_deposit& q) {
        told.push_back("item");
        auto& s = slots.at(q.slot);
        if (q.by.serial != token_serial{} && s.spent[q.by.serial]++ > 0)
            return reply<deposit_reply>(refusal{status::token_spent, 0});
        if (s.items.size() >= items_max) return reply<deposit_reply>(refusal{status::full, 60});
        const auto n = ++s.last;
        s.items[n] = {n, q.by.serial, q.item};
        return reply<deposit_reply>(deposit_reply{announced.item_ttl_s});
    }
    verdict operator()(items_wanted& q) {
        told.push_back("list");
        list_reply out;
        auto& items = slots.at(q.slot).items;
        for (auto it = items.upper_bound(q.after); it != items.end(); ++it) {
            if (out.items.size() == q.count) {
                out.more = true;
                break;
            }
            out.items.push_back(it->second);
        }
        return reply<list_reply>(out);
    }
    verdict operator()(items_erase& q) {
        told.push_back("erase");
        for (const auto n : q.numbers) slots.at(q.slot).items.erase(n);
        return outcome{status::ok};
    }
    verdict operator()(slot_close& q) {
        slots.erase(q.slot);
        return outcome{status::ok};
    }
    verdict operator()(seed_begin& q) {
        told.push_back("seed");
        auto& s = seeds[q.where];
        if (s.size == 0) s = {q.deletion, q.size_bytes, {}, seed_phase::partial};
        return reply<seed_reply>(state_of(s));
    }
    verdict operator()(seed_wanted& q) {
        const auto it = seeds.find(q.where);
        if (it == seeds.end()) return reply<seed_reply>(refusal{status::not_found, 0});
        return reply<seed_reply>(state_of(it->second));
    }
    verdict operator()(seed_put& q) {
        const auto it = seeds.find(q.piece.where);
        if (it == seeds.end()) return reply<seed_reply>(refusal{status::not_found, 0});
        auto& s = it->second;
        if (seed_bytes_written + q.piece.data.size() > disk_bytes)
            return reply<seed_reply>(refusal{status::relay_full, 0});
        if (s.phase == seed_phase::partial && q.piece.offset == s.data.size() &&
            q.piece.data.size() <= s.size - s.data.size()) {
            s.data.insert(s.data.end(), q.piece.data.begin(), q.piece.data.end());
            seed_bytes_written += q.piece.data.size();
            if (s.data.size() == s.size) s.phase = seed_phase::whole;
            if (forget_at != 0 && s.data.size() >= forget_at) {
                forget_at = 0;
                s.phase = seed_phase::partial;
                s.data.resize(s.data.size() / 4);
                return reply<seed_reply>(refusal{status::wrong_offset, 0});
            }
            return reply<seed_reply>(state_of(s));
        }
        return reply<seed_reply>(refusal{status::wrong_offset, 0});
    }
    verdict operator()(seed_get& q) {
        const auto it = seeds.find(q.range.where);
        if (it == seeds.end() || it->second.phase != seed_phase::whole || q.range.offset >= it->second.size)
            return reply<seed_piece_reply>(refusal{status::not_found, 0});
        const auto& d = it->second.data;
        const auto n = std::min<std::uint64_t>(q.range.length_bytes, d.size() - q.range.offset);
        const auto from = d.begin() + static_cast<std::ptrdiff_t>(q.range.offset);
        return reply<seed_piece_reply>(
            seed_piece_reply{it->second.size, bytes(from, from + static_cast<std::ptrdiff_t>(n))});
    }
    verdict operator()(seed_delete& q) {
        const auto it = seeds.find(q.where);
        if (it == seeds.end()) return outcome{status::not_found};
        if (it->second.deletion != q.deletion) return outcome{status::bad_proof};
        it->second.phase = seed_phase::deleted;
        it->second.data.clear();
        return outcome{status::ok};
    }
    verdict operator()(reserve& q) { return reply<reserve_reply>(reserve_reply{q.ttl_s, "192.0.2.7:50000"}); }
    verdict operator()(circuit_wanted& q) {
        if (q.target != filled<circuit_tag>(0x70)) return reply<connect_reply>(refusal{status::not_found, 0});
        return reply<connect_reply>(
            connect_reply{filled16(1), filled16(2), circuit_bytes_max, circuit_rate_bytes_per_s, 1800});
    }
};

// One link to it.
struct relay_link {
    relay_state& state;
    server_session server;
    bool cut = false;
    int cut_after = -1;                   // requests that still get their reply

    explicit relay_link(relay_state& s, std::uint8_t nonce = 0x30)
        : state(s), server(server_options{relay_key, filled16(nonce), s.announced}) {}
    bytes raw(bytes message) {
        server.requested(std::move(message));
        while (auto e = server.next_event()) server.answer(std::visit([&](auto& q) { return state(q); }, *e));
        return server.take_output();
    }
    result<bytes> ask(bytes message) {
        if (cut_after == 0) cut = true;
        if (cut) return relay::errc::lost;
        if (cut_after > 0) --cut_after;
        return raw(std::move(message));
    }
    template <class T>
    reply<T> get(const request& r) {
        const auto answer = raw(encode(r));
        auto decoded = decode_reply<T>(answer);
        REQUIRE(decoded.has_value());
        return *decoded;
    }
    template <class T>
    status status_of(const request& r) {
        const auto answer = get<T>(r);
        const auto* no = std::get_if<refusal>(&answer);
        return no ? no->why : status::ok;
    }
};

template <class T>
attach_request attach_of(const slot_secrets& s, const T& nonce, const account_key& relay = relay_key) {
    attach_request r;
    r.key = s.public_key();
    r.sig = s.key.sign(signed_part(r, relay, nonce));
    return r;
}
inline open_request open_of(const slot_secrets& s, const array16& nonce, std::uint8_t stranger_bits = 1) {
    open_request r;
    r.key = s.public_key();
    r.tokens = s.tokens;
    r.previous_tokens = s.previous_tokens;
    r.stranger_bits = stranger_bits;
    r.sig = s.key.sign(signed_part(r, relay_key, nonce));
    return r;
}

// ------------------------------------------------------------------ clients
inline deposit_over run(depositor& walk, relay_link& link, const bytes& content = {}) {
    for (;;) {
        auto e = walk.next_event();
        REQUIRE(e.has_value());
        if (auto* q = std::get_if<ask_relay>(&*e)) walk.answer(link.ask(std::move(q->message)));
        else if (auto* w = std::get_if<work_wanted>(&*e)) walk.answer(solved{solve(w->task, [] { return true; })});
        else if (auto* p = std::get_if<seed_piece_wanted>(&*e)) {
            const auto from = content.begin() + static_cast<std::ptrdiff_t>(p->offset);
            walk.answer(result<bytes>(bytes(from, from + static_cast<std::ptrdiff_t>(p->length_bytes))));
        } else {
            const auto over = std::get<deposit_over>(*e);
            walk.answer(noted{});
            REQUIRE_FALSE(walk.next_event().has_value());
            REQUIRE(walk.finished());
            return over;
        }
    }
}

struct collected {
    std::vector<listed_item> items;
    collect_over over;
    int rounds = 0;
};
// Keeps what keep() says; asks for so many rounds.
template <class Keep>
collected run(collector& walk, relay_link& link, Keep keep, int rounds = 1) {
    collected out;
    for (;;) {
        auto e = walk.next_event();
        REQUIRE(e.has_value());
        if (auto* q = std::get_if<ask_relay>(&*e)) walk.answer(link.ask(std::move(q->message)));
        else if (auto* w = std::get_if<work_wanted>(&*e)) walk.answer(solved{solve(w->task, [] { return true; })});
        else if (auto* came = std::get_if<items_came>(&*e)) {
            kept verdict;
            for (auto& i : came->items) {
                if (keep(i)) verdict.numbers.push_back(i.number);
                out.items.push_back(std::move(i));
            }
            walk.answer(std::move(verdict));
        } else if (std::get_if<round_over>(&*e)) {
            walk.answer(more_rounds{++out.rounds < rounds});
        } else {
            out.over = std::get<collect_over>(*e);
            walk.answer(noted{});
            REQUIRE_FALSE(walk.next_event().has_value());
            REQUIRE(walk.finished());
            return out;
        }
    }
}
inline collect_options collecting(std::uint8_t work_bits = 0) {
    const auto s = bob_slot();
    return {relay_key, s.key.clone(), s.tokens, s.previous_tokens, 1, {}, work_bits, false};
}

inline fetch_over run(seed_fetch& walk, relay_link& link, bytes& content, std::uint64_t stop_at = ~std::uint64_t{0}) {
    for (;;) {
        auto e = walk.next_event();
        REQUIRE(e.has_value());
        if (auto* q = std::get_if<ask_relay>(&*e)) walk.answer(link.ask(std::move(q->message)));
        else if (auto* came = std::get_if<seed_came>(&*e)) {
            REQUIRE(came->offset == content.size());
            content.insert(content.end(), came->content.begin(), came->content.end());
            const bool more = content.size() < stop_at;
            if (!more) content.resize(static_cast<std::size_t>(came->offset));   // who says no keeps nothing of it
            walk.answer(go_on{more});
        } else {
            const auto over = std::get<fetch_over>(*e);
            walk.answer(noted{});
            REQUIRE_FALSE(walk.next_event().has_value());
            return over;
        }
    }
}

}  // namespace memory_relay
