// `peerpost relay link|status`: being a relay for others.
#include "daemon/cli/context.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace pp::cli {

void add_relay(CLI::App& app, context& c) {
    struct options {
        bool as_json = false;
        std::uint64_t hours = 30 * 24;
    };
    const auto o = std::make_shared<options>();
    auto* relay = app.add_subcommand("relay", "What this node keeps for others while they are away");
    relay->require_subcommand(1);
    relay->fallthrough();
    auto* link = relay->add_subcommand("link", "The link that lets somebody use this relay");
    link->add_option("--hours", o->hours, "How long its invite works")->capture_default_str();
    link->add_flag("--json", o->as_json, "Print JSON");
    link->callback([&c, o] {
        run(c, "relay link", {{"hours", o->hours}}, o->as_json, [](const json::object& r) {
            std::cout << text(r, "link") << "\n";
            if (const auto expires = text(r, "expires"); !expires.empty())
                std::cout << "\nIts invite is good for one account, until " << expires << ".\n";
        });
    });
    auto* status = relay->add_subcommand("status", "How much waits here, for how many");
    status->add_flag("--json", o->as_json, "Print JSON");
    status->callback([&c, o] {
        run(c, "relay status", {}, o->as_json, [](const json::object& r) {
            if (text(r, "serve") == "off") {
                std::cout << "this node is no relay\n";
                return;
            }
            std::cout << "serves " << text(r, "serve") << ": " << number(r, "slots") << " slots, " << number(r, "notifications")
                      << " notifications and " << number(r, "blobs") << " mails wait, " << human_bytes(number(r, "bytes")) << "; "
                      << number(r, "clients") << " clients are here\n";
        });
    });
}

}  // namespace pp::cli
