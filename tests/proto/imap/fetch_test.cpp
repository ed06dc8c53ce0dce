// FETCH as clients see it (RFC 9051 sections 6.4.5 and 7.5.2).
#include "tests/proto/imap/mail_store.hpp"

#include <catch2/catch.hpp>

using namespace pp;
using namespace pp::imap;
using namespace pp::imap::test;

namespace {

std::string literal(const std::string& text) {
    return text.empty() ? "\"\"" : "{" + std::to_string(text.size()) + "}\r\n" + text;
}
std::string answer(const std::string& number, const std::string& items) {
    return "* " + number + " FETCH (" + items + ")\r\n";
}

}  // namespace

TEST_CASE("FETCH of what stands in the row", "[imap][fetch]") {
    CHECK(play_mails_everywhere(
              "G: INBOX\n"
              "C: a FETCH 1:2 (FLAGS UID)\n"
              "S: * 1 FETCH (FLAGS () UID 11)\n"
              "S: * 2 FETCH (FLAGS (\\Seen) UID 12)\n"
              "S: a OK FETCH completed\n"
              "C: b UID FETCH 15:999 (FLAGS)\n"
              "S: * 3 FETCH (UID 15 FLAGS (\\Deleted $label1))\n"
              "S: * 4 FETCH (UID 20 FLAGS (\\Recent))\n"
              "S: b OK FETCH completed\n"
              "C: c FETCH 2 FAST\n"
              "S: * 2 FETCH (FLAGS (\\Seen) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" RFC822.SIZE 49)\n"
              "S: c OK FETCH completed\n"
              "C: d FETCH 1 (EMAILID THREADID SAVEDATE)\n"
              "S: * 1 FETCH (EMAILID (M11) THREADID (T11) SAVEDATE \"30-Jan-1995 00:00:00 +0000\")\n"
              "S: d OK FETCH completed\n"
              "C: e UID FETCH 1:5 FLAGS\n"
              "S: e OK FETCH completed\n") == "");
}

TEST_CASE("dates older than Apple Mail can read are told as the oldest it can", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    CHECK(said(one, "a FETCH 3 INTERNALDATE") ==
          answer("3", "INTERNALDATE \"" + mail::internal_date({mail::oldest_internal_date, 0}) + "\"") +
              "a OK FETCH completed\r\n");
}

TEST_CASE("FETCH refuses what is wrong and goes on", "[imap][fetch]") {
    CHECK(play_mails("G: INBOX\n"
                     "C: a FETCH 9 FLAGS\n"
                     "S: a BAD ...\n"
                     "C: b FETCH 1 (FLAGS\n"
                     "S: b BAD ...\n"
                     "C: c FETCH 1\n"
                     "S: c BAD ...\n"
                     "C: d FETCH\n"
                     "S: d BAD ...\n"
                     "C: e FETCH 1 BODY[MIME]\n"
                     "S: e BAD ...\n"
                     "C: f FETCH 1 UID\n"
                     "S: * 1 FETCH (UID 11)\n"
                     "S: f OK FETCH completed\n") == "");
}

TEST_CASE("FETCH of header fields", "[imap][fetch]") {
    CHECK(play_mails_everywhere("G: INBOX\n"
                                "C: a FETCH 2 BODY.PEEK[HEADER.FIELDS (Subject x-none)]\n"
                                "S: * 2 FETCH (BODY[HEADER.FIELDS (SUBJECT X-NONE)] {18}\n"
                                "S: Subject: small\n"
                                "S: \n"
                                "S: )\n"
                                "S: a OK FETCH completed\n"
                                "C: b UID FETCH 12 (BODY.PEEK[HEADER.FIELDS.NOT (\"subject\")]<6.4>)\n"
                                "S: * 2 FETCH (UID 12 BODY[HEADER.FIELDS.NOT (SUBJECT)]<6> {4}\n"
                                "S: carl)\n"
                                "S: b OK FETCH completed\n"
                                "C: c FETCH 2 RFC822.HEADER\n"
                                "S: * 2 FETCH (RFC822.HEADER {42}\n"
                                "S: From: carl@example.com\n"
                                "S: Subject: small\n"
                                "S: \n"
                                "S: )\n"
                                "S: c OK FETCH completed\n"
                                "C: d FETCH 1 BODY.PEEK[3.HEADER.FIELDS (X-NOTE)]\n"
                                "S: * 1 FETCH (BODY[3.HEADER.FIELDS (X-NOTE)] {15}\n"
                                "S: X-Note: yes\n"
                                "S: \n"
                                "S: )\n"
                                "S: d OK FETCH completed\n") == "");
}

