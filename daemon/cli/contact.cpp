// `peerpost invite` and `peerpost contact add|list|show|accept|block|remove|verify`.
#include "daemon/cli/context.hpp"
#include "daemon/engine/vcard.hpp"
#include "daemon/services/qr.hpp"

#include <CLI/CLI.hpp>
#include <sys/ioctl.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

namespace pp::cli {

namespace {

// On a terminal. One that is too narrow would break each line of the picture in two.
void show_qr(const std::string& link) {
    if (!isatty(STDOUT_FILENO)) return;
    const auto columns = services::qr_columns(link);
    struct winsize size {};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_col < columns)
        std::cout << "(The QR code takes " << columns << " columns; this terminal has " << size.ws_col << ".)\n\n";
    else
        std::cout << services::qr_terminal(link);
}

void show_invite(const json::object& i) {
    const auto link = text(i, "link");
    show_qr(link);
    std::cout << link << "\n\n"
              << "Give this link to the person who is to write to you, over a channel you trust. It works "
              << (number(i, "uses") == 1 ? "once" : std::to_string(number(i, "uses")) + " times") << ", until "
              << text(i, "expires") << ". They enter: peerpost contact add LINK\n";
}

bool is(const json::object& p, std::string_view what) {
    const auto* found = p.if_contains(what);
    return found && found->is_bool() && found->as_bool();
}

void show_contact(const json::object& p) {
    const auto name = text(p, "name");
    std::cout << (name.empty() ? "(no name)" : plain(name)) << "\n  " << plain(text(p, "address")) << "\n  "
              << text(p, "how_text") << ", since " << text(p, "since")
              << (is(p, "verified") ? ", key compared " + text(p, "verified_at") : ", key not compared");
    if (is(p, "blocked")) std::cout << ", BLOCKED";
    if (is(p, "removed")) std::cout << ", removed";
    else if (!is(p, "accepted")) std::cout << ", a request: not accepted";
    std::cout << "\n";
    for (const auto& endpoint : list(p, "endpoints"))
        if (endpoint.is_string()) std::cout << "  at " << plain(endpoint.as_string()) << "\n";
}

void show_details(const json::object& p) {
    show_contact(p);
    std::cout << "  code to compare: " << text(p, "code") << "\n";
    if (!text(p, "record_made").empty()) std::cout << "  account record of " << text(p, "record_made") << "\n";
    for (const auto& d : list(p, "devices"))
        if (d.is_object())
            std::cout << "  device " << plain(text(d.as_object(), "name")) << "  " << text(d.as_object(), "device")
                      << "\n";
    for (const auto& r : list(p, "relays"))
        if (r.is_string()) std::cout << "  relay " << plain(r.as_string()) << "\n";
}

void show_verification(const json::object& p) {
    if (is(p, "changed")) {
        std::cout << "verified:\n";
        return show_contact(p);
    }
    show_contact(p);
    std::cout << "\n";
    show_qr(text(p, "link"));
    std::cout << "\n  " << text(p, "code") << "\n  " << text(p, "link") << "\n\n"
              << "The other person sees the same digits with: peerpost contact verify NAME. Compare them over a "
                 "channel you trust (on the telephone, or by scanning this picture), then:\n"
              << "  peerpost contact verify NAME --same     you have compared them, and they are the same\n"
              << "  peerpost contact verify NAME CODE       checks what was read to you, or scanned\n";
}

// A card file's content, for an argument that names one.
std::string read_contact_argument(const std::string& given) {
    std::error_code failed;
    if (!given.ends_with(".vcf") || !std::filesystem::is_regular_file(given, failed)) return given;
    std::ifstream in(given, std::ios::binary);
    std::string card(engine::card_bytes_max, '\0');
    in.read(card.data(), static_cast<std::streamsize>(card.size()));
    card.resize(static_cast<std::size_t>(in.gcount()));
    return card;
}

void show_change(const json::object& p, const char* done) {
    std::cout << (is(p, "changed") ? done : "nothing to change:") << "\n";
    show_contact(p);
}

}  // namespace

