// The bytes of a stored message_index. Layout of version 2; all numbers are LEB128, all strings length and bytes:
//
//   index    = version size part-count *part envelope-count *envelope
//   part     = parent+1 header_offset header_bytes body_offset body_bytes body_lines type subtype parameters present
//              [id] [description] [encoding] [md5] [location] [disposition] [languages] [envelope_number]
//   present  = bits 0-7, in the order of the optional fields
//   envelope = present [date] [subject] [in_reply_to] [message_id] [references] *address-list, each count *address
//              bits 4, 5: sender, reply_to are those of from and are not written; bit 6: references
//   address  = present [name] [route] [mailbox] [host]
//
// Version 1 is the same without references. Children are not written: they follow from the parents. A decoded index
// keeps every promise of message_index.hpp, whatever the bytes were: the bytes lay on a disk.
#include "proto/mail/message_index.hpp"
#include "proto/mail/structure_outline.hpp"

namespace pp::mail {
namespace {

constexpr char format_version = 2, oldest_format_version = 1;
constexpr std::size_t part_bytes_min = 10, envelope_bytes_min = 5;
constexpr std::uint64_t envelopes_max = mime_parts_max;

enum part_bit : unsigned { has_id = 1, has_description = 2, has_encoding = 4, has_md5 = 8, has_location = 16,
                           has_disposition = 32, has_languages = 64, has_envelope = 128 };
enum envelope_bit : unsigned { sender_is_from = 16, reply_to_is_from = 32, has_references = 64 };

class writer {
public:
    std::string out;

    void number(std::uint64_t n) {
        for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
        out += static_cast<char>(n);
    }
    void string(std::string_view s) {
        number(s.size());
        out += s;
    }
    void optional(const std::optional<std::string>& s) {
        if (s) string(*s);
    }
    void parameters(const parameter_list& list) {
        number(list.size());
        for (const auto& [name, value] : list) {
            string(name);
            string(value);
        }
    }
    void addresses(const std::vector<header_address>& list) {
        number(list.size());
        for (const auto& a : list) {
            number((a.name ? 1u : 0u) | (a.route ? 2u : 0u) | (a.mailbox ? 4u : 0u) | (a.host ? 8u : 0u));
            optional(a.name);
            optional(a.route);
            optional(a.mailbox);
            optional(a.host);
        }
    }
    void part(const message_part& p) {
        number(static_cast<std::uint64_t>(std::int64_t{p.parent} + 1));
        for (const auto n : {p.header_offset, p.header_bytes, p.body_offset, p.body_bytes, p.body_lines}) number(n);
        string(p.type);
        string(p.subtype);
        parameters(p.parameters);
        number((p.id ? has_id : 0u) | (p.description ? has_description : 0u) | (p.encoding ? has_encoding : 0u) |
               (p.md5 ? has_md5 : 0u) | (p.location ? has_location : 0u) | (p.disposition ? has_disposition : 0u) |
               (p.languages.empty() ? 0u : has_languages) | (p.envelope_number < 0 ? 0u : has_envelope));
        for (const auto* s : {&p.id, &p.description, &p.encoding, &p.md5, &p.location}) optional(*s);
        if (p.disposition) {
            string(p.disposition->first);
            parameters(p.disposition->second);
        }
        if (!p.languages.empty()) {
            number(p.languages.size());
            for (const auto& tag : p.languages) string(tag);
        }
        if (p.envelope_number >= 0) number(static_cast<std::uint64_t>(p.envelope_number));
    }
    void envelope_fields(const envelope& e) {
        const bool same_sender = e.sender == e.from, same_reply_to = e.reply_to == e.from;
        number((e.date ? 1u : 0u) | (e.subject ? 2u : 0u) | (e.in_reply_to ? 4u : 0u) | (e.message_id ? 8u : 0u) |
               (same_sender ? sender_is_from : 0u) | (same_reply_to ? reply_to_is_from : 0u) |
               (e.references ? has_references : 0u));
        for (const auto* s : {&e.date, &e.subject, &e.in_reply_to, &e.message_id, &e.references}) optional(*s);
        addresses(e.from);
        if (!same_sender) addresses(e.sender);
        if (!same_reply_to) addresses(e.reply_to);
        for (const auto* list : {&e.to, &e.cc, &e.bcc}) addresses(*list);
    }
};

class reader {
public:
    explicit reader(std::string_view in) : at_(in.data()), end_(in.data() + in.size()) {}

