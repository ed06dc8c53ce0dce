// A view with hostile bytes in it: what check_view_structure() accepts, LMDB must be able to walk and to write to
// without ending the process. The input is a list of patches, 4 bytes each: place 3, byte 1, laid over a view that LMDB
// has made with branch pages, values on pages of their own, and free pages.
#include "storage/durable.hpp"
#include "storage/view_structure.hpp"

#include <lmdb.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

using namespace pp;
using namespace pp::storage;

namespace {
void need(bool holds) {
    if (!holds) std::abort();
}

struct environment {
    MDB_env* env = nullptr;
    environment(const std::string& path, std::size_t map_bytes) {
        need(mdb_env_create(&env) == 0);
        mdb_env_set_maxdbs(env, 8);
        mdb_env_set_mapsize(env, map_bytes);
        // With its lock file, as the daemon opens it: LMDB then chooses the meta page another way.
        opened = mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOTLS, 0600);
    }
    ~environment() { mdb_env_close(env); }
    int opened = 0;
};

MDB_val val(const std::string& s) { return {s.size(), const_cast<char*>(s.data())}; }

std::string path_of_this_process() { return "/tmp/view_structure_fuzz." + std::to_string(::getpid()); }

void remove_files(const std::string& path) {
    ::unlink(path.c_str());
    ::unlink((path + "-lock").c_str());
}

bytes make_view() {
    const auto path = path_of_this_process();
    remove_files(path);
    {
        environment e(path, 1 << 20);
        need(e.opened == 0);
        for (int round = 0; round < 3; ++round) {
            MDB_txn* txn = nullptr;
            need(mdb_txn_begin(e.env, nullptr, 0, &txn) == 0);
            for (const auto* name : {"meta", "msg"}) {
                MDB_dbi dbi = 0;
                need(mdb_dbi_open(txn, name, MDB_CREATE, &dbi) == 0);
                for (int i = 0; i < (name[1] == 'e' ? 3 : 150); ++i) {
                    const auto key = "key" + std::to_string(1000 + i);
                    const std::string value(i % 40 == 7 ? 5000 : 60, static_cast<char>('a' + i % 26));
                    auto k = val(key), v = val(value);
                    if (round == 2 && i % 3 == 0)
                        (void)mdb_del(txn, dbi, &k, nullptr);
                    else
                        need(mdb_put(txn, dbi, &k, &v, 0) == 0);
                }
            }
            need(mdb_txn_commit(txn) == 0);
        }
    }
    auto made = durable::read_file(path, 1 << 20);
    need(made.has_value());
    return std::move(*made);
}

void walk(MDB_txn* txn, MDB_dbi dbi) {
    MDB_cursor* cursor = nullptr;
    if (mdb_cursor_open(txn, dbi, &cursor) != 0) return;
    MDB_val k, v;
    unsigned sum = 0;
    for (int rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
        for (std::size_t i = 0; i < k.mv_size; ++i) sum += static_cast<const unsigned char*>(k.mv_data)[i];
        for (std::size_t i = 0; i < v.mv_size; ++i) sum += static_cast<const unsigned char*>(v.mv_data)[i];
    }
    mdb_cursor_close(cursor);
    if (sum == 1) std::fputs("", stderr);   // else the compiler would leave out the reading
}

// Overwrites and deletes; the pages that come free are taken by the next transaction but one.
void change(MDB_txn* txn, MDB_dbi dbi, int round) {
    for (int i = round; i < 150; i += 11) {
        const auto key = "key" + std::to_string(1000 + i);
        const std::string value(i % 2 ? 6000 : 30, 'z');
        auto k = val(key), v = val(value);
        if (mdb_put(txn, dbi, &k, &v, 0) != 0) break;
        if (i % 3 == 0) (void)mdb_del(txn, dbi, &k, nullptr);
    }
}

void delete_all(MDB_txn* txn, MDB_dbi dbi) {
    MDB_cursor* cursor = nullptr;
    if (mdb_cursor_open(txn, dbi, &cursor) != 0) return;
    MDB_val k, v;
    while (mdb_cursor_get(cursor, &k, &v, MDB_FIRST) == 0 && mdb_cursor_del(cursor, 0) == 0) {
    }
    mdb_cursor_close(cursor);
}

void use(const std::string& path) {
    environment e(path, 4 << 20);
    if (e.opened != 0) return;
    constexpr int rounds = 4;
    for (int round = 0; round < rounds; ++round) {
        MDB_txn* txn = nullptr;
        if (mdb_txn_begin(e.env, nullptr, 0, &txn) != 0) return;
        for (const auto* name : {"meta", "msg"}) {
            MDB_dbi dbi = 0;
            if (mdb_dbi_open(txn, name, 0, &dbi) != 0) continue;
            walk(txn, dbi);
            if (round == rounds - 1) delete_all(txn, dbi);
            else change(txn, dbi, round);
            walk(txn, dbi);
        }
        if (mdb_txn_commit(txn) != 0) return;
    }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bytes whole = make_view();
    const auto path = path_of_this_process();
    auto raw = whole;
    for (std::size_t i = 0; i + 4 <= size; i += 4) {
        const auto at = static_cast<std::size_t>(data[i] | data[i + 1] << 8 | data[i + 2] << 16);
        raw[at % raw.size()] = static_cast<std::byte>(data[i + 3]);
    }
    {
        const auto f = durable::open_file(path, durable::mode::create_or_truncate);
        need(f && f->write_at(0, raw));
    }
    const auto checked = check_view_structure(path, structure_depth::whole);
    if (size < 4) need(checked.has_value());   // what LMDB makes is accepted
    if (checked) use(path);
    remove_files(path);
    return 0;
}
