#include "daemon/engine/error_text.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace pp;

namespace {

// The enumerators as they stand in the header: a new one without a row in the table is found.
std::size_t storage_errors() {
    std::ifstream file(std::string(PEERPOST_SOURCE_DIR) + "/storage/error.hpp");
    std::stringstream text;
    text << file.rdbuf();
    const std::string all = text.str();
    const auto begin = all.find("enum class errc {"), end = all.find("};", begin);
    REQUIRE(begin != all.npos);
    std::size_t count = 0;
    std::istringstream lines(all.substr(begin, end - begin));
    for (std::string line; std::getline(lines, line);)
        if (std::regex_search(line, std::regex("^    [a-z_]+( = 1)?,"))) ++count;
    return count;
}

}  // namespace

TEST_CASE("every error of the store has its row") {
    const auto count = storage_errors();
    REQUIRE(count >= 17);
    std::set<std::string_view> sentences;
    for (std::size_t value = 1; value <= count; ++value) {
        const auto row = engine::text_of(static_cast<storage::errc>(value));
        INFO("errc " << value << ": " << row.sentence);
        CHECK(row.imap_code != "SERVERBUG");
        CHECK(std::regex_match(std::string(row.smtp_status), std::regex("[45]\\.[0-9]\\.[0-9]")));
        CHECK(std::to_string(row.smtp_code).front() == row.smtp_status.front());   // RFC 3463 section 2
        CHECK(std::regex_match(std::string(row.imap_code), std::regex("[A-Z]+")));
        CHECK(row.sentence.size() > 10);
        CHECK(sentences.insert(row.sentence).second);
    }
    CHECK(engine::text_of(static_cast<storage::errc>(count + 1)).imap_code == "SERVERBUG");
    CHECK(engine::text_of(static_cast<storage::errc>(0)).imap_code == "SERVERBUG");
}
