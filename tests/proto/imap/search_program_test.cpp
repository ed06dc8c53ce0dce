// SEARCH arguments and their evaluation (RFC 9051 section 6.4.4, RFC 3501 section 6.4.4).
#include "proto/imap/search/search_program.hpp"
#include "proto/imap/search/search_result.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;

namespace {

struct five_mails : search_sets {
    std::uint32_t last_number() const override { return 5; }
    std::uint32_t last_uid() const override { return 50; }
    const mail::uid_set& saved_result() const override { return saved; }
    mail::uid_set saved = mail::uid_set::of(20, 30);
};

search_program parsed(std::string_view text) {
    parser args(text);
    auto program = parse_search(args, five_mails());
    INFO(text << " -> " << args.error());
    REQUIRE_FALSE(args.failed());
    return program;
}
bool refused(std::string_view text) {
    parser args(text);
    parse_search(args, five_mails());
    return args.failed();
}

message_row example_row() {
    message_row row;
    row.uid = 30;
    row.modseq = 100;
    row.flags.system = mail::seen | mail::flagged;
    row.flags.add("$Forwarded");
    row.internal_date = {791424000, 0};   // 30-Jan-1995
    row.save_date = {791424000 + 86400, 0};
    row.size_bytes = 1000;
    row.email_id = "M1";
    row.thread_id = "T1";
    row.header =
        "Date: Sat, 28 Jan 1995 23:30:00 -0500\r\n"
        "From: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.com>\r\n"
        "To: Ann <ann@example.com>\r\n"
        "Cc: carl@example.com\r\n"
        "Subject: A long\r\n story\r\n"
        "Message-ID: <Two@example.com>\r\n"
        "In-Reply-To: <one@example.com>\r\n"
        "References: <zero@example.com>\r\n <one@example.com>\r\n"
        "X-Empty:\r\n"
        "\r\n";
    return row;
}

std::shared_ptr<const search_fields> fields_of(const message_row& row) {
    return search_fields::of(mail::index_message(row.header), {row.internal_date, row.save_date, row.size_bytes});
}

truth value(std::string_view text, bool row_known = true, bool header_known = true) {
    static const auto row = example_row();
    static const auto fields = fields_of(row);
    search_facts known;
    known.number = 3;
    known.uid = 30;
    known.recent = true;
    known.now = 791424000 + 3600;
    if (header_known) known.fields = fields.get();
    if (row_known) known.row = &row;
    known.has_header = header_known;
    return evaluate(parsed(text), known);
}

}  // namespace

