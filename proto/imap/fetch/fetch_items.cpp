// RFC 9051 section 9: fetch, fetch-att, section, partial; RFC 7162 section 7: fetch-modifier.
#include "proto/imap/fetch/fetch_items.hpp"

#include "proto/imap/grammar/response.hpp"
#include "proto/mail/message_index.hpp"

#include <algorithm>
#include <limits>

namespace pp::imap {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Letters, digits and dots in capitals: item names and section keywords end at '[', ']', '<', blank or parenthesis,
// not where an atom ends.
std::string item_word(parser& args) {
    std::string word;
    for (char c = args.peek(); is_letter(c) || is_digit(c) || c == '.'; c = args.peek()) {
        args.take(c);
        word += c;
    }
    return upper(word);
}

std::uint64_t digits(parser& args, std::uint64_t max) {
    std::uint64_t value = 0;
    if (!is_digit(args.peek())) args.fail("A number is missing in the FETCH item");
    while (is_digit(args.peek())) {
        const char c = args.peek();
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (max - digit) / 10) {
            args.fail("A number in the FETCH item is too large");
            return 0;
        }
        value = value * 10 + digit;
        args.take(c);
    }
    return value;
}

void parse_fields(parser& args, fetch_section& section) {
    args.space();
    args.expect('(');
    while (!args.failed()) {
        if (section.fields.size() == section_fields_max) return args.fail("Too many field names");
        section.fields.push_back(upper(args.astring()));
        if (args.take(')')) return;
        args.space();
    }
}

std::optional<fetch_partial> parse_partial(parser& args) {
    if (!args.take('<')) return std::nullopt;
    constexpr auto number64_max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    fetch_partial partial;
    partial.offset = digits(args, number64_max);
    args.expect('.');
    partial.count = digits(args, number64_max);
    args.expect('>');
    if (partial.count == 0) args.fail("A partial fetch of no bytes");
    return partial;
}

// RFC 8970 section 3.1: "PREVIEW" [SP "(" "LAZY" ")"]. A preview never causes undue delay here, so LAZY changes
// nothing. What stands in the parentheses behind a lone PREVIEW may as well be FETCH modifiers.
void parse_preview(parser& args, fetch_item& item) {
    item.kind = fetch_kind::preview;
    if (upper(args.rest().substr(0, 7)) != " (LAZY)") return;
    for (const char c : std::string_view(" (")) args.expect(c);
    args.take_word("LAZY");
    args.expect(')');
}

fetch_item plain(fetch_kind kind) {
    fetch_item item;
    item.kind = kind;
    return item;
}

fetch_item parse_item(parser& args) {
    const auto word = item_word(args);
    fetch_item item;
    if (args.peek() == '[' && (word == "BODY" || word == "BODY.PEEK")) {
        args.take('[');
        item.kind = fetch_kind::section;
        item.section = parse_section(args);
        item.partial = parse_partial(args);
        item.peek = word != "BODY";
    } else if (args.peek() == '[' && (word == "BINARY" || word == "BINARY.PEEK" || word == "BINARY.SIZE")) {
        args.take('[');
        item.kind = word == "BINARY.SIZE" ? fetch_kind::binary_size : fetch_kind::binary;
        item.section = parse_section(args);
        if (item.section.kind != section_kind::whole) args.fail("BINARY takes a part number only");
        if (item.kind == fetch_kind::binary) item.partial = parse_partial(args);
        item.peek = word != "BINARY";
    } else if (word == "RFC822") {
        item.kind = fetch_kind::rfc822;
        item.peek = false;
    } else if (word == "RFC822.HEADER") {
        item.kind = fetch_kind::rfc822_header;
        item.section.kind = section_kind::header;
    } else if (word == "RFC822.TEXT") {
        item.kind = fetch_kind::rfc822_text;
        item.section.kind = section_kind::text;
        item.peek = false;
    } else if (word == "FLAGS") item.kind = fetch_kind::flags;
    else if (word == "UID") item.kind = fetch_kind::uid;
    else if (word == "INTERNALDATE") item.kind = fetch_kind::internal_date;
    else if (word == "SAVEDATE") item.kind = fetch_kind::save_date;
    else if (word == "RFC822.SIZE") item.kind = fetch_kind::size;
    else if (word == "ENVELOPE") item.kind = fetch_kind::envelope;
    else if (word == "BODY") item.kind = fetch_kind::body;
    else if (word == "BODYSTRUCTURE") item.kind = fetch_kind::body_structure;
    else if (word == "MODSEQ") item.kind = fetch_kind::modseq;
    else if (word == "EMAILID") item.kind = fetch_kind::email_id;
    else if (word == "THREADID") item.kind = fetch_kind::thread_id;
    else if (word == "PREVIEW") parse_preview(args, item);
    else args.fail("Unknown FETCH item");
    return item;
}

