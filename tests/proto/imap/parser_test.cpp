#include "proto/imap/grammar/parser.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using imap::parser;
using namespace std::string_view_literals;

namespace {
// The one value that `read` takes from the whole text; "!" and the sentence when it fails.
template <class Read>
std::string value(std::string_view text, Read read) {
    parser args(text);
    std::string out = read(args);
    args.end();
    return args.failed() ? "! " + args.error() : out;
}
std::string astring(std::string_view text) { return value(text, [](parser& p) { return p.astring(); }); }
std::string number(std::string_view text) { return value(text, [](parser& p) { return std::to_string(p.number()); }); }
std::string mailbox(std::string_view text) { return value(text, [](parser& p) { return p.mailbox(true); }); }
std::string sequence(std::string_view text) { return value(text, [](parser& p) { return p.sequence().text; }); }
bool fails(const std::string& answer) { return answer.starts_with("! "); }
}  // namespace

TEST_CASE("strings: atoms, quoted, literals", "[imap][parser]") {
    CHECK(astring("plain]") == "plain]");
    CHECK(astring(R"("with \"quotes\" and \\")") == R"(with "quotes" and \)");
    CHECK(astring("\"\"") == "");
    CHECK(astring("{5}\r\na b\r\n") == "a b\r\n");
    CHECK(astring("{0}\r\n") == "");
    CHECK(astring("{3+}\r\nabc") == "abc");
    CHECK(fails(astring("")));
    CHECK(fails(astring("a b")));
    CHECK(fails(astring("(")));
    CHECK(fails(astring("\xc3\xa4")));
    CHECK(fails(astring(R"("bad \escape")")));
    CHECK(fails(astring("\"two\r\nlines\"")));
    CHECK(fails(astring("{18446744073709551616}\r\nabc")));
    CHECK(fails(astring("{4}\r\na\0bc"sv)));
}

TEST_CASE("a string cut anywhere is an error", "[imap][parser]") {
    for (const auto whole : {R"("two words")"sv, "{9}\r\ntwo words"sv, "{9+}\r\ntwo words"sv})
        for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
            INFO(whole << " cut after byte " << cut);
            CHECK(fails(astring(whole.substr(0, cut))) == (cut < whole.size()));
        }
}

TEST_CASE("NIL is not the text NIL", "[imap][parser]") {
    parser nil("NIL"), text("\"NIL\""), longer("NILS");
    CHECK_FALSE(nil.nstring().has_value());
    CHECK(text.nstring() == "NIL");
    longer.nstring();
    CHECK(longer.failed());
}

TEST_CASE("numbers have bounds", "[imap][parser]") {
    CHECK(number("0") == "0");
    CHECK(number("4294967295") == "4294967295");
    CHECK(fails(number("4294967296")));
    CHECK(fails(number("99999999999999999999999")));
    CHECK(fails(number("-1")));
    CHECK(fails(number("")));
    parser zero("0"), largest("9223372036854775807"), larger("9223372036854775808");
    zero.nz_number();
    CHECK(zero.failed());
    CHECK(largest.number64() == 9223372036854775807u);
    larger.number64();
    CHECK(larger.failed());
}

TEST_CASE("sequence sets are taken as written", "[imap][parser]") {
    CHECK(sequence("1:3,7,*") == "1:3,7,*");
    CHECK(sequence("$") == "$");
    CHECK(fails(sequence("$1")));
    CHECK(fails(sequence("x")));
}

TEST_CASE("mailbox names", "[imap][parser]") {
    CHECK(mailbox("inBox") == "INBOX");
    CHECK(mailbox("inbox/a") == "INBOX/a");
    CHECK(mailbox("inboxes") == "inboxes");
    CHECK(mailbox("a/") == "a");
    CHECK(mailbox("\"\xc3\xa4\"") == "\xc3\xa4");
    CHECK(fails(mailbox("\"\xc3\"")));
    CHECK(fails(mailbox("\"\"")));
    CHECK(fails(mailbox("/")));
    CHECK(fails(mailbox("a//b")));
    CHECK(fails(mailbox("/a")));
    CHECK(fails(mailbox("{3}\r\na\rb")));
    CHECK(mailbox(std::string(imap::mailbox_name_bytes_max, 'x')).size() == imap::mailbox_name_bytes_max);
    CHECK(fails(mailbox(std::string(imap::mailbox_name_bytes_max + 1, 'x'))));
}

TEST_CASE("flag lists", "[imap][parser]") {
    parser some("(\\seen $Forwarded \\Recent NonJunk)");
    const auto flags = some.flag_list();
    CHECK_FALSE(some.failed());
    CHECK(flags.system == mail::seen);
    CHECK(flags.keywords == std::vector<std::string>{"$Forwarded", "NonJunk"});
    parser bare("\\Deleted \\Draft (");
    CHECK(bare.flags_bare().system == (mail::deleted | mail::draft));
    CHECK(bare.rest() == " (");
    for (const auto bad : {"(\\Frob)", "(a", "(a  b)", "a)", "(\"a\")", "(\\)"}) {
        parser args(bad);
        args.flag_list();
        INFO(bad);
        CHECK(args.failed());
    }
    std::string many = "(";
    for (std::size_t i = 0; i <= mail::keywords_per_message_max; ++i) many += "k" + std::to_string(i) + " ";
    many.back() = ')';
    parser too_many(many);
    too_many.flag_list();
    CHECK(too_many.failed());
}

TEST_CASE("nesting and the number of arguments are bounded", "[imap][parser]") {
    parser deep("x");
    for (unsigned i = 0; i < imap::nesting_max; ++i) CHECK(deep.enter());
    CHECK_FALSE(deep.enter());
    CHECK(deep.failed());

    std::string words;
    for (std::size_t i = 0; i <= imap::arguments_max; ++i) words += "a ";
    parser many(words);
    for (std::size_t i = 0; i < imap::arguments_max; ++i) {
        many.atom();
        many.space();
    }
    CHECK_FALSE(many.failed());
    many.atom();
    CHECK(many.failed());
}

TEST_CASE("the first error stays", "[imap][parser]") {
    parser args("(");
    args.atom();
    const auto first = args.error();
    args.number();
    args.end();
    CHECK(args.error() == first);
    CHECK(args.peek() == '\0');
    CHECK(args.at_end());
    CHECK_FALSE(args.take('('));
}
