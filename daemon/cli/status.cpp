// `peerpost status`: what it is doing.
#include "daemon/cli/context.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace pp::cli {

namespace {

std::string human_duration(std::uint64_t seconds) {
    if (seconds < 120) return std::to_string(seconds) + " s";
    if (seconds < 7200) return std::to_string(seconds / 60) + " min";
    if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
    return std::to_string(seconds / 86400) + " days";
}

void show_account(const json::object& a) {
    std::cout << "\nAccount " << plain(text(a, "address")) << "\n";
    if (const auto name = text(a, "name"); !name.empty()) std::cout << "  name      " << plain(name) << "\n";
    for (const auto& item : list(a, "mailboxes")) {
        const auto& box = item.as_object();
        if (number(box, "messages") == 0) continue;
        std::cout << "  mailbox   " << plain(text(box, "name")) << ": " << number(box, "messages") << " mails, "
                  << number(box, "unseen") << " unseen, " << human_bytes(number(box, "bytes")) << "\n";
    }
    std::cout << "  stored    " << human_bytes(number(a, "bytes")) << ", " << number(a, "contacts") << " contacts\n";
    if (const auto* index = a.if_contains("index"); index && index->is_object()) {
        const auto& i = index->as_object();
        std::cout << "  indexed   " << number(i, "mails") << " mails for searching, "
                  << human_bytes(number(i, "bytes"));
        if (number(i, "waiting") > 0) std::cout << "; " << number(i, "waiting") << " wait";
        std::cout << "\n";
    }
    if (const auto* outbox = a.if_contains("outbox"); outbox && outbox->is_object()) {
        const auto& o = outbox->as_object();
        std::cout << "  outgoing  " << number(o, "queued") << " queued, " << number(o, "seeded") << " at relays, "
                  << number(o, "notified") << " notified, " << number(o, "delivered") << " delivered, "
                  << number(o, "failed") << " failed\n";
    }
    if (number(a, "inbound") > 0) std::cout << "  incoming  " << number(a, "inbound") << " being fetched\n";
    if (const auto* writable = a.if_contains("writable"); writable && writable->is_bool() && !writable->as_bool())
        std::cout
            << "  WARNING   the drive takes no new mail after a write error; reading goes on. Is the disk full?\n";
    for (const auto& note : list(a, "notes"))
        if (note.is_string()) std::cout << "  note      " << plain(note.as_string()) << "\n";
}

// address:port, with the brackets that IPv6 needs.
std::string place(const json::object& at) {
    const auto address = plain(text(at, "address"));
    return (address.find(':') == address.npos ? address : "[" + address + "]") + ":" +
           std::to_string(number(at, "port"));
}

void show_listener(const json::object& l) {
    const auto tls = in_words(text(l, "tls"), {{"implicit", "TLS"}, {"starttls", "STARTTLS"}},
                              "no encryption (this machine only)");
    std::cout << "  listener  " << text(l, "service") << " at " << place(l) << ", " << tls << "\n";
}

std::string_view way(std::string_view path) {
    return in_words(path,
                    {{"relay", "through a relay"},
                     {"punched", "directly, through both routers (punched)"},
                     {"mapped", "directly, through a door of the router (mapped)"},
                     {"lan", "in the local network (lan)"},
                     {"ipv6", "directly (ipv6)"}},
                    "directly (direct)");
}

// Who is no contact is named by the beginning of the key: a relay, or somebody who has just come.
void show_link(const json::object& l) {
    constexpr std::size_t label_shown = 8;
    const auto name = plain(text(l, "name"));
    const auto* dialled = l.if_contains("dialled");
    std::cout << "  link      " << (name.empty() ? "" : name + " (") << plain(text(l, "peer").substr(0, label_shown))
              << "..." << (name.empty() ? "" : ")") << " " << way(text(l, "path")) << ", "
              << (dialled && dialled->is_bool() && dialled->as_bool() ? "to " : "from ") << plain(text(l, "remote"))
              << "\n";
}

void show_status(const json::object& s) {
    std::cout << "peerpost " << text(s, "version") << ", home " << plain(text(s, "home")) << "\n";
    if (s.contains("uptime_s"))
        std::cout << "running for " << human_duration(number(s, "uptime_s")) << "\n";
    else
        std::cout << "not running\n";
    for (const auto& item : list(s, "listeners"))
        if (item.is_object()) show_listener(item.as_object());
    for (const auto& item : list(s, "links"))
        if (item.is_object()) show_link(item.as_object());
    if (const auto* mapped = s.if_contains("port_mapping"); mapped && mapped->is_object())
        std::cout << "  router    lets others in at " << plain(text(mapped->as_object(), "address")) << " (asked by "
                  << plain(text(mapped->as_object(), "by")) << ")\n";
    if (const auto* dht = s.if_contains("dht"); dht && dht->is_object()) {
        const auto& d = dht->as_object();
        std::cout << "  dht       " << number(d, "nodes_ipv4") << " nodes by IPv4, " << number(d, "nodes_ipv6")
                  << " by IPv6" << (text(d, "publish") == "off" ? ", nothing of this node is published" : "") << "\n";
        for (const auto& item : list(d, "published")) {
            const auto nodes = number(item.as_object(), "replicas");
            const auto age = human_duration(number(item.as_object(), "age_s"));
            std::cout << "  dht       the record of " << plain(text(item.as_object(), "account").substr(0, 8))
                      << "... ";
            if (nodes == 0)
                std::cout << "was taken by no node, tried " << age << " ago\n";
            else
                std::cout << "stands at " << nodes << " nodes since " << age << "\n";
        }
    } else if (dht && dht->is_null()) {
        std::cout << "  dht       off: people are found by the addresses they gave, in the LAN and through relays "
                     "([dht] mode = \"mainline\" in peerpost.toml switches it on)\n";
    }
    for (const auto& item : list(s, "accounts"))
        if (item.is_object()) show_account(item.as_object());
}

}  // namespace

void add_status(CLI::App& app, context& c) {
    const auto as_json = std::make_shared<bool>(false);
    auto* status = app.add_subcommand("status", "What this node is and does");
    status->add_flag("--json", *as_json, "Print JSON");
    status->callback([&c, as_json] { run(c, "status", {}, *as_json, show_status); });
}

}  // namespace pp::cli
