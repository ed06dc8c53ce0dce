// `peerpost relay link|status`: being a relay for others. `relay use|list|drop`: where mail for us waits.
#include "daemon/cli/context.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace pp::cli {

namespace {

void show_used(const json::object& r) {
    std::cout << text(r, "relay") << "\n";
    for (const auto& endpoint : list(r, "endpoints"))
        if (endpoint.is_string()) std::cout << "  at " << plain(std::string(endpoint.as_string())) << "\n";
    const auto* opened = r.if_contains("opened");
    std::cout << "  since " << text(r, "since")
              << (opened && opened->is_bool() && opened->as_bool()
                      ? ""
                      : ", not reached yet: it is tried while peerpost runs")
              << "\n";
}

}  // namespace

void add_relay(CLI::App& app, context& c) {
    struct options {
        bool as_json = false;
        std::uint64_t hours = 30 * 24;
        std::string account, link, relay;
    };
    const auto o = std::make_shared<options>();
    auto* relay =
        app.add_subcommand("relay", "Where mail waits for those who are away: for others here, for us elsewhere");
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
    auto* use = relay->add_subcommand("use", "Let mail for this account wait at a relay while it is away");
    use->add_option("link", o->link, "The relay's link, from its owner: peerpost relay link")->required();
    use->add_option("--account", o->account, "For this account (label or address)");
    use->add_flag("--json", o->as_json, "Print JSON");
    use->callback([&c, o] {
        run(c, "relay use", {{"account", o->account}, {"link", o->link}}, o->as_json, [](const json::object& r) {
            show_used(r);
            std::cout << "\nYour contacts learn of it with the next link. Invites you make from now on carry it.\n";
        });
    });
    auto* used = relay->add_subcommand("list", "The relays at which mail for this account waits");
    used->add_option("--account", o->account, "Of this account (label or address)");
    used->add_flag("--json", o->as_json, "Print JSON");
    used->callback([&c, o] {
        run(c, "relay list", {{"account", o->account}}, o->as_json, [](const json::object& r) {
            const auto& rows = list(r, "relays");
            if (rows.empty()) std::cout << "no relay is used; use one with: peerpost relay use LINK\n";
            const auto* found = r.if_contains("trouble");
            const auto trouble = found && found->is_object() ? found->as_object() : json::object();
            for (const auto& row : rows) {
                if (!row.is_object()) continue;
                show_used(row.as_object());
                if (const auto why = text(trouble, text(row.as_object(), "relay")); !why.empty())
                    std::cout << "  no mail waits there at the moment: " << plain(why) << "\n";
            }
        });
    });
    auto* drop = relay->add_subcommand("drop", "Stop using a relay; what waits there is given up");
    drop->add_option("relay", o->relay, "The relay, as relay list prints it, or its beginning")->required();
    drop->add_option("--account", o->account, "Of this account (label or address)");
    drop->add_flag("--json", o->as_json, "Print JSON");
    drop->callback([&c, o] {
        run(c, "relay drop", {{"account", o->account}, {"relay", o->relay}}, o->as_json, [](const json::object& r) {
            std::cout << "not used any more: " << text(r, "relay") << "\n";
            if (const auto why = text(r, "why"); !why.empty())
                std::cout << "  its slot is not closed: " << plain(why) << "\n";
        });
    });
    auto* status = relay->add_subcommand("status", "How much waits here, for how many");
    status->add_flag("--json", o->as_json, "Print JSON");
    status->callback([&c, o] {
        run(c, "relay status", {}, o->as_json, [](const json::object& r) {
            if (text(r, "serve") == "off") {
                std::cout << "this node is no relay; [relay] serve in peerpost.toml makes it one\n";
                return;
            }
            std::cout << "This node is a relay ([relay] serve = \"" << text(r, "serve") << "\").\n"
                      << "  people    " << number(r, "slots") << " have a slot here, " << number(r, "clients")
                      << " are connected\n"
                      << "  waiting   " << number(r, "blobs") << " mails, " << number(r, "notifications")
                      << " notifications and receipts, " << human_bytes(number(r, "bytes")) << "\n"
                      << "  circuits  " << number(r, "reservations") << " can be called through this relay, "
                      << number(r, "circuits") << " open\n";
            for (const auto& note : list(r, "notes")) std::cout << "  note      " << plain(note.as_string()) << "\n";
        });
    });
}

}  // namespace pp::cli
