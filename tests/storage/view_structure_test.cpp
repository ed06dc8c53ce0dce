// What LMDB would end the process over is refused, also where every page and node lies inside the file. Found by
// tests/fuzz/view_structure_fuzz.cpp, or by reading mdb.c for its like.
#include "storage/durable.hpp"
#include "storage/view_structure.hpp"
#include "tests/storage/store_fixture.hpp"

#include <lmdb.h>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {

constexpr std::size_t lmdb_page_bytes = 4096;

// Three transactions: a table of two leaf pages and lists of free pages under two of them.
bytes honest_view(const std::filesystem::path& path) {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    REQUIRE(mdb_env_set_maxdbs(env, 2) == 0);
    REQUIRE(mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600) == 0);
    for (int round = 0; round < 3; ++round) {
        MDB_txn* txn = nullptr;
        MDB_dbi table = 0;
        REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
        REQUIRE(mdb_dbi_open(txn, "rows", MDB_CREATE, &table) == 0);
        for (int i = 0; i < 4; ++i) {
            std::string key = "key" + std::to_string(i), row(1500, static_cast<char>('a' + round));
            MDB_val k{key.size(), key.data()}, v{row.size(), row.data()};
            REQUIRE(mdb_put(txn, table, &k, &v, 0) == 0);
        }
        REQUIRE(mdb_txn_commit(txn) == 0);
    }
    mdb_env_close(env);
    return durable::read_file(path, 1 << 20).value();
}

std::size_t u16_at(const bytes& in, std::size_t at) {
    return static_cast<std::size_t>(in[at]) | static_cast<std::size_t>(in[at + 1]) << 8;
}
std::uint64_t u64_at(const bytes& in, std::size_t at) {
    std::uint64_t v = 0;
    for (std::size_t i = 8; i-- > 0;) v = v << 8 | static_cast<std::uint64_t>(in[at + i]);
    return v;
}
void put(bytes& in, std::size_t at, std::uint64_t v, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i, v >>= 8) in[at + i] = static_cast<std::byte>(v);
}

}  // namespace

TEST_CASE("a view that LMDB would end the process over is damaged", "[view]") {
    temporary_folder folder;
    const auto path = folder.path / "view";
    const auto view = honest_view(path);
    const auto accepted = [&](const bytes& in) {
        const auto f = durable::open_file(path, durable::mode::create_or_truncate);
        REQUIRE(f->write_at(0, in));
        return check_view_structure(path, structure_depth::whole).has_value();
    };
    REQUIRE(accepted(view));
    const std::size_t newest = lmdb_page_bytes, transaction = 16 + 24 + 2 * 48 + 8;   // of the third: the second page
    REQUIRE(u64_at(view, newest + transaction) == 3);

    SECTION("the newest transaction stands where the other kind belongs") {
        auto bad = view;
        put(bad, newest + transaction, 4, 8);   // with a lock file LMDB would read the first page instead
        CHECK_FALSE(accepted(bad));
        put(bad, newest + transaction, ~0ull, 8);   // the next one would be 0
        CHECK_FALSE(accepted(bad));
        put(bad, newest + transaction, 5, 8);
        CHECK(accepted(bad));
    }
    SECTION("lists of free pages under impossible transactions, or not in their order") {
        const auto root = static_cast<std::size_t>(u64_at(view, newest + 16 + 24 + 40)) * lmdb_page_bytes;
        REQUIRE(u16_at(view, root + 10) == 2);
        REQUIRE(u16_at(view, root + 12) >= 16 + 2 * 2);
        const auto first = root + u16_at(view, root + 16) + 8, second = root + u16_at(view, root + 18) + 8;
        using pair = std::pair<int, int>;
        for (const auto& [a, b] : {pair{0, 3}, pair{3, 2}, pair{3, 3}, pair{2, 4}, pair{2, 1 << 20}}) {
            INFO(a << " " << b);
            auto bad = view;
            put(bad, first, static_cast<std::uint64_t>(a), 8);
            put(bad, second, static_cast<std::uint64_t>(b), 8);
            CHECK_FALSE(accepted(bad));
        }
    }
    SECTION("nodes of a leaf page") {
        std::size_t leaf = 0;   // of the rows as the third transaction left them
        for (std::size_t at = 2 * lmdb_page_bytes; at < view.size(); at += lmdb_page_bytes)
            if (u16_at(view, at + 10) == 2 && u16_at(view, at + 12) == 16 + 2 * 2 &&
                u16_at(view, at + u16_at(view, at + 16)) == 1500 &&
                view[at + u16_at(view, at + 16) + 8 + 4] == std::byte{'c'})
                leaf = at;
        REQUIRE(leaf != 0);
        const auto upper = leaf + u16_at(view, leaf + 14);
        const auto first = leaf + u16_at(view, leaf + 16), second = leaf + u16_at(view, leaf + 18);
        REQUIRE(std::min(first, second) == upper);
        const auto node_bytes = std::max(first, second) - upper;

        auto bad = view;   // one node inside the other, and as long a gap: the sum is right
        const auto inner = upper + 100;
        std::copy_n(view.begin() + static_cast<std::ptrdiff_t>(std::max(first, second)), 12,
                    bad.begin() + static_cast<std::ptrdiff_t>(inner));
        put(bad, leaf + (first > second ? 16 : 18), inner - leaf, 2);
        CHECK_FALSE(accepted(bad));

        bad = view;        // one larger than LMDB leaves in a page, beside a small one
        const auto lower_node = upper, other = std::max(first, second);
        const std::size_t moved = 600;
        put(bad, lower_node, 1500 + moved, 2);
        std::copy_n(view.begin() + static_cast<std::ptrdiff_t>(other), 12,
                    bad.begin() + static_cast<std::ptrdiff_t>(other + moved));
        put(bad, other + moved, 1500 - moved, 2);
        put(bad, leaf + (first > second ? 16 : 18), other + moved - leaf, 2);
        REQUIRE(node_bytes + moved > 2038);
        CHECK_FALSE(accepted(bad));
        put(bad, lower_node, 1500 + 400, 2);   // still fits
        std::copy_n(view.begin() + static_cast<std::ptrdiff_t>(other), 12,
                    bad.begin() + static_cast<std::ptrdiff_t>(other + 400));
        put(bad, other + 400, 1500 - 400, 2);
        put(bad, leaf + (first > second ? 16 : 18), other + 400 - leaf, 2);
        CHECK(accepted(bad));
    }
}