TEST_CASE("every key of SEARCH says yes and no", "[imap][search]") {
    for (const char* yes : {
             " ALL", " RECENT", " FLAGGED", " SEEN", " UNANSWERED", " UNDELETED", " UNDRAFT", " 3", " 2:4", " *:1",
             " 1,3", " UID 30", " UID 1:*", " $", " UID $", " KEYWORD $forwarded", " UNKEYWORD $Junk",
             " ON 30-Jan-1995", " BEFORE 31-Jan-1995", " SINCE 30-Jan-1995", " SINCE \"29-Jan-1995\"",
             " SENTON 28-Jan-1995", " SENTBEFORE 29-Jan-1995", " SENTSINCE 28-Jan-1995", " SAVEDON 31-Jan-1995",
             " SAVEDSINCE 31-Jan-1995", " SAVEDBEFORE 1-Feb-1995", " LARGER 999", " SMALLER 1001",
             " FROM \"j\u00d6RG\"", " FROM JOERG@", " TO ann", " CC CARL", " SUBJECT \"long story\"",
             " HEADER X-Empty \"\"", " HEADER subject {4}\r\nLONG", " MODSEQ 100",
             " MODSEQ \"/flags/\\\\draft\" all 99", " EMAILID M1", " THREADID T1", " NOT 4", " NOT NOT 3", " OR 4 3",
             " OR (SEEN DRAFT) (3 SEEN)", " (((3)))", " BODY \"\"", " TEXT \"\"", " SAVEDATESUPPORTED",
             " charset utf-8 from joerg", " RETURN () SEEN", " RETURN (MIN MAX) CHARSET US-ASCII SEEN 3",
             " CHARSET ISO-8859-1 FROM {4}\r\nJ\xf6rg", " OLDER 3600", " OLDER 1", " YOUNGER 3600",
             " YOUNGER 4294967295", " FROM \"j\u00f6rg <JOERG@example.com>\"", " HEADER Message-ID \"\"",
             " HEADER message-id TWO@EXAMPLE", " HEADER References one@", " HEADER In-Reply-To \"<one@example\"",
             " HEADER FROM \"<joerg\"", " RETURN (PARTIAL 1:2 COUNT) SEEN", " RETURN (CONTEXT UPDATE) SEEN",
         }) {
        INFO(yes);
        CHECK(value(yes) == truth::yes);
    }
    for (const char* no : {
             " NEW", " OLD", " ANSWERED", " DELETED", " DRAFT", " UNFLAGGED", " UNSEEN", " 4", " 4:5", " UID 31:*",
             " KEYWORD $Junk", " UNKEYWORD $FORWARDED", " ON 31-Jan-1995", " BEFORE 30-Jan-1995", " SINCE 31-Jan-1995",
             " SENTON 29-Jan-1995", " SENTBEFORE 28-Jan-1995", " SENTSINCE 29-Jan-1995", " SAVEDON 30-Jan-1995",
             " LARGER 1000", " SMALLER 1000", " FROM ann", " BCC \"\"", " HEADER X-None \"\"", " HEADER X-Empty x",
             " SUBJECT \"longstory\"", " MODSEQ 101", " EMAILID m1", " THREADID T2", " NOT 3", " OR 4 5", " 3 4",
             " SEEN FROM nobody", " NOT (3 SEEN)", " OLDER 3601", " YOUNGER 3599", " HEADER Message-ID one@",
             " TO \"<carl\"", " HEADER References two@",
         }) {
        INFO(no);
        CHECK(value(no) == truth::no);
    }
}

TEST_CASE("what is not known leaves a search open, unless the rest decides", "[imap][search]") {
    CHECK(value(" SEEN", false) == truth::unknown);
    CHECK(value(" SINCE 1-Jan-1990", false, false) == truth::unknown);
    CHECK(value(" SINCE 1-Jan-1990", false, true) == truth::yes);
    CHECK(value(" SINCE 1-Jan-1990", true, false) == truth::yes);
    CHECK(value(" FROM x", true, false) == truth::unknown);
    CHECK(value(" HEADER X-Empty \"\"", true, false) == truth::unknown);
    CHECK(value(" BODY x") == truth::unknown);
    CHECK(value(" NOT BODY x") == truth::unknown);
    CHECK(value(" 4 BODY x", false) == truth::no);
    CHECK(value(" OR 3 BODY x", false) == truth::yes);
    CHECK(value(" OR BODY x FROM joerg") == truth::yes);
    CHECK(value(" BODY x UNSEEN") == truth::no);
    CHECK(value(" SEEN BODY x") == truth::unknown);
}

TEST_CASE("a date that cannot be read matches no SENT key", "[imap][search]") {
    message_row row;
    row.header = "Date: soon\r\n\r\n";
    const auto fields = fields_of(row);
    search_facts known;
    known.fields = fields.get();
    CHECK(evaluate(parsed(" SENTSINCE 1-Jan-1970"), known) == truth::no);
    CHECK(evaluate(parsed(" SENTBEFORE 1-Jan-2100"), known) == truth::no);
}

