// The common part of the players of written dialogues: what the client sends, what the server must send, and where the
// client's bytes are cut. One line, one act:
//   C: text   the client sends text CRLF; neighbouring C: lines are sent together
//   S: text   the server must send exactly this line next; "..." behind some text leaves the rest open
//   X:        the session is over
//   #         a comment
// Other lines are acts of the protocol's own. What the server has sent and no S: line has asked for is a failure.
#pragma once

#include "crypto/bytes.hpp"
#include "proto/wire/dialogue.hpp"

#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace pp::test {

// Player has members session (the machine) and daemon (answers its events), and act(line): what went wrong, or empty.
template <class Player>
class dialogue_player {
public:
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
            else if (line.starts_with("X:")) wrong = is_over() ? "" : "the session is not over";
            else wrong = self().act(line.substr(0, 2), text);
            if (!wrong.empty()) return wrong;
        }
        if (auto wrong = send_block(block); !wrong.empty()) return wrong;
        return output_.empty() ? "" : "left over: " + output_;
    }
    std::size_t bytes_sent() const { return sent_; }
    std::string take_output() { return std::exchange(output_, {}); }

    // Feeds raw bytes and lets everything happen.
    void feed(std::string_view text) {
        self().session.received(as_bytes(text));
        run();
    }
    void run() {
        auto& session = self().session;
        for (;;) {
            if (const auto pending = session.to_send(); !pending.empty()) {
                output_ += as_text(pending);
                session.sent(pending.size());
            }
            if (session.finished()) return;
            auto asked = session.next_event();
            if (asked) session.answer(self().daemon(*asked));
            else if (session.to_send().empty()) return;
        }
    }

protected:
    void pass(std::chrono::seconds time) {
        now_ += time;
        self().session.tick(now_);
    }

private:
    Player& self() { return static_cast<Player&>(*this); }
    bool is_over() {
        run();
        return self().session.finished();
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
        const bool open = wanted.ends_with("...") && wanted.size() > 3;
        const bool fits = open ? line.starts_with(wanted.substr(0, wanted.size() - 3)) : line == wanted;
        if (end == output_.npos || !fits)
            return "wanted: " + wanted + "\n   got: " + (output_.empty() ? "(nothing)" : line);
        output_.erase(0, end + 2);
        return {};
    }

    wire::time_point now_{std::chrono::hours(1)};
    std::string output_;
    std::size_t cut_ = uncut, sent_ = 0;
};

// Plays whole, byte by byte, and cut once at every byte. Empty: always as written.
template <class Player, class Options>
std::string play_everywhere(std::string_view script, const Options& options) {
    Player whole(options);
    if (auto wrong = whole.play(script); !wrong.empty()) return wrong;
    Player slow(options);
    if (auto wrong = slow.play(script, Player::every_byte); !wrong.empty()) return "byte by byte: " + wrong;
    for (std::size_t cut = 1; cut < whole.bytes_sent(); ++cut) {
        Player one(options);
        if (auto wrong = one.play(script, cut); !wrong.empty()) return "cut at " + std::to_string(cut) + ": " + wrong;
    }
    return {};
}

}  // namespace pp::test
