// Merkle trees of RFC 9162 section 2.1. Both the tree and the verifier walk from the root down, left before right, so
// that a proof is a plain list of hashes without positions.
#include "crypto/merkle.hpp"

#include <bit>

namespace pp::crypto::merkle {

namespace {

constexpr std::byte leaf_domain{0x00};   // RFC 9162 section 2.1.1: a leaf can never be taken for a node
constexpr std::byte node_domain{0x01};

// RFC 9162 section 2.1.1: the largest power of two smaller than n, for n > 1.
std::uint64_t split_point(std::uint64_t n) { return std::bit_floor(n - 1); }

// Walks the tree that [first, end) of [low, high) leaves belong to, and takes what it needs from leaves and proof. Its
// depth is at most 64; each step into a subtree that holds none of the leaves uses up one hash of the proof.
class range_verifier {
public:
    range_verifier(std::uint64_t first, std::span<const hash256> leaves, std::span<const hash256> proof)
        : first_(first), end_(first + leaves.size()), leaves_(leaves), proof_(proof) {}

    result<hash256> subtree(std::uint64_t low, std::uint64_t high) {
        if (high <= first_ || low >= end_) {
            if (proof_.empty()) return errc::bad_proof;
            const auto out = proof_.front();
            proof_ = proof_.subspan(1);
            return out;
        }
        if (high - low == 1) return leaves_[static_cast<std::size_t>(low - first_)];
        const auto middle = low + split_point(high - low);
        const auto left = subtree(low, middle);
        if (!left) return left;
        const auto right = subtree(middle, high);
        if (!right) return right;
        return node_hash(*left, *right);
    }
    bool used_up() const { return proof_.empty(); }

private:
    std::uint64_t first_, end_;
    std::span<const hash256> leaves_, proof_;
};

}  // namespace

hash256 leaf_hash(bytes_view data) {
    sha256_stream hash;
    hash.update({&leaf_domain, 1});
    hash.update(data);
    return hash.finish();
}

hash256 node_hash(const hash256& left, const hash256& right) {
    std::array<std::byte, 1 + 2 * hash256::size_bytes> input;
    input[0] = node_domain;
    std::copy(left.data.begin(), left.data.end(), input.begin() + 1);
    std::copy(right.data.begin(), right.data.end(), input.begin() + 1 + hash256::size_bytes);
    return sha256(input);
}

void accumulator::add(const hash256& leaf) {
    peaks_.push_back(leaf);
    // One merge for each trailing 1 bit of the old count, as carries run through a binary counter.
    for (auto carry = count_; (carry & 1) != 0; carry >>= 1) {
        const auto right = peaks_.back();
        peaks_.pop_back();
        peaks_.back() = node_hash(peaks_.back(), right);
    }
    ++count_;
}

hash256 accumulator::root() const {
    if (peaks_.empty()) return sha256({});   // RFC 9162 section 2.1.1
    auto out = peaks_.back();
    for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) out = node_hash(*peak, out);
    return out;
}

result<accumulator> accumulator::from_peaks(std::uint64_t count, std::vector<hash256> peaks) {
    if (peaks.size() != static_cast<std::size_t>(std::popcount(count))) return errc::bad_proof;
    accumulator out;
    out.count_ = count;
    out.peaks_ = std::move(peaks);
    return out;
}

tree::tree(std::vector<hash256> leaves) {
    levels_.push_back(std::move(leaves));
    if (levels_.front().empty()) levels_.push_back({sha256({})});
    while (levels_.back().size() > 1) {
        const auto& below = levels_.back();
        std::vector<hash256> level;
        level.reserve((below.size() + 1) / 2);
        for (std::size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(node_hash(below[i], below[i + 1]));
        if (below.size() % 2 != 0) level.push_back(below.back());   // the lone last one stands for its parent
        levels_.push_back(std::move(level));
    }
}

const hash256& tree::root() const { return levels_.back().front(); }

std::uint64_t tree::count() const { return levels_.front().size(); }

std::vector<hash256> tree::range_proof(std::uint64_t first, std::uint64_t n) const {
    std::vector<hash256> out;
    if (n == 0 || first >= count() || n > count() - first) return out;
    const auto end = first + n;
    // Node i of a level stands for the leaves [i << level, (i + 1) << level), cut at count().
    const auto walk = [&](const auto& self, std::size_t level, std::uint64_t i) -> void {
        const auto low = i << level;
        const auto high = std::min(count(), (i + 1) << level);
        if (high <= first || low >= end) {
            out.push_back(levels_[level][i]);
            return;
        }
        if (first <= low && high <= end) return;
        self(self, level - 1, 2 * i);
        if (2 * i + 1 < levels_[level - 1].size()) self(self, level - 1, 2 * i + 1);
    };
    walk(walk, levels_.size() - 1, 0);
    return out;
}

result<void> verify_range(const hash256& root, std::uint64_t count, std::uint64_t first,
                          std::span<const hash256> leaves, std::span<const hash256> proof) {
    if (leaves.empty() || first >= count || leaves.size() > count - first) return errc::bad_proof;
    range_verifier verifier(first, leaves, proof);
    const auto found = verifier.subtree(0, count);
    if (!found) return found.error();
    if (!verifier.used_up() || *found != root) return errc::bad_proof;
    return {};
}

}  // namespace pp::crypto::merkle
