// What the user wants of the people in the list of contacts, and what is found out about them (01-product 1.3, 1.6):
// accepting, blocking, removing, verifying, two keys under one name. Pure: values in, values out.
#pragma once

#include "storage/records.hpp"

#include <optional>
#include <string>
#include <span>
#include <string_view>
#include <vector>

namespace pp::engine {

// A removed contact can be taken back for so long; then what is known of it goes.
inline constexpr storage::unix_ms removed_kept_ms = storage::unix_ms(30) * 24 * 60 * 60 * 1000;
// A record older than the one known by more than this is told of: not the order in which two links came up.
inline constexpr std::uint64_t old_record_ms = 60 * 60 * 1000;

enum class wish : std::uint8_t {
    accept,            // as a contact; lifts a block, takes back a removal
    block,             // nothing more from this account
    unblock,           // as before the block: accepted or not
    remove,            // no contact any more, a stranger from now on; keeps what is known for removed_kept_ms
    take_back,         // a removal
    verify,            // the two have compared their keys
};
// The contact afterwards; nullopt: nothing changes. A blocked contact is not removed: that would let it write again.
std::optional<storage::contact> wished(const storage::contact& c, wish what, storage::unix_ms now);

// Nothing comes from here, nothing is sought there: blocked or removed.
inline bool is_out(const storage::contact& c) { return c.blocked || c.removed_at != 0; }
bool removed_long_ago(const storage::contact& c, storage::unix_ms now);
// A stranger who was a contact once has written again: a request like others, of somebody whose key is known.
storage::contact as_request_again(storage::contact c);

// Those that are meant by a name, an address, a label or the beginning of one (at least label_prefix_min characters).
inline constexpr std::size_t label_prefix_min = 4;
std::vector<storage::contact> named(std::span<const storage::contact> all, std::string_view who);

// What an account of this name puts before the @: its letters, digits, dots, dashes and underscores, as ASCII. May be
// empty.
std::string local_part_of(std::string_view name);
// The address to show: with the local part that the person's own node shows, made of the name she has announced in her
// record or card; "mail" when there is none. Whatever stands there, the mail reaches her.
std::string shown_address(const storage::contact& c);

// A contact the user has accepted under the same name (without regard to case,
// RFC 5051) with another key; nullptr: none.
const storage::contact* same_name_other_key(const storage::contact& c, std::span<const storage::contact> all);

}  // namespace pp::engine
