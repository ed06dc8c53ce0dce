// `peerpost check` reads the whole store, `check --repair` saves what can be saved, `shred` makes what was deleted
// unreadable; `peerpost config --explain` prints every key.
#include "daemon/cli/context.hpp"
#include "daemon/services/config.hpp"
#include "daemon/services/json_line.hpp"
#include "daemon/services/log.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>
#include <unistd.h>

#include <iostream>

namespace pp::cli {

namespace {

void show_progress(const json::object& step) {
    const auto total = number(step, "total_bytes");
    std::cerr << "\rchecked " << human_bytes(number(step, "done_bytes")) << " of " << human_bytes(total) << "    "
              << std::flush;
}

void show_check(const json::object& result) {
    for (const auto& item : list(result, "accounts")) {
        const auto& a = item.as_object();
        std::cout << text(a, "address") << ": " << number(a, "entries") << " entries, " << number(a, "mails")
                  << " mails, " << number(a, "blobs") << " blobs, " << human_bytes(number(a, "bytes")) << "\n";
        for (const auto& line : list(a, "lost")) std::cout << "  LOST: " << plain(line.as_string()) << "\n";
        for (const auto& line : list(a, "warnings")) std::cout << "  warning: " << plain(line.as_string()) << "\n";
    }
    if (const auto* kept = result.if_contains("relay"); kept && kept->is_object()) {
        const auto& r = kept->as_object();
        std::cout << "relay: " << number(r, "slots") << " slots, " << number(r, "notifications") << " notifications, "
                  << number(r, "blobs") << " mails, " << human_bytes(number(r, "bytes")) << "\n";
        for (const auto& line : list(r, "lost")) std::cout << "  LOST: " << plain(line.as_string()) << "\n";
        for (const auto& line : list(r, "warnings")) std::cout << "  warning: " << plain(line.as_string()) << "\n";
    }
    for (const auto& line : list(result, "keyring")) std::cout << "warning: " << plain(line.as_string()) << "\n";
    std::cout << (result.contains("sound") && result.at("sound") == true ? "everything is sound\n"
                                                                         : "there is damage\n");
}

// Alone with the home: a running daemon would go on with what is being repaired. False after a failure, which was told.
bool repair(context& c, json::array& repaired) {
    const auto lock = lock_home(c);
    if (lock.has_error()) {
        fail(c, lock.error() == storage::errc::locked
                    ? command_error{EX_TEMPFAIL,
                                    "peerpost is running; stop it first, then repair: " + c.command("check --repair")}
                    : command_error{EX_CANTCREAT,
                                    "the home " + c.home.root.string() + " cannot be used: " + lock.error().message()});
        return false;
    }
    const auto loaded = services::load_config(c.home.configuration());
    if (const auto* bad = std::get_if<services::config_error>(&loaded)) {
        fail(c, {EX_CONFIG, bad->text});
        return false;
    }
    services::start_log(std::get<services::config>(loaded));
    const auto done = services::node::repair(c.home, std::get<services::config>(loaded));
    if (!done) {
        fail(c, {EX_DATAERR, "the home " + c.home.root.string() + " could not be repaired: " + done.error().message()});
        return false;
    }
    for (const auto& account : *done) {
        json::array what, lost;
        for (const auto& line : account.report.done) what.push_back(json::string(line));
        for (const auto& line : account.report.lost) lost.push_back(json::string(line));
        repaired.push_back(json::object{
            {"account", account.label},
            {"done", std::move(what)},
            {"lost", std::move(lost)},
            {"kept_in",
             account.report.kept_in.empty() ? "" : (account.folder / account.report.kept_in).string()}});
    }
    return true;
}

void show_repair(const json::array& repaired) {
    for (const auto& item : repaired) {
        const auto& a = item.as_object();
        for (const auto& line : list(a, "done")) std::cout << "repaired: " << plain(line.as_string()) << "\n";
        for (const auto& line : list(a, "lost")) std::cout << "LOST: " << plain(line.as_string()) << "\n";
        if (const auto kept = text(a, "kept_in"); !kept.empty())
            std::cout << "what was damaged is kept in " << kept << "\n";
    }
}

}  // namespace

void add_check(CLI::App& app, context& c) {
    const auto as_json = std::make_shared<bool>(false), mend = std::make_shared<bool>(false);
    auto* check =
        app.add_subcommand("check", "Read everything that is stored and say what is damaged; changes nothing");
    check->add_flag("--json", *as_json, "Print JSON");
    check->add_flag("--repair", *mend,
                    "First save what can be saved; peerpost must not be running. Damaged files are put aside, not "
                    "deleted; UIDs and UIDVALIDITY stay");
    check->callback([&c, as_json, mend] {
        json::array repaired;
        if (*mend && !repair(c, repaired)) return;
        const bool show = !*as_json && isatty(STDERR_FILENO);
        const auto answer = ask(c, "check", {}, show ? command_progress(show_progress) : command_progress());
        if (show) std::cerr << "\n";
        if (const auto* error = std::get_if<command_error>(&answer)) return fail(c, *error);
        auto result = std::get<boost::json::value>(answer).as_object();
        if (*mend) result["repaired"] = repaired;
        if (*as_json) {
            std::cout << services::json_line(result) << "\n";
        } else {
            show_repair(repaired);
            show_check(result);
        }
        if (!was_printed(c)) return;
        if (!result.contains("sound") || result.at("sound") != true) c.exit_code = EX_DATAERR;
    });
}

void add_shred(CLI::App& app, context& c) {
    struct options {
        std::string account;
        bool as_json = false;
    };
    const auto o = std::make_shared<options>();
    auto* shred = app.add_subcommand("shred",
                                     "Make everything that was deleted unreadable for ever, also in old copies of the "
                                     "store that come without the keyring of their time");
    shred->add_option("--account", o->account, "Label or address; without it the first account");
    shred->add_flag("--json", o->as_json, "Print JSON");
    shred->callback([&c, o] {
        run(c, "shred", {{"account", o->account}}, o->as_json, [](const json::object& result) {
            std::cout << text(result, "address") << ": nothing that was deleted can be opened any more\n";
        });
    });
}

void add_config(CLI::App& app, context& c) {
    struct options {
        bool explain = false, as_json = false;
    };
    const auto o = std::make_shared<options>();
    auto* config = app.add_subcommand("config", "Check the configuration, or explain every key");
    config->add_flag("--explain", o->explain, "Print every key with its default and what it means, as a TOML file");
    config->add_flag("--json", o->as_json, "Print JSON");
    config->callback([&c, o] {
        if (o->explain) {
            const auto text = services::explain_config();
            std::cout << (o->as_json ? json::serialize(json::object{{"explanation", text}}) + "\n" : text);
            was_printed(c);
            return;
        }
        const auto file = c.home.configuration().string();
        const auto loaded = services::load_config(file);
        if (const auto* bad = std::get_if<services::config_error>(&loaded)) return fail(c, {EX_CONFIG, bad->text});
        if (o->as_json)
            std::cout << services::json_line(json::object{{"file", file}, {"valid", true}}) << "\n";
        else
            std::cout << "the configuration " << file << " is valid (or absent: then every key has its default)\n";
        if (!o->as_json && std::get<services::config>(loaded).dht.mode == services::dht_mode::by_home)
            std::cout << "[dht] mode is not set: \"mainline\" in a home made since `peerpost init` tells what leaves "
                         "the machine, \"off\" in an older one; `peerpost status` shows which. To decide: mode = "
                         "\"mainline\" or \"off\"\n";
    });
}

}  // namespace pp::cli
