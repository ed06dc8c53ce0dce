// A view of another version than ours: an older one is made again from the log and said so, a newer one is left alone.
#include "crypto/primitives.hpp"
#include "storage/codec.hpp"
#include "storage/durable.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
constexpr std::size_t identity_bytes = 81, summed_bytes = 49;   // FORMAT.md, table meta, key 0

// Writes another version into the identity row, wherever copies of it stand, with a sum that fits.
void set_version(const fs::path& view, std::uint8_t version) {
    auto raw = durable::read_file(view, 1ull << 30).value();
    int found = 0;
    for (std::size_t at = 0; at + 9 + identity_bytes <= raw.size(); at += 2) {
        byte_reader r(bytes_view(raw).subspan(at));   // a node: value length, flags, key length, key
        if (r.u32() != identity_bytes || r.u16() != 0 || r.u16() != 1 || r.u8() != 0) continue;
        const auto value = at + 9;
        const auto sum = crypto::sha256(bytes_view(raw).subspan(value, summed_bytes));
        if (!std::equal(sum.data.begin(), sum.data.end(),
                        raw.begin() + static_cast<std::ptrdiff_t>(value + summed_bytes)))
            continue;
        raw[value] = static_cast<std::byte>(version);
        const auto fresh = crypto::sha256(bytes_view(raw).subspan(value, summed_bytes));
        std::copy(fresh.data.begin(), fresh.data.end(),
                  raw.begin() + static_cast<std::ptrdiff_t>(value + summed_bytes));
        ++found;
    }
    REQUIRE(found > 0);
    auto f = durable::open_file(view, durable::mode::read_write).value();
    REQUIRE(f.write_at(0, raw));
}
}  // namespace

TEST_CASE("a view of an older version is made again from the log, and said so") {
    store_fixture f;
    for (int i = 0; i < 5; ++i) f.add("INBOX", mail_text(std::to_string(i)));
    const auto box = f.box("INBOX");
    f.store.reset();
    set_version(f.folder / "view", 1);
    f.reopen();
    CHECK(f.report.view_rebuilt);
    REQUIRE(f.report.notes.size() == 1);
    CHECK(f.report.notes.front() == "the view was of an older version; it was made again from the log");
    CHECK_FALSE(fs::exists(f.folder / "view.damaged-1"));   // it was whole: nothing to look into
    CHECK(f.all("INBOX").size() == 5);
    CHECK(f.box("INBOX").uid_validity == box.uid_validity);
    CHECK(f.box("INBOX").uid_next == box.uid_next);
    CHECK(f.store->check({})->sound());
    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
    CHECK(f.report.notes.empty());
}

TEST_CASE("a view of a newer version is refused and left as it is") {
    store_fixture f;
    f.add("INBOX", mail_text("one"));
    f.store.reset();
    set_version(f.folder / "view", 250);
    const auto before = durable::read_file(f.folder / "view", 1ull << 30).value();
    CHECK(f.try_open().error() == errc::newer_format);
    CHECK(durable::read_file(f.folder / "view", 1ull << 30).value() == before);
    CHECK_FALSE(fs::exists(f.folder / "view.damaged-1"));
}
