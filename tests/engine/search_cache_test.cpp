// The cache of search fields: what it gives is what the store holds, whatever it has kept,
// and it stays within its bounds.
#include "daemon/engine/search_cache.hpp"
#include "tests/storage/store_fixture.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::engine;
using storage::testing::store_fixture;

namespace {

const search_cache::clock::time_point start{};

struct mails : store_fixture {
    const storage::mailbox_id inbox = box("INBOX").id;

    void add_mail(const std::string& subject, std::size_t extra = 0) {
        add("INBOX", "Subject: " + subject + "\r\nReferences: <" + std::string(extra, 'r') + "@x>\r\n\r\nx\r\n");
    }
    // "uid=SUBJECT ..." of all questions it takes.
    std::string find(search_cache& cache, mail::uid_set uids, search_cache::clock::time_point now = start) {
        std::string out;
        while (!uids.empty()) {
            const auto found = cache.find(*store, "ann", inbox, uids, now);
            REQUIRE(found.has_value());
            REQUIRE(found->through >= uids.ranges().front().first);
            for (const auto& row : found->rows) {
                REQUIRE(uids.contains(row.uid));
                REQUIRE(row.uid <= found->through);
                out += std::to_string(row.uid) + "=" + std::string((*row.fields)[imap::search_field::subject]) + " ";
            }
            mail::uid_set left;
            for (const auto& range : uids.ranges())
                if (range.last > found->through) left.add(std::max(range.first, found->through + 1), range.last);
            uids = std::move(left);
        }
        return out;
    }
};

}  // namespace

TEST_CASE("the search cache gives what the store holds", "[search_cache]") {
    mails m;
    for (int i = 1; i <= 6; ++i) m.add_mail("s" + std::to_string(i));
    search_cache cache;
    CHECK(m.find(cache, mail::uid_set::of(3, 3)) == "3=S3 ");
    const auto one = cache.bytes();
    CHECK(one > 0);
    CHECK(m.find(cache, mail::uid_set::of(1, 4)) == "1=S1 2=S2 3=S3 4=S4 ");
    CHECK(cache.bytes() > one);
    auto some = mail::uid_set::of(2, 2);
    some.add(5, 9);
    CHECK(m.find(cache, some) == "2=S2 5=S5 6=S6 ");
    const auto all = cache.bytes();
    CHECK(m.find(cache, mail::uid_set::of(1, 4294967295)) == "1=S1 2=S2 3=S3 4=S4 5=S5 6=S6 ");
    CHECK(cache.bytes() == all);
    m.add_mail("s7");
    CHECK(m.find(cache, mail::uid_set::of(6, 8)) == "6=S6 7=S7 ");
    CHECK(m.find(cache, mail::uid_set::of(100, 200)) == "");

    auto gone = mail::uid_set::of(3, 5);
    m.must([&](storage::write_txn& txn) -> result<void> {
        mail::flags deleted;
        deleted.system = mail::deleted;
        mail::uid_set refused;
        auto changed =
            txn.change_flags(m.inbox, gone, storage::write_txn::flag_change::add, deleted, std::nullopt, refused);
        if (!changed) return changed.error();
        auto went = txn.expunge(m.inbox, gone);
        if (!went) return went.error();
        return {};
    });
    cache.forget("bob", m.inbox, gone);
    CHECK(m.find(cache, mail::uid_set::of(1, 9)).find("4=S4") != std::string::npos);
    cache.forget("ann", m.inbox, gone);
    CHECK(m.find(cache, mail::uid_set::of(1, 9)) == "1=S1 2=S2 6=S6 7=S7 ");
}

TEST_CASE("the search cache keeps to its bounds", "[search_cache]") {
    mails m;
    for (int i = 1; i <= 300; ++i) m.add_mail("s" + std::to_string(i), i % 50 == 0 ? 2 * cached_fields_bytes_max : 100);
    std::string expected;
    for (int i = 1; i <= 300; ++i) expected += std::to_string(i) + "=S" + std::to_string(i) + " ";
    for (const std::size_t max : {std::size_t{0}, std::size_t{20'000}, std::size_t{1'000'000}}) {
        INFO(max);
        search_cache cache(max);
        for (int round = 0; round < 3; ++round) {
            CHECK(m.find(cache, mail::uid_set::of(1, 300)) == expected);
            CHECK(cache.bytes() <= max);
        }
        // the large ones are not kept
        if (max == 1'000'000) CHECK(cache.bytes() < 300 * cached_fields_bytes_max / 10);
    }
    search_cache cache;
    m.find(cache, mail::uid_set::of(1, 10));
    CHECK(cache.bytes() > 0);
    cache.forget_unused(start + search_cache::kept_for - std::chrono::seconds(1));
    CHECK(cache.bytes() > 0);
    cache.forget_unused(start + search_cache::kept_for);
    CHECK(cache.bytes() == 0);
}

TEST_CASE("an answer of the search cache ends when much was decoded, whatever came out", "[search_cache]") {
    mails m;
    std::string nothing;   // encoded words of no letters
    while (nothing.size() < 60'000) nothing += " =?utf-8?q?" "?=";
    for (int i = 1; i <= 40; ++i) m.add_mail(nothing);
    search_cache cache;
    const auto found = cache.find(*m.store, "ann", m.inbox, mail::uid_set::of(1, 40), start);
    REQUIRE(found.has_value());
    CHECK(found->rows.size() <= fields_read_bytes_max / 60'000 + 1);
    CHECK(found->through == found->rows.back().uid);
    CHECK(m.find(cache, mail::uid_set::of(1, 40)).find("40=") != std::string::npos);
}
