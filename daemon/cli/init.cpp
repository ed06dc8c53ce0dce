// `peerpost init` and `peerpost recover` (01-product 1.6). Secrets go to standard output once and nowhere else;
// recovery words are read from standard input, never from the command line, which other users can see.
#include "daemon/cli/init.hpp"

#include "daemon/services/config.hpp"
#include "daemon/services/json_line.hpp"
#include "daemon/services/log.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <sstream>

namespace pp::cli {

namespace {

constexpr std::size_t words_bytes_max = 4096;    // 24 words of at most 8 letters, with room for white space

json::array settings(const std::vector<services::listen_address>& listeners) {
    json::array out;
    for (const auto& l : listeners)
        out.push_back(json::object{{"address", l.address}, {"port", l.port}, {"tls", services::to_string(l.tls)}});
    return out;
}

void print_settings(const char* what, const std::vector<services::listen_address>& listeners) {
    for (const auto& l : listeners) {
        const char* tls = l.tls == services::tls_mode::implicit   ? "SSL/TLS"
                          : l.tls == services::tls_mode::starttls ? "STARTTLS"
                                                                  : "no encryption (this machine only)";
        std::cout << "  " << what << "  " << l.address << "  port "
                  << (l.port == 0 ? "chosen at start (see: peerpost status)" : std::to_string(l.port)) << "  " << tls
                  << "\n";
        what = "          ";
    }
}

// Everything that leaves the machine once the node runs, each with what switches it off: nothing of it has been done
// when this is printed (01-product 1.7).
struct network_use {
    std::string what, off;
    bool on = false;
};
std::vector<network_use> network_uses(const services::config& conf) {
    std::string ports;
    for (const auto& l : conf.peer.listen) {
        const auto port = std::to_string(l.port);
        if (ports.find(port) == ports.npos) ports += (ports.empty() ? "" : ", ") + port;
    }
    std::vector<network_use> out;
    const auto mode = conf.dht.mode;
    const bool closed = mode == services::dht_mode::closed;
    out.push_back(
        {"Links to your contacts and to relays you choose (TCP), encrypted; only when there is mail, or to say that "
         "you are back",
         "cannot be switched off", true});
    out.push_back({"Other nodes may connect to this one: TCP port " + (ports.empty() ? "none" : ports),
                   "[peer] listen = []", !conf.peer.listen.empty()});
    out.push_back({"The router of this house is asked (PCP, NAT-PMP, UPnP; nobody beyond it) to let other nodes in",
                   "[peer] port_mapping = false", conf.peer.port_mapping && !conf.peer.listen.empty()});
    out.push_back({"In the local network every minute a small encrypted datagram (UDP port " +
                       std::to_string(conf.lan.port) + ") that only contacts can recognise",
                   "[lan] enabled = false", conf.lan.enabled});
    out.push_back({std::string(closed ? "The DHT of your own nodes"
                                      : "BitTorrent's public DHT (begins at router.bittorrent.com)") +
                       ": this machine asks there where contacts are, and puts there where it is" +
                       (conf.dht.publish == services::dht_publish::full ? "" : " (as [dht] publish says)") +
                       ", encrypted for who knows your address. Your provider sees that it is used",
                   "[dht] mode = \"off\"", mode != services::dht_mode::off});
    return out;
}

void print_network(const context& c, const services::config& conf) {
    std::cout << "\nWhat will leave this machine when it runs (nothing has yet):\n";
    for (const auto& use : network_uses(conf))
        std::cout << (use.on ? "  on   " : "  off  ") << use.what << ".\n       " << (use.on ? "Off: " : "As set: ")
                  << use.off << "\n";
    std::error_code none;
    std::cout << "There is no server of ours, and nothing else is contacted. The settings: "
              << c.home.configuration().string()
              << (std::filesystem::exists(c.home.configuration(), none) ? "" : " (not there yet: each has its default)")
              << "\n";
}

// Twenty-four words from standard input.
std::string read_words() {
    if (isatty(STDIN_FILENO)) std::cerr << "Type the 24 recovery words, then Enter: " << std::flush;
    std::string all, line;
    // A terminal ends with the first line that completes the words; a file with its end.
    while (all.size() < words_bytes_max && std::getline(std::cin, line)) {
        all += line + " ";
        std::istringstream words(all);
        if (std::distance(std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()) >= 24) break;
    }
    return all;
}

void make_first_account(context& c, const std::string& name, bool as_json, bool recovering) {
    if (const auto why = services::wrong_name(name); !why.empty()) return fail(c, {EX_USAGE, why});
    const auto loaded = services::load_config(c.home.configuration());
    if (const auto* bad = std::get_if<services::config_error>(&loaded)) return fail(c, {EX_CONFIG, bad->text});
    const auto& conf = std::get<services::config>(loaded);
    services::start_log(conf);
    const auto lock = lock_home(c);
    if (lock.has_error()) {
        // Whoever runs here has an account, or is just making one.
        const auto why =
            lock.error() == storage::errc::locked ? error_code(storage::errc::exists_already) : lock.error();
        return fail(c, init_error(c, why));
    }
    std::string words;
    if (recovering) words = read_words();
    const auto made = recovering ? services::node::recover(c.home, conf, name, words)
                                 : services::node::init(c.home, conf, name);
    if (!made) return fail(c, init_error(c, made.error()));
    print_new_account(c, conf, *made, as_json);   // a failure is told
}

}  // namespace

command_error init_error(const context& c, const error_code& error) {
    const auto home = c.home.root.string();
    if (error == storage::errc::exists_already)
        return {EX_CANTCREAT, "there is an account in " + home + " already; nothing was changed. See it with: " +
                                  c.command("status")};
    if (error == crypto::errc::bad_checksum)
        return {EX_DATAERR,
                "these recovery words do not fit together: one of them is wrong or two are swapped; nothing was "
                "changed. Try again with: " +
                    c.command("recover")};
    if (error == crypto::errc::bad_text || error == crypto::errc::bad_length)
        return {EX_DATAERR, "these are not 24 words of the list: one is misspelt or missing; nothing was changed. Try "
                            "again with: " + c.command("recover")};
    return {EX_CANTCREAT, "the account could not be made in " + home + ": " + error.message()};
}

bool print_new_account(context& c, const services::config& conf, const services::new_account& made, bool as_json) {
    const auto lost = ": nobody has seen the password and the recovery words of the account that was made in " +
                      c.home.root.string() + ". Remove what is in there, but for peerpost.toml, and begin again";
    const auto ca_file = c.home.ca_certificate().string();
    if (as_json) {
        json::object out{{"address", made.address},
                         {"account", made.label},
                         {"password", made.password},
                         {"recovery_words", made.recovery_words},
                         {"imap", settings(conf.imap.listen)},
                         {"smtp", settings(conf.smtp.listen)},
                         {"ca_file", ca_file}};
        json::array network;
        for (const auto& use : network_uses(conf))
            network.push_back(json::object{{"what", use.what}, {"on", use.on}, {"off", use.off}});
        out["network"] = std::move(network);
        if (!conf.pop3.listen.empty()) out["pop3"] = settings(conf.pop3.listen);   // off as shipped
        std::cout << services::json_line(out) << "\n";
        return was_printed(c, lost);
    }
    std::cout
        << "Your address:\n  " << made.address << "\n\n"
        << "Password for your mail client (shown this once):\n  " << made.password << "\n\n"
        << "Recovery words (shown this once: write them down; they bring the account back, and are all that does):\n";
    std::istringstream words(made.recovery_words);
    std::string word;
    for (int i = 1; words >> word; ++i) std::cout << (i % 6 == 1 ? "  " : " ") << word << (i % 6 == 0 ? "\n" : "");
    std::cout << "\nSettings of your mail client (user name: the address):\n";
    print_settings("IMAP    ", conf.imap.listen);
    print_settings("SMTP    ", conf.smtp.listen);
    print_settings("POP3    ", conf.pop3.listen);
    std::cout << "\nThe certificate is issued by a CA of this home only, restricted to this machine:\n  " << ca_file
              << "\n";
    print_network(c, conf);
    return was_printed(c, lost);
}

void add_init(CLI::App& app, context& c) {
    struct options {
        std::string name;
        bool as_json = false;
    };
    const auto o = std::make_shared<options>();
    auto* init = app.add_subcommand("init", "Make the first account of this home");
    init->add_option("--name", o->name, "Your name as others see it");
    init->add_flag("--json", o->as_json, "Print one JSON object");
    init->callback([&c, o] {
        make_first_account(c, o->name, o->as_json, false);
        if (c.exit_code == 0 && !o->as_json) std::cout << "\nNext: " << c.command("serve") << "\n";
    });
    auto* recover = app.add_subcommand("recover", "Make the account of 24 recovery words, read from standard input");
    recover->add_option("--name", o->name, "Your name as others see it");
    recover->add_flag("--json", o->as_json, "Print one JSON object");
    recover->callback([&c, o] {
        make_first_account(c, o->name, o->as_json, true);
        if (c.exit_code == 0 && !o->as_json) std::cout << "\nNext: " << c.command("serve") << "\n";
    });
}

}  // namespace pp::cli
