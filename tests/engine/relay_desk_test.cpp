// A mail from Alice to Bob through a relay, neither of them there at the same time: real notifications and blobs, the
// machines of both sides, the real store. And what the relay's files tell about it: nothing.
#include "daemon/engine/relay_desk.hpp"
#include "proto/relay/collector.hpp"
#include "proto/relay/depositor.hpp"
#include "proto/relay/seed_fetch.hpp"
#include "tests/proto/peer/people.hpp"
#include "tests/proto/peer/print_results.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using pp::engine::relay_client;
using pp::engine::relay_step;
namespace rs = pp::storage::relay;

namespace {

constexpr std::int64_t now = people::now;
const crypto::account_key relay_key = people::filled<crypto::account_key>(0xe1);

template <class T>
crypto::account_seed seed_of(const T& who) {
    return crypto::account_seed(std::span<const std::byte, 32>(who.account.seed().view().data(), 32));
}

struct relay_node {
    storage::testing::temporary_folder home;
    crypto::row_key key = crypto::random<crypto::row_key>();
    rs::store_limits limits;
    engine::relay_policy policy;
    std::unique_ptr<rs::relay_store> store;
    std::int64_t at = now;

    relay_node() {
        limits.reserve_bytes = 0;
        policy.serve = relay::serving::invited;
        policy.open_bits = 12;   // not met by chance
        restart();
    }
    void restart() {
        store.reset();
        auto opened = rs::relay_store::open(home.path / "relay", key, limits);
        REQUIRE(opened.has_value());
        store = std::move(*opened);
    }
    void invite(const relay::array16& token) {
        REQUIRE(store->write_one([&](rs::change& c) { return c.add_invite(token, 1, now + 86400); }).has_value());
    }
};

struct link_to {
    relay_node& node;
    relay_client client;
    engine::relay_desk desk;
    relay::server_session server;

