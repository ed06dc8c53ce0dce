// The client that has every right: what it gets while the others attack is the measure of them.
#include "tests/system/relay_attacker/attacks.hpp"

#include <poll.h>
#include <iostream>

namespace pp::attack {

// Rounds of a depositor on a link of its own and an owner on a kept one, until the input ends. One line a round: how
// long it took in milliseconds, or what failed.
void good_client(const setting& s) {
    const owner me("good");
    auto kept = must_dial(s, {});
    must_be(status_of(kept->info(me.id())), status::ok, "INFO of the good client");
    must_be(me.open(*kept, s.invite), status::ok, "OPEN of the good client");
    must_be(status_of(me.attach(*kept)), status::ok, "ATTACH of the good client");
    for (std::size_t n = 0;; ++n) {
        pollfd input{0, POLLIN, 0};
        if (poll(&input, 1, 100) > 0) return;
        const auto begun = steady::now();
        const auto name = "good " + std::to_string(n) + " " + std::to_string(begun.time_since_epoch().count());
        const auto one_round = [&]() -> std::string {
            auto giver = raw_link::dial(s.at);
            if (!giver) return "dial";
            if (status_of(giver->info(me.id())) != status::ok) return "info";
            const auto token = me.token(name);
            if (const auto is = status_of(begin(*giver, me.id(), token, name, relay::seed_bytes_min)); is != status::ok)
                return is == status::relay_full ? "" : "begin " + std::to_string(static_cast<int>(is));
            if (status_of(put(*giver, name, 0, relay::seed_bytes_min, std::byte{7})) != status::ok) return "put";
            if (deposit(*giver, me.id(), token, name) != status::ok) return "deposit";
            if (kept->over()) {
                kept = raw_link::dial(s.at);
                if (!kept || status_of(kept->info()) != status::ok || status_of(me.attach(*kept)) != status::ok)
                    return "the kept link";
            }
            const auto items = kept->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
            const auto* list = std::get_if<relay::list_reply>(&items);
            if (!list || list->items.empty() || list->items.back().item != an_item(name)) return "list";
            relay::erase_request erase{me.id(), {}};
            for (const auto& i : list->items) erase.numbers.push_back(i.number);
            if (status_of(kept->ask<relay::done_reply>(erase)) != status::ok) return "erase";
            const auto piece = get(*giver, name, 0, relay::seed_bytes_min);
            const auto* content = std::get_if<relay::seed_piece_reply>(&piece);
            if (!content || content->data != bytes(relay::seed_bytes_min, std::byte{7})) return "get";
            if (status_of(giver->ask<relay::done_reply>(
                    relay::seed_delete_request{a_locator(name), secret_of(name)})) != status::ok)
                return "delete";
            return "";
        };
        const auto failed = one_round();
        const auto took = std::chrono::duration_cast<milliseconds>(steady::now() - begun).count();
        if (failed.empty()) std::cout << "round " << took << std::endl;
        else std::cout << "failed " << failed << " after " << took << " ms" << std::endl;
    }
}

}  // namespace pp::attack
