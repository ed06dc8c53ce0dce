// `check`: reads every byte of every account's drive and view and says what is damaged. Changes nothing.
// `shred`: what was deleted opens with no key any more (storage/shred.cpp).
#include "daemon/services/command_support.hpp"

#include <chrono>

namespace pp::services::commands {

json::value check(const call& c) {
    c.only({});
    constexpr auto progress_every = std::chrono::milliseconds(200);
    json::array accounts;
    bool sound = true;
    for (const account* a : c.n.accounts()) {
        auto told = std::chrono::steady_clock::now() - progress_every;
        const auto report =
            value_of(a->store().check([&](std::uint64_t done, std::uint64_t total) {
                const auto now = std::chrono::steady_clock::now();
                if (!c.progress || (now - told < progress_every && done < total)) return;
                told = now;
                c.progress(json::object{{"account", a->label()}, {"done_bytes", done}, {"total_bytes", total}});
            }),
                     "account " + a->label() + " cannot be checked");
        json::array lost, warnings;
        for (const auto& line : report.lost) lost.push_back(json::string(line));
        for (const auto& line : report.warnings) warnings.push_back(json::string(line));
        sound = sound && report.sound();
        accounts.push_back(json::object{{"account", a->label()},
                                        {"address", a->address()},
                                        {"entries", report.entries},
                                        {"mails", report.mails},
                                        {"blobs", report.blobs},
                                        {"bytes", report.bytes},
                                        {"lost", std::move(lost)},
                                        {"warnings", std::move(warnings)}});
    }
    json::array keyring;
    for (const auto& line : c.n.keyring_findings())
        keyring.push_back(json::string(line + "; it was written again from the other copy"));
    sound = sound && keyring.empty();
    return json::object{{"sound", sound}, {"keyring", std::move(keyring)}, {"accounts", std::move(accounts)}};
}

json::value shred(const call& c) {
    c.only({"account"});
    account& a = c.chosen_account();
    value_of(c.n.shred(a), "what was deleted could not be made unreadable");
    return json::object{{"account", a.label()}, {"address", a.address()}};
}

}  // namespace pp::services::commands
