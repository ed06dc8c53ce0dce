#include "tests/simulation/cast.hpp"

#include "daemon/services/node.hpp"
#include "tests/simulation/network.hpp"

#include <cstdio>
#include <cstdlib>

namespace pp::sim {

namespace {

[[noreturn]] void give_up(const std::string& why) {
    std::fprintf(stderr, "the homes cannot be made: %s\n", why.c_str());
    std::exit(1);
}

template <class T>
T must(result<T> r) {
    if (!r) give_up(r.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*r);
}

}  // namespace

services::config configuration_of(int number) {
    const auto address = "10.0.0." + std::to_string(number);
    services::config c;
    c.imap.listen.clear();
    c.smtp.listen = {{address, 1465, services::tls_mode::none}};
    c.peer.listen = {{address, 41443, services::tls_mode::implicit}};
    c.lan.enabled = false;
    c.dht.mode = services::dht_mode::off;     // their networks are real: names would be asked for
    c.peer.port_mapping = false;
    c.log.level = "info";
    return c;
}

cast make_cast(const std::filesystem::path& folder) {
    cast made;
    made.folder = folder;
    std::filesystem::create_directories(folder);
    std::vector<peer::account_record> records;
    auto& s = scheduler::the();
    static host maker;
    bool done = false;
    s.spawn(maker, [&]() -> void* {
        for (int i = 1; i <= people; ++i) {
            const storage::home_paths home{folder / std::to_string(i)};
            const auto account = must(services::node::init(home, configuration_of(i), "User " + std::to_string(i)));
            made.all.push_back({i, account.address, account.label, account.password});
            records.push_back(must(services::node::open(home, configuration_of(i)))->accounts().front()->record());
        }
        for (int i = 1; i <= people; ++i) {
            auto node = must(services::node::open({folder / std::to_string(i)}, configuration_of(i)));
            auto& me = *node->accounts().front();
            must(node->write(me, [&](storage::write_txn& txn) -> result<void> {
                for (int j = 1; j <= people; ++j) {
                    if (i == j) continue;
                    const auto& theirs = records[static_cast<std::size_t>(j - 1)];
                    const auto now = services::now_s();
                    const auto known = engine::contact_from_record(theirs, storage::known_by::invite_used, now);
                    if (auto r = txn.put_contact(known); !r) return r;
                }
                return {};
            }));
        }
        done = true;
        return nullptr;
    });
    s.run(s.now() + hour, [&] { return done; });
    s.run(s.now() + second);   // threads end
    if (!done) give_up("it takes too long");
    return made;
}

}  // namespace pp::sim
