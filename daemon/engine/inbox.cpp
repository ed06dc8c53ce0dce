#include "daemon/engine/inbox.hpp"

#include "crypto/blob_cipher.hpp"

#include <algorithm>

namespace pp::engine {
namespace {

inbox_decision refuse(std::string reason) { return {inbox_action::refuse, {}, std::move(reason)}; }
inbox_decision later(std::string reason) { return {inbox_action::try_later, {}, std::move(reason)}; }

std::string too_large(std::uint64_t limit, std::string_view from) {
    return "the mail is larger than the " + std::to_string(limit >> 20) + " MiB that are taken here" +
           std::string(from);
}

// A size no mail has: also keeps the padding's arithmetic away from overflow.
constexpr std::uint64_t plain_bytes_absurd = std::uint64_t(1) << 48;

bool sizes_fit(const peer::notification& n) {
    return n.plain_bytes < plain_bytes_absurd &&
           n.cipher_bytes == crypto::cipher_bytes(crypto::padded_bytes(n.plain_bytes));
}

}  // namespace

bool is_notified_blob(const peer::notification& n, bytes_view ride_along) {
    if (ride_along.size() <= crypto::blob_header_bytes) return false;
    const auto cipher = ride_along.subspan(crypto::blob_header_bytes);
    if (cipher.size() != n.cipher_bytes || cipher.size() > crypto::chunk_cipher_bytes) return false;
    crypto::blob_header header;
    std::copy_n(ride_along.begin(), header.size(), header.begin());
    return crypto::make_blob_id(header, cipher.size(), crypto::merkle::leaf_hash(cipher)) == n.blob;
}

inbox_decision decide_by_policy(const inbox_facts& facts, std::uint64_t plain_bytes) {
    if (facts.sender && facts.sender->blocked) return refuse("the recipient takes no mail from this account");
    if (plain_bytes > facts.mail_bytes_max) return refuse(too_large(facts.mail_bytes_max, ""));
    const bool known = facts.sender && facts.sender->accepted;
    if (!known && plain_bytes > request_bytes_max) return refuse(too_large(request_bytes_max, " from strangers"));
    if (!known && !facts.room_for_requests)
        return later("the recipient's mailbox for mail of strangers is full; ask for an invite, or wait");
    return {inbox_action::store, known ? inbox_name : requests_name, {}};
}

inbox_decision decide(const peer::notification& n, bytes_view ride_along, const inbox_facts& facts, peer::unix_s now) {
    if (n.recipient != facts.me) return refuse("this account does not live here");
    if (n.device.account != n.sender || (facts.link_account && *facts.link_account != n.sender))
        return refuse("the mail is not from the account that brings it");
    // Before policy: the sender must learn that it has arrived, or it would repeat for days.
    if (facts.seen) return {inbox_action::receipt_again, {}, {}};
    if (!peer::verify(n.device, now)) return refuse("the certificate of the sending device is not valid");
    if (facts.sender && facts.sender->blocked) return refuse("the recipient takes no mail from this account");
    if (n.submitted_at > now + submitted_ahead_s_max || n.submitted_at < now - submitted_ago_s_max)
        return later("the date of the mail and the recipient's clock are too far apart");
    if (!sizes_fit(n)) return refuse("the sizes in the notification do not fit each other");
    auto decision = decide_by_policy(facts, n.plain_bytes);
    // A wrong ride-along is no reason to refuse: the blob itself is fetched and checked.
    if (decision.action == inbox_action::store && !is_notified_blob(n, ride_along))
        decision.action = inbox_action::fetch;
    if (decision.action == inbox_action::fetch && facts.announced >= announced_by_one_max)
        return later("as many of your mails as are remembered here are still to be fetched");
    return decision;
}

}  // namespace pp::engine
