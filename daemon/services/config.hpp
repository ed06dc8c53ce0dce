// The configuration: one TOML file, every key optional, unknown keys are errors with their line (01-product 1.6, 1.7).
// Each key has its default and one sentence in config.cpp; `peerpost config --explain` prints that table.
#pragma once

#include "daemon/engine/delivery_times.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace pp::services {

enum class tls_mode : std::uint8_t { implicit, starttls, none };
std::string_view to_string(tls_mode mode);

struct listen_address {
    std::string address;             // an IP address
    std::uint16_t port = 0;          // 0: the system chooses, `status` tells
    tls_mode tls = tls_mode::implicit;
    bool operator==(const listen_address&) const = default;
};

// Which network of BitTorrent's DHT: none, one of our own (any addresses, own bootstrap nodes), the public one.
// by_home: mainline in a home whose `init` has said so, off in one from before that (node::dht_mode()).
enum class dht_mode : std::uint8_t { off, closed, mainline, by_home };
// What of an account stands there: its relays and where its devices are; its relays only; nothing.
enum class dht_publish : std::uint8_t { full, relay_only, off };
std::string_view to_string(dht_publish what);

enum class sent_rule : std::uint8_t { automatic, client, server };   // 01-product 1.4

enum class relay_rule : std::uint8_t { off, self, contacts, invited, open };   // proto/relay/SPEC.md, "INFO"
std::string_view to_string(relay_rule rule);

struct config {
    struct {
        std::vector<listen_address> listen{{"127.0.0.1", 1993, tls_mode::implicit}, {"::1", 1993, tls_mode::implicit}};
        std::uint32_t connections_max = 512;
        std::uint32_t unauthenticated_max = 64;
    } imap;
    struct {
        std::vector<listen_address> listen{{"127.0.0.1", 1465, tls_mode::implicit}, {"::1", 1465, tls_mode::implicit}};
        std::uint32_t connections_max = 128;
    } smtp;
    struct {
        std::vector<listen_address> listen;                // empty: off
        std::uint32_t connections_max = 64;
    } pop3;
    struct {
        std::vector<listen_address> listen{{"0.0.0.0", 41443, tls_mode::implicit}, {"::", 41443, tls_mode::implicit}};
        std::uint32_t connections_max = 256;
        bool port_mapping = true;                          // the router is asked to let others in
    } peer;
    struct {
        bool enabled = true;
        std::uint16_t port = 21080;                        // UDP, 04-network 4.5.4
    } lan;
    struct {
        dht_mode mode = dht_mode::by_home;
        dht_publish publish = dht_publish::full;
        std::vector<listen_address> listen{{"0.0.0.0", 41443, tls_mode::implicit}, {"::", 41443, tls_mode::implicit}};
        std::vector<std::string> bootstrap;                // "host:port"; empty: the well-known nodes of mainline
    } dht;
    struct {
        std::uint8_t work_bits = 8;                        // asked of strangers (engine/strangers.hpp); 0: none
    } requests;
    struct {
        std::string level = "info";                        // trace debug info warn error
        std::string rawlog;                                // directory; empty: off
    } log;
    struct {
        std::uint64_t mail_bytes_max = 4ull << 30;         // SMTP SIZE and IMAP APPENDLIMIT
        std::uint64_t reserve_bytes = 32ull << 20;         // new mail is refused when the disk has less
        std::uint64_t storage_bytes_max = 0;               // of one account, by clients; 0: what the disk has
        std::uint64_t messages_max = 0;                    // of one account, by clients; 0: what UIDs allow
    } limits;
    struct {
        relay_rule serve = relay_rule::off;
        std::uint64_t storage_bytes_max = 10ull << 30;     // items and seeds of all slots; 0: what the disk has
        std::uint64_t slot_bytes_max = 1ull << 30;         // seeds of one slot
        std::uint32_t slots_max = 10000;
        std::uint32_t open_bits = 8;                       // work for a slot under "open"
        std::uint32_t circuits_max = 64;                   // 04-network 4.5.5; 0: none
        std::uint32_t circuits_per_client_max = 8;
        std::uint64_t circuit_bytes_max = 256ull << 20;
        std::uint32_t circuit_rate_bytes_per_s = 128 * 1024;
        std::uint32_t circuit_seconds_max = 1800;
    } relay;
    engine::delivery_times delivery;
    sent_rule sent = sent_rule::automatic;
};

// A sentence naming file, line and key.
struct config_error {
    std::string text;
};
// A file that does not exist gives the defaults. "none" beyond loopback, bad addresses, bad values: errors.
std::variant<config, config_error> load_config(const std::filesystem::path& file);
// Every key with its default and sentence, as a commented TOML file.
std::string explain_config();

}  // namespace pp::services
