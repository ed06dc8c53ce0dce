// Files of written dialogues (tests/proto/*/golden): in each dialogues that begin with "## title" and may set options
// in lines "O: option". What stands before the first title is for readers.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace pp::test {

template <class Options>
struct golden_dialogue {
    std::string title, script;
    Options options;
};

// set(options, option): takes over one option, the text behind "O: ".
template <class Options, class Set>
std::vector<golden_dialogue<Options>> golden_dialogues_of(const std::filesystem::path& file, Set&& set) {
    std::ifstream in(file);
    std::vector<golden_dialogue<Options>> all;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("## ")) {
            all.emplace_back();
            all.back().title = line.substr(3);
            all.back().options.server_version = "0.1";
        } else if (all.empty()) {
            continue;
        } else if (line.starts_with("O: ")) {
            set(all.back().options, line.substr(3));
        } else {
            all.back().script += line + "\n";
        }
    }
    return all;
}

}  // namespace pp::test
