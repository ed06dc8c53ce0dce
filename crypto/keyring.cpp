// The keyring file (storage/FORMAT.md, "Keyring"; 03-storage 3.5). All numbers little-endian:
//   header   magic "PPK1", version u16, slots u16, generation u64
//   slot     type u32, passes u32, memory KiB u32, reserved u32, salt 16, commitment 32, nonce 24, wrapped root key 48
//   body     nonce 24, XChaCha20-Poly1305 under a key derived from the root key; AAD = header and slots
//   trailer  SHA-256 of all before it: tells a torn file from a wrong secret before any secret is asked for
// A slot's key comes from Argon2id (passphrase) or HKDF (random material); from it a commitment, so that one guess
// cannot be made to fit several slots, and the key that wraps the root key.
#include "crypto/keyring.hpp"

#include "crypto/assert.hpp"

#include <new>

namespace pp::crypto {

namespace {

constexpr std::array<std::byte, 4> magic{std::byte{'P'}, std::byte{'P'}, std::byte{'K'}, std::byte{'1'}};
constexpr std::uint16_t format_version = 1;
constexpr std::size_t version_at = 4, slots_at = 6, generation_at = 8, header_bytes = 16;

constexpr std::size_t type_at = 0, passes_at = 4, memory_at = 8, reserved_at = 12, salt_at = 16, commitment_at = 32,
                      wrapped_at = 64, slot_bytes = 136;
constexpr std::size_t salt_bytes = commitment_at - salt_at;
constexpr std::size_t commitment_bytes = wrapped_at - commitment_at;
static_assert(slot_bytes - wrapped_at == row_overhead_bytes + root_key::size_bytes);

constexpr std::size_t trailer_bytes = hash256::size_bytes;
constexpr std::size_t file_bytes_min = header_bytes + slot_bytes + row_overhead_bytes + trailer_bytes;

// A hostile file must not make us stretch a passphrase for hours or with all memory of the machine.
constexpr std::uint32_t passes_max = 64;
constexpr std::uint32_t memory_kib_max = 4 * 1024 * 1024;

constexpr std::size_t random_material_bytes_min = 32;   // key_file and credential: nothing that could be guessed

std::uint64_t get_le(bytes_view from, std::size_t at, std::size_t width) {
    std::uint64_t out = 0;
    for (std::size_t i = width; i-- > 0;) out = out << 8 | std::to_integer<std::uint64_t>(from[at + i]);
    return out;
}

void put_le(mutable_bytes_view to, std::size_t at, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) to[at + i] = static_cast<std::byte>(value >> (8 * i) & 0xff);
}

slot_kind kind_of(bytes_view slot) { return static_cast<slot_kind>(get_le(slot, type_at, 4)); }
bytes_view salt_of(bytes_view slot) { return slot.subspan(salt_at, salt_bytes); }
bytes_view commitment_of(bytes_view slot) { return slot.subspan(commitment_at, commitment_bytes); }

bool is_known(slot_kind kind) {
    return kind == slot_kind::passphrase || kind == slot_kind::key_file || kind == slot_kind::credential;
}

argon2_cost cost_of(bytes_view slot) {
    return {.passes = static_cast<std::uint32_t>(get_le(slot, passes_at, 4)),
            .memory_kib = static_cast<std::uint32_t>(get_le(slot, memory_at, 4))};
}

bool is_possible(const unlock_secret& secret) {
    if (!is_known(secret.kind)) return false;
    return secret.kind == slot_kind::passphrase ? !secret.material.empty()
                                                : secret.material.size() >= random_material_bytes_min;
}

bool is_possible(const argon2_cost& cost) {
    return cost.passes >= 1 && cost.passes <= passes_max && cost.memory_kib >= 8 && cost.memory_kib <= memory_kib_max;
}

// The two keys of one slot.
struct slot_keys {
    std::array<std::byte, commitment_bytes> commitment;
    row_key wrap;
};

result<slot_keys> keys_for(bytes_view slot, const unlock_secret& secret) {
    root_key base;
    if (secret.kind == slot_kind::passphrase) {
        auto stretched = stretch_passphrase(as_text(secret.material), salt_of(slot), cost_of(slot));
        if (!stretched) return stretched.error();
        base = std::move(*stretched);
    } else {
        hkdf_sha256(secret.material, salt_of(slot), "peerpost keyring slot 1", base.mutable_view());
    }
    // All fields before the commitment are bound into both keys: type and cost cannot be exchanged.
    const auto bound = std::string(as_text(slot.first(commitment_at)));
    slot_keys out;
    hkdf_sha256(base.view(), {}, "peerpost keyring commit 1" + bound, out.commitment);
    hkdf_sha256(base.view(), {}, "peerpost keyring wrap 1" + bound, out.wrap.mutable_view());
    return out;
}

result<bytes> make_slot(const root_key& root, const unlock_secret& secret, const argon2_cost& cost) {
    if (!is_possible(secret) || !is_possible(cost)) return errc::bad_length;
    bytes slot(wrapped_at);
    slot.reserve(slot_bytes);
    put_le(slot, type_at, static_cast<std::uint32_t>(secret.kind), 4);
    if (secret.kind == slot_kind::passphrase) {
        put_le(slot, passes_at, cost.passes, 4);
        put_le(slot, memory_at, cost.memory_kib, 4);
    }
    random_bytes(mutable_bytes_view(slot).subspan(salt_at, salt_bytes));
    const auto keys = keys_for(slot, secret);
    if (!keys) return keys.error();
    std::copy(keys->commitment.begin(), keys->commitment.end(), slot.begin() + commitment_at);
    const auto wrapped = seal_row(keys->wrap, slot, root.view());
    slot.insert(slot.end(), wrapped.begin(), wrapped.end());
    return slot;
}

// The parts of a file whose trailing hash is right and whose numbers make sense.
struct file_parts {
    std::uint64_t generation;
    std::vector<bytes_view> slots;
    bytes_view before_body;
    bytes_view body;
};

result<file_parts> split_file(bytes_view file) {
    if (file.size() < file_bytes_min || file.size() > keyring_file_bytes_max ||
        !std::equal(magic.begin(), magic.end(), file.begin()))
        return errc::bad_header;
    if (get_le(file, version_at, 2) != format_version) return errc::unknown_suite;
    const auto hashed = file.first(file.size() - trailer_bytes);
    if (!std::ranges::equal(sha256(hashed).view(), file.last(trailer_bytes))) return errc::not_authentic;

    const auto count = static_cast<std::size_t>(get_le(file, slots_at, 2));
    if (count == 0 || count > keyring_slots_max) return errc::bad_header;
    const auto body_at = header_bytes + count * slot_bytes;
    if (hashed.size() < body_at + row_overhead_bytes) return errc::bad_header;
    file_parts out{.generation = get_le(file, generation_at, 8),
                   .slots = {},
                   .before_body = file.first(body_at),
                   .body = hashed.subspan(body_at)};
    for (std::size_t i = 0; i < count; ++i) {
        const auto slot = file.subspan(header_bytes + i * slot_bytes, slot_bytes);
        if (!is_known(kind_of(slot)) || get_le(slot, reserved_at, 4) != 0) return errc::unknown_suite;
        const bool stretched = kind_of(slot) == slot_kind::passphrase;
        if (stretched ? !is_possible(cost_of(slot)) : get_le(slot, passes_at, 8) != 0) return errc::bad_header;
        out.slots.push_back(slot);
    }
    return out;
}

row_key body_key(const root_key& root) { return derive<row_key>(root.view(), "peerpost keyring body 1"); }

}  // namespace

