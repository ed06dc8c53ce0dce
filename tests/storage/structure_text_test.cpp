// What is kept beside the index of a mail so that FETCH need not make it: storage/FORMAT.md, table env.
#include "proto/mail/message_index.hpp"
#include "tests/storage/store_fixture.hpp"

using namespace pp;
using namespace pp::storage;
using namespace pp::storage::testing;

TEST_CASE("BODYSTRUCTURE is kept as text where every client is told the same") {
    store_fixture f;
    const std::string mixed =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n"
        "--b\r\nContent-Type: application/pdf; name=\"a \\\"b\\\".pdf\"\r\n"
        "Content-Disposition: attachment\r\n\r\nx\r\n--b--\r\n";
    const std::string eight = "Content-Type: text/plain; name=\"na\xc3\xafve\"\r\n\r\nhello\r\n";
    std::string wide = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (int i = 0; i < 200; ++i) wide += "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n";
    wide += "--b--\r\n";
    f.add("INBOX", mixed);
    f.add("INBOX", eight);
    f.add("INBOX", wide);
    const auto told = [&](std::size_t at) {
        const auto serial = f.all("INBOX")[at].mail_serial;
        return f.store->read([&](const read_txn& t) { return t.structure_text(serial).value(); });
    };
    for (int round = 0; round < 3; ++round) {
        INFO(round);
        const auto text = told(0);
        REQUIRE(text.has_value());
        CHECK(as_text(*text) == mail::imap_body_structure(mail::index_message(mixed), true));
        CHECK_FALSE(told(1).has_value());   // with UTF8=ACCEPT it is a quoted string, else a literal
        CHECK_FALSE(told(2).has_value());   // longer than structure_text_bytes_max
        if (round == 0) f.rebuild();
        else f.reopen();
    }
}
