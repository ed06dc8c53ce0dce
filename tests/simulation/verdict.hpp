// What must hold when a story is over: each accepted mail is at each recipient exactly once, or has exactly one failure
// report with its sender, never both; nothing is open, nothing is left behind.
#pragma once

#include "tests/simulation/machine.hpp"
#include "tests/simulation/mail_user.hpp"
#include "tests/simulation/story.hpp"

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace pp::sim {

struct absence {
    std::string gone;                    // label of an account that is still away
    int machine = 0;                     // or which came back after everybody had given up,
    std::set<std::string> tokens;        // and had these mails then
};

// Mails to be fetched from `gone`, the label of an account that is away, do not count; and those to her only when the
// others have had the time to give up.
bool has_open_work(services::node& n, const std::string& gone, bool given_up);
// A mail was fetched from a relay by `gone`, and nothing has been heard of her since.
bool waits_for_a_receipt(services::node& n, const std::string& gone);
std::set<std::string> mails_in(services::node& n, const cast& c);
// Notifications and blobs that wait at this relay, in words; empty: none.
std::string kept_by_relay(services::node& n);
// Nothing of who is blocked has come to her host.
std::string judge_blocked(const std::vector<std::unique_ptr<machine>>& machines, const cast& c,
                          const std::vector<std::unique_ptr<sent_mail>>& mails, int host, int blocked, tally& t);
std::string open_work(const std::vector<std::unique_ptr<machine>>& machines);
// The first thing that is wrong; empty: nothing.
std::string judge(const std::vector<std::unique_ptr<machine>>& machines, const cast& c,
                  const std::vector<std::unique_ptr<sent_mail>>& mails, const absence& away, tally& t);

}  // namespace pp::sim