// RFC 9051 section 6.4.5: a macro stands alone.
bool parse_macro(parser& args, fetch_request& request) {
    static constexpr fetch_kind items[] = {fetch_kind::flags, fetch_kind::internal_date, fetch_kind::size,
                                           fetch_kind::envelope, fetch_kind::body};
    const std::size_t count = args.take_word("FAST") ? 3 : args.take_word("ALL") ? 4 : args.take_word("FULL") ? 5 : 0;
    for (std::size_t i = 0; i < count; ++i) request.add(plain(items[i]));
    return count > 0;
}

// RFC 7162 sections 3.1.4 and 3.2.6, RFC 9394 section 3.3. Departure: 0 is accepted, iOS sends it (05-mail-protocols
// 5.2.3).
void parse_modifiers(parser& args, fetch_request& request) {
    args.expect('(');
    while (!args.failed()) {
        if (args.take_word("CHANGEDSINCE") && !request.changed_since) {
            args.space();
            request.changed_since = args.number64();
        } else if (args.take_word("PARTIAL") && !request.partial) {
            args.space();
            request.partial = parse_partial_range(args);
        } else if (args.take_word("VANISHED") && !request.vanished) {
            request.vanished = true;
        } else {
            args.fail("Unknown FETCH modifier");
        }
        if (args.take(')')) break;
        args.space();
    }
    if (request.vanished && !request.changed_since) args.fail("VANISHED needs CHANGEDSINCE");
    if (request.changed_since) request.add(plain(fetch_kind::modseq));   // RFC 7162 section 3.1.4.1: implied
}

}  // namespace

std::string fetch_item::name() const {
    const auto bracketed = [&](std::string_view word) {
        auto out = std::string(word) + '[' + section.text() + ']';
        if (partial) out += '<' + std::to_string(partial->offset) + '>';
        return out;
    };
    switch (kind) {
    case fetch_kind::flags: return "FLAGS";
    case fetch_kind::uid: return "UID";
    case fetch_kind::internal_date: return "INTERNALDATE";
    case fetch_kind::save_date: return "SAVEDATE";
    case fetch_kind::size: return "RFC822.SIZE";
    case fetch_kind::envelope: return "ENVELOPE";
    case fetch_kind::body: return "BODY";
    case fetch_kind::body_structure: return "BODYSTRUCTURE";
    case fetch_kind::modseq: return "MODSEQ";
    case fetch_kind::email_id: return "EMAILID";
    case fetch_kind::thread_id: return "THREADID";
    case fetch_kind::preview: return "PREVIEW";
    case fetch_kind::section: return bracketed("BODY");
    case fetch_kind::binary: return bracketed("BINARY");
    case fetch_kind::binary_size: return bracketed("BINARY.SIZE");
    case fetch_kind::rfc822: return "RFC822";
    case fetch_kind::rfc822_header: return "RFC822.HEADER";
    case fetch_kind::rfc822_text: return "RFC822.TEXT";
    }
    return {};
}

bool fetch_item::needs_index() const {
    switch (kind) {
    case fetch_kind::envelope:
    case fetch_kind::body:
    case fetch_kind::body_structure:
    case fetch_kind::binary:
    case fetch_kind::binary_size:
    case fetch_kind::preview:
    case fetch_kind::rfc822_header:
    case fetch_kind::rfc822_text: return true;
    case fetch_kind::section:
        if (section.part.empty() && section.kind == section_kind::whole) return false;   // the size is enough
        return !(section.of_own_header() && section.filters_header());
    default: return false;
    }
}

