// The full-text index against SEARCH itself: over mails in many languages, charsets and encodings, whatever SEARCH
// finds by reading must be among the candidates (RFC 9051 section 6.4.4, RFC 5051).
#include "daemon/engine/mail_text.hpp"
#include "proto/imap/search/search_fields.hpp"
#include "proto/imap/search/search_program.hpp"
#include "proto/imap/search/search_scanner.hpp"
#include "storage/text_builder.hpp"
#include "tests/storage/store_fixture.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace pp;
using namespace pp::storage::testing;

namespace {

struct no_sets : imap::search_sets {
    std::uint32_t last_number() const override { return 1; }
    std::uint32_t last_uid() const override { return 1; }
    const mail::uid_set& saved_result() const override { return none; }
    mail::uid_set none;
};

struct searched_fixture : store_fixture {
    void index() {
        storage::text_builder builder(store->text(),
                                      {[this](std::uint64_t serial, storage::mail_trigrams& out) {
                                           return engine::read_mail_text(*store, serial, out, [] { return false; });
                                       },
                                       [this](const storage::text_batch& batch) { return store->text().apply(batch); },
                                       [] { return false; }});
        for (;;) {
            const auto more = builder.step();
            REQUIRE(more.has_value());
            if (!*more) return;
        }
    }
    // What SEARCH finds by reading every mail, and how many it would read with the index.
    struct outcome {
        mail::uid_set hits, with_index;
        std::size_t candidates = 0;
    };
    outcome search(const std::string& criteria) {
        const auto line = ' ' + criteria;   // the parser keeps a view
        imap::parser args(line);
        const auto program = imap::parse_search(args, no_sets());
        INFO(criteria);
        REQUIRE_FALSE(args.failed());
        imap::key_candidates candidates(program);
        std::vector<storage::text_question> questions;
        for (const auto& needle : candidates.question().needles) questions.push_back(engine::text_question_of(needle));
        auto found = store->text().find(box("INBOX").id, questions);
        REQUIRE(found.has_value());
        candidates.answered({found->before_uid, std::move(found->mails)});
        outcome out;
        for (const auto& m : all("INBOX")) {
            const auto text = text_of(m.mail_serial);
            const auto index =
                store->read([&](const storage::read_txn& t) { return t.index_of(m.mail_serial).value(); });
            imap::message_row row;
            row.uid = m.uid;
            row.header = text.substr(0, index->parts.front().header_bytes);
            const auto fields = imap::search_fields::of(*index);
            imap::search_facts known;
            known.fields = fields.get();
            known.number = known.uid = m.uid;
            known.row = &row;
            known.has_header = true;
            imap::search_scanner scanner(program, imap::open_text_keys(program, known), index);
            while (const auto wanted = scanner.wants())
                scanner.give(std::string_view(text).substr(wanted->offset, wanted->length));
            const auto texts = scanner.result();
            known.texts = &texts;
            if (evaluate(program, known) == imap::truth::yes) out.hits.add(m.uid);
            known.candidates = &candidates;
            if (evaluate(program, known) == imap::truth::yes) out.with_index.add(m.uid);
            known.texts = nullptr;
            out.candidates += evaluate(program, known) != imap::truth::no;
        }
        return out;
    }
    // The same hits with the index as without; true when there were any.
    bool agrees(const std::string& criteria) {
        const auto out = search(criteria);
        INFO(criteria);
        CHECK(out.hits == out.with_index);
        return !out.hits.empty();
    }
};

std::string base64(std::string_view in) {
    static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < in.size(); i += 3) {
        const auto byte = [&](std::size_t at) { return at < in.size() ? static_cast<unsigned char>(in[at]) : 0u; };
        const auto v = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        out += digits[v >> 18];
        out += digits[v >> 12 & 63];
        out += i + 1 < in.size() ? digits[v >> 6 & 63] : '=';
        out += i + 2 < in.size() ? digits[v & 63] : '=';
        if (i % 57 == 54) out += "\r\n";
    }
    return out;
}

// UTF-8 literals as IMAP takes them.
std::string literal(std::string_view text) { return "{" + std::to_string(text.size()) + "+}\r\n" + std::string(text); }

