// Plays every dialogue of tests/proto/imap/golden: one file per command or client, in it dialogues that begin with
// "## title" and may set options in a line "O: starttls | tls | no-plain-login | append-limit <n>". Each is played
// whole, byte by byte and cut at every byte of its input.
#include "tests/proto/golden_files.hpp"
#include "tests/proto/imap/player.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <map>

using namespace pp;
using namespace pp::imap::test;

namespace {

void set_option(imap::session_options& options, const std::string& option) {
    if (option == "starttls") options.offer_starttls = true;
    else if (option == "tls") options.tls_active = true;
    else if (option == "no-plain-login") options.offer_starttls = true, options.login_allowed = false;
    else if (option.starts_with("append-limit ")) options.append_bytes_max = std::stoull(option.substr(13));
    else FAIL("unknown option: " << option);
}

}  // namespace

TEST_CASE("golden dialogues", "[imap][golden]") {
    const std::filesystem::path folder = PEERPOST_SOURCE_DIR "/tests/proto/imap/golden";
    std::map<std::filesystem::path, int> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files[entry.path()];
    REQUIRE(!files.empty());
    for (auto& [file, count] : files)
        for (const auto& one : pp::test::golden_dialogues_of<imap::session_options>(file, set_option)) {
            ++count;
            INFO(file.filename().string() << ": " << one.title);
            CHECK(play_everywhere(one.script, one.options) == "");
        }
    for (const auto& [file, count] : files) {
        INFO(file);
        CHECK(count > 0);
    }
}

TEST_CASE("the player notices what is not as written", "[imap][golden]") {
    imap::session_options options;
    CHECK(play_everywhere("G: user\nC: a NOOP\nS: a OK NOOP completed\n", options) == "");
    CHECK(play_everywhere("G: user\nC: a NOOP\nS: a NO NOOP completed\n", options) != "");
    CHECK(play_everywhere("G: user\nC: a NOOP\n", options) != "");
    CHECK(play_everywhere("G: user\nC: a NOOP\nS: a OK NOOP completed\nS: more\n", options) != "");
    CHECK(play_everywhere("G: user\nX:\n", options) != "");
}
