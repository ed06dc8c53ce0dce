#include "storage/durable.hpp"
#include "storage/home.hpp"
#include "tests/storage/store_fixture.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;
namespace fs = std::filesystem;

namespace {
void flip(const fs::path& p, std::streamoff at) {
    std::fstream file(p, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const char c = static_cast<char>(file.get());
    file.seekp(at);
    file.put(static_cast<char>(c ^ 1));
}
}  // namespace

TEST_CASE("a home belongs to one at a time") {
    temporary_folder t;
    const home_paths home{t.path / "home"};
    {
        auto first = home_lock::acquire(home);
        REQUIRE(first.has_value());
        CHECK(home_lock::acquire(home).error() == errc::locked);
        CHECK((fs::status(home.root).permissions() & static_cast<fs::perms>(077)) == fs::perms::none);
        fs::remove(home.lock());   // taken for one that a crash has left behind
        CHECK(home_lock::acquire(home).error() == errc::locked);
    }
    CHECK(home_lock::acquire(home).has_value());
}

TEST_CASE("the keyring: two copies, the newest whole one counts") {
    temporary_folder t;
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    const home_paths home{t.path / "home"};
    CHECK_FALSE(has_keyring(home));
    CHECK(open_keyring(home).error() == errc::no_keyring);
    {
        auto ring = create_keyring(home);
        REQUIRE(ring.has_value());
        ring->body().put("node", to_bytes("one"));
        REQUIRE(save_keyring(home, *ring));
        ring->body().put("node", to_bytes("two"));
        REQUIRE(save_keyring(home, *ring));
    }
    CHECK(create_keyring(home).error() == errc::exists_already);
    CHECK((fs::status(home.key_file()).permissions() & static_cast<fs::perms>(0777)) == static_cast<fs::perms>(0600));
    const auto node = [&]() -> std::string {
        auto ring = open_keyring(home);
        REQUIRE(ring.has_value());
        return std::string(as_text(ring->body().get("node").value()));
    };
    CHECK(node() == "two");
    REQUIRE(fs::exists(home.keyring('a')));
    REQUIRE(fs::exists(home.keyring('b')));
    flip(home.keyring('a'), 60);
    CHECK(node() == "two");   // damage of one copy loses nothing, not even what was saved last
    flip(home.keyring('a'), 60);
    flip(home.keyring('b'), 60);
    CHECK(node() == "two");
    flip(home.keyring('a'), 60);
    CHECK(open_keyring(home).error() == errc::damaged);
    flip(home.keyring('a'), 60);
    flip(home.keyring('b'), 60);
    CHECK(node() == "two");
    flip(home.key_file(), 3);
    CHECK(open_keyring(home).error() == errc::wrong_secret);
    fs::remove(home.key_file());
    CHECK(open_keyring(home).error() == errc::wrong_secret);
    CHECK(create_keyring(home).error() == errc::exists_already);
}

TEST_CASE("what was erased from the keyring stands in neither copy") {   // a forgotten prekey must open nothing
    temporary_folder t;
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    const home_paths home{t.path / "home"};
    auto ring = create_keyring(home);
    REQUIRE(ring.has_value());
    ring->body().put("secret", to_bytes("forgotten"));
    REQUIRE(save_keyring(home, *ring));
    ring->body().erase("secret");
    REQUIRE(save_keyring(home, *ring));
    for (const char damaged : {'a', 'b'}) {
        flip(home.keyring(damaged), 60);
        auto other = open_keyring(home);
        REQUIRE(other.has_value());
        CHECK_FALSE(other->body().get("secret").has_value());
        flip(home.keyring(damaged), 60);
    }
}

TEST_CASE("a keyring made with a passphrase opens with it and has no key file") {
    temporary_folder t;
    ::unsetenv("CREDENTIALS_DIRECTORY");
    const home_paths home{t.path / "home"};
    const auto file = (t.path / "passphrase").string();
    ::setenv("PEERPOST_PASSPHRASE_FILE", file.c_str(), 1);
    CHECK(create_keyring(home).error() == errc::wrong_secret);   // asked for, and not there: no key file instead
    CHECK_FALSE(fs::exists(home.key_file()));
    REQUIRE(replace_file(file, to_bytes("\n"), 0600));            // empty without its line end
    CHECK(create_keyring(home).error() == errc::wrong_secret);
    REQUIRE(replace_file(file, to_bytes("correct horse\n"), 0600));
    REQUIRE(create_keyring(home).has_value());
    CHECK_FALSE(fs::exists(home.key_file()));
    CHECK(open_keyring(home).has_value());
    REQUIRE(replace_file(file, to_bytes("correct house\n"), 0600));
    CHECK(open_keyring(home).error() == errc::wrong_secret);
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    CHECK(open_keyring(home).error() == errc::wrong_secret);
    CHECK(create_keyring(home).error() == errc::exists_already);
}

TEST_CASE("a key file without a keyring: taken up when the home is new, never when accounts are there") {
    temporary_folder t;
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    const home_paths home{t.path / "home"};
    REQUIRE(create_keyring(home).has_value());
    fs::remove(home.keyring('a'));
    fs::remove(home.keyring('b'));
    REQUIRE(create_keyring(home).has_value());   // as after a cut between key file and keyring
    fs::remove(home.keyring('a'));
    fs::remove(home.keyring('b'));
    fs::create_directories(home.root / "accounts");
    CHECK(create_keyring(home).error() == errc::exists_already);
    CHECK_FALSE(has_keyring(home));
}

TEST_CASE("a file is replaced whole or not at all") {
    temporary_folder t;
    const auto path = t.path / "f";
    REQUIRE(replace_file(path, to_bytes("one"), 0600));
    REQUIRE(replace_file(path, to_bytes("two"), 0640));
    CHECK(durable::read_file(path, 100).value() == to_bytes("two"));
    static int left;
    for (int n = 0; n < 5; ++n) {
        left = n;
        durable::set_fault_hook(
            [](durable::call kind) { return kind != durable::call::unlink && left-- == 0 ? 28 : 0; });
        const auto r = replace_file(path, to_bytes("three"), 0600);
        durable::set_fault_hook(nullptr);
        CHECK_FALSE(r);
        const auto now = durable::read_file(path, 100).value();
        CHECK((now == to_bytes("two") || now == to_bytes("three")));
        CHECK_FALSE(fs::exists(t.path / "f.new"));
    }
    CHECK(durable::read_file(path, 2).error() == errc::too_large);
    CHECK(durable::read_file(t.path / "none", 3).error() == errc::not_found);
}

TEST_CASE("old copies of a keyring are forgotten, or nobody is told so") {
    static int left;
    ::unsetenv("CREDENTIALS_DIRECTORY");
    ::unsetenv("PEERPOST_PASSPHRASE_FILE");
    for (int n = 1;; ++n) {
        INFO("call " << n);
        temporary_folder t;
        const home_paths home{t.path / "home"};
        auto ring = create_keyring(home);
        REQUIRE(ring.has_value());
        for (const char name : {'a', 'b'})   // what becomes of their blocks
            fs::create_hard_link(home.keyring(name), t.path / std::string(1, name));
        ring->body().put("node", to_bytes("new"));
        left = n;
        durable::set_fault_hook([](durable::call) { return --left == 0 ? EMFILE : 0; });
        const bool forgotten = static_cast<bool>(save_keyring(home, *ring, true));
        const bool reached = left <= 0;
        durable::set_fault_hook(nullptr);
        for (const char name : {'a', 'b'}) {
            const auto old = durable::read_file(t.path / std::string(1, name), 1 << 20).value();
            const bool zeros = std::all_of(old.begin(), old.end(), [](std::byte b) { return b == std::byte{0}; });
            CHECK((zeros || !forgotten));
        }
        CHECK(open_keyring(home).has_value());
        if (!reached) {
            CHECK(forgotten);
            break;
        }
    }
}
