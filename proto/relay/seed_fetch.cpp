#include "proto/relay/seed_fetch.hpp"

#include <algorithm>

namespace pp::relay {

wire::task<> seed_fetch::converse() {
    over_.have_bytes = o_.have_bytes;
    co_await walk();
    fetch_over last = over_;
    co_await ask(std::move(last));
}

wire::task<> seed_fetch::walk() {
    const auto size = seed_bytes(o_.content_bytes);
    while (over_.have_bytes < o_.content_bytes) {
        const auto at = over_.have_bytes;
        const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>(piece_bytes_max, o_.content_bytes - at));
        const request get = seed_get_request{o_.secrets.where, at, n};
        auto question = question_of(get);
        const auto answer = co_await ask(std::move(question));
        auto reply = reply_in<seed_piece_reply>(answer);
        if (!reply) co_return;
        if (const auto* no = std::get_if<refusal>(&*reply)) {
            over_.how = ending::refused;
            over_.why = *no;
            co_return;
        }
        auto& piece = std::get<seed_piece_reply>(*reply);
        // Something else. Nor less than was asked for: a byte at a time would take a relay as long as it likes.
        if (piece.size_bytes != size || piece.data.size() != n) co_return;
        crypto::mask_stream(o_.secrets.mask, at, piece.data);
        const auto came = piece.data.size();
        seed_came content{at, std::move(piece.data)};
        const auto next = co_await ask(std::move(content));
        if (!next.yes) {
            over_.how = ending::unwilling;
            co_return;
        }
        over_.have_bytes += came;
    }
    over_.how = ending::done;
}

}  // namespace pp::relay
