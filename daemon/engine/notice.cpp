#include "daemon/engine/notice.hpp"

#include "daemon/engine/authentication_results.hpp"
#include "daemon/engine/delivery_words.hpp"
#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/date.hpp"

namespace pp::engine {

namespace {

std::string notice_address(const storage::contact& c) {
    return "mail@" + crypto::account_label(c.account) + ".peerpost.alt";
}

std::string notice_date(storage::unix_ms at) { return mail::header_date({at / 1000, 0}); }

// At the beginning of its line: mail programs that wrap would move so long a word into the next one.
std::string described(const storage::contact& c) {
    return notice_address(c) + "\n    " + std::string(sentence_of(c.how)) + "\n    since " + moment(c.since) +
           (c.verified_at ? ", verified" : ", not verified") + "\n\n";
}

}  // namespace

bytes notice_mail(const notice& n) {
    const auto address = clean_text(n.address);
    std::string out;
    out += "Date: " + notice_date(n.now) + "\r\n";
    out += "From: peerpost <peerpost@localhost>\r\n";
    out += n.name.empty() ? "To: " + address + "\r\n" : "To: " + header_phrase(n.name) + "\r\n <" + address + ">\r\n";
    out += "Subject: " + header_phrase(n.subject) + "\r\n";
    out += "Message-ID: <" + crypto::hex(n.dice) + "@localhost>\r\n";
    out += "Auto-Submitted: auto-generated\r\n";   // RFC 3834 section 5
    out += "MIME-Version: 1.0\r\n";
    out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    out += quoted_printable(n.text + "\nNobody reads answers to this mail.\n");
    return to_bytes(out);
}

notice two_keys_notice(const storage::contact& known, const storage::contact& fresh) {
    const auto name = clean_text(fresh.name);
    notice n;
    n.subject = "Two contacts call themselves " + name;
    n.text = "You have two contacts called \"" + name + "\" now. Each has an address and\na key of its own, and either "
             "may be the right one.\n\nKnown before:\n\n" + described(known) + "New:\n\n" + described(fresh) +
             "If you have heard from " + name + " that this is a new account, remove\nthe old one:\n\n"
             "peerpost contact remove " + notice_address(known) + "\n\n"
             "If not, somebody may be pretending to be " + name + ". Ask in another\n"
             "way, by telephone say, and compare the keys:\n\n"
             "peerpost contact verify " + notice_address(fresh) + "\n\n"
             "To hear no more from the new one:\n\n"
             "peerpost contact block " + notice_address(fresh) + "\n";
    return n;
}

notice old_record_notice(const storage::contact& c, storage::unix_ms known_made_at) {
    const auto name = c.name.empty() ? notice_address(c) : clean_text(c.name);
    notice n;
    n.subject = "An old copy of " + name + "'s peerpost may be running";
    n.text = "The computer of " + name + ",\n\n" + described(c) +
             "has told this one about itself what was true once, but not since\n" + moment(known_made_at) +
             ". It was not believed: what is\nknown from that time goes on being used, and you need do nothing.\n\n"
             "The clock there may have been put back. Or an old copy of that\nperson's peerpost may be running "
             "somewhere, perhaps in strange hands:\nask in another way, by telephone say. To hear no more from "
             "this\naccount:\n\n"
             "peerpost contact block " + notice_address(c) + "\n";
    return n;
}

}  // namespace pp::engine
