// Keys that have moved to where nobody asks for them: the view is made again from the log.
#include "storage/durable.hpp"
#include "storage/view_structure.hpp"
#include "tests/storage/store_fixture.hpp"

#include <lmdb.h>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
// The first row of a table under another key, or gone; nothing else of the file is wrong then.
void lose_first_row(const store_fixture& f, const char* name, bool erased) {
    MDB_env* env = nullptr;
    REQUIRE(mdb_env_create(&env) == 0);
    mdb_env_set_maxdbs(env, 64);
    REQUIRE(mdb_env_open(env, (f.folder / "view").c_str(), MDB_NOSUBDIR, 0600) == 0);
    MDB_txn* txn = nullptr;
    REQUIRE(mdb_txn_begin(env, nullptr, 0, &txn) == 0);
    MDB_dbi in = 0;
    REQUIRE(mdb_dbi_open(txn, name, 0, &in) == 0);
    MDB_cursor* cursor = nullptr;
    REQUIRE(mdb_cursor_open(txn, in, &cursor) == 0);
    MDB_val k, v;
    REQUIRE(mdb_cursor_get(cursor, &k, &v, MDB_FIRST) == 0);
    bytes key = to_bytes({static_cast<const std::byte*>(k.mv_data), k.mv_size});
    bytes value = to_bytes({static_cast<const std::byte*>(v.mv_data), v.mv_size});
    REQUIRE(mdb_cursor_del(cursor, 0) == 0);
    mdb_cursor_close(cursor);
    if (!erased) {
        key.back() ^= std::byte{0xff};
        k = {key.size(), key.data()};
        v = {value.size(), value.data()};
        REQUIRE(mdb_put(txn, in, &k, &v, 0) == 0);
    }
    REQUIRE(mdb_txn_commit(txn) == 0);
    mdb_env_close(env);
}

mail::flags labelled() {
    mail::flags flags;
    flags.add("$label");
    return flags;
}
}  // namespace

TEST_CASE("a row that nobody finds any more is missed", "[view]") {
    store_fixture f;
    f.add("INBOX", mail_text("one"), labelled());
    f.add("INBOX", mail_text("two"));
    for (const auto* table : {"keyword", "mod", "folder", "msg", "blob", "name", "doc"})
        for (const bool erased : {false, true}) {
            INFO(table << (erased ? " erased" : " moved"));
            f.reopen();
            CHECK_FALSE(f.report.view_rebuilt);
            f.store.reset();
            lose_first_row(f, table, erased);
            f.reopen();
            CHECK(f.report.view_rebuilt);
            REQUIRE(f.all("INBOX").size() == 2);
            CHECK(f.all("INBOX").front().flags == labelled());
        }
}

TEST_CASE("a view that was large when it was closed is not read for its keys", "[view]") {
    store_fixture f;
    f.add("INBOX", mail_text("one"), labelled());
    f.options.view_checked_bytes = 0;
    f.reopen();
    f.store.reset();
    const key_hash hash(f.keys.store_key.view());
    const auto whole = check_view_structure(f.folder / "view", structure_depth::whole, &hash);
    REQUIRE(whole.has_value());
    CHECK(whole->keys_sum.value_or(0) != 0);
    const auto roots = check_view_structure(f.folder / "view", structure_depth::roots, &hash);
    REQUIRE(roots.has_value());
    CHECK_FALSE(roots->keys_sum.has_value());
    f.reopen();
    CHECK_FALSE(f.report.view_rebuilt);
}
