// What a stranger may under each policy, and owners that wait for news.
#include "tests/system/relay_attacker/attacks.hpp"

#include <iostream>

namespace pp::attack {

using namespace std::chrono_literals;

// What a stranger may. ARGUMENT: off | self | contacts | invited
void policy(const setting& s) {
    const auto serve = s.arguments.at(0);
    const owner me("stranger");
    auto link = must_dial(s);
    const auto said = link->info();
    if (serve == "off") {
        must_be(status_of(said), status::refused, "INFO of no relay");
    } else {
        must_be(status_of(said), status::ok, "INFO");
        must(std::get<relay::info_reply>(said).open_bits == relay::work_closed, "no work opens a slot");
    }
    must_be(me.open(*link), status::refused, "OPEN without anything");
    must_be(me.open(*link, {}, relay::work_closed, std::uint8_t{1}), status::refused, "OPEN with work");
    relay::array16 guess{};
    crypto::random_bytes(guess);
    must_be(me.open(*link, guess), status::refused, "OPEN with a guessed invite");
    must_be(status_of(me.attach(*link)), serve == "off" ? status::refused : status::no_slot, "ATTACH without slot");
    must_be(deposit(*link, me.id(), me.token("x"), "x"), serve == "off" ? status::refused : status::no_slot,
            "DEPOSIT without slot");
    must_be(status_of(begin(*link, me.id(), me.token("x"), "x", 16384)),
            serve == "off" ? status::refused : status::no_slot, "SEED BEGIN without slot");
    must_be(status_of(link->ask<relay::reserve_reply>(relay::reserve_request{60})), status::refused, "RESERVE");
    must_be(status_of(link->ask<relay::connect_reply>(relay::connect_request{})),
            serve == "off" ? status::refused : status::not_found, "CONNECT");
    const owner invited("invited guest");
    const auto is = invited.open(*link, s.invite);
    must_be(is, serve == "invited" ? status::ok : status::refused, "OPEN with an invite");
    if (serve == "invited") {   // it is used up
        auto again = introduced(s);
        must_be(me.open(*again, s.invite), status::refused, "OPEN with a used invite");
    }
}

// Links that have proved a slot and wait for news. ARGUMENT: links. For measuring what one takes.
void watchers(const setting& s) {
    std::vector<std::unique_ptr<raw_link>> links;
    const owner me("watched");
    for (std::size_t n = 0; n < s.number(0); ++n) {
        links.push_back(own(s, me));
        const auto list = links.back()->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
        must_be(status_of(list), status::ok, "LIST");
        if (n % 32 == 31)
            for (auto& link : links) link->answer(0, 0ms);   // their PINGs
        if (n == 0) {   // what the first one costs is not of the others
            std::cout << "first" << std::endl;
            std::string line;
            std::getline(std::cin, line);
        }
    }
    peak();
    // They are all alive: one item is told to each of them.
    must_be(deposit(*links[0], me.id(), me.token("news"), "news"), status::ok, "DEPOSIT");
    for (auto& link : links) {
        if (link->news == 0) link->answer(0, 30s);
        must(link->news > 0, "a watcher was not told");
    }
    must_close(*links[0], me);
}

}  // namespace pp::attack