TEST_CASE("SEARCH refuses what the grammar refuses", "[imap][search]") {
    for (const char* text :
         {"", " ", " ()", " (SEEN", " SEEN)", " SEEN  SEEN", " SEEN ", " NOT", " OR SEEN", " OR SEEN ", " FROM",
          " HEADER x", " BEFORE", " BEFORE 1995", " ON 30-Foo-1995", " LARGER", " LARGER x", " LARGER -1", " KEYWORD",
          " UID", " UID x", " 0", " 1:", " 1,,2", " RETURN", " RETURN (", " RETURN (FOO) ALL", " RETURN (MIN)",
          " RETURN (MIN", " RETURN (MIN  MAX) ALL", " CHARSET", " CHARSET UTF-8", " XYZ", " MODSEQ",
          " MODSEQ \"x\" some 1", " FROM {9}\r\nab", " NOT ()", " SEENX", " RETURN MIN ALL", " OLDER", " OLDER 0",
          " OLDER -1", " YOUNGER x", " YOUNGER 4294967296", " RETURN (PARTIAL) ALL", " RETURN (PARTIAL 1) ALL",
          " RETURN (PARTIAL 0:1) ALL", " RETURN (PARTIAL 1:*) ALL", " RETURN (PARTIAL -1:5) ALL",
          " RETURN (PARTIAL 1:-5) ALL", " RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL", " RETURN (PARTIAL 1:2 ALL) ALL",
          " RETURN (PARTIAL 1:2,4) ALL"}) {
        INFO(text);
        CHECK(refused(text));
    }
    std::string deep;
    for (int i = 0; i < 100; ++i) deep += " NOT";
    CHECK(refused(deep + " SEEN"));
    std::string open(100, '(');
    CHECK(refused(" " + open + "SEEN" + std::string(100, ')')));
    std::string many;
    for (int i = 0; i < 2000; ++i) many += " SEEN";
    CHECK(refused(many));
    std::string within;
    for (int i = 0; i < 20; ++i) within += " NOT";
    CHECK_FALSE(refused(within + " SEEN"));
}

TEST_CASE("no proper beginning of SEARCH arguments is complete by accident", "[imap][search]") {
    const std::string whole = " RETURN (MIN SAVE) CHARSET UTF-8 (OR (FROM {3}\r\nann) UID 1:4) (HEADER \"x\" \"y z\")";
    CHECK_FALSE(refused(whole));
    const auto first_complete = whole.find(") (HEADER") + 1;
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        INFO(cut);
        CHECK(refused(whole.substr(0, cut)) == (cut != first_complete));
    }
}

TEST_CASE("an unknown charset is told apart from bad syntax", "[imap][search]") {
    CHECK(parsed(" CHARSET X-NONE TEXT abc").unknown_charset == "X-NONE");
    CHECK(parsed(" CHARSET UTF-8 TEXT abc").unknown_charset.empty());
    CHECK(parsed(" CHARSET \"us-ascii\" TEXT abc").unknown_charset.empty());
}

