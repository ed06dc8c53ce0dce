// The full-text index of a store against looking into every mail: after deliveries, moves, expunges, merges, kills at
// every commit, damage and shredding. A mail that has the string must always be among the candidates.
#include "storage/durable.hpp"
#include "storage/text_builder.hpp"
#include "storage/view.hpp"
#include "tests/storage/store_fixture.hpp"

#include <catch2/catch.hpp>

#include <cerrno>
#include <map>
#include <random>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {

constexpr std::uint8_t all_kinds = (1u << text_kind_count) - 1;

struct indexed_fixture : store_fixture {
    int commits = 0, commits_until_kill = -1;
    bool leave_mails_out = false;             // negative control: an index that forgets
    std::map<std::uint64_t, std::string> texts;

    const std::string& known_text(std::uint64_t serial) {
        auto& text = texts[serial];
        if (text.empty()) text = text_of(serial);
        return text;
    }

    text_builder builder() {
        return text_builder(store->text(),
                            {[this](std::uint64_t serial, mail_trigrams& out) -> result<void> {
                                 auto reader = store->open_blob(serial);
                                 if (!reader) return reader.error();
                                 if (leave_mails_out && serial % 5 == 0) return errc::not_found;
                                 out.add(text_kind::body, 0, known_text(serial));
                                 out.end(text_kind::body, 0);
                                 return {};
                             },
                             [this](const text_batch& batch) -> result<void> {
                                 if (commits_until_kill >= 0 && commits_until_kill-- == 0) return errc::io_error;
                                 ++commits;
                                 return store->text().apply(batch);
                             },
                             [] { return false; }});
    }
    result<void> catch_up() {
        auto b = builder();
        for (;;) {
            const auto more = b.step();
            if (!more) return more.error();
            if (!*more) return {};
        }
    }
    text_answer find(std::string_view name, std::vector<std::string> needles) {
        std::vector<text_question> questions;
        for (auto& n : needles) questions.push_back({all_kinds, std::move(n)});
        auto found = store->text().find(box(name).id, questions);
        REQUIRE(found.has_value());
        return std::move(*found);
    }
    // Hits that the index leaves out, over all boxes.
    std::size_t missed(const std::string& needle) {
        std::size_t n = 0;
        for (const auto* name : {"INBOX", "Archive"}) {
            const auto answer = find(name, {needle});
            for (const auto& m : all(name)) {
                if (known_text(m.mail_serial).find(needle) == std::string::npos || m.uid >= answer.before_uid) continue;
                n += answer.mails[0] && !answer.mails[0]->contains(m.uid);
            }
        }
        return n;
    }
    std::uint64_t candidates(std::string_view name, const std::string& needle) {
        const auto answer = find(name, {needle});
        return answer.mails[0] ? answer.mails[0]->count() : box(name).messages;
    }
    std::vector<std::string> findings() {
        std::vector<std::string> out;
        REQUIRE(store->text().check([&](std::string what) { out.push_back(std::move(what)); }));
        return out;
    }
};

const std::vector<std::string> words = {
    "red", "green", "blue", "mail", "post", "letter", "\u6771\u4eac", "\u5317\u4eac",
    "\u00d6", "ss", "zebra", "quartz", "1234", "x", "yy", "\u03c3"};

std::string random_mail(std::mt19937& dice) {
    std::string text = "Subject: s\r\n\r\n";
    for (auto n = dice() % 30; n > 0; --n) text += words[dice() % words.size()] + (dice() % 3 == 0 ? "" : " ");
    return text;
}

std::size_t missed_of_all_words(indexed_fixture& f) {
    std::size_t n = 0;
    for (const auto& w : words) n += f.missed(w);
    for (const auto* more : {"d g", "etter", "\u4eac", "\xe4\xba", "red green", "nowhere", "\r\n",
                             "s\r\n\r\nr"})
        n += f.missed(more);
    return n;
}

}  // namespace

