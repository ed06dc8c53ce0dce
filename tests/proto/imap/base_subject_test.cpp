// Base subjects (RFC 5256 sections 2.1 and 5): each rule, their order, and what only looks like one of them.
#include "proto/imap/search/base_subject.hpp"

#include <catch2/catch.hpp>

using namespace pp::imap;

TEST_CASE("base subject", "[imap][sort][subject]") {
    struct row {
        const char* subject;
        const char* base;
        bool reply;
    };
    const row table[] = {
        {"", "", false},
        {"   ", "", false},
        {"hello", "hello", false},
        {"  hello \t world  ", "hello world", false},
        {"a\r\n\tb", "a b", false},
        // subj-refwd
        {"Re: hello", "hello", true},
        {"RE:hello", "hello", true},
        {"re : hello", "hello", true},
        {"Fw: hello", "hello", true},
        {"FWD: hello", "hello", true},
        {"fwd : re: fw: hello", "hello", true},
        {"Re[2]: hello", "hello", true},
        {"Re [2] : hello", "hello", true},
        {"Re: ", "", true},
        {"Re:", "", true},
        {"Re hello", "Re hello", false},
        {"Regards: hello", "Regards: hello", false},
        {"fwdx: hello", "fwdx: hello", false},
        {"AW: hello", "AW: hello", false},   // only what the ABNF names
        {"Re[2][3]: hello", "Re[2][3]: hello", false},
        {"Re[2: hello", "Re[2: hello", false},
        // subj-blob
        {"[list] hello", "hello", false},
        {"[list]hello", "hello", false},
        {"[a] [b] hello", "hello", false},
        {"[list]", "[list]", false},
        {"[a][b]", "[b]", false},
        {"[a] [b] ", "[b]", false},
        {"[list] Re: hello", "hello", true},
        {"Re: [list] hello", "hello", true},
        {"Re: [list]", "[list]", true},
        {"[a] Re[1]: [b] fwd: [c] hello", "hello", true},
        {"[a [b] hello", "[a [b] hello", false},
        {"[] hello", "hello", false},
        {"hello [list]", "hello [list]", false},
        // subj-trailer
        {"hello (fwd)", "hello", true},
        {"hello (FWD) (fwd)  ", "hello", true},
        {"hello(fwd)", "hello", true},
        {"hello (fwd) x", "hello (fwd) x", false},
        {"(fwd)", "", true},
        {"[list] (fwd)", "[list]", true},
        // subj-fwd
        {"[fwd: hello]", "hello", true},
        {"[Fwd: [Fwd: hello]]", "hello", true},
        {"[fwd: Re: hello (fwd)]", "hello", true},
        {"Re: [Fwd: hello] (fwd)", "hello", true},
        {"[fwd: hello] x", "x", false},
        {"[fwd: hello", "[fwd: hello", false},
        {"[fwd:]", "", true},
        {"[fwd: [x]]", "[x]", true},
        // UTF-8 is left alone
        {"Re: \u00dcber \u2028", "\u00dcber \u2028", true},
    };
    for (const auto& [subject, base, reply] : table) {
        INFO(subject);
        const auto found = base_subject_of(subject);
        CHECK(found.text == base);
        CHECK(found.is_reply == reply);
    }
}

TEST_CASE("a base subject is its own base subject", "[imap][sort][subject]") {
    for (const char* subject : {"Re: [a] hello (fwd)", "[Fwd: [x] re: y]", "[a][b]", "fw:fw:[q]z", "plain"}) {
        const auto once = base_subject_of(subject);
        INFO(subject);
        CHECK(base_subject_of(once.text).text == once.text);
    }
}

TEST_CASE("long hostile subjects take linear time", "[imap][sort][subject]") {
    constexpr std::size_t times = 20000;
    std::string blobs, replies, forwards, blanks;
    for (std::size_t i = 0; i < times; ++i) {
        blobs += "[a]";
        replies += "re: ";
        forwards += "[fwd:";
        blanks += " \t";
    }
    CHECK(base_subject_of(blobs + "x").text == "x");
    CHECK(base_subject_of(blobs).text == "[a]");
    CHECK(base_subject_of(replies + "x").text == "x");
    CHECK(base_subject_of(forwards + "x" + std::string(times, ']')).text == "x");
    CHECK(base_subject_of(blanks + "x" + blanks).text == "x");
}