TEST_CASE("ESEARCH says what was asked for", "[imap][search]") {
    const std::vector<search_hit> hits = {{2, 20, 5}, {10, 100, 9}, {11, 110, 7}};
    const auto text = [&](std::string_view program, bool uid = false) {
        const auto read = parsed(program);
        return esearch_text({read, hits, uid, "TAG \"A1\""});
    };
    CHECK(text(" RETURN (MIN COUNT) ALL") == "ESEARCH (TAG \"A1\") MIN 2 COUNT 3");
    CHECK(text(" RETURN () ALL") == "ESEARCH (TAG \"A1\") ALL 2,10:11");
    CHECK(text(" ALL") == "ESEARCH (TAG \"A1\") ALL 2,10:11");
    CHECK(text(" RETURN (MIN MAX) ALL", true) == "ESEARCH (TAG \"A1\") UID MIN 20 MAX 110");
    CHECK_FALSE(text(" RETURN (SAVE) ALL").has_value());
    CHECK(text(" RETURN (SAVE ALL) ALL") == "ESEARCH (TAG \"A1\") ALL 2,10:11");
    CHECK(text(" RETURN (MIN) MODSEQ 1") == "ESEARCH (TAG \"A1\") MIN 2 MODSEQ 5");
    CHECK(text(" RETURN (MIN MAX) MODSEQ 1") == "ESEARCH (TAG \"A1\") MIN 2 MAX 11 MODSEQ 7");
    CHECK(text(" RETURN (MIN COUNT) MODSEQ 1") == "ESEARCH (TAG \"A1\") MIN 2 COUNT 3 MODSEQ 9");

    CHECK(text(" RETURN (PARTIAL 1:2) ALL") == "ESEARCH (TAG \"A1\") PARTIAL (1:2 2,10)");
    CHECK(text(" RETURN (PARTIAL 3:2) ALL") == "ESEARCH (TAG \"A1\") PARTIAL (2:3 10:11)");
    CHECK(text(" RETURN (PARTIAL 3:9 COUNT) ALL", true) == "ESEARCH (TAG \"A1\") UID COUNT 3 PARTIAL (3:9 110)");
    CHECK(text(" RETURN (PARTIAL 4:9) ALL") == "ESEARCH (TAG \"A1\") PARTIAL (4:9 NIL)");
    CHECK(text(" RETURN (PARTIAL -1:-2) ALL") == "ESEARCH (TAG \"A1\") PARTIAL (-1:-2 10:11)");
    CHECK(text(" RETURN (PARTIAL -3:-3 MIN) ALL") == "ESEARCH (TAG \"A1\") MIN 2 PARTIAL (-3:-3 2)");
    CHECK(text(" RETURN (PARTIAL -4:-9) ALL") == "ESEARCH (TAG \"A1\") PARTIAL (-4:-9 NIL)");
    CHECK(text(" RETURN (UPDATE) ALL") == "ESEARCH (TAG \"A1\")");

    const std::vector<search_hit> none;
    const auto nothing = [&](std::string_view program, bool uid) {
        const auto read = parsed(program);
        return esearch_text({read, none, uid, "TAG \"x\""});
    };
    CHECK(nothing(" RETURN (MIN MAX ALL COUNT) MODSEQ 1", true) == "ESEARCH (TAG \"x\") UID COUNT 0");
    CHECK(nothing(" ALL", false) == "ESEARCH (TAG \"x\")");
    CHECK(nothing(" RETURN (PARTIAL 1:1) ALL", false) == "ESEARCH (TAG \"x\") PARTIAL (1:1 NIL)");

    // RFC 9051 section 6.4.4.4, example 10.
    const auto saved = [&](std::string_view program) { return saved_hits(parsed(program), hits).text(); };
    CHECK(saved(" RETURN (SAVE) ALL") == "20,100,110");
    CHECK(saved(" RETURN (SAVE MIN) ALL") == "20");
    CHECK(saved(" RETURN (MAX SAVE MIN) ALL") == "20,110");
    CHECK(saved(" RETURN (MAX SAVE MIN COUNT) ALL") == "20,100,110");
    CHECK(saved(" RETURN (ALL SAVE MIN) ALL") == "20,100,110");
    CHECK(saved_hits(parsed(" RETURN (SAVE MIN) ALL"), none).empty());
    // RFC 9394 section 3.2, table 1.
    CHECK(saved(" RETURN (SAVE PARTIAL 2:2) ALL") == "100");
    CHECK(saved(" RETURN (SAVE PARTIAL 2:2 MIN) ALL") == "20,100");
    CHECK(saved(" RETURN (SAVE PARTIAL 2:2 MAX) ALL") == "100,110");
    CHECK(saved(" RETURN (SAVE PARTIAL 1:1 MIN MAX) ALL") == "20,110");
    CHECK(saved(" RETURN (SAVE PARTIAL 1:1 COUNT MIN) ALL") == "20,100,110");
    CHECK(saved(" RETURN (SAVE PARTIAL 7:9) ALL") == "");
}
