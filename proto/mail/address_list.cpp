// Address lists of header fields (RFC 5322 sections 3.4 and 4.4), read with patience: a list is never refused, what
// makes no sense in it is left out. One pass; every byte is looked at a bounded number of times.
#include "proto/mail/address.hpp"
#include "proto/mail/ascii.hpp"
#include "proto/mail/quoted_string.hpp"

#include <algorithm>

namespace pp::mail {
namespace {

// What stands between the delimiters "<>@,;:": atoms and quoted strings with single blanks where blanks were.
struct phrase {
    std::string text;
    bool present = false;   // a quoted empty string is present and empty

    void clear() {
        text.clear();
        present = false;
    }
};

class list_parser {
public:
    explicit list_parser(std::string_view text) : rest_(text) {}

    std::vector<header_address> run() {
        while (!rest_.empty() && out_.size() < header_addresses_max) step();
        if (out_.size() < header_addresses_max) end_mailbox();
        if (in_group_) out_.emplace_back();   // the list ended inside a group: it ends there too
        return std::move(out_);
    }

private:
    void step() {
        const char c = rest_.front();
        switch (c) {
            case ',': rest_.remove_prefix(1); end_mailbox(); return;
            case ';':
                rest_.remove_prefix(1);
                end_mailbox();
                if (in_group_) out_.emplace_back();
                in_group_ = false;
                return;
            case ':':
                rest_.remove_prefix(1);
                begin_group();
                return;
            case '<':
                rest_.remove_prefix(1);
                angle_address();
                return;
            case '@': {
                rest_.remove_prefix(1);
                auto host = read_host();
                if (angle_seen_ || !word_.present) return;
                host_ = std::move(host);
                at_seen_ = true;
                return;
            }
            default: read_word(word_, !angle_seen_ && !at_seen_);
        }
    }

    // One atom, quoted string, comment or run of blanks; appended to `to` when `keep`.
    void read_word(phrase& to, bool keep) {
        const char c = rest_.front();
        if (ascii::is_space(c)) {
            rest_.remove_prefix(1);
            blank_ = true;
        } else if (c == '(') {
            auto text = read_comment();
            if (!text.empty()) comment_ = std::move(text);
            blank_ = true;
        } else {
            std::string word = c == '"' ? take_quoted_string(rest_) : read_atom();
            if (!keep) return;
            // "a . b" is one dotted name (RFC 5322 section 4.4 obs-local-part): no blank beside a dot there; the same
            // rule would spoil "John Q. Public", thus blanks stay and a local part loses them in end_mailbox().
            if (to.present && blank_) to.text += ' ';
            to.text += word;
            to.present = true;
            blank_ = false;
        }
    }

    std::string read_atom() {
        std::size_t n = 0;
        while (n < rest_.size() && !ascii::is_space(rest_[n]) &&
               std::string_view("\"(<>@,;:").find(rest_[n]) == std::string_view::npos)
            ++n;
        if (n == 0) {   // a delimiter without its partner, as ">"
            rest_.remove_prefix(1);
            return {};
        }
        std::string out(rest_.substr(0, n));
        rest_.remove_prefix(n);
        return out;
    }

    // RFC 5322 section 3.2.2: comments nest. The depth is a number, not a stack: nothing grows with it.
    std::string read_comment() {
        std::string out;
        std::size_t depth = 1, i = 1;
        for (; i < rest_.size(); ++i) {
            if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
            else if (rest_[i] == '(') ++depth;
            else if (rest_[i] == ')' && --depth == 0) break;
            out += rest_[i];
        }
        rest_.remove_prefix(std::min(i + 1, rest_.size()));
        return std::string(ascii::trim(out));
    }

