// `peerpost account add|list|name` and `peerpost password new|list|revoke`.
#include "daemon/cli/context.hpp"

#include <CLI/CLI.hpp>

#include <iostream>

namespace pp::cli {

namespace {

struct options {
    bool as_json = false;
    std::string account, name, password;
};

void add_accounts(CLI::App& app, context& c, const std::shared_ptr<options>& o) {
    auto* account = app.add_subcommand("account", "The accounts of this home");
    account->require_subcommand(1);
    account->fallthrough();
    auto* add = account->add_subcommand("add", "Make another account");
    add->add_option("--name", o->name, "Its name as others see it");
    add->add_flag("--json", o->as_json, "Print JSON");
    add->callback([&c, o] {
        run(c, "account add", {{"name", o->name}}, o->as_json, [](const json::object& made) {
            std::cout << "Address:\n  " << text(made, "address") << "\nPassword (shown this once):\n  "
                      << text(made, "password") << "\nRecovery words (shown this once: write them down):\n  "
                      << text(made, "recovery_words") << "\n";
        });
    });
    auto* shown = account->add_subcommand("list", "Every account");
    shown->add_flag("--json", o->as_json, "Print JSON");
    shown->callback([&c, o] {
        run(c, "account list", {}, o->as_json, [](const json::object& result) {
            for (const auto& a : list(result, "accounts"))
                std::cout << text(a.as_object(), "address") << "  " << plain(text(a.as_object(), "name")) << "\n";
        });
    });
    auto* renamed = account->add_subcommand(
        "name", "Change the name that others see, and the address that is shown with it; the old ones still reach it");
    renamed->add_option("name", o->name, "The new name")->required();
    renamed->add_option("--account", o->account, "Of this account (label or address)");
    renamed->add_flag("--json", o->as_json, "Print JSON");
    renamed->callback([&c, o] {
        run(c, "account name", {{"account", o->account}, {"name", o->name}}, o->as_json, [](const json::object& now) {
            const auto address = text(now, "address"), before = text(now, "address_before");
            const bool changed = now.at("changed").as_bool();
            std::cout << (changed ? "" : "nothing to change: ") << plain(text(now, "name")) << "\n  " << address
                      << "\n";
            if (!changed) return;
            std::cout << "Contacts see the name when they next hear from this computer; the key stays the same. Your "
                         "mail client has a name of its own for what you write: change it there, too.\n";
            if (address != before) std::cout << "Mail to " << before << " arrives as before.\n";
        });
    });
}

}  // namespace

void add_account(CLI::App& app, context& c) {
    const auto o = std::make_shared<options>();
    add_accounts(app, c, o);

    auto* password = app.add_subcommand("password", "App passwords: one per mail client, each revocable");
    password->require_subcommand(1);
    password->fallthrough();
    auto* made = password->add_subcommand("new", "Make a password and show it once");
    made->add_option("--name", o->name, "The client that will use it, such as phone")->required();
    made->add_option("--account", o->account, "For this account (label or address)");
    made->add_flag("--json", o->as_json, "Print JSON");
    made->callback([&c, o] {
        run(c, "password new", {{"account", o->account}, {"name", o->name}}, o->as_json, [](const json::object& p) {
            std::cout << "User name:\n  " << text(p, "address") << "\nPassword (shown this once):\n  "
                      << text(p, "password") << "\n";
        });
    });
    auto* shown = password->add_subcommand("list", "Every password by name");
    shown->add_option("--account", o->account, "Of this account (label or address)");
    shown->add_flag("--json", o->as_json, "Print JSON");
    shown->callback([&c, o] {
        run(c, "password list", {{"account", o->account}}, o->as_json, [](const json::object& result) {
            for (const auto& item : list(result, "passwords")) {
                const auto& p = item.as_object();
                const auto used = text(p, "last_used");
                std::cout << plain(text(p, "name")) << "  made " << text(p, "created") << "  "
                          << (used.empty() ? "never used" : "last used " + used.substr(0, 10)) << "\n";
            }
        });
    });
    auto* revoke = password->add_subcommand("revoke", "Revoke a password");
    revoke->add_option("password", o->password, "Its name or id")->required();
    revoke->add_option("--account", o->account, "Of this account (label or address)");
    revoke->add_flag("--json", o->as_json, "Print JSON");
    revoke->callback([&c, o] {
        run(c, "password revoke", {{"account", o->account}, {"password", o->password}}, o->as_json,
            [&c](const json::object& result) {
                std::cout << "revoked " << plain(text(result, "name")) << "\n";
                if (number(result, "left") == 0)
                    std::cout << "No password is left: no mail client can log in until "
                              << c.command("password new --name CLIENT") << "\n";
            });
    });
}

}  // namespace pp::cli