TEST_CASE("FETCH of sections, nested ones and those that are not there", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto body = nested_mail.substr(nested_mail.find("\r\n\r\n") + 4);
    const auto header = nested_mail.substr(0, nested_mail.find("\r\n\r\n") + 4);
    const std::pair<std::string, std::string> sections[] = {
        {"", literal(nested_mail)},
        {"HEADER", literal(header)},
        {"TEXT", literal(body)},
        {"1", literal("caf=C3=A9 au=\r\n lait")},
        {"1.MIME", literal("Content-Type: text/plain; charset=utf-8\r\n"
                           "Content-Transfer-Encoding: quoted-printable\r\n\r\n")},
        {"2", literal("AAECAw==")},
        {"3", literal("Subject: inner\r\nX-Note: yes\r\n\r\ninside")},
        {"3.HEADER", literal("Subject: inner\r\nX-Note: yes\r\n\r\n")},
        {"3.TEXT", literal("inside")},
        {"3.1", literal("inside")},
        {"3.MIME", literal("Content-Type: message/rfc822\r\n\r\n")},
        {"1.HEADER", "NIL"},
        {"9", "NIL"},
        {"1.1", "NIL"},
    };
    for (const auto& [section, expected] : sections) {
        INFO(section);
        CHECK(said(one, "a FETCH 1 BODY.PEEK[" + section + "]") ==
              answer("1", "BODY[" + section + "] " + expected) + "a OK FETCH completed\r\n");
    }
    CHECK(said(one, "a FETCH 3 (BODY.PEEK[TEXT] BODY.PEEK[1] RFC822.HEADER)") ==
          answer("3", "BODY[TEXT] \"\" BODY[1] \"\" RFC822.HEADER " + literal(empty_mail)) +
              "a OK FETCH completed\r\n");
    CHECK(said(one, "a FETCH 1 (BODY.PEEK[3.TEXT] UID BODY.PEEK[2])") ==
          answer("1", "BODY[3.TEXT] {6}\r\ninside UID 11 BODY[2] {8}\r\nAAECAw==") + "a OK FETCH completed\r\n");
}

TEST_CASE("partial FETCH at every offset", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    for (std::size_t offset = 0; offset < small_mail.size() + 3; ++offset)
        for (const std::size_t count : {std::size_t(1), std::size_t(7), small_mail.size(), std::size_t(4096)}) {
            const auto range = "<" + std::to_string(offset) + "." + std::to_string(count) + ">";
            const auto text = offset < small_mail.size() ? small_mail.substr(offset, count) : "";
            INFO(range);
            REQUIRE(said(one, "a FETCH 2 BODY.PEEK[]" + range) ==
                    answer("2", "BODY[]<" + std::to_string(offset) + "> " + literal(text)) +
                        "a OK FETCH completed\r\n");
            REQUIRE(said(one, "a FETCH 2 BODY.PEEK[HEADER]" + range) ==
                    answer("2", "BODY[HEADER]<" + std::to_string(offset) + "> " +
                                    literal(offset < 42 ? small_mail.substr(0, 42).substr(offset, count) : "")) +
                        "a OK FETCH completed\r\n");
        }
}

