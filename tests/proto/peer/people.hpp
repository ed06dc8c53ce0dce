// Two people with fixed keys, and values made from them: the same bytes in every run.
#pragma once

#include "crypto/blob_cipher.hpp"
#include "proto/peer/messages.hpp"

namespace people {

using namespace pp;
using namespace pp::peer;

inline constexpr unix_s now = 1767225600;             // 2026-01-01 00:00:00 UTC
inline constexpr unix_s later = now + 365 * 86400;

template <class T>
T filled(std::uint8_t first) {   // first, first + 1, ...
    std::array<std::byte, T::size_bytes> raw;
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(first + i);
    return *T::from(raw);
}
inline std::array<std::byte, 16> filled16(std::uint8_t first) {
    std::array<std::byte, 16> raw;
    for (std::size_t i = 0; i < raw.size(); ++i) raw[i] = static_cast<std::byte>(first + i);
    return raw;
}
inline crypto::signing_key key(std::uint8_t first) { return crypto::signing_key(filled<crypto::ed25519_seed>(first)); }

struct person {
    crypto::signing_key account, device, drive;
    crypto::prekey_secret prekey;
    std::string name;
    std::uint32_t prekey_id;

    account_key address() const { return *account_key::from(account.public_key()); }
    device_key device_id() const { return *device_key::from(device.public_key()); }
    device_certificate certificate() const {
        return certify_device(account, device_id(), *crypto::drive_key::from(drive.public_key()), "laptop", later);
    }
    account_record record() const {
        account_record r;
        r.account = address();
        r.sequence = 1767225600000;
        r.name = name;
        r.prekeys.push_back({prekey_id, crypto::prekey_of(prekey), later});
        r.devices.push_back(certificate());
        r.endpoints = {"192.0.2.7:41443", "[2001:db8::7]:41443"};
        sign(r, account);
        return r;
    }
    hello greeting(std::optional<account_key> wanted = {}) const {
        hello h;
        h.wanted = wanted;
        h.mine = certificate();
        h.record = encode(record());
        h.observed = "198.51.100.9:50000";
        return h;
    }
};
inline person alice() {
    return {key(0x01), key(0x11), key(0x21), filled<crypto::prekey_secret>(0x31), "Alice", 7};
}
inline person bob() {
    return {key(0x41), key(0x51), key(0x61), filled<crypto::prekey_secret>(0x71), "Bob \xc3\xa4", 9};
}

inline notification mail_to_bob() {
    notification n;
    n.id = filled16(0xa0);
    n.sender = alice().address();
    n.device = alice().certificate();
    n.recipient = bob().address();
    n.blob = filled<crypto::blob_id>(0xb0);
    n.key = filled<crypto::blob_key>(0xc0);
    n.plain_bytes = 1234;
    n.cipher_bytes = 1552;
    n.submitted_at = now;
    n.sender_local = "alice";
    n.recipient_local = "bob+shop";
    return n;
}

// A blob as a drive serves it.
struct stored_blob {
    bytes header, cipher;
    std::vector<crypto::hash256> leaves;
    crypto::hash256 root;
    crypto::blob_id id;

    explicit stored_blob(std::size_t plain_bytes) {
        crypto::blob_encryptor encryptor(filled<crypto::blob_key>(0xd0));
        encryptor.update(bytes(plain_bytes, std::byte{'x'}), cipher);
        encryptor.finish(cipher);
        header = to_bytes(bytes_view(encryptor.header()));
        leaves = encryptor.leaves();
        root = encryptor.root();
        id = encryptor.id();
    }
    fetch_reply serve(const fetch_request& request) const {
        fetch_reply r;
        r.found = request.blob == id && request.first_chunk < leaves.size();
        if (!r.found) return r;
        r.header = header;
        r.cipher_bytes = cipher.size();
        r.root = root;
        const auto n = std::min<std::uint64_t>(request.chunks, leaves.size() - request.first_chunk);
        r.proof = crypto::merkle::tree(leaves).range_proof(request.first_chunk, n);
        const auto from = static_cast<std::size_t>(request.first_chunk * crypto::chunk_cipher_bytes);
        const auto to = std::min(cipher.size(), from + static_cast<std::size_t>(n) * crypto::chunk_cipher_bytes);
        r.data.assign(cipher.begin() + static_cast<std::ptrdiff_t>(from),
                      cipher.begin() + static_cast<std::ptrdiff_t>(to));
        return r;
    }
};

}  // namespace people
