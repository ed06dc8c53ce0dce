// SEARCH as clients see it (RFC 9051 sections 6.4.4 and 7.3.4, RFC 3501 section 7.2.5).
#include "tests/proto/imap/mail_store.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;
using namespace pp::imap::test;

namespace {

// The hits of one search, by number, as the old response lists them.
std::string hits(player& one, const std::string& criteria) {
    const auto out = said(one, "a SEARCH " + criteria);
    const std::string begin = "* SEARCH", end = "\r\na OK SEARCH completed\r\n";
    if (!out.starts_with(begin) || !out.ends_with(end)) return out;
    const auto middle = out.substr(begin.size(), out.size() - begin.size() - end.size());
    return middle.empty() ? middle : middle.substr(1);
}

}  // namespace

TEST_CASE("SEARCH matrix", "[imap][search]") {
    player one({}, mail_store());
    select_inbox(one);
    const std::pair<const char*, const char*> table[] = {
        {"ALL", "1 2 3 4"},
        {"1:2", "1 2"},
        {"*", "4"},
        {"3:99", "3 4"},
        {"UID 12:15", "2 3"},
        {"SEEN", "2"},
        {"UNSEEN", "1 3 4"},
        {"UNANSWERED UNDELETED UNSEEN", "1 4"},
        {"UNSEEN UNDELETED", "1 4"},
        {"DELETED", "3"},
        {"KEYWORD $LABEL1", "3"},
        {"UNKEYWORD $label1", "1 2 4"},
        {"NEW", "4"},
        {"OLD", "1 2 3"},
        {"RECENT", "4"},
        {"ON 30-Jan-1995", "1"},
        {"SINCE 1-Jan-1996", "2 4"},
        {"BEFORE 1-Jan-1990", "3"},
        {"SENTON 28-Jan-1995", "1"},
        {"SENTSINCE 1-Jan-1990", "1"},
        {"LARGER 100000", "4"},
        {"SMALLER 30", "3"},
        {"SUBJECT PARCEL", "1"},
        {"FROM \"J\u00f6RG\"", "1"},
        {"FROM example.com", "1 2"},
        {"OR SUBJECT small SUBJECT nothing", "2 3"},
        {"NOT SUBJECT small", "1 3 4"},
        {"HEADER from \"\"", "1 2"},
        {"BODY hello", "2"},
        {"BODY \"caf\u00c9 AU lait\"", "1"},
        {"TEXT inner", "1"},
        {"BODY inner", ""},
        {"BODY inside", "1"},
        {"BODY \"the VERY end\"", "4"},
        {"BODY \"line 22000\"", "4"},
        {"TEXT subject", "1 2 3 4"},
        {"NOT BODY line", "1 2 3"},
        {"UNDELETED BODY \"e\" SUBJECT \"l\"", "1 2 4"},
        {"OR (SEEN BODY hello) (KEYWORD $label1 NOT TEXT x-note)", "2 3"},
        {"EMAILID M12", "2"},
        {"THREADID T15", "3"},
        {"SAVEDBEFORE 1-Jan-1990", "3"},
        {"CHARSET UTF-8 SUBJECT small", "2"},
        {"BODY \"\"", "1 2 3 4"},
        {"UID 999", ""},
        {"YOUNGER 3600", "2 4"},
        {"YOUNGER 3599", ""},
        {"OLDER 3600", "1 2 3 4"},
        {"OLDER 3601", "1 3"},
        {"HEADER Message-ID \"\"", ""},
        {"TO \"ann <ann@EXAMPLE.com>\"", "1"},
        {"HEADER To \"Ann <ann@\"", "1"},
    };
    for (const auto& [criteria, expected] : table) {
        INFO(criteria);
        CHECK(hits(one, criteria) == expected);
    }
    CHECK(hits(one, "SUBJECT {5+}\r\nsmall") == "2");
}

TEST_CASE("the answers of SEARCH", "[imap][search]") {
    CHECK(play_mails_everywhere("G: INBOX\n"
                                "C: a UID SEARCH UNSEEN\n"
                                "S: * SEARCH 11 15 20\n"
                                "S: a OK SEARCH completed\n"
                                "C: b SEARCH RETURN (MIN COUNT) UNSEEN\n"
                                "S: * ESEARCH (TAG \"b\") MIN 1 COUNT 3\n"
                                "S: b OK SEARCH completed\n"
                                "C: c UID SEARCH RETURN () UNSEEN\n"
                                "S: * ESEARCH (TAG \"c\") UID ALL 11,15,20\n"
                                "S: c OK SEARCH completed\n"
                                "C: d SEARCH RETURN (MIN MAX ALL COUNT) FROM nobody\n"
                                "S: * ESEARCH (TAG \"d\") COUNT 0\n"
                                "S: d OK SEARCH completed\n"
                                "C: e SEARCH FROM nobody\n"
                                "S: * SEARCH\n"
                                "S: e OK SEARCH completed\n"
                                "C: f SEARCH CHARSET X-NONE FROM nobody\n"
                                "S: f NO [BADCHARSET (US-ASCII UTF-8 ...\n"
                                "C: g SEARCH FROM\n"
                                "S: g BAD ...\n"
                                "C: h SEARCH MODSEQ 4\n"
                                "S: * OK [HIGHESTMODSEQ 5] Highest\n"
                                "S: * SEARCH 3 4 (MODSEQ 5)\n"
                                "S: h OK SEARCH completed\n"
                                "C: i SEARCH RETURN (MIN) MODSEQ 4\n"
                                "S: * ESEARCH (TAG \"i\") MIN 3 MODSEQ 4\n"
                                "S: i OK SEARCH completed\n") == "");
}

