// Whether a home holds an account: an older or lost keyring must never lead to a second account beside a store.
#include "daemon/services/node.hpp"
#include "storage/account_store.hpp"
#include "storage/unknown_stores.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using namespace pp;
using namespace pp::services;
namespace fs = std::filesystem;

namespace {
struct scratch_home {
    scratch_home() {
        crypto::initialise();
        ::unsetenv("CREDENTIALS_DIRECTORY");
        ::unsetenv("PEERPOST_PASSPHRASE_FILE");
        root = fs::temp_directory_path() /
               ("peerpost-node-" + std::to_string(::getpid()) + "-" + std::to_string(crypto::random_u64()));
        home.root = root;
    }
    ~scratch_home() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    void keep_keyring(const fs::path& at) const {
        fs::create_directories(at);
        for (const char which : {'a', 'b'})
            fs::copy_file(home.keyring(which), at / std::string(1, which), fs::copy_options::overwrite_existing);
    }
    void bring_back_keyring(const fs::path& from) const {
        for (const char which : {'a', 'b'})
            fs::copy_file(from / std::string(1, which), home.keyring(which), fs::copy_options::overwrite_existing);
    }
    fs::path root;
    storage::home_paths home;
};
}  // namespace

TEST_CASE("a keyring that does not know a finished store makes no second account beside it") {
    scratch_home s;
    const config c;
    CHECK_FALSE(node::has_account(s.home));
    {   // the keyring as it was before the account was finished: what a double fault brings back
        auto ring = storage::create_keyring(s.home);
        REQUIRE(ring.has_value());
        REQUIRE(storage::save_keyring(s.home, *ring));
    }
    const auto kept = s.root / "kept";
    s.keep_keyring(kept);
    CHECK_FALSE(node::has_account(s.home));
    const auto made = node::init(s.home, c, "Alice");
    REQUIRE(made.has_value());
    CHECK(node::has_account(s.home));
    CHECK_FALSE(fs::exists(s.home.account(made->label) / "unfinished"));
    const auto newest = s.root / "newest";
    s.keep_keyring(newest);

    s.bring_back_keyring(kept);
    CHECK(node::has_account(s.home));
    CHECK(node::init(s.home, c, "Mallory").error() == storage::errc::exists_already);
    CHECK_FALSE(node::open(s.home, c).has_value());
    std::size_t stores = 0;
    for (const auto& entry : fs::directory_iterator(s.root / "accounts")) stores += entry.is_directory();
    CHECK(stores == 1);

    // No keyring at all, not even the key: the same.
    for (const char which : {'a', 'b'}) fs::remove(s.home.keyring(which));
    fs::remove(s.home.key_file());
    CHECK(node::init(s.home, c, "Mallory").error() == storage::errc::wrong_secret);

    s.bring_back_keyring(newest);   // its key is gone: closed, but nothing new
    CHECK(node::has_account(s.home));
}

TEST_CASE("an account that was cut off while it was made does not stand in the way") {
    scratch_home s;
    const config c;
    {
        auto ring = storage::create_keyring(s.home);
        REQUIRE(ring.has_value());
    }
    const auto folder = s.home.account("halfmade");
    REQUIRE(storage::mark_unfinished(folder));
    REQUIRE(storage::account_store::create(folder, storage::account_keys::generate()).has_value());
    CHECK_FALSE(node::has_account(s.home));
    CHECK(node::init(s.home, c, "Alice").has_value());
}

TEST_CASE("the DHT is on by itself only where init has said so") {
    scratch_home s;
    config c;
    REQUIRE(node::init(s.home, c, "Alice").has_value());
    const auto mode_of = [&](const config& with) {
        const auto n = node::open(s.home, with);
        REQUIRE(n.has_value());
        return (*n)->dht_mode();
    };
    CHECK(mode_of(c) == dht_mode::mainline);
    auto said = c;
    said.dht.mode = dht_mode::off;
    CHECK(mode_of(said) == dht_mode::off);
    {   // a home from before
        auto ring = storage::open_keyring(s.home);
        REQUIRE(ring.has_value());
        ring->body().erase("node/network-told");
        REQUIRE(storage::save_keyring(s.home, *ring));
    }
    CHECK(mode_of(c) == dht_mode::off);
    said.dht.mode = dht_mode::mainline;
    CHECK(mode_of(said) == dht_mode::mainline);
    said.dht.mode = dht_mode::closed;
    CHECK(mode_of(said) == dht_mode::closed);
}
