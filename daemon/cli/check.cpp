// `peerpost check` reads the whole store; `peerpost config --explain` prints every key.
#include "daemon/cli/context.hpp"
#include "daemon/services/config.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>
#include <unistd.h>

#include <iostream>

namespace pp::cli {

namespace {

void show_progress(const json::object& step) {
    const auto total = number(step, "total_bytes");
    std::cerr << "\rchecked " << human_bytes(number(step, "done_bytes")) << " of " << human_bytes(total) << "    " << std::flush;
}

void show_check(const json::object& result) {
    for (const auto& item : list(result, "accounts")) {
        const auto& a = item.as_object();
        std::cout << text(a, "address") << ": " << number(a, "entries") << " entries, " << number(a, "mails") << " mails, "
                  << number(a, "blobs") << " blobs, " << human_bytes(number(a, "bytes")) << "\n";
        for (const auto& line : list(a, "lost")) std::cout << "  LOST: " << plain(line.as_string()) << "\n";
        for (const auto& line : list(a, "warnings")) std::cout << "  warning: " << plain(line.as_string()) << "\n";
    }
    std::cout << (result.contains("sound") && result.at("sound") == true ? "everything is sound\n" : "there is damage\n");
}

}  // namespace

void add_check(CLI::App& app, context& c) {
    const auto as_json = std::make_shared<bool>(false);
    auto* check = app.add_subcommand("check", "Read everything that is stored and say what is damaged; changes nothing");
    check->add_flag("--json", *as_json, "Print JSON");
    check->callback([&c, as_json] {
        const bool show = !*as_json && isatty(STDERR_FILENO);
        const auto answer = ask(c, "check", {}, show ? command_progress(show_progress) : command_progress());
        if (show) std::cerr << "\n";
        if (const auto* error = std::get_if<command_error>(&answer)) return fail(c, *error);
        const auto& result = std::get<boost::json::value>(answer).as_object();
        if (*as_json)
            std::cout << json::serialize(result) << "\n";
        else
            show_check(result);
        if (!result.contains("sound") || result.at("sound") != true) c.exit_code = EX_DATAERR;
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
            return;
        }
        const auto file = c.home.configuration().string();
        const auto loaded = services::load_config(file);
        if (const auto* bad = std::get_if<services::config_error>(&loaded)) return fail(c, {EX_CONFIG, bad->text});
        if (o->as_json)
            std::cout << json::serialize(json::object{{"file", file}, {"valid", true}}) << "\n";
        else
            std::cout << "the configuration " << file << " is valid (or absent: then every key has its default)\n";
    });
}

}  // namespace pp::cli
