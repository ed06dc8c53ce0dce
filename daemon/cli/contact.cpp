// `peerpost invite` and `peerpost contact add|list`.
#include "daemon/cli/context.hpp"
#include "daemon/services/qr.hpp"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <iostream>

namespace pp::cli {

namespace {

void show_invite(const json::object& i) {
    const auto link = text(i, "link");
    if (isatty(STDOUT_FILENO)) std::cout << services::qr_terminal(link);
    std::cout << link << "\n\n"
              << "Give this link to the person who is to write to you, over a channel you trust. It works "
              << (number(i, "uses") == 1 ? "once" : std::to_string(number(i, "uses")) + " times") << ", until "
              << text(i, "expires") << ". They enter: peerpost contact add LINK\n";
}

void show_contact(const json::object& p) {
    const auto name = text(p, "name");
    std::cout << plain(text(p, "address")) << (name.empty() ? "" : "  (" + plain(name) + ")") << "\n  known by "
              << text(p, "how") << " since " << text(p, "since");
    if (const auto* blocked = p.if_contains("blocked"); blocked && blocked->is_bool() && blocked->as_bool())
        std::cout << ", blocked";
    if (const auto* accepted = p.if_contains("accepted"); accepted && accepted->is_bool() && !accepted->as_bool())
        std::cout << ", a request";
    std::cout << "\n";
    for (const auto& endpoint : list(p, "endpoints"))
        if (endpoint.is_string()) std::cout << "  at " << plain(endpoint.as_string()) << "\n";
}

}  // namespace

void add_contact(CLI::App& app, context& c) {
    struct options {
        bool as_json = false;
        std::string account, contact, name;
        std::uint64_t hours = 7 * 24, uses = 1;
    };
    const auto o = std::make_shared<options>();
    auto* invite = app.add_subcommand("invite", "Make an invite link (and its QR code) for somebody who is to write to you");
    invite->add_flag("--json", o->as_json, "Print JSON");
    invite->add_option("--account", o->account, "Of this account (label or address)");
    invite->add_option("--hours", o->hours, "How long it works")->capture_default_str();
    invite->add_option("--uses", o->uses, "How many people may use it")->capture_default_str();
    invite->callback([&c, o] {
        run(c, "invite", {{"account", o->account}, {"hours", o->hours}, {"uses", o->uses}}, o->as_json, show_invite);
    });

    auto* contact = app.add_subcommand("contact", "The people this account knows");
    contact->require_subcommand(1);
    contact->fallthrough();
    auto* add = contact->add_subcommand("add", "Add a contact by invite link or address");
    add->add_option("contact", o->contact, "Invite link or address")->required();
    add->add_option("--name", o->name, "What to call the contact");
    add->add_option("--account", o->account, "For this account (label or address)");
    add->add_flag("--json", o->as_json, "Print JSON");
    add->callback([&c, o] {
        run(c, "contact add", {{"account", o->account}, {"contact", o->contact}, {"name", o->name}}, o->as_json,
            [](const json::object& p) {
                std::cout << (p.contains("new") && p.at("new") == true ? "added:\n" : "known already, updated:\n");
                show_contact(p);
            });
    });
    auto* shown = contact->add_subcommand("list", "Every contact");
    shown->add_option("--account", o->account, "Of this account (label or address)");
    shown->add_flag("--json", o->as_json, "Print JSON");
    shown->callback([&c, o] {
        run(c, "contact list", {{"account", o->account}}, o->as_json, [](const json::object& result) {
            if (list(result, "contacts").empty()) std::cout << "no contacts yet; exchange links made with: peerpost invite\n";
            for (const auto& p : list(result, "contacts"))
                if (p.is_object()) show_contact(p.as_object());
        });
    });
}

}  // namespace pp::cli
