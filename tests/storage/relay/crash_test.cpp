// What was acknowledged is there: after a kill at any moment, and after a disk that fails at any call.
#include "tests/storage/relay/relay_fixture.hpp"

#include <csignal>
#include <set>
#include <sys/wait.h>

using namespace relay_testing;

namespace {

int calls_left = -1;
int fail_once(durable::call) {
    if (calls_left < 0) return 0;
    return calls_left-- == 0 ? EIO : 0;
}
struct failing {
    explicit failing(int n) {
        calls_left = n;
        durable::set_fault_hook(fail_once);
    }
    ~failing() { durable::set_fault_hook(nullptr); }
    bool failed() const { return calls_left < 0; }
};

// Item n is deposited; of every third the one before is erased; a seed of three pieces comes along. What was
// acknowledged is told in lines.
template <class Tell>
void work(relay_fixture& f, std::uint64_t first, std::uint64_t n_max, Tell tell) {
    for (std::uint64_t n = first; n < first + n_max; ++n) {
        const auto where = 100000 + n;
        if (f.begin(1, token(n), where, 30000)) {
            bool good = true;
            for (std::size_t at = 0; at < 30000 && good; at += 10000) {
                const auto piece = content(30000, static_cast<std::uint8_t>(n));
                good = f.put(where, at, bytes_view(piece).subspan(at, 10000)).has_value();
            }
            if (good) tell('s', n);
        }
        if (f.deposit(1, token(n), item(n))) tell('+', n);
        if (n % 3 == 0) {
            tell('?', n - 1);       // from here on it may be there or not
            f.remove(where - 1, where + 6);
            const auto list = f.store->items(named(1), 0, 256);
            if (!list) continue;
            for (const auto& i : list->items)
                if (i.item == item(n - 1)) {
                    if (f.erase(1, {i.number})) tell('-', n - 1);
                }
        }
    }
}

struct ledger {
    std::set<std::uint64_t> there, unsure, gone, seeds;
    void operator()(char what, std::uint64_t n) {
        if (what == '+') there.insert(n);
        if (what == 's') seeds.insert(n);
        if (what == '?') {
            there.erase(n);
            seeds.erase(n);
            unsure.insert(n);
        }
        if (what == '-') gone.insert(n);
    }
    void check(relay_fixture& f) const {
        std::multiset<std::uint64_t> items;
        const auto list = f.store->items(named(1), 0, 256);
        REQUIRE(list.has_value());
        for (const auto& i : list->items) {
            std::uint64_t n = 0;
            for (int b = 0; b < 8; ++b) n |= static_cast<std::uint64_t>(i.item[static_cast<std::size_t>(b)]) << (8 * b);
            REQUIRE(i.item == item(n));
            items.insert(n);
        }
        for (const auto n : there) CHECK(items.count(n) == 1);
        for (const auto n : gone) CHECK(items.count(n) == 0);
        for (const auto n : items) CHECK(items.count(n) == 1);
        for (const auto n : seeds) CHECK((f.whole(100000 + n) == content(30000, static_cast<std::uint8_t>(n))));
        CHECK(f.store->status()->items == items.size());
    }
};

store_limits roomy() {
    auto l = small_limits();
    l.items_max = 100000;
    l.spent_max = 100000;
    l.seed_total_max = std::uint64_t{1} << 34;
    return l;
}

}  // namespace

TEST_CASE("a disk that fails at the n-th call loses nothing that was acknowledged") {
    int failures = 0;
    for (int n = 0; n < 400; ++n) {
        relay_fixture f;
        f.limits = roomy();
        f.reopen();
        REQUIRE(f.open_slot(1).has_value());
        ledger book;
        bool failed = false;
        {
            failing disk(n);
            work(f, 1, 6, std::ref(book));
            failed = disk.failed();
        }
        INFO("call " << n);
        book.check(f);                       // and goes on without a restart
        work(f, 100, 2, std::ref(book));
        book.check(f);
        f.reopen();
        book.check(f);
        if (!failed) break;
        ++failures;
    }
    CHECK(failures > 40);
}

TEST_CASE("a kill at any moment loses nothing that was acknowledged", "[kill]") {
    relay_fixture f;
    f.limits = roomy();
    f.reopen();
    REQUIRE(f.open_slot(1).has_value());
    ledger book;
    std::uint64_t first = 1;
    for (int round = 0; round < 12; ++round) {
        f.store.reset();
        int pipes[2];
        REQUIRE(::pipe(pipes) == 0);
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            ::close(pipes[0]);
            auto opened = relay_store::open(f.folder, f.key, f.limits);
            if (!opened) ::_exit(1);
            f.store = std::move(*opened);
            work(f, first, 1000, [&](char what, std::uint64_t n) {
                char line[9] = {what};
                std::memcpy(line + 1, &n, 8);
                if (::write(pipes[1], line, 9) != 9) ::_exit(1);
            });
            ::_exit(0);
        }
        ::close(pipes[1]);
        char line[9];
        const int enough = 20 + round * 7;
        for (int told = 0; ::read(pipes[0], line, 9) == 9;) {
            std::uint64_t n = 0;
            std::memcpy(&n, line + 1, 8);
            book(line[0], n);
            first = std::max(first, n + 1);
            if (++told == enough) ::kill(child, SIGKILL);
        }
        ::close(pipes[0]);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status));
        first += 2;
        f.reopen();
        book.check(f);
        if (round % 4 == 3) {                // not more than one list shows
            const auto all = f.numbers(1);
            REQUIRE(f.erase(1, all).has_value());
            book = {};
        }
    }
}
