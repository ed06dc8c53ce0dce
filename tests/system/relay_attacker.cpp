// Attacks on a running relay from outside, one by name, for tests/system/relay_attack_test.py; and a client that has every
// right, beside them. Blocking, loopback.
//
//   relay_attacker PORT LINK ATTACK [ARGUMENT ...]       LINK: of `peerpost relay link`, with an invite
//
// An attack says "peak" when it holds what it can hold, and goes on when it is told so by a line of input. It ends with exit
// code 0 when the relay has answered all of it as proto/relay/SPEC.md says. Owners have names: the same ones in every process.
#include "tests/system/raw_link.hpp"

#include "proto/relay/address.hpp"
#include "proto/relay/circuit.hpp"
#include "proto/wire/byte_reader.hpp"

#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <ctime>
#include <iostream>
#include <map>
#include <thread>

using namespace pp;
using namespace pp::attack;
using namespace std::chrono_literals;
using relay::status;

namespace {

struct setting {
    target at;
    relay::array16 invite{};
    std::vector<std::string> arguments;
    std::size_t number(std::size_t i) const { return std::stoul(arguments.at(i)); }
};

void must(bool good, const std::string& what) {
    if (good) return;
    std::cerr << "not as it should be: " << what << std::endl;
    std::_Exit(1);
}
void must_be(status is, status should, const std::string& what) {
    must(is == should, what + ": status " + std::to_string(static_cast<int>(is)) + ", not " + std::to_string(static_cast<int>(should)));
}

void peak() {
    std::cout << "peak" << std::endl;
    std::string line;
    std::getline(std::cin, line);
}

std::unique_ptr<raw_link> must_dial(const setting& s, const how& odd = {}) {
    auto link = raw_link::dial(s.at, odd);
    must(link != nullptr, "a link from " + odd.source + " was not taken");
    return link;
}

// A link of which every request so far is right, to a slot of this name that is there.
std::unique_ptr<raw_link> own(const setting& s, const owner& me, const how& odd = {}) {
    auto link = must_dial(s, odd);
    const auto said = link->info(me.id());
    must_be(status_of(said), status::ok, "INFO");
    if (status_of(me.attach(*link)) == status::no_slot) {
        const auto bits = std::get<relay::info_reply>(said).open_bits;
        must_be(me.open(*link, {}, relay::work_closed, bits == relay::work_closed ? std::nullopt : std::optional(bits)), status::ok, "OPEN");
        must_be(status_of(me.attach(*link)), status::ok, "ATTACH");
    }
    return link;
}

status deposit(raw_link& on, const relay::slot_id& slot, const relay::payment& paid, std::string_view item) {
    return status_of(on.ask<relay::deposit_reply>(relay::deposit_request{slot, paid, an_item(item)}));
}

relay::deletion_secret secret_of(std::string_view name) {
    relay::deletion_secret out;
    out.data = crypto::sha256(as_bytes(std::string(name) + " deletion")).data;
    return out;
}
relay::reply<relay::seed_reply> begin(raw_link& on, const relay::slot_id& slot, const relay::payment& paid, std::string_view name, std::uint64_t size) {
    return on.ask<relay::seed_reply>(relay::seed_begin_request{slot, paid, a_locator(name), size, relay::deletion_hash(secret_of(name))});
}
relay::reply<relay::seed_reply> put(raw_link& on, std::string_view name, std::uint64_t offset, std::size_t n, std::byte fill) {
    return on.ask<relay::seed_reply>(relay::seed_put_request{a_locator(name), offset, bytes(n, fill)});
}
relay::reply<relay::seed_piece_reply> get(raw_link& on, std::string_view name, std::uint64_t offset, std::uint32_t n) {
    return on.ask<relay::seed_piece_reply>(relay::seed_get_request{a_locator(name), offset, n});
}

bytes raw_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, std::uint32_t length, bytes_view payload = {}) {
    wire::byte_writer out;
    out.u8(type).u8(flags).u24(stream).u24(length).raw(payload);
    return out.take();
}
bytes operator+(bytes a, const bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// ---------------------------------------------------------------- who has every right
// Rounds of a depositor on a link of its own and an owner on a kept one, until the input ends. One line a round: how long it
// took in milliseconds, or what failed.
void good_client(const setting& s) {
    const owner me("good");
    auto kept = must_dial(s, {});
    must_be(status_of(kept->info(me.id())), status::ok, "INFO of the good client");
    must_be(me.open(*kept, s.invite), status::ok, "OPEN of the good client");
    must_be(status_of(me.attach(*kept)), status::ok, "ATTACH of the good client");
    for (std::size_t n = 0;; ++n) {
        pollfd input{0, POLLIN, 0};
        if (poll(&input, 1, 100) > 0) return;
        const auto begun = steady::now();
        const auto name = "good " + std::to_string(n) + " " + std::to_string(begun.time_since_epoch().count());
        const auto one_round = [&]() -> std::string {
            auto giver = raw_link::dial(s.at);
            if (!giver) return "dial";
            if (status_of(giver->info(me.id())) != status::ok) return "info";
            const auto token = me.token(name);
            if (const auto is = status_of(begin(*giver, me.id(), token, name, relay::seed_bytes_min)); is != status::ok)
                return is == status::relay_full ? "" : "begin " + std::to_string(static_cast<int>(is));
            if (status_of(put(*giver, name, 0, relay::seed_bytes_min, std::byte{7})) != status::ok) return "put";
            if (deposit(*giver, me.id(), token, name) != status::ok) return "deposit";
            if (kept->over()) {
                kept = raw_link::dial(s.at);
                if (!kept || status_of(kept->info()) != status::ok || status_of(me.attach(*kept)) != status::ok) return "the kept link";
            }
            const auto items = kept->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
            const auto* list = std::get_if<relay::list_reply>(&items);
            if (!list || list->items.empty() || list->items.back().item != an_item(name)) return "list";
            relay::erase_request erase{me.id(), {}};
            for (const auto& i : list->items) erase.numbers.push_back(i.number);
            if (status_of(kept->ask<relay::done_reply>(erase)) != status::ok) return "erase";
            const auto piece = get(*giver, name, 0, relay::seed_bytes_min);
            const auto* content = std::get_if<relay::seed_piece_reply>(&piece);
            if (!content || content->data != bytes(relay::seed_bytes_min, std::byte{7})) return "get";
            if (status_of(giver->ask<relay::done_reply>(relay::seed_delete_request{a_locator(name), secret_of(name)})) != status::ok) return "delete";
            return "";
        };
        const auto failed = one_round();
        const auto took = std::chrono::duration_cast<milliseconds>(steady::now() - begun).count();
        if (failed.empty()) std::cout << "round " << took << std::endl;
        else std::cout << "failed " << failed << " after " << took << " ms" << std::endl;
    }
}

// ---------------------------------------------------------------- bytes
void frames(const setting& s) {
    const auto f = [](std::uint8_t type, std::uint32_t stream, const bytes& payload = {}) {
        return raw_frame(type, 0, stream, static_cast<std::uint32_t>(payload.size()), payload);
    };
    const auto open = f(3, 1, to_bytes("\x07relay/1"));
    bytes zeros4(4), u32max(4, std::byte{0xff});
    const std::map<std::string, bytes> ends{
        {"a length of 2^24-1", raw_frame(4, 0, 1, 0xffffff)},
        {"a length of 65536", raw_frame(1, 0, 0, 65536)},
        {"a second HELLO", f(0, 0, bytes(300))},
        {"a type that must be understood", raw_frame(0x77, 0x80, 0, 0)},
        {"a PING on a stream", f(1, 5)},
        {"a PING of 65 bytes", f(1, 0, bytes(65))},
        {"DATA before OPEN", f(4, 9, bytes(9))},
        {"FIN before OPEN", f(6, 9)},
        {"CREDIT before OPEN", f(5, 9, u32max)},
        {"RESET before OPEN", f(7, 9, zeros4)},
        {"a stream of the relay's side", f(3, 2, to_bytes("\x07relay/1"))},
        {"stream 0", f(3, 0, to_bytes("\x07relay/1"))},
        {"an OPEN twice", open + open},
        {"empty DATA", open + f(4, 1)},
        {"DATA after FIN", open + f(4, 1, bytes(5)) + f(6, 1) + f(4, 1, bytes(5))},
        {"a credit of nothing", open + f(5, 1, zeros4)},
        {"a credit of 2^32-1", open + f(5, 1, u32max)},
        {"a credit of 2^32-1 for the link", f(5, 0, u32max)},
        {"a CREDIT of five bytes", f(5, 0, bytes(5))},
        {"a GOAWAY that is none", f(8, 0, bytes(3))},
        {"an OPEN with more behind", f(3, 1, to_bytes("\x07relay/1xx"))},
        {"an OPEN without name", f(3, 1)},
    };
    for (const auto& [what, raw] : ends) {
        auto link = must_dial(s);
        link->send(raw);
        must(link->is_ended(), what + " did not end the link");
    }
    {   // 65 streams at a time
        auto link = must_dial(s);
        for (int n = 0; n < 65; ++n) link->open("relay/1");
        must(link->is_ended(), "65 open streams did not end the link");
    }
    {   // more than a message may be: that stream ends, the link lives
        auto link = must_dial(s);
        const auto stream = link->request("relay/1", bytes(2049));
        must(!link->answer(stream) && link->was_reset == peer::end_code::too_large, "a request of 2049 bytes");
        const auto other = link->request("relay-seed/1", bytes(263169));
        must(!link->answer(other) && link->was_reset == peer::end_code::too_large, "a seed request of 263169 bytes");
        const auto unknown = link->request("relay/2", bytes(1));
        must(!link->answer(unknown) && link->was_reset == peer::end_code::unknown_protocol, "a protocol nobody knows");
        must_be(status_of(link->info()), status::ok, "INFO after them");
    }
    for (int n = 0; n < 40; ++n) {   // nonsense behind a right HELLO, and in its place
        auto link = must_dial(s, {.says_hello = n % 2 == 0});
        bytes noise(20000);
        crypto::random_bytes(noise);
        link->send(noise);
        must(link->is_ended(), "noise did not end the link");
    }
    {   // no certificate, a protocol nobody knows, a join that is none
        auto nobody = raw_link::dial(s.at, {.with_certificate = false, .says_hello = false});
        must(!nobody || nobody->is_ended(), "a link without certificate");
        must(!raw_link::dial(s.at, {.alpn = "http/1.1", .says_hello = false}), "a handshake with another protocol");
        for (const auto& join : {bytes(37), to_bytes("PPC1") + bytes(33), to_bytes("PPC1") + bytes(16) + bytes(1, std::byte{9}) + bytes(16)}) {
            auto link = must_dial(s, {.alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false});
            link->send(join);
            must(link->is_ended(12s), "a wrong join did not end the connection");
        }
    }
    {   // every operation, cut anywhere and with something behind it: bad request, and nothing else happens
        auto link = must_dial(s);
        must_be(status_of(link->info()), status::ok, "INFO");
        for (int op = 0; op < 256; ++op)
            for (const std::size_t more : {0, 1, 15, 18, 40, 200, 1100}) {
                const auto message = bytes(1, static_cast<std::byte>(op)) + bytes(more);
                const auto raw = link->answer(link->request(op == 16 || op == 17 ? "relay-seed/1" : "relay/1", message));
                must(raw && !raw->empty() && (*raw)[0] == std::byte{1}, "operation " + std::to_string(op) + " with " + std::to_string(more));
            }
        const auto empty = link->answer(link->request("relay/1", {}));
        must(empty && (*empty)[0] == std::byte{1}, "an empty request");
    }
}

// Requests that are never whole, on as many links and streams as there may be. ARGUMENT: links.
void unfinished(const setting& s) {
    std::vector<std::unique_ptr<raw_link>> links;
    for (std::size_t n = 0; n < s.number(0); ++n) {
        auto link = raw_link::dial(s.at, {.source = "127.0.0." + std::to_string(2 + n % 100)});
        if (!link) continue;
        for (int stream = 0; stream < 24 && !link->over(); ++stream) {
            const auto [protocol, size] = stream < 2 ? std::pair("relay-seed/1", 263167) : stream % 4 == 0 ? std::pair("relay/1", 2047) : std::pair("notify/1", 81919);
            if (!link->data(link->open(protocol), bytes(static_cast<std::size_t>(size), std::byte{0x55}))) break;
        }
        links.push_back(std::move(link));
    }
    peak();
}

// Links that ask for much and read nothing. ARGUMENT: links. The slot has a full list and a seed.
void slow_readers(const setting& s) {
    const owner me("slow");
    {
        auto link = own(s, me);
        for (int n = 0; n < 32; ++n) must_be(deposit(*link, me.id(), me.token("slow " + std::to_string(n)), "slow " + std::to_string(n)), status::ok, "DEPOSIT");
        must_be(status_of(begin(*link, me.id(), me.token("slow 0"), "slow", relay::seed_bytes(1 << 20))), status::ok, "BEGIN");
        for (int n = 0; n < 4; ++n) must_be(status_of(put(*link, "slow", static_cast<std::uint64_t>(n) << 18, 1 << 18, std::byte{1})), status::ok, "PUT");
    }
    std::vector<std::unique_ptr<raw_link>> links;
    for (std::size_t n = 0; n < s.number(0); ++n) {
        auto link = raw_link::dial(s.at, {.source = "127.0.0." + std::to_string(2 + n % 100), .receive_buffer_bytes = 4096});
        if (!link || status_of(link->info()) != status::ok || status_of(me.attach(*link)) != status::ok) continue;
        for (int asked = 0; asked < 63; ++asked) {
            const relay::request r = asked % 16 == 0 ? relay::request(relay::seed_get_request{a_locator("slow"), 0, 1 << 18})
                                                     : relay::request(relay::list_request{me.id(), 0, 32});
            const auto stream = link->open(relay::is_bulk(relay::operation_of(r)) ? "relay-seed/1" : "relay/1");
            link->data(stream, relay::encode(r));
            link->fin(stream);
        }
        links.push_back(std::move(link));
    }
    std::this_thread::sleep_for(1s);
    peak();
    links.clear();
    auto link = own(s, me);
    must_be(status_of(link->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

// Connections that have said HELLO and stay, from one address, which would take every place there is. ARGUMENT: connections.
void crowd(const setting& s) {
    std::vector<std::unique_ptr<raw_link>> links;
    std::size_t named = 0;
    for (std::size_t n = 0; n < s.number(0); ++n) {
        if (auto link = raw_link::dial(s.at, {.source = "127.0.0.9", .named_device = n % 2 == 0})) links.push_back(std::move(link));
        ++named;
    }
    peak();
}

// ---------------------------------------------------------------- payment and proof
void payment(const setting& s) {
    const owner me("paid"), other("other");
    auto link = own(s, me);
    own(s, other);
    // What is no token of this slot and time.
    auto wrong = me.token("a");
    wrong.mac[3] ^= std::byte{1};
    must_be(deposit(*link, me.id(), wrong, "x"), status::work_needed, "a token whose mac is wrong");
    must_be(deposit(*link, me.id(), other.token("a"), "x"), status::work_needed, "a token of another slot");
    must_be(deposit(*link, me.id(), me.token("a", -1), "x"), status::work_needed, "a token of last week");
    must_be(deposit(*link, me.id(), me.token("a", 13), "x"), status::work_needed, "a token of the far future");
    must_be(deposit(*link, me.id(), relay::work_payment{0}, "x"), status::refused, "work where no stranger is taken");
    must_be(deposit(*link, owner("nobody").id(), me.token("a"), "x"), status::no_slot, "no slot");
    // A token pays once.
    must_be(deposit(*link, me.id(), me.token("once"), "one"), status::ok, "a right deposit");
    must_be(deposit(*link, me.id(), me.token("once"), "one"), status::ok, "the same again");
    must_be(deposit(*link, me.id(), me.token("once"), "two"), status::token_spent, "another item for the same token");
    must_be(status_of(begin(*link, me.id(), me.token("once"), "paid one", 16384)), status::ok, "a seed for the same token");
    must_be(status_of(begin(*link, me.id(), me.token("once"), "paid two", 16384)), status::token_spent, "a second seed for the same token");
    must_be(deposit(*link, other.id(), me.token("once"), "one"), status::work_needed, "the same at another slot");
    const auto all = link->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
    must(std::get<relay::list_reply>(all).items.size() == 1, "one item lies there");
    // Who guesses is stopped, and another link is not.
    auto guesser = must_dial(s);
    must_be(status_of(guesser->info()), status::ok, "INFO");
    for (std::uint32_t n = 0; n < relay::failed_proofs_max; ++n) must_be(deposit(*guesser, me.id(), wrong, "x"), status::work_needed, "a guess");
    must_be(deposit(*guesser, me.id(), me.token("b"), "b"), status::refused, "after eight guesses");
    must_be(status_of(guesser->info()), status::refused, "INFO after eight guesses");
    must_be(status_of(link->info()), status::ok, "INFO of another link");
    // Work: for this item, on this link, once stored once.
    must_be(me.open(*link, {}, 4), status::ok, "new settings");
    const auto item = an_item("worked");
    const relay::work task{link->nonce, me.id(), relay::work_purpose::item, crypto::sha256(item), 4};
    const auto solution = *relay::solve(task, [] { return true; });
    must_be(deposit(*link, me.id(), relay::work_payment{solution}, "worked"), status::ok, "work");
    must_be(deposit(*link, me.id(), relay::work_payment{solution}, "worked"), status::ok, "the same work again");
    // A wrong solution fits with one chance in sixteen: of four items all must.
    const auto fits = [&](raw_link& on, std::string_view text) { return deposit(on, me.id(), relay::work_payment{solution}, text) == status::ok; };
    must(!(fits(*link, "w1") && fits(*link, "w2") && fits(*link, "w3") && fits(*link, "w4")), "work for another item");
    auto second = must_dial(s);
    must_be(status_of(second->info()), status::ok, "INFO");
    std::size_t replayed = 0;
    for (int n = 0; n < 4; ++n) replayed += deposit(*second, me.id(), relay::work_payment{solution + static_cast<std::uint64_t>(n)}, "worked elsewhere") == status::ok;
    must(replayed < 4, "work of another link");
    // A signature is of its link and slot.
    relay::attach_request attach{me.slot(), {}};
    attach.sig = me.key.sign(relay::signed_part(attach, s.at.relay, link->nonce));
    must_be(status_of(second->ask<relay::attach_reply>(attach)), status::bad_proof, "ATTACH of another link");
    must_be(status_of(second->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32})), status::not_attached, "LIST without ATTACH");
    must_be(status_of(second->ask<relay::done_reply>(relay::erase_request{me.id(), {1, 2}})), status::not_attached, "ERASE without ATTACH");
    must_be(status_of(second->ask<relay::done_reply>(relay::close_request{me.id()})), status::not_attached, "CLOSE without ATTACH");
    must_be(status_of(link->ask<relay::list_reply>(relay::list_request{other.id(), 0, 32})), status::not_attached, "LIST of another's slot");
    must_be(status_of(link->ask<relay::done_reply>(relay::erase_request{me.id(), {77, ~std::uint64_t{0}}})), status::ok, "ERASE of what is not there");
    const auto after = link->ask<relay::list_reply>(relay::list_request{me.id(), ~std::uint64_t{0}, 32});
    must(std::get<relay::list_reply>(after).items.empty(), "LIST after 2^64-1");
    // Eight slots on a link.
    relay::open_request another;
    for (int n = 1; n < 9; ++n) {
        const owner one("many " + std::to_string(n));
        auto opening = own(s, one);
        const auto is = status_of(one.attach(*link));
        must_be(is, n < 8 ? status::ok : status::busy, "ATTACH number " + std::to_string(n + 1));
        must_be(status_of(opening->ask<relay::done_reply>(relay::close_request{one.id()})), status::ok, "CLOSE");
    }
    must_be(status_of(link->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
    auto last = own(s, other);
    must_be(status_of(last->ask<relay::done_reply>(relay::close_request{other.id()})), status::ok, "CLOSE");
}

// Before and after a restart of the relay. ARGUMENT: before | after.
void replay(const setting& s) {
    const owner me("restarted");
    auto link = own(s, me);
    if (s.arguments.at(0) == "before") {
        must_be(deposit(*link, me.id(), me.token("r"), "first"), status::ok, "DEPOSIT");
        must_be(deposit(*link, me.id(), me.token("gone"), "gone"), status::ok, "DEPOSIT");
        must_be(status_of(link->ask<relay::done_reply>(relay::erase_request{me.id(), {2}})), status::ok, "ERASE");
        must_be(status_of(begin(*link, me.id(), me.token("r"), "cut", 65536)), status::ok, "BEGIN");
        must_be(status_of(put(*link, "cut", 0, 20000, std::byte{1})), status::ok, "PUT");
        return;
    }
    must_be(deposit(*link, me.id(), me.token("r"), "first"), status::ok, "the same item for the same token");
    must_be(deposit(*link, me.id(), me.token("r"), "second"), status::token_spent, "another item for a spent token");
    must_be(deposit(*link, me.id(), me.token("gone"), "gone"), status::ok, "what the owner has had and erased");
    const auto all = link->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
    must(std::get<relay::list_reply>(all).items.size() == 1, "an erased item is not there again");
    // The rest of a seed may be brought by whoever knows the locator, from where it is on.
    auto other = must_dial(s);
    must_be(status_of(other->info()), status::ok, "INFO");
    const auto is = other->ask<relay::seed_reply>(relay::seed_state_request{a_locator("cut")});
    must(std::holds_alternative<relay::seed_reply>(is) && std::get<relay::seed_reply>(is).have_bytes <= 20000, "SEED STATE after a restart");
    const auto have = std::get<relay::seed_reply>(is).have_bytes;
    must_be(status_of(put(*other, "cut", have + 1, 100, std::byte{2})), status::wrong_offset, "PUT behind the end");
    must_be(status_of(put(*other, "cut", have, 65536 - have, std::byte{2})), status::ok, "the rest");
    must_be(status_of(other->ask<relay::done_reply>(relay::seed_delete_request{a_locator("cut"), secret_of("cut")})), status::ok, "SEED DELETE");
    must_be(status_of(link->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

// ---------------------------------------------------------------- seeds
void seeds(const setting& s) {
    const owner me("seeds"), other("thief");
    auto link = own(s, me), thief = own(s, other);
    const auto token = me.token("seed");
    // Sizes of nothing and of everything. (0 and what is no size of a seed do not even decode.)
    for (const auto size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{16385}, std::uint64_t{1} << 63, ~std::uint64_t{0}})
        must_be(status_of(begin(*link, me.id(), token, "odd", size)), status::bad_request, "a size of " + std::to_string(size));
    must_be(status_of(begin(*link, me.id(), token, "large", relay::seed_bytes_max)), status::too_large, "2^48 bytes");
    must_be(status_of(begin(*link, me.id(), token, "one", 65536)), status::ok, "BEGIN");
    // Nobody reads what is not whole, nor behind the end.
    must_be(status_of(put(*link, "one", 0, 40000, std::byte{3})), status::ok, "PUT");
    must_be(status_of(get(*thief, "one", 0, 100)), status::not_found, "GET of half a seed");
    must_be(status_of(begin(*thief, other.id(), other.token("t"), "one", 65536)), status::bad_proof, "a locator of another slot");
    must_be(status_of(put(*thief, "one", 39999, 100, std::byte{4})), status::wrong_offset, "PUT over what is there");
    must_be(status_of(put(*thief, "one", 40000, 65536, std::byte{4})), status::too_large, "PUT beyond the size");
    must_be(status_of(put(*thief, "one", ~std::uint64_t{0} - 10, 100, std::byte{4})), status::bad_request, "PUT at the end of numbers");
    must_be(status_of(put(*thief, "none", 0, 100, std::byte{4})), status::not_found, "PUT of what nobody paid for");
    must_be(status_of(put(*link, "one", 40000, 25536, std::byte{3})), status::ok, "the rest");
    const auto tail = get(*thief, "one", 65530, 262144);
    must(std::holds_alternative<relay::seed_piece_reply>(tail) && std::get<relay::seed_piece_reply>(tail).data == bytes(6, std::byte{3}), "GET over the end");
    for (const auto offset : {std::uint64_t{65536}, std::uint64_t{65537}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        const auto piece = get(*thief, "one", offset, 262144);
        const auto* got = std::get_if<relay::seed_piece_reply>(&piece);
        must(status_of(piece) != raw_link::no_answer && (!got || got->data.empty()), "GET from " + std::to_string(offset));
    }
    must_be(status_of(get(*thief, "one", 0, 0)), status::bad_request, "GET of nothing");
    must_be(status_of(get(*thief, "one", 0, 262145)), status::bad_request, "GET of too much");
    // Deleted by who has the secret alone.
    must_be(status_of(thief->ask<relay::done_reply>(relay::seed_delete_request{a_locator("one"), secret_of("two")})), status::bad_proof, "a wrong secret");
    must_be(status_of(thief->ask<relay::done_reply>(relay::seed_delete_request{a_locator("none"), secret_of("none")})), status::not_found, "what was never here");
    must_be(status_of(get(*thief, "one", 0, 10)), status::ok, "it is still there");
    must_be(status_of(link->ask<relay::done_reply>(relay::seed_delete_request{a_locator("one"), secret_of("one")})), status::ok, "SEED DELETE");
    must_be(status_of(get(*thief, "one", 0, 10)), status::not_found, "GET of what was deleted");
    const auto late = put(*thief, "one", 0, 10, std::byte{1});   // told that it has gone, and nothing is taken
    const auto* is = std::get_if<relay::seed_reply>(&late);
    must(is && is->phase == relay::seed_phase::deleted, "PUT into what was deleted");
    must_be(status_of(get(*thief, "one", 0, 10)), status::not_found, "GET after it");
    // Two that bring the same seed: what one has brought is not written over by the other.
    must_be(status_of(begin(*link, me.id(), me.token("race"), "race", 262144)), status::ok, "BEGIN");
    const auto a = link->request("relay-seed/1", relay::encode(relay::request(relay::seed_put_request{a_locator("race"), 0, bytes(200000, std::byte{10})})));
    const auto b = thief->request("relay-seed/1", relay::encode(relay::request(relay::seed_put_request{a_locator("race"), 0, bytes(200000, std::byte{11})})));
    const auto first = link->answer(a), second = thief->answer(b);
    must(first && second && ((*first)[0] == std::byte{0}) != ((*second)[0] == std::byte{0}), "of two pieces for one place one is taken");
    const auto winner = (*first)[0] == std::byte{0} ? std::byte{10} : std::byte{11};
    must_be(status_of(put(*link, "race", 200000, 62144, winner)), status::ok, "the rest");
    const auto whole = get(*link, "race", 0, 262144);
    must(std::holds_alternative<relay::seed_piece_reply>(whole) && std::get<relay::seed_piece_reply>(whole).data == bytes(262144, winner), "one content");
    for (auto* one : {&me, &other}) must_be(status_of(own(s, *one)->ask<relay::done_reply>(relay::close_request{one->id()})), status::ok, "CLOSE");
}

// As many slots as are given out and as many bytes as are taken, by accounts without number from one address. ARGUMENT: slots.
void quota(const setting& s) {
    std::vector<owner> owners;
    for (std::size_t n = 0; n < s.number(0); ++n) owners.emplace_back("quota " + std::to_string(n));
    std::size_t opened = 0, refused = 0, taken = 0, full = 0;
    for (const auto& one : owners) {
        auto link = must_dial(s);
        const auto said = link->info();
        const auto is = one.open(*link, {}, 1, std::get<relay::info_reply>(said).open_bits);
        must(is == status::ok || is == status::relay_full, "OPEN: status " + std::to_string(static_cast<int>(is)));
        if (is == status::relay_full) {
            ++refused;
            continue;
        }
        ++opened;
        // Seeds that are only claimed, seeds that are brought, notifications.
        for (int n = 0; n < 12; ++n) {
            const auto name = "quota " + std::to_string(opened) + " " + std::to_string(n);
            const auto begun = status_of(begin(*link, one.id(), one.token(name), name, 1 << 20));
            must(begun == status::ok || begun == status::full || begun == status::relay_full, "BEGIN: status " + std::to_string(static_cast<int>(begun)));
            begun == status::ok ? ++taken : ++full;
            if (begun != status::ok) break;
            if (n % 2 == 0)
                for (int piece = 0; piece < 4; ++piece) must_be(status_of(put(*link, name, static_cast<std::uint64_t>(piece) << 18, 1 << 18, std::byte{5})), status::ok, "PUT");
        }
    }
    must(opened > 0 && refused > 0, "slots have an end: " + std::to_string(opened) + " opened, " + std::to_string(refused) + " refused");
    must(taken > 0 && full > 0, "room has an end");
    std::cout << "slots " << opened << " seeds " << taken << std::endl;
    peak();
    for (const auto& one : owners) {
        auto link = must_dial(s);
        must_be(status_of(link->info()), status::ok, "INFO");
        if (status_of(one.attach(*link)) == status::ok) must_be(status_of(link->ask<relay::done_reply>(relay::close_request{one.id()})), status::ok, "CLOSE");
    }
}

// Argon2id for the relay to check, wrong each time, from links without number. ARGUMENT: seconds.
void wrong_work(const setting& s) {
    const owner me("worked");
    auto mine = own(s, me);
    must_be(me.open(*mine, {}, 20), status::ok, "settings");
    const auto until = steady::now() + std::chrono::seconds(s.number(0));
    while (steady::now() < until) {
        std::vector<std::unique_ptr<raw_link>> links;
        for (int n = 0; n < 20; ++n)
            if (auto link = raw_link::dial(s.at, {.source = "127.0.0." + std::to_string(2 + n)})) links.push_back(std::move(link));
        for (auto& link : links)
            for (int n = 0; n < 20; ++n) {
                const relay::request r = relay::deposit_request{me.id(), relay::work_payment{static_cast<std::uint64_t>(n)}, an_item(std::to_string(n))};
                link->request("relay/1", relay::encode(r));
            }
        std::this_thread::sleep_for(500ms);
    }
    peak();
    must_be(status_of(own(s, me)->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

// Polls without pause. ARGUMENTS: links, seconds.
void storm(const setting& s) {
    const owner me("storm");
    std::vector<std::unique_ptr<raw_link>> links;
    for (std::size_t n = 0; n < s.number(0); ++n) links.push_back(own(s, me, {.source = "127.0.0." + std::to_string(2 + n)}));
    const auto until = steady::now() + std::chrono::seconds(s.number(1));
    const relay::request list = relay::list_request{me.id(), 0, 32};
    std::size_t polls = 0;
    while (steady::now() < until)
        for (auto& link : links) {
            std::uint32_t last = 0;
            for (int n = 0; n < 16; ++n) last = link->request("relay/1", relay::encode(list));
            must(link->answer(last).has_value(), "a poll of the storm was not answered");
            polls += 16;
        }
    std::cout << "polls " << polls << std::endl;
    peak();
    must_be(status_of(links[0]->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

// ---------------------------------------------------------------- circuits
// ARGUMENTS: circuits at a time, of one client.
void circuits(const setting& s) {
    const auto all = s.number(0), each = s.number(1);
    const auto reserve = [](raw_link& on, std::uint32_t ttl) { return status_of(on.ask<relay::reserve_reply>(relay::reserve_request{ttl})); };
    auto stranger = must_dial(s);
    must_be(status_of(stranger->info()), status::ok, "INFO");
    must_be(reserve(*stranger, 60), status::refused, "RESERVE of a stranger");
    must_be(reserve(*stranger, 0), status::bad_request, "a reservation of no time");
    must_be(reserve(*stranger, 3601), status::bad_request, "a reservation of more than an hour");
    must_be(reserve(*stranger, ~std::uint32_t{0}), status::bad_request, "a reservation for ever");
    must_be(status_of(stranger->ask<relay::connect_reply>(relay::connect_request{{}, true})), status::not_found, "a call to nobody");

    // Targets that take every call and never come; callers that never join.
    const owner me("called");
    std::vector<std::unique_ptr<raw_link>> targets;
    std::vector<relay::circuit_tag> tags;
    for (std::size_t n = 0; n < all; ++n) {
        targets.push_back(own(s, me));
        must_be(reserve(*targets.back(), 60), status::ok, "RESERVE");
        tags.push_back(relay::circuit_tag_of(targets.back()->account(), s.at.relay));
    }
    const auto call = [&](raw_link& caller, std::size_t to) {
        const auto stream = caller.request("relay/1", relay::encode(relay::request(relay::connect_request{tags[to], false})));
        targets[to]->answer(0, 200ms);   // INCOMING, if it comes
        const auto raw = caller.answer(stream);
        const auto said = raw ? relay::decode_reply<relay::connect_reply>(*raw) : result<relay::reply<relay::connect_reply>>(relay::errc::lost);
        return said ? *said : relay::reply<relay::connect_reply>(relay::refusal{raw_link::no_answer, 0});
    };
    auto caller = must_dial(s);
    must_be(status_of(caller->info()), status::ok, "INFO");
    for (std::size_t n = 0; n < each; ++n) must_be(status_of(call(*caller, n % all)), status::ok, "call " + std::to_string(n));
    must_be(status_of(call(*caller, 0)), status::busy, "more calls than one client may have");
    auto more = must_dial(s);
    must_be(status_of(more->info()), status::ok, "INFO");
    std::vector<std::unique_ptr<raw_link>> callers;
    std::size_t open = each;
    for (std::size_t n = 0; n < all * 2; ++n) {
        callers.push_back(must_dial(s));
        must_be(status_of(callers.back()->info()), status::ok, "INFO");
        const auto is = status_of(call(*callers.back(), n % all));
        must(is == status::ok || is == status::busy, "a call: status " + std::to_string(static_cast<int>(is)));
        open += is == status::ok;
    }
    must(open == all, "so many circuits are given out: " + std::to_string(open));
    // Wrong secrets, and the right one twice.
    std::this_thread::sleep_for(11s);
    const auto answer = call(*more, 0);
    must_be(status_of(answer), status::ok, "a call when the others' time was over");
    const auto& circuit = std::get<relay::connect_reply>(answer);
    const how pipe{.alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false};
    const auto join = [&](relay::circuit_side side, const relay::array16& secret) {
        auto link = must_dial(s, pipe);
        link->send(relay::encode(relay::circuit_join{circuit.circuit, side, secret}));
        return link;
    };
    must(join(relay::circuit_side::caller, {})->is_ended(), "a join with a wrong secret");
    must(join(relay::circuit_side::target, circuit.secret)->is_ended(), "a join of the other side's place");
    auto right = join(relay::circuit_side::caller, circuit.secret);
    must(!right->is_ended(500ms), "a right join waits");
    must(join(relay::circuit_side::caller, circuit.secret)->is_ended(), "a second join with the same secret");
    // Joins by the hundred that never say who they are.
    std::vector<std::unique_ptr<raw_link>> silent;
    for (int n = 0; n < 300; ++n)
        if (auto link = raw_link::dial(s.at, {.source = "127.0.0.11", .alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false}))
            silent.push_back(std::move(link));
    peak();
    must(right->is_ended(12s), "a join whose other side never comes ends");
    must_be(status_of(own(s, me)->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

// A pipe that is opened and held by two of its own, and what it takes is counted. ARGUMENT: bytes a circuit may have.
void pipe_limit(const setting& s) {
    const owner me("pipe");
    auto target = own(s, me);
    must_be(status_of(target->ask<relay::reserve_reply>(relay::reserve_request{60})), status::ok, "RESERVE");
    auto caller = must_dial(s);
    must_be(status_of(caller->info()), status::ok, "INFO");
    const auto tag = relay::circuit_tag_of(target->account(), s.at.relay);
    const auto stream = caller->request("relay/1", relay::encode(relay::request(relay::connect_request{tag, false})));
    target->answer(0, 2s);
    must(target->called.has_value(), "INCOMING");
    const auto raw = caller->answer(stream);
    const auto said = relay::decode_reply<relay::connect_reply>(raw.value_or(bytes()));
    must(said && std::holds_alternative<relay::connect_reply>(*said), "CONNECT");
    const auto& circuit = std::get<relay::connect_reply>(*said);
    const how odd{.alpn = "peerpost-circuit/1", .with_certificate = false, .says_hello = false};
    auto a = must_dial(s, odd), b = must_dial(s, odd);
    a->send(relay::encode(relay::circuit_join{circuit.circuit, relay::circuit_side::caller, circuit.secret}));
    b->send(relay::encode(relay::circuit_join{circuit.circuit, relay::circuit_side::target, target->called->secret}));
    std::size_t sent = 0;
    for (const auto until = steady::now() + 3s; steady::now() < until && sent < (64u << 20);) {
        if (!a->send(bytes(16384, std::byte{1}), 200ms)) break;   // nobody reads at the other end
        sent += 16384;
    }
    std::cout << "sent " << sent << std::endl;
    peak();
    must(sent < (16u << 20), "a pipe that nobody reads takes " + std::to_string(sent) + " bytes");
    must_be(status_of(own(s, me)->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

// ---------------------------------------------------------------- policies
// What a stranger may. ARGUMENT: off | self | contacts | invited
void policy(const setting& s) {
    const auto serve = s.arguments.at(0);
    const owner me("stranger");
    auto link = must_dial(s);
    const auto said = link->info();
    if (serve == "off") {
        must_be(status_of(said), status::refused, "INFO of no relay");
    } else {
        must_be(status_of(said), status::ok, "INFO");
        must(std::get<relay::info_reply>(said).open_bits == relay::work_closed, "no work opens a slot");
    }
    must_be(me.open(*link), status::refused, "OPEN without anything");
    must_be(me.open(*link, {}, relay::work_closed, std::uint8_t{1}), status::refused, "OPEN with work");
    relay::array16 guess{};
    crypto::random_bytes(guess);
    must_be(me.open(*link, guess), status::refused, "OPEN with a guessed invite");
    must_be(status_of(me.attach(*link)), serve == "off" ? status::refused : status::no_slot, "ATTACH without slot");
    must_be(deposit(*link, me.id(), me.token("x"), "x"), serve == "off" ? status::refused : status::no_slot, "DEPOSIT without slot");
    must_be(status_of(begin(*link, me.id(), me.token("x"), "x", 16384)), serve == "off" ? status::refused : status::no_slot, "SEED BEGIN without slot");
    must_be(status_of(link->ask<relay::reserve_reply>(relay::reserve_request{60})), status::refused, "RESERVE");
    must_be(status_of(link->ask<relay::connect_reply>(relay::connect_request{})), serve == "off" ? status::refused : status::not_found, "CONNECT");
    const owner invited("invited guest");
    const auto is = invited.open(*link, s.invite);
    must_be(is, serve == "invited" ? status::ok : status::refused, "OPEN with an invite");
    if (serve == "invited") {   // it is used up
        auto again = must_dial(s);
        must_be(status_of(again->info()), status::ok, "INFO");
        must_be(me.open(*again, s.invite), status::refused, "OPEN with a used invite");
    }
}

// Links that have proved a slot and wait for news. ARGUMENT: links. For measuring what one takes.
void watchers(const setting& s) {
    std::vector<std::unique_ptr<raw_link>> links;
    const owner me("watched");
    for (std::size_t n = 0; n < s.number(0); ++n) {
        links.push_back(own(s, me));
        const auto list = links.back()->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
        must_be(status_of(list), status::ok, "LIST");
        if (n % 32 == 31)
            for (auto& link : links) link->answer(0, 0ms);   // their PINGs
        if (n == 0) {   // what the first one costs is not of the others
            std::cout << "first" << std::endl;
            std::string line;
            std::getline(std::cin, line);
        }
    }
    peak();
    // They are all alive: one item is told to each of them.
    must_be(deposit(*links[0], me.id(), me.token("news"), "news"), status::ok, "DEPOSIT");
    for (auto& link : links) {
        if (link->news == 0) link->answer(0, 30s);
        must(link->news > 0, "a watcher was not told");
    }
    must_be(status_of(links[0]->ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

const std::map<std::string, void (*)(const setting&)> attacks{
    {"good", good_client}, {"frames", frames}, {"unfinished", unfinished}, {"slow_readers", slow_readers}, {"crowd", crowd},
    {"payment", payment}, {"replay", replay}, {"seeds", seeds}, {"quota", quota}, {"wrong_work", wrong_work}, {"storm", storm},
    {"circuits", circuits}, {"pipe_limit", pipe_limit}, {"policy", policy}, {"watchers", watchers},
};

}  // namespace

int main(int argc, char** argv) {
    const auto found = argc < 4 ? attacks.end() : attacks.find(argv[3]);
    if (found == attacks.end()) {
        std::cerr << "relay_attacker PORT LINK ATTACK [ARGUMENT ...]\n";
        return 2;
    }
    crypto::initialise();
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const auto link = relay::decode_link(argv[2]);
    must(link.has_value(), "the link");
    setting s{{static_cast<std::uint16_t>(std::stoul(argv[1])), link->relay}, link->invite, {argv + 4, argv + argc}};
    found->second(s);
    return 0;
}
