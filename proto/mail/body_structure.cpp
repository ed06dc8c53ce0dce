// BODY and BODYSTRUCTURE (RFC 9051 section 7.5.2, body of section 9). Types and parameters are written as they were
// sent; where the grammar wants a string there is never NIL.
#include "proto/mail/ascii.hpp"
#include "proto/mail/message_index.hpp"

namespace pp::mail {
namespace {

class structure_writer {
public:
    structure_writer(const message_index& index, bool extended, bool utf8)
        : index_(index), extended_(extended), utf8_(utf8) {}

    std::string run() {
        part(index_.parts.front());
        return std::move(out_);
    }

private:
    // Recursion is as deep as the mail's parts: mime_depth_max, which indexer and decoder keep.
    void part(const message_part& p) {
        out_ += '(';
        if (p.is_multipart()) multipart(p);
        else single(p);
        out_ += ')';
    }

    void multipart(const message_part& p) {
        for (const auto child : p.children) part(index_.parts[static_cast<std::size_t>(child)]);
        space();
        string(p.subtype);
        if (!extended_) return;
        space();
        parameters(p.parameters, false);
        trailer(p);
    }

    void single(const message_part& p) {
        const bool multipart_type = ascii::equal_no_case(p.type, "multipart");
        const bool message_type = ascii::equal_no_case(p.type, "message") &&
                                  (ascii::equal_no_case(p.subtype, "rfc822") ||
                                   ascii::equal_no_case(p.subtype, "global"));
        const bool message = p.is_message();
        // What is named multipart and has no parts, or message/rfc822 and was not opened, has no shape of its own in
        // the grammar: it is shown as plain text, and as bytes where it is encoded (RFC 2046 section 5.2.1 forbids that).
        const bool unshaped = (multipart_type || message_type) && !message;
        const bool encoded = p.encoding && (ascii::equal_no_case(*p.encoding, "base64") ||
                                            ascii::equal_no_case(*p.encoding, "quoted-printable"));
        const bool opaque = unshaped && message_type && encoded;
        const bool text = !opaque && (unshaped || ascii::equal_no_case(p.type, "text"));
        string(opaque ? "application" : unshaped ? "text" : std::string_view(p.type));
        space();
        string(opaque ? "octet-stream" : unshaped ? "plain" : std::string_view(p.subtype));
        space();
        parameters(unshaped && !opaque ? parameter_list{} : p.parameters, text);
        space();
        nstring(p.id);
        space();
        nstring(p.description);
        space();
        string(p.encoding ? std::string_view(*p.encoding) : "7bit");
        number(p.body_bytes);
        if (message) {
            const auto& inside = index_.parts[static_cast<std::size_t>(p.children.front())];
            space();
            out_ += imap_envelope(index_.envelopes[static_cast<std::size_t>(p.envelope_number)], utf8_);
            space();
            part(inside);
        }
        if (message || text) number(p.body_lines);
        if (!extended_) return;
        space();
        nstring(p.md5);
        trailer(p);
    }

    // body-fld-dsp, body-fld-lang, body-fld-loc.
    void trailer(const message_part& p) {
        space();
        if (p.disposition) {
            out_ += '(';
            string(p.disposition->first);
            space();
            parameters(p.disposition->second, false);
            out_ += ')';
        } else {
            out_ += "NIL";
        }
        space();
        if (p.languages.empty()) {
            out_ += "NIL";
        } else {
            char separator = '(';
            for (const auto& tag : p.languages) {
                out_ += separator;
                string(tag);
                separator = ' ';
            }
            out_ += ')';
        }
        space();
        nstring(p.location);
    }

    // Text without a charset is US-ASCII (RFC 2046 section 4.1.2), and clients expect to be told so.
    void parameters(const parameter_list& list, bool with_charset) {
        for (const auto& [name, value] : list)
            if (ascii::equal_no_case(name, "charset") || ascii::equal_no_case(name, "charset*")) with_charset = false;
        if (list.empty() && !with_charset) {
            out_ += "NIL";
            return;
        }
        out_ += '(';
        for (const auto& [name, value] : list) {
            if (&name != &list.front().first) space();
            string(name);
            space();
            string(value);
        }
        if (with_charset) out_ += list.empty() ? "\"charset\" \"us-ascii\"" : " \"charset\" \"us-ascii\"";
        out_ += ')';
    }

    void space() { out_ += ' '; }
    void string(std::string_view text) { out_ += imap_string(text, utf8_); }
    void nstring(const std::optional<std::string>& text) { out_ += imap_nstring(text, utf8_); }
    void number(std::uint64_t n) { out_.append(" ").append(std::to_string(n)); }

    const message_index& index_;
    const bool extended_, utf8_;
    std::string out_;
};

}  // namespace

std::string imap_body_structure(const message_index& index, bool extended, bool utf8) {
    return structure_writer(index, extended, utf8).run();
}

}  // namespace pp::mail
