// Plays a written dialogue (tests/proto/dialogue_player.hpp) against an IMAP session and a fake daemon. Further lines:
//   E: news        something happened elsewhere; further: tick <seconds>, end (of input), and changes by another
//                  session: deliver <mailbox> <subject>; flag <mailbox> <uid> <flag>; expunge <mailbox> <uid>;
//                  delete <mailbox>; create <mailbox>; rename <mailbox> <to>; subscribe <mailbox>;
//                  unsubscribe <mailbox>;
//                  annotate <mailbox or -> <entry>; refuse <code>; leave (the store is going away)
//   G: user | box  greeting and login (and SELECT box) without looking at them; "-": the greeting only
#pragma once

#include "proto/imap/server_session.hpp"
#include "tests/proto/dialogue_player.hpp"
#include "tests/proto/imap/fake_daemon.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pp::imap::test {
class player;
}
extern template class pp::test::dialogue_player<pp::imap::test::player>;   // once, in player.cpp

namespace pp::imap::test {

class player : public pp::test::dialogue_player<player> {
public:
    explicit player(session_options options, fake_store contents = usual_store());

    fake_store store;
    fake_daemon daemon;
    server_session session;

    std::string act(std::string_view kind, const std::string& text);

    // Sends a line and lets everything happen; what the server says. The judge sees each event first and may answer it
    // in place of the daemon: std::optional<verdict>(const event&).
    template <class Judge>
    std::string watch(const std::string& line, Judge&& judge) {
        std::string output;
        session.received(as_bytes(line + "\r\n"));
        for (;;) {
            if (const auto pending = session.to_send(); !pending.empty()) {
                output += as_text(pending);
                session.sent(pending.size());
            }
            auto asked = session.next_event();
            if (!asked && session.to_send().empty()) return output;
            if (!asked) continue;
            std::optional<verdict> own = judge(std::as_const(*asked));
            session.answer(own ? std::move(*own) : daemon(*asked));
        }
    }

private:
    std::string greet(const std::string& how);
    std::string happen(const std::string& what);
};

std::string play_everywhere(std::string_view script, const session_options& options);

}  // namespace pp::imap::test
