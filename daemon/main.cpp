// The program: hardens the process, then does what the command line says.
#include "crypto/keys.hpp"
#include "daemon/cli/context.hpp"
#include "daemon/cli/process.hpp"

int main(int argc, char** argv) {
    pp::cli::harden_process();
    pp::crypto::initialise();
    return pp::cli::run_program(argc, argv);
}
