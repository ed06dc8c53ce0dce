// Attacks on a running relay from outside, one by name, for tests/system/relay_attack_test.py; and a client that has
// every right, beside them. Blocking, loopback. What all of them share stands here,
// the attacks in a file for each of their kinds.
//
// An attack says "peak" when it holds what it can hold, and goes on when it is told so by a line of input. It ends with
// exit code 0 when the relay has answered all of it as proto/relay/SPEC.md says.
// Owners have names: the same ones in every process.
#pragma once

#include "tests/system/raw_link.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pp::attack {

using relay::status;

struct setting {
    target at;
    relay::array16 invite{};
    std::vector<std::string> arguments;
    std::size_t number(std::size_t i) const { return std::stoul(arguments.at(i)); }
};

// Ends the process with exit code 1 and says what is wrong.
void must(bool good, const std::string& what);
void must_be(status is, status should, const std::string& what);

// Says that the attack holds what it can hold, and waits for a line of input.
void peak();

std::unique_ptr<raw_link> must_dial(const setting& s, const how& odd = {});
// A link whose first request is answered.
std::unique_ptr<raw_link> introduced(const setting& s);
// A link of which every request so far is right, to a slot of this name that is there.
std::unique_ptr<raw_link> own(const setting& s, const owner& me, const how& odd = {});
// Gives the slot back: what the next attack finds is what this one found.
void must_close(raw_link& on, const owner& me);

status deposit(raw_link& on, const relay::slot_id& slot, const relay::payment& paid, std::string_view item);

// Seeds have names too.
relay::deletion_secret secret_of(std::string_view name);
relay::reply<relay::seed_reply> begin(raw_link& on, const relay::slot_id& slot, const relay::payment& paid,
                                      std::string_view name, std::uint64_t size);
relay::reply<relay::seed_reply> put(raw_link& on, std::string_view name, std::uint64_t offset, std::size_t n,
                                    std::byte fill);
relay::reply<relay::seed_piece_reply> get(raw_link& on, std::string_view name, std::uint64_t offset, std::uint32_t n);

// good_client.cpp
void good_client(const setting& s);
// bytes.cpp
void frames(const setting& s);
void unfinished(const setting& s);
void slow_readers(const setting& s);
void crowd(const setting& s);
// payment.cpp
void payment(const setting& s);
void replay(const setting& s);
// seeds.cpp
void seeds(const setting& s);
// quota.cpp
void quota(const setting& s);
void wrong_work(const setting& s);
void storm(const setting& s);
// circuits.cpp
void circuits(const setting& s);
void pipe_limit(const setting& s);
// policies.cpp
void policy(const setting& s);
void watchers(const setting& s);

}  // namespace pp::attack
