// The directory of one peerpost (01-product 1.6, --home): who may open it, where things lie, and its keyring.
//
//   home.lock   control.sock   peerpost.toml   ca.pem   keyring.a  keyring.b   key (0600: opens the keyring)
//   accounts/<label>/{view, log/<generation>/<n>.seg, blobs/xx/<id>, tmp/, incoming/}
//   relay/{index, seeds/xx/<name>}
#pragma once

#include "crypto/keyring.hpp"
#include "storage/error.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace pp::storage {

struct home_paths {
    std::filesystem::path root;
    std::filesystem::path lock() const { return root / "home.lock"; }
    std::filesystem::path control_socket() const { return root / "control.sock"; }
    std::filesystem::path configuration() const { return root / "peerpost.toml"; }
    std::filesystem::path ca_certificate() const { return root / "ca.pem"; }
    std::filesystem::path key_file() const { return root / "key"; }
    std::filesystem::path keyring(char which) const { return root / (std::string("keyring.") + which); }
    std::filesystem::path relay() const { return root / "relay"; }
    std::filesystem::path account(std::string_view label) const { return root / "accounts" / label; }
};

// Exclusive ownership of a home: flock on home.lock and on the directory itself, released by the end of the process
// whatever happens. The file alone is not enough: who takes it for a rest of a crash and removes it makes room for a
// second one.
class home_lock {
public:
    static result<home_lock> acquire(const home_paths& home);   // makes the directory (0700); errc::locked
    home_lock(home_lock&&) noexcept;
    home_lock& operator=(home_lock&&) noexcept;
    ~home_lock();

private:
    home_lock(int file, int folder) : file_(file), folder_(folder) {}
    int file_ = -1, folder_ = -1;
};

bool has_keyring(const home_paths& home);
// Opens the newest valid copy with what is at hand: the key file, the systemd credential "peerpost-key"
// ($CREDENTIALS_DIRECTORY), the passphrase in the file that $PEERPOST_PASSPHRASE_FILE names. Never makes a new one.
// errc::no_keyring, errc::wrong_secret, errc::damaged.
result<crypto::keyring> open_keyring(const home_paths& home);
// First keyring of a home, for the credential and the passphrase when they are given, else for a new key file (0600): a
// key beside the keyring would make the others useless. errc::exists_already when there is a keyring, or accounts of
// one that is lost; errc::wrong_secret when the passphrase file cannot be read.
result<crypto::keyring> create_keyring(const home_paths& home);
// New file, fsync, rename over the older copy, directory fsync; then the other copy.
// forget_old: success only when both copies are the new one and the blocks of the old ones are overwritten.
result<void> save_keyring(const home_paths& home, crypto::keyring& ring, bool forget_old = false);
// What is wrong with the two copies, in sentences; empty when both are whole and the same.
std::vector<std::string> keyring_findings(const home_paths& home);

// Durable replacement of a small file (new file, fsync, rename, directory fsync), mode given.
result<void> replace_file(const std::filesystem::path& path, bytes_view content, int mode);

}  // namespace pp::storage
