#include "tests/simulation/cast.hpp"

#include "daemon/services/commands.hpp"
#include "daemon/services/node.hpp"
#include "tests/simulation/machine.hpp"
#include "tests/simulation/mail_user.hpp"
#include "tests/simulation/network.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <thread>

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

// What the command answers under `wanted`.
std::string told(services::node& n, std::string_view command, const boost::json::object& arguments,
                 const char* wanted) {
    const auto answer = services::run_command(n, command, arguments);
    if (const auto* e = std::get_if<services::command_error>(&answer)) give_up(std::string(command) + ": " + e->text);
    return boost::json::value_to<std::string>(std::get<0>(answer).at(wanted));
}

std::unique_ptr<services::node> open_at_its_address(const std::filesystem::path& home, int number) {
    auto n = must(services::node::open({home}, configuration_of(number)));
    n->accounts().front()->set_endpoints({"10.0.0." + std::to_string(number) + ":41443"});   // as when it listens
    return n;
}

std::vector<int> relays_of(int person, relay_use use) {
    if (use == relay_use::one || person == 1) return {first_relay};
    if (person == 2) return {first_relay + 1};
    return {first_relay, first_relay + 1};
}

// They know the way to their relays, and each other by invites made after that.
void make_relay_users(const cast& made, relay_use use) {
    for (int i = 1; i <= people; ++i) {
        std::filesystem::create_directories(made.home_of(i, use).parent_path());
        std::filesystem::copy(made.home_of(i, relay_use::none), made.home_of(i, use),
                              std::filesystem::copy_options::recursive);
        auto me = open_at_its_address(made.home_of(i, use), i);
        for (const int number : relays_of(i, use)) {
            auto relay = open_at_its_address(made.home_of(number, use), number);
            (void)told(*me, "relay use", {{"link", told(*relay, "relay link", {}, "link")}}, "state");
        }
    }
    for (int i = 1; i <= people; ++i) {
        auto me = open_at_its_address(made.home_of(i, use), i);
        for (int j = 1; j <= people; ++j) {
            if (i == j) continue;
            auto other = open_at_its_address(made.home_of(j, use), j);
            (void)told(*other, "contact add", {{"contact", told(*me, "invite", {}, "link")}}, "account");
        }
    }
}

}  // namespace

services::config configuration_of(int number) {
    const auto address = "10.0.0." + std::to_string(number);
    services::config c;
    c.smtp.listen = {{address, submission_port, services::tls_mode::none}};
    c.peer.listen = {{address, 41443, services::tls_mode::implicit}};
    c.lan.enabled = false;
    c.dht.mode = services::dht_mode::off;     // their networks are real: names would be asked for
    c.peer.port_mapping = false;
    c.log.level = "info";
    if (number >= first_relay) {
        c.smtp.listen.clear();
        c.imap.listen.clear();
        c.relay.serve = services::relay_rule::invited;
    } else {
        c.imap.listen = {{address, imap_port, services::tls_mode::none}};
    }
    return c;
}

std::filesystem::path cast::home_of(int number, relay_use relays) const {
    static const char* const names[] = {"alone", "one", "two"};
    return folder / (number >= first_relay ? "relays" : names[static_cast<int>(relays)]) / std::to_string(number);
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
            const storage::home_paths home{made.home_of(i, relay_use::none)};
            std::filesystem::create_directories(home.root);
            const auto account = must(services::node::init(home, configuration_of(i), "User " + std::to_string(i)));
            made.all.push_back({i, account.address, account.label, account.password});
            records.push_back(must(services::node::open(home, configuration_of(i)))->accounts().front()->record());
        }
        for (int i = 1; i <= people; ++i) {
            auto node = must(services::node::open({made.home_of(i, relay_use::none)}, configuration_of(i)));
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
        for (int i = first_relay; i < first_relay + relays_max; ++i) {
            const storage::home_paths home{made.home_of(i, relay_use::none)};
            std::filesystem::create_directories(home.root);
            (void)must(services::node::init(home, configuration_of(i), "Relay"));
        }
        std::this_thread::sleep_for(std::chrono::seconds(1));   // the records with relays are newer ones
        for (const auto use : {relay_use::one, relay_use::two}) make_relay_users(made, use);
        done = true;
        return nullptr;
    });
    s.run(s.now() + hour, [&] { return done; });
    s.run(s.now() + second);   // threads end
    if (!done) give_up("it takes too long");
    return made;
}

void warm_up(const cast& made) {
    auto& s = scheduler::the();
    const auto folder = made.folder / "warm";
    std::filesystem::create_directories(folder);
    static std::vector<std::unique_ptr<machine>> all;   // as long as what the scheduler knows of them
    static host user;
    user.number = 100;
    user.user = true;
    for (const int number : {first_relay, 1, 2}) {
        const auto home = folder / std::to_string(number);
        std::filesystem::copy(made.home_of(number, relay_use::one), home, std::filesystem::copy_options::recursive);
        all.push_back(std::make_unique<machine>(number, home, configuration_of(number)));
    }
    for (auto& m : all) m->switch_on();
    s.run(s.now() + 5 * second);
    const auto& from = made.all[0];
    submission mail;
    mail.server = all[1]->os().address();
    mail.user = mail.from = from.address;
    mail.password = from.password;
    mail.recipients = {made.all[1].address};
    mail.mail = "From: <" + mail.from + ">\r\nMessage-ID: <warm@simulation>\r\nSubject: s\r\n\r\nWarm.\r\n";
    all[2]->stop();
    for (const bool there : {false, true}) {
        s.spawn(user, [&]() -> void* {
            (void)submit(mail);
            return nullptr;
        });
        s.run(s.now() + minute);
        if (!there) all[2]->switch_on();
    }
    for (auto& m : all) m->stop();
    s.run(s.now() + minute);
    for (auto& m : all)
        if (m->running()) give_up("they do not stop");
    std::filesystem::remove_all(folder);
}

}  // namespace pp::sim
