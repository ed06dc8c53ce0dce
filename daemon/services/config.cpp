// The configuration file: one table of keys from which loading and `config --explain` both come (01-product 1.6, 1.7).
// Values that make no sense are errors with file, line and key; nothing is guessed and nothing unknown is passed over.
#include "daemon/services/config.hpp"

#include "daemon/engine/endpoints.hpp"

#include <arpa/inet.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <type_traits>

namespace pp::services {

namespace {

constexpr std::uintmax_t file_bytes_max = 1 << 20;        // a configuration is a page; more is a mistake
constexpr std::size_t listen_max = 32;
constexpr std::size_t explain_columns = 110;
constexpr std::uint64_t mail_bytes_least = 64 * 1024;     // RFC 5321 section 4.5.3.1.7: at least 64 KiB

// Where a value is wrong, and why.
struct problem {
    toml::source_position at;
    std::string key, text;
};
using parsed = std::optional<problem>;

struct key {
    std::string_view table;      // empty: top level
    std::string_view name;
    std::string_view written;    // the default as TOML
    std::string_view sentence;
    std::function<parsed(const toml::node&, const std::string& full_name, config&)> read;
};

parsed wrong(const toml::node& at, const std::string& name, std::string text) {
    return problem{at.source().begin, name, std::move(text)};
}

// Reads a whole number between least and most into out.
template <class Int>
parsed read_number(const toml::node& node, const std::string& name, std::uint64_t least, std::uint64_t most, Int& out) {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < 0 || static_cast<std::uint64_t>(*number) < least ||
        static_cast<std::uint64_t>(*number) > most)
        return wrong(node, name,
                     "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    out = static_cast<Int>(*number);
    return std::nullopt;
}

// One of the words, as its index.
template <std::size_t N>
parsed read_word(const toml::node& node, const std::string& name, const std::array<std::string_view, N>& words,
                 std::size_t& out) {
    if (const auto text = node.value_exact<std::string_view>()) {
        if (const auto found = std::find(words.begin(), words.end(), *text); found != words.end()) {
            out = static_cast<std::size_t>(found - words.begin());
            return std::nullopt;
        }
    }
    std::string list;
    for (const auto word : words) list += (list.empty() ? "\"" : ", \"") + std::string(word) + '"';
    return wrong(node, name, "must be one of " + list);
}

// Nullopt when the text is no IP address; else whether it is a loopback one.
std::optional<bool> loopback(const std::string& text) {
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, text.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
    return std::nullopt;
}

constexpr std::array<std::string_view, 3> tls_words{"implicit", "starttls", "none"};
constexpr std::array<std::string_view, 3> sent_words{"auto", "client", "server"};
constexpr std::array<std::string_view, 3> dht_words{"off", "private", "mainline"};
constexpr std::array<std::string_view, 3> publish_words{"full", "relay-only", "off"};
constexpr std::array<std::string_view, 5> level_words{"trace", "debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 5> relay_words{"off", "self", "contacts", "invited", "open"};

// One { address, port, tls } of a list.
parsed read_listener(const toml::node& node, const std::string& name, bool with_tls, listen_address& out) {
    const auto* table = node.as_table();
    if (!table)
        return wrong(node, name, "every entry must be a table such as { address = \"127.0.0.1\", port = 1143 }");
    for (const auto& [entry, value] : *table) {
        const std::string entry_name = name + "." + std::string(entry.str());
        if (entry == "address") {
            const auto text = value.value_exact<std::string>();
            if (!text || !loopback(*text))
                return wrong(value, entry_name, "must be an IP address in quotes, such as \"127.0.0.1\" or \"::1\"");
            out.address = *text;
        } else if (entry == "port") {
            if (auto bad = read_number(value, entry_name, 0, 65535, out.port)) return bad;
        } else if (entry == "tls" && with_tls) {
            std::size_t word = 0;
            if (auto bad = read_word(value, entry_name, tls_words, word)) return bad;
            out.tls = static_cast<tls_mode>(word);
        } else {
            return wrong(value, entry_name, with_tls ? "is unknown; an entry has address, port and tls"
                                                     : "is unknown; an entry has address and port");
        }
    }
    if (!table->contains("address")) return wrong(node, name, "an entry has no address");
    if (!table->contains("port")) return wrong(node, name, "an entry has no port");
    if (with_tls && out.tls == tls_mode::none && !*loopback(out.address))
        return wrong(node, name,
                     "tls = \"none\" is possible on loopback addresses only: beyond this machine passwords and mail "
                     "would travel in the clear; use \"implicit\" or \"starttls\"");
    return std::nullopt;
}

parsed read_listeners(const toml::node& node, const std::string& name, bool with_tls,
                      std::vector<listen_address>& out) {
    const auto* list = node.as_array();
    if (!list) return wrong(node, name, "must be a list of tables: [{ address = \"127.0.0.1\", port = 1143 }]");
    if (list->size() > listen_max) return wrong(node, name, "has more than " + std::to_string(listen_max) + " entries");
    std::vector<listen_address> listeners;
    for (const auto& element : *list) {
        listen_address one;
        if (auto bad = read_listener(element, name, with_tls, one)) return bad;
        for (const auto& other : listeners)
            if (other.address == one.address && other.port == one.port && one.port != 0)
                return wrong(element, name, "names the same address and port twice");
        listeners.push_back(std::move(one));
    }
    out = std::move(listeners);
    return std::nullopt;
}

// "host:port" texts, not resolved here.
parsed read_hosts(const toml::node& node, const std::string& name, std::vector<std::string>& out) {
    const auto* list = node.as_array();
    if (!list) return wrong(node, name, "must be a list of \"host:port\"");
    if (list->size() > listen_max) return wrong(node, name, "has more than " + std::to_string(listen_max) + " entries");
    std::vector<std::string> hosts;
    for (const auto& element : *list) {
        const auto text = element.value_exact<std::string>();
        if (!text || !engine::parse_endpoint(*text))
            return wrong(element, name, "every entry must be a host and port such as \"node.example.org:6881\"");
        hosts.push_back(*text);
    }
    out = std::move(hosts);
    return std::nullopt;
}

// Readers of a value that lands in the member to() names: a whole number, ...
template <class Member>
auto number(std::uint64_t least, std::uint64_t most, Member to) {
    return [=](const toml::node& node, const std::string& name, config& c) {
        return read_number(node, name, least, most, to(c));
    };
}

// ... a time in seconds, ...
template <class Member>
auto seconds(std::uint64_t least, std::uint64_t most, Member to) {
    return [=](const toml::node& node, const std::string& name, config& c) {
        std::uint64_t given = 0;
        auto bad = read_number(node, name, least, most, given);
        if (!bad) to(c) = std::chrono::seconds(given);
        return bad;
    };
}

// ... one of the words, which stand in the order of the enumerators, ...
template <std::size_t N, class Member>
auto word(const std::array<std::string_view, N>& words, Member to) {
    return [&words, to](const toml::node& node, const std::string& name, config& c) {
        std::size_t index = 0;
        auto bad = read_word(node, name, words, index);
        if (!bad) to(c) = static_cast<std::remove_reference_t<decltype(to(c))>>(index);
        return bad;
    };
}

// ... true or false, ...
template <class Member>
auto flag(Member to) {
    return [to](const toml::node& node, const std::string& name, config& c) -> parsed {
        const auto on = node.value_exact<bool>();
        if (!on) return wrong(node, name, "must be true or false");
        to(c) = *on;
        return std::nullopt;
    };
}

// ... listeners whose entries have tls, or have none.
template <class Member>
auto listeners_with_tls(Member to) {
    return [to](const toml::node& node, const std::string& name, config& c) {
        return read_listeners(node, name, true, to(c));
    };
}
template <class Member>
auto listeners(Member to) {
    return [to](const toml::node& node, const std::string& name, config& c) {
        return read_listeners(node, name, false, to(c));
    };
}

constexpr std::uint64_t year_s = 366 * 86400;
constexpr std::uint64_t connections_most = 65536;   // the most descriptors `serve` asks for

const std::vector<key>& keys() {
    static const std::vector<key> table{
        {"", "sent", "\"auto\"",
         "Who files the copy of a submitted mail in Sent: \"auto\" files it and recognises the client's own copy, "
         "\"client\" leaves it to the client, \"server\" files it and keeps the client's copy too.",
         word(sent_words, [](config& c) -> auto& { return c.sent; })},
        {"imap", "listen",
         "[{ address = \"127.0.0.1\", port = 1993, tls = \"implicit\" }, { address = \"::1\", port = 1993, tls = "
         "\"implicit\" }]",
         "Where mail clients read: address, port and tls (\"implicit\", \"starttls\", or \"none\" on loopback "
         "addresses). Port 0 lets the system choose, `peerpost status` tells. An empty list switches IMAP off.",
         listeners_with_tls([](config& c) -> auto& { return c.imap.listen; })},
        {"imap", "connections_max", "512", "IMAP connections at one time; a client opens about five.",
         number(1, connections_most, [](config& c) -> auto& { return c.imap.connections_max; })},
        {"imap", "unauthenticated_max", "64",
         "IMAP connections that have not logged in yet; the oldest is closed first.",
         number(1, connections_most, [](config& c) -> auto& { return c.imap.unauthenticated_max; })},
        {"smtp", "listen",
         "[{ address = \"127.0.0.1\", port = 1465, tls = \"implicit\" }, { address = \"::1\", port = 1465, tls = "
         "\"implicit\" }]",
         "Where mail clients submit: as imap.listen.",
         listeners_with_tls([](config& c) -> auto& { return c.smtp.listen; })},
        {"smtp", "connections_max", "128", "SMTP connections at one time.",
         number(1, connections_most, [](config& c) -> auto& { return c.smtp.connections_max; })},
        {"pop3", "listen", "[]",
         "Where old programs fetch INBOX by POP3: as imap.listen, with port 1995 for example. What they delete goes to "
         "Trash. Off as shipped.",
         listeners_with_tls([](config& c) -> auto& { return c.pop3.listen; })},
        {"pop3", "connections_max", "64", "POP3 connections at one time.",
         number(1, connections_most, [](config& c) -> auto& { return c.pop3.connections_max; })},
        {"peer", "listen", "[{ address = \"0.0.0.0\", port = 41443 }, { address = \"::\", port = 41443 }]",
         "Where other nodes reach this one (TCP, always encrypted and authenticated). An empty list: only links that "
         "this node opens itself.",
         listeners([](config& c) -> auto& { return c.peer.listen; })},
        {"peer", "connections_max", "256", "Links with other nodes at one time.",
         number(1, connections_most, [](config& c) -> auto& { return c.peer.connections_max; })},
        {"peer", "port_mapping", "true",
         "Asks the router of the house (PCP, NAT-PMP, UPnP; nobody beyond it) to let other nodes in at the peer port "
         "(and that of the DHT, where it is on), for as long as peerpost runs. Nothing is asked for ports that listen "
         "on loopback addresses only.",
         flag([](config& c) -> auto& { return c.peer.port_mapping; })},
        {"lan", "enabled", "true",
         "Finds contacts in the local network by small encrypted datagrams that only contacts can recognise.",
         flag([](config& c) -> auto& { return c.lan.enabled; })},
        {"lan", "port", "21080", "The UDP port of these datagrams; the same on every node of the network.",
         number(1, 65535, [](config& c) -> auto& { return c.lan.port; })},
        {"dht", "mode", "\"mainline\"",
         "Finds people whose addresses have changed, and is found, through BitTorrent's DHT: \"mainline\" is the "
         "public one, \"private\" one of your own with the nodes under bootstrap, \"off\" none. What stands there is "
         "encrypted; who knows your address can read it. A home made before this was said at `init` has \"off\" until "
         "it is written here.",
         word(dht_words, [](config& c) -> auto& { return c.dht.mode; })},
        {"dht", "publish", "\"full\"",
         "What others find there: \"full\" where this node is and its relays, \"relay-only\" the relays and no address "
         "of yours, \"off\" nothing; looking for others goes on.",
         word(publish_words, [](config& c) -> auto& { return c.dht.publish; })},
        {"dht", "listen", "[{ address = \"0.0.0.0\", port = 41443 }, { address = \"::\", port = 41443 }]",
         "The UDP sockets of the DHT, at most one for IPv4 and one for IPv6.",
         listeners([](config& c) -> auto& { return c.dht.listen; })},
        {"dht", "bootstrap", "[]",
         "Where to begin when no node is known, as \"host:port\". Empty: well-known nodes of mainline.",
         [](const toml::node& node, const std::string& name, config& c) {
             return read_hosts(node, name, c.dht.bootstrap);
         }},
        {"requests", "work_bits", "8",
         "How much work the node of a stranger does for each mail to you: 8 is about two seconds, each more doubles "
         "it; when many strangers write, more is asked. 0: none.",
         number(0, 16, [](config& c) -> auto& { return c.requests.work_bits; })},
        {"log", "level", "\"info\"", "The least important line that is logged: trace, debug, info, warn or error.",
         [](const toml::node& node, const std::string& name, config& c) {
             std::size_t word = 0;
             auto bad = read_word(node, name, level_words, word);
             if (!bad) c.log.level = level_words[word];
             return bad;
         }},
        {"log", "rawlog", "\"\"",
         "A directory (relative to the home) that gets every byte of every client session, WHOLE MAILS INCLUDED, "
         "unencrypted; only login lines are masked. For hunting a bug, never for keeps. Empty: off.",
         [](const toml::node& node, const std::string& name, config& c) -> parsed {
             const auto text = node.value_exact<std::string>();
             if (!text || text->find('\0') != text->npos) return wrong(node, name, "must be a directory in quotes");
             c.log.rawlog = *text;
             return std::nullopt;
         }},
        {"relay", "serve", "\"off\"",
         "Keeps sealed notifications and encrypted mails for others while they are away, without being able to read "
         "them or to tell who sent them. For whom: off, self (accounts of this node), contacts (those too), invited "
         "(and who has a link made with `peerpost relay link`) or open (and who does some work).",
         word(relay_words, [](config& c) -> auto& { return c.relay.serve; })},
        {"relay", "storage_bytes_max", "10737418240",
         "What all of that may take on the disk, in bytes. 0: as much as the disk has.",
         number(0, std::uint64_t(1) << 50, [](config& c) -> auto& { return c.relay.storage_bytes_max; })},
        {"relay", "slot_bytes_max", "1073741824",
         "What the mails that wait for one account may take, in bytes. 0: notifications only, no mails.",
         number(0, std::uint64_t(1) << 50, [](config& c) -> auto& { return c.relay.slot_bytes_max; })},
        {"relay", "slots_max", "10000", "For how many accounts at most.",
         number(1, 1000000, [](config& c) -> auto& { return c.relay.slots_max; })},
        {"relay", "open_bits", "8",
         "How much work a stranger does to use an open relay: 8 is about two seconds, each more doubles it.",
         number(1, 20, [](config& c) -> auto& { return c.relay.open_bits; })},
        {"relay", "circuits_max", "64",
         "How many pairs of nodes that cannot reach each other are joined at a time; each takes two of "
         "peer.connections_max. 0: none.",
         number(0, 65536, [](config& c) -> auto& { return c.relay.circuits_max; })},
        {"relay", "circuits_per_client_max", "8", "How many of them for one node, calling and called.",
         number(1, 65536, [](config& c) -> auto& { return c.relay.circuits_per_client_max; })},
        {"relay", "circuit_bytes_max", "268435456",
         "How many bytes may pass between two nodes, both ways together, before they have to call again.",
         number(1 << 20, std::uint64_t(1) << 50, [](config& c) -> auto& { return c.relay.circuit_bytes_max; })},
        {"relay", "circuit_rate_bytes_per_s", "131072", "How fast, in bytes a second, once 4 MiB have passed.",
         number(4096, 1u << 31, [](config& c) -> auto& { return c.relay.circuit_rate_bytes_per_s; })},
        {"relay", "circuit_seconds_max", "1800", "How long, in seconds.",
         number(60, 86400, [](config& c) -> auto& { return c.relay.circuit_seconds_max; })},
        {"delivery", "reach_timeout_s", "12",
         "How long a recipient's node is tried before the mail is left at her relay, or at ours, for when she comes.",
         seconds(0, 86400, [](config& c) -> auto& { return c.delivery.reach; })},
        {"delivery", "retry_max_s", "3600",
         "The longest pause between two attempts to deliver a mail; the first ones are shorter.",
         seconds(1, 7 * 86400, [](config& c) -> auto& { return c.delivery.retry_max; })},
        {"delivery", "look_after_s", "3600",
         "When a mail that waits at a relay is looked after first, later more seldom, at least daily: what a relay has "
         "lost is brought again.",
         seconds(1, 86400, [](config& c) -> auto& { return c.delivery.look_after; })},
        {"delivery", "delayed_after_s", "14400",
         "After so long a report in INBOX tells the sender that a mail still waits, once.",
         seconds(1, year_s, [](config& c) -> auto& { return c.delivery.delayed_after; })},
        {"delivery", "fail_after_s", "432000", "After so long a mail is given up, and a report in INBOX says why.",
         seconds(1, year_s, [](config& c) -> auto& { return c.delivery.fail_after; })},
        {"limits", "mail_bytes_max", "4294967296",
         "The largest mail taken from a client, in bytes (SMTP SIZE and IMAP APPENDLIMIT).",
         number(mail_bytes_least, std::uint64_t(1) << 40, [](config& c) -> auto& { return c.limits.mail_bytes_max; })},
        {"limits", "reserve_bytes", "33554432",
         "New mail is refused, with a temporary error, when the disk has less room than this, in bytes.",
         number(0, std::uint64_t(1) << 50, [](config& c) -> auto& { return c.limits.reserve_bytes; })},
        {"limits", "storage_bytes_max", "0",
         "What all mails of an account may take on the disk, in bytes (IMAP QUOTA, STORAGE). Beyond it clients cannot "
         "add mails; what other people send still comes in. 0: as much as the disk has.",
         number(0, std::uint64_t(1) << 50, [](config& c) -> auto& { return c.limits.storage_bytes_max; })},
        {"limits", "messages_max", "0",
         "How many messages an account may have before clients can add no more (IMAP QUOTA, MESSAGE). 0: no such "
         "limit.",
         number(0, 4294967295, [](config& c) -> auto& { return c.limits.messages_max; })},
    };
    return table;
}

bool is_table(std::string_view name) {
    return !name.empty() && std::any_of(keys().begin(), keys().end(), [&](const key& k) { return k.table == name; });
}

// Every entry of one table of the file against the keys of that table.
parsed read_table(const toml::table& in, std::string_view table, config& c) {
    for (const auto& [entry, value] : in) {
        const std::string_view name = entry.str();
        if (table.empty() && is_table(name)) {
            const auto* inner = value.as_table();
            if (!inner) return wrong(value, std::string(name), "must be a table: [" + std::string(name) + "]");
            if (auto bad = read_table(*inner, name, c)) return bad;
            continue;
        }
        const auto full_name = table.empty() ? std::string(name) : std::string(table) + "." + std::string(name);
        const auto found = std::find_if(keys().begin(), keys().end(),
                                        [&](const key& k) { return k.table == table && k.name == name; });
        if (found == keys().end())
            return problem{entry.source().begin, full_name,
                           "is unknown; `peerpost config --explain` lists every key there is"};
        if (auto bad = found->read(value, full_name, c)) return bad;
    }
    return std::nullopt;
}

config_error in_file(const std::filesystem::path& file, const std::string& text) {
    return config_error{"configuration " + file.string() + ": " + text};
}

// Words of the text in comment lines of at most explain_columns.
void put_comment(std::string& out, std::string_view text) {
    std::istringstream words{std::string(text)};
    std::string line = "#", word;
    while (words >> word) {
        if (line.size() + 1 + word.size() > explain_columns) {
            out += line + "\n";
            line = "#";
        }
        line += " " + word;
    }
    out += line + "\n";
}

}  // namespace

std::string_view to_string(relay_rule rule) { return relay_words.at(static_cast<std::size_t>(rule)); }
std::string_view to_string(dht_publish what) { return publish_words.at(static_cast<std::size_t>(what)); }
std::string_view to_string(tls_mode mode) { return tls_words.at(static_cast<std::size_t>(mode)); }

std::variant<config, config_error> load_config(const std::filesystem::path& file) {
    config c;
    std::error_code failed;
    const auto status = std::filesystem::status(file, failed);
    if (status.type() == std::filesystem::file_type::not_found) return c;
    if (failed) return in_file(file, "cannot be read: " + failed.message());
    if (status.type() != std::filesystem::file_type::regular) return in_file(file, "is not a file");
    if (const auto size = std::filesystem::file_size(file, failed); failed || size > file_bytes_max)
        return in_file(file, failed ? "cannot be read: " + failed.message() : "is larger than 1 MiB");
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    if (!in || (in.peek() != std::ifstream::traits_type::eof() && !(text << in.rdbuf())))
        return in_file(file, std::string("cannot be read: ") + std::strerror(errno));

    const auto at_line = [&](const toml::source_position& at, const std::string& sentence) {
        return config_error{"configuration " + file.string() + ", line " + std::to_string(at.line) + ": " + sentence};
    };
    try {
        const auto table = toml::parse(text.str());
        if (const auto bad = read_table(table, "", c)) return at_line(bad->at, bad->key + " " + bad->text);
    } catch (const toml::parse_error& error) {
        return at_line(error.source().begin, std::string(error.description()));
    }
    if (!c.log.rawlog.empty()) c.log.rawlog = std::filesystem::absolute(file.parent_path() / c.log.rawlog).string();
    return c;
}

std::string explain_config() {
    std::string out;
    put_comment(out,
                "peerpost.toml, in the home directory. Every key is optional and stands here with its default. A key "
                "that peerpost does not know is an error. Changes take effect with the next start.");
    std::string_view table;
    for (const auto& k : keys()) {
        out += '\n';
        if (k.table != table) {
            table = k.table;
            out += "[" + std::string(table) + "]\n";
        }
        put_comment(out, k.sentence);
        out += "# " + std::string(k.name) + " = " + std::string(k.written) + "\n";
    }
    return out;
}

}  // namespace pp::services
