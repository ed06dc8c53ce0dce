// Prekeys over weeks (03-storage 5): what was sealed to one that is gone opens for nobody, and a backup of the home,
// however old, still opens what was sealed to those that were live when it was made.
#include "daemon/services/node.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using namespace pp;
using namespace pp::services;
namespace fs = std::filesystem;

namespace {

constexpr peer::unix_s week = 7 * 86400, day = 86400;

struct scratch {
    scratch() {
        crypto::initialise();
        ::unsetenv("CREDENTIALS_DIRECTORY");
        ::unsetenv("PEERPOST_PASSPHRASE_FILE");
        root = fs::temp_directory_path() /
               ("peerpost-prekeys-" + std::to_string(::getpid()) + "-" + std::to_string(crypto::random_u64()));
        home.root = root / "live";
        backup.root = root / "backup";
        fs::create_directories(root);
    }
    ~scratch() {
        std::error_code ignored;
        fs::remove_all(root, ignored);
    }
    fs::path root;
    storage::home_paths home, backup;
};

bytes sealed_to(const peer::account_record& record) {
    const crypto::signing_key stranger(crypto::random<crypto::ed25519_seed>());
    peer::notification n;
    n.sender = *crypto::account_key::from(stranger.public_key());
    n.recipient = record.account;
    n.device = peer::certify_device(stranger, *crypto::device_key::from(stranger.public_key()),
                                    *crypto::drive_key::from(stranger.public_key()), "x", now_s() + 365 * day);
    const auto& prekey = record.prekeys.front();
    return peer::seal_notification(n, stranger, prekey.id, prekey.key);
}

bool opens(const account& a, bytes_view sealed) {
    const auto secret = a.prekey(peer::prekey_id_of(sealed));
    return secret && peer::open_notification(sealed, *secret, a.key());
}

}  // namespace

TEST_CASE("prekeys rotate weekly, old private halves are destroyed, an old backup still opens what was sent to its "
          "own") {
    scratch s;
    const config c;
    const auto made = node::init(s.home, c, "Alice");
    REQUIRE(made.has_value());
    peer::unix_s begun = 0;
    std::uint32_t first_id = 0;
    bytes old;
    {
        auto n = node::open(s.home, c);
        REQUIRE(n.has_value());
        auto& a = *(*n)->accounts().front();
        REQUIRE(a.record().prekeys.size() == 1);
        begun = a.record().prekeys.front().not_after - engine::prekey_keep_s;   // when it was made
        first_id = a.record().prekeys.front().id;
        old = sealed_to(a.record());
        CHECK(opens(a, old));
    }
    fs::copy(s.home.root, s.backup.root, fs::copy_options::recursive);
    {
        auto n = node::open(s.home, c);
        REQUIRE(n.has_value());
        auto& a = *(*n)->accounts().front();
        REQUIRE((*n)->rotate_prekeys(a, begun + week - day, true));
        CHECK(a.record().prekeys.size() == 1);                       // not a week yet
        for (auto now = begun + week; now < begun + 12 * week; now += day) {
            REQUIRE((*n)->rotate_prekeys(a, now, true));
            INFO((now - begun) / day << " days");
            const auto record = a.record();
            CHECK(record.prekeys.front().id == first_id + static_cast<std::uint32_t>((now - begun) / week));
            CHECK(record.prekeys.front().not_after >= now + 4 * week);
            // Others may seal to it for 37 days; a week later nobody opens that any more.
            CHECK(opens(a, old) == (now <= begun + engine::prekey_keep_s + engine::prekey_renew_s));
        }
    }
    {   // destroyed on the disk, not in memory only
        auto n = node::open(s.home, c);
        REQUIRE(n.has_value());
        CHECK_FALSE(opens(*(*n)->accounts().front(), old));
    }
    {   // the backup, long after: opening it makes a new prekey if one is due and destroys none
        auto n = node::open(s.backup, c);
        REQUIRE(n.has_value());
        auto& a = *(*n)->accounts().front();
        REQUIRE((*n)->rotate_prekeys(a, begun + 20 * week, false));
        CHECK(a.record().prekeys.front().id == first_id + 1);
        CHECK(opens(a, old));
        REQUIRE((*n)->rotate_prekeys(a, begun + 20 * week, true));   // when all that waited has come
        CHECK_FALSE(opens(a, old));
    }
}

TEST_CASE("a clock that was years ahead once does not stop the rotation") {
    scratch s;
    const config c;
    REQUIRE(node::init(s.home, c, "Alice").has_value());
    auto n = node::open(s.home, c);
    REQUIRE(n.has_value());
    auto& a = *(*n)->accounts().front();
    const auto begun = now_s();
    const auto first_id = a.record().prekeys.front().id;
    REQUIRE((*n)->rotate_prekeys(a, begun + 3650 * day, false));
    REQUIRE(a.record().prekeys.front().id == first_id + 1);
    const auto ahead = sealed_to(a.record());
    for (auto now = begun; now < begun + 12 * week; now += week) REQUIRE((*n)->rotate_prekeys(a, now, true));
    CHECK(a.record().prekeys.front().not_after < begun + 30 * week);   // of the right clock
    CHECK_FALSE(opens(a, ahead));
}
