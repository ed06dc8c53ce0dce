// Word of another way to us: owed by the write that changes it, kept over a restart, cleared when it was told.
#include "daemon/services/correspondents.hpp"
#include "daemon/services/node.hpp"
#include "daemon/services/own_relays.hpp"
#include "daemon/services/way_news.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

using namespace pp;
using namespace pp::services;

namespace {

crypto::account_key key(std::uint8_t fill) {
    crypto::account_key k;
    k.data.fill(std::byte{fill});
    return k;
}
engine::own_relay relay_of(std::uint8_t fill) {
    engine::own_relay r;
    r.relay = key(fill);
    r.endpoints = {"192.0.2.1:41443"};
    return r;
}

struct opened {
    std::filesystem::path folder;
    std::unique_ptr<node> n;

    opened() {
        std::string name = (std::filesystem::temp_directory_path() / "pp-news-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()));
        folder = name;
        REQUIRE(node::init(storage::home_paths{folder}, config{}, "Anna").has_value());
        open();
        for (const std::uint8_t fill : {1, 2, 3}) {
            storage::contact c;
            c.account = key(fill);
            c.blocked = fill == 3;
            must([c](storage::write_txn& txn) { return txn.put_contact(c); });
        }
    }
    ~opened() {
        n.reset();
        std::filesystem::remove_all(folder);
    }
    void open() {
        n.reset();
        auto loaded = node::open(storage::home_paths{folder}, config{});
        REQUIRE(loaded.has_value());
        n = std::move(*loaded);
    }
    account& anna() { return *n->accounts().front(); }
    template <class F>
    void must(F f) {
        REQUIRE(n->write(anna(), f).has_value());
    }
    void use(std::vector<engine::own_relay> relays, storage::unix_ms now) {
        must([&](storage::write_txn& txn) { return put_own_relays(txn, relays, anna().identity(), now); });
        CHECK(own_relays(anna().store()) == relays);
    }
    std::map<crypto::account_key, storage::unix_ms> owed() {
        std::map<crypto::account_key, storage::unix_ms> out;
        (void)anna().store().read([&](const storage::read_txn& txn) -> result<void> {
            out = owed_news(txn, 1000);
            return {};
        });
        return out;
    }
    storage::unix_ms told_by(const std::vector<engine::own_relay>& relays, std::uint8_t who) {
        storage::unix_ms since = 0;
        const auto slot = engine::told_slot(relays, anna().identity());
        (void)anna().store().read([&](const storage::read_txn& txn) -> result<void> {
            since = news_in(txn, key(who), slot, anna().identity());
            return {};
        });
        return since;
    }
};

}  // namespace

TEST_CASE("each contact is owed word of another way to us, until she was told") {
    opened o;
    const std::vector first{relay_of(7)}, both{relay_of(7), relay_of(8)}, second{relay_of(8)};
    using debts = std::map<crypto::account_key, storage::unix_ms>;
    o.use(first, 500);
    CHECK(o.owed() == debts{{key(1), 500}, {key(2), 500}});
    o.open();
    CHECK(o.owed() == debts{{key(1), 500}, {key(2), 500}});
    o.use(both, 600);                                  // the way is the same
    CHECK(o.owed() == debts{{key(1), 500}, {key(2), 500}});
    o.must([](storage::write_txn& txn) { return news_told(txn, key(1), 500); });
    CHECK(o.owed() == debts{{key(2), 500}});

    o.use(second, 700);
    CHECK(o.owed() == debts{{key(1), 700}, {key(2), 700}});
    o.must([](storage::write_txn& txn) { return news_told(txn, key(1), 500); });   // a letter of before
    CHECK(o.owed().size() == 2);
    CHECK(o.told_by(first, 1) == 0);                   // what tells the old way pays nothing
    CHECK(o.told_by(second, 1) == 700);
    CHECK(o.told_by(second, 9) == 0);
    o.use({}, 800);                                    // nothing to tell
    CHECK(o.owed() == debts{{key(1), 700}, {key(2), 700}});
    o.use(second, 700);                                // the clock stands: another change all the same
    CHECK(o.owed() == debts{{key(1), 701}, {key(2), 701}});
}
