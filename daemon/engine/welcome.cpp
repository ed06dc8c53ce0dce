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
           "Whatever you write in front of the @ reaches you too: shop@..., family@... are yours as well.\n"
           "There is no mail provider. Each mail goes, encrypted, from your computer to the computer of the\n"
           "person you write to. Nobody in between can read it.\n\n"
           "Your mailboxes\n\n"
           "INBOX       mail from people you know.\n"
           "Sent        what you have sent. peerpost files the copy; your mail client need not do it.\n"
           "Requests    the first mail of somebody you do not know yet. Move it to INBOX or answer it, and you\n"
           "            accept that person: later mail comes to INBOX.\n"
           "Junk        move a mail here, and you get no more mail from its sender. Move it back, and you do.\n\n"
           "If a mail cannot be delivered, a mail in INBOX will tell you so.\n\n";
    if (!w.invite_link.empty()) {
        out += "To exchange mail with somebody, give that person your invitation. It is attached";
        out += w.qr_png.empty() ? " as a link.\n" : " as a link and as a picture to scan.\n";
        out += "The other one runs: peerpost contact add LINK. After that you can write to each other.\n"
               "Each invitation can be used by one person. Make more of them with: peerpost invite\n\n";
    } else {
        out += "To exchange mail with somebody, make an invitation with: peerpost invite\n\n";
    }
    if (!w.vcard.empty()) out += "Your card for address books is attached as well.\n\n";
    out += "Keep the recovery words you were shown in a safe place: they are the only way back to this address.\n"
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
    const std::string boundary = "=_" + unique;   // "=_" stands in no quoted-printable or base64 line (RFC 2045 section 6.7)
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
    if (!w.vcard.empty()) out += attachment(boundary, "text/vcard; charset=utf-8", "peerpost-card.vcf", as_bytes(w.vcard));
    out += "--" + boundary + "--\r\n";
    return to_bytes(out);
}

}  // namespace pp::engine
