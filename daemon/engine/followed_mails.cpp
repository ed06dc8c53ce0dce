#include "daemon/engine/followed_mails.hpp"

#include "daemon/engine/requests.hpp"
#include "proto/wire/byte_reader.hpp"
#include "proto/wire/byte_writer.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

constexpr std::uint8_t followed_version = 1;

// Where mail of this person belongs.
place waits_in(const std::optional<storage::contact>& c) {
    if (!c) return place::requests;
    if (c->blocked) return place::junk;
    return c->accepted && c->removed_at == 0 ? place::other : place::requests;
}

}  // namespace

follow follow_of(const std::optional<storage::contact>& before, const storage::contact& after) {
    const auto from = waits_in(before), to = waits_in(after);
    if (from == to) return follow::none;
    if (to == place::other) return follow::to_inbox;
    if (to == place::junk) return follow::to_junk;
    return after.removed_at == 0 ? follow::back : follow::none;
}

bytes encode_followed(const std::vector<followed_mails>& all) {
    const auto count = std::min(all.size(), followed_kept_max);
    wire::byte_writer out;
    out.u8(followed_version);
    for (auto i = all.size() - count; i < all.size(); ++i)
        out.fixed(all[i].sender).u64(all[i].box).u32(all[i].first_uid).u32(all[i].last_uid);
    return out.take();
}

std::vector<followed_mails> decode_followed(bytes_view kept) {
    wire::byte_reader in(kept);
    if (in.u8() != followed_version) return {};
    std::vector<followed_mails> all;
    while (in.left() > 0 && all.size() < followed_kept_max) {
        followed_mails one;
        one.sender = in.fixed<crypto::account_key>();
        one.box = in.u64();
        one.first_uid = in.u32();
        one.last_uid = in.u32();
        all.push_back(one);
    }
    return in.complete() ? all : std::vector<followed_mails>();
}

}  // namespace pp::engine