    link_to(relay_node& n, relay_client c)
        : node(n),
          client(c),
          desk(*n.store, n.policy),
          server({relay_key, nonce(), engine::announce(n.policy, n.limits)}) {}
    static relay::array16 nonce() {
        relay::array16 out;
        crypto::random_bytes(out);
        return out;
    }
    result<bytes> ask(bytes message) {
        server.requested(std::move(message));
        while (auto e = server.next_event()) {
            auto step = desk.answer(std::move(*e), client, node.at);
            server.answer(step.where == relay_step::place::writer ? step.told(node.store->write_one(step.job))
                                                                  : step.run());
        }
        return server.take_output();
    }
};
relay_client throw_away() { return {crypto::random<crypto::account_key>(), false, false}; }

template <class Machine, class F>
auto play(Machine& machine, link_to& link, F other) {
    for (;;) {
        auto e = machine.next_event();
        REQUIRE(e.has_value());
        if (auto* q = std::get_if<relay::ask_relay>(&*e)) machine.answer(link.ask(std::move(q->message)));
        else if (other(*e)) return;
    }
}

// Alice's mail as her drive has it.
struct letter {
    std::string text;
    bytes content;                    // header | ciphertext
    peer::notification note;
    bytes sealed;
    explicit letter(std::size_t size) {
        while (text.size() < size) text += "Dear Bob, the quick brown fox jumps over the lazy dog.\r\n";
        text.resize(size);
        const auto key = crypto::random<crypto::blob_key>();
        crypto::blob_encryptor encryptor(key);
        bytes cipher;
        encryptor.update(pp::as_bytes(text), cipher);
        encryptor.finish(cipher);
        content = to_bytes(bytes_view(encryptor.header()));
        content.insert(content.end(), cipher.begin(), cipher.end());
        note = people::mail_to_bob();
        crypto::random_bytes(note.id);
        note.blob = encryptor.id();
        note.key = key.clone();
        note.plain_bytes = text.size();
        note.cipher_bytes = cipher.size();
        const auto bob = people::bob();
        sealed = peer::seal_notification(note, people::alice().account, bob.prekey_id, crypto::prekey_of(bob.prekey));
    }
};

relay::slot_secrets bobs_slot() { return relay::derive_slot(seed_of(people::bob()), relay_key, 0); }

relay::collect_over bob_collects(link_to& link, relay::collect_options options, std::vector<bytes>& items,
                                 bool keep = true) {
    relay::collector walk(std::move(options));
    relay::collect_over over;
    play(walk, link, [&](auto& e) {
        if (auto* came = std::get_if<relay::items_came>(&e)) {
            relay::kept kept;
            for (auto& i : came->items) {
                items.push_back(i.item);
                if (keep) kept.numbers.push_back(i.number);
            }
            walk.answer(std::move(kept));
            return false;
        }
        if (std::get_if<relay::round_over>(&e)) {
            walk.answer(relay::more_rounds{false});
            return false;
        }
        over = std::get<relay::collect_over>(e);
        return true;
    });
    return over;
}
relay::collect_options bobs(relay::array16 invite = {}) {
    auto s = bobs_slot();
    return {relay_key, s.key.clone(), s.tokens, s.previous_tokens, 1, invite, 0, false};
}
relay::deposit_over alice_deposits(link_to& link, const letter& m, std::optional<relay::delivery_token> token) {
    relay::deposit_options options{relay_key, bobs_slot().id(), token, 0, m.sealed, std::nullopt};
    options.body = relay::deposit_options::seed{relay::derive_seed(m.note.key, m.note.id, relay_key, bobs_slot().id()),
                                                m.content.size()};
    relay::depositor walk(std::move(options));
    relay::deposit_over over;
    play(walk, link, [&](auto& e) {
        if (auto* p = std::get_if<relay::seed_piece_wanted>(&e)) {
            const auto from = m.content.begin() + static_cast<std::ptrdiff_t>(p->offset);
            walk.answer(result<bytes>(bytes(from, from + static_cast<std::ptrdiff_t>(p->length_bytes))));
            return false;
        }
        over = std::get<relay::deposit_over>(e);
        return true;
    });
    return over;
}
relay::delivery_token token_for_alice() {
    const auto s = bobs_slot();
    return relay::issue_token(s.id(), s.tokens, relay::make_serial(s.serials, people::alice().address()),
                              relay::week_of(now) + 4);
}

std::vector<std::string> everything_in(const std::filesystem::path& folder) {
    std::vector<std::string> out;
    for (const auto& e : std::filesystem::recursive_directory_iterator(folder)) {
        out.push_back(e.path().filename().string());
        if (!e.is_regular_file()) continue;
        std::ifstream file(e.path(), std::ios::binary);
        out.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return out;
}
bool found(const std::vector<std::string>& files, bytes_view needle) {
    for (const auto& text :
         {std::string(as_text(needle)), crypto::hex(needle), crypto::base32(needle), crypto::base64url(needle)})
        for (const auto& file : files)
            if (file.find(text) != file.npos) return true;
    return false;
}

}  // namespace

TEST_CASE("a mail goes through a relay that learns nothing of it", "[relay]") {
    for (const std::size_t size : {std::size_t{1000}, std::size_t{1000000}, std::size_t{12000000}}) {
        INFO(size << " bytes");
        relay_node node;
        const letter m(size);
        const auto token = token_for_alice();
        const auto invite = people::filled16(0x77);
        node.invite(invite);
        std::vector<bytes> items;
        {
            link_to link(node, {people::bob().address(), false, false});
            const auto over = bob_collects(link, bobs(invite), items);
            REQUIRE(over.how == relay::ending::done);
        }
        node.restart();
        const auto seed = relay::derive_seed(m.note.key, m.note.id, relay_key, bobs_slot().id());
        {
            link_to link(node, throw_away());
            const auto over = alice_deposits(link, m, token);
            REQUIRE(over.how == relay::ending::done);
            CHECK(over.seeded);
        }
        node.restart();
        CHECK(node.store->status()->items == 1);
        CHECK(node.store->status()->seeds == 1);

        const auto search = [&] {
            const auto files = everything_in(node.home.path);
            CHECK(files.size() >= 3);
            const auto alice = people::alice(), bob = people::bob();
            const auto slot = bobs_slot();
            for (const auto* who : {&alice, &bob}) {
                CHECK_FALSE(found(files, who->account.public_key()));
                CHECK_FALSE(found(files, who->device.public_key()));
                CHECK_FALSE(found(files, who->drive.public_key()));
                CHECK_FALSE(found(files, crypto::prekey_of(who->prekey).view()));
            }
            CHECK_FALSE(found(files, m.note.blob.view()));
            CHECK_FALSE(found(files, m.note.key.view()));
            CHECK_FALSE(found(files, m.note.id));
            CHECK_FALSE(found(files, slot.public_key().view()));
            CHECK_FALSE(found(files, slot.id().view()));
            CHECK_FALSE(found(files, slot.tokens.view()));
            CHECK_FALSE(found(files, token.serial.view()));
            CHECK_FALSE(found(files, token.mac));
            CHECK_FALSE(found(files, seed.where.view()));
            CHECK_FALSE(found(files, invite));
            CHECK_FALSE(found(files, bytes_view(m.content).first(32)));
            CHECK_FALSE(found(files, bytes_view(m.content).last(32)));
            CHECK_FALSE(found(files, pp::as_bytes(m.text.substr(0, 40))));
            CHECK_FALSE(found(files, bytes_view(m.sealed).first(64)));   // sealed rows: not even what is public anyway
        };
        search();
        // The search finds what is there.
        std::ofstream(node.home.path / "planted") << crypto::hex(people::alice().account.public_key());
        CHECK(found(everything_in(node.home.path), people::alice().account.public_key()));
        std::filesystem::remove(node.home.path / "planted");

        {
            link_to link(node, throw_away());
            REQUIRE(bob_collects(link, bobs(), items).how == relay::ending::done);
            REQUIRE(items.size() == 1);
            const auto opened = peer::open_notification(items[0], people::bob().prekey, people::bob().address());
            REQUIRE(opened.has_value());
            relay::seed_fetch fetch({relay::derive_seed(opened->key, opened->id, relay_key, bobs_slot().id()),
                                     crypto::blob_header_bytes + opened->cipher_bytes, 0});
            bytes content;
            play(fetch, link, [&](auto& e) {
                if (auto* came = std::get_if<relay::seed_came>(&e)) {
                    content.insert(content.end(), came->content.begin(), came->content.end());
                    fetch.answer(relay::go_on{true});
                    return false;
                }
                CHECK(std::get<relay::fetch_over>(e).how == relay::ending::done);
                return true;
            });
            REQUIRE((content == m.content));
            const auto deleted =
                link.ask(relay::encode(relay::request(relay::seed_delete_request{seed.where, seed.deletion})));
            CHECK(*deleted == relay::encode(relay::done_reply{}));
        }
        node.restart();
        CHECK(node.store->status()->items == 0);
        CHECK(node.store->status()->seeds == 0);
        CHECK(node.store->status()->bytes == 0);
        search();
        // Bob reads off the serial who it was; the relay cannot.
        CHECK(relay::is_serial_of(bobs_slot().serials, token.serial, people::alice().address()));
    }
}

TEST_CASE("who may open a slot", "[relay]") {
    const auto invite = people::filled16(0x77);
    using s = relay::serving;
    struct row {
        s policy;
        relay_client client;
        relay::array16 invite;
        relay::ending how;
    };
    const relay_client own{people::bob().address(), true, false}, contact{people::bob().address(), false, true},
        nobody{people::bob().address(), false, false};
    using relay::ending;
    for (const auto& r : std::vector<row>{{s::off, own, invite, ending::refused},
                                          {s::self, own, {}, ending::done},
                                          {s::self, contact, invite, ending::refused},
                                          {s::contacts, own, {}, ending::done},
                                          {s::contacts, contact, {}, ending::done},
                                          {s::contacts, nobody, invite, ending::refused},
                                          {s::invited, contact, {}, ending::done},
                                          {s::invited, nobody, invite, ending::done},
                                          {s::invited, nobody, {}, ending::refused},
                                          {s::invited, nobody, people::filled16(0x78), ending::refused},
                                          {s::open, nobody, invite, ending::done},
                                          {s::open, nobody, {}, ending::unwilling}}) {
        INFO(static_cast<int>(r.policy) << " " << r.client.is_own << r.client.is_contact);
        relay_node node;
        node.policy.serve = r.policy;
        node.invite(invite);
        std::vector<bytes> items;
        link_to link(node, r.client);
        CHECK(bob_collects(link, bobs(r.invite), items).how == r.how);
        CHECK(node.store->status()->slots == (r.how == ending::done ? 1 : 0));
    }
    // An invite is good once; a contact keeps hers.
    relay_node node;
    node.invite(invite);
    std::vector<bytes> items;
    link_to friendly(node, contact);
    CHECK(bob_collects(friendly, bobs(invite), items).how == relay::ending::done);
    const auto other = relay::derive_slot(seed_of(people::alice()), relay_key, 0);
    relay::collect_options alices{relay_key, other.key.clone(), other.tokens, other.previous_tokens, 1, invite, 0,
                                  false};
    link_to stranger(node, throw_away());
    CHECK(bob_collects(stranger, std::move(alices), items).how == relay::ending::done);
    const auto third = relay::derive_slot(people::filled<crypto::account_seed>(0x99), relay_key, 0);
    relay::collect_options again{relay_key, third.key.clone(), third.tokens, third.previous_tokens, 1, invite, 0,
                                 false};
    link_to late(node, throw_away());
    CHECK(bob_collects(late, std::move(again), items).how == relay::ending::refused);
}

TEST_CASE("what a relay's store refuses is a status the client understands", "[relay]") {
    using relay::status;
    CHECK(engine::refusal_of(rs::errc::slot_full).why == status::full);
    CHECK(engine::refusal_of(rs::errc::slot_full).retry_after_s > 0);
    CHECK(engine::refusal_of(rs::errc::relay_full).why == status::relay_full);
    CHECK(engine::refusal_of(storage::errc::full).why == status::relay_full);
    CHECK(engine::refusal_of(rs::errc::token_spent).why == status::token_spent);
    CHECK(engine::refusal_of(rs::errc::no_slot).why == status::no_slot);
    CHECK(engine::refusal_of(rs::errc::no_invite).why == status::refused);
    CHECK(engine::refusal_of(rs::errc::wrong_offset).why == status::wrong_offset);
    CHECK(engine::refusal_of(storage::errc::io_error).why == status::busy);
    relay_node node;
    node.limits.items_max = 4;
    node.restart();
    std::vector<bytes> items;
    {
        link_to link(node, {people::bob().address(), true, false});
        REQUIRE(bob_collects(link, bobs(), items).how == relay::ending::done);
    }
    for (int i = 0; i < 5; ++i) {
        link_to link(node, throw_away());
        const auto over = alice_deposits(link, letter(100), token_for_alice());
        CHECK(over.seeded);
        CHECK(over.how == (i < 4 ? relay::ending::done : relay::ending::refused));
        if (i == 4) CHECK(over.why.why == status::full);
    }
    // Everything ends by itself.
    node.at = now + 200 * 86400;
    while (*node.store->sweep(node.at) > 0) {
    }
    CHECK(node.store->status()->slots == 0);
    CHECK(node.store->status()->bytes == 0);
}

TEST_CASE("who may reserve circuits, by policy", "[relay][circuits]") {
    relay_node node;
    const auto allowed = [&](relay::serving policy, relay_client who, bool has_slot) {
        node.policy.serve = policy;
        return engine::relay_desk(*node.store, node.policy).may_reserve(who, has_slot);
    };
    using s = relay::serving;
    auto own = throw_away(), contact = throw_away();
    own.is_own = true;
    contact.is_contact = true;
    for (const bool slot : {false, true}) {
        CHECK_FALSE(allowed(s::off, own, slot));
        CHECK(allowed(s::self, own, slot));
        CHECK_FALSE(allowed(s::self, contact, slot));
        CHECK(allowed(s::contacts, contact, slot));
        CHECK_FALSE(allowed(s::contacts, throw_away(), slot));
        CHECK(allowed(s::invited, throw_away(), slot) == slot);
        CHECK(allowed(s::open, throw_away(), slot) == slot);
    }
}