    // Domain after an "@": atoms and dots with blanks and comments between them, or a literal in brackets.
    std::string read_host() {
        std::string out;
        bool gap = false;   // blanks end the domain unless a dot is next to them
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (ascii::is_space(c)) {
                rest_.remove_prefix(1);
                gap = true;
            } else if (c == '(') {
                auto text = read_comment();
                if (!text.empty()) comment_ = std::move(text);
                gap = true;
            } else if (c == '[') {
                if (!out.empty()) return out;
                const auto end = rest_.find(']');
                const auto n = end == rest_.npos ? rest_.size() : end + 1;
                out = rest_.substr(0, n);
                rest_.remove_prefix(n);
                return out;
            } else if (std::string_view("\"<>@,;:").find(c) != std::string_view::npos) {
                return out;
            } else {
                if (gap && !out.empty() && out.back() != '.' && c != '.') return out;
                gap = false;
                out += c;
                rest_.remove_prefix(1);
            }
        }
        return out;
    }

    // After "<": [obs-route ":"] local "@" host ">".
    void angle_address() {
        phrase local;
        std::optional<std::string> host;
        std::optional<std::string> route;
        blank_ = false;
        while (!rest_.empty() && rest_.front() != '>') {
            const char c = rest_.front();
            if (c == '@') {
                rest_.remove_prefix(1);
                auto name = read_host();
                if (local.present) {
                    if (!host) host = std::move(name);
                } else {            // RFC 5322 section 4.4: "@one,@two:" before the address
                    if (route) *route += ",@" + name;
                    else route = "@" + name;
                }
            } else if (c == ':' || (c == ',' && !local.present)) {
                rest_.remove_prefix(1);
            } else if (c == ',' || c == ';' || c == '<') {
                break;              // the ">" is missing; the list goes on
            } else {
                read_word(local, !host);
            }
        }
        if (!rest_.empty() && rest_.front() == '>') rest_.remove_prefix(1);
        blank_ = false;
        comment_.clear();           // one before or inside the brackets is no name; one behind them may be
        if (angle_seen_) return;    // a second pair of brackets has no say
        angle_seen_ = true;
        angle_ = header_address{std::nullopt, std::move(route), std::nullopt, std::move(host)};
        if (local.present) angle_.mailbox = without_gaps(local.text);
    }

    void begin_group() {
        if (in_group_ || angle_seen_ || at_seen_ || !word_.present) {
            if (!at_seen_ && !angle_seen_) word_.clear();
            return;                 // groups do not nest; a stray colon parts nothing
        }
        out_.push_back({std::nullopt, std::nullopt, std::move(word_.text), std::nullopt});
        in_group_ = true;
        reset();
    }

    void end_mailbox() {
        if (angle_seen_) {
            // "<>" and "name <>" say nothing that can be answered to; the name alone still may be shown.
            if (angle_.mailbox || angle_.host || word_.present) {
                if (word_.present && !word_.text.empty()) angle_.name = std::move(word_.text);
                else if (!comment_.empty()) angle_.name = std::move(comment_);
                finish(std::move(angle_));
            }
        } else if (word_.present) {
            header_address bare;
            if (!comment_.empty()) bare.name = std::move(comment_);   // "a@b (Name)" is how names were written once
            bare.mailbox = at_seen_ ? without_gaps(word_.text) : std::move(word_.text);
            if (at_seen_) bare.host = std::move(host_);
            finish(std::move(bare));
        }
        reset();
    }

    // RFC 9051 section 7.5.2: a missing host or mailbox marks a group; an address that lacks one gets an empty string.
    void finish(header_address found) {
        if (!found.mailbox) found.mailbox.emplace();
        if (!found.host) found.host.emplace();
        out_.push_back(std::move(found));
    }

    // Blanks beside dots go: "john . doe" is john.doe.
    static std::string without_gaps(const std::string& text) {
        std::string out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == ' ' && ((i + 1 < text.size() && text[i + 1] == '.') || (!out.empty() && out.back() == '.')))
                continue;
            out += text[i];
        }
        return out;
    }

    void reset() {
        word_.clear();
        comment_.clear();
        host_.clear();
        angle_ = {};
        angle_seen_ = at_seen_ = blank_ = false;
    }

    std::string_view rest_;
    std::vector<header_address> out_;
    phrase word_;
    std::string comment_, host_;
    header_address angle_;
    bool angle_seen_ = false, at_seen_ = false, blank_ = false, in_group_ = false;
};

}  // namespace

std::vector<header_address> parse_address_list(std::string_view unfolded_value) {
    return list_parser(unfolded_value).run();
}

}  // namespace pp::mail
