// The application: options, commands, exit codes. Parsing errors are EX_USAGE.
#include "daemon/cli/context.hpp"

#include <CLI/CLI.hpp>
#include <sysexits.h>

#include <iostream>

namespace pp::cli {

int run_program(int argc, char** argv) {
    CLI::App app{"peerpost: mail without a provider. Speaks IMAP and SMTP with your mail client on this machine and "
                 "delivers, encrypted, straight to other people's peerpost.",
                 "peerpost"};
    context c;
    c.program = argc > 0 ? argv[0] : "peerpost";
    std::string home;
    app.add_option("--home", home,
                   "Directory of this peerpost; everything it keeps lies below it. Without it: "
                   "$XDG_DATA_HOME/peerpost or ~/.local/share/peerpost; for root /var/lib/peerpost where that exists");
    app.set_version_flag("--version", "peerpost " PEERPOST_VERSION);
    app.require_subcommand(1);
    app.fallthrough();
    // Commands run as callbacks of the parser, after every option is known.
    app.parse_complete_callback([&] {
        c.home_is_default = home.empty();
        c.home.root =
            std::filesystem::absolute(home.empty() ? default_home() : std::filesystem::path(home)).lexically_normal();
    });
    add_serve(app, c);
    add_init(app, c);
    add_status(app, c);
    add_queue(app, c);
    add_contact(app, c);
    add_account(app, c);
    add_config(app, c);
    add_check(app, c);
    add_relay(app, c);
    add_shred(app, c);
    add_demo(app, c);
    for (auto* command : app.get_subcommands(nullptr)) command->fallthrough();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : EX_USAGE;
    } catch (const std::exception& error) {
        std::cerr << "peerpost: internal error: " << error.what() << "\n";
        return EX_SOFTWARE;
    }
    return c.exit_code;
}

}  // namespace pp::cli
