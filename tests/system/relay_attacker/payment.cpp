// Tokens, work and signatures that do not fit, or that fit a second time (proto/relay/SPEC.md).
#include "tests/system/relay_attacker/attacks.hpp"

namespace pp::attack {

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
    must_be(status_of(begin(*link, me.id(), me.token("once"), "paid one", 16384)), status::ok,
            "a seed for the same token");
    must_be(status_of(begin(*link, me.id(), me.token("once"), "paid two", 16384)), status::token_spent,
            "a second seed for the same token");
    must_be(deposit(*link, other.id(), me.token("once"), "one"), status::work_needed, "the same at another slot");
    const auto all = link->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32});
    must(std::get<relay::list_reply>(all).items.size() == 1, "one item lies there");
    // Who guesses is stopped, and another link is not.
    auto guesser = introduced(s);
    for (std::uint32_t n = 0; n < relay::failed_proofs_max; ++n)
        must_be(deposit(*guesser, me.id(), wrong, "x"), status::work_needed, "a guess");
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
    const auto fits = [&](raw_link& on, std::string_view text) {
        return deposit(on, me.id(), relay::work_payment{solution}, text) == status::ok;
    };
    must(!(fits(*link, "w1") && fits(*link, "w2") && fits(*link, "w3") && fits(*link, "w4")), "work for another item");
    auto second = introduced(s);
    std::size_t replayed = 0;
    for (int n = 0; n < 4; ++n)
        replayed += deposit(*second, me.id(), relay::work_payment{solution + static_cast<std::uint64_t>(n)},
                            "worked elsewhere") == status::ok;
    must(replayed < 4, "work of another link");
    // A signature is of its link and slot.
    relay::attach_request attach{me.slot(), {}};
    attach.sig = me.key.sign(relay::signed_part(attach, s.at.relay, link->nonce));
    must_be(status_of(second->ask<relay::attach_reply>(attach)), status::bad_proof, "ATTACH of another link");
    must_be(status_of(second->ask<relay::list_reply>(relay::list_request{me.id(), 0, 32})), status::not_attached,
            "LIST without ATTACH");
    must_be(status_of(second->ask<relay::done_reply>(relay::erase_request{me.id(), {1, 2}})), status::not_attached,
            "ERASE without ATTACH");
    must_be(status_of(second->ask<relay::done_reply>(relay::close_request{me.id()})), status::not_attached,
            "CLOSE without ATTACH");
    must_be(status_of(link->ask<relay::list_reply>(relay::list_request{other.id(), 0, 32})), status::not_attached,
            "LIST of another's slot");
    must_be(status_of(link->ask<relay::done_reply>(relay::erase_request{me.id(), {77, ~std::uint64_t{0}}})), status::ok,
            "ERASE of what is not there");
    const auto after = link->ask<relay::list_reply>(relay::list_request{me.id(), ~std::uint64_t{0}, 32});
    must(std::get<relay::list_reply>(after).items.empty(), "LIST after 2^64-1");
    // Eight slots on a link.
    for (int n = 1; n < 9; ++n) {
        const owner one("many " + std::to_string(n));
        auto opening = own(s, one);
        const auto is = status_of(one.attach(*link));
        must_be(is, n < 8 ? status::ok : status::busy, "ATTACH number " + std::to_string(n + 1));
        must_close(*opening, one);
    }
    must_close(*link, me);
    auto last = own(s, other);
    must_close(*last, other);
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
    auto other = introduced(s);
    const auto is = other->ask<relay::seed_reply>(relay::seed_state_request{a_locator("cut")});
    must(std::holds_alternative<relay::seed_reply>(is) && std::get<relay::seed_reply>(is).have_bytes <= 20000,
         "SEED STATE after a restart");
    const auto have = std::get<relay::seed_reply>(is).have_bytes;
    must_be(status_of(put(*other, "cut", have + 1, 100, std::byte{2})), status::wrong_offset, "PUT behind the end");
    must_be(status_of(put(*other, "cut", have, 65536 - have, std::byte{2})), status::ok, "the rest");
    must_be(status_of(other->ask<relay::done_reply>(relay::seed_delete_request{a_locator("cut"), secret_of("cut")})),
            status::ok, "SEED DELETE");
    must_close(*link, me);
}

}  // namespace pp::attack
