// Merkle trees over SHA-256 in the shape of RFC 9162 section 2.1: leaf = H(0x00 | data), node = H(0x01 | left | right),
// split at the largest power of two below the count. For blobs (a leaf per 64 KiB chunk) and logs (a leaf per frame).
#pragma once

#include "crypto/primitives.hpp"

#include <vector>

namespace pp::crypto::merkle {

hash256 leaf_hash(bytes_view data);
hash256 node_hash(const hash256& left, const hash256& right);

// The root over leaf hashes that come one after the other; keeps one hash per level (peaks).
class accumulator {
public:
    void add(const hash256& leaf);
    std::uint64_t count() const { return count_; }
    hash256 root() const;                             // of no leaves: SHA-256 of nothing
    const std::vector<hash256>& peaks() const { return peaks_; }      // largest subtree first
    static result<accumulator> from_peaks(std::uint64_t count, std::vector<hash256> peaks);   // errc::bad_proof

private:
    std::uint64_t count_ = 0;
    std::vector<hash256> peaks_;
};

// A whole tree over the leaves of one blob, to answer range proofs: 64 B of memory per leaf.
class tree {
public:
    explicit tree(std::vector<hash256> leaves);
    const hash256& root() const;
    std::uint64_t count() const;
    // The hashes that, with leaves [first, first + n), lead to the root: in the order verify_range consumes them.
    std::vector<hash256> range_proof(std::uint64_t first, std::uint64_t n) const;

private:
    std::vector<std::vector<hash256>> levels_;
};

// errc::bad_proof unless the leaves stand at [first, first + leaves.size()) of a tree with that root and count.
result<void> verify_range(const hash256& root, std::uint64_t count, std::uint64_t first,
                          std::span<const hash256> leaves, std::span<const hash256> proof);

}  // namespace pp::crypto::merkle
