// Fetches a seed from a relay, from where the last try ended. What comes is unmasked and cut to header | ciphertext;
// that it is the blob that was named is for the daemon to check, chunk by chunk or at the end: a relay may send
// anything. Deleting comes later, after the mail is durable: seed_delete_request.
#pragma once

#include "proto/relay/client_events.hpp"

namespace pp::relay {

struct go_on {
    bool yes = false;
};
struct seed_came {
    using answer_type = go_on;          // no: it was not kept (no room, or not what was named)
    std::uint64_t offset = 0;
    bytes content;
};
struct fetch_over {
    using answer_type = noted;
    ending how = ending::lost;          // unwilling: the daemon said no
    refusal why;                        // not_found: try elsewhere
    std::uint64_t have_bytes = 0;
};

struct fetch_options {
    seed_secrets secrets;
    std::uint64_t content_bytes = 0;    // header and ciphertext, as the notification says
    std::uint64_t have_bytes = 0;       // from an earlier try
};

class seed_fetch : public wire::dialogue<std::variant<ask_relay, seed_came, fetch_over>,
                                         std::variant<result<bytes>, go_on, noted>> {
public:
    explicit seed_fetch(fetch_options options) : o_(std::move(options)) {}

private:
    wire::task<> converse() override;
    wire::task<> walk();

    fetch_options o_;
    fetch_over over_;
};

}  // namespace pp::relay
