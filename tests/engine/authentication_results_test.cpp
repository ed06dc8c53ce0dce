#include "daemon/engine/authentication_results.hpp"

#include <catch2/catch.hpp>

using namespace pp;

TEST_CASE("the block says who sent the mail and how the key is known") {
    const engine::arrival a{
        "node.example", "abc.peerpost.alt", storage::known_by::invite_used, {"anna", "xyz.peerpost.alt"}};
    CHECK(engine::authentication_results(a) ==
          "Delivered-To: anna@xyz.peerpost.alt\r\n"
          "Authentication-Results: node.example;\r\n"
          " peerpost=pass (key known from an invitation you used)\r\n"
          " header.from=abc.peerpost.alt\r\n"
          " policy.key-known-by=invite-used\r\n");
}

TEST_CASE("no value adds a field, ends the header or makes a line too long") {
    for (const std::string& evil :
         {std::string("x\r\nX: y"), std::string("x\r\n\r\nbody"), std::string("x;\n dkim=pass"), std::string("x\0y", 3),
          std::string(5000, 'x'), std::string("\xff\xfe"), std::string()})
        for (const auto how : {storage::known_by::invite_used, storage::known_by::invite_given,
                               storage::known_by::address, storage::known_by::request}) {
            const auto block = engine::authentication_results({evil, evil, how, {evil, evil}});
            std::size_t lines = 0, fields = 0;
            for (std::size_t at = 0; at < block.size();) {
                const auto end = block.find("\r\n", at);
                REQUIRE(end != block.npos);
                const auto line = block.substr(at, end - at);
                REQUIRE(line.size() < 998);
                REQUIRE(!line.empty());
                for (const char c : line) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
                if (line[0] != ' ') ++fields;
                ++lines;
                at = end + 2;
            }
            CHECK(lines == 5);
            CHECK(fields == 2);
            CHECK(block.find("dkim=pass", block.find("Authentication-Results:")) == block.npos);
        }
}
