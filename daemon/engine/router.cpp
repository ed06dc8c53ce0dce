#include "daemon/engine/router.hpp"

#include "proto/mail/ascii.hpp"

namespace pp::engine {

namespace {

bool ends_in_suffix(std::string_view domain) {
    return domain.size() > peerpost_suffix.size() &&
           mail::ascii::equal_no_case(domain.substr(domain.size() - peerpost_suffix.size()), peerpost_suffix);
}

result<crypto::account_key> account_of(std::string_view domain) {
    return crypto::parse_account_label(domain.substr(0, domain.size() - peerpost_suffix.size()));
}

}  // namespace

route route_to(const mail::address& recipient, const std::set<crypto::account_key>& local_accounts) {
    const std::string_view domain = recipient.domain;
    const bool here = mail::ascii::equal_no_case(domain, "localhost");
    // RFC 5321 section 4.5.1: Postmaster is always somebody; here the owner of the node.
    if (here && mail::ascii::equal_no_case(recipient.local, "postmaster") && !local_accounts.empty())
        return to_local{*local_accounts.begin()};
    if (here)
        return smtp::reply{550, "5.1.1", "nobody reads mail to localhost; peerpost@localhost only tells you things"};
    if (!ends_in_suffix(domain))
        return smtp::reply{550, "5.1.2",
                           "no gateway is configured; peerpost can reach addresses that end in .peerpost.alt"};
    const auto account = account_of(domain);
    if (!account) {
        if (account.error() == crypto::make_error_code(crypto::errc::bad_checksum))
            return smtp::reply{550, "5.1.1",
                               "the address is mistyped: the part before .peerpost.alt fails its checksum"};
        return smtp::reply{
            550, "5.1.1",
            "the address is mistyped: 56 letters and digits (a-z, 2-7) belong between @ and .peerpost.alt"};
    }
    if (local_accounts.count(*account) > 0) return to_local{*account};
    return to_peer{*account};
}

bool belongs_to(std::string_view domain, const crypto::account_key& account) {
    if (!ends_in_suffix(domain)) return false;
    const auto named = account_of(domain);
    return named && *named == account;
}

}  // namespace pp::engine
