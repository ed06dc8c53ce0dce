// Plays every dialogue of tests/proto/pop3/golden: in a file dialogues that begin with "## title" and may set options
// in a line "O: starttls | tls". Each is played whole, byte by byte and cut at every byte of its input.
#include "tests/proto/golden_files.hpp"
#include "tests/proto/pop3/player.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

using namespace pp;
using pop3::test::player;

namespace {

void set_option(pop3::session_options& options, const std::string& option) {
    if (option == "tls") options.tls_active = true;
    else if (option == "starttls") options.offer_starttls = true, options.login_allowed = false;
    else FAIL("unknown option: " << option);
}

}  // namespace

TEST_CASE("POP3 dialogues", "[pop3][golden]") {
    std::size_t played = 0;
    for (const auto& file : std::filesystem::directory_iterator(PEERPOST_SOURCE_DIR "/tests/proto/pop3/golden")) {
        for (const auto& d : pp::test::golden_dialogues_of<pop3::session_options>(file.path(), set_option)) {
            INFO(file.path().filename().string() << ": " << d.title);
            CHECK(pp::test::play_everywhere<player>(d.script, d.options) == "");
            ++played;
        }
    }
    CHECK(played >= 20);
}
