#include "daemon/engine/people.hpp"

#include "daemon/engine/mime_writer.hpp"
#include "proto/mail/address.hpp"
#include "proto/mail/charset.hpp"
#include "proto/peer/messages.hpp"

#include <algorithm>

namespace pp::engine {

namespace {

constexpr std::string_view address_end = ".peerpost.alt";

std::string lower_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// The label in "anything@<label>.peerpost.alt", "<label>.peerpost.alt" or as it is.
std::string label_in(std::string_view who) {
    auto label = lower_ascii(who.substr(who.rfind('@') + 1));   // npos + 1 is the beginning
    if (label.ends_with(address_end)) label.resize(label.size() - address_end.size());
    return label;
}

// As people read a name: without case, without what cannot be seen, blanks run together.
std::string as_read(std::string_view name) {
    std::string out;
    for (const char c : mail::fold_case(mail::without_invisible(clean_text(name))))
        if (c != ' ' || (!out.empty() && out.back() != ' ')) out += c;
    while (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

// Letters of another alphabet, and "I" for "l": small letters have others that look like them than capitals.
bool look_alike(const std::string& a, const std::string& b) {
    const auto read_a = as_read(a), read_b = as_read(b);
    return read_a == read_b || mail::look_of(read_a) == mail::look_of(read_b) || mail::look_of(a) == mail::look_of(b);
}

}  // namespace

std::string local_part_of(std::string_view name) {
    std::string out;
    for (const char c : mail::ascii_spelling(name)) {
        const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') || lower == '_' || lower == '-')
            out += lower;
        else if ((lower == ' ' || lower == '.') && !out.empty() && out.back() != '.')
            out += '.';
        if (out.size() == mail::local_part_bytes_max) break;
    }
    while (!out.empty() && out.back() == '.') out.pop_back();
    return out;
}

std::string shown_address(const storage::contact& c) {
    std::string local;
    if (const auto record = peer::decode_account_record(c.record)) local = local_part_of(record->name);
    if (local.empty() && c.how == storage::known_by::card) local = local_part_of(c.name);
    return (local.empty() ? "mail" : local) + "@" + crypto::account_label(c.account) + std::string(address_end);
}

std::optional<storage::contact> wished(const storage::contact& c, wish what, storage::unix_ms now) {
    auto after = c;
    switch (what) {
    case wish::accept:
        if (c.accepted && !is_out(c)) return std::nullopt;
        after.accepted = true;
        after.blocked = after.accepted_before = false;
        after.removed_at = 0;
        return after;
    case wish::block:
        if (c.blocked) return std::nullopt;
        if (c.removed_at != 0) after.accepted = c.accepted_before;
        after.accepted_before = false;
        after.removed_at = 0;
        after.blocked = true;
        return after;
    case wish::unblock:
        if (!c.blocked) return std::nullopt;
        after.blocked = false;
        return after;
    case wish::remove:
        if (is_out(c)) return std::nullopt;
        after.accepted_before = c.accepted;
        after.accepted = false;
        after.removed_at = std::max<storage::unix_ms>(now, 1);
        after.invite_token.clear();
        return after;
    case wish::take_back:
        if (c.removed_at == 0) return std::nullopt;
        after.accepted = c.accepted_before;
        after.accepted_before = false;
        after.removed_at = 0;
        return after;
    case wish::verify:
        if (c.verified_at != 0) return std::nullopt;
        after.verified_at = std::max<storage::unix_ms>(now, 1);
        return after;
    }
    return std::nullopt;
}

bool removed_long_ago(const storage::contact& c, storage::unix_ms now) {
    return c.removed_at != 0 && now - c.removed_at > removed_kept_ms;
}

storage::contact as_request_again(storage::contact c) {
    c.how = storage::known_by::request;
    c.accepted = c.accepted_before = false;
    c.removed_at = 0;
    return c;
}

std::vector<storage::contact> named(std::span<const storage::contact> all, std::string_view who) {
    std::vector<storage::contact> found;
    const auto label = label_in(who);
    if (label.empty()) return found;
    for (const auto& c : all)
        if (crypto::account_label(c.account) == label) return {c};
    const auto name = as_read(who);
    for (const auto& c : all)
        if (!name.empty() && as_read(c.name) == name) found.push_back(c);
    if (!found.empty() || label.size() < label_prefix_min) return found;
    for (const auto& c : all)
        if (crypto::account_label(c.account).starts_with(label)) found.push_back(c);
    return found;
}

const storage::contact* same_name_other_key(const storage::contact& c, std::span<const storage::contact> all) {
    if (as_read(c.name).empty()) return nullptr;
    for (const auto& other : all)
        if (other.account != c.account && other.accepted && !is_out(other) && look_alike(other.name, c.name))
            return &other;
    return nullptr;
}

}  // namespace pp::engine
