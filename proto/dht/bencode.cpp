#include "proto/dht/bencode.hpp"

#include "crypto/assert.hpp"

#include <limits>

namespace pp::dht {
namespace {

constexpr std::size_t integer_digits_max = 19;   // of 2^63
constexpr std::size_t length_digits_max = 4;     // of datagram_bytes_max
static_assert(datagram_bytes_max <= 9999);

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Decimal digits from at on, in their one form; stops at the first other character.
std::optional<std::uint64_t> digits(std::string_view text, std::size_t& at, std::size_t most) {
    const auto begin = at;
    std::uint64_t value = 0;
    while (at < text.size() && is_digit(text[at])) {
        if (at - begin == most) return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(text[at++] - '0');   // 19 digits fit
    }
    if (at == begin || (text[begin] == '0' && at - begin > 1)) return std::nullopt;
    return value;
}

std::optional<std::int64_t> signed_digits(std::string_view text, std::size_t& at) {
    const bool negative = at < text.size() && text[at] == '-';
    if (negative) ++at;
    const auto value = digits(text, at, integer_digits_max);
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    if (!value || *value > largest + (negative ? 1 : 0) || (negative && *value == 0)) return std::nullopt;
    return negative ? static_cast<std::int64_t>(~*value + 1) : static_cast<std::int64_t>(*value);
}

}  // namespace

result<bencode_document> bencode_document::parse(bytes_view in) {
    if (in.empty() || in.size() > datagram_bytes_max) return errc::bad_bencode;
    bencode_document out;
    out.bytes_ = in;
    const auto text = as_text(in);
    struct open_node {
        std::uint32_t index;
        bool expects_key;
        std::optional<std::string_view> last_key;
    };
    std::vector<open_node> open;
    std::size_t at = 0;
    do {
        if (at == text.size()) return errc::bad_bencode;
        const char first = text[at];
        const bool in_dictionary = !open.empty() && out.nodes_[open.back().index].what == kind::dictionary;
        node n{kind::text, static_cast<std::uint32_t>(at), 0, 0, static_cast<std::uint32_t>(out.nodes_.size() + 1), 0};
        if (first == 'e') {
            if (open.empty() || (in_dictionary && !open.back().expects_key)) return errc::bad_bencode;
            auto& closed = out.nodes_[open.back().index];
            closed.end = static_cast<std::uint32_t>(++at);
            closed.after = static_cast<std::uint32_t>(out.nodes_.size());
            open.pop_back();
            continue;
        }
        if (out.nodes_.size() == bencode_nodes_max) return errc::bad_bencode;
        const bool is_key = in_dictionary && open.back().expects_key;
        if (in_dictionary) open.back().expects_key = !is_key;
        if (is_digit(first)) {
            const auto length = digits(text, at, length_digits_max);
            if (!length || at == text.size() || text[at] != ':' || *length > text.size() - at - 1)
                return errc::bad_bencode;
            n.text_begin = static_cast<std::uint32_t>(++at);
            at += *length;
            n.end = static_cast<std::uint32_t>(at);
            if (is_key) {
                const auto name = text.substr(n.text_begin, *length);
                auto& last = open.back().last_key;
                if (last && name <= *last) return errc::bad_bencode;
                last = name;
            }
        } else if (is_key) {
            return errc::bad_bencode;
        } else if (first == 'i') {
            ++at;
            const auto number = signed_digits(text, at);
            if (!number || at == text.size() || text[at] != 'e') return errc::bad_bencode;
            n.what = kind::integer;
            n.number = *number;
            n.end = static_cast<std::uint32_t>(++at);
        } else if (first == 'l' || first == 'd') {
            if (open.size() == bencode_depth_max) return errc::bad_bencode;
            n.what = first == 'l' ? kind::list : kind::dictionary;
            open.push_back({static_cast<std::uint32_t>(out.nodes_.size()), true, std::nullopt});
            ++at;
        } else {
            return errc::bad_bencode;
        }
        out.nodes_.push_back(n);
    } while (!open.empty());
    if (at != text.size()) return errc::bad_bencode;
    return out;
}

bencode_value bencode_document::root() const { return {this, 0}; }

std::optional<bytes_view> bencode_value::text() const {
    const auto& n = self();
    if (n.what != bencode_document::kind::text) return std::nullopt;
    return document_->bytes_.subspan(n.text_begin, n.end - n.text_begin);
}

std::optional<std::int64_t> bencode_value::integer() const {
    if (self().what != bencode_document::kind::integer) return std::nullopt;
    return self().number;
}

bool bencode_value::is_dictionary() const { return self().what == bencode_document::kind::dictionary; }
bool bencode_value::is_list() const { return self().what == bencode_document::kind::list; }

std::vector<bencode_value> bencode_value::items() const {
    std::vector<bencode_value> out;
    if (!is_list()) return out;
    for (std::size_t i = at_ + 1; i < self().after; i = document_->nodes_[i].after) out.push_back({document_, i});
    return out;
}

std::optional<bencode_value> bencode_value::find(std::string_view key) const {
    if (!is_dictionary()) return std::nullopt;
    for (std::size_t i = at_ + 1; i < self().after;) {
        const bencode_value name(document_, i), value(document_, i + 1);   // a key is one node
        if (as_text(*name.text()) == key) return value;
        i = value.self().after;
    }
    return std::nullopt;
}

std::optional<bytes_view> bencode_value::text(std::string_view key) const {
    const auto value = find(key);
    return value ? value->text() : std::nullopt;
}

std::optional<std::int64_t> bencode_value::integer(std::string_view key) const {
    const auto value = find(key);
    return value ? value->integer() : std::nullopt;
}

bytes_view bencode_value::verbatim() const {
    return document_->bytes_.subspan(self().begin, self().end - self().begin);
}

void bencode_writer::add(std::string_view text) {
    const auto data = as_bytes(text);
    out_.insert(out_.end(), data.begin(), data.end());
}

bencode_writer& bencode_writer::dictionary() {
    add("d");
    last_keys_.emplace_back();
    return *this;
}

bencode_writer& bencode_writer::list() {
    add("l");
    last_keys_.emplace_back();
    return *this;
}

bencode_writer& bencode_writer::end() {
    PP_ASSERT(!last_keys_.empty());
    last_keys_.pop_back();
    add("e");
    return *this;
}

bencode_writer& bencode_writer::key(std::string_view name) {
    PP_ASSERT(!last_keys_.empty() && (!last_keys_.back() || *last_keys_.back() < name));
    last_keys_.back() = std::string(name);
    return text(name);
}

bencode_writer& bencode_writer::text(bytes_view value) {
    add(std::to_string(value.size()));
    add(":");
    return raw(value);
}

bencode_writer& bencode_writer::integer(std::int64_t value) {
    add("i");
    add(std::to_string(value));
    add("e");
    return *this;
}

bencode_writer& bencode_writer::raw(bytes_view bencoded) {
    out_.insert(out_.end(), bencoded.begin(), bencoded.end());
    return *this;
}

bytes bencode_writer::take() {
    PP_ASSERT(last_keys_.empty());
    return std::move(out_);
}

}  // namespace pp::dht