TEST_CASE("IMAP4rev2 answers with ESEARCH", "[imap][search]") {
    CHECK(play_mails("G: user\n"
                     "C: x ENABLE IMAP4rev2\n"
                     "S: * ENABLED IMAP4rev2\n"
                     "S: x OK ...\n"
                     "G: INBOX\n"
                     "C: a SEARCH UNSEEN\n"
                     "S: * ESEARCH (TAG \"a\") ALL 1,3:4\n"
                     "S: a OK SEARCH completed\n") == "");
}

TEST_CASE("the saved result", "[imap][search]") {
    CHECK(play_mails("G: INBOX\n"
                     "C: a SEARCH RETURN (SAVE) UNSEEN\n"
                     "S: a OK SEARCH completed\n"
                     "C: b FETCH $ UID\n"
                     "S: * 1 FETCH (UID 11)\n"
                     "S: * 3 FETCH (UID 15)\n"
                     "S: * 4 FETCH (UID 20)\n"
                     "S: b OK FETCH completed\n"
                     "C: c UID SEARCH UID $ SMALLER 4096\n"
                     "S: * SEARCH 11 15\n"
                     "S: c OK SEARCH completed\n"
                     "C: d SEARCH (OR $ 2) TEXT subject\n"
                     "S: * SEARCH 1 2 3 4\n"
                     "S: d OK SEARCH completed\n"
                     "C: e SEARCH RETURN (SAVE MAX) ALL\n"
                     "S: * ESEARCH (TAG \"e\") MAX 4\n"
                     "S: e OK SEARCH completed\n"
                     "C: f SEARCH $\n"
                     "S: * SEARCH 4\n"
                     "S: f OK SEARCH completed\n"
                     "C: g SEARCH RETURN (SAVE) CHARSET X-NONE ALL\n"
                     "S: g NO [BADCHARSET (US-ASCII UTF-8 ...\n"
                     "C: h UID FETCH $ FLAGS\n"
                     "S: h OK FETCH completed\n") == "");
}

TEST_CASE("SEARCH reads no more than it needs", "[imap][search]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto questions = [&](const std::string& line) {
        std::string kinds;
        one.watch(line, [&](const event& asked) -> std::optional<verdict> {
            if (const auto* rows = std::get_if<read_rows>(&asked))
                kinds += std::string("r") + (rows->with_index ? "i" : "") + (rows->with_header ? "h" : "") +
                         rows->uids.text() + " ";
            if (const auto* fields = std::get_if<read_search_fields>(&asked)) kinds += "f" + fields->uids.text() + " ";
            if (const auto* body = std::get_if<read_body>(&asked)) kinds += "b" + std::to_string(body->uid) + " ";
            return std::nullopt;
        });
        return kinds;
    };
    CHECK(questions("a SEARCH ALL") == "");
    CHECK(questions("a SEARCH UID 11:15") == "");
    CHECK(questions("a SEARCH UNSEEN") == "r11:12,15,20 ");
    CHECK(questions("a SEARCH SUBJECT x 1:2") == "f11:12 ");
    CHECK(questions("a SEARCH SUBJECT small SEEN") == "f11:12,15,20 r12 ");
    CHECK(questions("a SEARCH FROM x SENTSINCE 1-Jan-1990 LARGER 5 HEADER Message-ID y") == "f11:12,15,20 ");
    CHECK(questions("a SEARCH HEADER X-Note x SEEN") == "r11:12,15,20 rh12 ");
    CHECK(questions("a SEARCH BODY hello SEEN") == "r11:12,15,20 ri12 b12 ");
    CHECK(questions("a SEARCH BODY line 4") == "ri20 b20 ");   // found in the first piece
    CHECK(questions("a SEARCH BODY nowhere 4") == "ri20 b20 b20 b20 ");
}