    bool ok() const { return ok_; }
    bool done() const { return ok_ && at_ == end_; }
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    std::uint64_t number() {
        std::uint64_t n = 0;
        for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
            const auto byte = static_cast<unsigned char>(*at_++);
            if (shift == 63 && byte > 1) break;
            n |= std::uint64_t{byte & 0x7fu} << shift;
            if (byte < 0x80) return n;
        }
        fail();
        return 0;
    }
    // A count of things of at least `bytes_min` bytes each: never more than can still follow.
    std::size_t count(std::uint64_t most, std::size_t bytes_min) {
        const auto n = number();
        if (n > most || n > left() / bytes_min) {
            fail();
            return 0;
        }
        return static_cast<std::size_t>(n);
    }
    template <class S>
    void string(S& to) {
        const auto n = count(index_text_bytes_max, 1);
        to = S(at_, n);
        at_ += n;
    }
    template <class S>
    void optional(bool present, std::optional<S>& to) {
        if (present) string(to.emplace());
    }
    template <class S>
    void parameters(basic_parameter_list<S>& to) {
        to.resize(count(parameters_max, 2));
        for (auto& [name, value] : to) {
            string(name);
            string(value);
        }
    }
    template <class S>
    void addresses(std::vector<basic_header_address<S>>& to) {
        to.resize(count(header_addresses_max, 1));
        for (auto& a : to) {
            const auto present = number();
            optional(present & 1, a.name);
            optional(present & 2, a.route);
            optional(present & 4, a.mailbox);
            optional(present & 8, a.host);
            if (!ok_) return;
        }
    }
    template <class S>
    void part(basic_message_part<S>& p) {
        const auto parent = number();
        if (parent > mime_parts_max) return fail();
        p.parent = static_cast<std::int32_t>(parent) - 1;
        for (auto* n : {&p.header_offset, &p.header_bytes, &p.body_offset, &p.body_bytes, &p.body_lines}) *n = number();
        string(p.type);
        string(p.subtype);
        parameters(p.parameters);
        const auto present = number();
        optional(present & has_id, p.id);
        optional(present & has_description, p.description);
        optional(present & has_encoding, p.encoding);
        optional(present & has_md5, p.md5);
        optional(present & has_location, p.location);
        if (present & has_disposition) {
            auto& disposition = p.disposition.emplace();
            string(disposition.first);
            parameters(disposition.second);
        }
        if (present & has_languages) {
            p.languages.resize(count(parameters_max, 1));
            for (auto& tag : p.languages) string(tag);
        }
        if (present & has_envelope) {
            const auto envelope = number();
            if (envelope >= envelopes_max) return fail();
            p.envelope_number = static_cast<std::int32_t>(envelope);
        }
    }
    template <class S>
    void envelope_fields(basic_envelope<S>& e, bool with_defaults = true) {
        const auto present = number();
        optional(present & 1, e.date);
        optional(present & 2, e.subject);
        optional(present & 4, e.in_reply_to);
        optional(present & 8, e.message_id);
        optional(present & has_references, e.references);
        addresses(e.from);
        if (!(present & sender_is_from)) addresses(e.sender);
        else if (with_defaults) e.sender = e.from;
        if (!(present & reply_to_is_from)) addresses(e.reply_to);
        else if (with_defaults) e.reply_to = e.from;
        for (auto* list : {&e.to, &e.cc, &e.bcc}) addresses(*list);
    }

private:
    void fail() {
        ok_ = false;
        at_ = end_;
    }
    const char* at_;
    const char* end_;
    bool ok_ = true;
};

bool lies_within(std::uint64_t offset, std::uint64_t bytes, std::uint64_t from, std::uint64_t to) {
    return offset >= from && offset <= to && bytes <= to - offset;
}

// Links the children and checks what the rest of the program relies on: parents come first, depth, ranges, envelopes.
template <class S>
bool link(basic_message_index<S>& index) {
    std::vector<std::size_t> depth(index.parts.size(), 1);
    for (std::size_t i = 0; i < index.parts.size(); ++i) {
        auto& p = index.parts[i];
        if (p.type.empty() || p.subtype.empty()) return false;
        if (p.envelope_number >= static_cast<std::int64_t>(index.envelopes.size())) return false;
        std::uint64_t from = 0, to = index.size_bytes;
        if ((i == 0) != (p.parent < 0)) return false;
        if (i > 0) {
            if (static_cast<std::size_t>(p.parent) >= i) return false;
            auto& parent = index.parts[static_cast<std::size_t>(p.parent)];
            depth[i] = depth[static_cast<std::size_t>(p.parent)] + 1;
            if (depth[i] > mime_depth_max) return false;
            from = parent.body_offset;
            to = parent.body_offset + parent.body_bytes;
            parent.children.push_back(static_cast<std::int32_t>(i));
        }
        if (!lies_within(p.header_offset, p.header_bytes, from, to)) return false;
        if (!lies_within(p.body_offset, p.body_bytes, p.header_offset + p.header_bytes, to)) return false;
        if (p.body_lines > p.body_bytes) return false;
    }
    return true;
}

}  // namespace

