// A client of a node that keeps no rule it does not choose to: one blocking TLS connection, frames as they are wanted,
// and what is needed to be honest now and then (proto/peer/SPEC.md, proto/relay/SPEC.md). For
// tests/system/relay_attacker and hostile_contact. One thread.
#pragma once

#include "proto/peer/frame.hpp"
#include "proto/peer/messages.hpp"
#include "proto/relay/messages.hpp"
#include "proto/relay/work.hpp"

#include <openssl/ssl.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pp::attack {

using steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Where the relay is, and who.
struct target {
    std::uint16_t port = 0;
    crypto::account_key relay;
};

// What is odd about a link.
struct how {
    std::string source = "127.0.0.1";            // our end: loopback has many addresses
    std::string alpn = "peerpost/1";
    bool with_certificate = true;
    bool says_hello = true;
    bool named_device = true;                    // the record names the device, as that of a node does
    int receive_buffer_bytes = 0;                // 0: as the system likes
    std::string account;                         // a name: the same account in every process; empty: a new one
};

crypto::signing_key account_named(std::string_view name);

struct told {                                    // a frame of the relay
    std::uint8_t type = 0;
    std::uint32_t stream = 0;
    bytes payload;
    peer::frame_type kind() const { return static_cast<peer::frame_type>(type); }
};

class raw_link {
public:
    // Null when there is no connection, or the handshake or HELLO failed.
    static std::unique_ptr<raw_link> dial(const target& at, const how& odd = {});
    ~raw_link();
    raw_link(const raw_link&) = delete;

    // False when the connection is over. Blocks while the relay does not read; with a limit it gives up then.
    bool send(bytes_view raw, milliseconds limit = std::chrono::seconds(10));
    // What the relay says next; nothing when it is silent for so long, or the connection is over (see over()).
    std::optional<told> read(milliseconds limit = std::chrono::seconds(5));
    bool over() const { return over_; }
    // True when the relay ends the connection in time, whatever it says before.
    bool is_ended(milliseconds limit = std::chrono::seconds(5));

    // A stream of ours: its number. Whole requests are asked with request().
    std::uint32_t open(std::string_view protocol);
    bool data(std::uint32_t stream, bytes_view content);
    bool fin(std::uint32_t stream);
    std::uint32_t request(std::string_view protocol, bytes_view message);

    // The answer on a stream. Nothing when it was reset (was_reset), or none came in time, or the connection is over.
    std::optional<bytes> answer(std::uint32_t stream, milliseconds limit = std::chrono::seconds(15));
    std::optional<peer::end_code> was_reset;     // of the last answer()
    // A request of the relay's protocol and its answer; busy when there is none at all.
    template <class T>
    relay::reply<T> ask(const relay::request& what) {
        const auto message = relay::encode(what);
        const auto raw = answer(request(
            relay::is_bulk(relay::operation_of(what)) ? relay::seed_protocol : relay::control_protocol, message));
        if (!raw) return relay::refusal{no_answer, 0};
        const auto decoded = relay::decode_reply<T>(*raw);
        return decoded ? *decoded : relay::refusal{no_answer, 0};
    }
    static constexpr auto no_answer = static_cast<relay::status>(255);

    // The first request of a link; remembers the nonce.
    relay::reply<relay::info_reply> info(const relay::slot_id& slot = {});
    relay::array16 nonce{};

    std::optional<relay::incoming_request> called;
    std::size_t news = 0;
    const target at;
    const crypto::account_key& account() const { return certificate_.account; }
    const peer::device_certificate& certificate() const { return certificate_; }   // of a device made for this link
    // What the other side asks beside a relay's calls: the answer to (protocol, message). None: it gets no answer.
    std::function<bytes(std::string_view, bytes_view)> answers;

private:
    raw_link(const target& t) : at(t) {}
    bool connect(const how& odd);
    bool greet(const how& odd);
    bool wait(short events, steady::time_point until) const;
    void take_push(std::uint32_t stream, bytes_view message);

    std::optional<crypto::signing_key> device_;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
    int socket_ = -1;
    bool over_ = false;
    peer::device_certificate certificate_;
    bytes in_;
    std::uint32_t next_ = 1;
    std::map<std::uint32_t, bytes> pushes_;
    std::map<std::uint32_t, std::string> protocols_;   // of the streams of the other side
};

// A slot of ours at the relay. The same name is the same slot, also for another process.
struct owner {
    explicit owner(std::string_view name);
    crypto::signing_key key;
    relay::token_key tokens;
    relay::slot_key slot() const { return *relay::slot_key::from(key.public_key()); }
    relay::slot_id id() const { return relay::slot_id_of(slot()); }
    relay::delivery_token token(std::string_view serial, int weeks_ahead = 1) const;

    // Does the work when the link's relay asks for `bits` of it.
    relay::status open(raw_link& on, const relay::array16& invite = {}, std::uint8_t stranger_bits = relay::work_closed,
                       std::optional<std::uint8_t> bits = {}) const;
    relay::reply<relay::attach_reply> attach(raw_link& on) const;
};

bytes an_item(std::string_view text);            // of the right size
relay::locator a_locator(std::string_view text);
template <class T>
relay::status status_of(const relay::reply<T>& r) {
    const auto* no = std::get_if<relay::refusal>(&r);
    return no ? no->why : relay::status::ok;
}

}  // namespace pp::attack
