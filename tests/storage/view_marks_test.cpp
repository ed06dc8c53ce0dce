// Which deaths count against the view.
#include "storage/limits.hpp"
#include "storage/view_marks.hpp"
#include "tests/storage/store_fixture.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

using namespace pp;
using storage::testing::store_fixture;
using storage::view_marks;

namespace {

// A start that dies of this signal while it opens the view; 0: one that gets through.
void start(const store_fixture& f, int dies_of) {
    const auto child = ::fork();
    if (child == 0) {
        for (const int s : {SIGSEGV, SIGABRT, SIGBUS}) ::signal(s, SIG_DFL);   // not Catch's report
        view_marks marks(f.folder);
        (void)marks.before_opening(f.folder / "view", 1 << 20, storage::key_hash(f.keys.store_key.view()));
        if (dies_of != 0) ::raise(dies_of);
        marks.opened();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE((dies_of == 0 ? WIFEXITED(status) : WIFSIGNALED(status) && WTERMSIG(status) == dies_of));
}

view_marks::verdict verdict_of(const store_fixture& f) {
    view_marks marks(f.folder);
    const auto out = marks.before_opening(f.folder / "view", 1 << 20, storage::key_hash(f.keys.store_key.view()));
    marks.opened();
    return out;
}

}  // namespace

TEST_CASE("a start that was killed says nothing about the view; one that it ended does", "[view]") {
    store_fixture f;
    f.store.reset();
    for (int i = 0; i < 5; ++i) start(f, SIGKILL);
    CHECK(verdict_of(f) == view_marks::verdict::open);

    for (unsigned i = 0; i < storage::view_attempts_max; ++i) start(f, i == 0 ? SIGSEGV : SIGBUS);
    start(f, SIGKILL);   // does not make good what was before
    CHECK(verdict_of(f) == view_marks::verdict::ended_the_process);
    CHECK(verdict_of(f) == view_marks::verdict::open);   // somebody got through

    start(f, SIGABRT);
    start(f, 0);
    CHECK_FALSE(std::filesystem::exists(f.folder / "view.attempt"));
}
