// Hostile blobs, proofs and sealed messages. The first byte chooses. Nothing that was not made with the key may open,
// and a proof may only pass for leaves that stand where it says.
#include "crypto/blob_cipher.hpp"
#include "crypto/hpke.hpp"

#include <cstdlib>

using namespace pp;
using namespace pp::crypto;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

std::uint64_t take_number(bytes_view& from) {
    std::uint64_t out = 0;
    const auto width = std::min<std::size_t>(8, from.size());
    for (std::size_t i = 0; i < width; ++i) out |= std::to_integer<std::uint64_t>(from[i]) << (8 * i);
    from = from.subspan(width);
    return out;
}

// Any header and length: the key is random, so the commitment can fit no input.
void hostile_header(bytes_view input) {
    static const auto key = random<blob_key>();
    const auto length = take_number(input);
    blob_header header{};
    std::copy_n(input.begin(), std::min(input.size(), header.size()), header.begin());
    require(!blob_decryptor::open(key, header, length).has_value());
}

// A blob of ours with the input's bytes exclusive-ored over it: opens only where nothing was changed.
void damaged_blob(bytes_view input) {
    static const auto key = random<blob_key>();
    const auto length = static_cast<std::size_t>(take_number(input) % (3 * chunk_plain_bytes));
    blob_encryptor encryptor(key);
    bytes cipher;
    encryptor.update(bytes(length, std::byte{'m'}), cipher);
    encryptor.finish(cipher);
    const auto at = static_cast<std::size_t>(take_number(input) % cipher.size());
    const auto n = std::min(input.size(), cipher.size() - at);
    bool changed_any = false;
    for (std::size_t i = 0; i < n; ++i) {
        cipher[at + i] ^= input[i];
        changed_any |= input[i] != std::byte{0};
    }
    auto decryptor = blob_decryptor::open(key, encryptor.header(), cipher.size()).value();
    bytes plain;
    bool all_open = true;
    for (std::uint64_t i = 0; i < decryptor.chunks(); ++i) {
        const auto chunk_at = static_cast<std::size_t>(i) * chunk_cipher_bytes;
        const auto chunk = bytes_view(cipher).subspan(chunk_at, std::min(chunk_cipher_bytes, cipher.size() - chunk_at));
        const bool opens = decryptor.decrypt(i, chunk, plain).has_value();
        require(opens == (merkle::leaf_hash(chunk) == encryptor.leaves()[static_cast<std::size_t>(i)]));
        require(opens || plain.empty());
        all_open &= opens;
    }
    require(all_open == !changed_any);
    if (all_open) require(decryptor.plain_bytes(plain).value() == length);
}

// Any text as the last chunk of a blob: a length that passes is one that pads to what stands there.
void hostile_padding(bytes_view input) {
    static const auto key = random<blob_key>();
    blob_encryptor encryptor(key);
    bytes cipher;
    encryptor.finish(cipher);
    const auto decryptor = blob_decryptor::open(key, encryptor.header(), cipher.size()).value();
    bytes last(input.begin(), input.end());
    last.resize(512);
    for (const auto& tried : {bytes_view(input), bytes_view(last)})
        if (const auto length = decryptor.plain_bytes(tried)) require(*length <= 504 && tried.size() == 512);
}

// A small tree, and a proof and place from the input.
void hostile_proof(bytes_view input) {
    const auto count = 1 + take_number(input) % 64;
    const auto claimed = take_number(input), first = take_number(input), n = take_number(input) % 8;
    std::vector<hash256> leaves;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::array data{static_cast<std::byte>(i)};
        leaves.push_back(merkle::leaf_hash(data));
    }
    const merkle::tree tree(leaves);
    std::vector<hash256> shown, proof = tree.range_proof(first, n);
    for (std::uint64_t i = 0; i < n; ++i) shown.push_back(leaves[(first % count + i) % count]);
    for (; input.size() >= 32; input = input.subspan(32)) proof.push_back(*hash256::from(input.first(32)));
    if (!merkle::verify_range(tree.root(), claimed, first, shown, proof)) return;
    // The length of the tree is not in its root, but the blob id has it; for the right one the leaves must be right.
    if (claimed != count) return;
    for (std::uint64_t i = 0; i < n; ++i) require(first + i < count && leaves[first + i] == shown[i]);
}

void hostile_seal(bytes_view input) {
    static const auto recipient = random<prekey_secret>();
    require(!hpke::open(recipient, as_bytes("info"), {}, input).has_value());
    if (input.size() < 32) return;
    const auto sealed = hpke::seal(*prekey::from(input.first(32)), as_bytes("info"), {}, input);
    require(sealed.empty() || sealed.size() == input.size() + hpke::overhead_bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto input = std::as_bytes(std::span(data + 1, size - 1));
    switch (data[0] % 5) {
        case 0: hostile_header(input); break;
        case 1: damaged_blob(input); break;
        case 2: hostile_padding(input); break;
        case 3: hostile_proof(input); break;
        default: hostile_seal(input);
    }
    return 0;
}
