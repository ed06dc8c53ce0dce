// Plays every dialogue of tests/proto/imap/golden: one file per command or client, in it dialogues that begin with
// "## title" and may set options in a line "O: starttls | tls | no-plain-login | append-limit <n>". Each is played
// whole, byte by byte and cut at every byte of its input.
#include "tests/proto/imap/player.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>

using namespace pp;
using namespace pp::imap::test;

namespace {

struct dialogue_text {
    std::string title, script;
    imap::session_options options;
};

std::vector<dialogue_text> dialogues_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::vector<dialogue_text> all;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("## ")) {
            all.emplace_back();
            all.back().title = line.substr(3);
            all.back().options.server_version = "0.1";
        } else if (all.empty()) {
            continue;
        } else if (line.starts_with("O: ")) {
            auto& options = all.back().options;
            if (line == "O: starttls") options.offer_starttls = true;
            else if (line == "O: tls") options.tls_active = true;
            else if (line == "O: no-plain-login") options.offer_starttls = true, options.login_allowed = false;
            else if (line.starts_with("O: append-limit ")) options.append_bytes_max = std::stoull(line.substr(16));
            else FAIL("unknown option: " << line);
        } else {
            all.back().script += line + "\n";
        }
    }
    return all;
}

}  // namespace

TEST_CASE("golden dialogues", "[imap][golden]") {
    const std::filesystem::path folder = PEERPOST_SOURCE_DIR "/tests/proto/imap/golden";
    std::map<std::filesystem::path, int> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files[entry.path()];
    REQUIRE(!files.empty());
    for (auto& [file, count] : files)
        for (const auto& one : dialogues_of(file)) {
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
