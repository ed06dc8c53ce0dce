#include "daemon/engine/notice.hpp"

#include "daemon/engine/authentication_results.hpp"
#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/date.hpp"

namespace pp::engine {

namespace {

std::string notice_address(const storage::contact& c) {
    return "mail@" + crypto::account_label(c.account) + ".peerpost.alt";
}

std::string notice_date(storage::unix_ms at) { return mail::header_date({at / 1000, 0}); }

std::string described(const storage::contact& c) {
    return "    " + notice_address(c) + "\n    " + std::string(sentence_of(c.how)) + ", since\n    " +
           notice_date(c.since) + (c.verified_at ? ", verified" : ", not verified") + "\n\n";
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
    n.text = "You have two contacts called \"" + name + "\" now, with different keys.\n\nKnown before:\n\n" +
             described(known) + "New:\n\n" + described(fresh) + "If you have heard from " + name +
             " that this is a new account, remove\nthe old one:\n\n"
             "    peerpost contact remove " +
             notice_address(known) +
             "\n\n"
             "If not, somebody may be pretending to be " +
             name +
             ". Ask over a channel\n"
             "you trust, and compare the keys:\n\n"
             "    peerpost contact verify " +
             notice_address(fresh) +
             "\n\n"
             "To hear no more from the new one:\n\n"
             "    peerpost contact block " +
             notice_address(fresh) + "\n";
    return n;
}

notice old_record_notice(const storage::contact& c, storage::unix_ms known_made_at) {
    const auto name = c.name.empty() ? notice_address(c) : clean_text(c.name);
    notice n;
    n.subject = "An old state of " + name + " is on the air";
    n.text = "The node of\n\n" + described(c) + "has shown a record older than the one that is known, made at\n\n    " +
             notice_date(known_made_at) +
             "\n\nIt was not believed: the newer one goes on being used.\n\n"
             "Its clock may have been put back, or an old copy of that person's\npeerpost may be running somewhere, "
             "perhaps in strange hands. Ask over a\nchannel you trust. To hear no more from this account:\n\n"
             "    peerpost contact block " +
             notice_address(c) + "\n";
    return n;
}

}  // namespace pp::engine
