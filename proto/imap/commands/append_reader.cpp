#include "proto/imap/commands/append_reader.hpp"

#include "proto/imap/grammar/literal.hpp"
#include "proto/imap/grammar/mail_url.hpp"
#include "proto/imap/grammar/response.hpp"

#include <algorithm>

namespace pp::imap {

namespace {

reply too_big() { return no("The mail is too large", "TOOBIG"); }

// RFC 4469 section 4.1: url-resp-text is anything but "]" and line ends, and not empty.
reply bad_url(std::string_view url, std::string_view why) {
    if (url.empty()) return no(why);
    std::string code = "BADURL ";
    for (const char ch : url) code += ch == ']' ? std::string("%5D") : std::string(1, ch);
    return no(why, code);
}

}  // namespace

std::uint64_t append_reader::bytes_max() const {
    return c_.options.append_bytes_max ? c_.options.append_bytes_max : discarded_bytes_max;
}

wire::task<std::optional<reply>> append_reader::read(const std::string& mailbox,
                                                     std::optional<std::uint32_t> replaces) {
    replaces_ = replaces;
    problem failed;
    std::size_t mails = 0;
    do {
        if (++mails > appended_mails_max) failed = no("Too many mails in one command", "LIMIT");
        else failed = co_await one_mail(mailbox);
        bytes_in_all_ += bytes_;
        if (c_.over) failed = ok("");
    } while (!failed && !replaces && cmd_.args.peek() == ' ');
    if (!failed) {
        cmd_.args.end();
        if (!cmd_.args.failed() && cmd_.body) cmd_.args.fail("Nothing may follow the mail");
        if (cmd_.args.failed()) failed = malformed();
    }
    if (failed && begun_) {
        append_abort abort;
        co_await c_.ask(std::move(abort));
    }
    co_return failed;
}

// append-message = append-opts SP append-data
wire::task<std::optional<reply>> append_reader::one_mail(const std::string& mailbox) {
    auto& args = cmd_.args;
    append_begin question;
    question.mailbox = mailbox;
    question.replaces = replaces_;
    args.space();
    if (args.peek() == '(') {
        question.flags = args.flag_list();
        args.space();
    }
    if (args.peek() == '"') {
        question.internal_date = args.date_time();
        args.space();
    }
    if (args.at_end()) co_return co_await whole(std::move(question), false);
    const auto form = args.keyword();
    args.space();
    args.expect('(');
    if (form == "CATENATE") co_return co_await parts(std::move(question));
    if (form != "UTF8") args.fail("The mail is missing");
    co_return co_await whole(std::move(question), true);
}

wire::task<std::optional<reply>> append_reader::begin(append_begin question) {
    bytes_ = 0;
    const auto answer = co_await c_.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) co_return c_.refused(*why);
    begun_ = true;
    co_return std::nullopt;
}

wire::task<std::optional<reply>> append_reader::whole(append_begin question, bool utf8) {
    auto& args = cmd_.args;
    if (utf8 && !args.at_end()) args.fail("UTF8 needs a binary literal");
    if (!cmd_.body) args.fail("The mail is missing");
    else if (utf8 && !cmd_.body->binary) args.fail("UTF8 needs a binary literal");
    if (args.failed()) co_return malformed();
    // RFC 6855 section 4: the extension belongs to those who have enabled it.
    if (utf8 && !c_.utf8()) co_return bad("Enable UTF8=ACCEPT first");
    // Refused here, the literal stays: a client that waits never sends it, any other's is thrown away.
    if (cmd_.body->size_bytes > bytes_max()) co_return too_big();
    if (cmd_.body->size_bytes == 0) co_return no("An empty mail cannot be kept", "CANNOT");   // RFC 3502: cancels
    question.size_bytes = cmd_.body->size_bytes;
    auto failed = co_await begin(std::move(question));
    if (!failed) failed = co_await literal();
    if (failed || c_.over || !utf8) co_return failed;
    cmd_.args.expect(')');
    if (cmd_.args.failed()) co_return malformed();
    co_return std::nullopt;
}

// RFC 4469 section 5: "CATENATE" SP "(" cat-part *(SP cat-part) ")"
wire::task<std::optional<reply>> append_reader::parts(append_begin question) {
    if (cmd_.args.failed()) co_return malformed();
    auto failed = co_await begin(std::move(question));
    while (!failed && !c_.over) {
        failed = co_await part();
        if (failed || c_.over) break;
        if (cmd_.args.take(' ')) continue;
        cmd_.args.expect(')');
        if (cmd_.args.failed()) failed = malformed();
        else if (bytes_ == 0) failed = no("An empty mail cannot be kept", "CANNOT");
        break;
    }
    co_return failed;
}

wire::task<std::optional<reply>> append_reader::part() {
    auto& args = cmd_.args;
    const auto kind = args.keyword();
    args.space();
    if (kind == "URL") co_return co_await url();
    const bool utf8 = kind == "UTF8";
    if (utf8) args.expect('(');
    else if (kind != "TEXT") args.fail("Expected TEXT or URL");
    if (!args.at_end() || !cmd_.body || (utf8 && !cmd_.body->binary)) args.fail("A literal is missing");
    if (args.failed()) co_return malformed();
    if (utf8 && !c_.utf8()) co_return bad("Enable UTF8=ACCEPT first");
    if (cmd_.body->size_bytes > bytes_max() - bytes_) co_return too_big();
    auto failed = co_await literal();
    if (failed || c_.over || !utf8) co_return failed;
    cmd_.args.expect(')');
    if (cmd_.args.failed()) co_return malformed();
    co_return std::nullopt;
}

