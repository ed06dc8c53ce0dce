// Seeds of odd sizes, at odd places and of other people.
#include "tests/system/relay_attacker/attacks.hpp"

namespace pp::attack {

void seeds(const setting& s) {
    const owner me("seeds"), other("thief");
    auto link = own(s, me), thief = own(s, other);
    const auto token = me.token("seed");
    // Sizes of nothing and of everything. (0 and what is no size of a seed do not even decode.)
    for (const auto size :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{16385}, std::uint64_t{1} << 63, ~std::uint64_t{0}})
        must_be(status_of(begin(*link, me.id(), token, "odd", size)), status::bad_request,
                "a size of " + std::to_string(size));
    must_be(status_of(begin(*link, me.id(), token, "large", relay::seed_bytes_max)), status::too_large, "2^48 bytes");
    must_be(status_of(begin(*link, me.id(), token, "one", 65536)), status::ok, "BEGIN");
    // Nobody reads what is not whole, nor behind the end.
    must_be(status_of(put(*link, "one", 0, 40000, std::byte{3})), status::ok, "PUT");
    must_be(status_of(get(*thief, "one", 0, 100)), status::not_found, "GET of half a seed");
    must_be(status_of(begin(*thief, other.id(), other.token("t"), "one", 65536)), status::bad_proof,
            "a locator of another slot");
    must_be(status_of(put(*thief, "one", 39999, 100, std::byte{4})), status::wrong_offset, "PUT over what is there");
    must_be(status_of(put(*thief, "one", 40000, 65536, std::byte{4})), status::too_large, "PUT beyond the size");
    must_be(status_of(put(*thief, "one", ~std::uint64_t{0} - 10, 100, std::byte{4})), status::bad_request,
            "PUT at the end of numbers");
    must_be(status_of(put(*thief, "none", 0, 100, std::byte{4})), status::not_found, "PUT of what nobody paid for");
    must_be(status_of(put(*link, "one", 40000, 25536, std::byte{3})), status::ok, "the rest");
    const auto tail = get(*thief, "one", 65530, 262144);
    must(std::holds_alternative<relay::seed_piece_reply>(tail) &&
             std::get<relay::seed_piece_reply>(tail).data == bytes(6, std::byte{3}),
         "GET over the end");
    for (const auto offset : {std::uint64_t{65536}, std::uint64_t{65537}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
        const auto piece = get(*thief, "one", offset, 262144);
        const auto* got = std::get_if<relay::seed_piece_reply>(&piece);
        must(status_of(piece) != raw_link::no_answer && (!got || got->data.empty()),
             "GET from " + std::to_string(offset));
    }
    must_be(status_of(get(*thief, "one", 0, 0)), status::bad_request, "GET of nothing");
    must_be(status_of(get(*thief, "one", 0, 262145)), status::bad_request, "GET of too much");
    // Deleted by who has the secret alone.
    must_be(status_of(thief->ask<relay::done_reply>(relay::seed_delete_request{a_locator("one"), secret_of("two")})),
            status::bad_proof, "a wrong secret");
    must_be(status_of(thief->ask<relay::done_reply>(relay::seed_delete_request{a_locator("none"), secret_of("none")})),
            status::not_found, "what was never here");
    must_be(status_of(get(*thief, "one", 0, 10)), status::ok, "it is still there");
    must_be(status_of(link->ask<relay::done_reply>(relay::seed_delete_request{a_locator("one"), secret_of("one")})),
            status::ok, "SEED DELETE");
    must_be(status_of(get(*thief, "one", 0, 10)), status::not_found, "GET of what was deleted");
    const auto late = put(*thief, "one", 0, 10, std::byte{1});   // told that it has gone, and nothing is taken
    const auto* is = std::get_if<relay::seed_reply>(&late);
    must(is && is->phase == relay::seed_phase::deleted, "PUT into what was deleted");
    must_be(status_of(get(*thief, "one", 0, 10)), status::not_found, "GET after it");
    // Two that bring the same seed: what one has brought is not written over by the other.
    must_be(status_of(begin(*link, me.id(), me.token("race"), "race", 262144)), status::ok, "BEGIN");
    const auto a = link->request(
        "relay-seed/1",
        relay::encode(relay::request(relay::seed_put_request{a_locator("race"), 0, bytes(200000, std::byte{10})})));
    const auto b = thief->request(
        "relay-seed/1",
        relay::encode(relay::request(relay::seed_put_request{a_locator("race"), 0, bytes(200000, std::byte{11})})));
    const auto first = link->answer(a), second = thief->answer(b);
    must(first && second && ((*first)[0] == std::byte{0}) != ((*second)[0] == std::byte{0}),
         "of two pieces for one place one is taken");
    const auto winner = (*first)[0] == std::byte{0} ? std::byte{10} : std::byte{11};
    must_be(status_of(put(*link, "race", 200000, 62144, winner)), status::ok, "the rest");
    const auto whole = get(*link, "race", 0, 262144);
    must(std::holds_alternative<relay::seed_piece_reply>(whole) &&
             std::get<relay::seed_piece_reply>(whole).data == bytes(262144, winner),
         "one content");
    for (auto* one : {&me, &other}) must_close(*own(s, *one), *one);
}

}  // namespace pp::attack
