#include "daemon/net/reencrypt.hpp"

#include "crypto/merkle.hpp"
#include "daemon/engine/submission.hpp"

#include <algorithm>

namespace pp::net {

result<void> reencrypt(const peer::notification& note, const crypto::blob_header& header, const chunk_source& chunk,
                       std::string_view block, storage::blob_writer& into) {
    auto opened = crypto::blob_decryptor::open(note.key, header, note.cipher_bytes);
    if (!opened) return opened.error();
    // The true length stands at the end of the padding, in the last chunk.
    bytes plain;
    const auto last = opened->chunks() - 1;
    auto cipher = chunk(last);
    if (!cipher) return cipher.error();
    if (auto r = opened->decrypt(last, *cipher, plain); !r) return r;
    const auto length = opened->plain_bytes(plain);
    if (!length) return length.error();
    if (*length != note.plain_bytes) return crypto::errc::bad_header;

    if (auto r = into.write(as_bytes(block)); !r) return r;
    engine::author_check author(note.sender);
    std::uint64_t left = *length;
    for (std::uint64_t i = 0; left > 0; ++i) {
        cipher = chunk(i);
        if (!cipher) return cipher.error();
        if (auto r = opened->decrypt(i, *cipher, plain); !r) return r;
        const auto n = std::min<std::uint64_t>(left, plain.size());
        if (!author.update(bytes_view(plain).first(n))) return peer::errc::forged_author;
        if (auto r = into.write(bytes_view(plain).first(n)); !r) return r;
        left -= n;
    }
    if (!author.finish()) return peer::errc::forged_author;
    return {};
}

result<void> is_the_blob(const peer::notification& note, const crypto::blob_header& header, const chunk_source& chunk) {
    crypto::merkle::accumulator tree;
    const auto chunks = note.cipher_bytes == 0 ? 0 : (note.cipher_bytes - 1) / crypto::chunk_cipher_bytes + 1;
    for (std::uint64_t i = 0; i < chunks; ++i) {
        const auto cipher = chunk(i);
        if (!cipher) return cipher.error();
        tree.add(crypto::merkle::leaf_hash(*cipher));
    }
    if (crypto::make_blob_id(header, note.cipher_bytes, tree.root()) != note.blob) return crypto::errc::bad_proof;
    return {};
}

result<void> reencrypt_small(const peer::notification& note, bytes_view ride_along, std::string_view block,
                             storage::blob_writer& into) {
    if (ride_along.size() != crypto::blob_header_bytes + note.cipher_bytes) return crypto::errc::bad_length;
    crypto::blob_header header;
    std::copy_n(ride_along.begin(), header.size(), header.begin());
    const auto cipher = ride_along.subspan(header.size());
    const auto chunk = [&](std::uint64_t) -> result<bytes> { return to_bytes(cipher); };
    return reencrypt(note, header, chunk, block, into);
}

}  // namespace pp::net
