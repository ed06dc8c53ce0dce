// BODY and BODYSTRUCTURE (RFC 9051 section 7.5.2, body of section 9). Types and parameters are written as they were
// sent; where the grammar wants a string there is never NIL.
#include "proto/mail/ascii.hpp"
#include "proto/mail/message_index.hpp"
#include "proto/mail/parameter_sections.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace pp::mail {
namespace {

template <class S>
class structure_writer {
public:
    structure_writer(std::string& out, const basic_message_index<S>& index, bool extended, bool utf8)
        : out_(out), index_(index), extended_(extended), utf8_(utf8) {}

    void run() { part(index_.parts.front()); }

private:
    // Recursion is as deep as the mail's parts: mime_depth_max, which indexer and decoder keep.
    void part(const basic_message_part<S>& p) {
        out_ += '(';
        if (p.is_multipart()) multipart(p);
        else single(p);
        out_ += ')';
    }

    void multipart(const basic_message_part<S>& p) {
        for (const auto child : p.children) part(index_.parts[static_cast<std::size_t>(child)]);
        space();
        string(p.subtype);
        if (!extended_) return;
        space();
        parameters(p.parameters, false);
        trailer(p);
    }

    void single(const basic_message_part<S>& p) {
        const bool multipart_type = ascii::equal_no_case(p.type, "multipart");
        const bool message_type = ascii::equal_no_case(p.type, "message") &&
                                  (ascii::equal_no_case(p.subtype, "rfc822") ||
                                   ascii::equal_no_case(p.subtype, "global"));
        const bool message = p.is_message();
        // What is named multipart and has no parts, or message/rfc822 and was not opened, has no shape of its own in
        // the grammar: it is shown as plain text,
        // and as bytes where it is encoded (RFC 2046 section 5.2.1 forbids that).
        const bool unshaped = (multipart_type || message_type) && !message;
        const bool encoded = p.encoding && (ascii::equal_no_case(*p.encoding, "base64") ||
                                            ascii::equal_no_case(*p.encoding, "quoted-printable"));
        const bool opaque = unshaped && message_type && encoded;
        const bool text = !opaque && (unshaped || ascii::equal_no_case(p.type, "text"));
        string(opaque ? "application" : unshaped ? "text" : std::string_view(p.type));
        space();
        string(opaque ? "octet-stream" : unshaped ? "plain" : std::string_view(p.subtype));
        space();
        parameters(unshaped && !opaque ? none_ : p.parameters, text);
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
            append_envelope(out_, index_.envelopes[static_cast<std::size_t>(p.envelope_number)], utf8_);
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
    void trailer(const basic_message_part<S>& p) {
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

    void parameters(const basic_parameter_list<S>& list, bool with_charset) {
        const auto cut = std::find_if(list.begin(), list.end(), [](const auto& p) { return has_sections(p.first); });
        if (cut == list.end()) return joined_parameters(list, with_charset);
        parameter_list sent;
        for (const auto& [name, value] : list) sent.emplace_back(name, value);
        joined_parameters(join_sections(sent), with_charset);
    }

    // Text without a charset is US-ASCII (RFC 2046 section 4.1.2), and clients expect to be told so.
    template <class List>
    void joined_parameters(const List& list, bool with_charset) {
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
    void string(std::string_view text) { append_imap_string(out_, text, utf8_); }
    void nstring(const std::optional<S>& text) {
        if (text) string(*text);
        else out_ += "NIL";
    }
    void number(std::uint64_t n) {
        char digits[20];
        const auto end = std::to_chars(std::begin(digits), std::end(digits), n).ptr;
        space();
        out_.append(digits, end);
    }

    std::string& out_;
    const basic_message_index<S>& index_;
    const bool extended_, utf8_;
    const basic_parameter_list<S> none_;
};

}  // namespace

template <class S>
bool basic_message_part<S>::is_multipart() const {
    return !children.empty() && ascii::equal_no_case(type, "multipart");
}
template <class S>
bool basic_message_part<S>::is_message() const {
    return !children.empty() && envelope_number >= 0 && ascii::equal_no_case(type, "message");
}
template struct basic_message_part<std::string>;
template struct basic_message_part<std::string_view>;

template <class S>
void append_body_structure(std::string& out, const basic_message_index<S>& index, bool extended, bool utf8) {
    structure_writer<S>(out, index, extended, utf8).run();
}
template void append_body_structure(std::string&, const message_index&, bool, bool);
template void append_body_structure(std::string&, const message_outline&, bool, bool);

std::string imap_body_structure(const message_index& index, bool extended, bool utf8) {
    std::string out;
    append_body_structure(out, index, extended, utf8);
    return out;
}

}  // namespace pp::mail
