// What accounts tell each other beside mail, over links (proto/peer/SPEC.md, "Letter").
#include "daemon/net/courier.hpp"

#include "daemon/engine/contacts.hpp"
#include "daemon/net/await.hpp"
#include "daemon/services/correspondents.hpp"
#include "daemon/services/log.hpp"
#include "proto/peer/letter.hpp"
#include "storage/txn.hpp"

namespace pp::net {

// Who is linked now learns of a new record now; all others with their next HELLO, and of another way to us by letter.
void courier::record_changed(const std::string& label) {
    auto* mine = node_.find_account(label);
    if (!mine || stopping_) return;
    auto& d = desk_of(*mine);
    learn_whom_to_tell(d);
    poke(d);
    for (auto& link : links_.of(mine->key())) {
        asio::co_spawn(io_, tell_record(*mine, link), asio::detached);
        asio::co_spawn(io_, hand_tokens(*mine, link), asio::detached);
    }
}

awaitable<bool> courier::tell(std::shared_ptr<peer_link> link, peer::letter what) {
    auto message = peer::encode(what);
    const auto heard = co_await link->ask(peer::letter_protocol, std::move(message));
    co_return heard.has_value();
}

awaitable<bytes> courier::letter_came(services::account& mine, std::shared_ptr<peer_link> link, bytes message) {
    const auto came = peer::decode_letter(message);
    if (!came) co_return bytes{};
    for (const auto& record : came->records) links_.learn_record(mine, link->theirs, record);
    for (const auto& refusal : came->refusals) {
        auto what = refusal;
        const bool booked = co_await refusal_told(mine, link->theirs, std::move(what));
        (void)booked;   // with the next notification it is said again
    }
    if (came->grants.empty() && came->ways.empty()) co_return bytes{};
    auto written = commit(node_, mine, [theirs = link->theirs, told = *came](storage::write_txn& txn) {
        return services::learn_from(txn, theirs, told, services::now_s(), services::now_s());
    });
    const auto r = co_await std::move(written);
    if (!r)
        services::log(services::area::peer)
            .warn("event=letter_not_kept reason={}", services::field(r.error().message()));
    co_return bytes{};
}

}  // namespace pp::net
