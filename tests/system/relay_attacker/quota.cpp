// As much of what is paid for as there is: slots, room, work to check and polls.
#include "tests/system/relay_attacker/attacks.hpp"

#include <iostream>
#include <thread>

namespace pp::attack {

using namespace std::chrono_literals;

// As many slots as are given out and as many bytes as are taken, by accounts without number from one address.
// ARGUMENT: slots.
void quota(const setting& s) {
    std::vector<owner> owners;
    for (std::size_t n = 0; n < s.number(0); ++n) owners.emplace_back("quota " + std::to_string(n));
    std::size_t opened = 0, refused = 0, taken = 0, full = 0;
    for (const auto& one : owners) {
        auto link = must_dial(s);
        const auto said = link->info();
        const auto is = one.open(*link, {}, 1, std::get<relay::info_reply>(said).open_bits);
        must(is == status::ok || is == status::relay_full, "OPEN: status " + std::to_string(static_cast<int>(is)));
        if (is == status::relay_full) {
            ++refused;
            continue;
        }
        ++opened;
        // Seeds that are only claimed, seeds that are brought, notifications.
        for (int n = 0; n < 12; ++n) {
            const auto name = "quota " + std::to_string(opened) + " " + std::to_string(n);
            const auto begun = status_of(begin(*link, one.id(), one.token(name), name, 1 << 20));
            must(begun == status::ok || begun == status::full || begun == status::relay_full,
                 "BEGIN: status " + std::to_string(static_cast<int>(begun)));
            begun == status::ok ? ++taken : ++full;
            if (begun != status::ok) break;
            if (n % 2 == 0)
                for (int piece = 0; piece < 4; ++piece)
                    must_be(status_of(put(*link, name, static_cast<std::uint64_t>(piece) << 18, 1 << 18, std::byte{5})),
                            status::ok, "PUT");
        }
    }
    must(opened > 0 && refused > 0,
         "slots have an end: " + std::to_string(opened) + " opened, " + std::to_string(refused) + " refused");
    must(taken > 0 && full > 0, "room has an end");
    std::cout << "slots " << opened << " seeds " << taken << std::endl;
    peak();
    for (const auto& one : owners) {
        auto link = introduced(s);
        if (status_of(one.attach(*link)) == status::ok) must_close(*link, one);
    }
}

// Argon2id for the relay to check, wrong each time, from links without number. ARGUMENT: seconds.
void wrong_work(const setting& s) {
    const owner me("worked");
    auto mine = own(s, me);
    must_be(me.open(*mine, {}, 20), status::ok, "settings");
    const auto until = steady::now() + std::chrono::seconds(s.number(0));
    while (steady::now() < until) {
        std::vector<std::unique_ptr<raw_link>> links;
        for (int n = 0; n < 20; ++n)
            if (auto link = raw_link::dial(s.at, {.source = "127.0.0." + std::to_string(2 + n)}))
                links.push_back(std::move(link));
        for (auto& link : links)
            for (int n = 0; n < 20; ++n) {
                const relay::request r = relay::deposit_request{
                    me.id(), relay::work_payment{static_cast<std::uint64_t>(n)}, an_item(std::to_string(n))};
                link->request("relay/1", relay::encode(r));
            }
        std::this_thread::sleep_for(500ms);
    }
    peak();
    must_close(*own(s, me), me);
}

// Polls without pause. ARGUMENTS: links, seconds.
void storm(const setting& s) {
    const owner me("storm");
    std::vector<std::unique_ptr<raw_link>> links;
    for (std::size_t n = 0; n < s.number(0); ++n)
        links.push_back(own(s, me, {.source = "127.0.0." + std::to_string(2 + n)}));
    const auto until = steady::now() + std::chrono::seconds(s.number(1));
    const relay::request list = relay::list_request{me.id(), 0, 32};
    std::size_t polls = 0;
    while (steady::now() < until)
        for (auto& link : links) {
            std::uint32_t last = 0;
            for (int n = 0; n < 16; ++n) last = link->request("relay/1", relay::encode(list));
            const auto raw = link->answer(last);
            must(raw && !raw->empty() && raw->front() == std::byte{0}, "a poll of the storm was not answered");
            polls += 16;
        }
    std::cout << "polls " << polls << std::endl;
    peak();
    must_close(*links[0], me);
}

}  // namespace pp::attack
