#include "daemon/engine/requests.hpp"

#include "daemon/engine/inbox.hpp"
#include "daemon/engine/people.hpp"

namespace pp::engine {

namespace {

constexpr std::string_view junk_name = "Junk", trash_name = "Trash";
constexpr std::string_view domain_suffix = ".peerpost.alt";

// The next line of text, without CRLF; text is what follows. Empty: no whole line is left.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find("\r\n");
    if (end == text.npos) return {};
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    return line;
}

}  // namespace

place place_of(const storage::mailbox& box) {
    if (box.use == storage::special_use::junk || box.name == junk_name) return place::junk;
    if (box.use == storage::special_use::trash || box.name == trash_name) return place::trash;
    return box.name == requests_name ? place::requests : place::other;
}

judgement judgement_of(place from, place to) {
    if (from == to || to == place::trash) return judgement::none;
    if (to == place::requests) return judgement::undo;
    if (from != place::requests) return judgement::none;
    return to == place::junk ? judgement::block : judgement::accept;
}

std::optional<crypto::account_key> sender_of_arrival(std::string_view beginning, std::string_view node) {
    // As engine::authentication_results() writes it, at the very beginning.
    if (!take_line(beginning).starts_with("Delivered-To: ")) return std::nullopt;
    if (take_line(beginning) != "Authentication-Results: " + std::string(node) + ";") return std::nullopt;
    constexpr std::string_view from = " header.from=";
    for (auto line = take_line(beginning); line.starts_with(' '); line = take_line(beginning)) {
        if (!line.starts_with(from) || !line.ends_with(domain_suffix)) continue;
        line.remove_prefix(from.size());
        line.remove_suffix(domain_suffix.size());
        const auto key = crypto::parse_account_label(line);
        if (!key) return std::nullopt;
        return *key;
    }
    return std::nullopt;
}

std::optional<storage::contact> judged(std::optional<storage::contact> known, const crypto::account_key& sender,
                                       judgement what, storage::unix_ms now) {
    if (what == judgement::none) return std::nullopt;
    if (known && known->removed_at != 0) known = as_request_again(std::move(*known));   // it has written again
    const bool by_request = !known || known->how == storage::known_by::request;
    storage::contact after;
    if (known) {
        after = *known;
    } else {
        after.account = sender;
        after.how = storage::known_by::request;
        after.accepted = false;
        after.since = now;
    }
    switch (what) {
    case judgement::accept:
        after.accepted = true;
        after.blocked = false;
        break;
    case judgement::block:
        if (!by_request) return std::nullopt;
        after.accepted = false;
        after.blocked = true;
        break;
    case judgement::undo:
        if (!by_request) return std::nullopt;
        after.accepted = after.blocked = false;
        break;
    case judgement::none: break;
    }
    if (known && known->accepted == after.accepted && known->blocked == after.blocked) return std::nullopt;
    return after;
}

bool is_accepted_request(const storage::contact& c) {
    return c.how == storage::known_by::request && c.accepted && !is_out(c);
}

}  // namespace pp::engine
