// Plays a written dialogue against an IMAP session and a fake daemon. One line, one act:
//   C: text        the client sends text CRLF; neighbouring C: lines are sent together
//   S: text        the server must send exactly this line next; "..." at the end leaves the rest open
//   E: news        something happened elsewhere; further: tick <seconds>, end (of input), and changes by another session:
//                  deliver <mailbox> <subject>; flag <mailbox> <uid> <flag>; expunge <mailbox> <uid>; delete <mailbox>;
//                  create <mailbox>; rename <mailbox> <to>; subscribe <mailbox>; unsubscribe <mailbox>;
//                  annotate <mailbox or -> <entry>; refuse <code>; leave (the store is going away)
//   G: user | box  greeting and login (and SELECT box) without looking at them; "-": the greeting only
//   X:             the session is over
//   #              a comment
// What the server has sent and no S: line has asked for is a failure.
#pragma once

#include "proto/imap/server_session.hpp"
#include "tests/proto/imap/fake_daemon.hpp"

#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace pp::imap::test {

class player {
public:
    explicit player(session_options options, fake_store contents = usual_store())
        : store(std::move(contents)), daemon(store), session(options) {
        session.tick(now_);
    }

    fake_store store;
    fake_daemon daemon;
    server_session session;

    // The input block that is cut: at which byte of all that the client sends. One byte at a time: every_byte.
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
            std::string wrong;
            if (line.starts_with("S:")) wrong = expect(text);
            else if (line.starts_with("E:")) wrong = happen(text);
            else if (line.starts_with("G:")) wrong = greet(text);
            else if (line.starts_with("X:")) wrong = session.finished() || closing() ? "" : "the session is not over";
            else wrong = "not a line of a dialogue: " + line;
            if (!wrong.empty()) return wrong;
        }
        if (auto wrong = send_block(block); !wrong.empty()) return wrong;
        return output_.empty() ? "" : "left over: " + output_;
    }
    std::size_t bytes_sent() const { return sent_; }
    std::string take_output() { return std::exchange(output_, {}); }

    // Feeds raw bytes and lets everything happen.
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
    bool closing() {
        run();
        return session.finished();
    }
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
        const bool open = wanted.ends_with("...");
        const bool fits = open ? line.starts_with(wanted.substr(0, wanted.size() - 3)) : line == wanted;
        if (end == output_.npos || !fits) return "wanted: " + wanted + "\n   got: " + (output_.empty() ? "(nothing)" : line);
        output_.erase(0, end + 2);
        return {};
    }
    std::string greet(const std::string& how) {
        run();
        if (how != "-") feed("g1 LOGIN ann secret\r\n");
        if (how != "-" && how != "user") feed("g2 SELECT " + how + "\r\n");
        output_.clear();
        return {};
    }
    std::string happen(const std::string& what) {
        std::istringstream words(what);
        std::string verb, mailbox, rest;
        words >> verb;
        if (verb == "news") session.news();
        else if (verb == "end") session.input_ended();
        else if (verb == "leave") daemon.store_is_leaving = true;
        else if (verb == "annotate") {
            std::string entry;
            words >> mailbox >> entry;
            daemon.metadata_changes.push_back({mailbox == "-" ? "" : mailbox, {entry}});
            session.news();
        } else if (verb == "refuse") words >> daemon.next_refusal;
        else if (verb == "tick") {
            int seconds = 0;
            words >> seconds;
            now_ += std::chrono::seconds(seconds);
            session.tick(now_);
        } else if (verb == "create") {
            words >> mailbox;
            store.create(mailbox);
        } else if (words >> mailbox; !store.mailboxes.contains(mailbox)) {
            return "no such mailbox: " + what;
        } else if (auto& box = store.mailboxes[mailbox]; verb == "deliver") {
            std::getline(words, rest);
            box.add("Subject:" + rest + "\r\n\r\nbody\r\n");
        } else if (verb == "delete") {
            store.mailboxes.erase(mailbox);
        } else if (verb == "subscribe" || verb == "unsubscribe") {
            box.subscribed = verb == "subscribe";
        } else if (verb == "rename") {
            words >> rest;
            store.rename(mailbox, rest);
        } else {
            std::uint32_t uid = 0;
            words >> uid >> rest;
            auto* mail = box.find(uid);
            if (!mail) return "no such mail: " + what;
            if (verb == "expunge") {
                box.expunge(uid);
            } else if (verb == "flag") {
                if (rest == "\\Seen") mail->flags.system |= mail::seen;
                else if (rest == "\\Deleted") mail->flags.system |= mail::deleted;
                else if (rest == "\\Flagged") mail->flags.system |= mail::flagged;
                else mail->flags.add(rest);
                mail->modseq = ++box.modseq;
            } else {
                return "no such act: " + what;
            }
        }
        run();
        return {};
    }

    std::string output_;
    std::size_t cut_ = uncut, sent_ = 0;
    wire::time_point now_ = wire::time_point(std::chrono::hours(1));
};

// Plays whole, byte by byte, and cut once at every byte. Empty: always as written.
inline std::string play_everywhere(std::string_view script, const session_options& options) {
    player whole(options);
    if (auto wrong = whole.play(script); !wrong.empty()) return wrong;
    player slow(options);
    if (auto wrong = slow.play(script, player::every_byte); !wrong.empty()) return "byte by byte: " + wrong;
    for (std::size_t cut = 1; cut < whole.bytes_sent(); ++cut) {
        player one(options);
        if (auto wrong = one.play(script, cut); !wrong.empty()) return "cut at " + std::to_string(cut) + ": " + wrong;
    }
    return {};
}

}  // namespace pp::imap::test
