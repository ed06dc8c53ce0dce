// `check`: reads every byte of every account's drive and view and says what is damaged. Changes nothing.
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
    return json::object{{"sound", sound}, {"accounts", std::move(accounts)}};
}

}  // namespace pp::services::commands
