// The pages of a view that reading has mapped are given back, and nothing else is noticed of that.
#include "daemon/services/mapped_pages.hpp"
#include "tests/storage/store_fixture.hpp"

#include <thread>

using namespace pp;
using namespace pp::services;

namespace {

#ifdef __linux__
// Of files that are mapped, in KiB.
long mapped_kib() {
    std::ifstream in("/proc/self/status");
    std::string word;
    while (in >> word)
        if (word == "RssFile:") {
            long n = 0;
            in >> n;
            return n;
        }
    return 0;
}
#endif

struct many_mails : storage::testing::store_fixture {
    many_mails() {
        must([](storage::write_txn& t) -> result<void> {
            auto made = t.create_mailbox("Many", storage::special_use::none);
            return made ? result<void>() : made.error();
        });
        const storage::new_mail what{box("Many").id, {}, {1700000000, 60}, ""};
        const auto first = add("Many", storage::testing::mail_text("the first"));
        for (int i = 0; i < 20; ++i)
            must([&](storage::write_txn& t) -> result<void> {
                for (int n = 0; n < 500; ++n)
                    if (auto p = t.add_copy(what, first.mail_serial); !p) return p.error();
                return {};
            });
        REQUIRE(store->settle());
    }
    void read_all() { CHECK(all("Many").size() == 10001); }
};

}  // namespace

TEST_CASE_METHOD(many_mails, "a store that was read gives its memory back, once", "[mapped]") {
    change_bus changes;
    store_writer writer(changes);
    mapped_pages mapped(writer);
    read_all();
#ifdef __linux__
    const auto before = mapped_kib();
#endif
    CHECK(mapped.look(*store));
    REQUIRE(writer.run("a", *store, [](storage::write_txn&) -> result<void> { return {}; }));   // behind it or before
    REQUIRE(writer.run_when_idle(*store, [] { return result<void>(); }));                        // behind it
#ifdef __linux__
    CHECK(mapped_kib() < before - 500);
#endif
    CHECK_FALSE(mapped.look(*store));         // nothing was read since
    read_all();
    CHECK(mapped.look(*store));
    writer.stop();
}

TEST_CASE_METHOD(many_mails, "what is read and written meanwhile does not notice", "[mapped]") {
    change_bus changes;
    store_writer writer(changes);
    std::atomic<bool> over = false;
    std::size_t wrong = 0;
    std::thread reader([&] {
        while (!over) {
            const auto found = store->read([&](const storage::read_txn& t) { return t.find_mailbox("Many"); });
            if (!found || !*found) ++wrong;
        }
    });
    for (int i = 0; i < 300; ++i) {
        writer.submit_when_idle(*store, [&] { return store->release_memory(); });
        const auto r = writer.run("a", *store, [&](storage::write_txn& t) {
            return t.put_setting("n", as_bytes(std::to_string(i)));
        });
        REQUIRE(r);
    }
    over = true;
    reader.join();
    CHECK(wrong == 0);
    writer.stop();
    reopen();
    read_all();
    CHECK(store->read([](const storage::read_txn& t) { return t.setting("n"); }).value() == to_bytes("299"));
}
