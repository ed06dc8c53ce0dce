// The IMAP server machine against a store in memory: the same bytes whole and cut in three must lead to the same
// questions and the same output. The first byte chooses the state in which they meet the machine, the second and third
// where they are cut.
#include "proto/imap/server_session.hpp"
#include "tests/proto/imap/fake_daemon.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace pp;

namespace {

struct run {
    std::vector<imap::event> asked;
    std::string said, appended;
};

// STARTTLS, COMPRESS and what a web page sends depend on what has arrived, by design:
// bytes behind them end the session.
bool depends_on_arrival(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    return upper.find("STARTTLS") != upper.npos || upper.find("COMPRESS") != upper.npos;
}

run play(std::string_view prefix, const std::vector<std::string_view>& pieces) {
    imap::session_options options;
    options.offer_starttls = true;
    options.append_bytes_max = 100000;
    options.server_version = "0.1";
    auto store = imap::test::usual_store();
    imap::test::fake_daemon daemon(store);
    imap::server_session session(options);
    session.tick(wire::time_point(std::chrono::hours(1)));
    run out;
    std::string coming;
    const auto go = [&] {
        for (;;) {
            if (const auto pending = session.to_send(); !pending.empty()) {
                out.said += as_text(pending);
                session.sent(pending.size());
            }
            auto asked = session.next_event();
            if (asked) {
                // Where a mail is cut into pieces depends on how it came; only its bytes may not. How much of one came
                // that is given up depends on it too, and whether an APPEND is pipelined: then it is waited for later.
                const bool submitted = std::holds_alternative<imap::append_submit>(*asked);
                if (const auto* chunk = std::get_if<imap::append_chunk>(&*asked)) coming += as_text(chunk->data);
                else if (submitted) out.asked.emplace_back(imap::append_end());
                else if (!std::holds_alternative<imap::append_wait>(*asked)) out.asked.push_back(*asked);
                if (submitted || std::holds_alternative<imap::append_end>(*asked))
                    out.appended += std::exchange(coming, {});
                if (std::holds_alternative<imap::append_abort>(*asked)) coming.clear();
                session.answer(daemon(*asked));
            } else if (session.to_send().empty()) {
                return;
            }
        }
    };
    session.received(as_bytes(prefix));
    go();
    for (const auto piece : pieces) {
        if (session.finished()) break;
        session.received(as_bytes(piece));
        go();
    }
    session.input_ended();
    go();
    if (!session.finished()) std::abort();   // the end of the input ends every conversation
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 3) return 0;
    constexpr std::string_view prefixes[] = {"", "x LOGIN ann secret\r\n", "x LOGIN ann secret\r\nx SELECT INBOX\r\n",
                                             "x LOGIN ann secret\r\nx ENABLE IMAP4rev2\r\nx SELECT INBOX\r\n"};
    const auto prefix = prefixes[data[0] % 4];
    const std::string_view text(reinterpret_cast<const char*>(data) + 3, size - 3);
    const auto first = std::min<std::size_t>(data[1], text.size()),
               second = std::min<std::size_t>(data[2], text.size() - first);
    const auto whole = play(prefix, {text});
    if (depends_on_arrival(text)) return 0;
    const auto split = play(prefix, {text.substr(0, first), text.substr(first, second), text.substr(first + second)});
    if (whole.asked != split.asked || whole.said != split.said || whole.appended != split.appended) {
        std::fprintf(stderr, "in one piece it was answered:\n%s\nin three pieces:\n%s\nevents: %zu and %zu\n",
                     whole.said.c_str(), split.said.c_str(), whole.asked.size(), split.asked.size());
        std::abort();
    }
    return 0;
}
