// Plays written dialogues against the POP3 machine, over a maildrop in memory. One line, one act:
//   C: text   the client sends text CRLF; neighbouring C: lines are sent together
//   S: text   the server must send exactly this line next; "..." at the end leaves the rest open
//   E: what   tick <seconds>, end (of input); expunge <uid>, break <uid> (its reading fails half way), refuse (the next
//             question of the daemon is refused); deleted <uids>, seen <uids>: what QUIT has asked for
//   X:        the session is over
#pragma once

#include "proto/pop3/limits.hpp"
#include "proto/pop3/server_session.hpp"
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

class player {
public:
    explicit player(session_options options) : session(std::move(options)) { session.tick(now_); }

    fake_daemon daemon;
    server_session session;
    static constexpr std::size_t uncut = static_cast<std::size_t>(-1), every_byte = uncut - 1;

    // Empty: as written. Else what went wrong.
    std::string play(std::string_view script, std::size_t cut = uncut) {
        cut_ = cut;
        std::istringstream lines{std::string(script)};
        std::string line, block;
        run();
        while (std::getline(lines, line)) {
            if (line.empty() || line[0] == '#') continue;
            const auto text = line.size() > 3 ? line.substr(3) : std::string();
            if (line.starts_with("C:")) {
                block += text + "\r\n";
                continue;
            }
            if (auto wrong = send_block(block); !wrong.empty()) return wrong;
            std::string wrong = line.starts_with("S:")   ? expect(text)
                                : line.starts_with("E:") ? happen(text)
                                : line.starts_with("X:") ? (session.finished() ? "" : "the session is not over")
                                                         : "not a line of a dialogue: " + line;
            if (!wrong.empty()) return wrong;
        }
        if (auto wrong = send_block(block); !wrong.empty()) return wrong;
        return output_.empty() ? "" : "left over: " + output_;
    }
    std::size_t bytes_sent() const { return sent_; }
    std::string take_output() { return std::exchange(output_, {}); }
    void feed(std::string_view text) {
        session.received(as_bytes(text));
        run();
    }
    void run() {
        for (;;) {
            if (const auto pending = session.to_send(); !pending.empty()) {
                output_ += as_text(pending);
                session.sent(pending.size());
            }
            if (session.finished()) return;
            auto asked = session.next_event();
            if (asked) session.answer(daemon(*asked));
            else if (session.to_send().empty()) return;
        }
    }

private:
    std::string send_block(std::string& block) {
        if (block.empty()) return {};
        if (!output_.empty()) return "the server said before its turn: " + output_;
        const auto at = sent_;
        sent_ += block.size();
        if (cut_ == every_byte) {
            for (const char c : block) feed(std::string_view(&c, 1));
        } else if (cut_ > at && cut_ < sent_) {
            feed(std::string_view(block).substr(0, cut_ - at));
            feed(std::string_view(block).substr(cut_ - at));
        } else {
            feed(block);
        }
        block.clear();
        return {};
    }
    std::string expect(const std::string& wanted) {
        const auto end = output_.find("\r\n");
        const auto line = output_.substr(0, end);
        const bool open = wanted.ends_with("...") && wanted.size() > 3;
        const bool fits = open ? line.starts_with(wanted.substr(0, wanted.size() - 3)) : line == wanted;
        if (end == output_.npos || !fits) return "wanted: " + wanted + "\n   got: " + (output_.empty() ? "(nothing)" : line);
        output_.erase(0, end + 2);
        return {};
    }
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
            now_ += std::chrono::seconds(n);
            session.tick(now_);
            run();
        } else {
            return "not known: " + what;
        }
        return {};
    }

    wire::time_point now_{std::chrono::hours(1)};
    std::string output_;
    std::size_t cut_ = uncut, sent_ = 0;
};

}  // namespace pp::pop3::test