template <>
std::string message_index::encode() const {
    writer to;
    to.out.reserve(128 * parts.size() + 256 * envelopes.size());
    to.out += format_version;
    to.number(size_bytes);
    to.number(parts.size());
    for (const auto& p : parts) to.part(p);
    to.number(envelopes.size());
    for (const auto& e : envelopes) to.envelope_fields(e);
    return std::move(to.out);
}

result<envelope> decode_own_envelope(std::string_view encoded) {
    if (encoded.empty() || encoded.front() < oldest_format_version || encoded.front() > format_version)
        return errc::bad_index;
    reader from(encoded.substr(1));
    from.number();
    basic_message_part<std::string_view> passed_over;
    for (auto parts = from.count(mime_parts_max, part_bytes_min); parts > 0 && from.ok(); --parts)
        from.part(passed_over);
    envelope own;
    if (from.count(envelopes_max, envelope_bytes_min) > 0) from.envelope_fields(own, false);
    else return errc::bad_index;
    if (!from.ok()) return errc::bad_index;
    return own;
}

template <class S>
result<basic_message_index<S>> basic_message_index<S>::decode(std::string_view encoded) {
    if (encoded.empty() || encoded.front() < oldest_format_version || encoded.front() > format_version)
        return errc::bad_index;
    reader from(encoded.substr(1));
    basic_message_index index;
    index.size_bytes = from.number();
    index.parts.resize(from.count(mime_parts_max, part_bytes_min));
    for (auto& p : index.parts) {
        from.part(p);
        if (!from.ok()) return errc::bad_index;
    }
    index.envelopes.resize(from.count(envelopes_max, envelope_bytes_min));
    for (auto& e : index.envelopes) {
        from.envelope_fields(e);
        if (!from.ok()) return errc::bad_index;
    }
    if (!from.done() || index.parts.empty() || index.envelopes.empty() || !link(index)) return errc::bad_index;
    return index;
}
result<message_outline> decode_structure(std::string_view encoded) {
    if (encoded.empty() || encoded.front() < oldest_format_version || encoded.front() > format_version)
        return errc::bad_index;
    reader from(encoded.substr(1));
    message_outline index;
    index.size_bytes = from.number();
    index.parts.resize(from.count(mime_parts_max, part_bytes_min));
    bool refers_to_own = false;
    for (auto& p : index.parts) {
        from.part(p);
        if (!from.ok()) return errc::bad_index;
        refers_to_own |= p.envelope_number == 0;
    }
    index.envelopes.resize(from.count(envelopes_max, envelope_bytes_min));
    if (index.envelopes.size() > 1 || refers_to_own)
        for (auto& e : index.envelopes) {
            from.envelope_fields(e);
            if (!from.ok()) return errc::bad_index;
        }
    if (!from.ok() || index.parts.empty() || index.envelopes.empty() || !link(index)) return errc::bad_index;
    return index;
}
template result<message_index> message_index::decode(std::string_view);
template result<message_outline> message_outline::decode(std::string_view);

}  // namespace pp::mail
