// Trees against the recursive definition of RFC 9162 section 2.1.1, and all range proofs of small trees.
#include "crypto/merkle.hpp"

#include <catch2/catch.hpp>

#include <bit>

using namespace pp;
using namespace pp::crypto;

namespace {

constexpr std::size_t leaves_max = 40;

std::vector<hash256> some_leaves(std::size_t n) {
    std::vector<hash256> out;
    for (std::size_t i = 0; i < n; ++i) {
        const std::array data{static_cast<std::byte>(i)};
        out.push_back(merkle::leaf_hash(data));
    }
    return out;
}

// The definition, word for word.
hash256 defined_root(std::span<const hash256> leaves) {
    if (leaves.empty()) return sha256({});
    if (leaves.size() == 1) return leaves.front();
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    return merkle::node_hash(defined_root(leaves.first(k)), defined_root(leaves.subspan(k)));
}

}  // namespace

TEST_CASE("leaf and node hashes carry their domain byte") {
    CHECK(merkle::leaf_hash({}) == sha256(from_hex("00").value()));
    CHECK(merkle::leaf_hash(as_bytes("x")) == sha256(from_hex("0078").value()));
    const auto leaves = some_leaves(2);
    bytes joined{std::byte{1}};
    for (const auto& leaf : leaves) joined.insert(joined.end(), leaf.data.begin(), leaf.data.end());
    CHECK(merkle::node_hash(leaves[0], leaves[1]) == sha256(joined));
    CHECK(merkle::node_hash(leaves[0], leaves[1]) != merkle::node_hash(leaves[1], leaves[0]));
}

TEST_CASE("the tree of Certificate Transparency's reference data keeps its roots", "[golden]") {
    // The leaves and roots that implementations of RFC 6962 and RFC 9162 test themselves with.
    const char* data[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"};
    merkle::accumulator tree;
    CHECK(hex(tree.root().view()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (const auto* leaf : data) tree.add(merkle::leaf_hash(from_hex(leaf).value()));
    CHECK(hex(tree.root().view()) == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST_CASE("accumulator, tree and definition agree at every count") {
    merkle::accumulator running;
    for (std::size_t n = 0; n <= 3 * leaves_max; ++n) {
        const auto leaves = some_leaves(n);
        INFO(n << " leaves");
        CHECK(running.count() == n);
        CHECK(running.root() == defined_root(leaves));
        CHECK(merkle::tree(leaves).root() == defined_root(leaves));
        CHECK(merkle::tree(leaves).count() == n);
        CHECK(running.peaks().size() == static_cast<std::size_t>(std::popcount(n)));
        auto resumed = merkle::accumulator::from_peaks(n, running.peaks()).value();
        CHECK(resumed.root() == running.root());
        running.add(some_leaves(n + 1).back());
        resumed.add(some_leaves(n + 1).back());
        CHECK(resumed.root() == running.root());
    }
}

TEST_CASE("peaks of another count are refused") {
    CHECK(merkle::accumulator::from_peaks(3, some_leaves(1)).error() == errc::bad_proof);
    CHECK(merkle::accumulator::from_peaks(3, some_leaves(3)).error() == errc::bad_proof);
    CHECK(merkle::accumulator::from_peaks(0, some_leaves(1)).error() == errc::bad_proof);
}

TEST_CASE("every range of every small tree has a proof, and nothing else passes for it") {
    for (std::size_t count = 1; count <= leaves_max; ++count) {
        const auto leaves = some_leaves(count);
        const merkle::tree tree(leaves);
        const auto root = tree.root();
        for (std::size_t first = 0; first < count; ++first)
            for (std::size_t n = 1; first + n <= count; ++n) {
                INFO("leaves [" << first << ", " << first + n << ") of " << count);
                auto range = std::vector(leaves.begin() + static_cast<long>(first),
                                         leaves.begin() + static_cast<long>(first + n));
                auto proof = tree.range_proof(first, n);
                REQUIRE(merkle::verify_range(root, count, first, range, proof));
                // Another place, with the same leaves, proves nothing.
                if (first > 0) REQUIRE_FALSE(merkle::verify_range(root, count, first - 1, range, proof));
                if (first + n < count) REQUIRE_FALSE(merkle::verify_range(root, count, first + 1, range, proof));
                // Nor does a proof with a hash more or less, or in another order.
                proof.push_back(root);
                REQUIRE_FALSE(merkle::verify_range(root, count, first, range, proof));
                proof.pop_back();
                if (!proof.empty()) {
                    const auto last = proof.back();
                    proof.pop_back();
                    REQUIRE_FALSE(merkle::verify_range(root, count, first, range, proof));
                    proof.push_back(last);
                    proof.front().data[5] ^= std::byte{1};
                    REQUIRE_FALSE(merkle::verify_range(root, count, first, range, proof));
                    proof.front().data[5] ^= std::byte{1};
                }
                if (proof.size() > 1) {
                    std::swap(proof.front(), proof.back());
                    REQUIRE_FALSE(merkle::verify_range(root, count, first, range, proof));
                    std::swap(proof.front(), proof.back());
                }
                // Nor changed or exchanged leaves.
                range.back().data[0] ^= std::byte{0x80};
                REQUIRE_FALSE(merkle::verify_range(root, count, first, range, proof));
                range.back().data[0] ^= std::byte{0x80};
                if (n > 1) {
                    std::swap(range.front(), range.back());
                    REQUIRE_FALSE(merkle::verify_range(root, count, first, range, proof));
                    std::swap(range.front(), range.back());
                }
                REQUIRE(merkle::verify_range(root, count, first, range, proof));
            }
    }
}

TEST_CASE("hostile counts and ranges are refused without work") {
    const auto leaves = some_leaves(2);
    const merkle::tree tree(leaves);
    constexpr auto huge = ~std::uint64_t{0};
    CHECK(merkle::verify_range(tree.root(), 2, 0, {}, leaves).error() == errc::bad_proof);
    CHECK(merkle::verify_range(tree.root(), 0, 0, leaves, {}).error() == errc::bad_proof);
    CHECK(merkle::verify_range(tree.root(), 1, 0, leaves, {}).error() == errc::bad_proof);
    CHECK(merkle::verify_range(tree.root(), 2, 1, leaves, {}).error() == errc::bad_proof);
    CHECK(merkle::verify_range(tree.root(), huge, huge, leaves, {}).error() == errc::bad_proof);
    CHECK(merkle::verify_range(tree.root(), huge, huge - 2, leaves, {}).error() == errc::bad_proof);
    CHECK(merkle::verify_range(tree.root(), huge, 0, leaves, some_leaves(80)).error() == errc::bad_proof);
    CHECK(tree.range_proof(0, 0).empty());
    CHECK(tree.range_proof(2, 1).empty());
    CHECK(tree.range_proof(1, huge).empty());
    CHECK(merkle::tree({}).range_proof(0, 1).empty());
}

TEST_CASE("a proof for one leaf has one hash per level") {
    const merkle::tree tree(some_leaves(64));
    for (std::uint64_t i = 0; i < 64; ++i) CHECK(tree.range_proof(i, 1).size() == 6);
    CHECK(tree.range_proof(0, 64).empty());
}