TEST_CASE("without an index every mail is a candidate", "[text]") {
    indexed_fixture f;
    f.add("INBOX", mail_text("one"));
    CHECK_FALSE(f.find("INBOX", {"nothing"}).mails[0]);
    CHECK(f.store->text().progress()->waiting == 1);
    REQUIRE(f.catch_up());
    CHECK(f.store->text().progress()->waiting == 0);
    CHECK(f.find("INBOX", {"nothing"}).mails[0]->empty());
    CHECK(f.find("INBOX", {"line of"}).mails[0]->count() == 1);
    CHECK(f.find("INBOX", {"of", "e", "qq"}).mails[0]->count() == 1);   // two bytes
    CHECK(f.find("INBOX", {"qq"}).mails[0]->empty());
    CHECK_FALSE(f.find("INBOX", {"q"}).mails[0]);                       // one byte: any
    f.add("INBOX", mail_text("two"));
    CHECK(f.find("INBOX", {"nothing"}).mails[0]->count() == 1);         // not indexed yet
    CHECK(f.findings().empty());
}

TEST_CASE("candidates are always enough, whatever happens to the mails", "[text]") {
    for (const unsigned seed : {1u, 2u}) {
        INFO(seed);
        std::mt19937 dice(seed);
        indexed_fixture f;
        for (int round = 0; round < 12; ++round) {
            for (auto n = dice() % 12; n > 0; --n) f.add(dice() % 3 ? "INBOX" : "Archive", random_mail(dice));
            for (const auto& m : f.all("INBOX")) {
                if (dice() % 9 != 0) continue;
                const auto uid = mail::uid_set::of(m.uid, m.uid);
                const auto from = f.box("INBOX").id, to = f.box("Archive").id;
                const auto how = dice() % 3;
                f.must([&](write_txn& t) -> result<void> {
                    if (how < 2) {
                        auto moved = t.copy(from, uid, to, how == 0);
                        return moved ? result<void>() : moved.error();
                    }
                    mail::uid_set refused;
                    mail::flags gone;
                    gone.system = mail::deleted;
                    auto flagged = t.change_flags(from, uid, write_txn::flag_change::add, gone, std::nullopt, refused);
                    if (!flagged) return flagged.error();
                    auto went = t.expunge(from, uid);
                    return went ? result<void>() : went.error();
                });
            }
            if (dice() % 4 != 0) REQUIRE(f.catch_up());
            if (dice() % 5 == 0) f.reopen();
            if (dice() % 8 == 0) f.rebuild();
            REQUIRE(missed_of_all_words(f) == 0);
            CHECK(f.findings().empty());
        }
        REQUIRE(f.catch_up());
        CHECK(f.store->text().progress()->segments < 2 * merge_width);
        CHECK(f.candidates("INBOX", "zebra") < f.box("INBOX").messages);   // and not simply all
    }
}

TEST_CASE("the check above sees an index that forgets a mail", "[text]") {
    indexed_fixture f;
    f.leave_mails_out = true;
    std::mt19937 dice(9);
    for (int i = 0; i < 30; ++i) f.add("INBOX", random_mail(dice));
    REQUIRE(f.catch_up());
    CHECK(missed_of_all_words(f) > 0);
}

TEST_CASE("killed at any commit, the index goes on where it was", "[text]") {
    for (int at = 0; at < 40; ++at) {
        INFO(at);
        indexed_fixture f;
        std::mt19937 dice(11);
        for (std::size_t i = 0; i + 1 < merge_width; ++i) {   // a segment each: the next one is merged with them
            f.add("INBOX", random_mail(dice));
            REQUIRE(f.catch_up());
        }
        for (int mails = 0; mails < 3; ++mails) {             // pages enough for several batches
            std::string noise = "Subject: n\r\n\r\n";
            for (int i = 0; i < 30000; ++i) noise += static_cast<char>('!' + dice() % 90);
            f.add("INBOX", noise);
        }
        f.commits_until_kill = at;
        const bool killed = !f.catch_up().has_value();
        f.commits_until_kill = -1;
        f.reopen();
        REQUIRE(missed_of_all_words(f) == 0);
        CHECK(f.findings().empty());
        REQUIRE(f.catch_up());
        CHECK(f.store->text().progress()->waiting == 0);
        REQUIRE(missed_of_all_words(f) == 0);
        // No page is left that nobody names.
        const auto index = f.store->text().open();
        REQUIRE(index.has_value());
        CHECK(f.store->text().leftovers((*index)->directory, 1)->empty());
        if (!killed) {
            CHECK(at > 4);   // while it takes in, merges, and erases what it has merged
            return;
        }
    }
    FAIL("it never ended");
}

