// The fixed examples of a SPEC.md: each block ```hex name or ```text name, without blanks and line ends.
#pragma once

#include <fstream>
#include <map>
#include <sstream>
#include <string>

namespace pp::test {

inline std::map<std::string, std::string> blocks_of_specification(const std::string& path) {
    std::ifstream file(path);
    std::map<std::string, std::string> out;
    std::string name;
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("```", 0) == 0) {
            std::istringstream words(line.substr(3));
            std::string kind;
            name.clear();
            words >> kind >> name;
            if (kind != "hex" && kind != "text") name.clear();
            if (!name.empty()) out[name];
        } else if (!name.empty()) {
            for (const char c : line)
                if (c != ' ') out[name] += c;
        }
    }
    return out;
}

}  // namespace pp::test
