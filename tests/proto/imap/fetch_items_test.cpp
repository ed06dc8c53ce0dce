// FETCH arguments (RFC 9051 section 9, fetch) and what they need; every line of 05-mail-protocols 5.5.
#include "proto/imap/fetch/fetch_items.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {

fetch_request parsed(std::string_view text) {
    parser args(text);
    auto request = parse_fetch_request(args);
    args.end();
    INFO(text << " -> " << args.error());
    REQUIRE_FALSE(args.failed());
    return request;
}
bool refused(std::string_view text) {
    parser args(text);
    parse_fetch_request(args);
    args.end();
    return args.failed();
}
std::string names(std::string_view text) {
    std::string out;
    for (const auto& item : parsed(text).items) out += (out.empty() ? "" : " ") + item.name();
    return out;
}

}  // namespace

TEST_CASE("FETCH items are echoed as normalised", "[imap][fetch]") {
    CHECK(names("flags") == "FLAGS");
    CHECK(names("ALL") == "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE");
    CHECK(names("fast") == "FLAGS INTERNALDATE RFC822.SIZE");
    CHECK(names("Full") == "FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY");
    CHECK(names("(UID Body BODYSTRUCTURE envelope)") == "UID BODY BODYSTRUCTURE ENVELOPE");
    CHECK(names("body[]") == "BODY[]");
    CHECK(names("BODY.PEEK[]<0.2048>") == "BODY[]<0>");
    CHECK(names("BODY[1.2.header.fields (From \"to\" {2}\r\nCC)]<10.1>") == "BODY[1.2.HEADER.FIELDS (FROM TO CC)]<10>");
    CHECK(names("BODY[HEADER.FIELDS.NOT (\"x y\")]") == "BODY[HEADER.FIELDS.NOT (\"X Y\")]");
    CHECK(names("(BODY[4.1.MIME] BODY[TEXT] BODY[3.TEXT] BODY[HEADER])") ==
          "BODY[4.1.MIME] BODY[TEXT] BODY[3.TEXT] BODY[HEADER]");
    CHECK(names("(BINARY[1.2]<3.4> BINARY.PEEK[2] BINARY.SIZE[3] BINARY[])") ==
          "BINARY[1.2]<3> BINARY[2] BINARY.SIZE[3] BINARY[]");
    CHECK(names("(RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE)") == "RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE");
    CHECK(names("(MODSEQ EMAILID THREADID SAVEDATE)") == "MODSEQ EMAILID THREADID SAVEDATE");
    CHECK(names("(FLAGS FLAGS UID FLAGS)") == "FLAGS UID");
    CHECK(names("FLAGS (CHANGEDSINCE 12)") == "FLAGS MODSEQ");
    CHECK(parsed("(FLAGS) (CHANGEDSINCE 0)").changed_since == 0);   // iOS
}

TEST_CASE("FETCH refuses what the grammar refuses", "[imap][fetch]") {
    for (const char* text :
         {"", "()", "(ALL)", "(FLAGS", "FLAGS)", "FLAGS UID", "(FLAGS  UID)", "(FLAGS )", "BODY[", "BODY[1", "BODY[1.]",
          "BODY[0]", "BODY[1..2]", "BODY[.1]", "BODY[MIME]", "BODY[HEADERS]", "BODY[HEADER.FIELDS]",
          "BODY[HEADER.FIELDS ()]", "BODY[HEADER.FIELDS (A]", "BODY[HEADER.FIELDS (A )]", "BODY[4294967296]",
          "BODY[]<>", "BODY[]<1>", "BODY[]<1.0>", "BODY[]<1.2", "BODY[]<-1.2>", "BODY[]<9223372036854775808.1>",
          "BODY[]<.2>", "BINARY", "BINARY.SIZE", "BINARY[HEADER]", "BINARY[1.MIME]", "BINARY.SIZE[1]<0.1>", "BODY.PEEK",
          "RFC822.PEEK", "FLAGS (CHANGEDSINCE)", "FLAGS (CHANGEDSINCE 1", "FLAGS (VANISHED)", "FLAGS ()",
          "FLAGS (CHANGEDSINCE 1 CHANGEDSINCE 2)", "XYZ", "BODY[TEXT.1]", "BODYSTRUCTURE[]"}) {
        INFO(text);
        CHECK(refused(text));
    }
    std::string deep = "BODY[1";
    for (int i = 0; i < 200; ++i) deep += ".1";
    CHECK(refused(deep + "]"));
    std::string many = "(FLAGS";
    for (int i = 0; i < 300; ++i) many += " BODY[" + std::to_string(i + 1) + "]";
    CHECK(refused(many + ")"));
}