TEST_CASE("a commit of the index that fails is healed by the next write", "[text]") {
    indexed_fixture f;
    f.add("INBOX", mail_text("one"));
    durable::set_fault_hook([](durable::call c) { return c == durable::call::view_commit ? ENOSPC : 0; });
    CHECK_FALSE(f.catch_up().has_value());
    durable::set_fault_hook(nullptr);
    CHECK_FALSE(f.store->writable());
    REQUIRE(f.store->try_heal());
    REQUIRE(f.catch_up());
    CHECK(f.find("INBOX", {"nothing"}).mails[0]->empty());
}

TEST_CASE("a mail that cannot be read stays a candidate", "[text]") {
    indexed_fixture f;
    f.add("INBOX", mail_text("one"));
    f.add("INBOX", mail_text("two"));
    text_builder b(f.store->text(), {[](std::uint64_t serial, mail_trigrams& out) -> result<void> {
                                         if (serial == 1) return errc::damaged;
                                         out.add(text_kind::body, 0, "abc");
                                         out.end(text_kind::body, 0);
                                         return {};
                                     },
                                     [&](const text_batch& batch) { return f.store->text().apply(batch); },
                                     [] { return false; }});
    while (*b.step()) {}
    CHECK(f.find("INBOX", {"nothing"}).mails[0]->values() == std::vector<std::uint32_t>{1});
    CHECK(f.find("INBOX", {"abc"}).mails[0]->count() == 2);
}

TEST_CASE("damage is noticed, told, and mended by beginning anew", "[text]") {
    indexed_fixture f;
    std::mt19937 dice(5);
    for (int i = 0; i < 20; ++i) f.add("INBOX", random_mail(dice));
    REQUIRE(f.catch_up());
    {
        const auto index = f.store->text().open();
        text_batch batch;   // a page with a wrong content, and one that is gone
        batch.tag = (*index)->directory.tag;
        const auto& segment = (*index)->directory.segments.front();
        batch.pages.push_back(f.store->text().seal_page(**index, segment.id, 0, bytes(text_page_bytes)));
        batch.erase.push_back(view::text_page_key(segment.id, 1));
        REQUIRE(f.store->text().apply(batch));
    }
    CHECK(f.findings().size() == 1);
    CHECK(missed_of_all_words(f) == 0);
    CHECK(f.store->text().is_damaged());
    REQUIRE(f.catch_up());
    CHECK_FALSE(f.store->text().is_damaged());
    CHECK(f.findings().empty());
    CHECK(missed_of_all_words(f) == 0);
    CHECK(f.candidates("INBOX", "nowhere") == 0);
    f.reopen();   // it was not the view that was damaged
    CHECK_FALSE(f.report.view_rebuilt);
}

TEST_CASE("an index that is begun anew is another one, under another key", "[text]") {
    indexed_fixture f;
    f.add("INBOX", mail_text("one"));
    REQUIRE(f.catch_up());
    const auto before = *f.store->text().open();
    text_batch anew;
    anew.fresh = true;
    REQUIRE(f.store->text().apply(anew));
    CHECK_FALSE(f.store->text().read_page(**f.store->text().open(), before->directory.segments.front(), 0).has_value());
    CHECK(f.candidates("INBOX", "nothing") == 1);
    text_batch stale;   // of a builder that has not noticed
    stale.tag = before->directory.tag;
    stale.directory = before->directory;
    CHECK(f.store->text().apply(stale).error() == errc::not_found);
    REQUIRE(f.catch_up());
    CHECK(f.candidates("INBOX", "nothing") == 0);
}

TEST_CASE("what the mails say is not readable on disk, and the shred key opens the index", "[text]") {
    indexed_fixture f;
    f.add("INBOX", "Subject: s\r\n\r\nCANARYWORD in the body\r\n");
    REQUIRE(f.catch_up());
    REQUIRE(f.candidates("INBOX", "CANARYWORD") == 1);
    std::ifstream in(f.folder / "view", std::ios::binary);
    const std::string file((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    CHECK(file.find("CANARY") == std::string::npos);
}

TEST_CASE("serials far apart do not hold up the index", "[text]") {
    // A mail that is alone behind more serials than a segment spans: as after many deliveries that were deleted.
    std::vector<text_segment> all;
    segment_builder builder(1);
    CHECK(builder.takes(segment_span_max));
    CHECK_FALSE(builder.takes(segment_span_max + 1));
}