TEST_CASE("SEARCH asks the full-text index once and reads only what it leaves open", "[imap][search]") {
    auto store = mail_store();
    std::vector<text_needle> asked;
    mail::uid_set only_12, only_20;
    only_12.add(12);
    only_20.add(20);
    std::uint32_t before_uid = 100;
    std::size_t bodies = 0, times = 0;
    store.text_index = [&](const find_candidates& q) {
        asked = q.needles;
        ++times;
        search_candidates out{before_uid, {}};
        for (const auto& needle : q.needles)
            out.mails.push_back(needle.folded == "HELLO"     ? std::optional(only_12)
                                : needle.folded == "NOWHERE" ? std::optional(mail::uid_set())
                                : needle.folded == "LINE"    ? std::optional(only_20)
                                                             : std::nullopt);
        return out;
    };
    player one({}, std::move(store));
    select_inbox(one);
    const auto search = [&](const std::string& criteria) {
        times = bodies = 0;
        const auto output = one.watch("a SEARCH " + criteria, [&](const event& question) -> std::optional<verdict> {
            bodies += std::holds_alternative<read_body>(question);
            return std::nullopt;
        });
        return output.substr(0, output.find("\r\n"));
    };
    CHECK(search("BODY hello") == "* SEARCH 2");
    CHECK(asked == std::vector<text_needle>{{needle_place::body, "", "HELLO"}});
    CHECK(bodies == 1);
    CHECK(search("TEXT nowhere") == "* SEARCH");
    CHECK(bodies == 0);
    CHECK(search("NOT BODY nowhere") == "* SEARCH 1 2 3 4");
    CHECK(bodies == 0);
    CHECK(search("OR BODY hello (NOT TEXT line UID 15)") == "* SEARCH 2 3");
    CHECK(times == 1);
    CHECK(bodies == 1);
    CHECK(search("HEADER X-Any small") == "* SEARCH");
    CHECK(asked == std::vector<text_needle>{{needle_place::field, "X-Any", "SMALL"}});
    CHECK(search("SEEN BODY \"\"") == "* SEARCH 2");
    CHECK(times == 0);
    // What the index calls impossible is not looked at: it must never be wrong.
    CHECK(search("BODY line") == "* SEARCH 4");
    CHECK(search("TEXT line HEADER X-Any line") == "* SEARCH");
    // Mails newer than the index are read.
    before_uid = 12;
    CHECK(search("BODY nowhere") == "* SEARCH");
    CHECK(bodies > 0);
    CHECK(search("BODY hello UID 12:20") == "* SEARCH 2");
    one.daemon.next_refusal = "UNAVAILABLE";   // an index out of order costs time, no hits
    CHECK(search("BODY hello") == "* SEARCH 2");
}

TEST_CASE("a body that cannot be read ends the search, one that is gone or damaged does not", "[imap][search]") {
    const auto run = [](bool expunged, const std::string& code = "UNAVAILABLE", const char* key = "BODY e") {
        player one({}, mail_store());
        select_inbox(one);
        return one.watch("a UID SEARCH " + std::string(key), [&](const event& asked) -> std::optional<verdict> {
            const auto* body = std::get_if<read_body>(&asked);
            if (!body || body->uid != 12) return std::nullopt;
            if (!expunged) return outcome<bytes>(refusal{code, "Not now"});
            one.store.mailboxes["INBOX"].expunge(12);
            return std::nullopt;
        });
    };
    CHECK(run(false) == "a NO [UNAVAILABLE] Not now\r\n");
    const auto gone = run(true);
    CHECK(gone.starts_with("* SEARCH 11 20\r\n"));
    CHECK(gone.ends_with("a OK SEARCH completed\r\n"));
    const std::string warning = "* NO [CORRUPTION] 1 message is damaged and was passed over; run peerpost check\r\n";
    CHECK(run(false, "CORRUPTION") == warning + "* SEARCH 11 20\r\na OK SEARCH completed\r\n");
    // Whether it has the word is not known: it is told neither as one that has it nor as one that has not.
    const auto not_told = run(false, "CORRUPTION", "NOT BODY hello");
    CHECK(not_told.starts_with(warning + "* SEARCH 11 "));
    CHECK(not_told.find(" 12") == std::string::npos);
    CHECK(run(false, "CORRUPTION", "OR BODY e UID 12") == "* SEARCH 11 12 20\r\na OK SEARCH completed\r\n");
}

TEST_CASE("many mails are read a batch at a time and answered in order", "[imap][search]") {
    auto store = mail_store();
    for (int i = 0; i < 1000; ++i)
        store.mailboxes["INBOX"].add("Subject: n" + std::to_string(i % 10) + "\r\n\r\nx\r\n");
    player one({}, std::move(store));
    select_inbox(one);
    std::string expected = "* SEARCH";
    for (int i = 3; i < 1000; i += 10) expected += " " + std::to_string(i + 5);
    CHECK(said(one, "a SEARCH SUBJECT n3") == expected + "\r\na OK SEARCH completed\r\n");
    expected = "* SEARCH";
    for (int i = 1; i <= 1004; ++i) expected += " " + std::to_string(i);
    CHECK(said(one, "a SEARCH OR TEXT subject SEEN") == expected + "\r\na OK SEARCH completed\r\n");
    CHECK(said(one, "a SEARCH RETURN (ALL) OR SUBJECT n TEXT nowhere") ==
          "* ESEARCH (TAG \"a\") ALL 3,5:1004\r\na OK SEARCH completed\r\n");
}
