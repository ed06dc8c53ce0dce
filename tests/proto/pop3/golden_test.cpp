// Plays every dialogue of tests/proto/pop3/golden: in a file dialogues that begin with "## title" and may set options
// in a line "O: starttls | tls". Each is played whole, byte by byte and cut at every byte of its input.
#include "tests/proto/pop3/player.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace pp;
using pop3::test::player;

namespace {

struct dialogue_text {
    std::string title, script;
    pop3::session_options options;
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
        } else if (line == "O: tls") {
            all.back().options.tls_active = true;
        } else if (line == "O: starttls") {
            all.back().options.offer_starttls = true;
            all.back().options.login_allowed = false;
        } else {
            all.back().script += line + "\n";
        }
    }
    return all;
}

}  // namespace

TEST_CASE("POP3 dialogues", "[pop3][golden]") {
    std::size_t played = 0;
    for (const auto& file : std::filesystem::directory_iterator(PEERPOST_SOURCE_DIR "/tests/proto/pop3/golden")) {
        for (const auto& d : dialogues_of(file.path())) {
            INFO(file.path().filename().string() << ": " << d.title);
            CHECK(pp::test::play_everywhere<player>(d.script, d.options) == "");
            ++played;
        }
    }
    CHECK(played >= 20);
}
