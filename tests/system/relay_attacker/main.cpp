// The program: raises the limit of open files, finds the attack by its name and runs it.
//
//   relay_attacker PORT LINK ATTACK [ARGUMENT ...]       LINK: of `peerpost relay link`, with an invite
#include "tests/system/relay_attacker/attacks.hpp"

#include "proto/relay/address.hpp"

#include <sys/resource.h>

#include <csignal>
#include <iostream>
#include <map>

using namespace pp;
using namespace pp::attack;

namespace {

const std::map<std::string, void (*)(const setting&)> attacks{
    {"good", good_client},
    {"frames", frames},
    {"unfinished", unfinished},
    {"slow_readers", slow_readers},
    {"crowd", crowd},
    {"payment", payment},
    {"replay", replay},
    {"seeds", seeds},
    {"quota", quota},
    {"wrong_work", wrong_work},
    {"storm", storm},
    {"circuits", circuits},
    {"pipe_limit", pipe_limit},
    {"policy", policy},
    {"watchers", watchers},
};

}  // namespace

int main(int argc, char** argv) {
    const auto found = argc < 4 ? attacks.end() : attacks.find(argv[3]);
    if (found == attacks.end()) {
        std::cerr << "relay_attacker PORT LINK ATTACK [ARGUMENT ...]\n";
        return 2;
    }
    crypto::initialise();
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const auto link = relay::decode_link(argv[2]);
    must(link.has_value(), "the link");
    setting s{{static_cast<std::uint16_t>(std::stoul(argv[1])), link->relay}, link->invite, {argv + 4, argv + argc}};
    found->second(s);
    return 0;
}
