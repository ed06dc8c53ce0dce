// The two ends of fetching a mail over a link, drive/1 (proto/peer/SPEC.md, "Fetch"): asking for range after range, and
// answering for one. The receiver decides who fetches and who may; tests/bench/drive_load.cpp measures these.
#pragma once

#include "daemon/net/incoming_blob.hpp"
#include "daemon/net/peer_link.hpp"

#include <functional>

namespace pp::net {

// What may end a fetch with an error; what has come by then stays for the next try.
struct fetch_terms {
    std::function<result<void>(std::uint64_t)> may_keep;     // before so many bytes are kept
    std::function<result<void>()> may_go_on;                 // before each range but the first
    std::uint32_t first_range = peer::fetch_chunks_max;      // as engine::fetch_plan
};
// Asks until every chunk is here and verified, and then knows the header. errc::not_found: the other side does not have
// it; peer::errc::withdrawn: it was given up; peer::errc::bad_proof: what came is not the mail.
awaitable<result<void>> fetch_blob(std::shared_ptr<peer_link> link, std::shared_ptr<const peer::notification> note,
                                   std::shared_ptr<incoming_blob> into, fetch_terms terms);

// The answer to a request for chunks this blob has; nullopt when the request begins behind its end.
result<std::optional<peer::fetch_reply>> range_of(storage::cipher_reader& reader, const peer::fetch_request& request);

}  // namespace pp::net