TEST_CASE("a large body is streamed, a part of it costs its length", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto whole = large_mail();
    CHECK(said(one, "a FETCH 4 BODY.PEEK[]") == answer("4", "BODY[] " + literal(whole)) + "a OK FETCH completed\r\n");
    one.daemon.questions = 0;
    CHECK(said(one, "b FETCH 4 BODY.PEEK[]<500000.1000>") ==
          answer("4", "BODY[]<500000> " + literal(whole.substr(500000, 1000))) + "b OK FETCH completed\r\n");
    CHECK(one.daemon.questions <= 3);   // the row, one piece, the news

    // Nobody reads: no more than a piece and a little is held.
    one.feed("c FETCH 4 BODY.PEEK[]\r\n");
    CHECK(one.take_output().size() > whole.size());
    server_session& session = one.session;
    session.received(as_bytes("d FETCH 4 BODY.PEEK[]\r\n"));
    while (auto asked = session.next_event()) session.answer(one.daemon(*asked));
    CHECK(session.to_send().size() <= body_piece_bytes_max + 4096);
    one.run();
    CHECK(one.take_output() == answer("4", "BODY[] " + literal(whole)) + "d OK FETCH completed\r\n");
}

TEST_CASE("many items of one mail are handed over as they are made", "[imap][fetch]") {
    auto store = mail_store();
    std::string header;
    for (int line = 0; header.size() < 100'000; ++line)
        header += "X-" + std::to_string(line) + ": a line of a header\r\n";
    store.mailboxes["INBOX"].add(header + "\r\nbody\r\n");
    store.mailboxes["INBOX"].add("References: " + std::string(90'000, 'r') + "\r\n\r\nbody\r\n");
    player one({}, std::move(store));
    select_inbox(one);
    const auto item_of = GENERATE(as<std::string>(), "BODY.PEEK[HEADER]<", "BODY.PEEK[HEADER.FIELDS.NOT (FROM)]<",
                                  "BODY.PEEK[HEADER.FIELDS (REFERENCES)]<", "BINARY.PEEK[1]<");
    const std::string mail = item_of.find("REFERENCES") != item_of.npos ? "6" : "5";
    std::string items, whole = "* " + mail + " FETCH (";
    for (int i = 0; i < 40; ++i) {
        const auto item = item_of + std::to_string(i) + ".1000000>";
        items += (i > 0 ? " " : "") + item;
        const auto alone = said(one, "a FETCH " + mail + " (" + item + ")");
        const auto begin = alone.find('(') + 1, end = alone.rfind(")\r\na OK");
        whole += (i > 0 ? " " : "") + alone.substr(begin, end - begin);
    }
    server_session& session = one.session;
    session.received(as_bytes("b FETCH " + mail + " (" + items + ")\r\n"));
    std::string output;
    std::size_t held = 0, turns = 0;
    for (bool moves = true; moves;) {
        moves = false;
        while (auto asked = session.next_event()) {
            turns += std::holds_alternative<let_others_run>(*asked);
            session.answer(one.daemon(*asked));
            moves = true;
        }
        held = std::max(held, session.to_send().size());
        output += as_text(session.to_send());
        moves = moves || !session.to_send().empty();
        session.sent(session.to_send().size());
    }
    CHECK(output == whole + ")\r\nb OK FETCH completed\r\n");
    CHECK(held < wire::output_high_water_bytes + 2 * 110'000);
    // Looking through 4 MB of header is more than one turn, whatever comes out.
    CHECK((item_of.find("FIELDS") == item_of.npos || turns > 1));
}

TEST_CASE("rows that the daemon leaves out are asked for again", "[imap][fetch]") {
    const std::string lines[] = {
        "a FETCH 1:* (BODY.PEEK[HEADER] BODYSTRUCTURE ENVELOPE)", "a FETCH 1,3:4 (BODY.PEEK[1])",
        "a UID FETCH 1:999 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])", "a FETCH 1:* (BODY[1.MIME] FLAGS)",
        "a SEARCH HEADER X-Note yes",  "a SEARCH OR BODY hello BODY inside", "a SEARCH NOT HEADER X-Note yes",
        "a FETCH 2:3 (PREVIEW UID)",   "a UID FETCH 12,20 (BODY.PEEK[TEXT]<0.9>)"};
    for (const auto& line : lines) {
        player all({}, mail_store()), some({}, mail_store());
        select_inbox(all);
        select_inbox(some);
        some.daemon.whole_rows_at_once = 1;
        const auto expected = said(all, line);
        INFO(line);
        CHECK(said(some, line) == expected);
        CHECK(some.daemon.questions > all.daemon.questions);
        CHECK(expected.find("a OK ") != std::string::npos);
    }
}

TEST_CASE("reading sets \\Seen and says so, peeking does not", "[imap][fetch]") {
    CHECK(play_mails_everywhere("G: INBOX\n"
                                "C: a FETCH 1 BODY.PEEK[3.TEXT]\n"
                                "S: * 1 FETCH (BODY[3.TEXT] {6}\n"
                                "S: inside)\n"
                                "S: a OK FETCH completed\n"
                                "C: b FETCH 1 BODY[3.TEXT]\n"
                                "S: * 1 FETCH (FLAGS (\\Seen) BODY[3.TEXT] {6}\n"
                                "S: inside)\n"
                                "S: b OK FETCH completed\n"
                                "C: c FETCH 1 (BODY[3.TEXT] FLAGS)\n"
                                "S: * 1 FETCH (BODY[3.TEXT] {6}\n"
                                "S: inside FLAGS (\\Seen))\n"
                                "S: c OK FETCH completed\n"
                                "C: d UID FETCH 15 RFC822.TEXT\n"
                                "S: * 3 FETCH (UID 15 FLAGS (\\Deleted \\Seen $label1) RFC822.TEXT \"\")\n"
                                "S: d OK FETCH completed\n") == "");
}

TEST_CASE("reading in an examined mailbox changes nothing", "[imap][fetch]") {
    player one({}, mail_store());
    one.run();
    one.feed("g1 LOGIN ann secret\r\ng2 EXAMINE INBOX\r\n");
    one.take_output();
    CHECK(said(one, "a FETCH 1 (FLAGS BODY[]<0.1>)") ==
          answer("1", "FLAGS () BODY[]<0> {1}\r\nD") + "a OK FETCH completed\r\n");
}

TEST_CASE("a store that cannot write lets read", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    std::size_t asked_store = 0;
    const auto output = one.watch("a FETCH 2:3 (UID BODY[TEXT])", [&](const event& asked) -> std::optional<verdict> {
        const auto* flags = std::get_if<store_flags>(&asked);
        if (!flags) return std::nullopt;
        ++asked_store;
        CHECK(flags->uids.text() == "15");
        return outcome<stored_flags>(refusal{"OVERQUOTA", "Disk full"});
    });
    CHECK(asked_store == 1);
    CHECK(output == "* 2 FETCH (UID 12 BODY[TEXT] {7}\r\nhello\r\n)\r\n* 3 FETCH (UID 15 BODY[TEXT] \"\")\r\n"
                    "a OK FETCH completed\r\n");
}

TEST_CASE("a literal is never short: the connection ends instead", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    int pieces = 0;
    const auto output = one.watch("a FETCH 4 BODY.PEEK[]\r\nb NOOP", [&](const event& asked) -> std::optional<verdict> {
        if (!std::holds_alternative<read_body>(asked) || ++pieces != 2) return std::nullopt;
        return outcome<bytes>(refusal{"SERVERBUG", "Disk error"});
    });
    CHECK(one.session.finished());
    CHECK(output == "* 4 FETCH (BODY[] {" + std::to_string(large_mail().size()) + "}\r\n" +
                        large_mail().substr(0, body_piece_bytes_max));
}

TEST_CASE("a refused first piece is an ordinary NO", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto output = one.watch("a FETCH 2 (UID BODY.PEEK[])", [](const event& asked) -> std::optional<verdict> {
        if (!std::holds_alternative<read_body>(asked)) return std::nullopt;
        return outcome<bytes>(refusal{"UNAVAILABLE", "Not now"});
    });
    CHECK(output == "* 2 FETCH (UID 12)\r\na NO [UNAVAILABLE] Not now\r\n");
}

TEST_CASE("a damaged mail keeps nobody from the others", "[imap][fetch]") {
    const auto run = [](const char* items) {
        player one({}, mail_store());
        select_inbox(one);
        return one.watch("a FETCH 1:3 " + std::string(items), [](const event& asked) -> std::optional<verdict> {
            const auto* body = std::get_if<read_body>(&asked);
            if (!body || body->uid != 12) return std::nullopt;
            return outcome<bytes>(refusal{"CORRUPTION", "Damaged"});
        });
    };
    const auto texts = run("(UID BODY.PEEK[TEXT] RFC822.SIZE)");
    CHECK(texts.find("* 2 FETCH (UID 12)\r\n* 3 FETCH (UID 15 BODY[TEXT] ") != texts.npos);
    CHECK(texts.ends_with(")\r\na NO [CORRUPTION] Damaged\r\n"));
    const auto decoded = run("(BINARY.PEEK[1])");
    CHECK(decoded.find("* 2 FETCH") == decoded.npos);
    CHECK(decoded.find("* 3 FETCH (BINARY[1] ") != decoded.npos);
    CHECK(decoded.ends_with("a NO [CORRUPTION] Damaged\r\n"));
}

TEST_CASE("mails that another session has expunged", "[imap][fetch]") {
    CHECK(play_mails("G: INBOX\n"
                     "E: expunge INBOX 12\n"
                     "C: a FETCH 1:3 (UID FLAGS)\n"
                     "S: * 1 FETCH (UID 11 FLAGS ())\n"
                     "S: * 3 FETCH (UID 15 FLAGS (\\Deleted $label1))\n"
                     "S: a NO [EXPUNGEISSUED] ...\n"
                     "C: b UID FETCH 11:15 (UID)\n"
                     "S: * 1 FETCH (UID 11)\n"
                     "S: * 3 FETCH (UID 15)\n"
                     "S: b OK FETCH completed\n") == "");
}

TEST_CASE("a mail expunged between its row and its body is passed over", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto expunging = [&](const event& asked) -> std::optional<verdict> {
        const auto* body = std::get_if<read_body>(&asked);
        if (body && body->uid == 11) one.store.mailboxes["INBOX"].expunge(11);
        return std::nullopt;
    };
    const auto output = one.watch("a UID FETCH 11:12 (FLAGS BODY.PEEK[TEXT])", expunging);
    CHECK(output == "* 2 FETCH (UID 12 FLAGS (\\Seen) BODY[TEXT] {7}\r\nhello\r\n)\r\na OK FETCH completed\r\n");
}

TEST_CASE("BINARY undoes the transfer encoding", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto done = std::string("a OK FETCH completed\r\n");
    CHECK(said(one, "a FETCH 1 BINARY.PEEK[1]") == answer("1", "BINARY[1] " + literal("caf\u00e9 au lait")) + done);
    CHECK(said(one, "a FETCH 1 BINARY.PEEK[1]<3.2>") == answer("1", "BINARY[1]<3> {2}\r\n\u00e9") + done);
    CHECK(said(one, "a FETCH 1 BINARY.PEEK[1]<99.2>") == answer("1", "BINARY[1]<99> \"\"") + done);
    CHECK(said(one, "a FETCH 1 BINARY.PEEK[2]") ==
          answer("1", "BINARY[2] ~{4}\r\n" + std::string("\0\1\2\3", 4)) + done);
    CHECK(said(one, "a FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[3] BINARY.SIZE[7])") ==
          answer("1", "BINARY.SIZE[1] 13 BINARY.SIZE[2] 4 BINARY.SIZE[3] 37 BINARY.SIZE[7] 0") + done);
    CHECK(said(one, "a FETCH 1 BINARY.PEEK[3]") ==
          answer("1", "BINARY[3] " + literal("Subject: inner\r\nX-Note: yes\r\n\r\ninside")) + done);
    CHECK(said(one, "a FETCH 1 (UID BINARY.PEEK[4])") == "* 1 FETCH (UID 11)\r\n"
                                                         "a NO [UNKNOWN-CTE] The encoding of a part is not known\r\n");
    CHECK(said(one, "a FETCH 1 BINARY.PEEK[7]") == answer("1", "BINARY[7] NIL") + done);
    CHECK(said(one, "a FETCH 2 BINARY[1]<0.2>") == answer("2", "BINARY[1]<0> {2}\r\nhe") + done);
}

TEST_CASE("a large part is decoded in two passes, never held", "[imap][fetch]") {
    auto store = mail_store();
    std::string text = "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n", plain;
    for (int line = 0; line < 12000; ++line) {
        text += "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\r\n";
        for (char c = 0; c <= 32; ++c) plain += c;
    }
    store.mailboxes["INBOX"].add(text);
    player one({}, std::move(store));
    select_inbox(one);
    CHECK(said(one, "a FETCH 5 BINARY.PEEK[1]") ==
          answer("5", "BINARY[1] ~{" + std::to_string(plain.size()) + "}\r\n" + plain) + "a OK FETCH completed\r\n");
    CHECK(said(one, "a FETCH 5 BINARY.PEEK[1]<5.300000>") ==
          answer("5", "BINARY[1]<5> ~{300000}\r\n" + plain.substr(5, 300000)) + "a OK FETCH completed\r\n");
    CHECK(said(one, "a FETCH 5 BINARY.SIZE[1]") ==
          answer("5", "BINARY.SIZE[1] " + std::to_string(plain.size())) + "a OK FETCH completed\r\n");
    CHECK(said(one, "a FETCH 4 BINARY.PEEK[]<0.300000>") ==
          answer("4", "BINARY[]<0> ~{300000}\r\n" + large_mail().substr(0, 300000)) + "a OK FETCH completed\r\n");
}

TEST_CASE("mod-sequences and CHANGEDSINCE", "[imap][fetch]") {
    CHECK(play_mails("G: INBOX\n"
                     "C: a FETCH 1:2 (FLAGS MODSEQ)\n"
                     "S: * OK [HIGHESTMODSEQ 5] Highest\n"
                     "S: * 1 FETCH (FLAGS () MODSEQ (2))\n"
                     "S: * 2 FETCH (FLAGS (\\Seen) MODSEQ (3))\n"
                     "S: a OK FETCH completed\n"
                     "C: b UID FETCH 1:* (FLAGS) (CHANGEDSINCE 3)\n"
                     "S: * 3 FETCH (UID 15 FLAGS (\\Deleted $label1) MODSEQ (4))\n"
                     "S: * 4 FETCH (UID 20 FLAGS (\\Recent) MODSEQ (5))\n"
                     "S: b OK FETCH completed\n"
                     "C: c FETCH 1:* FLAGS (CHANGEDSINCE 99)\n"
                     "S: c OK FETCH completed\n"
                     "C: d FETCH 1 BODY[3.TEXT]\n"
                     "S: * 1 FETCH (UID 11 FLAGS (\\Seen) MODSEQ (6) BODY[3.TEXT] {6}\n"
                     "S: inside)\n"
                     "S: d OK FETCH completed\n") == "");
}

TEST_CASE("structure and envelope", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto index = mail::index_message(nested_mail);
    CHECK(said(one, "a FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)") ==
          answer("1", "ENVELOPE " + mail::imap_envelope(index.envelopes[0]) + " BODY " +
                          mail::imap_body_structure(index, false) + " BODYSTRUCTURE " +
                          mail::imap_body_structure(index, true)) +
              "a OK FETCH completed\r\n");
}

TEST_CASE("flags alone ask for neither structure nor header, header fields for no body", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    const auto questions = [&](const std::string& line) {
        std::string kinds;
        one.watch(line, [&](const event& asked) -> std::optional<verdict> {
            if (const auto* rows = std::get_if<read_rows>(&asked))
                kinds += std::string("r") + (rows->with_index ? "i" : "") + (rows->with_encoded_index ? "e" : "") +
                         (rows->with_structure ? "s" : "") +
                         (rows->with_header ? "h" : "") + (rows->listed_header ? "l" : "");
            if (std::holds_alternative<read_body>(asked)) kinds += "b";
            return std::nullopt;
        });
        return kinds;
    };
    CHECK(questions("a FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)") == "r");
    CHECK(questions("a FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM)])") == "rhl");
    CHECK(questions("a FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM X-SPAM)])") == "rh");
    CHECK(questions("a FETCH 1:* (BODY.PEEK[HEADER.FIELDS.NOT (FROM)])") == "rh");
    CHECK(questions("a FETCH 1 (BODY.PEEK[])") == "rb");
    CHECK(questions("a FETCH 1 (ENVELOPE BODYSTRUCTURE)") == "re");
    CHECK(questions("a FETCH 1 (UID BODYSTRUCTURE)") == "rs");
    CHECK(questions("a FETCH 1 (BODY)") == "re");
    CHECK(questions("a FETCH 1 (BODYSTRUCTURE BODY.PEEK[1])") == "rib");
    CHECK(questions("a FETCH 1 (ENVELOPE BODY.PEEK[2])") == "rib");
    CHECK(questions("a FETCH 1 RFC822.HEADER") == "rih");
    CHECK(questions("a FETCH 4 BODY.PEEK[]") == "rbbb");
}

TEST_CASE("the FETCH lines of real clients are answered", "[imap][fetch]") {
    player one({}, mail_store());
    select_inbox(one);
    for (const char* line : {
             "UID FETCH 1:* (FLAGS)",
             "UID fetch 11 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID "
             "Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To Received)])",
             "UID FETCH 11 (UID RFC822.SIZE BODY.PEEK[])",
             "UID FETCH 12 (UID FLAGS)",
             "UID FETCH 12 (INTERNALDATE BODY.PEEK[])",
             "FETCH 1:* (FLAGS UID INTERNALDATE)",
             "UID FETCH 12 (BODY.PEEK[])",
             "UID FETCH 1:20 (FLAGS) (CHANGEDSINCE 1)",
             "FETCH 1:4 (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (Newsgroups Content-MD5)] INTERNALDATE RFC822.SIZE "
             "FLAGS)",
             "FETCH 1 (BODYSTRUCTURE FLAGS)",
             "FETCH 1 BODY[1]",
             "FETCH 1:4 RFC822.SIZE",
             "FETCH 1 RFC822.HEADER",
             "FETCH 1 BODY.PEEK[TEXT]",
             "FETCH 1:4 (UID RFC822.SIZE)",
             "UID FETCH 11 BODY.PEEK[]",
             "UID FETCH 1:4294967295 (MODSEQ FLAGS)",
             "UID FETCH 11 (BODY.PEEK[1.2])",
             "UID FETCH 20 (BODY.PEEK[]<0.65536>)",
             "UID FETCH 56:555 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])",
             "UID FETCH 1:* (FLAGS) (CHANGEDSINCE 0)",
             "UID FETCH 11 (FLAGS BODY.PEEK[])",
         }) {
        INFO(line);
        const auto out = said(one, std::string("a ") + line);
        CHECK(out.ends_with("a OK FETCH completed\r\n"));
    }
}

TEST_CASE("PREVIEW tells the first words, LAZY or not", "[imap][fetch]") {   // RFC 8970
    CHECK(play_mails_everywhere("G: INBOX\n"
                                "C: a FETCH 2:3 (UID PREVIEW)\n"
                                "S: * 2 FETCH (UID 12 PREVIEW \"hello\")\n"
                                "S: * 3 FETCH (UID 15 PREVIEW \"\")\n"
                                "S: a OK FETCH completed\n"
                                "C: b FETCH 2 (PREVIEW (LAZY) UID)\n"
                                "S: * 2 FETCH (PREVIEW \"hello\" UID 12)\n"
                                "S: b OK FETCH completed\n"
                                "C: c FETCH 2 PREVIEW (LAZY)\n"
                                "S: * 2 FETCH (PREVIEW \"hello\")\n"
                                "S: c OK FETCH completed\n"
                                "C: d FETCH 2 PREVIEW (EAGER)\n"
                                "S: d BAD Unknown FETCH modifier\n"
                                "C: e FETCH 1 PREVIEW\n"
                                "S: * 1 FETCH (PREVIEW {13}\n"
                                "S: caf\xc3\xa9 au lait)\n"
                                "S: e OK FETCH completed\n"
                                "C: f ENABLE UTF8=ACCEPT\n"
                                "S: * ENABLED UTF8=ACCEPT\n"
                                "S: f OK ENABLE completed\n"
                                "C: g FETCH 1 PREVIEW\n"
                                "S: * 1 FETCH (PREVIEW \"caf\xc3\xa9 au lait\")\n"
                                "S: g OK FETCH completed\n") == "");
}
