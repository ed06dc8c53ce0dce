#include "tests/proto/imap/mail_store.hpp"

#include <memory>

namespace pp::imap::test {

std::string large_mail() {
    std::string text = "Subject: large\r\n\r\n";
    for (int line = 0; text.size() < 600 * 1024; ++line) text += "line " + std::to_string(line) + "\r\n";
    return text + "the very end";
}

fake_store mail_store() {
    fake_store store;
    store.indexer = [](const std::string& text) {
        return std::make_shared<const mail::message_index>(mail::index_message(text));
    };
    auto& inbox = store.create("INBOX");
    mail::flags none, seen, marked;
    seen.system = mail::seen;
    marked.system = mail::deleted;
    marked.add("$label1");
    inbox.uid_next = 11;
    inbox.add(nested_mail, none).internal_date = {791424000, 0};   // 30-Jan-1995
    inbox.add(small_mail, seen);
    inbox.uid_next = 15;
    inbox.add(empty_mail, marked).internal_date = {0, 0};
    inbox.uid_next = inbox.first_recent = 20;
    inbox.add(large_mail(), none);
    return store;
}

std::string play_mails(std::string_view script) { return player({}, mail_store()).play(script); }

std::string play_mails_everywhere(std::string_view script) {
    player whole({}, mail_store());
    if (auto wrong = whole.play(script); !wrong.empty()) return wrong;
    player slow({}, mail_store());
    if (auto wrong = slow.play(script, player::every_byte); !wrong.empty()) return "byte by byte: " + wrong;
    for (std::size_t cut = 1; cut < whole.bytes_sent(); ++cut) {
        player one({}, mail_store());
        if (auto wrong = one.play(script, cut); !wrong.empty()) return "cut at " + std::to_string(cut) + ": " + wrong;
    }
    return {};
}

std::string said(player& one, const std::string& line) {
    one.feed(line + "\r\n");
    return one.take_output();
}

void select_inbox(player& one) {
    one.run();
    one.feed("g1 LOGIN ann secret\r\ng2 SELECT INBOX\r\n");
    one.take_output();
}

}  // namespace pp::imap::test
