// THREAD: Message IDs, and the trees of the three algorithms (RFC 5256 section 3).
#include "proto/imap/search/message_ids.hpp"
#include "proto/imap/search/threading.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {

struct thread_mail {
    std::string id, references, subject;
    int minute = 0;               // of the Date field
    std::string in_reply_to = {};
};

std::string threads(thread_algorithm how, const std::vector<thread_mail>& mails) {
    threader all(how);
    std::uint32_t number = 0;
    for (const auto& m : mails) {
        std::string text;
        if (!m.id.empty()) text += "Message-ID: " + m.id + "\r\n";
        if (!m.references.empty()) text += "References: " + m.references + "\r\n";
        if (!m.in_reply_to.empty()) text += "In-Reply-To: " + m.in_reply_to + "\r\n";
        text += "Subject: " + m.subject + "\r\nDate: Mon, 7 Feb 1994 10:" + std::to_string(10 + m.minute) +
                ":00 +0000\r\n\r\nx\r\n";
        REQUIRE(all.add(++number, *search_fields::of(mail::index_message(text))));
    }
    return all.text();
}
std::string references(const std::vector<thread_mail>& mails) { return threads(thread_algorithm::references, mails); }
std::string refs(const std::vector<thread_mail>& mails) { return threads(thread_algorithm::refs, mails); }
std::string ordered(const std::vector<thread_mail>& mails) { return threads(thread_algorithm::ordered_subject, mails); }

using ids = std::vector<std::string>;

}  // namespace

TEST_CASE("message ids", "[imap][thread]") {
    CHECK(message_ids("<a@b>") == ids{"a@b"});
    CHECK(message_ids(" <a@b>\r\n <c@d>(x)<e@f> ") == ids{"a@b", "c@d", "e@f"});
    CHECK(message_ids("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>") == ids{"01KF8JCEOCBS0045PS@xxx.yyy.com"});   // RFC 5256
    CHECK(message_ids("<\"a\\\"b c\"@d>") == ids{"a\"b c@d"});
    CHECK(message_ids("<a @\r\n b>") == ids{"a@b"});
    CHECK(message_ids("<A@b> <a@B>") == ids{"A@b", "a@B"});   // case counts
    CHECK(message_ids("<a@b> ann@example.com <c@d>", 1) == ids{"a@b"});
    for (const char* none : {"", "a@b", "<>", "<a>", "<@b>", "<a@b", "< >", "<\"a", "<a@b<c"}) {
        INFO(none);
        CHECK(message_ids(none).empty());
    }
    CHECK(message_ids("<a <b@c>") == ids{"b@c"});
    CHECK(message_ids("<x> <b@c>") == ids{"b@c"});
    std::string many;
    for (int i = 0; i < 5000; ++i) many += "<a@b>";
    CHECK(message_ids(many).size() == thread_references_max);
}

TEST_CASE("of very many references the first and the last count", "[imap][thread]") {
    CHECK(reference_ids("<a@b> x <c@d>") == ids{"a@b", "c@d"});
    CHECK(reference_ids("").empty());
    std::string many;
    for (std::size_t i = 0; i < 3 * thread_references_max; ++i) many += "<" + std::to_string(i) + "@x> ";
    const auto kept = reference_ids(many);
    REQUIRE(kept.size() == thread_references_max);
    CHECK(kept.front() == "0@x");
    CHECK(kept[1] == std::to_string(2 * thread_references_max + 1) + "@x");
    CHECK(kept.back() == std::to_string(3 * thread_references_max - 1) + "@x");
    // its parent is the last one, and it is of the first one's thread
    CHECK(references({{"<0@x>", "", "a", 1}, {"<299@x>", "", "b", 2}, {"<me@x>", many, "c", 3}}) == "(1 2 3)");
}

TEST_CASE("what is prepared in parts is the same thread", "[imap][thread]") {
    for (const auto how : {thread_algorithm::references, thread_algorithm::refs, thread_algorithm::ordered_subject}) {
        const auto text_in_parts = [&](std::size_t nodes) {
            threader all(how);
            for (std::uint32_t i = 1; i <= 200; ++i) {
                const auto id = [](std::uint32_t n) { return "<" + std::to_string(n) + "@x>"; };
                const auto above = id(i / 3) + id(1000 + i % 7) + id(i / 2);
                const auto text = "Message-ID: " + id(i) + "\r\nReferences: " + above + "\r\nSubject: s\r\n\r\nx\r\n";
                REQUIRE(all.add(i, *search_fields::of(mail::index_message(text))));
            }
            std::size_t turns = 0;
            while (nodes > 0 && all.prepare(nodes)) ++turns;
            CHECK((nodes != 1 || how == thread_algorithm::ordered_subject || turns > 100));
            return all.text();
        };
        const auto at_once = text_in_parts(0);
        CHECK(text_in_parts(1) == at_once);
        CHECK(text_in_parts(30) == at_once);
        CHECK(text_in_parts(100000) == at_once);
    }
}

