// `check`: reads every byte of every account's drive and view and says what is damaged. Changes nothing.
// `shred`: what was deleted opens with no key any more (storage/shred.cpp).
#include "daemon/services/command_support.hpp"

#include <chrono>

namespace pp::services::commands {

namespace {

json::array lines_of(const std::vector<std::string>& lines) {
    json::array out;
    for (const auto& line : lines) out.push_back(json::string(line));
    return out;
}

// What this node keeps for others. Null: nothing.
json::value check_relay(const call& c, bool& sound) {
    if (!c.n.relay_closed().empty()) {
        sound = false;
        return json::object{{"lost", lines_of({c.n.relay_closed()})}, {"warnings", json::array()}};
    }
    if (!c.n.relay()) return nullptr;
    const auto& store = c.n.relay()->store();
    const auto found = value_of(store.check(), "what is kept for others cannot be checked");
    sound = sound && found.lost.empty() && store.recovered().kept_as.empty();
    return json::object{{"slots", found.has.slots},
                        {"notifications", found.has.items},
                        {"blobs", found.has.seeds},
                        {"bytes", found.has.bytes},
                        {"lost", lines_of(found.lost)},
                        {"warnings", lines_of(found.warnings)}};
}

}  // namespace

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
        sound = sound && report.sound();
        accounts.push_back(json::object{{"account", a->label()},
                                        {"address", a->address()},
                                        {"entries", report.entries},
                                        {"mails", report.mails},
                                        {"blobs", report.blobs},
                                        {"bytes", report.bytes},
                                        {"lost", lines_of(report.lost)},
                                        {"warnings", lines_of(report.warnings)}});
    }
    json::array keyring;
    for (const auto& line : c.n.keyring_findings())
        keyring.push_back(json::string(line + "; it was written again from the other copy"));
    sound = sound && keyring.empty();
    auto relay = check_relay(c, sound);
    json::object out{{"sound", sound}, {"keyring", std::move(keyring)}, {"accounts", std::move(accounts)}};
    if (!relay.is_null()) out["relay"] = std::move(relay);
    return out;
}

json::value shred(const call& c) {
    c.only({"account"});
    account& a = c.chosen_account();
    value_of(c.n.shred(a), "what was deleted could not be made unreadable");
    return json::object{{"account", a.label()}, {"address", a.address()}};
}

}  // namespace pp::services::commands
