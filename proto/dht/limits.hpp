// Every limit of the DHT box, with its source. What others may send, what we keep, how long we wait.
#pragma once

#include <chrono>
#include <cstddef>

namespace pp::dht {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// ------------------------------------------------------------------ datagrams (BEP 5, BEP 44)
inline constexpr std::size_t datagram_bytes_max = 2048;      // taken; an answer over IPv6 with v of 1000 bytes has 1600
inline constexpr std::size_t answer_bytes_max = 1400;        // sent: no fragments; fewer nodes beside a large v
inline constexpr std::size_t bencode_depth_max = 16;         // a message has three levels; v of others some more
inline constexpr std::size_t bencode_nodes_max = 512;        // values of one datagram, dictionary keys counted
inline constexpr std::size_t transaction_bytes = 4;          // ours
inline constexpr std::size_t transaction_bytes_max = 32;     // of others, echoed; BEP 5 knows 2, programs use up to 20
inline constexpr std::size_t token_bytes_max = 64;           // of others; ours have 8
inline constexpr std::size_t value_bytes_max = 1000;         // BEP 44: v, bencoded
inline constexpr std::size_t salt_bytes_max = 64;            // BEP 44
inline constexpr std::size_t nodes_per_reply_max = 16;       // taken of one reply; BEP 5 sends 8

// ------------------------------------------------------------------ routing table (BEP 5, BEP 42)
inline constexpr std::size_t bucket_nodes = 8;               // k of BEP 5
inline constexpr std::size_t replacement_nodes = 4;          // waiting for a place, per bucket
inline constexpr int failures_to_drop = 2;                   // in a row, once another waits for the place; alone: below
inline constexpr int failures_to_drop_always = 4;
inline constexpr auto node_good_for = minutes(15);           // BEP 5: "has responded within the last 15 minutes"
inline constexpr auto bucket_refresh_every = minutes(15);    // BEP 5
inline constexpr auto upkeep_every = seconds(5);             // at most one check or refresh per family each
inline constexpr std::size_t bootstrap_nodes_max = 32;
inline constexpr std::size_t settled_nodes = 8;              // fewer known: bootstrap again
inline constexpr std::size_t saved_nodes_max = 200;          // per family
inline constexpr std::size_t external_votes_needed = 4;      // different networks that name the same address of ours
inline constexpr std::size_t external_votes_kept = 16;

// ------------------------------------------------------------------ questions and lookups (04-network 4.2.2, 4.5.7)
inline constexpr std::size_t lookup_alpha = 4;               // asked at the same time
inline constexpr std::size_t lookup_candidates_max = 128;
inline constexpr std::size_t lookup_starts = 16;             // taken from the table to begin with
inline constexpr std::size_t lookup_queries_max = 96;        // by one lookup; a real network needs 20 to 40
inline constexpr std::size_t replicas_wanted = 8;            // the closest that answered get the put
inline constexpr std::size_t replicas_enough = 4;            // fewer: the put is tried again
inline constexpr auto soft_timeout_first = milliseconds(400);   // until own measurements are there
inline constexpr auto soft_timeout_min = milliseconds(200);
inline constexpr auto soft_timeout_max = milliseconds(1000);
inline constexpr auto hard_timeout = seconds(2);
inline constexpr auto lookup_time_max = seconds(8);
inline constexpr auto first_value_grace = milliseconds(250); // a reader waits this long for a newer value
inline constexpr std::size_t latency_samples = 64;           // the soft time-out is twice their p90
inline constexpr std::size_t latency_samples_needed = 8;
inline constexpr int put_sends_max = 3;                      // of one put to one node, each after a soft time-out
inline constexpr std::chrono::milliseconds put_retry_after[] = {seconds(5), seconds(15), seconds(60), minutes(5)};
inline constexpr std::size_t operations_max = 64;            // open at the same time
inline constexpr std::size_t questions_max = 1024;           // asked and neither answered nor given up
inline constexpr std::size_t events_max = 2 * operations_max;
inline constexpr std::size_t outgoing_datagrams_max = 512;   // waiting to be sent; more are dropped like lost ones
inline constexpr auto bootstrap_retry_first = seconds(5);
inline constexpr auto bootstrap_retry_max = minutes(5);

// ------------------------------------------------------------------ server (BEP 44, 04-network 4.2.2)
inline constexpr std::size_t stored_items_max = 2000;
inline constexpr auto stored_item_lifetime = hours(2);       // BEP 44: "nodes may expire items after 2 hours"
inline constexpr auto token_secret_lifetime = minutes(5);    // BEP 5; a token is good for 5 to 10 minutes
inline constexpr std::size_t token_bytes = 8;
inline constexpr std::size_t rate_slots = 4096;              // addresses share slots by a keyed hash: constant memory
inline constexpr double queries_per_s_per_network = 10;      // of one address (IPv6: one /64)
inline constexpr double queries_burst = 50;
inline constexpr double newcomer_checks_per_s = 5;            // questions to nodes that asked us and may join the table
inline constexpr double newcomer_checks_burst = 20;
inline constexpr double answer_bytes_per_s = 64 * 1024;      // all together
inline constexpr double answer_bytes_burst = 256 * 1024;

// ------------------------------------------------------------------ publishing (04-network 4.5.3)
inline constexpr auto publish_debounce_min = milliseconds(500);
inline constexpr auto publish_debounce_max = milliseconds(2000);
inline constexpr auto publish_change_debounce = seconds(2);
inline constexpr auto publish_change_every = seconds(60);
inline constexpr auto publish_every = minutes(55);           // BEP 44: re-announce each hour
inline constexpr auto publish_jitter = minutes(5);

}  // namespace pp::dht
