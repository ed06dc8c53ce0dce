#include "daemon/engine/welcome.hpp"

#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/date.hpp"

namespace pp::engine {

namespace {

std::string text_for_people(const welcome& w) {
    const std::string name = clean_text(w.name);
    std::string out = name.empty() ? "Welcome to peerpost.\n\n" : "Welcome to peerpost, " + name + ".\n\n";
    out += "Your mail address is\n\n    " + clean_text(w.address) +
           "\n\n"
           "Whatever you write in front of the @ reaches you too: shop@...,\n"
           "family@... are yours as well. There is no mail provider. Each mail\n"
           "goes, encrypted, from your computer to the computer of the person you\n"
           "write to. Nobody in between can read it.\n\n"
           "When both computers are switched on, a mail is there at once. Else it\n"
           "waits, for five days at most: at the other one's relay, encrypted, or\n"
           "on your computer when there is none. A friend whose computer is always\n"
           "on can be your relay; use it with: peerpost relay use LINK\n\n"
           "A report in INBOX tells you when a mail could not be delivered. See\n"
           "what waits, and what has failed, with: peerpost queue --all\n\n"
           "Your mailboxes\n\n"
           "INBOX     mail from people you know\n"
           "Sent      what you have sent; peerpost files the copy by itself\n"
           "Outgoing  a note for each mail that is still under way: where it is,\n"
           "          and why. Delete the note to cancel the mail; the note in\n"
           "          Trash says then whether it was\n"
           "Requests  mail from people you do not know yet. Answer one, or move it\n"
           "          to INBOX, and that person's later mail comes to INBOX. Move it\n"
           "          to Junk (the folder \"Spam\" in Thunderbird, whose Spam button\n"
           "          alone moves nothing), and that person cannot write to you any\n"
           "          more. That person's other mails in Requests go to INBOX or\n"
           "          Junk, too. Moving it back to Requests undoes it all\n\n"
           "People you do not know can write to you a little only: their computer\n"
           "has to do some work for each mail. To be sure that a contact's key is\n"
           "the right one, compare it: peerpost contact verify NAME\n\n";
    if (!w.invite_link.empty()) {
        out += "To exchange mail with somebody, give that person your invitation. It\n";
        out += w.qr_png.empty() ? "is attached as a link. " : "is attached as a link and as a picture to scan. ";
        out += "The other one runs\n\n    peerpost contact add 'LINK'\n\n"
               "After that you can write to each other. This invitation can be used by\n"
               "one person. Make more of them with: peerpost invite\n\n";
    } else {
        out += "To exchange mail with somebody, make an invitation with: peerpost invite\n\n";
    }
    if (!w.vcard.empty()) out += "Your card for address books is attached as well.\n\n";
    out += "Keep the recovery words you were shown in a safe place: they are the\n"
           "only way back to this address.\n"
           "Nobody reads answers to this mail.\n";
    return out;
}

std::string attachment(std::string_view boundary, std::string_view type, std::string_view file_name, bytes_view data) {
    std::string out = "--" + std::string(boundary) + "\r\n";
    out += "Content-Type: " + std::string(type) + "\r\n";
    out += "Content-Disposition: attachment; filename=\"" + std::string(file_name) + "\"\r\n";
    out += "Content-Transfer-Encoding: base64\r\n\r\n";
    return out + base64_lines(data);
}

}  // namespace

bytes welcome_mail(const welcome& w) {
    const std::string unique = crypto::hex(w.dice);
    // "=_" stands in no quoted-printable or base64 line (RFC 2045 section 6.7)
    const std::string boundary = "=_" + unique;
    const std::string address = clean_text(w.address);
    std::string out;
    out += "Date: " + mail::header_date({w.unix_seconds, 0}) + "\r\n";
    out += "From: peerpost <peerpost@localhost>\r\n";
    out += w.name.empty() ? "To: " + address + "\r\n" : "To: " + header_phrase(w.name) + "\r\n <" + address + ">\r\n";
    out += "Subject: Welcome to peerpost\r\n";
    out += "Message-ID: <" + unique + "@localhost>\r\n";
    out += "Auto-Submitted: auto-generated\r\n";   // RFC 3834 section 5
    out += "MIME-Version: 1.0\r\n";
    out += "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n";
    out += "--" + boundary + "\r\n";
    out += "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n";
    out += quoted_printable(text_for_people(w));
    if (!w.invite_link.empty())
        out += attachment(boundary, "text/plain; charset=utf-8", "peerpost-invitation.txt",
                          as_bytes(clean_text(w.invite_link) + "\r\n"));
    if (!w.qr_png.empty()) out += attachment(boundary, "image/png", "peerpost-invitation.png", w.qr_png);
    if (!w.vcard.empty())
        out += attachment(boundary, "text/vcard; charset=utf-8", "peerpost-card.vcf", as_bytes(w.vcard));
    out += "--" + boundary + "--\r\n";
    return to_bytes(out);
}

}  // namespace pp::engine