void add_contact(CLI::App& app, context& c) {
    struct options {
        bool as_json = false, all = false, undo = false, same = false, new_key = false;
        std::string account, contact, name, code;
        std::uint64_t hours = 7 * 24, uses = 1;
    };
    const auto o = std::make_shared<options>();
    auto* invite =
        app.add_subcommand("invite", "Make an invite link (and its QR code) for somebody who is to write to you");
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
    auto* add = contact->add_subcommand("add", "Add a contact by invite link, address or card file (.vcf)");
    add->add_option("contact", o->contact, "Invite link, address or card file")->required();
    add->add_flag("--new-key", o->new_key, "Although a contact of this name has another key");
    add->add_option("--name", o->name, "What to call the contact");
    add->add_option("--account", o->account, "For this account (label or address)");
    add->add_flag("--json", o->as_json, "Print JSON");
    add->callback([&c, o] {
        run(c, "contact add",
            {{"account", o->account},
             {"contact", read_contact_argument(o->contact)},
             {"name", o->name},
             {"new_key", o->new_key}},
            o->as_json, [](const json::object& p) {
                std::cout << (p.contains("new") && p.at("new") == true ? "added:\n" : "known already, updated:\n");
                show_contact(p);
            });
    });
    auto* shown = contact->add_subcommand("list", "Every contact");
    shown->add_option("--account", o->account, "Of this account (label or address)");
    shown->add_flag("--json", o->as_json, "Print JSON");
    shown->add_flag("--all", o->all, "Also those that were removed");
    shown->callback([&c, o] {
        run(c, "contact list", {{"account", o->account}, {"all", o->all}}, o->as_json, [](const json::object& result) {
            if (list(result, "contacts").empty())
                std::cout << "no contacts yet; exchange links made with: peerpost invite\n";
            for (const auto& p : list(result, "contacts"))
                if (p.is_object()) show_contact(p.as_object());
        });
    });

    const auto named = [&c, o, contact](const char* name, const char* help) {
        auto* one = contact->add_subcommand(name, help);
        one->add_option("contact", o->contact, "Name, address, or the first letters of the label")->required();
        one->add_option("--account", o->account, "Of this account (label or address)");
        one->add_flag("--json", o->as_json, "Print JSON");
        return one;
    };
    named("show", "Everything about one contact")->callback([&c, o] {
        run(c, "contact show", {{"account", o->account}, {"contact", o->contact}}, o->as_json, show_details);
    });
    auto* accept =
        named("accept", "Take somebody's mail in INBOX: accepts a request, lifts a block, takes back a removal");
    accept->add_flag("--new-key", o->new_key, "Although a contact of this name has another key");
    accept->callback([&c, o] {
        run(c, "contact accept", {{"account", o->account}, {"contact", o->contact}, {"new_key", o->new_key}},
            o->as_json, [](const json::object& p) { show_change(p, "accepted:"); });
    });
    auto* block = named("block", "Take nothing more from somebody; the sender is told that the mail is not taken");
    block->add_flag("--undo", o->undo, "Lift the block");
    block->callback([&c, o] {
        run(c, "contact block", {{"account", o->account}, {"contact", o->contact}, {"undo", o->undo}}, o->as_json,
            [o](const json::object& p) { show_change(p, o->undo ? "no longer blocked:" : "blocked:"); });
    });
    auto* remove =
        named("remove", "Make a stranger of a contact: new mail goes to Requests. Can be undone for 30 days");
    remove->add_flag("--undo", o->undo, "Take it back");
    remove->callback([&c, o] {
        run(c, "contact remove", {{"account", o->account}, {"contact", o->contact}, {"undo", o->undo}}, o->as_json,
            [o](const json::object& p) { show_change(p, o->undo ? "back again:" : "removed:"); });
    });
    auto* verify = named("verify", "Compare keys with a contact: by reading digits to each other, or by scanning");
    verify->add_option("code", o->code, "What was read to you, or scanned");
    verify->add_flag("--same", o->same, "You have compared the digits, and they are the same");
    verify->callback([&c, o] {
        run(c, "contact verify",
            {{"account", o->account}, {"contact", o->contact}, {"code", o->code}, {"same", o->same}}, o->as_json,
            show_verification);
    });
}

}  // namespace pp::cli
