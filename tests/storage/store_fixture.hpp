// What the tests of the store share: a folder that goes away, a store that can be closed and opened again, short forms.
#pragma once

#include "storage/account_store.hpp"
#include "storage/txn.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

namespace pp::storage::testing {

inline crypto::account_key some_account(std::uint8_t n) {
    crypto::account_key k;
    k.data.fill(static_cast<std::byte>(n));
    return k;
}
inline id16 some_id(std::uint8_t n) {
    id16 id;
    id.fill(static_cast<std::byte>(n));
    return id;
}

struct temporary_folder {
    temporary_folder() {
        crypto::initialise();
        path = std::filesystem::temp_directory_path() /
               ("peerpost-test-" + std::to_string(::getpid()) + "-" + std::to_string(crypto::random_u64()));
        std::filesystem::create_directories(path);
    }
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    temporary_folder(const temporary_folder&) = delete;
    std::filesystem::path path;
};

inline storage_options small_options() {
    storage_options o;
    o.segment_bytes = 256 * 1024;
    o.zero_ahead_bytes = 64 * 1024;
    o.view_map_bytes = 1 << 20;
    o.reserve_bytes = 0;
    return o;
}

struct store_fixture {
    temporary_folder home;
    std::filesystem::path folder = home.path / "account";
    account_keys keys = account_keys::generate();
    storage_options options = small_options();
    recovery_report report;
    std::unique_ptr<account_store> store;

    store_fixture() {
        auto made = account_store::create(folder, keys.clone(), options);
        REQUIRE(made);
        store = std::move(*made);
    }
    result<void> try_open() {
        store.reset();
        report = {};
        auto opened = account_store::open(folder, keys.clone(), report, options);
        if (!opened) return opened.error();
        store = std::move(*opened);
        return {};
    }
    void reopen() {
        const auto opened = try_open();
        INFO((opened ? std::string() : opened.error().message()));
        REQUIRE(opened);
    }
    void rebuild() {
        store.reset();
        std::filesystem::remove(folder / "view");
        reopen();
        REQUIRE(report.view_rebuilt);
    }
    result<void> run(account_store::job job) {
        auto results = store->write({&job, 1});
        return results.front();
    }
    void must(account_store::job job) {
        const auto r = run(std::move(job));
        INFO((r ? std::string() : r.error().message()));
        REQUIRE(r);
    }
    mailbox box(std::string_view name) {
        return store->read([&](const read_txn& t) { return t.find_mailbox(name).value().value(); });
    }
    std::vector<message> all(std::string_view name) {
        const auto id = box(name).id;
        return store->read([&](const read_txn& t) { return t.messages(id, 1, 1000000).value(); });
    }
    blob_writer blob(std::string_view text) {
        auto b = store->new_blob();
        REQUIRE(b.write(pp::as_bytes(text)));
        REQUIRE(b.finish());
        return b;
    }
    placed add(std::string_view name, std::string_view text, const mail::flags& flags = {},
               std::string message_id = "") {
        auto b = blob(text);
        placed out;
        const new_mail what{box(name).id, flags, {1700000000, 60}, message_id};
        must([&](write_txn& t) -> result<void> {
            auto p = t.add_mail(what, b);
            if (!p) return p.error();
            out = *p;
            return {};
        });
        return out;
    }
    std::string text_of(std::uint64_t serial) {
        auto reader = store->open_blob(serial);
        INFO((reader ? std::string() : reader.error().message()));
        REQUIRE(reader);
        bytes out(static_cast<std::size_t>((*reader)->size_bytes()));
        const auto n = (*reader)->read(0, out);
        REQUIRE(n);
        REQUIRE(*n == out.size());
        return std::string(as_text(out));
    }
};

inline std::string mail_text(std::string_view subject, std::size_t body_bytes = 100) {
    std::string out = "From: a@b\r\nSubject: " + std::string(subject) + "\r\n\r\n";
    while (out.size() < body_bytes) out += "line of text\r\n";
    return out;
}

}  // namespace pp::storage::testing
