// Plays written dialogues (tests/proto/dialogue_player.hpp) against the POP3 machine, over a maildrop in memory.
// Further:
//   E: what   tick <seconds>, end (of input); expunge <uid>, break <uid> (its reading fails half way), refuse (the next
//             question of the daemon is refused); deleted <uids>, seen <uids>: what QUIT has asked for
#pragma once

#include "proto/pop3/limits.hpp"
#include "proto/pop3/server_session.hpp"
#include "tests/proto/dialogue_player.hpp"
#include "tests/proto/sasl/scram_desk.hpp"

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace pp::pop3::test {

// INBOX with three mails; the user is "ann", the password "secret".
class fake_daemon {
public:
    fake_daemon() {
        mails[2] = "Subject: one\r\n\r\nhello\r\n";
        mails[3] = "Subject: two\r\n\r\n.dot\r\n..two\r\nlast";
        mails[7] = "Subject: =\r\n\r\na\r\nb\r\nc\r\n";
    }
    verdict operator()(const event& e) {
        return std::visit([this](const auto& q) { return verdict(answer(q)); }, e);
    }

    std::map<std::uint32_t, std::string> mails;
    std::uint32_t broken = 0;
    bool refuse_next = false;
    std::vector<std::uint32_t> deleted, retrieved;
    int updates = 0;

private:
    outcome<accepted> answer(const login& q) {
        if (q.user == "ann" && q.password == "secret") return accepted{};
        return refusal{"AUTH", "wrong"};
    }
    sasl::scram_terms answer(const sasl::scram_begin& q) { return sasl::test::answer(q); }
    sasl::scram_verdict answer(const sasl::scram_proof& q) { return sasl::test::answer(q); }
    accepted answer(const start_tls&) { return {}; }
    outcome<std::vector<maildrop_entry>> answer(const open_maildrop&) {
        if (std::exchange(refuse_next, false)) return refusal{"SYS/TEMP", "the maildrop cannot be read"};
        std::vector<maildrop_entry> out;
        for (const auto& [uid, text] : mails) {
            out.push_back({uid, text.size(), {}});
            out.back().object[0] = static_cast<std::byte>(uid);
        }
        return out;
    }
    outcome<bytes> answer(const read_body& q) {
        const auto found = mails.find(q.uid);
        if (found == mails.end()) return refusal{"", "the message is gone"};
        if (q.uid == broken && q.offset > 0) return refusal{"SYS/PERM", "damaged"};
        return to_bytes(std::string_view(found->second).substr(q.offset, q.length));
    }
    outcome<accepted> answer(const update& q) {
        ++updates;
        deleted = q.deleted;
        retrieved = q.retrieved;
        if (std::exchange(refuse_next, false)) return refusal{"SYS/TEMP", "the disk is full"};
        return accepted{};
    }
};

class player : public pp::test::dialogue_player<player> {
public:
    explicit player(session_options options) : session(std::move(options)) { pass(std::chrono::seconds(0)); }

    fake_daemon daemon;
    server_session session;

    std::string act(std::string_view kind, const std::string& text) {
        return kind == "E:" ? happen(text) : "not a line of a dialogue: " + std::string(kind) + " " + text;
    }

private:
    static std::string listed(const std::vector<std::uint32_t>& uids) {
        std::string out;
        for (const auto uid : uids) out += (out.empty() ? "" : " ") + std::to_string(uid);
        return out;
    }
    std::string happen(const std::string& what) {
        std::istringstream words(what);
        std::string verb, rest;
        words >> verb;
        std::uint32_t n = 0;
        if (verb == "refuse") {
            daemon.refuse_next = true;
        } else if (verb == "end") {
            session.input_ended();
            run();
        } else if (verb == "deleted" || verb == "seen") {
            std::getline(words >> std::ws, rest);
            const auto got = listed(verb == "deleted" ? daemon.deleted : daemon.retrieved);
            if (got != rest) return verb + ": wanted " + rest + ", got " + got;
        } else if (verb == "updates") {
            words >> n;
            if (static_cast<int>(n) != daemon.updates) return "updates: " + std::to_string(daemon.updates);
        } else if (words >> n; verb == "expunge") {
            daemon.mails.erase(n);
        } else if (verb == "break") {
            daemon.broken = n;
            daemon.mails[n] = "Subject: long\r\n\r\n" + std::string(2 * read_piece_bytes_max, 'x');
        } else if (verb == "tick") {
            pass(std::chrono::seconds(n));
            run();
        } else {
            return "not known: " + what;
        }
        return {};
    }
};

}  // namespace pp::pop3::test
