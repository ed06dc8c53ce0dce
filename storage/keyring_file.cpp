// The keyring of a home: two copies of one content, the newest that is whole counts (storage/FORMAT.md, "Keyring").
#include "storage/attempt.hpp"
#include "storage/durable.hpp"
#include "storage/home.hpp"
#include "storage/limits.hpp"

#include <algorithm>
#include <cstdlib>

namespace pp::storage {

namespace {
constexpr std::size_t key_file_bytes = 32;
constexpr std::uint64_t key_file_bytes_max = 4096;   // a passphrase or a credential

struct copy {
    char name = 'a';
    std::uint64_t generation = 0;
    bytes content;
};

// Copies whose trailing hash is right, the newest first.
result<std::vector<copy>> whole_copies(const home_paths& home) {
    std::vector<copy> out;
    for (const char name : {'a', 'b'}) {
        auto content = durable::read_file(home.keyring(name), keyring_file_bytes_max);
        if (!content) {
            if (content.error() == errc::not_found || content.error() == errc::too_large) continue;
            return content.error();
        }
        const auto generation = crypto::keyring::peek_generation(*content);
        if (generation) out.push_back({name, *generation, std::move(*content)});
    }
    if (out.size() == 2 && out[0].generation < out[1].generation) std::swap(out[0], out[1]);
    return out;
}

std::optional<crypto::unlock_secret> secret_in(const std::filesystem::path& path, crypto::slot_kind kind) {
    auto content = durable::read_file(path, key_file_bytes_max);
    if (!content || content->empty()) return std::nullopt;
    if (kind == crypto::slot_kind::passphrase)   // an editor's line end is no part of it
        while (!content->empty() && (content->back() == std::byte{'\n'} || content->back() == std::byte{'\r'}))
            content->pop_back();
    const auto least = kind == crypto::slot_kind::passphrase ? 1 : key_file_bytes;
    if (content->size() < least) return std::nullopt;
    return crypto::unlock_secret{kind, std::move(*content)};
}

std::optional<crypto::unlock_secret> credential() {
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");   // systemd.exec(5), "Credentials"
    if (!folder) return std::nullopt;
    return secret_in(std::filesystem::path(folder) / "peerpost-key", crypto::slot_kind::credential);
}

std::optional<crypto::unlock_secret> passphrase() {
    const char* path = std::getenv("PEERPOST_PASSPHRASE_FILE");
    if (!path) return std::nullopt;
    return secret_in(path, crypto::slot_kind::passphrase);
}

std::vector<crypto::unlock_secret> secrets_at_hand(const home_paths& home) {
    std::vector<crypto::unlock_secret> out;
    for (auto* s : {&credential, &passphrase})
        if (auto found = (*s)()) out.push_back(std::move(*found));
    if (auto key = secret_in(home.key_file(), crypto::slot_kind::key_file))
        out.insert(out.begin(), std::move(*key));   // before the passphrase: it costs nothing to try
    return out;
}
}  // namespace

bool has_keyring(const home_paths& home) {
    return durable::exists(home.keyring('a')) || durable::exists(home.keyring('b'));
}

result<crypto::keyring> open_keyring(const home_paths& home) {
    if (!has_keyring(home)) return errc::no_keyring;
    PP_LET(const auto copies, whole_copies(home));
    if (copies.empty()) return errc::damaged;
    bool refused = false;
    auto secrets = secrets_at_hand(home);
    for (const auto& c : copies)
        for (const auto& s : secrets) {
            auto ring = crypto::keyring::open(c.content, s);
            if (ring) return ring;
            if (ring.error() == crypto::errc::unknown_suite) return errc::newer_format;
            refused |= ring.error() == crypto::errc::wrong_secret;
        }
    return secrets.empty() || refused ? errc::wrong_secret : errc::damaged;
}

result<crypto::keyring> create_keyring(const home_paths& home) {
    if (has_keyring(home)) return errc::exists_already;
    PP_TRY(durable::make_directory(home.root));
    std::vector<crypto::unlock_secret> secrets;
    for (auto* s : {&credential, &passphrase})
        if (auto found = (*s)()) secrets.push_back(std::move(*found));
    if (std::getenv("PEERPOST_PASSPHRASE_FILE") && secrets.empty()) return errc::wrong_secret;   // asked for, not there
    if (secrets.empty()) {
        auto key = secret_in(home.key_file(), crypto::slot_kind::key_file);
        // A key without a keyring is left behind by a cut between the two writes below; beside accounts it is all
        // that is left of a lost keyring, and nothing new may be made.
        if (key && durable::exists(home.root / "accounts")) return errc::exists_already;
        if (!key) {
            key.emplace(crypto::unlock_secret{crypto::slot_kind::key_file, bytes(key_file_bytes)});
            crypto::random_bytes(key->material);
            // The key first: a keyring that nothing opens must never exist.
            PP_TRY(replace_file(home.key_file(), key->material, 0600));
        }
        secrets.push_back(std::move(*key));
    }
    auto ring = crypto::keyring::create(std::move(secrets));
    PP_TRY(save_keyring(home, ring));
    return ring;
}

namespace {
// The blocks of a copy that was replaced, as far as the file system still has them where they were.
result<void> overwrite(const result<durable::file>& old) {
    if (!old) return {};
    PP_LET(const auto size, old->size());
    PP_TRY(old->write_at(0, bytes(static_cast<std::size_t>(std::min(size, keyring_file_bytes_max)))));
    return old->sync();
}
}  // namespace

std::vector<std::string> keyring_findings(const home_paths& home) {
    std::vector<std::string> out;
    const auto copies = whole_copies(home);
    if (!copies) return {"the keyring cannot be read"};
    for (const char name : {'a', 'b'}) {
        const auto found = std::find_if(copies->begin(), copies->end(), [&](const copy& c) { return c.name == name; });
        const auto file = std::string("keyring.") + name;
        if (!durable::exists(home.keyring(name)))
            out.push_back(file + " was missing");
        else if (found == copies->end())
            out.push_back(file + " was damaged");
        else if (found->generation != copies->front().generation)
            out.push_back(file + " was older than the other copy");
    }
    return out;
}

result<void> save_keyring(const home_paths& home, crypto::keyring& ring, bool forget_old) {
    PP_LET(const auto copies, whole_copies(home));
    // Over the older copy, or the one that is missing or damaged: the newest stays until this one is durable.
    char target = 'a';
    if (!copies.empty()) target = copies.front().name == 'a' ? 'b' : 'a';
    const char other = target == 'a' ? 'b' : 'a';
    const auto content = ring.encode_next();
    const auto old_target = durable::open_file(home.keyring(target), durable::mode::read_write);
    const auto old_other = durable::open_file(home.keyring(other), durable::mode::read_write);
    if (forget_old)   // what cannot be opened now could not be overwritten when it has no name any more
        for (const auto* old : {&old_target, &old_other})
            if (!*old && old->error() != errc::not_found) return old->error();
    PP_TRY(replace_file(home.keyring(target), content, 0600));
    // Then the other one too: damage of one copy must not bring back what the last save added or erased. It is saved
    // all the same when this fails; the next start or save repairs it.
    const auto both = replace_file(home.keyring(other), content, 0600);
    if (forget_old && !both) return both;
    // The files without a name any more: what was erased from the keyring must not be found on free blocks either.
    const auto target_gone = overwrite(old_target);
    const auto other_gone = both ? overwrite(old_other) : result<void>();
    if (!forget_old) return {};
    PP_TRY(target_gone);
    return other_gone;
}

}  // namespace pp::storage