TEST_CASE("REFERENCES: parents and children", "[imap][thread]") {
    CHECK(references({}) == "");
    CHECK(references({{"<1@x>", "", "a", 1}}) == "(1)");
    CHECK(references({{"<1@x>", "", "a", 1}, {"<2@x>", "<1@x>", "b", 2}}) == "(1 2)");
    CHECK(references({{"<1@x>", "", "a", 1}, {"<2@x>", "<1@x>", "b", 2},
                      {"<3@x>", "<1@x> <2@x>", "c", 3}}) == "(1 2 3)");
    // the example of RFC 5256 section 4: (2)(3 6 (4 23)(44 7 96)), as numbers 1 to 8
    CHECK(references({{"<2@x>", "", "q", 1}, {"<3@x>", "", "r", 2}, {"<4@x>", "<6@x>", "s", 4},
                      {"<6@x>", "<3@x>", "t", 3}, {"<7@x>", "<44@x>", "u", 7}, {"<23@x>", "<4@x>", "v", 5},
                      {"<44@x>", "<6@x>", "w", 6}, {"<96@x>", "<7@x>", "z", 8}}) == "(1)(2 4 (3 6)(7 5 8))");
    // siblings without their parent
    CHECK(references({{"<1@x>", "<0@x>", "a", 1}, {"<2@x>", "<0@x>", "b", 2}}) == "((1)(2))");
    CHECK(references({{"<1@x>", "<0@x>", "a", 1}}) == "(1)");
    // a chain of mails that are not there
    CHECK(references({{"<1@x>", "<y@x> <z@x>", "a", 2}, {"<2@x>", "<y@x>", "b", 1}}) == "((2)(1))");
    // In-Reply-To only when References has no valid ID, and its first ID only
    CHECK(references({{"<1@x>", "", "a", 1}, {"<2@x>", "", "b", 2, "<1@x> of <9@x>"}}) == "(1 2)");
    CHECK(references({{"<1@x>", "", "a", 1}, {"<2@x>", "nonsense", "b", 2, "your mail <1@x>"}}) == "(1 2)");
    CHECK(references({{"<1@x>", "", "a", 1}, {"<2@x>", "", "b", 2},
                      {"<3@x>", "<1@x>", "c", 3, "<2@x>"}}) == "(1 3)(2)");
    // quoting is no difference
    CHECK(references({{"<\"1\"@x>", "", "a", 1}, {"<2@x>", "<1@x>", "b", 2}}) == "(1 2)");
    // one ID twice: the first mail has it
    CHECK(references({{"<1@x>", "", "a", 1}, {"<1@x>", "", "b", 2}, {"<3@x>", "<1@x>", "c", 3}}) == "(1 3)(2)");
    // no ID at all
    CHECK(references({{"", "", "a", 1}, {"", "<1@x>", "b", 2}}) == "(1)(2)");
}

TEST_CASE("REFERENCES: links that contradict each other", "[imap][thread]") {
    // itself, and a loop of two
    CHECK(references({{"<1@x>", "<1@x>", "a", 1}}) == "(1)");
    CHECK(references({{"<1@x>", "<2@x>", "a", 1}, {"<2@x>", "<1@x>", "b", 2}}) == "(2 1)");
    // what a mail says of itself beats what others say of it
    CHECK(references({{"<3@x>", "<1@x> <2@x>", "c", 3}, {"<1@x>", "", "a", 1}, {"<2@x>", "<9@x>", "b", 2}}) ==
          "(2)(3 1)");
    CHECK(references({{"<3@x>", "<1@x> <2@x>", "c", 3}, {"<1@x>", "", "a", 1}, {"<2@x>", "", "b", 2}}) == "(2)(3 1)");
    // what one mail says first of two others stays
    CHECK(references({{"<4@x>", "<1@x> <2@x>", "d", 4}, {"<5@x>", "<3@x> <2@x>", "e", 5}, {"<3@x>", "", "c", 3}}) ==
          "(3)((1)(2))");
}