TEST_CASE("no proper beginning of a FETCH argument is one", "[imap][fetch]") {
    const std::string whole = "(UID BODY.PEEK[1.2.HEADER.FIELDS (A \"b\")]<12.34> BINARY[3] FLAGS) (CHANGEDSINCE 17)";
    CHECK_FALSE(refused(whole));
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        // Complete without its modifiers, or with a shorter number behind them: not here, the list must close.
        if (whole.substr(0, cut).ends_with("FLAGS)")) continue;
        INFO(cut);
        CHECK(refused(whole.substr(0, cut)));
    }
}

TEST_CASE("what FETCH items need is read, and no more", "[imap][fetch]") {
    const auto light = parsed("(UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ EMAILID THREADID)");
    CHECK_FALSE(light.needs_index());
    CHECK_FALSE(light.needs_header());
    CHECK_FALSE(light.reads_body());
    CHECK_FALSE(light.sets_seen());

    const auto fields = parsed("BODY.PEEK[HEADER.FIELDS (FROM)]");
    CHECK(fields.needs_header());
    CHECK_FALSE(fields.needs_index());
    CHECK_FALSE(fields.reads_body());

    const auto whole = parsed("BODY[]");
    CHECK_FALSE(whole.needs_index());
    CHECK(whole.reads_body());
    CHECK(whole.sets_seen());
    CHECK_FALSE(parsed("BODY.PEEK[]").sets_seen());
    CHECK(parsed("RFC822").sets_seen());
    CHECK(parsed("RFC822.TEXT").sets_seen());
    CHECK_FALSE(parsed("RFC822.HEADER").sets_seen());
    CHECK(parsed("BINARY[1]").sets_seen());
    CHECK_FALSE(parsed("BINARY.PEEK[1]").sets_seen());
    CHECK_FALSE(parsed("BINARY.SIZE[1]").sets_seen());
    CHECK(parsed("ENVELOPE").needs_index());
    CHECK(parsed("BODY[1.HEADER.FIELDS (A)]").needs_index());
    CHECK_FALSE(parsed("BODY[1.HEADER.FIELDS (A)]").needs_header());
}

TEST_CASE("the fetch items real clients send are understood", "[imap][fetch]") {
    for (const char* text : {
             "(FLAGS)",
             "(UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID Priority "
             "X-Priority References Newsgroups In-Reply-To Content-Type Reply-To Received)])",
             "(UID RFC822.SIZE BODY.PEEK[])",
             "(UID FLAGS)",
             "(INTERNALDATE BODY.PEEK[])",
             "(FLAGS UID INTERNALDATE)",
             "(BODY.PEEK[])",
             "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT TO CC MESSAGE-ID "
             "REFERENCES)])",
             "(UID ENVELOPE BODY.PEEK[HEADER.FIELDS (Newsgroups Content-MD5)] INTERNALDATE RFC822.SIZE FLAGS)",
             "(BODYSTRUCTURE FLAGS)",
             "BODY[1]",
             "RFC822.SIZE",
             "RFC822.HEADER",
             "BODY.PEEK[TEXT]",
             "(UID RFC822.SIZE)",
             "BODY.PEEK[]",
             "(MODSEQ FLAGS)",
             "(BODY.PEEK[1.2])",
             "(BODY.PEEK[]<0.65536>)",
             "(FLAGS) (CHANGEDSINCE 0)",
             "(FLAGS BODY.PEEK[])",
             "(RFC822.SIZE RFC822.HEADER BODYSTRUCTURE FLAGS)",
         }) {
        INFO(text);
        CHECK_FALSE(refused(text));
    }
}
