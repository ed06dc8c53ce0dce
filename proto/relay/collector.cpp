#include "proto/relay/collector.hpp"

#include <algorithm>
#include <cmath>

namespace pp::relay {

wire::task<> collector::converse() {
    co_await walk();
    collect_over last = over_;
    co_await ask(std::move(last));
}

void collector::refused(const refusal& why) {
    over_.how = ending::refused;
    over_.why = why;
}

wire::task<> collector::walk() {
    const request hello = info_request{slot_};
    auto question = question_of(hello);
    const auto answer = co_await ask(std::move(question));
    const auto reply = relay_met(answer);
    if (!reply) co_return;
    if (const auto* no = std::get_if<refusal>(&*reply)) {
        refused(*no);
        co_return;
    }
    info_ = std::get<info_reply>(*reply);
    if (o_.settings_changed) {
        const bool told = co_await open_slot();
        if (!told) co_return;
    }
    const bool ours = co_await attach();
    if (!ours) co_return;
    for (;;) {
        const bool went = co_await one_round();
        if (!went) co_return;
        round_over over{seen_, deleted_, info_};
        const auto next = co_await ask(std::move(over));
        if (!next.again) break;
    }
    over_.how = ending::done;
}

wire::task<bool> collector::open_slot() {
    open_request open;
    open.key = *slot_key::from(o_.key.public_key());
    open.tokens = o_.tokens;
    open.previous_tokens = o_.previous_tokens;
    open.stranger_bits = o_.stranger_bits;
    open.invite = o_.invite;
    open.sig = o_.key.sign(signed_part(open, o_.relay, info_.nonce));
    for (bool worked = false;;) {
        const request asked = open;
        auto question = question_of(asked);
        const auto answer = co_await ask(std::move(question));
        const auto reply = reply_in<done_reply>(answer);
        if (!reply) co_return false;
        const auto* no = std::get_if<refusal>(&*reply);
        if (!no) co_return true;
        // The invite is used up, or forgotten with the slot that it has opened: at an open relay work does instead.
        if (no->why == status::refused && info_.policy == serving::open && open.invite != array16{}) {
            open.invite = {};
            open.sig = o_.key.sign(signed_part(open, o_.relay, info_.nonce));
            continue;
        }
        if (no->why != status::work_needed || worked) {
            refused(*no);
            co_return false;
        }
        over_.how = ending::unwilling;
        if (info_.open_bits > o_.work_bits_max) co_return false;
        work_wanted wanted{{info_.nonce, slot_, work_purpose::open, crypto::sha256(open.key.view()), info_.open_bits}};
        const auto work = co_await ask(std::move(wanted));
        if (!work.solution) co_return false;
        over_.how = ending::lost;
        open.solution = *work.solution;
        worked = true;
    }
}

wire::task<bool> collector::attach() {
    attach_request attach;
    attach.key = *slot_key::from(o_.key.public_key());
    attach.sig = o_.key.sign(signed_part(attach, o_.relay, info_.nonce));
    for (bool opened = false;; opened = true) {
        const request asked = attach;
        auto question = question_of(asked);
        const auto answer = co_await ask(std::move(question));
        const auto reply = reply_in<attach_reply>(answer);
        if (!reply) co_return false;
        const auto* no = std::get_if<refusal>(&*reply);
        if (!no) co_return true;
        if (no->why != status::no_slot || opened) {
            refused(*no);
            co_return false;
        }
        const bool made = co_await open_slot();
        if (!made) co_return false;
    }
}

// Items that stay (not durable yet) are seen again in the next round, not in this one.
wire::task<bool> collector::one_round() {
    seen_ = deleted_ = 0;
    std::uint64_t after = 0;
    for (bool more = true; more;) {
        const request list = list_request{slot_, after, static_cast<std::uint8_t>(list_items_max)};
        auto question = question_of(list);
        const auto answer = co_await ask(std::move(question));
        auto reply = reply_in<list_reply>(answer);
        if (!reply) co_return false;
        if (const auto* no = std::get_if<refusal>(&*reply)) {
            refused(*no);
            co_return false;
        }
        auto& page = std::get<list_reply>(*reply);
        more = page.more;
        if (page.items.empty()) break;
        if (page.items.front().number <= after) co_return false;   // a relay that goes in circles
        after = page.items.back().number;
        seen_ += static_cast<std::uint32_t>(page.items.size());
        items_came came{std::move(page.items)};
        auto stored = co_await ask(std::move(came));
        const bool erased = co_await erase(std::move(stored.numbers));
        if (!erased) co_return false;
    }
    co_return true;
}

wire::task<bool> collector::erase(std::vector<std::uint64_t> numbers) {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (std::size_t at = 0; at < numbers.size(); at += delete_items_max) {
        const auto n = std::min(delete_items_max, numbers.size() - at);
        erase_request some{slot_, {}};
        some.numbers.assign(numbers.begin() + static_cast<std::ptrdiff_t>(at),
                            numbers.begin() + static_cast<std::ptrdiff_t>(at + n));
        const request asked = std::move(some);
        auto question = question_of(asked);
        const auto answer = co_await ask(std::move(question));
        const auto reply = reply_in<done_reply>(answer);
        if (!reply) co_return false;
        if (const auto* no = std::get_if<refusal>(&*reply)) {
            refused(*no);
            co_return false;
        }
        deleted_ += static_cast<std::uint32_t>(n);
    }
    co_return true;
}

std::chrono::milliseconds poll_pause(std::uint32_t mean_s, double dice) {
    const double mean = std::clamp(mean_s, poll_min_s, poll_max_s);
    const double pause = std::clamp(-std::log(1.0 - std::clamp(dice, 0.0, 0.999999)) * mean, mean / 4, mean * 3);
    return std::chrono::milliseconds(static_cast<std::int64_t>(pause * 1000));
}

}  // namespace pp::relay
