#include "crypto/assert.hpp"
#include "storage/attempt.hpp"
#include "storage/blob_files.hpp"

#include <utility>

namespace pp::storage {

result<stored_blob> stored_blob::open(std::shared_ptr<const durable::file> file, std::uint64_t offset, bool has_leaves,
                                      std::uint64_t cipher_bytes) {
    stored_blob b;
    b.file = std::move(file);
    b.offset = offset;
    b.has_leaves = has_leaves;
    b.cipher_bytes = cipher_bytes;
    if (cipher_bytes == 0) return errc::damaged;
    if (cipher_bytes <= crypto::chunk_cipher_bytes && !has_leaves) {   // most mails: one read for all of it
        bytes all(crypto::blob_header_bytes + static_cast<std::size_t>(cipher_bytes));
        PP_LET(const auto n, b.file->read_at(offset, all));
        if (n != all.size()) return errc::damaged;
        std::copy_n(all.begin(), b.header.size(), b.header.begin());
        b.whole = std::move(all);
        return b;
    }
    PP_LET(const auto size, b.file->size());
    if (offset > size || cipher_bytes > size - offset ||
        crypto::blob_header_bytes > size - offset - cipher_bytes)
        return errc::damaged;
    PP_LET(const auto n, b.file->read_at(offset, b.header));
    if (n != b.header.size()) return errc::damaged;
    return b;
}

std::uint64_t stored_blob::chunks() const {
    return (cipher_bytes + crypto::chunk_cipher_bytes - 1) / crypto::chunk_cipher_bytes;
}

result<bytes> stored_blob::read_chunks(std::uint64_t first, std::uint64_t n) const {
    if (n == 0 || first >= chunks() || n > chunks() - first) return errc::not_found;
    const auto begin = first * crypto::chunk_cipher_bytes;
    const auto end = std::min((first + n) * crypto::chunk_cipher_bytes, cipher_bytes);
    if (!whole.empty()) return bytes(whole.begin() + crypto::blob_header_bytes, whole.end());
    bytes out(static_cast<std::size_t>(end - begin));
    PP_LET(const auto got, file->read_at(offset + crypto::blob_header_bytes + begin, out));
    if (got != out.size()) return errc::damaged;
    return out;
}

result<std::vector<crypto::hash256>> stored_blob::leaves() const {
    std::vector<crypto::hash256> out(static_cast<std::size_t>(chunks()));
    if (!has_leaves) {
        for (std::uint64_t i = 0; i < chunks(); ++i) {
            PP_LET(const auto chunk, read_chunks(i, 1));
            out[static_cast<std::size_t>(i)] = crypto::merkle::leaf_hash(chunk);
        }
        return out;
    }
    bytes raw(out.size() * 32);
    PP_LET(const auto n, file->read_at(offset + crypto::blob_header_bytes + cipher_bytes, raw));
    if (n != raw.size()) return errc::damaged;
    for (std::size_t i = 0; i < out.size(); ++i)
        std::copy_n(raw.begin() + static_cast<std::ptrdiff_t>(32 * i), 32, out[i].data.begin());
    return out;
}

namespace {

class verified_reader final : public blob_reader {
public:
    verified_reader(stored_blob blob, blob_ref ref, crypto::blob_decryptor decryptor)
        : blob_(std::move(blob)), ref_(std::move(ref)), decryptor_(std::move(decryptor)) {}

    std::uint64_t size_bytes() const override { return ref_.plain_bytes; }

    result<std::size_t> read(std::uint64_t offset, mutable_bytes_view out) override {
        std::size_t done = 0;
        while (done < out.size() && offset < ref_.plain_bytes) {
            PP_TRY(load(offset / crypto::chunk_plain_bytes));
            const auto inside = static_cast<std::size_t>(offset % crypto::chunk_plain_bytes);
            if (inside >= chunk_.size()) return errc::damaged;
            const auto n = static_cast<std::size_t>(
                std::min<std::uint64_t>({out.size() - done, chunk_.size() - inside, ref_.plain_bytes - offset}));
            std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(inside), n,
                        out.begin() + static_cast<std::ptrdiff_t>(done));
            done += n;
            offset += n;
        }
        return done;
    }

    blob_ref ref() const override { return {ref_.id, ref_.key.clone(), ref_.plain_bytes, ref_.cipher_bytes}; }

private:
    result<void> load(std::uint64_t index) {
        if (index == held_) return {};
        held_ = none;
        if (!blob_.whole.empty()) {   // its only chunk
            const auto cipher = std::exchange(blob_.whole, bytes());
            if (!decryptor_.decrypt(index, bytes_view(cipher).subspan(crypto::blob_header_bytes), chunk_))
                return errc::damaged;
        } else {
            PP_LET(const auto cipher, blob_.read_chunks(index, 1));
            if (!decryptor_.decrypt(index, cipher, chunk_)) return errc::damaged;
        }
        held_ = index;
        return {};
    }

    static constexpr std::uint64_t none = ~0ull;
    stored_blob blob_;
    blob_ref ref_;
    crypto::blob_decryptor decryptor_;
    bytes chunk_;
    std::uint64_t held_ = none;
};

class proving_reader final : public cipher_reader {
public:
    proving_reader(stored_blob blob, crypto::merkle::tree tree) : blob_(std::move(blob)), tree_(std::move(tree)) {}

    const crypto::blob_header& header() const override { return blob_.header; }
    std::uint64_t cipher_bytes() const override { return blob_.cipher_bytes; }
    std::uint64_t chunks() const override { return blob_.chunks(); }
    result<bytes> read_chunks(std::uint64_t first, std::uint64_t n) override { return blob_.read_chunks(first, n); }
    result<std::vector<crypto::hash256>> range_proof(std::uint64_t first, std::uint64_t n) override {
        if (n == 0 || first >= chunks() || n > chunks() - first) return errc::not_found;
        return tree_.range_proof(first, n);
    }
    crypto::hash256 root() const override { return tree_.root(); }

private:
    stored_blob blob_;
    crypto::merkle::tree tree_;
};

}  // namespace

result<std::shared_ptr<blob_reader>> make_blob_reader(stored_blob blob, blob_ref ref) {
    auto decryptor = crypto::blob_decryptor::open(ref.key, blob.header, blob.cipher_bytes);
    if (!decryptor || decryptor->chunks() != blob.chunks()) return errc::damaged;
    return std::shared_ptr<blob_reader>(
        std::make_shared<verified_reader>(std::move(blob), std::move(ref), std::move(*decryptor)));
}

result<std::shared_ptr<cipher_reader>> make_cipher_reader(stored_blob blob, const crypto::blob_id& id) {
    PP_LET(auto leaves, blob.leaves());
    crypto::merkle::tree tree(std::move(leaves));
    if (crypto::make_blob_id(blob.header, blob.cipher_bytes, tree.root()) != id) return errc::damaged;
    return std::shared_ptr<cipher_reader>(std::make_shared<proving_reader>(std::move(blob), std::move(tree)));
}

}  // namespace pp::storage