TEST_CASE("REFERENCES: subjects", "[imap][thread]") {
    CHECK(references({{"<1@x>", "", "hello", 1}, {"<2@x>", "", "Re: hello", 2}}) == "(1 2)");
    CHECK(references({{"<1@x>", "", "Re: hello", 1}, {"<2@x>", "", "hello", 2}}) == "(2 1)");
    CHECK(references({{"<1@x>", "", "hello", 1}, {"<2@x>", "", "HELLO", 2}}) == "((1)(2))");
    CHECK(references({{"<1@x>", "", "Re: hello", 1}, {"<2@x>", "", "Re: hello", 2}}) == "((1)(2))");
    CHECK(references({{"<1@x>", "", "hello", 1}, {"<2@x>", "", "hello", 2},
                      {"<3@x>", "", "hello", 3}}) == "((1)(2)(3))");
    CHECK(references({{"<1@x>", "", "", 1}, {"<2@x>", "", "Re:", 2}}) == "(1)(2)");   // an empty subject joins nothing
    CHECK(references({{"<1@x>", "", "=?utf-8?q?caf=C3=A9?=", 1}, {"<2@x>", "", "Re: CAF\xc3\x89", 2}}) == "(1 2)");
    // a dummy takes part with the subject of its first child
    CHECK(references({{"<1@x>", "<0@x>", "hello", 1}, {"<2@x>", "<0@x>", "x", 2}, {"<3@x>", "", "Re: hello", 3}}) ==
          "((1)(2)(3))");
    CHECK(references({{"<1@x>", "<0@x>", "hello", 1}, {"<2@x>", "<0@x>", "x", 2}, {"<3@x>", "<9@x>", "hello", 3},
                      {"<4@x>", "<9@x>", "y", 4}}) == "((1)(2)(3)(4))");
    // a whole thread becomes part of another
    CHECK(references({{"<1@x>", "", "hello", 1}, {"<2@x>", "", "Re: hello", 2},
                      {"<3@x>", "<2@x>", "z", 3}}) == "(1 2 3)");
}

TEST_CASE("REFS leaves subjects alone and puts the newest thread last", "[imap][thread]") {
    CHECK(refs({{"<1@x>", "", "hello", 1}, {"<2@x>", "", "Re: hello", 2}}) == "(1)(2)");
    CHECK(refs({{"<1@x>", "", "a", 1}, {"<2@x>", "", "b", 2}, {"<3@x>", "<1@x>", "Re: a", 3}}) == "(2)(1 3)");
    CHECK(references({{"<1@x>", "", "a", 1}, {"<2@x>", "", "b", 2}, {"<3@x>", "<1@x>", "Re: a", 3}}) == "(1 3)(2)");
}

TEST_CASE("ORDEREDSUBJECT", "[imap][thread]") {
    CHECK(ordered({}) == "");
    CHECK(ordered({{"", "", "b", 2}, {"", "", "a", 1}}) == "(2)(1)");
    CHECK(ordered({{"", "", "a", 1}, {"", "", "Re: A", 2}}) == "(1 2)");
    CHECK(ordered({{"", "", "a", 3}, {"", "", "Re: A", 2}, {"", "", "b", 1},
                   {"", "", "fwd: a", 4}}) == "(3)(2 (1)(4))");
    CHECK(ordered({{"", "", "", 1}, {"", "", "Re:", 2}}) == "(1 2)");
}

TEST_CASE("a thread as deep as the mailbox", "[imap][thread]") {
    constexpr int depth = 20000;
    threader all(thread_algorithm::references), backwards(thread_algorithm::refs);
    const auto fields_of = [](int n) {
        return search_fields::of(mail::index_message("Message-ID: <" + std::to_string(n) + "@x>\r\nReferences: <" +
                                                     std::to_string(n - 1) + "@x>\r\nSubject: s\r\n\r\nx\r\n"));
    };
    std::string expected = "(1", reversed;
    for (int n = 2; n <= depth; ++n) expected += ' ' + std::to_string(n);
    for (int n = 1; n <= depth; ++n) REQUIRE(all.add(static_cast<std::uint32_t>(n), *fields_of(n)));
    CHECK(all.text() == expected + ")");
    for (int n = depth; n >= 1; --n) REQUIRE(backwards.add(static_cast<std::uint32_t>(n), *fields_of(n)));
    const auto text = backwards.text();   // links beyond thread_loop_steps_max may be missing, mails never are
    CHECK(std::count(text.begin(), text.end(), ' ') + std::count(text.begin(), text.end(), '(') == depth);
}

TEST_CASE("more references than THREAD takes", "[imap][thread]") {
    threader all(thread_algorithm::refs);
    bool taken = true;
    for (std::uint32_t n = 1; n <= 2 * thread_ids_max / thread_references_max && taken; ++n) {
        std::string text = "References:";
        for (std::size_t i = 0; i < thread_references_max; ++i)
            text += " <" + std::to_string(n) + "." + std::to_string(i) + "@x>\r\n";
        taken = all.add(n, *search_fields::of(mail::index_message(text + "\r\nx")));
    }
    CHECK_FALSE(taken);
}
