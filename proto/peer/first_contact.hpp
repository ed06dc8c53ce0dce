// The work of a first contact (SPEC.md, "First contact"): who is no contact of the recipient does some for each mail.
// What is asked for stands in the recipient's account record; the solution travels inside the sealed notification.
#pragma once

#include "crypto/work.hpp"
#include "proto/peer/messages.hpp"

namespace pp::peer {

// What the record asks of strangers; 0: nothing, also when it says nothing of it.
std::uint8_t work_asked(const account_record& r);
// Before it is signed. bits at most crypto::work::bits_max; 0 takes the entry out.
void ask_work(account_record& r, std::uint8_t bits);

// For this notification between these two, of this mail: both sides make it.
bool is_worked_for(const notification& n, std::uint8_t bits);
std::optional<std::uint64_t> work_for(const notification& n, std::uint8_t bits, const std::function<bool()>& go_on);

}  // namespace pp::peer
