// What the machines of a relay's client ask of the daemon: a request over the link to the relay, and work.
#pragma once

#include "proto/relay/messages.hpp"
#include "proto/relay/work.hpp"
#include "proto/wire/dialogue.hpp"

namespace pp::relay {

struct noted {
    bool operator==(const noted&) const = default;
};
// One stream of the link to the relay; an error when link or stream ended before the reply.
struct ask_relay {
    using answer_type = result<bytes>;
    std::string_view protocol;          // control_protocol or seed_protocol
    bytes message;
};
struct solved {
    std::optional<std::uint64_t> solution;   // nullopt: not willing, or stopped
};
struct work_wanted {                    // solve(), on a thread that may take its time
    using answer_type = solved;
    work task;
};

inline ask_relay question_of(const request& r) {
    return {is_bulk(operation_of(r)) ? seed_protocol : control_protocol, encode(r)};
}

// How a walk of a client ended.
enum class ending : std::uint8_t {
    done,            // everything that was wanted
    refused,         // by the relay; the refusal says why
    unwilling,       // work would be needed and was not done
    lost,            // the link ended, or the relay talks nonsense: from the beginning on another link, nothing is lost
};

// A reply to what was asked; nullopt: lost.
template <class T>
std::optional<reply<T>> reply_in(const result<bytes>& answer) {
    if (!answer) return std::nullopt;
    auto decoded = decode_reply<T>(*answer);
    if (!decoded) return std::nullopt;
    return std::move(*decoded);
}

// The reply to the first question of a walk, info_request: what the relay is, or why the walk is refused. A relay that
// does not speak version 1 any more counts as refusing.
inline std::optional<reply<info_reply>> relay_met(const result<bytes>& answer) {
    auto met = reply_in<info_reply>(answer);
    const auto* relay = met ? std::get_if<info_reply>(&*met) : nullptr;
    if (relay && relay->version_min > 1) return reply<info_reply>(refusal{status::refused, 0});
    return met;
}

}  // namespace pp::relay
