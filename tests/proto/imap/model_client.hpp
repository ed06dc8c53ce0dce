// What a client believes of its selected mailbox, worked out from the server's lines by the rules of RFC 9051 and RFC
// 7162 alone, and a record of every line that breaks one of them. It asks for nothing by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap::test {

using flag_set = std::set<std::string>;

struct believed_mail {
    std::uint32_t uid = 0;   // 0: not told yet
    std::optional<flag_set> flags;
};

// What outlives a connection: the cache of a client that resynchronises.
struct client_cache {
    std::uint32_t uid_validity = 0;
    std::uint64_t modseq = 0;
    std::map<std::uint32_t, flag_set> mails;
};

class model_client {
public:
    std::vector<believed_mail> view;
    bool selected = false, qresync = false, condstore = false;
    std::uint32_t uid_validity = 0;
    std::uint64_t highest_modseq = 0;   // RFC 7162 section 6: what it would come back with
    unsigned selections = 0;            // of mailboxes, by this client
    std::set<std::uint32_t> recent;     // UIDs that were shown as \Recent since the last one
    std::string trouble;                // the first rule that was broken

    // The command that runs: EXPUNGE is forbidden during some. Empty: none runs.
    struct running {
        std::string tag, name;
        bool uid = false, by_number = false, resyncs = false;
    };
    std::optional<running> command;
    std::optional<client_cache> resync_from;   // set before SELECT (QRESYNC ...)

    // Takes one response, with its literals, without the last CRLF. True: it ended the running command.
    bool take(const std::string& line) {
        if (line.starts_with("* ")) {
            untagged(line.substr(2));
            return false;
        }
        if (line.starts_with("+ ")) return false;
        return tagged(line);
    }

    client_cache cache() const {
        client_cache kept{uid_validity, highest_modseq, {}};
        for (const auto& mail : view)
            if (mail.uid != 0 && mail.flags) kept.mails[mail.uid] = *mail.flags;
        return kept;
    }
    bool knows_all() const {
        return std::all_of(view.begin(), view.end(), [](const auto& m) { return m.uid != 0 && m.flags; });
    }

    bool selecting() const { return command && (command->name == "SELECT" || command->name == "EXAMINE"); }

private:
    void fail(const std::string& why, const std::string& line) {
        if (trouble.empty()) trouble = why + ": " + line;
    }
    bool removals_allowed() const {
        if (!command) return false;
        const auto& [tag, name, uid, by_number, resyncs] = *command;
        if (name == "FETCH" || name == "STORE" || name == "SEARCH") return uid && !by_number;
        return true;
    }

    void untagged(const std::string& line) {
        std::istringstream words(line);
        std::string first, second;
        words >> first >> second;
        if (first == "VANISHED") return vanished(line, second == "(EARLIER)");
        if (first == "OK") {
            if (line.find("[CLOSED]") != line.npos) {
                view.clear();
                selected = false;
            }
            if (const auto at = line.find("[UIDVALIDITY "); at != line.npos)
                uid_validity = static_cast<std::uint32_t>(std::stoul(line.substr(at + 13)));
            note_code(line);
            return;
        }
        if (first.empty() || first[0] < '0' || first[0] > '9') return;
        const auto number = static_cast<std::size_t>(std::stoul(first));
        if (second == "EXISTS") exists(number, line);
        if (second == "EXPUNGE") expunge(number, line);
        if (second == "FETCH") fetch(number, line);
    }

    void exists(std::size_t count, const std::string& line) {
        if (selecting()) {
            view.assign(count, {});
            recent.clear();
            ++selections;
            resync_placed_ = false;
            return;
        }
        if (count <= view.size()) fail("EXISTS does not grow", line);
        view.resize(std::max(view.size(), count));
    }
    void expunge(std::size_t number, const std::string& line) {
        if (qresync) fail("EXPUNGE with QRESYNC", line);
        if (!removals_allowed()) fail("EXPUNGE at a time when it is not allowed", line);
        if (number == 0 || number > view.size()) return fail("EXPUNGE of a number that is not there", line);
        view.erase(view.begin() + static_cast<std::ptrdiff_t>(number) - 1);
    }
    void vanished(const std::string& line, bool earlier) {
        if (!qresync) fail("VANISHED without QRESYNC", line);
        for (const auto uid : uids_of(line.substr(line.rfind(' ') + 1))) {
            if (earlier) {
                if (resync_from) resync_from->mails.erase(uid);
                for (const auto& mail : view)
                    if (mail.uid == uid) fail("VANISHED (EARLIER) of a mail that is there", line);
                continue;
            }
            if (!removals_allowed()) fail("VANISHED at a time when it is not allowed", line);
            auto at = std::find_if(view.begin(), view.end(), [uid](const auto& m) { return m.uid == uid; });
            if (at == view.end()) at = unknown_at(uid);
            if (at == view.end()) return fail("VANISHED of a mail that was never told", line);
            view.erase(at);
        }
        if (earlier && !(command && (command->resyncs || command->name == "FETCH"))) fail("EARLIER out of place", line);
    }

