#include "proto/punch/initiator.hpp"

#include <algorithm>

namespace pp::punch {

wire::task<> initiator::converse() {
    listen_to_news(true);
    const auto begun = now();
    std::size_t round = 0;
    while (!ended()) {
        set_deadline(round < rounds_at.size() ? std::optional(begun + rounds_at[round]) : std::nullopt);
        bool due = round < rounds_at.size() && now() >= begun + rounds_at[round];
        if (due) {
            ++round;
        } else {
            const auto why = co_await more_input();
            if (why == wire::woken::ended) co_return;
            input().consume(input().size());
            due = why == wire::woken::news;
        }
        if (!due) continue;
        clear_news();
        if (co_await one_round()) co_return;
    }
}

wire::task<bool> initiator::one_round() {
    candidates_wanted question{};
    auto mine = co_await ask(std::move(question));
    offer told{std::move(mine.all)};
    ask_peer first{encode(message(std::move(told)))};
    const auto asked_at = now();
    const auto answer = co_await ask(std::move(first));
    if (!answer.reply) co_return false;
    auto said = decode(*answer.reply);
    auto* theirs = said ? std::get_if<offer>(&*said) : nullptr;
    if (!theirs || theirs->candidates.empty()) co_return false;      // it does not want to, or does not know how
    // GO takes half of the way there and back to arrive.
    const auto wait = std::min<std::chrono::steady_clock::duration>((now() - asked_at) / 2, wait_max);
    go_and_dial second{encode(message(go{})), std::move(theirs->candidates), wait};
    const auto done = co_await ask(std::move(second));
    co_return done.direct;
}

}  // namespace pp::punch
