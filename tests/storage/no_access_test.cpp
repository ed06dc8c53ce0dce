// A file that cannot be opened now (no permission, too many open files) is no damaged file: nothing may be given up,
// put aside or begun anew because of it.
#include "storage/durable.hpp"
#include "tests/storage/store_fixture.hpp"

#include <cerrno>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
int opens_left, opens_error;
bool opens_on;

// The n-th opening of a file or folder is refused, or every one from there on.
struct refused_opens {
    refused_opens(int n, int error, bool on) {
        opens_left = n;
        opens_error = error;
        opens_on = on;
        durable::set_fault_hook([](durable::call kind) {
            if (kind != durable::call::open) return 0;
            --opens_left;
            return opens_left == 0 || (opens_on && opens_left < 0) ? opens_error : 0;
        });
    }
    ~refused_opens() { durable::set_fault_hook(nullptr); }
    bool reached() const { return opens_left <= 0; }
};

void fill(store_fixture& f) {
    f.store.reset();
    f.options.segment_bytes = 8 * 1024;
    f.reopen();
    for (int i = 0; i < 8; ++i) f.add("INBOX", mail_text(std::to_string(i), i == 4 ? 90000 : 4000));
}

void same_as_filled(store_fixture& f) {
    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
    const auto mails = f.all("INBOX");
    REQUIRE(mails.size() == 8);
    for (int i = 0; i < 8; ++i)
        CHECK(f.text_of(mails[static_cast<std::size_t>(i)].mail_serial) ==
              mail_text(std::to_string(i), i == 4 ? 90000 : 4000));
    const auto checked = f.store->check({});
    REQUIRE(checked.has_value());
    CHECK(checked->sound());
    CHECK(checked->warnings.empty());
}
}  // namespace

TEST_CASE("a start that is refused a file gives nothing up") {
    for (const bool on : {false, true})
        for (int n = 1;; ++n) {
            INFO("open " << n << (on ? " and on" : ""));
            store_fixture f;
            fill(f);
            bool reached = false;
            {
                const refused_opens arm(n, EMFILE, on);
                (void)f.try_open();
                reached = arm.reached();
            }
            same_as_filled(f);
            CHECK_FALSE(fs::exists(f.folder / "view.damaged-1"));
            if (!reached) break;
        }
}

TEST_CASE("a repair that is refused a file changes nothing") {
    for (const int error : {EACCES, EMFILE})
        for (const bool on : {false, true})
            for (int n = 1;; ++n) {
                INFO("open " << n << (on ? " and on" : "") << " error " << error);
                store_fixture f;
                fill(f);
                f.store.reset();
                bool reached = false;
                {
                    const refused_opens arm(n, error, on);
                    const auto repaired = account_store::repair(f.folder, f.keys.clone(), f.options);
                    reached = arm.reached();
                    if (repaired) {
                        CHECK(repaired->done.empty());
                        CHECK(repaired->lost.empty());
                    }
                }
                CHECK_FALSE(fs::exists(f.folder / "damaged-1"));
                same_as_filled(f);
                if (!reached) break;
            }
}