bool fetch_item::needs_header() const {
    return kind == fetch_kind::rfc822_header || (kind == fetch_kind::section && section.of_own_header());
}

bool fetch_item::needs_only_structure() const {
    return kind == fetch_kind::envelope || kind == fetch_kind::body || kind == fetch_kind::body_structure;
}

bool fetch_item::needs_only_listed() const {
    return kind == fetch_kind::section && section.of_own_header() && section.kind == section_kind::header_fields &&
           std::all_of(section.fields.begin(), section.fields.end(), mail::is_listed_field);
}

bool fetch_item::reads_body() const {
    switch (kind) {
    case fetch_kind::section: return !section.of_own_header();
    case fetch_kind::binary:
    case fetch_kind::binary_size:
    case fetch_kind::preview:
    case fetch_kind::rfc822:
    case fetch_kind::rfc822_text: return true;
    default: return false;
    }
}

void fetch_request::add(fetch_item item) {
    if (std::find(items.begin(), items.end(), item) == items.end()) items.push_back(std::move(item));
}
bool fetch_request::has(fetch_kind kind) const {
    return std::any_of(items.begin(), items.end(), [&](const auto& item) { return item.kind == kind; });
}
bool fetch_request::only_uid() const {
    return items.size() == 1 && items.front().kind == fetch_kind::uid && !changed_since;
}

bool fetch_request::needs_index() const {
    return std::any_of(items.begin(), items.end(), [](const auto& item) { return item.needs_index(); });
}
bool fetch_request::needs_header() const {
    return std::any_of(items.begin(), items.end(), [](const auto& item) { return item.needs_header(); });
}
bool fetch_request::needs_only_structure() const {
    return std::all_of(items.begin(), items.end(),
                       [](const auto& item) { return !item.needs_index() || item.needs_only_structure(); });
}
bool fetch_request::needs_only_body_structure() const {
    return std::all_of(items.begin(), items.end(), [](const auto& item) {
        return !item.needs_index() || item.kind == fetch_kind::body_structure;
    });
}
bool fetch_request::needs_only_listed() const {
    return std::all_of(items.begin(), items.end(),
                       [](const auto& item) { return !item.needs_header() || item.needs_only_listed(); });
}
bool fetch_request::reads_body() const {
    return std::any_of(items.begin(), items.end(), [](const auto& item) { return item.reads_body(); });
}
bool fetch_request::sets_seen() const {
    return std::any_of(items.begin(), items.end(), [](const auto& item) { return !item.peek; });
}

fetch_section parse_section(parser& args) {
    fetch_section section;
    if (args.take(']')) return section;
    while (is_digit(args.peek())) {
        const auto number = static_cast<std::uint32_t>(digits(args, std::numeric_limits<std::uint32_t>::max()));
        if (number == 0) args.fail("Part numbers begin at 1");
        if (section.part.size() == section_numbers_max) args.fail("The part number is too deep");
        section.part.push_back(number);
        if (args.take(']')) return section;
        args.expect('.');
        if (args.failed()) return {};
    }
    const auto word = item_word(args);
    if (word == "HEADER") section.kind = section_kind::header;
    else if (word == "TEXT") section.kind = section_kind::text;
    else if (word == "MIME" && !section.part.empty()) section.kind = section_kind::mime;
    else if (word == "HEADER.FIELDS") section.kind = section_kind::header_fields;
    else if (word == "HEADER.FIELDS.NOT") section.kind = section_kind::header_fields_not;
    else args.fail("Unknown section");
    if (section.filters_header()) parse_fields(args, section);
    args.expect(']');
    return section;
}

fetch_request parse_fetch_items(parser& args) {
    fetch_request request;
    if (args.take('(')) {
        std::size_t count = 0;
        while (!args.failed()) {
            if (++count > fetch_items_max) args.fail("Too many FETCH items");
            request.add(parse_item(args));
            if (args.take(')')) break;
            args.space();
        }
    } else if (!parse_macro(args, request)) {
        request.add(parse_item(args));
    }
    return request;
}

fetch_request parse_fetch_request(parser& args) {
    auto request = parse_fetch_items(args);
    if (args.take(' ')) parse_modifiers(args, request);
    return request;
}

}  // namespace pp::imap