    // Where a mail of that UID must stand that the client has not been told the UID of.
    std::vector<believed_mail>::iterator unknown_at(std::uint32_t uid) {
        const auto above = std::find_if(view.begin(), view.end(), [uid](const auto& m) { return m.uid > uid; });
        if (above == view.begin() || std::prev(above)->uid != 0) return view.end();
        return std::prev(above);
    }

    void fetch(std::size_t number, const std::string& line) {
        place_resynced(line);
        if (number == 0 || number > view.size()) return fail("FETCH of a number that is not there", line);
        auto& mail = view[number - 1];
        if (const auto at = line.find("UID "); at != line.npos) {
            const auto uid = static_cast<std::uint32_t>(std::stoul(line.substr(at + 4)));
            if (mail.uid != 0 && mail.uid != uid)
                fail("the number has another UID now, it was " + std::to_string(mail.uid), line);
            mail.uid = uid;
            for (std::size_t i = 0; i < view.size(); ++i)
                if (i + 1 != number && view[i].uid != 0 && (i + 1 < number) != (view[i].uid < uid))
                    fail("UIDs do not rise", line);
        }
        const auto flags = line.find("FLAGS (");
        if (flags != line.npos) {
            flag_set now;
            std::istringstream words(line.substr(flags + 7, line.find(')', flags) - flags - 7));
            for (std::string word; words >> word;)
                if (word != "\\Recent") now.insert(word);
                else if (mail.uid != 0) recent.insert(mail.uid);
            mail.flags = now;
        }
        const auto modseq = line.find("MODSEQ (");
        if (modseq != line.npos)
            seen_modseq_ = std::max<std::uint64_t>(seen_modseq_, std::stoull(line.substr(modseq + 8)));
        const bool asked = command && command->name == "FETCH";
        if (condstore && flags != line.npos && !asked && (modseq == line.npos || line.find("UID ") == line.npos))
            fail("FETCH without UID and MODSEQ", line);
    }

    // After VANISHED (EARLIER) the cache is what comes first in the mailbox.
    void place_resynced(const std::string& line) {
        if (!selecting() || !resync_from || resync_placed_) return;
        resync_placed_ = true;
        if (uid_validity != resync_from->uid_validity) return;
        if (resync_from->mails.size() > view.size()) return fail("fewer mails than were kept", line);
        std::size_t i = 0;
        for (const auto& [uid, flags] : resync_from->mails) view[i++] = {uid, flags};
    }

    void note_code(const std::string& line) {
        const auto at = line.find("[HIGHESTMODSEQ ");
        if (at != line.npos) code_modseq_ = std::stoull(line.substr(at + 15));
    }

    bool tagged(const std::string& line) {
        if (!command || !line.starts_with(command->tag + ' ')) {
            fail("a tag that is not ours", line);
            return false;
        }
        const auto status = line.substr(command->tag.size() + 1, 2);
        note_code(line);
        // RFC 7162 section 6: a code counts, else the highest mod-sequence since the last tagged response.
        if (code_modseq_) highest_modseq = *code_modseq_;
        else highest_modseq = std::max(highest_modseq, seen_modseq_);
        code_modseq_.reset();
        seen_modseq_ = 0;
        if (selecting()) {
            selected = status == "OK";
            last_select_read_only = line.find("[READ-ONLY]") != line.npos;
            place_resynced(line);
            resync_from.reset();
        }
        last_status = status;
        last_line = line;
        command.reset();
        return true;
    }

public:
    std::string last_status, last_line;
    bool last_select_read_only = false;

    static std::vector<std::uint32_t> uids_of(const std::string& text) {
        std::vector<std::uint32_t> out;
        std::istringstream parts(text);
        for (std::string part; std::getline(parts, part, ',');) {
            const auto colon = part.find(':');
            const auto first = std::stoul(part), last = colon == part.npos ? first : std::stoul(part.substr(colon + 1));
            for (auto uid = first; uid <= last; ++uid) out.push_back(static_cast<std::uint32_t>(uid));
        }
        return out;
    }

private:
    std::optional<std::uint64_t> code_modseq_;
    std::uint64_t seen_modseq_ = 0;
    bool resync_placed_ = false;
};

}  // namespace pp::imap::test