const std::vector<std::string> fragments = {
    "Stra\u00dfe", "STRASSE", "stra\u1e9ee", "\u0130stanbul", "istanbul", "I\u0307zmir", "\u0131l\u0131k",
    "\u039f\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2", "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3",
    "\u03c3\u03c2\u03a3", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u041c\u041e\u0421\u041a\u0412\u0410",
    "\u6771\u4eac\u90fd", "\u5317\u4eac\u5e02", "\u5b57", "\u30e1\u30fc\u30eb", "\uff92\uff70\uff99",
    "\ud55c\uad6d\uc5b4", "\u1112\u1161\u11ab", "\u0639\u0631\u0628\u064a", "\u05e9\u05dc\u05d5\u05dd", "na\u00efve",
    "nai\u0308ve", "\ufb01nal", "\u00c5ngstr\u00f6m", "\u212b", "e\u0301t\u00e9", "\u0e20\u0e32\u0e29\u0e32",
    "\u0939\u093f\u0928\u094d\u0926\u0940", "\U0001f600\U0001f680", "\U00010400\U00010428", "plain words", "a", "zq",
    "1,234.56", "user@example.org", "<b>bold</b>", "&amp;", "&uuml;ber", "x\ty", "\u01c5\u01c6"};

std::string random_text(std::mt19937& dice) {
    std::string out;
    for (auto n = 1 + dice() % 12; n > 0; --n) {
        out += fragments[dice() % fragments.size()];
        if (dice() % 3 != 0) out += dice() % 5 == 0 ? "\r\n" : " ";
    }
    return out;
}

std::string one_line(std::string text) {
    std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
    return text;
}

std::string random_part(std::mt19937& dice) {
    const auto text = random_text(dice);
    const std::string type = dice() % 3 == 0 ? "text/html" : "text/plain";
    switch (dice() % 3) {
    case 0:
        return "Content-Type: " + type + "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64(text) +
               "\r\n";
    case 1: return "Content-Type: " + type + "; charset=utf-8\r\n\r\n" + text + "\r\n";
    // "Tokyo-to ASCII mail"
    default: return "Content-Type: " + type + "; charset=shift_jis\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                    base64("\x93\x8c\x8b\x9e\x93\x73 ASCII \x83\x81\x81\x5b\x83\x8b") + "\r\n";
    }
}

std::string random_mail(std::mt19937& dice) {
    std::string out = "From: =?utf-8?B?" + base64(one_line(fragments[dice() % fragments.size()])) + "?= <a@x.org>\r\n";
    out += dice() % 2 ? "Subject: " + one_line(random_text(dice)) + "\r\n"
                      : "Subject: =?utf-8?B?" + one_line(base64(one_line(random_text(dice)))) + "?=\r\n";
    if (dice() % 4 == 0) out += "X-Latin: gr\xfc\xdf\r\n";
    if (dice() % 6 == 0) out += "Subje=?utf-8?q?ct: tricky?=\r\n";
    if (dice() % 5 == 0)
        return out + "Content-Type: message/rfc822\r\n\r\nSubject: inner " + one_line(random_text(dice)) + "\r\n\r\n" +
               random_text(dice);
    if (dice() % 2) return out + random_part(dice);
    out += "Content-Type: multipart/mixed; boundary=bb\r\n\r\n";
    for (auto n = 1 + dice() % 3; n > 0; --n) out += "--bb\r\n" + random_part(dice);
    return out + "--bb--\r\n";
}

}  // namespace

