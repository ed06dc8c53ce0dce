// Logging in by a SCRAM proof: passwords of before SCRAM, names that do not exist.
#include "daemon/services/node.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

using namespace pp;
using namespace pp::services;

namespace {

struct opened {
    std::filesystem::path folder;
    std::string address, password;
    std::unique_ptr<node> n;

    opened() {
        std::string name = (std::filesystem::temp_directory_path() / "pp-login-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()));
        folder = name;
        const storage::home_paths home{folder};
        const auto made = node::init(home, config{}, "Anna");
        REQUIRE(made.has_value());
        address = made->address;
        password = made->password;
        auto loaded = node::open(home, config{});
        REQUIRE(loaded.has_value());
        n = std::move(*loaded);
    }
    ~opened() {
        n.reset();
        std::filesystem::remove_all(folder);
    }
    account& anna() { return *n->accounts().front(); }
    storage::app_password only_password() {
        const auto all = anna().store().read([](const storage::read_txn& txn) { return txn.passwords(); });
        REQUIRE(all.has_value());
        REQUIRE(all->size() == 1);
        return all->front();
    }
};

// What a client sends that knows the password.
crypto::hash256 proof_of(const std::string& password, bytes_view salt, std::string_view auth_message) {
    const auto hmac = [](bytes_view key, std::string_view text) {
        std::array<std::byte, 32> out;
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()), key.size());
        crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
        crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
        return out;
    };
    // PBKDF2 with one block of output (RFC 8018 section 5.2)
    std::string first(as_text(salt));
    first += std::string("\0\0\0\1", 4);
    auto block = hmac(as_bytes(password), first);
    auto salted = block;
    for (std::uint32_t i = 1; i < crypto::scram_iterations; ++i) {
        block = hmac(as_bytes(password), as_text(block));
        for (std::size_t k = 0; k < salted.size(); ++k) salted[k] ^= block[k];
    }
    auto client = hmac(salted, "Client Key");
    const auto signature = hmac(crypto::sha256(client).view(), auth_message);
    for (std::size_t k = 0; k < client.size(); ++k) client[k] ^= signature[k];
    return *crypto::hash256::from(client);
}

}  // namespace

TEST_CASE("a proof logs in; one of another password, user or exchange does not") {
    opened o;
    const auto salt = o.n->scram_salt(o.address);
    const auto proof = proof_of(o.password, salt, "exchange");
    const auto in = o.n->log_in_by_proof(o.address, "exchange", proof);
    CHECK(in.who == &o.anna());
    CHECK(in.server_signature != crypto::hash256{});
    CHECK(o.n->log_in_by_proof(o.anna().label(), "exchange", proof).who == &o.anna());
    CHECK_FALSE(o.n->log_in_by_proof(o.address, "another exchange", proof).who);
    CHECK_FALSE(o.n->log_in_by_proof("nobody@example.org", "exchange", proof).who);
    CHECK_FALSE(o.n->log_in_by_proof(o.address, "exchange", proof_of("wrong", salt, "exchange")).who);
    CHECK_FALSE(o.n->log_in_by_proof(o.address, "exchange", crypto::hash256{}).who);
}

TEST_CASE("a password from before SCRAM gets its keys with its next login") {
    opened o;
    auto row = o.only_password();
    REQUIRE(row.scram);
    row.scram.reset();
    REQUIRE(o.n->write(o.anna(), [row](storage::write_txn& txn) { return txn.put_password(row); }));
    const auto proof = proof_of(o.password, o.n->scram_salt(o.address), "exchange");
    CHECK_FALSE(o.n->log_in_by_proof(o.address, "exchange", proof).who);
    CHECK_FALSE(o.n->log_in(o.address, "wrong"));
    CHECK_FALSE(o.only_password().scram);
    // As people type it: the keys are those of what was shown.
    std::string typed;
    for (const char c : o.password)
        if (c != '-') typed += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    CHECK(o.n->log_in(o.address, typed) == &o.anna());
    REQUIRE(o.n->write(o.anna(), [](storage::write_txn&) -> result<void> { return {}; }));   // behind the note of use
    CHECK(o.only_password().scram);
    CHECK(o.n->log_in_by_proof(o.address, "exchange", proof).who == &o.anna());
}

TEST_CASE("salts tell nothing: one for a name, known or not, at every time") {
    opened o;
    const auto of = [&](std::string_view name) { return o.n->scram_salt(name); };
    const std::string nobody = std::string(56, 'a') + ".peerpost.alt";
    CHECK(of(o.address) == of("other@" + o.anna().domain()));
    CHECK(of(o.address) == of(o.anna().label()));
    CHECK(of("x@" + nobody) == of("Y@" + nobody));
    CHECK(of("x@" + nobody) == of(std::string(56, 'A') + ".PEERPOST.ALT"));
    CHECK(of("x@" + nobody) == of(std::string(56, 'a')));
    CHECK(of("x@" + nobody) != of(o.address));
    CHECK(of("") != of("x"));
    CHECK(of("").size() == of(o.address).size());
}