keyring keyring::create(std::vector<unlock_secret> secrets, argon2_cost cost) {
    PP_ASSERT(!secrets.empty() && secrets.size() <= keyring_slots_max);
    keyring out;
    out.root_ = random<root_key>();
    for (const auto& secret : secrets) {
        const auto added = out.add_slot(secret, cost);
        if (added) continue;
        PP_ASSERT(added.error() == errc::no_memory);
        throw std::bad_alloc();
    }
    return out;
}

result<keyring> keyring::open(bytes_view file, const unlock_secret& secret) {
    const auto parts = split_file(file);
    if (!parts) return parts.error();
    if (!is_possible(secret)) return errc::wrong_secret;
    error_code failed = errc::wrong_secret;
    for (const auto& slot : parts->slots) {
        if (kind_of(slot) != secret.kind) continue;
        const auto keys = keys_for(slot, secret);
        if (!keys) {
            failed = keys.error();   // another slot may ask for less memory
            continue;
        }
        if (!equal_constant_time(keys->commitment, commitment_of(slot))) continue;
        auto unwrapped = open_row(keys->wrap, slot.first(wrapped_at), slot.subspan(wrapped_at));
        if (!unwrapped) return unwrapped.error();
        keyring out;
        out.root_ = *root_key::from(*unwrapped);
        sodium_memzero(unwrapped->data(), unwrapped->size());
        auto plain = open_row(body_key(out.root_), parts->before_body, parts->body);
        if (!plain) return plain.error();
        auto body = keyring_body::decode(*plain);
        sodium_memzero(plain->data(), plain->size());
        if (!body) return body.error();
        out.body_ = std::move(*body);
        for (const auto& kept : parts->slots) out.slots_.push_back(to_bytes(kept));
        out.generation_ = parts->generation;
        return out;
    }
    return failed;
}

result<void> keyring::add_slot(const unlock_secret& secret, argon2_cost cost) {
    if (slots_.size() >= keyring_slots_max) return errc::bad_length;
    auto slot = make_slot(root_, secret, cost);
    if (!slot) return slot.error();
    slots_.push_back(std::move(*slot));
    return {};
}

std::vector<slot_kind> keyring::slots() const {
    std::vector<slot_kind> out;
    for (const auto& slot : slots_) out.push_back(kind_of(slot));
    return out;
}

bytes keyring::encode_next() {
    ++generation_;
    bytes out(header_bytes);
    std::copy(magic.begin(), magic.end(), out.begin());
    put_le(out, version_at, format_version, 2);
    put_le(out, slots_at, slots_.size(), 2);
    put_le(out, generation_at, generation_, 8);
    for (const auto& slot : slots_) out.insert(out.end(), slot.begin(), slot.end());
    auto plain = body_.encode();
    const auto sealed = seal_row(body_key(root_), out, plain);
    sodium_memzero(plain.data(), plain.size());
    out.insert(out.end(), sealed.begin(), sealed.end());
    const auto trailer = sha256(out);
    out.insert(out.end(), trailer.data.begin(), trailer.data.end());
    PP_ASSERT(out.size() <= keyring_file_bytes_max);   // or it could never be read again
    return out;
}

result<std::uint64_t> keyring::peek_generation(bytes_view file) {
    const auto parts = split_file(file);
    if (!parts) return parts.error();
    return parts->generation;
}

}  // namespace pp::crypto