TEST_CASE("what reading finds is among the candidates of the index", "[text]") {
    for (const unsigned seed : {1u, 2u, 3u, 4u}) {
        std::mt19937 dice(seed);
        searched_fixture f;
        for (int i = 0; i < 40; ++i) {
            f.add("INBOX", random_mail(dice));
            if (i == 13 || i == 30) f.index();
        }
        std::size_t with_hits = 0, asked = 0;
        for (int i = 0; i < 150; ++i) {
            auto needle = dice() % 2 ? fragments[dice() % fragments.size()] : one_line(random_text(dice));
            if (dice() % 3 == 0 && needle.size() > 4)
                needle = needle.substr(dice() % (needle.size() - 2), 1 + dice() % 6);
            while (!needle.empty() && !mail::is_valid_utf8(needle)) {   // cut at characters
                if ((static_cast<unsigned char>(needle.front()) & 0xc0) == 0x80) needle.erase(0, 1);
                else needle.pop_back();
            }
            if (needle.empty()) continue;
            const char* keys[] = {"BODY ", "TEXT ", "SUBJECT ", "HEADER From ", "HEADER X-Latin ", "NOT BODY ",
                                  "HEADER Subje=?utf-8?q?ct "};
            with_hits += f.agrees(keys[dice() % 7] + literal(needle));
            ++asked;
        }
        CHECK(with_hits > asked / 5);
    }
}

TEST_CASE("case folding of RFC 5051, with the index", "[text]") {
    searched_fixture f;
    const auto body = [](std::string_view text) {
        return "Content-Type: text/plain; charset=utf-8\r\n\r\n" + std::string(text) + "\r\n";
    };
    f.add("INBOX", body("die Stra\u00dfe"));                               // 1
    f.add("INBOX", body("\u0130stanbul"));                                 // 2
    f.add("INBOX", body("\u039f\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2"));   // 3, with a final sigma
    f.add("INBOX", body("\u6771\u4eac\u90fd\u5e81"));                      // 4
    f.add("INBOX", body("\u4eac\u90fd\u5e02"));                            // 5
    f.add("INBOX", body("\uff92\uff70\uff99"));                            // 6, halfwidth
    f.add("INBOX", body("caf\u00e9 in K\u00d6LN"));                        // 7
    f.index();
    const auto hits = [&](std::string_view needle) {
        const auto out = f.search("BODY " + literal(needle));
        CHECK(out.hits == out.with_index);
        CHECK(out.candidates < 7);   // the index has an opinion
        return out.with_index.text();
    };
    CHECK(hits("STRA\u00dfE") == "1");
    CHECK(hits("\u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c3") == "3");
    CHECK(hits("\u039f\u0394\u03a5\u03a3\u03a3\u0395\u038e\u03a3") == "3");
    CHECK(hits("\u6771\u4eac") == "4");
    CHECK(hits("\u4eac\u90fd") == "4:5");
    CHECK(hits("\u90fd") == "4:5");
    CHECK(hits("\u30e1\u30fc\u30eb") == "6");
    CHECK(hits("k\u00f6ln") == "7");
    CHECK(hits("cafe\u0301") == "7");
    CHECK(hits("nirgends") == "");
    CHECK(hits("qq") == "");
}

TEST_CASE("mails beyond the limits of the index are still found", "[text]") {
    searched_fixture f;
    std::mt19937 dice(1);
    std::string noise = "Subject: n\r\n\r\n";
    for (int i = 0; i < 300 * 1024; ++i) noise += i % 76 == 75 ? '\n' : static_cast<char>('!' + dice() % 90);
    f.add("INBOX", noise + "needle at the end");
    f.add("INBOX", "Subject: " + std::string(mail::header_field_bytes_max, 'x') + " needle\r\n\r\n");
    f.add("INBOX", "Subject: small\r\n\r\nsmall\r\n");
    f.index();
    CHECK(f.agrees("BODY \"needle at\""));
    f.agrees("SUBJECT needle");
    CHECK(f.search("BODY nowhere").candidates == 2);
}

TEST_CASE("reading a large mail for the index ends when it is told to", "[text]") {
    searched_fixture f;
    std::string large = "Subject: large\r\n\r\n";
    while (large.size() < 4 * 1024 * 1024) large += "the same line again and again\r\n";
    f.add("INBOX", large);
    std::uint64_t next_serial = 0;
    const auto serials = f.store->text().serials(0, 10, next_serial);
    REQUIRE(serials.has_value());
    REQUIRE(serials->size() == 1);
    storage::mail_trigrams text;
    int asked = 0;
    const auto r = engine::read_mail_text(*f.store, serials->front(), text, [&] { return ++asked > 3; });
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error() == storage::errc::read_only);
    CHECK(asked == 4);
}