// Departure: RFC 6855 section 4 wants NO for 8-bit headers of a client that has not enabled UTF8=ACCEPT. Clients that
// copy old mail (imapsync, offlineimap, every drag and drop) would lose it;
// headers in any charset are kept as they are.
wire::task<std::optional<reply>> append_reader::literal() {
    const auto literal = *cmd_.body;
    cmd_.body.reset();
    co_await c_.accept_literal(literal);
    if (c_.over) co_return std::nullopt;
    bool nul = false;
    for (auto left = literal.size_bytes; left > 0;) {
        append_chunk chunk;
        chunk.data = co_await c_.read_piece(left);
        if (c_.over) co_return std::nullopt;
        // RFC 9051 section 4.3.1: only literal8 may carry NUL.
        nul |= !literal.binary && as_text(chunk.data).find('\0') != std::string_view::npos;
        bytes_ += chunk.data.size();
        if (!nul) co_await c_.ask(std::move(chunk));
    }
    const bool more = co_await next_line();
    if (more && nul) co_return no("A mail with NUL needs a binary literal", "CANNOT");
    co_return std::nullopt;
}

// What follows a literal, up to the next one or the end of the command.
wire::task<bool> append_reader::next_line() {
    auto line = co_await c_.read_line(line_bytes_left_);
    if (!line) co_return false;
    line_bytes_left_ -= line->size();
    cmd_.text = std::move(*line);
    if (const auto mark = literal_at_end(cmd_.text)) {
        cmd_.body = open_literal{mark->size_bytes, mark->synchronising, mark->binary};
        cmd_.text.resize(mark->begins_at);
    }
    const bool utf8 = cmd_.args.expects_utf8();
    cmd_.args = parser(cmd_.text);
    cmd_.args.expect_utf8(utf8);
    co_return true;
}

wire::task<std::optional<reply>> append_reader::url() {
    std::string text;
    if (cmd_.args.at_end() && cmd_.body && !cmd_.body->binary && cmd_.body->size_bytes <= url_bytes_max) {
        const auto literal = *cmd_.body;   // astring: the URL itself may be a literal
        cmd_.body.reset();
        co_await c_.accept_literal(literal);
        if (c_.over) co_return std::nullopt;
        for (auto left = literal.size_bytes; left > 0;) {
            const auto piece = co_await c_.read_piece(left);
            if (c_.over) co_return std::nullopt;
            text += as_text(piece);
        }
        const bool more = co_await next_line();
        if (!more) co_return std::nullopt;
    } else {
        text = cmd_.args.astring();
    }
    if (text.size() > url_bytes_max) cmd_.args.fail("A URL is too long");
    if (cmd_.args.failed()) co_return malformed();
    co_return co_await copy(text);
}

wire::task<std::optional<reply>> append_reader::copy(const std::string& text) {
    const auto url = parse_mail_url(text);
    if (!url) co_return bad_url(text, "This URL names no mail here");
    if (url->mailbox.empty() && !c_.selected) co_return bad_url(text, "No mailbox is selected");
    find_mail question;
    question.mailbox = url->mailbox.empty() ? c_.selected->name : url->mailbox;
    question.uid_validity = url->uid_validity;
    question.uid = url->uid;
    const auto answer = co_await c_.ask(std::move(question));
    if (const auto* why = std::get_if<refusal>(&answer)) {
        if (why->bye) co_return c_.refused(*why);
        co_return bad_url(text, why->text);
    }
    const auto found = std::get<found_mail>(answer);
    auto place = found.index ? locate(url->section, *found.index) : std::nullopt;
    if (!place) co_return bad_url(text, "The mail has no such section");
    if (!url->section.filters_header()) {
        const auto range = clip(*place, url->partial);
        co_return co_await copy_range(text, found.mail, range);
    }
    // Some lines of a header block: read as far as it was parsed, then chosen from.
    std::string header;
    for (const auto size = std::min<std::uint64_t>(place->length, mail::header_block_bytes_max);
         header.size() < size;) {
        read_found piece_question;
        piece_question.mail = found.mail;
        piece_question.offset = place->offset + header.size();
        piece_question.length = std::min<std::uint64_t>(size - header.size(), append_piece_bytes_max);
        const auto piece = co_await c_.ask(std::move(piece_question));
        const auto* data = std::get_if<bytes>(&piece);
        if (data == nullptr || data->empty()) co_return bad_url(text, "The mail cannot be read");
        header += as_text(*data);
    }
    const auto lines = mail::filter_header_fields(header, url->section.fields,
                                                  url->section.kind == section_kind::header_fields_not);
    const auto range = clip({0, lines.size()}, url->partial);
    append_chunk chunk;
    chunk.data = to_bytes(std::string_view(lines).substr(range.offset, range.length));
    if (chunk.data.size() > bytes_max() - bytes_) co_return too_big();
    bytes_ += chunk.data.size();
    co_await c_.ask(std::move(chunk));
    co_return std::nullopt;
}

wire::task<std::optional<reply>> append_reader::copy_range(const std::string& url, std::uint64_t mail,
                                                           byte_range range) {
    if (range.length > bytes_max() - bytes_) co_return too_big();
    for (std::uint64_t done = 0; done < range.length;) {
        read_found question;
        question.mail = mail;
        question.offset = range.offset + done;
        question.length = std::min<std::uint64_t>(range.length - done, append_piece_bytes_max);
        auto answer = co_await c_.ask(std::move(question));
        auto* data = std::get_if<bytes>(&answer);
        if (data == nullptr || data->empty()) co_return bad_url(url, "The mail cannot be read");
        append_chunk chunk;
        chunk.data = std::move(*data);
        done += chunk.data.size();
        bytes_ += chunk.data.size();
        co_await c_.ask(std::move(chunk));
    }
    co_return std::nullopt;
}

}  // namespace pp::imap
