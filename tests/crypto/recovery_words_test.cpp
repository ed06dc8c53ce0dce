// BIP-39 phrases: the reference vectors for 256 bits, typing errors.
#include "crypto/recovery_words.hpp"

#include "crypto/primitives.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace pp;
using namespace pp::crypto;

namespace {

account_seed seed_of(std::string_view text) { return account_seed::from(from_hex(text).value()).value(); }

std::string repeat(const std::string& word, int n, const std::string& last) {
    std::string out;
    for (int i = 0; i < n; ++i) out += word + " ";
    return out + last;
}

}  // namespace

TEST_CASE("phrases are those of BIP-39's reference vectors") {
    const std::pair<std::string, std::string> rows[] = {
        {std::string(64, '0'), repeat("abandon", 23, "art")},
        {std::string(64, 'f'), repeat("zoo", 23, "vote")},
        {"7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
         "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal "
         "winner thank year wave sausage worth title"},
        {"8080808080808080808080808080808080808080808080808080808080808080",
         "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor acoustic "
         "avoid letter advice cage absurd amount doctor acoustic bless"},
    };
    for (const auto& [seed, phrase] : rows) {
        CHECK(recovery_words(seed_of(seed)) == phrase);
        CHECK(hex(parse_recovery_words(phrase).value().view()) == seed);
    }
}

TEST_CASE("random seeds come back, in any case and with any blanks") {
    for (int i = 0; i < 50; ++i) {
        const auto seed = random<account_seed>();
        auto phrase = recovery_words(seed);
        CHECK(std::ranges::equal(parse_recovery_words(phrase).value().view(), seed.view()));
        std::string odd = "\t\n ";
        for (char c : phrase) {
            if (c == ' ') odd += "\r\n  \t";
            else odd += static_cast<char>(c - 'a' + 'A');
        }
        CHECK(std::ranges::equal(parse_recovery_words(odd + " \v\f").value().view(), seed.view()));
    }
}

TEST_CASE("what is no phrase says so") {
    const auto phrase = repeat("abandon", 23, "art");
    CHECK(parse_recovery_words("").error() == errc::bad_text);
    CHECK(parse_recovery_words(repeat("abandon", 22, "art")).error() == errc::bad_text);
    CHECK(parse_recovery_words(phrase + " art").error() == errc::bad_text);
    CHECK(parse_recovery_words(repeat("abandon", 23, "arts")).error() == errc::bad_text);
    CHECK(parse_recovery_words(repeat("abandon", 23, "arrestedx")).error() == errc::bad_text);
    CHECK(parse_recovery_words(repeat("abandon", 23, "abstractabstract")).error() == errc::bad_text);
    CHECK(parse_recovery_words(repeat("abandon", 23, "zzz")).error() == errc::bad_text);
    CHECK(parse_recovery_words(repeat("abandon", 23, "zoo")).error() == errc::bad_checksum);
    CHECK(parse_recovery_words("zoo " + phrase.substr(8)).error() == errc::bad_checksum);
    for (std::size_t cut = 0; cut < phrase.size(); ++cut)
        CHECK_FALSE(parse_recovery_words(phrase.substr(0, cut)).has_value());
}

TEST_CASE("one last word in 256 fits the checksum") {
    int fitting = 0;
    for (std::size_t i = 0; i < 2048; ++i)
        if (parse_recovery_words(repeat("abandon", 23, std::string(recovery_word(i))))) ++fitting;
    CHECK(fitting == 8);
}

TEST_CASE("the list is sorted and its first four letters name a word") {
    std::set<std::string_view> starts;
    for (std::size_t i = 0; i < 2048; ++i) {
        if (i > 0) CHECK(recovery_word(i - 1) < recovery_word(i));
        starts.insert(recovery_word(i).substr(0, 4));
    }
    CHECK(starts.size() == 2048);
    CHECK(recovery_word(0) == "abandon");
    CHECK(recovery_word(2047) == "zoo");
}
