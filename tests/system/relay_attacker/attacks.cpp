// What the attacks share: see attacks.hpp.
#include "tests/system/relay_attacker/attacks.hpp"

#include <cstdlib>
#include <iostream>

namespace pp::attack {

void must(bool good, const std::string& what) {
    if (good) return;
    std::cerr << "not as it should be: " << what << std::endl;
    std::_Exit(1);
}

void must_be(status is, status should, const std::string& what) {
    must(is == should, what + ": status " + std::to_string(static_cast<int>(is)) + ", not " +
                           std::to_string(static_cast<int>(should)));
}

void peak() {
    std::cout << "peak" << std::endl;
    std::string line;
    std::getline(std::cin, line);
}

std::unique_ptr<raw_link> must_dial(const setting& s, const how& odd) {
    auto link = raw_link::dial(s.at, odd);
    must(link != nullptr, "a link from " + odd.source + " was not taken");
    return link;
}

std::unique_ptr<raw_link> introduced(const setting& s) {
    auto link = must_dial(s);
    must_be(status_of(link->info()), status::ok, "INFO");
    return link;
}

std::unique_ptr<raw_link> own(const setting& s, const owner& me, const how& odd) {
    auto link = must_dial(s, odd);
    const auto said = link->info(me.id());
    must_be(status_of(said), status::ok, "INFO");
    if (status_of(me.attach(*link)) == status::no_slot) {
        const auto bits = std::get<relay::info_reply>(said).open_bits;
        must_be(me.open(*link, {}, relay::work_closed, bits == relay::work_closed ? std::nullopt : std::optional(bits)),
                status::ok, "OPEN");
        must_be(status_of(me.attach(*link)), status::ok, "ATTACH");
    }
    return link;
}

void must_close(raw_link& on, const owner& me) {
    must_be(status_of(on.ask<relay::done_reply>(relay::close_request{me.id()})), status::ok, "CLOSE");
}

status deposit(raw_link& on, const relay::slot_id& slot, const relay::payment& paid, std::string_view item) {
    return status_of(on.ask<relay::deposit_reply>(relay::deposit_request{slot, paid, an_item(item)}));
}

relay::deletion_secret secret_of(std::string_view name) {
    relay::deletion_secret out;
    out.data = crypto::sha256(as_bytes(std::string(name) + " deletion")).data;
    return out;
}

relay::reply<relay::seed_reply> begin(raw_link& on, const relay::slot_id& slot, const relay::payment& paid,
                                      std::string_view name, std::uint64_t size) {
    return on.ask<relay::seed_reply>(
        relay::seed_begin_request{slot, paid, a_locator(name), size, relay::deletion_hash(secret_of(name))});
}

relay::reply<relay::seed_reply> put(raw_link& on, std::string_view name, std::uint64_t offset, std::size_t n,
                                    std::byte fill) {
    return on.ask<relay::seed_reply>(relay::seed_put_request{a_locator(name), offset, bytes(n, fill)});
}

relay::reply<relay::seed_piece_reply> get(raw_link& on, std::string_view name, std::uint64_t offset, std::uint32_t n) {
    return on.ask<relay::seed_piece_reply>(relay::seed_get_request{a_locator(name), offset, n});
}

}  // namespace pp::attack
