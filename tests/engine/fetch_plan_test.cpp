#include "daemon/engine/fetch_plan.hpp"
#include "proto/peer/protocols.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"

using namespace pp;
using namespace pp::engine;
using kind = fetch_step::kind;

namespace {

bytes fetch_all(fetch_plan& plan, const people::stored_blob& blob, bytes kept = {}) {
    int rounds = 0;
    while (const auto request = plan.next()) {
        REQUIRE(++rounds < 100);
        auto reply = blob.serve(*request);
        CHECK(peer::encode(reply).size() <= plan.answer_bytes_max(*request));
        CHECK(plan.answer_bytes_max(*request) <= reply.data.size() + peer::fetch_reply_overhead_bytes_max);
        auto step = plan.accept(*request, std::move(reply));
        REQUIRE(step.what == kind::keep);
        kept.insert(kept.end(), step.chunks.begin(), step.chunks.end());
    }
    return kept;
}

}  // namespace

TEST_CASE("a blob is fetched whole, from wherever an earlier link has stopped") {
    for (const std::size_t plain : {10u, 60000u, 65528u, 65529u, 600000u, 1500000u}) {
        const people::stored_blob blob(plain);
        for (std::uint64_t kept = 0; kept <= blob.leaves.size(); ++kept) {
            INFO(plain << " bytes, " << kept << " chunks kept");
            fetch_plan plan(blob.id, blob.cipher.size(), kept);
            CHECK_FALSE(plan.must_restart());
            CHECK_FALSE(plan.finished());
            const auto already = std::min<std::size_t>(kept * crypto::chunk_cipher_bytes, blob.cipher.size());
            const auto got = fetch_all(
                plan, blob, bytes(blob.cipher.begin(), blob.cipher.begin() + static_cast<std::ptrdiff_t>(already)));
            CHECK(got == blob.cipher);
            CHECK(plan.finished());
            REQUIRE(plan.header());
            CHECK(to_bytes(bytes_view(*plan.header())) == blob.header);
        }
    }
}

TEST_CASE("more kept than the blob has is thrown away") {
    const people::stored_blob blob(100000);
    fetch_plan plan(blob.id, blob.cipher.size(), 3);
    CHECK(plan.must_restart());
    CHECK(fetch_all(plan, blob) == blob.cipher);
}

TEST_CASE("nothing unverified is kept") {
    const people::stored_blob blob(300000), other(300001);
    fetch_plan plan(blob.id, blob.cipher.size(), 0);
    const auto request = *plan.next();
    auto reply = blob.serve(request);
    reply.data[70000] ^= std::byte{1};
    auto step = plan.accept(request, reply);
    CHECK(step.what == kind::wrong);
    CHECK(step.chunks.empty());
    CHECK(plan.kept_chunks() == 0);
    CHECK(plan.accept(request, {}).what == kind::gone);
    peer::fetch_reply withdrawn;
    withdrawn.withdrawn = true;
    CHECK(plan.accept(request, withdrawn).what == kind::withdrawn);

    auto asked = request;
    asked.blob = other.id;                              // right bytes of another blob
    CHECK(plan.accept(asked, other.serve(asked)).what == kind::wrong);

    fetch_plan sized(blob.id, blob.cipher.size() + 1, 0);   // the notification lied about the length
    const auto first = *sized.next();
    CHECK(sized.accept(first, blob.serve(first)).what == kind::wrong);
    CHECK(fetch_all(plan, blob) == blob.cipher);
}

TEST_CASE("an answer that comes twice is kept once, a short one is enough") {
    const people::stored_blob blob(600000);
    fetch_plan plan(blob.id, blob.cipher.size(), 0);
    const auto request = *plan.next();
    auto two = request;
    two.chunks = 2;
    const auto step = plan.accept(request, blob.serve(two));
    CHECK(step.what == kind::keep);
    CHECK(plan.kept_chunks() == 2);
    CHECK(plan.accept(request, blob.serve(two)).chunks.empty());
    CHECK(plan.kept_chunks() == 2);
    CHECK(fetch_all(plan, blob, step.chunks) == blob.cipher);
}

TEST_CASE("after a break a little is asked for first, then more and more") {
    const people::stored_blob blob(40 * crypto::chunk_cipher_bytes);
    fetch_plan plan(blob.id, blob.cipher.size(), 2, 1);
    std::vector<std::uint32_t> asked;
    while (const auto request = plan.next()) {
        asked.push_back(request->chunks);
        auto step = plan.accept(*request, blob.serve(*request));
        REQUIRE(step.what == kind::keep);
    }
    std::vector<std::uint32_t> expected;
    std::uint64_t left = blob.leaves.size() - 2;
    for (std::uint32_t range = 1; left > 0; range = std::min(2 * range, peer::fetch_chunks_max)) {
        expected.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(range, left)));
        left -= expected.back();
    }
    CHECK(asked == expected);
    CHECK(asked[3] == peer::fetch_chunks_max);
    fetch_plan broken(blob.id, blob.cipher.size(), 0, 1);
    const auto first = *broken.next();
    broken.accept(first, {});                           // nothing came: no more is asked for
    CHECK(broken.next()->chunks == 1);
    CHECK(fetch_plan(blob.id, blob.cipher.size(), 0, 0).next()->chunks == 1);
    CHECK(fetch_plan(blob.id, blob.cipher.size(), 0, 1000).next()->chunks == peer::fetch_chunks_max);
}

TEST_CASE("a blob of no bytes is never asked for") {
    fetch_plan plan({}, 0, 0);
    CHECK_FALSE(plan.next());
    CHECK_FALSE(plan.finished());
}
