#include "storage/blob_files.hpp"
#include "storage/blob_in_file.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

namespace {
std::string noise(std::size_t n) {
    std::string out(n, 0);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
    return out;
}
}  // namespace

TEST_CASE("mails of every size around the borders come back, in any piece") {
    store_fixture f;
    for (const std::size_t n : {0u, 1u, 500u, 65000u, 65528u, 65535u, 65536u, 65537u, 131064u, 131072u, 200000u}) {
        INFO(n);
        const auto text = noise(n);
        const auto p = f.add("INBOX", text);
        CHECK(f.text_of(p.mail_serial) == text);
        const auto reader = f.store->open_blob(p.mail_serial).value();
        CHECK(reader->size_bytes() == n);
        bytes piece(1000);
        for (const std::size_t at : {std::size_t{0}, n / 2, n > 10 ? n - 10 : 0, n, n + 5}) {
            const auto got = reader->read(at, piece).value();
            CHECK(got == (at >= n ? 0 : std::min<std::size_t>(1000, n - at)));
            CHECK(as_text(bytes_view(piece).first(got)) == std::string_view(text).substr(std::min(at, n), got));
        }
    }
    CHECK(f.store->check({})->sound());
}

TEST_CASE("the encrypted form is served with proofs") {
    store_fixture f;
    for (const std::size_t n : {std::size_t{100}, std::size_t{500000}}) {
        const auto p = f.add("Sent", noise(n));
        const auto ref = f.store->open_blob(p.mail_serial).value()->ref();
        const auto cipher = f.store->open_cipher(ref.id).value();
        CHECK(cipher->cipher_bytes() == ref.cipher_bytes);
        CHECK(crypto::make_blob_id(cipher->header(), cipher->cipher_bytes(), cipher->root()) == ref.id);
        auto decryptor = crypto::blob_decryptor::open(ref.key, cipher->header(), cipher->cipher_bytes());
        REQUIRE(decryptor.has_value());
        for (std::uint64_t i = 0; i < cipher->chunks(); ++i) {
            const auto chunk = cipher->read_chunks(i, 1).value();
            const std::array<crypto::hash256, 1> leaf{crypto::merkle::leaf_hash(chunk)};
            CHECK(crypto::merkle::verify_range(cipher->root(), cipher->chunks(), i, leaf,
                                               cipher->range_proof(i, 1).value()));
        }
        CHECK(cipher->read_chunks(cipher->chunks(), 1).error() == errc::not_found);
        CHECK(cipher->range_proof(0, cipher->chunks() + 1).error() == errc::not_found);
    }
    CHECK(f.store->open_cipher({}).error() == errc::not_found);
}

TEST_CASE("a flipped byte of a large blob is damage, never other text") {
    store_fixture f;
    const auto p = f.add("INBOX", noise(200000));
    std::filesystem::path path;
    for (const auto& e : std::filesystem::recursive_directory_iterator(f.folder / "blobs"))
        if (e.is_regular_file()) path = e.path();
    const auto size = std::filesystem::file_size(path);
    for (std::uint64_t at = 0; at < size; at += 4093) {
        INFO(at);
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const char old = static_cast<char>(file.get());
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(old ^ 0x10)).flush();
        CHECK_FALSE(f.store->check({})->sound());
        const auto reader = f.store->open_blob(p.mail_serial);
        if (reader) {
            bytes out(200000);
            const auto n = (*reader)->read(0, out);
            if (n) CHECK(as_text(out) == noise(200000));   // the hashes behind the ciphertext
            else CHECK(n.error() == errc::damaged);
        } else {
            CHECK(reader.error() == errc::damaged);
        }
        file.seekp(static_cast<std::streamoff>(at));
        file.put(old).flush();
    }
    CHECK(f.store->check({})->sound());
    std::filesystem::resize_file(path, 1000);
    CHECK(f.store->open_blob(p.mail_serial).error() == errc::damaged);
    std::filesystem::remove(path);
    CHECK(f.store->open_blob(p.mail_serial).error() == errc::damaged);
    CHECK(f.store->check({})->lost.size() == 1);
}

TEST_CASE("a partial blob goes on where it was") {
    temporary_folder home;
    const bytes chunk(crypto::chunk_cipher_bytes, std::byte{7});
    {
        auto p = partial_blob::open(home.path / "incoming", "ab").value();
        CHECK(p.whole_chunks() == 0);
        REQUIRE(p.append(chunk));
        REQUIRE(p.append(chunk));
        REQUIRE(p.append(bytes_view(chunk).first(100)));
        CHECK(p.whole_chunks() == 3);
        CHECK(p.read_chunk(2).value().size() == 100);
        CHECK_FALSE(p.append(chunk));
    }
    auto p = partial_blob::open(home.path / "incoming", "ab").value();
    CHECK(p.whole_chunks() == 2);
    CHECK(p.read_chunk(1).value() == chunk);
    CHECK(p.read_chunk(2).error() == errc::not_found);
    REQUIRE(p.restart());
    CHECK(p.whole_chunks() == 0);
    p.remove();
    CHECK(std::filesystem::is_empty(home.path / "incoming"));
    for (const std::string bad : {"", "../x", "a/b", ".x"})
        CHECK_FALSE(partial_blob::open(home.path / "incoming", bad).has_value());
}

TEST_CASE("no new mail below the reserve") {
    store_fixture f;
    f.store.reset();
    f.options.reserve_bytes = ~0ull >> 1;
    f.reopen();
    auto b = f.store->new_blob();
    REQUIRE(b.write(to_bytes("x")));
    CHECK(b.finish().error() == errc::full);
    CHECK(b.finish().error() == errc::full);
}

TEST_CASE("a small mail may wait for its commit in a file") {
    store_fixture f;
    const auto files = [&] {
        std::size_t n = 0;
        for (const auto& one : std::filesystem::recursive_directory_iterator(f.folder / "blobs"))
            n += one.is_regular_file();
        return n;
    };
    const auto before = files();
    placed there;
    {
        auto b = in_file(f.store->new_blob());
        REQUIRE(b.write(to_bytes("Subject: x\r\n\r\nsmall\r\n")));
        REQUIRE(b.finish());
        CHECK(files() == before + 1);
        const new_mail what{f.box("INBOX").id, {}, {1700000000, 60}, ""};
        f.must([&](write_txn& t) -> result<void> {
            auto p = t.add_mail(what, b);
            if (!p) return p.error();
            there = *p;
            return {};
        });
    }
    f.reopen();
    CHECK(f.text_of(there.mail_serial) == "Subject: x\r\n\r\nsmall\r\n");
    CHECK(f.store->check({})->sound());
    f.rebuild();
    CHECK(f.text_of(there.mail_serial) == "Subject: x\r\n\r\nsmall\r\n");
    { auto b = in_file(f.store->new_blob()); REQUIRE(b.write(to_bytes("x"))); REQUIRE(b.finish()); }
    CHECK(files() == before + 1);   // one that no commit names goes with its writer
}
