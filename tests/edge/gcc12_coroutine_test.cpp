// The spellings of the house destroy exactly once what is handed to a co_await call (02-architecture 2.8). g++ 12
// destroys an aggregate or a capturing lambda twice that is built in braces inside the expression;
// these forms are safe with it.
#include "proto/wire/task.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

#include <string>

namespace asio = boost::asio;

namespace {

struct counted {
    static inline int made = 0, destroyed = 0;
    counted() { ++made; }
    counted(const counted&) { ++made; }
    counted(counted&&) noexcept { ++made; }
    counted& operator=(const counted&) = default;
    ~counted() { ++destroyed; }
};
struct parcel {   // an aggregate with a member that is not trivial
    int number = 0;
    counted inside;
    std::string text;
};
parcel make_parcel(int n) { return parcel{n, {}, std::string(100, 'x')}; }

template <class Task>
Task take(parcel p) {
    co_return p.number + static_cast<int>(p.text.size());
}

template <class Task>
Task spellings() {
    parcel named{1, {}, std::string(100, 'x')};
    int sum = co_await take<Task>(named);
    sum += co_await take<Task>(std::move(named));
    sum += co_await take<Task>(make_parcel(2));
    co_return sum;
}

}  // namespace

TEST_CASE("wire::task: a name, std::move of a name and a function call are destroyed exactly once") {
    counted::made = counted::destroyed = 0;
    {
        pp::wire::runner runner;
        auto whole = spellings<pp::wire::task<int>>();
        whole.start(runner);
        runner.run();
        REQUIRE(whole.done());
        CHECK(whole.await_resume() == 304);
    }
    CHECK(counted::made >= 4);
    CHECK(counted::made == counted::destroyed);
}

TEST_CASE("asio::awaitable: a name, std::move of a name and a function call are destroyed exactly once") {
    counted::made = counted::destroyed = 0;
    int sum = 0;
    {
        asio::io_context io{1};
        asio::co_spawn(io, spellings<asio::awaitable<int>>(), [&](std::exception_ptr, int n) { sum = n; });
        io.run();
    }
    CHECK(sum == 304);
    CHECK(counted::made >= 4);
    CHECK(counted::made == counted::destroyed);
}
