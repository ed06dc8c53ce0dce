// `peerpost serve`: the daemon, in the foreground. In an empty home it first makes an account and prints it, once.
#include "daemon/cli/init.hpp"
#include "daemon/cli/process.hpp"
#include "daemon/net/server.hpp"
#include "daemon/services/control.hpp"
#include "daemon/services/log.hpp"
#include "daemon/services/text_indexer.hpp"

#include <CLI/CLI.hpp>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#ifdef PEERPOST_WITH_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include <iostream>
#include <memory>

namespace pp::cli {

namespace {

// A command that runs while the daemon ends may take so long to finish; then it is left to the end of the process.
constexpr auto control_patience = std::chrono::milliseconds(300);

void tell_service_manager([[maybe_unused]] const char* state) {
#ifdef PEERPOST_WITH_SYSTEMD
    sd_notify(0, state);
#endif
}

command_error locked_error(const context& c) {
    return {EX_TEMPFAIL,
            "a peerpost runs in " + c.home.root.string() + " already; see it with: " + c.command("status")};
}

command_error open_failed(const context& c, const error_code& error) {
    return {error == storage::errc::wrong_secret ? EX_NOPERM : EX_DATAERR,
            "the home " + c.home.root.string() + " cannot be opened: " + error.message() +
                ". Nothing was changed; the log lines above say more" + what_may_help(c, error)};
}

// systemd.exec(5), $JOURNAL_STREAM: "device:inode" of the stream the journal reads.
bool output_goes_to_the_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat out {};
    if (!stream || fstat(STDOUT_FILENO, &out) != 0) return false;
    return std::to_string(out.st_dev) + ":" + std::to_string(out.st_ino) == stream;
}

// Makes the first account where there is none. False after a failure, which has been told.
bool ensure_account(context& c, const services::config& conf, const std::string& name) {
    if (services::node::has_account(c.home)) return true;
    if (output_goes_to_the_journal()) {
        fail(c, {EX_CONFIG, "there is no account in " + c.home.root.string() +
                                " yet, and its password and recovery words must not be written to the journal. Make it "
                                "once, by hand: " +
                                c.command("init")});
        return false;
    }
    // A relay's account is nobody's mail: what is not seen of it is not missed.
    if (output_is_lost() && conf.relay.serve == services::relay_rule::off) {
        fail(c, {EX_CONFIG, "there is no account in " + c.home.root.string() +
                                " yet, and nobody would see its password and recovery words: standard output leads "
                                "nowhere. Make it once, by hand: " + c.command("init")});
        return false;
    }
    if (const auto why = services::wrong_name(name); !why.empty()) {
        fail(c, {EX_USAGE, why});
        return false;
    }
    const auto made = services::node::init(c.home, conf, name);
    if (!made) {
        fail(c, init_error(c, made.error()));
        return false;
    }
    if (!print_new_account(c, conf, *made, false)) return false;
    std::cout << "\n" << std::flush;
    return true;
}

// What the signal's thread may stop, and when.
struct stoppable {
    std::mutex mutex;
    services::control* control = nullptr;
    net::server* server = nullptr;

    void stop() {
        const std::lock_guard guard(mutex);
        tell_service_manager("STOPPING=1");
        if (!server) {   // still recovering the stores: they are crash-safe
            services::flush_log();
            std::_Exit(EX_OK);
        }
        services::log(services::area::main).info("event=stopping");
        if (control) control->stop(std::chrono::milliseconds(0));
        server->stop();
    }
};

void serve(context& c, const std::string& own_name) {
    raise_descriptor_limit();
    const auto loaded = services::load_config(c.home.configuration());
    if (const auto* bad = std::get_if<services::config_error>(&loaded)) return fail(c, {EX_CONFIG, bad->text});
    const auto& conf = std::get<services::config>(loaded);
    services::start_log(conf);

    stoppable running;
    const end_signal ends([&running] { running.stop(); });
    const auto lock = lock_home(c);
    if (lock.has_error())
        return fail(c, lock.error() == storage::errc::locked
                           ? locked_error(c)
                           : command_error{EX_CANTCREAT, "the home " + c.home.root.string() +
                                                             " cannot be used: " + lock.error().message()});
    if (!ensure_account(c, conf, own_name)) return;
    const auto node = services::node::open(c.home, conf);
    if (!node) return fail(c, open_failed(c, node.error()));
    for (const auto* a : (*node)->accounts())
        for (const auto& note : a->recovery().notes)
            services::log(services::area::store).warn("account={} event=recovered note={}", a->label().substr(0, 6),
                                                      services::field(note));

    if (auto* relay = (*node)->relay())
        for (const auto& note : relay->store().recovered().notes())
            services::log(services::area::store).error("event=relay_recovered note={}", services::field(note));
    if (const auto& closed = (*node)->relay_closed(); !closed.empty())
        services::log(services::area::store).error("event=relay_closed reason={}", services::field(closed));

    net::server server(**node);
    if (const auto sentence = server.start(); !sentence.empty()) return fail(c, {EX_UNAVAILABLE, sentence});
    std::vector<std::pair<std::string, storage::account_store*>> stores;
    for (const auto* a : (*node)->accounts()) stores.emplace_back(a->label(), &a->store());
    const services::text_indexer indexer((*node)->writer(), stores);
    services::control control(
        [&](std::string_view name, const json::object& arguments, const command_progress& progress) {
            return services::run_command(**node, name, arguments, progress);
        });
    if (const auto started = control.start(c.home.control_socket()); started.has_error())
        return fail(c, {EX_CANTCREAT, "the control socket " + c.home.control_socket().string() + " cannot be made: " +
                                          started.error().message()});
    {
        const std::lock_guard guard(running.mutex);
        running.control = &control;
        running.server = &server;
    }
    services::log(services::area::main).info("event=ready version={} accounts={}", PEERPOST_VERSION,
                                             (*node)->accounts().size());
    tell_service_manager("READY=1");
    server.run();

    {
        // A long command may still use the node; then the process ends under it, as after a crash:
        // nothing is half done.
        const bool quiet = control.stop(control_patience);
        const std::lock_guard guard(running.mutex);
        running.control = nullptr;
        running.server = nullptr;
        if (!quiet) {
            (*node)->writer().stop();
            services::flush_log();
            std::cout.flush();
            std::_Exit(EX_OK);
        }
    }
    services::log(services::area::main).info("event=stopped");
    services::flush_log();
}

}  // namespace

void add_serve(CLI::App& app, context& c) {
    auto* command = app.add_subcommand("serve", "Run in the foreground; makes the first account in an empty home");
    const auto name = std::make_shared<std::string>();
    command->add_option("--name", *name, "Your name as others see it, where the first account is made; else nothing");
    command->callback([&c, name] { serve(c, *name); });
}

}  // namespace pp::cli
